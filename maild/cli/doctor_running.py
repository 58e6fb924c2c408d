"""Runs the probes of `maild doctor` beside one another: each has an end, and none hides what another found."""

import base64
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from maild.cli.finding import Finding
from maild.config import Config
from maild.store.copying_postgres import surroundings
from maild.store.ledger import POSTGRES

Probe = Callable[[Config], Iterable[Finding]]
"""A function of the name `probe_` and what it looks at."""

T = TypeVar("T")

STEP = 5.0
"""Seconds that one step over a network may take: a look-up, a connection, an answer."""


def run(probes: Sequence[Probe], config: Config, seconds: float) -> Iterator[Finding]:
    """Give what the probes find, in their order, within `seconds`. One that breaks or hangs is a finding itself."""
    yield from beside([(probe.__name__.removeprefix("probe_"), probe) for probe in probes], config, seconds)


def beside(named: Sequence[tuple[str, Probe]], config: Config, seconds: float) -> Iterator[Finding]:
    """Give what probes find, as `run` does; the name is that of a finding on the probe itself."""
    until = time.monotonic() + seconds
    going = [_Going(name, probe, config) for name, probe in named]
    for one in going:
        yield from one.told(until - time.monotonic(), seconds)


class _Going:
    """A probe in a thread that nobody waits for at the end of the process."""

    def __init__(self, name: str, probe: Probe, config: Config) -> None:
        self._probe = probe
        self._config = config
        self._name = name
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def told(self, wait: float, seconds: float) -> list[Finding]:
        self._thread.join(max(0, wait))
        late = self._thread.is_alive()
        found = list(self._found)
        return [*found, Finding(self._name, "fail", f"not done within {seconds:.0f} s")] if late else found

    def _work(self) -> None:
        try:
            for finding in self._probe(self._config):
                self._found.append(finding)
        except Exception as error:  # noqa: BLE001 - the edge: a probe that breaks must not take the others along
            words = f"the probe itself broke: {type(error).__name__}: {error}"
            self._found.append(Finding(self._name, "fail", without_secrets(words, self._config)))


class _Step(threading.Thread, Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.result: list[T] = []
        self.error: OSError | None = None

    def run(self) -> None:
        try:
            self.result.append(self._work())
        except OSError as error:
            self.error = error


def within(seconds: float, work: Callable[[], T]) -> T:
    """Give what `work` gives, or raise its OSError; TimeoutError where it is not done in time, and it is left behind."""
    step = _Step(work)
    step.start()
    step.join(seconds)
    if step.error is not None:
        raise step.error
    if not step.result:
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    return step.result[0]


def without_secrets(words: str, config: Config) -> str:
    """Give words of others, in which a secret of ours may be quoted, without it."""
    for secret in _secrets(config):
        words = words.replace(secret, "***")
    return words


def _secrets(config: Config) -> list[str]:
    plain = [config.relay_password, config.alarm_url]
    for held in config.imap_secrets:
        plain += [held.password, held.client_secret, held.refresh_token]
    if config.database_url.startswith(POSTGRES):
        plain.append(surroundings(config.database_url).get("PGPASSWORD", ""))
    known = [secret for secret in plain if secret]
    # As AUTH sends it (RFC 4954 section 4): a server may quote what it does not understand.
    sent = [secret.encode() for secret in known] + [f"\0{config.relay.username}\0{config.relay_password}".encode()]
    coded = [base64.b64encode(octets).decode() for octets in sent] if known else []
    return sorted({*known, *coded}, key=len, reverse=True)
