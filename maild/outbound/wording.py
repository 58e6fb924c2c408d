"""Words that several mails share: instants, durations, and the subject with its tag."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from maild.outbound.gate import clean

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_REPLY = re.compile(r"(?:re|aw|antw|sv|vs|rif|res|odp|回复|答复)(?:\s?\[\d{1,3}\])?\s?[:\uff1a]\s*", re.IGNORECASE)


def when(at: datetime, zone: str) -> str:
    """Say an instant for a person in `zone` (IANA name): day, date, time, and the zone by its name."""
    local = at.astimezone(ZoneInfo(zone))
    clock = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}, {clock} {named(local, zone)}"


def stamp(at: datetime, zone: str) -> str:
    """Say an instant in any language: 2026-11-23 17:50 CET (Europe/Berlin)."""
    local = at.astimezone(ZoneInfo(zone))
    clock = local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
    return f"{clock} {named(local, zone)}"


def named(local: datetime, zone: str) -> str:
    """Name the zone of a local time: its abbreviation where it has letters, and the IANA name."""
    short = local.tzname() or ""
    if zone in (short, "Etc/UTC"):
        return "UTC" if zone == "Etc/UTC" else short
    return f"{short} ({zone})" if short.isalpha() else f"{local.strftime('%z')} ({zone})"


def span(seconds: float) -> str:
    """Say a duration in its two largest units: 45s, 4m, 1h 30m, 2d 3h. A negative one counts as its size."""
    rest = int(abs(seconds))
    words: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words[:2]) or "0s"


def tag(reference: str, number: int) -> str:
    """Make the tag that subjects carry: [CSM #1042]."""
    return f"[{reference} #{number}]"


def bare(subject: str, reference: str) -> str:
    """Give a subject without any tag of ours and without leading reply prefixes; forward prefixes stay."""
    plain = re.sub(rf"\[{re.escape(reference)} ?#\d{{1,10}}\]", " ", clean(subject), flags=re.IGNORECASE)
    plain = " ".join(plain.split())
    while found := _REPLY.match(plain):
        plain = plain[found.end() :]
    return plain


def tagged(subject: str, reference: str, number: int, *, reply: bool) -> str:
    """Give a subject with the ticket's tag once and, for a reply, one Re: before it."""
    return " ".join(word for word in ("Re:" if reply else "", tag(reference, number), bare(subject, reference)) if word)
