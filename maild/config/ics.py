"""Events out of a file in iCalendar (RFC 5545) beside the configuration: every fault names its event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import prod
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from maild.config.country import YEARS

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
LONGEST = timedelta(days=366)
MOST_OCTETS = 4_000_000
MOST = 50_000
"""Occurrences of one file: what is more would take minutes to be worked out, at every start."""

OFTEN = 8
"""Occurrences of one event in a day, likewise."""

FIRST_YEAR = 1900
_DAY = timedelta(days=1)
_IN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event, or one of its repetitions: from `start` to before `end`, both dates or both times.

    `number` counts the events of the file from 1, `label` names the event for people; `event` is as the library has it.
    """

    start: date
    end: date
    number: int
    label: str
    event: Any

    @property
    def summary(self) -> str:
        """What it is called; "" for nothing."""
        return " ".join(str(self.event.get("SUMMARY", "")).split())


def file_beside(
    path: Path, name: str, read: Callable[[bytes], tuple[T, list[str]]]
) -> tuple[T | None, tuple[str, ...]]:
    """Give what `read` makes of the file `name` beside the configuration `path`; None, and each fault, where it is not sound.

    `read` gives a line for each fault, and raises ValueError where the file as a whole is none of its kind.
    """
    file = path.resolve().parent / name
    try:
        if file.exists() and not file.is_file():
            return None, (f"{name} is no file",)
        with file.open("rb") as opened:
            octets = opened.read(MOST_OCTETS + 1)
        if len(octets) > MOST_OCTETS:
            return None, (
                f"{name} is larger than {MOST_OCTETS // 1_000_000} MB: leave out what is over, and attachments",
            )
        found, faults = read(octets)
    except OSError as error:
        if "://" in name:
            return None, (f"names a file beside {path.name}, and maild fetches no URL: download it there",)
        return None, (f"{name} cannot be read: {error.strerror}; it lies beside {path.name}",)
    except ValueError as error:
        return None, (f"{name} {error}",)
    return None if faults else found, tuple(f"{name}: {fault}" for fault in faults)


def occurrences(octets: bytes) -> tuple[list[Occurrence], list[str]]:
    """Give what happens by a file in 2020 to 2040 and a month around, and a line for each event that cannot be read.

    What is cancelled does not happen. ValueError where the file as a whole is no calendar, or happens more than `MOST` times.
    """
    import icalendar  # noqa: PLC0415 - it takes a while, and few configurations ask for it

    try:
        found = icalendar.Calendar.from_ical(octets, multiple=True)
    except (ValueError, IndexError) as error:
        raise ValueError(f"is no iCalendar: {error}") from error
    events = [event for one in found for event in one.walk("VEVENT")]
    if not any(one.name == "VCALENDAR" for one in found):
        raise ValueError("is no iCalendar, or only a part of one: it goes from BEGIN:VCALENDAR to END:VCALENDAR")
    faults = []
    # An event and what stands for single ones of its repetitions have one UID, and only together they make sense.
    series: dict[str, list[Any]] = {}
    for number, event in enumerate(events, 1):
        fault = _fault(event)
        if fault:
            faults.append(f"{_name(number, event)}: {fault}")
        elif str(event.get("STATUS", "")).upper() != "CANCELLED" or "RECURRENCE-ID" in event:
            series.setdefault(str(event.get("UID", f"number {number}")), []).append((number, event))
    happens: list[Occurrence] = []
    for members in series.values():
        number, first = members[0]
        try:
            happens += _occurrences(number, _name(number, first), [event for _, event in members])
        except Exception as error:  # noqa: BLE001 - the edge: whatever the library makes of an event, the operator is told which
            faults.append(f"{_name(number, first)}: its repetition cannot be worked out: {error}")
        if len(happens) > MOST:
            raise ValueError(f"happens more than {MOST} times in 2020 to 2040: give its repetitions an end (UNTIL)")
    return happens, faults


def wall(instant: date, zone: ZoneInfo) -> datetime:
    """Give a date's midnight, or a time as the zone's wall shows it, without a zone."""
    if not isinstance(instant, datetime):
        return datetime.combine(instant, time())
    return instant if instant.tzinfo is None else instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None)


def instant_of(at: date, zone: ZoneInfo) -> datetime:
    """Give the instant (UTC) of a date's midnight, or of a time; what names no zone is on the wall of `zone`."""
    local = at if isinstance(at, datetime) else datetime.combine(at, time())
    return (local.replace(tzinfo=zone) if local.tzinfo is None else local).astimezone(UTC)


def _name(number: int, event: Any) -> str:
    words = [str(event[key]) for key in ("SUMMARY", "UID") if key in event]
    return f"event {number} ({', '.join(words)})" if words else f"event {number}"


def _fault(event: Any) -> str:
    """Say what is wrong with an event; "" for nothing."""
    if event.errors:
        return "; ".join(f"{key} is not understood: {words}" for key, words in event.errors)
    if "DTSTART" not in event:
        return "it has no DTSTART"
    if event["DTSTART"].dt.year < FIRST_YEAR:
        return f"it starts before {FIRST_YEAR}: is DTSTART right?"
    for key in ("DTSTART", "DTEND"):
        name = event[key].params.get("TZID") if key in event else None
        if name and getattr(event[key].dt, "tzinfo", None) is None:
            return f"{key}: there is no time zone {name!r}; an IANA name such as Europe/Berlin is wanted"
    return _length(event) or _repetition(event)


def _length(event: Any) -> str:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else None
    if end is not None and isinstance(start, datetime) is not isinstance(end, datetime):
        return "DTSTART and DTEND must both be dates, or both have a time"
    if end is not None and isinstance(start, datetime) and (start.tzinfo is None) is not (end.tzinfo is None):
        return "DTSTART and DTEND must both name a time zone, or neither"
    if end is None:
        whole = not isinstance(start, datetime)
        lasts = event["DURATION"].dt if "DURATION" in event else _DAY if whole else timedelta()
    else:
        lasts = end - start
    if lasts <= timedelta():
        return "it ends when it starts, or before: DTEND is the day, or the time, from which it is over"
    return "it lasts more than a year: is DTEND right?" if lasts > LONGEST else ""


def _repetition(event: Any) -> str:
    for rule in _rules(event):
        often = str(rule.get("FREQ", ["none"])[0])
        if often not in FREQUENCIES:
            return f"RRULE: its FREQ is {often}; {', '.join(FREQUENCIES)} are taken"
        if any(int(step) < 1 for step in rule.get("INTERVAL", [])):
            return "RRULE: its INTERVAL must be 1 or more"
    if sum(prod(len(rule.get(part, ())) or 1 for part in _IN_A_DAY) for rule in _rules(event)) > OFTEN:
        return f"RRULE: it happens more than {OFTEN} times a day, by {', '.join(_IN_A_DAY)}"
    return ""


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _occurrences(number: int, label: str, events: list[Any]) -> list[Occurrence]:
    import icalendar  # noqa: PLC0415 - likewise
    import recurring_ical_events  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise; it ships no types

    one = icalendar.Calendar()
    for event in events:
        one.add_component(event)
    first, last = date(YEARS.start - 1, 12, 1), date(YEARS.stop, 1, 31)
    return [
        Occurrence(found["DTSTART"].dt, found["DTEND"].dt, number, label, found)
        for found in recurring_ical_events.of(one, skip_bad_series=False).between(first, last)
        if str(found.get("STATUS", "")).upper() != "CANCELLED"
    ]
