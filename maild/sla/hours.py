"""Business time: what a calendar says is open, and sums in it.

Open time is [open, close) in real seconds (R2): wall hours that do not exist are never open, doubled ones count twice.
A span over midnight belongs to the day it starts on, a shift beats a holiday, a holiday is a local date (R15), breaks
close whatever is open on the wall at that date and time. All instants are aware and come back in UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Self

from maild.sla.spelling import Dated, read, yearly_date, zone
from maild.sla.wall import DAY, EPOCH_DAY, MICRO, CalendarError, Pair, Timeline, Wall, merged

__all__ = [
    "ALWAYS",
    "Calendar",
    "CalendarError",
    "add",
    "add_micros",
    "between",
    "between_micros",
    "open_spans",
    "weekdays",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOSED_WEEK: tuple[tuple[Pair, ...], ...] = ((),) * 7


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a desk is open. Equal and hashable by content; `from_json` is the way to make one.

    `weekly` are seven tuples of [start, end) in wall seconds from midnight, Monday first (an end beyond 86400 crosses
    midnight). `holidays` are `YYYY-MM-DD`, or `MM-DD` for every year; `breaks` and `shifts` are (date, spans) sorted by
    date. `always` is 24/7, holidays or not. CalendarError where it never opens.
    """

    tz: str = "UTC"
    weekly: tuple[tuple[Pair, ...], ...] = CLOSED_WEEK
    holidays: frozenset[str] = frozenset()
    breaks: Dated = ()
    shifts: Dated = ()
    always: bool = False
    _timeline: Timeline | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if not self.always:
            object.__setattr__(self, "_timeline", Timeline(zone(self.tz), self._wall()))

    @classmethod
    def from_json(cls, obj: object) -> Self:
        """Read the JSON shape `tz, always, hours, holidays, breaks, shifts`; CalendarError says in a sentence what is wrong."""
        return cls(*read(obj))

    @property
    def recurs(self) -> bool:
        """Whether it opens again and again, for ever; a calendar of nothing but shift dates comes to an end."""
        return self.always or self._wall().recurs

    def holiday_on(self, day: date) -> bool:
        """Say whether that local date is closed because it is a holiday: open otherwise, and without a shift of its own."""
        text = day.isoformat()
        named = text in self.holidays or text[5:] in self.holidays
        return named and bool(self.weekly[day.weekday()]) and all(on != text for on, _ in self.shifts)

    def breaks_on(self, day: date) -> tuple[Pair, ...]:
        """Give the breaks that begin on that local date, in order, in wall seconds from its midnight."""
        return next((spans for on, spans in self.breaks if on == day.isoformat()), ())

    def _wall(self) -> Wall:
        yearly = {each: yearly_date(each) for each in self.holidays}
        closed: list[Pair] = []
        for on, spans in self.breaks:
            midnight = (date.fromisoformat(on).toordinal() - EPOCH_DAY) * DAY
            closed.extend((midnight + start, midnight + end) for start, end in spans)
        return Wall(
            self.weekly,
            frozenset(date.fromisoformat(each).toordinal() for each, day in yearly.items() if day is None),
            frozenset(day for day in yearly.values() if day is not None),
            {date.fromisoformat(on).toordinal(): spans for on, spans in self.shifts},
            tuple(merged(closed)),
        )


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; an instant is wanted")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise CalendarError(f"{instant.isoformat()} lies outside the years 1 to 9999") from error


def _micros(instant: datetime) -> int:
    delta = instant - EPOCH
    return (delta.days * DAY + delta.seconds) * MICRO + delta.microseconds


def _instant(micros: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError as error:
        raise CalendarError("this lies beyond the year 9999") from error


def add_micros(calendar: Calendar, start: datetime, micros: int) -> datetime:
    """Do as `add`, in microseconds of open time."""
    if micros < 0:
        raise ValueError("open time to add must not be negative")
    start = _utc(start)
    since = _micros(start)
    # Open time is never longer than real time, so what real time cannot reach needs no walk to the year 9999.
    latest = _instant(since + micros)
    if calendar._timeline is None:  # noqa: SLF001 - the calendar's own arithmetic
        return latest
    return _instant(calendar._timeline.reach(start.year, since, micros))  # noqa: SLF001 - likewise


def add(calendar: Calendar, start: datetime, seconds: int) -> datetime:
    """Give the instant (UTC) at which `seconds` of open time have passed since `start`.

    A sum that ends exactly at closing is the closing instant; 0 seconds from closed time is the next opening.
    ValueError for a naive instant or negative seconds; CalendarError where there is not that much open time left.
    """
    return add_micros(calendar, start, seconds * MICRO)


def between_micros(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Do as `between`, in microseconds."""
    start, end = _utc(start), _utc(end)
    if end <= start:
        return 0
    since, until = _micros(start), _micros(end)
    if calendar._timeline is None:  # noqa: SLF001 - the calendar's own arithmetic
        return until - since
    return calendar._timeline.before((start.year, end.year), since, until)  # noqa: SLF001 - likewise


def between(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Give the whole seconds of open time in [start, end); 0 where the end is before the start."""
    return between_micros(calendar, start, end) // MICRO


def open_spans(calendar: Calendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the open spans of [start, end) in order of time, as (UTC start, UTC end)."""
    start, end = _utc(start), _utc(end)
    if calendar._timeline is None:  # noqa: SLF001 - the calendar's own arithmetic
        if start < end:
            yield start, end
        return
    years = (start.year, end.year)
    for since, until in calendar._timeline.spans(years, _micros(start), _micros(end)):  # noqa: SLF001 - likewise
        yield _instant(since), _instant(until)


ALWAYS = Calendar(always=True)
"""24/7."""


def weekdays(tz: str, holidays: Iterable[str] = ()) -> Calendar:
    """Monday to Friday, 00:00 to 24:00 on the wall of that zone, but for the holidays (`YYYY-MM-DD` or `MM-DD`)."""
    day = [["00:00", "24:00"]]
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), day)
    return Calendar.from_json({"tz": tz, "hours": hours, "holidays": list(holidays)})
