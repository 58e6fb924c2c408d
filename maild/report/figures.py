"""The figures of a report: what was met and missed, how soon customers were answered, and when they write.

A promise counts in the week in which it was judged: when it was kept, or at its breach. So the figures of a week that is
over stay as they are. Clocks that still run, and those that a merge ended, count nowhere.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import TypeVar
from zoneinfo import ZoneInfo

from maild.mail import Address
from maild.sla.clock import Clock, ClockState
from maild.sla.policy import Metric
from maild.threading.providers import PUBLIC
from maild.ticket import Severity, Ticket

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

BUCKETS = (15 * 60, 30 * 60, 3600, 4 * 3600, 8 * 3600, 12 * 3600, 24 * 3600)
"""Upper bounds, inclusive, of the stretches that first responses are counted in, in open seconds; one more is beyond."""

ENOUGH_FOR_MEDIAN = 5
ENOUGH_FOR_NINETY = 10
"""Answers below which a median, or a 90th percentile, would say more than is known."""


@dataclass(frozen=True, slots=True)
class Life:
    """A ticket with its clocks as they stand recorded. `customer` is a name for whose it is."""

    ticket: Ticket
    customer: str
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """A person set another severity than the ticket had. `at` is aware UTC."""

    ticket: int
    at: datetime
    actor: str
    before: Severity
    after: Severity


@dataclass(frozen=True, slots=True)
class Tally:
    """How many promises were met and how many missed."""

    met: int
    missed: int

    @property
    def judged(self) -> int:
        """How many there are."""
        return self.met + self.missed


@dataclass(frozen=True, slots=True)
class Promised:
    """The tally of one metric and severity in one week, which `week` names by its Monday in the desk's zone."""

    metric: Metric
    severity: Severity
    week: date
    tally: Tally


