"""How a calendar is spelt in JSON: weekdays, `HH:MM` pairs, dates. Every fault is a sentence."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from maild.sla.wall import DAY, CalendarError, Pair

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS = ("tz", "always", "hours", "holidays", "breaks", "shifts")
TIME = re.compile(r"([0-9]{2}):([0-9]{2})", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
YEARLY = re.compile(r"[0-9]{2}-[0-9]{2}", re.ASCII)
LEAP_YEAR = 2000
"""A year in which every month and day exists, February 29 among them."""

Dated = tuple[tuple[str, tuple[Pair, ...]], ...]
_T = TypeVar("_T")


class Spelling(NamedTuple):
    """A calendar as read: the fields of `hours.Calendar`, in order."""

    tz: str
    weekly: tuple[tuple[Pair, ...], ...]
    holidays: frozenset[str]
    breaks: Dated
    shifts: Dated
    always: bool


def _like(word: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _object(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise CalendarError(f"{what} must be an object, not {value!r}")
    for key in value:
        if not isinstance(key, str):
            raise CalendarError(f"{what} has the key {key!r}, which is no text")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list | tuple):
        raise CalendarError(f"{what} must be a list, not {value!r}")
    return list(value)


def zone(name: object) -> ZoneInfo:
    """Give the zone of that IANA name; CalendarError where there is none."""
    if not isinstance(name, str):
        raise CalendarError(f"tz must be the name of a time zone, not {name!r}")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise CalendarError(f"{name!r} is no time zone; an IANA name such as 'Europe/Berlin' is wanted") from error


def time_of_day(text: object, *, closing: bool) -> int:
    """Read `HH:MM` as seconds from midnight; 24:00 may only be a closing time."""
    found = TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise CalendarError(f"{text!r} is no time of day; HH:MM is wanted")
    hour, minute = int(found[1]), int(found[2])
    seconds = hour * 3600 + minute * 60
    if minute > 59 or seconds > DAY or (seconds == DAY and not closing):
        raise CalendarError(f"{text!r} is no time of day; 00:00 to 23:59 are, and 24:00 as an end")
    return seconds


def pairs(value: object, what: str) -> tuple[Pair, ...]:
    """Read a list of [start, end) pairs; an end at or before its start lies on the next day."""
    out = []
    for item in _list(value, what):
        pair = _list(item, f"a span of {what}")
        if len(pair) != 2:
            raise CalendarError(f"a span of {what} must be two times of day, not {item!r}")
        start, end = time_of_day(pair[0], closing=False), time_of_day(pair[1], closing=True)
        out.append((start, end if end > start else end + DAY))
    return tuple(sorted(out))


def calendar_date(text: object, what: str) -> date:
    """Read `YYYY-MM-DD`."""
    if not isinstance(text, str) or DATE.fullmatch(text) is None:
        raise CalendarError(f"{text!r} in {what} is no date; YYYY-MM-DD is wanted")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CalendarError(f"{text!r} in {what} is a date that does not exist") from error


def yearly_date(text: str) -> tuple[int, int] | None:
    """Read `MM-DD`, the holiday of every year; None where the text is spelt otherwise."""
    if YEARLY.fullmatch(text) is None:
        return None
    on = calendar_date(f"{LEAP_YEAR}-{text}", "holidays")
    return on.month, on.day


def _holiday(value: object) -> str:
    if not isinstance(value, str):
        raise CalendarError(f"{value!r} in holidays is no date; YYYY-MM-DD or MM-DD is wanted")
    if yearly_date(value) is None:
        calendar_date(value, "holidays")
    return value


def _weekly(value: object) -> tuple[tuple[Pair, ...], ...]:
    hours = _object(value, "hours")
    for key in hours:
        if key not in WEEKDAYS:
            raise CalendarError(f"hours has no weekday {key!r}{_like(key, WEEKDAYS)}")
    return tuple(pairs(hours.get(day, ()), f"hours of {day}") for day in WEEKDAYS)


def _dated(what: str) -> Callable[[object], Dated]:
    def read(value: object) -> Dated:
        found = _object(value, what)
        return tuple((calendar_date(on, what).isoformat(), pairs(found[on], f"{what} of {on}")) for on in sorted(found))

    return read


def read(value: object) -> Spelling:
    """Read a calendar of the JSON shape `tz, always, hours, holidays, breaks, shifts`; CalendarError says what is wrong."""
    calendar = _object(value, "a calendar")
    for key in calendar:
        if key not in KEYS:
            raise CalendarError(f"a calendar has no key {key!r}{_like(key, KEYS)}")

    def part(key: str, reader: Callable[[object], _T], default: object) -> _T:
        return reader(calendar.get(key, default))

    always = calendar.get("always", False)
    if not isinstance(always, bool):
        raise CalendarError(f"always must be true or false, not {always!r}")
    spelling = Spelling(
        tz=part("tz", zone, "UTC").key,
        weekly=part("hours", _weekly, {}),
        holidays=frozenset(_holiday(each) for each in _list(calendar.get("holidays", ()), "holidays")),
        breaks=part("breaks", _dated("breaks"), {}),
        shifts=part("shifts", _dated("shifts"), {}),
        always=always,
    )
    if always:
        # 24/7 has no holidays: equal promises compare equal, whatever else was spelt out beside `always`.
        return Spelling(spelling.tz, ((),) * 7, frozenset(), (), (), always=True)
    return spelling
