"""The way a message took, read from its Received fields (RFC 5321 section 4.4) by mail-parser, which knows their many forms.

It is what the fields say; only those that our own hops wrote can be believed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from mailparser.utils import receiveds_parsing  # type: ignore[import-untyped] # it ships no types

from maild.mail import InboundMail

MOST_HOPS = 50
MOST_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop, the first one first. `at` is aware UTC or None; `delay` are seconds since the hop before, None if unknown."""

    sender: str
    receiver: str
    protocol: str
    at: datetime | None
    delay: int | None


def route(mail: InboundMail) -> tuple[Hop, ...]:
    """Give the hops of a mail, in order of time. Total: a field that cannot be read is left out."""
    fields = [value[:MOST_LETTERS] for value in mail.header("Received")[:MOST_HOPS]]
    try:
        hops = receiveds_parsing(fields)
    except Exception:  # noqa: BLE001 - fields are a stranger's, and the library promises nothing
        return ()
    return tuple(_hop(hop) for hop in hops)


def _hop(hop: dict[str, object]) -> Hop:
    try:
        at = datetime.fromisoformat(str(hop.get("date_utc"))).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    delay = hop.get("delay")
    known = at is not None and isinstance(delay, int | float)
    return Hop(
        str(hop.get("from") or ""),
        str(hop.get("by") or ""),
        str(hop.get("with") or ""),
        at,
        int(delay) if known and isinstance(delay, int | float) else None,
    )
