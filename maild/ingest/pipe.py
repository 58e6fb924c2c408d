"""A mail as a mail server pipes it into a command: its octets as SMTP would have brought them, and its envelope's traces. Pure.

A pipe has no envelope of its own. What is not said on the command line is read from what the delivery wrote above the
topmost Received: below it stands what the sender wrote himself (RFC 5321 section 4.4).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from maild.ingest import caps, headers

_TO = ("x-original-to", "delivered-to", "envelope-to")
_NULL = "mailer-daemon"
"""What pipe(8) of Postfix says for the null reverse-path unless it is told otherwise; so do mboxes."""


@dataclass(frozen=True, slots=True)
class Piped:
    """`octets` have CRLF line ends and no mbox line. `sender` is "" for the null reverse-path, None where nothing tells.

    `named` are the addresses that the delivery says it was for, the likeliest first.
    """

    octets: bytes
    sender: str | None
    named: tuple[str, ...]


def piped(raw: bytes) -> Piped:
    """Read what came through a pipe. Total over any octets."""
    boxed, raw = _unboxed(raw)
    octets = wire_lines(raw)
    trace = tuple(_trace(octets))
    said = next((value for name, value in trace if name == "return-path"), None)
    named = [
        one.address for wanted in _TO for name, value in trace if name == wanted for one in headers.addresses(value)
    ]
    return Piped(octets, boxed if said is None else sender_of(said), tuple(dict.fromkeys(named)))


def wire_lines(raw: bytes) -> bytes:
    """End every line with CRLF, the last one too: the octets, and so their digest, are those that SMTP brings."""
    octets = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return octets if octets.endswith(b"\r\n") else octets + b"\r\n"


def sender_of(text: str) -> str:
    """Read a reverse-path as it stands in an argument or in Return-Path; "" for the null one, in any of its spellings."""
    path = text.strip().removeprefix("<").removesuffix(">").strip()
    return "" if path.lower() == _NULL else path


def _unboxed(raw: bytes) -> tuple[str | None, bytes]:
    """Take an mbox's From_ line off, and give the sender that it names (RFC 4155)."""
    if not raw.startswith(b"From "):
        return None, raw
    line, _, rest = raw.partition(b"\n")
    words = headers.raw_text(line).split()
    return (sender_of(words[1]) if len(words) > 1 else None), rest


def _trace(octets: bytes) -> Iterator[tuple[str, str]]:
    for name, value in caps.split_head(octets).fields:
        if name.lower() == "received":
            return
        yield name.lower(), headers.raw_text(value)
