"""Where templates lie: the operator's directory first, then what came with maild."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import structlog
from jinja2 import TemplateError

from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.gate import GateRefusal
from maild.outbound.letters import Letter
from maild.outbound.templates import Templates

log = structlog.get_logger("maild.templates")

_END = ".j2"
_OWED_BY_TIME = frozenset({"escalation", "digest", "summary", "report"})
_WITH_LANGUAGE = 3
"""Dots in ack.de.txt.j2."""


def _shipped() -> Traversable:
    """Find the templates of this maild: in the wheel, else in the checkout beside the package."""
    inside = resources.files("maild") / "templates"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "templates"


def _read(place: Traversable) -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in place.iterdir() if file.name.endswith(_END)}


def load_templates(own: Path | None = None) -> Templates:
    """Read every template once. A file in the operator's directory `own` stands in for ours of the same name.

    Where one of his for escalations, digests, summaries or reports fails for a mail, as the log says then, ours writes that
    mail. Raises OSError where `own` cannot be read, UnicodeError where a file is not UTF-8.
    """
    ours = _read(_shipped())
    return _Spared(ours | _read(own), Templates(ours)) if own else Templates(ours)


def odd_files(own: Path) -> list[str]:
    """List in words the files in `own` that stand in for none of ours; OSError where it cannot be read."""
    ours = _read(_shipped())
    plain = {_without_language(name) for name in ours}
    found = []
    for name in sorted(file.name for file in own.iterdir() if not file.name.startswith(".")):
        if name in ours or (_without_language(name) in plain and name.endswith(_END)):
            continue
        nearest = get_close_matches(name, ours, 1, 0.6)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(ours))}"
        found.append(f"{name} is the name of no template of ours, so nothing is written with it: {hint}")
    return found


def _without_language(name: str) -> str:
    parts = name.split(".")
    return ".".join([parts[0], *parts[2:]]) if name.count(".") == _WITH_LANGUAGE else name


class _Spared(Templates):
    """Templates of an operator, with ours to fall back on for what time owes.

    A mail that cannot be answered is quarantined, and its operator told; of an escalation nobody would hear.
    """

    def __init__(self, sources: Mapping[str, str], spare: Templates) -> None:
        super().__init__(sources)
        self._spare = spare

    def render(self, kind: str, language: str, values: Mapping[str, Any], form: str = "txt") -> str:
        """Render as any templates do; what time owes with ours, where that fails."""
        if kind not in _OWED_BY_TIME:
            return super().render(kind, language, values, form)
        try:
            return super().render(kind, language, values, form)
        except Exception:  # jinja2 compiles to Python: an operator's file can raise anything
            log.exception("template.failed", template=f"{kind}.{form}.j2", language=language)
            return self._spare.render(kind, language, values, form)


class _Watched(Templates):
    """Templates that tell which files they were rendered from."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        super().__init__(sources)
        self.rendered: list[str] = []

    def render(self, kind: str, language: str, values: Mapping[str, Any], form: str = "txt") -> str:
        """Render as any templates do."""
        spoken = f"{kind}.{language}.{form}.j2"
        self.rendered.append(spoken if spoken in self.names else f"{kind}.{form}.j2")
        return super().render(kind, language, values, form)


def check_templates(own: Path | None = None) -> list[str]:
    """List every fault of the templates in words: what cannot be read, compiled, or written with a sample letter.

    Where a file of `own` is broken, ours stands in for it, so that it hides no fault of another one.
    """
    ours = _read(_shipped())
    faults: list[str] = []
    sources = dict(ours)
    for name, text in _own(own, faults).items():
        fault = Templates({**ours, name: text}).fault(name)
        if fault is None:
            sources[name] = text
        else:
            faults.append(" ".join(fault.split()))
    shipped = Templates(ours)
    faults += [words for name in ours if sources[name] == ours[name] and (words := shipped.fault(name))]
    languages = {name.split(".")[1] for name in sources if name.count(".") == _WITH_LANGUAGE}
    for language in ("", *sorted(languages)):
        for letter in samples.letters(language):
            faults += _faults(letter, sources, ours)
    return list(dict.fromkeys(faults))


def _own(own: Path | None, faults: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        files = sorted(own.iterdir()) if own else []
    except OSError as fault:
        faults.append(f"templates: {own}: {fault}")
        return {}
    for file in files:
        if file.name.endswith(_END):
            try:
                found[file.name] = file.read_text("utf-8")
            except (OSError, UnicodeError) as fault:
                faults.append(f"{file.name}: {type(fault).__name__}: {fault}")
    return found


def _faults(letter: Letter, sources: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[str]:
    """Write a letter, again and again with ours in the place of what was broken, until nothing of the operator's is."""
    left = dict(sources)
    while True:
        templates = _Watched(left)
        try:
            compose(letter, samples.DESK, templates, samples.NOW)
        except (TemplateError, GateRefusal, TypeError, ValueError, ArithmeticError, LookupError) as fault:
            # What was written is looked at when all of it is; anything else fails in the file that is rendered.
            files = templates.rendered if isinstance(fault, GateRefusal) else templates.rendered[-1:]
            words = " ".join(str(fault).split())
            yield f"{' and '.join(files) or type(letter).__name__}: {type(fault).__name__}: {words}"
        else:
            return
        broken = [name for name in files if left[name] != ours.get(name)]
        if not broken:
            return
        for name in broken:
            if name in ours:
                left[name] = ours[name]
            else:
                del left[name]
