"""Wall hours into instants: the open spans of one UTC year, and the arithmetic over them.

The open time of a calendar is the set of instants whose local wall time lies in one of its wall spans. So wall hours
that do not exist are never open, and doubled ones count twice. Microseconds since 1970 in UTC throughout; integers only.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Pair = tuple[int, int]
"""[start, end) in seconds."""

DAY = 86_400
MICRO = 1_000_000
EPOCH_DAY = date(1970, 1, 1).toordinal()
NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - ZoneInfo.fromutc wants the UTC wall without a zone, then its own
FIRST_YEAR, LAST_YEAR = date.min.year, date.max.year
KEPT_YEARS = 64
"""Tables a calendar keeps at once; a walk over centuries must not fill the memory."""


class CalendarError(ValueError):
    """A calendar that says nothing sensible, or is asked for open time that it does not have."""


def rfc3339(instant: datetime) -> str:
    """Write an instant as RFC 3339 has it: in UTC, with Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def merged(spans: Iterable[Pair]) -> list[Pair]:
    """Sort spans and join those that overlap or touch."""
    out: list[Pair] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def without(spans: Iterable[Pair], closed: Sequence[Pair]) -> Iterator[Pair]:
    """Cut the closed spans out of the others."""
    for start, end in spans:
        opening = start
        for shut, reopen in closed:
            if reopen <= opening or shut >= end:
                continue
            if shut > opening:
                yield opening, shut
            opening = reopen
        if opening < end:
            yield opening, end


def first_second(year: int) -> int:
    """Seconds from 1970 to the start of a year, UTC; `year` may be one past the last that a date can have."""
    if year > LAST_YEAR:
        return (date.max.toordinal() + 1 - EPOCH_DAY) * DAY
    return (date(year, 1, 1).toordinal() - EPOCH_DAY) * DAY


def offset_at(zone: ZoneInfo, second: int) -> int:
    """Seconds that the zone is ahead of UTC at an instant."""
    # The wall of the very first and last day may lie outside what datetime can say; its neighbour's offset is the same.
    inside = min(max(second, first_second(FIRST_YEAR) + DAY), first_second(LAST_YEAR + 1) - 2 * DAY)
    wall = NAIVE_EPOCH + timedelta(seconds=inside)
    return int((zone.fromutc(wall.replace(tzinfo=zone)).replace(tzinfo=None) - wall).total_seconds())


