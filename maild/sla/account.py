"""The account of a clock: which stretches of real time it counted, and why it did not count the others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from maild.sla.clock import Clock
from maild.sla.hours import Calendar, open_spans
from maild.ticket import State

COUNTED = "counted"
CLOSED = "closed"
HOLIDAY = "holiday"
BREAK = "break"

_SECOND = timedelta(seconds=1)
_RESTS = {
    State.PENDING: "it waited on the customer",
    State.RESOLVED: "it was resolved",
    State.CLOSED: "it was closed",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """[start, end) in UTC. `what` is counted, closed, holiday or break, or the state of the ticket in which the clock rested."""

    start: datetime
    end: datetime
    what: str
    counted_seconds: int
    because: str


def account(
    clock: Clock, calendar: Calendar, names: Mapping[str, str], state_at: Callable[[datetime], State], now: datetime
) -> Iterator[Entry]:
    """Give a clock's life in order of time: as far as it has stopped, else to its limit as it runs now.

    One that rests goes on to `now`. Open seconds are whole, and their sum is that of the time itself. `names` are those of
    holidays, by date (YYYY-MM-DD). `state_at` says where the ticket stood from an instant on.
    """
    ran = timedelta()
    for entry in _life(clock, calendar, names, state_at, now):
        if entry.what != COUNTED:
            yield entry
            continue
        # Whole seconds of the sum so far, so that all lines together are what the clock shows.
        before, ran = ran, ran + (entry.end - entry.start)
        yield replace(entry, counted_seconds=ran // _SECOND - before // _SECOND)


def _life(
    clock: Clock, calendar: Calendar, names: Mapping[str, str], state_at: Callable[[datetime], State], now: datetime
) -> Iterator[Entry]:
    rested: datetime | None = None
    for start, end in clock.spans:
        if rested is not None and rested < start:
            yield _rest(rested, start, state_at)
        until = end or max(start, clock.limit_at or now)
        yield from _joined(_running(calendar, names, start, until))
        rested = end
    if clock.paused and rested is not None and rested < now:
        yield _rest(rested, now, state_at)


def _rest(start: datetime, end: datetime, state_at: Callable[[datetime], State]) -> Entry:
    state = state_at(start)
    return Entry(start, end, str(state), 0, _RESTS.get(state, "it did not run"))


def _running(calendar: Calendar, names: Mapping[str, str], start: datetime, end: datetime) -> Iterator[Entry]:
    reached = start
    for opened, closed in open_spans(calendar, start, end):
        yield from _shut(calendar, names, reached, opened)
        yield Entry(opened, closed, COUNTED, 0, "")
        reached = closed
    yield from _shut(calendar, names, reached, end)


def _shut(calendar: Calendar, names: Mapping[str, str], start: datetime, end: datetime) -> Iterator[Entry]:
    """Say, date by date on the wall, why the calendar is closed in [start, end)."""
    zone = ZoneInfo(calendar.tz)
    reached = start
    while reached < end:
        day = reached.astimezone(zone).date()
        # A midnight that is doubled ends the date twice.
        ends = (_instant(day, 86_400, zone, fold) for fold in (0, 1))
        until = next((at for at in ends if reached < at < end), end)
        if calendar.holiday_on(day):
            yield Entry(reached, until, HOLIDAY, 0, names.get(day.isoformat(), ""))
        else:
            yield from _hours(calendar, day, zone, reached, until)
        reached = until


def _hours(calendar: Calendar, day: date, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Entry]:
    reached = start
    for since, until in calendar.breaks_on(day):
        low, high = max(_instant(day, since, zone), reached), min(_instant(day, until, zone), end)
        if low < high:
            if reached < low:
                yield Entry(reached, low, CLOSED, 0, "")
            yield Entry(low, high, BREAK, 0, "")
            reached = high
    if reached < end:
        yield Entry(reached, end, CLOSED, 0, "")


def _instant(day: date, second: int, zone: ZoneInfo, fold: int = 0) -> datetime:
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=second)
    return wall.replace(fold=fold).astimezone(UTC)


def _joined(entries: Iterator[Entry]) -> Iterator[Entry]:
    held: Entry | None = None
    for entry in entries:
        if held is not None and (held.what, held.because) == (entry.what, entry.because) and held.end == entry.start:
            held = replace(held, end=entry.end)
            continue
        if held is not None:
            yield held
        held = entry
    if held is not None:
        yield held
