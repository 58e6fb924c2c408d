"""The mails people read, as jinja2 templates: sandboxed, every name defined, foreign text only ever a variable."""

from collections.abc import Mapping
from typing import Any

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from maild.outbound.wording import clocked, fold, short, span, stamp, stretched, when


def _escapes(name: str | None) -> bool:
    return name is not None and name.endswith(".html.j2")


class Templates:
    """Templates by file name, compiled at first use. Text is never escaped, HTML always is."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._names = frozenset(sources)
        self._environment = ImmutableSandboxedEnvironment(
            loader=DictLoader(dict(sources)),
            undefined=StrictUndefined,
            autoescape=_escapes,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            when=when, short=short, stamp=stamp, span=span, clocked=clocked, stretched=stretched, fold=fold
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The file names, sorted."""
        return tuple(sorted(self._names))

    def render(self, kind: str, language: str, values: Mapping[str, Any], form: str = "txt") -> str:
        """Render `<kind>.<language>.<form>.j2`, or `<kind>.<form>.j2` where there is none in that language.

        Raises jinja2.TemplateError where the template is missing, does not compile, or uses a name without a value.
        """
        spoken = f"{kind}.{language}.{form}.j2"
        name = spoken if language and spoken in self._names else f"{kind}.{form}.j2"
        return self._environment.get_template(name).render(values)

    def fault(self, name: str) -> str | None:
        """Say in words why the template of that file name does not compile; None where it does."""
        try:
            self._environment.get_template(name)
        except Exception as fault:  # noqa: BLE001 - jinja2 compiles to Python: an operator's file can raise anything
            return f"{name}: {type(fault).__name__}: {fault}"
        return None
