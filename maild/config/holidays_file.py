"""Holidays out of a file in iCalendar (RFC 5545): every fault names its event."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from maild.config.country import YEARS

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
LONGEST = timedelta(days=366)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Closed:
    """What a file closes, on the wall of a calendar's zone.

    `days` are whole dates (YYYY-MM-DD) with the names of their events; `hours` are spans (HH:MM, HH:MM) of single dates.
    """

    days: dict[str, list[str]] = field(default_factory=dict)
    hours: dict[str, list[list[str]]] = field(default_factory=dict)


def closed_by(octets: bytes, zone: ZoneInfo) -> tuple[Closed, list[str]]:
    """Read what the events of a file close in 2020 to 2040, and a line for each event that cannot be read.

    An event over whole dates makes holidays; one with times closes these hours, and a time without a zone is one of `zone`.
    What is cancelled closes nothing. ValueError where the file as a whole is no calendar.
    """
    import icalendar  # noqa: PLC0415 - it takes a while, and few calendars ask for it

    try:
        found = icalendar.Calendar.from_ical(octets, multiple=True)
    except (ValueError, IndexError) as error:
        raise ValueError(f"is no iCalendar: {error}") from error
    events = [event for one in found for event in one.walk("VEVENT")]
    if not any(one.name == "VCALENDAR" for one in found):
        raise ValueError("is no iCalendar, or only a part of one: it goes from BEGIN:VCALENDAR to END:VCALENDAR")
    closed, faults = Closed(), []
    # An event and what stands for single ones of its repetitions have one UID, and only together they make sense.
    series: dict[str, list[Any]] = {}
    for number, event in enumerate(events, 1):
        fault = _fault(event)
        if fault:
            faults.append(f"{_name(number, event)}: {fault}")
        elif str(event.get("STATUS", "")).upper() != "CANCELLED" or "RECURRENCE-ID" in event:
            series.setdefault(str(event.get("UID", f"number {number}")), []).append((number, event))
    for members in series.values():
        number, first = members[0]
        try:
            for start, end, name in _occurrences([event for _, event in members]):
                _close(closed, _wall(start, zone), _wall(end, zone), name)
        except Exception as error:  # noqa: BLE001 - the edge: whatever the library makes of an event, the operator is told which
            faults.append(f"{_name(number, first)}: its repetition cannot be worked out: {error}")
    return closed, faults


def _name(number: int, event: Any) -> str:
    words = [str(event[key]) for key in ("SUMMARY", "UID") if key in event]
    return f"event {number} ({', '.join(words)})" if words else f"event {number}"


def _fault(event: Any) -> str:
    """Say what is wrong with an event; "" for nothing."""
    if event.errors:
        return "; ".join(f"{key} is not understood: {words}" for key, words in event.errors)
    if "DTSTART" not in event:
        return "it has no DTSTART"
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
    return ""


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _occurrences(events: list[Any]) -> Iterator[tuple[date, date, str]]:
    import icalendar  # noqa: PLC0415 - likewise
    import recurring_ical_events  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise; it ships no types

    one = icalendar.Calendar()
    for event in events:
        one.add_component(event)
    first, last = date(YEARS.start - 1, 12, 1), date(YEARS.stop, 1, 31)
    for found in recurring_ical_events.of(one, skip_bad_series=False).between(first, last):
        if str(found.get("STATUS", "")).upper() != "CANCELLED":
            yield found["DTSTART"].dt, found["DTEND"].dt, " ".join(str(found.get("SUMMARY", "")).split())


def _wall(instant: date, zone: ZoneInfo) -> datetime:
    """Give a date's midnight, or a time as the zone's wall shows it, without a zone."""
    if not isinstance(instant, datetime):
        return datetime.combine(instant, time())
    return instant if instant.tzinfo is None else instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None)


def _close(closed: Closed, start: datetime, end: datetime, name: str) -> None:
    day = start.date()
    while datetime.combine(day, time()) < end:
        midnight = datetime.combine(day, time())
        opens, closes = max(start, midnight) - midnight, min(end, midnight + _DAY) - midnight
        if day.year not in YEARS:
            pass
        elif closes - opens == _DAY:
            closed.days.setdefault(day.isoformat(), []).append(name)
        elif closes > opens:
            span = [_clock(opens // _MINUTE), _clock(-(-closes // _MINUTE))]
            closed.hours.setdefault(day.isoformat(), []).append(span)
        day += timedelta(days=1)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
