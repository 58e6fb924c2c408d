"""One clock while a ticket's events are folded: it runs, rests, stops, ends, and is judged."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from maild.sla.clock import Clock, ClockState, due
from maild.sla.hours import between, between_micros
from maild.sla.policy import Metric, Promise
from maild.sla.wall import MICRO
from maild.ticket import State

Span = tuple[datetime, datetime | None]
"""From when to when; None while it goes on."""

RESTING = frozenset({State.RESOLVED, State.CLOSED})


def limits_of(promise: Promise, metric: Metric) -> tuple[int, int] | None:
    """Give target and limit of that metric; None where it is not promised at all."""
    return {
        Metric.FIRST_RESPONSE: promise.first_response,
        Metric.RESOLUTION: promise.resolution,
        Metric.NEXT_RESPONSE: promise.next_response,
    }[metric]


@dataclass(slots=True)
class Tape:
    """A clock while it is being folded."""

    metric: Metric
    cycle: int
    promise: Promise
    limits: tuple[int, int]
    spans: list[Span]
    pauses: list[Span] = field(default_factory=list)
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    by_reclassification: bool = False
    ended: bool = False

    def missed(self, now: datetime) -> datetime | None:
        """Give the limit if it passed before `now`; a reply at the limit's very instant is in time (R4)."""
        limit = due(self.promise.calendar, tuple(self.spans), self.limits[1])
        paused_at = self.spans[-1][1]
        until = now if paused_at is None else min(now, paused_at)
        return limit if limit is not None and limit < until else None

    def judge(self, now: datetime) -> None:
        """Record the breach at the limit's own instant, once."""
        if self.breached_at is None and self.stopped_at is None:
            self.breached_at = self.missed(now)

    def reclassify(self, promise: Promise, at: datetime) -> None:
        """Judge by new limits from the start on; one that has passed already is a breach of this moment (R5)."""
        limits = limits_of(promise, self.metric)
        # A severity without a next response says nothing of a clock that runs already: what was promised stays promised.
        if self.stopped_at is not None or promise == self.promise or limits is None:
            return
        self.promise, self.limits = promise, limits
        if self.breached_at is None and self.missed(at) is not None:
            self.breached_at, self.by_reclassification = at, True

    def halt(self, at: datetime) -> None:
        """End the running span, if one runs."""
        start, end = self.spans[-1]
        if end is None:
            self.spans[-1] = (start, at)

    def stop(self, at: datetime) -> None:
        """Answer or resolve it."""
        self.halt(at)
        self.stopped_at = at

    def end(self, at: datetime) -> None:
        """End it without an answer: its ticket went into another one."""
        if self.stopped_at is None:
            self.stop(at)
            self.ended = True

    def join(self, other: "Tape", at: datetime) -> None:
        """Take in the clock of a ticket that goes into this one (R13): the earliest start, and what either ran, once.

        A reply that counts answers both. What was promised until then is judged as it was promised: each at its start.
        """
        late = other.breached_at
        stops = [stop for stop in (self.stopped_at, other.stopped_at) if stop is not None]
        if self.metric is Metric.RESOLUTION:
            running = any(end is None for _, end in (*self.spans, *other.spans))
            pausing = not running and any(end is None for _, end in (*self.pauses, *other.pauses))
            self.spans = union((*self.spans, *other.spans), at, open_ended=running)
            rests = union((*self.pauses, *other.pauses), at, open_ended=False)
            self.pauses = without(rests, self.spans, at, open_ended=pausing)
            self.stopped_at = None if running or pausing else max(stops)
        else:
            self.stopped_at = min(stops, default=None)
            self.spans = [(min(self.spans[0][0], other.spans[0][0]), self.stopped_at)]
            late = None if late and self.stopped_at and self.stopped_at <= late else late
        self.breached_at = self.breached_at or late
        if self.stopped_at is not None and other.limits[1] > self.limits[1]:
            self.promise, self.limits = other.promise, other.limits

    def rejudge(self, promise: Promise, at: datetime) -> None:
        """Judge by what it is since a ticket was merged into its own: too late by that is a breach of this moment."""
        self.reclassify(promise, at)
        if self.stopped_at is None and self.breached_at is None and self.missed(at) is not None:
            self.breached_at, self.by_reclassification = at, True

    def follow(self, before: State, after: State, promise: Promise, at: datetime) -> None:
        """Do what a change of the ticket's state does to a resolution clock (R10, R11)."""
        if before is State.PENDING:
            self.pauses[-1] = (self.pauses[-1][0], at)
        if after is State.PENDING:
            self.halt(at)
            self.pauses.append((at, None))
        elif after in RESTING:
            if before not in RESTING:
                self.stop(at)
        elif before is State.PENDING or before in RESTING:
            self.stopped_at = None
            self.spans.append((at, None))
            self.reclassify(promise, at)

    def clock(self, now: datetime, recorded: datetime | None) -> Clock:
        """Give the finished value; a breach on record stays, whatever the fold makes of it (R5, R16)."""
        calendar = self.promise.calendar
        target, limit = self.limits
        breached_at = recorded or self.breached_at
        paused = self.stopped_at is None and self.spans[-1][1] is not None
        clock = Clock(
            metric=self.metric,
            cycle=self.cycle,
            calendar_name=self.promise.calendar_name,
            target_seconds=target,
            limit_seconds=limit,
            spans=tuple(self.spans),
            target_at=None,
            limit_at=None,
            state=self._state(breached=breached_at is not None, paused=paused),
            stopped_at=self.stopped_at,
            breached_at=breached_at,
            by_reclassification=self.by_reclassification,
            elapsed_seconds=None,
            paused_seconds=sum(between(calendar, start, end or now) for start, end in self.pauses),
        )
        if paused:
            return clock
        deadlines = replace(
            clock, target_at=due(calendar, clock.course, target), limit_at=due(calendar, clock.course, limit)
        )
        if self.stopped_at is None:
            return deadlines
        ran = sum(between_micros(calendar, start, end or self.stopped_at) for start, end in self.spans)
        return replace(deadlines, elapsed_seconds=ran // MICRO)

    def _state(self, *, breached: bool, paused: bool) -> ClockState:
        if breached:
            return ClockState.BREACHED
        if self.stopped_at is not None:
            return ClockState.ENDED if self.ended else ClockState.MET
        return ClockState.PAUSED if paused else ClockState.RUNNING


def union(spans: Iterable[Span], at: datetime, *, open_ended: bool) -> list[Span]:
    """Give the time in any of the spans, once, up to `at`; an `open_ended` one goes on from there."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted((start, end or at) for start, end in spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return _opened(found, at) if open_ended else list(found)


def without(spans: Iterable[Span], taken: Iterable[Span], at: datetime, *, open_ended: bool) -> list[Span]:
    """Give the time in `spans`, which lie apart and in order, that is in none of `taken`, likewise."""
    found = []
    for start, end in spans:
        left, until = start, end or at
        for from_, to in taken:
            if left < from_ < until:
                found.append((left, from_))
            if from_ < until:
                left = max(left, to or at)
        if left < until:
            found.append((left, until))
    return _opened(found, at) if open_ended else list(found)


def _opened(spans: list[tuple[datetime, datetime]], at: datetime) -> list[Span]:
    if spans and spans[-1][1] == at:
        return [*spans[:-1], (spans[-1][0], None)]
    return [*spans, (at, None)]
