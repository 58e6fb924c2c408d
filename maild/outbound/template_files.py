"""Where templates lie: the operator's directory first, then what came with maild."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from jinja2 import TemplateError

from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.gate import GateRefusal
from maild.outbound.templates import Templates

_END = ".j2"


def _shipped() -> Traversable:
    """Find the templates of this maild: in the wheel, else in the checkout beside the package."""
    inside = resources.files("maild") / "templates"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "templates"


def _read(place: Traversable) -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in place.iterdir() if file.name.endswith(_END)}


def load_templates(own: Path | None = None) -> Templates:
    """Read every template once. A file in the operator's directory `own` stands in for ours of the same name.

    Raises OSError where `own` cannot be read, UnicodeError where a file is not UTF-8.
    """
    return Templates(_read(_shipped()) | (_read(own) if own else {}))


def check_templates(own: Path | None = None) -> list[str]:
    """List every fault of the templates in words: what cannot be read, compiled, or written with a sample letter."""
    try:
        templates = load_templates(own)
    except (OSError, UnicodeError) as fault:
        return [f"templates: {own}: {fault}"]
    faults = [words for words in map(templates.fault, templates.names) if words]
    if faults:
        return faults
    languages = {name.split(".")[1] for name in templates.names if name.count(".") == 3}
    for language in ("", *sorted(languages)):
        for letter in samples.letters(language):
            kind = type(letter).__name__
            try:
                compose(letter, samples.DESK, templates, samples.NOW)
            except (TemplateError, GateRefusal, TypeError, ValueError, ArithmeticError, LookupError) as fault:
                faults.append(f"{kind}{f' in {language}' if language else ''}: {type(fault).__name__}: {fault}")
    return list(dict.fromkeys(faults))
