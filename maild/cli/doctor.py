"""`maild doctor`: looks outside, at everything that a running daemon needs and that a configuration cannot tell."""

from maild.cli.doctor_alarm import probe_alarm
from maild.cli.doctor_auth import probe_auth
from maild.cli.doctor_clock import probe_clock
from maild.cli.doctor_database import probe_database
from maild.cli.doctor_disk import probe_disk
from maild.cli.doctor_doors import probe_doors
from maild.cli.doctor_imap import probe_imap
from maild.cli.doctor_names import probe_names
from maild.cli.doctor_permissions import probe_permissions
from maild.cli.doctor_relay import probe_relay
from maild.cli.doctor_running import Probe, run
from maild.cli.ending import Exit, fail, say
from maild.cli.finding import Finding
from maild.cli.terms import ConfigOption, JsonOption, configuration, one_line
from maild.outbound.gate import clean

PROBES: tuple[Probe, ...] = (
    probe_database,
    probe_disk,
    probe_permissions,
    probe_clock,
    probe_names,
    probe_relay,
    probe_alarm,
    probe_doors,
    probe_auth,
    probe_imap,
)
"""In the order in which they are told. A probe never raises for what it finds."""

SECONDS = 30.0
"""Within which everything is told."""

_LONGEST = 1000


def doctor(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Look at what the daemon needs outside of itself, and say how it stands."""
    loaded = configuration(config, secrets=True)
    failed = 0
    for finding in run(PROBES, loaded, SECONDS):
        failed += finding.verdict == "fail"
        say(_line(finding, json=json))
    if failed:
        fail(Exit.UNAVAILABLE, f"{loaded.path}: {failed} failed")


def _line(finding: Finding, *, json: bool) -> str:
    # A server's words may drive a terminal.
    name, words = clean(finding.name, _LONGEST), clean(finding.words, _LONGEST)
    if json:
        return one_line({"name": name, "verdict": finding.verdict, "words": words})
    return f"{finding.verdict:<5} {name}: {words}"
