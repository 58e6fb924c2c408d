"""Holidays out of a file in iCalendar."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from maild.config.country import YEARS
from maild.config.ics import occurrences, wall

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
    happens, faults = occurrences(octets)
    closed = Closed()
    for one in happens:
        _close(closed, wall(one.start, zone), wall(one.end, zone), one.summary)
    return closed, faults


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