def offsets(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut [start, end) at the zone's changes: (from, to, seconds ahead of UTC). No zone changes twice in one day."""
    since, offset = start, offset_at(zone, start)
    for day in range(start, end, DAY):
        following = offset_at(zone, day + DAY)
        if following == offset:
            continue
        low, high = day, day + DAY
        while high - low > 1:
            middle = (low + high) // 2
            if offset_at(zone, middle) == offset:
                low = middle
            else:
                high = middle
        if high < end:
            yield since, high, offset
            since, offset = high, following
    yield since, end, offset


@dataclass(frozen=True, slots=True)
class Table:
    """The open spans that lie in one UTC year; `through[i]` is the open time from New Year to `ends[i]`."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    through: tuple[int, ...]

    @property
    def total(self) -> int:
        """Open time of the whole year."""
        return self.through[-1] if self.through else 0

    def before(self, instant: int) -> int:
        """Open time from New Year to an instant."""
        i = bisect_right(self.ends, instant)
        if i == len(self.ends):
            return self.total
        return self.through[i] - self.ends[i] + max(instant, self.starts[i])


def tabulate(spans: Iterable[Pair]) -> Table:
    """Build a table of spans given in seconds, in order of time."""
    starts, ends, through = [], [], []
    total = 0
    for start, end in merged(spans):
        starts.append(start * MICRO)
        ends.append(end * MICRO)
        total += (end - start) * MICRO
        through.append(total)
    return Table(tuple(starts), tuple(ends), tuple(through))


@dataclass(frozen=True, slots=True)
class Wall:
    """What is open on the wall clock of a zone. `weekly` has seven entries, Monday first, in seconds from midnight.

    `dates` are holidays as date ordinals, `yearly` those of every year as (month, day); `shifts` are the hours of one
    date and beat both; `closed` are the breaks, merged, in wall seconds since 1970.
    """

    weekly: tuple[tuple[Pair, ...], ...]
    dates: frozenset[int]
    yearly: frozenset[tuple[int, int]]
    shifts: dict[int, tuple[Pair, ...]]
    closed: tuple[Pair, ...]

    @property
    def recurs(self) -> bool:
        """Whether it opens again and again, for ever: some weekday is open and not every date is a holiday."""
        return any(self.weekly) and len(self.yearly) < 366

    def _hours(self, day: int) -> tuple[Pair, ...]:
        if day in self.shifts:
            return self.shifts[day]
        if day in self.dates:
            return ()
        weekday = self.weekly[(day - 1) % 7]
        if weekday and self.yearly:
            on = date.fromordinal(day)
            return () if (on.month, on.day) in self.yearly else weekday
        return weekday

    def spans(self, first: int, last: int) -> list[Pair]:
        """Wall spans of the days with the ordinals first..last, in wall seconds since 1970; a span over midnight whole."""
        found: list[Pair] = []
        for day in range(max(first, 1), min(last, date.max.toordinal()) + 1):
            midnight = (day - EPOCH_DAY) * DAY
            found.extend((midnight + start, midnight + end) for start, end in self._hours(day))
        return list(without(merged(found), self.closed))


class Timeline:
    """The open time of one calendar; tables are made when a year is first asked for."""

    def __init__(self, zone: ZoneInfo, wall: Wall) -> None:
        self._zone = zone
        self._wall = wall
        self._tables: dict[int, Table] = {}
        near = {date.fromordinal(day).year + step for day in wall.shifts for step in (-1, 0, 1)}
        self._only = None if wall.recurs else frozenset(near)
        if self._only is not None and not any(self._table(year).total for year in self._only):
            raise CalendarError("this calendar never opens: it has no hours on any weekday and on no shift date")

    def _table(self, year: int) -> Table:
        table = self._tables.get(year)
        if table is None:
            if len(self._tables) >= KEPT_YEARS:
                self._tables.clear()
            table = self._tables[year] = self._make(year)
        return table

    def _make(self, year: int) -> Table:
        if not FIRST_YEAR <= year <= LAST_YEAR or (self._only is not None and year not in self._only):
            return tabulate(())
        start, end = first_second(year), first_second(year + 1)
        # A span may end two midnights after its day began, and a wall be a day off UTC: three days before, one after.
        walls = self._wall.spans(start // DAY + EPOCH_DAY - 3, end // DAY + EPOCH_DAY + 1)
        found: list[Pair] = []
        for since, until, offset in offsets(self._zone, start, end):
            for opening, closing in walls:
                low, high = max(opening - offset, since), min(closing - offset, until)
                if low < high:
                    found.append((low, high))
        return tabulate(found)

    def reach(self, year: int, start: int, micros: int) -> int:
        """Give the instant at which that much open time has passed since `start`, which lies in that UTC year."""
        need = micros
        for each in range(year, (max(self._only) if self._only else LAST_YEAR) + 1):
            table = self._table(each)
            i = bisect_right(table.ends, start)
            if i == len(table.ends):
                continue
            goal = table.before(max(start, table.starts[i])) + need
            if goal <= table.total:
                # Not before span i: no open time at all from closed time is the next opening, not the last closing.
                j = bisect_left(table.through, goal, i)
                return table.ends[j] - (table.through[j] - goal)
            need = goal - table.total
        if self._only is not None:
            raise CalendarError("this calendar has too little open time left: its last shift date is over")
        raise CalendarError("this lies beyond the year 9999")

    def before(self, years: Pair, start: int, end: int) -> int:
        """Open time of [start, end), which lie in those two UTC years."""
        first, last = years
        total = -self._table(first).before(start)
        for year in range(first, last):
            total += self._table(year).total
        return total + self._table(last).before(end)

    def spans(self, years: Pair, start: int, end: int) -> Iterator[Pair]:
        """Give the open spans of [start, end) in order, joined where one crosses New Year."""
        held: Pair | None = None
        for year in range(years[0], years[1] + 1):
            table = self._table(year)
            for i in range(bisect_right(table.ends, start), len(table.ends)):
                low, high = max(start, table.starts[i]), min(end, table.ends[i])
                if low >= high:
                    break
                if held is not None and held[1] == low:
                    held = (held[0], high)
                    continue
                if held is not None:
                    yield held
                held = (low, high)
        if held is not None:
            yield held