@dataclass(frozen=True, slots=True)
class Answers:
    """First responses that were given to tickets of one severity, in open seconds of the clock's own calendar.

    `median` and `ninety` (the 90th percentile, nearest rank) are None where there are too few. `spread` counts them by
    `BUCKETS`. `waiting` are tickets of the period that have none yet.
    """

    severity: Severity
    count: int
    median: int | None
    ninety: int | None
    longest: int | None
    spread: tuple[int, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """What one customer wrote and what he was promised, all metrics together."""

    name: str
    opened: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of [since, until), two instants; days and hours are those of `zone` (IANA name).

    `opened` counts new tickets by severity. `hours` counts them by hour of the week: seven rows from Monday on, of 24.
    """

    since: datetime
    until: datetime
    zone: str
    opened: Mapping[Severity, int]
    promised: tuple[Promised, ...]
    answers: tuple[Answers, ...]
    customers: tuple[CustomerFigures, ...]
    hours: tuple[tuple[int, ...], ...]
    corrections: tuple[Correction, ...]


def customer_name(requester: Address, known: str) -> str:
    """Name whose a ticket is: as the configuration calls him, else his domain, or his address at a public provider."""
    return known or (requester.key if requester.domain in PUBLIC else requester.domain) or requester.key or "unknown"


def judged_at(clock: Clock) -> datetime | None:
    """Give when a promise was met or missed; None while neither, and where a merge ended it."""
    if clock.state is ClockState.ENDED:
        return None
    return clock.breached_at or clock.stopped_at


def week_of(at: datetime, zone: ZoneInfo) -> date:
    """Give the Monday of the week that an instant lies in."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def tally_of(clocks: Iterable[Clock]) -> Tally:
    """Count judged clocks."""
    missed = Counter(clock.breached_at is not None for clock in clocks)
    return Tally(missed[False], missed[True])


def report(
    lives: Sequence[Life], corrections: Iterable[Correction], since: datetime, until: datetime, zone: str
) -> Report:
    """Work out the figures of [since, until) from the tickets that anything happened to in that time."""
    local = ZoneInfo(zone)
    own = [life for life in lives if life.ticket.merged_into is None]
    opened = [life for life in own if since <= life.ticket.opened_at < until]
    judged = [
        (life, clock, at)
        for life in lives
        for clock in life.clocks
        if (at := judged_at(clock)) is not None and since <= at < until
    ]
    hours = Counter((at.weekday(), at.hour) for at in (life.ticket.opened_at.astimezone(local) for life in opened))
    by_week = _grouped(judged, lambda one: (one[1].metric, one[0].ticket.severity, week_of(one[2], local)))
    of_severity = _grouped(lives, lambda life: life.ticket.severity)
    new = _grouped(opened, lambda life: life.ticket.severity)
    return Report(
        since=since,
        until=until,
        zone=zone,
        opened={severity: len(new.get(severity, ())) for severity in Severity},
        promised=tuple(
            Promised(metric, severity, week, tally_of(clock for _, clock, _ in by_week[metric, severity, week]))
            for metric, severity, week in sorted(
                by_week, key=lambda key: (key[2], list(Metric).index(key[0]), key[1].rank)
            )
        ),
        answers=tuple(
            _answers(severity, of_severity.get(severity, ()), new.get(severity, ()), since, until)
            for severity in Severity
        ),
        customers=_customers(opened, judged),
        hours=tuple(tuple(hours[day, hour] for hour in range(24)) for day in range(7)),
        corrections=tuple(
            sorted((one for one in corrections if since <= one.at < until), key=lambda one: (one.at, one.ticket))
        ),
    )


def together(promised: Iterable[Promised], key: Callable[[Promised], K]) -> dict[K, Tally]:
    """Add up tallies by a key, in the order in which the keys first come."""
    return {
        name: Tally(sum(one.tally.met for one in some), sum(one.tally.missed for one in some))
        for name, some in _grouped(promised, key).items()
    }


def _grouped(values: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = {}
    for value in values:
        found.setdefault(key(value), []).append(value)
    return found


def _firsts(lives: Iterable[Life]) -> Iterator[Clock]:
    for life in lives:
        for clock in life.clocks:
            if clock.metric is Metric.FIRST_RESPONSE and clock.state is not ClockState.ENDED:
                yield clock


def _answers(
    severity: Severity, lives: Iterable[Life], opened: Iterable[Life], since: datetime, until: datetime
) -> Answers:
    taken = sorted(
        clock.elapsed_seconds
        for clock in _firsts(lives)
        if clock.elapsed_seconds is not None and clock.stopped_at is not None and since <= clock.stopped_at < until
    )
    waiting = sum(clock.stopped_at is None or clock.stopped_at >= until for clock in _firsts(opened))
    spread = Counter(next((at for at, most in enumerate(BUCKETS) if one <= most), len(BUCKETS)) for one in taken)
    return Answers(
        severity,
        len(taken),
        _rank(taken, 50) if len(taken) >= ENOUGH_FOR_MEDIAN else None,
        _rank(taken, 90) if len(taken) >= ENOUGH_FOR_NINETY else None,
        taken[-1] if taken else None,
        tuple(spread[at] for at in range(len(BUCKETS) + 1)),
        waiting,
    )


def _rank(ordered: Sequence[int], percent: int) -> int:
    """Give a percentile by nearest rank: a value that was really seen."""
    return ordered[ceil(len(ordered) * percent / 100) - 1]


def _customers(opened: Iterable[Life], judged: Iterable[tuple[Life, Clock, datetime]]) -> tuple[CustomerFigures, ...]:
    wrote = Counter(life.customer for life in opened)
    clocks = _grouped(judged, lambda one: one[0].customer)
    found = [
        CustomerFigures(name, wrote[name], tally_of(clock for _, clock, _ in clocks.get(name, ())))
        for name in {*wrote, *clocks}
    ]
    return tuple(sorted(found, key=lambda one: (-one.tally.missed, -one.opened, one.name)))
