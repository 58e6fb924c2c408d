"""Words that several mails share: instants, durations, our own lines, and the subject with its tag."""

import re
import textwrap
from datetime import datetime
from zoneinfo import ZoneInfo

from maild.outbound.gate import clean
from maild.outbound.letters import ClockLine, Stretch

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WIDTH = 78
_FIELD = re.compile(r"[^.!?]{1,40}: ")
_REPLY = re.compile(r"(?:re|aw|antw|sv|vs|rif|res|odp|回复|答复)(?:\s?\[\d{1,3}\])?\s?[:\uff1a]\s*", re.IGNORECASE)


def inscribed(text: str, line: str) -> str:
    """End a text with a line of ours, "" for none."""
    return f"{text.rstrip()}\n\n{line}\n" if line else text


def when(at: datetime, zone: str) -> str:
    """Say an instant for a person in `zone` (IANA name): day, date, the minute it is in, and the zone by its name."""
    local = at.astimezone(ZoneInfo(zone))
    day = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
    return f"{day}, {local:%H:%M} {named(local, zone)}"


def short(at: datetime, zone: str) -> str:
    """Say an instant in a mail that names the zone elsewhere: Mon 23 Nov 2026, 17:46."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{_DAYS[local.weekday()][:3]} {local.day} {_MONTHS[local.month - 1][:3]} {local.year}, {local:%H:%M}"


def stamp(at: datetime, zone: str) -> str:
    """Say an instant in any language: 2026-11-23 17:50 CET (Europe/Berlin)."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M} {named(local, zone)}"


def clocked(clock: ClockLine, zone: str) -> str:
    """Say how a clock stands: First response: running, target Mon 23 Nov 2026, 17:31, limit 17:46."""
    target = short(clock.target_at, zone) if clock.target_at else ""
    limit = short(clock.limit_at, zone) if clock.limit_at else ""
    words = [f"{clock.metric.replace('_', ' ').capitalize()}: {clock.state}"]
    if target and target == limit:
        words.append(f"target and limit {target}")
    else:
        day = target.rpartition(" ")[0]
        words.append(f"target {target}" if target else "")
        words.append(f"limit {limit.removeprefix(day).strip() if day else limit}" if limit else "")
    return ", ".join(filter(None, words))


def stretched(stretch: Stretch, zone: str) -> str:
    """Say what became of a stretch of time: Mon 23 Nov 17:16 to 17:46: counted 30m."""
    start, end = (at.astimezone(ZoneInfo(zone)) for at in (stretch.start, stretch.end))
    until = f"{end:%H:%M}" if end.date() == start.date() else _day_and_time(end)
    counted = f" {promised(stretch.counted_seconds)}" if stretch.what == "counted" else ""
    because = f" ({clean(stretch.because, 80)})" if stretch.because else ""
    return f"{_day_and_time(start)} to {until}: {stretch.what}{counted}{because}"


def _day_and_time(local: datetime) -> str:
    return f"{_DAYS[local.weekday()][:3]} {local.day} {_MONTHS[local.month - 1][:3]} {local:%H:%M}"


def fold(text: str, width: int = _WIDTH) -> str:
    """Break our own lines at their spaces to at most `width` columns; a field's value goes on indented, a link stays whole."""
    folded = (
        textwrap.wrap(
            line,
            width,
            subsequent_indent="  " if _FIELD.match(line) else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        if len(line) > width
        else [line]
        for line in text.split("\n")
    )
    return "\n".join(line for lines in folded for line in lines)


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


def promised(seconds: int) -> str:
    """Say an amount of open time as promises are written: 30m, 4h, 24h. Never in days, which mean more hours to a reader."""
    hours, rest = divmod(seconds, 3600)
    return " ".join(filter(None, (f"{hours}h" if hours else "", span(rest) if rest or not hours else "")))


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
