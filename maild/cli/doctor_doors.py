"""The probe of `maild doctor` for [smtp] and [lmtp]: who answers at our doors, and until when our certificate holds."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from maild.cli.doctor_certificate import ends_at, judge_end
from maild.cli.doctor_running import STEP, within
from maild.cli.doctor_words import fault
from maild.cli.finding import Finding
from maild.config import Config
from maild.config.office import member

_LONGEST = 512
"""Octets of a reply line (RFC 5321 section 4.5.3.1.5)."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, not what we bind


def probe_doors(config: Config) -> Iterator[Finding]:
    """Knock at each door, and read the certificate."""
    proxies = member(config.smtp.proxy_from)
    for name, place, proxied in (("smtp", config.smtp.listen, proxies), ("lmtp", config.lmtp.listen, None)):
        if place and place.rpartition(":")[2] == "0":
            yield Finding(f"{name}.listen", "ok", f"{place}: the system chooses a port, so nobody can be asked")
        elif place:
            yield _knock(f"{name}.listen", place, proxied)
    if not (config.smtp.listen or config.lmtp.listen or config.imap):
        yield Finding("doors", "warn", "neither SMTP, LMTP nor IMAP brings mail: it comes in by `maild deliver` alone")
    if config.smtp_tls:
        certificate = config.smtp_tls[0]
        try:
            ends = ends_at(certificate.read_text("ascii", "replace")).timestamp()
        except (OSError, ValueError) as error:
            yield Finding("smtp.tls_certificate", "fail", f"{certificate}: {fault(error)}")
        else:
            yield from judge_end("smtp.tls_certificate", ends, time.time())


def _knock(name: str, place: str, proxied: Callable[[str], bool] | None) -> Finding:
    try:
        # Nobody there, or somebody who says nothing, are two faults: so the connection comes first.
        door = within(STEP, lambda: _connected(place))
    except OSError as error:
        return judge_nobody(name, place, fault(error))
    with door:
        door.settimeout(STEP)
        try:
            return judge_greeting(name, place, within(STEP, lambda: _greeting(door, proxied)))
        except OSError as error:
            return judge_greeting(name, place, "", fault(error))


def _connected(place: str) -> socket.socket:
    if place.startswith("/"):
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.settimeout(STEP)
            door.connect(str(Path(place)))
        except OSError:
            door.close()
            raise
        return door
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    return socket.create_connection((_EVERYWHERE.get(host, host), int(port)), timeout=STEP)


def _greeting(door: socket.socket, proxied: Callable[[str], bool] | None) -> str:
    if proxied is not None and proxied(str(door.getsockname()[0])):
        # We come from where a proxy is expected: it says that it speaks for itself.
        door.sendall(b"PROXY UNKNOWN\r\n")
    said = b""
    while b"\n" not in said and len(said) < _LONGEST:
        piece = door.recv(_LONGEST)
        if not piece:
            break
        said += piece
    if said:
        door.sendall(b"QUIT\r\n")
    return said.partition(b"\n")[0].decode("ascii", "replace").strip()


def judge_nobody(name: str, place: str, why: str) -> Finding:
    """Judge a door where nobody answers: the daemon need not run while this is asked."""
    words = f"nobody answers at {place} ({why}): `maild serve` does not run, or systemd listens elsewhere for it"
    return Finding(name, "warn", words)


def judge_greeting(name: str, place: str, said: str, why: str = "it hung up") -> Finding:
    """Judge what is said first (RFC 5321 section 3.1); `why` nothing was."""
    if not said:
        return Finding(name, "fail", f"somebody listens at {place} and does not greet: {why}")
    if not said.endswith(" maild") and not said.startswith("421 "):
        return Finding(name, "fail", f"another program has {place}, so `maild serve` cannot listen there: {said}")
    if not said.startswith("220 "):
        return Finding(name, "warn", f"{place} turns us away: {said}")
    return Finding(name, "ok", f"maild answers at {place}: {said}")
