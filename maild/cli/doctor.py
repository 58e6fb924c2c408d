"""`maild doctor`: looks outside, at everything that a running daemon needs and that a configuration cannot tell."""

from collections.abc import Callable, Iterable

from maild.cli.doctor_imap import probe_imap
from maild.cli.finding import Finding
from maild.cli.terms import ConfigOption, Exit, JsonOption, configuration, fail, one_line, say
from maild.config import Config

Probe = Callable[[Config], Iterable[Finding]]

PROBES: tuple[Probe, ...] = (probe_imap,)
"""In the order in which they are told. A probe never raises for what it finds."""


def doctor(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Look at what the daemon needs outside of itself, and say how it stands."""
    loaded = configuration(config, secrets=True)
    failed = 0
    for probe in PROBES:
        for finding in probe(loaded):
            failed += finding.verdict == "fail"
            say(_line(finding, json=json))
    if failed:
        fail(Exit.UNAVAILABLE, f"{loaded.path}: {failed} failed")


def _line(finding: Finding, *, json: bool) -> str:
    if json:
        return one_line({"name": finding.name, "verdict": finding.verdict, "words": finding.words})
    return f"{finding.verdict:<5} {finding.name}: {finding.words}"
