"""Whose turn it is: a rota is a list that goes round, or the duties out of a calendar file."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from maild.sla.wall import DAY

AHEAD = timedelta(days=366)
"""How far the duties of a file are looked ahead for who follows."""

_LONGEST = timedelta(days=367)
"""No event of a file lasts longer; a day more, since a wall may be moved."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Agents who take turns of `every` seconds, one after the other and round again.

    The first turn begins at `start`, a time without a zone on the wall of `zone`; each lasts so long on that wall, so that
    the handover stays at its hour when the clocks are changed. One that falls into an hour which the wall leaves out is
    an hour later on it, one in a doubled hour is at the first of the two.
    """

    agents: tuple[str, ...]
    start: datetime
    every: int
    zone: str

    def handover(self, number: int) -> datetime:
        """Give when a turn begins (UTC), counted from 0."""
        wall = self.start + number * timedelta(seconds=self.every)
        return wall.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def turn_at(self, at: datetime) -> int | None:
        """Give the number of the turn at an instant; None before the first."""
        if at < self.handover(0):
            return None
        wall = at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        # The wall may have been set back since: then a turn has begun that it seems to have before it.
        number = (wall - self.start) // timedelta(seconds=self.every) + DAY // self.every + 1
        while self.handover(number) > at:
            number -= 1
        return number


@dataclass(frozen=True, slots=True)
class Shift:
    """One duty of an agent, from `start` to before `end` (UTC)."""

    start: datetime
    end: datetime
    agent: str


@dataclass(frozen=True, slots=True)
class Shifts:
    """The duties of a file, in order of their start, and those of one start in the order of the file."""

    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Rota:
    """A rota by its name."""

    name: str
    duties: Turns | Shifts

    @property
    def agents(self) -> tuple[str, ...]:
        """The ids of all who are in it, each once."""
        if isinstance(self.duties, Turns):
            return tuple(dict.fromkeys(self.duties.agents))
        return tuple(dict.fromkeys(shift.agent for shift in self.duties.shifts))


def on_duty(rota: Rota, at: datetime) -> tuple[str, ...]:
    """Give the ids of whoever has duty at `at`, and then of those who follow, in order, each once; () in a gap.

    Where duties of a file overlap, the one that began first comes first, then the one that stands first in the file.
    Who follows within a year is looked for there.
    """
    if isinstance(rota.duties, Turns):
        turn = rota.duties.turn_at(at)
        if turn is None:
            return ()
        agents = rota.duties.agents
        first = turn % len(agents)
        return tuple(dict.fromkeys((*agents[first:], *agents[:first])))
    shifts = rota.duties.shifts
    since = bisect_left(shifts, at - _LONGEST, key=_start)
    now = bisect_right(shifts, at, key=_start)
    running = [shift.agent for shift in shifts[since:now] if at < shift.end]
    if not running:
        return ()
    later = bisect_right(shifts, at + AHEAD, key=_start)
    return tuple(dict.fromkeys((*running, *(shift.agent for shift in shifts[now:later]))))


def handovers(rota: Rota, since: datetime, until: datetime) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    """Give the instants (UTC) after `since` and up to `until` at which another one is on duty, or nobody any more.

    With each, those on duty from then on, as `on_duty` gives them.
    """
    before = on_duty(rota, since)[:1]
    for at in _changes(rota, since, until):
        after = on_duty(rota, at)
        if after[:1] != before:
            yield at, after
        before = after[:1]


def first_gap(rota: Rota, since: datetime, until: datetime) -> tuple[datetime, datetime | None] | None:
    """Give the first time from `since` up to `until` in which nobody is on duty: its start, and its end.

    The end is None where it lies after `until`; None alone where there is no gap.
    """
    start: datetime | None = since
    if on_duty(rota, since):
        start = next((at for at, who in handovers(rota, since, until) if not who), None)
    if start is None:
        return None
    return start, next((at for at, who in handovers(rota, start, until) if who), None)


def _changes(rota: Rota, since: datetime, until: datetime) -> Iterator[datetime]:
    if isinstance(rota.duties, Turns):
        turn = rota.duties.turn_at(since)
        number = 0 if turn is None else turn + 1
        # One agent alone is never relieved.
        last = 0 if len(rota.agents) == 1 else None
        while (last is None or number <= last) and (at := rota.duties.handover(number)) <= until:
            yield at
            number += 1
        return
    ends = {end for shift in rota.duties.shifts for end in (shift.start, shift.end)}
    yield from sorted(at for at in ends if since < at <= until)


def _start(shift: Shift) -> datetime:
    return shift.start
