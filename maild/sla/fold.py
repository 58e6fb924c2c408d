"""A ticket's events folded into its clocks: rules R1 to R11 of the SLA.

What a clock does follows from the ticket's state (`ticket.TRANSITIONS`): the resolution clock pauses in pending and stops
in resolved and closed; the response clocks stop at an agent's reply and at nothing else, so that a ticket resolved
without a word goes on to be late (R12).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from maild.sla.clock import KINDS, Clock, ClockState, History, SlaEvent, due
from maild.sla.hours import between, between_micros
from maild.sla.policy import Metric, Policy, Promise
from maild.sla.wall import MICRO
from maild.ticket import Severity, State, Trigger, move

Recorded = Mapping[tuple[Metric, int], datetime]
"""When a breach stands recorded, by metric and cycle."""

RESTING = frozenset({State.RESOLVED, State.CLOSED})

STATUS = {
    "waiting": Trigger.PEND,
    "pending": Trigger.PEND,
    "resolved": Trigger.RESOLVE,
    "closed": Trigger.CLOSE,
}
"""The words of a status event; `open` is a reopening or the end of pending, after the state it meets."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A customer's message that waited for an answer after the first response, and when it got one (R7)."""

    start: datetime
    met_at: datetime | None


def limits_of(promise: Promise, metric: Metric) -> tuple[int, int] | None:
    """Give target and limit of that metric; None where it is not promised at all."""
    return {
        Metric.FIRST_RESPONSE: promise.first_response,
        Metric.RESOLUTION: promise.resolution,
        Metric.NEXT_RESPONSE: promise.next_response,
    }[metric]


@dataclass(slots=True)
class _Tape:
    """A clock while it is being folded."""

    metric: Metric
    cycle: int
    promise: Promise
    limits: tuple[int, int]
    spans: list[tuple[datetime, datetime | None]]
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    by_reclassification: bool = False

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
            state=_state(breached=breached_at is not None, stopped=self.stopped_at is not None, paused=paused),
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


def _state(*, breached: bool, stopped: bool, paused: bool) -> ClockState:
    if breached:
        return ClockState.BREACHED
    if stopped:
        return ClockState.MET
    return ClockState.PAUSED if paused else ClockState.RUNNING


def _effective(history: History, now: datetime) -> Iterator[SlaEvent]:
    """Give the events up to `now` in order of time, without the replies that bounced (R6).

    A reply that bounced was never sent, so the customer is not being waited for either.
    """
    for event in history.events:
        if event.kind not in KINDS:
            raise ValueError(f"{event.kind!r} is no event of a clock; known are {', '.join(sorted(KINDS))}")
    events = sorted((event for event in history.events if event.at <= now), key=lambda event: event.at)
    bounced: set[int] = set()
    for at, event in enumerate(events):
        if event.kind == "bounce":
            replies = [i for i in range(at) if events[i].kind == "agent_reply" and i not in bounced]
            bounced.update([i for i in replies if events[i].ref == event.ref] if event.ref else replies[-1:])
    for at, event in enumerate(events):
        if at not in bounced:
            # Nothing happens to a ticket before it is there: a clock that stepped back must not make negative time.
            yield event if event.at >= history.opened_at else replace(event, at=history.opened_at)


def _trigger(state: State, word: str) -> Trigger:
    if word == "open":
        return Trigger.REOPEN if state in RESTING else Trigger.RESUME
    if word not in STATUS:
        raise ValueError(f"{word!r} is no status; known are open, {', '.join(STATUS)}")
    return STATUS[word]


class _Fold:
    """The state of the fold between two events."""

    def __init__(self, history: History, policy: Policy) -> None:
        self.policy = policy
        self.severity = history.severity
        self.state = State.NEW
        self.resolution = self._tape(Metric.RESOLUTION, 1, history.opened_at, self.promise.resolution)
        self.first: _Tape | None = None
        if history.opened_by == "customer":
            self.first = self._tape(Metric.FIRST_RESPONSE, 1, history.opened_at, self.promise.first_response)
        self.cycles: list[Cycle] = []
        self.next: list[_Tape] = []

    @property
    def promise(self) -> Promise:
        return self.policy.promise(self.severity)

    def _tape(self, metric: Metric, cycle: int, at: datetime, limits: tuple[int, int]) -> _Tape:
        return _Tape(metric, cycle, self.promise, limits, [(at, None)])

    def tapes(self) -> Iterator[_Tape]:
        if self.first is not None:
            yield self.first
        yield self.resolution
        yield from self.next

    def judge(self, now: datetime) -> None:
        for tape in self.tapes():
            tape.judge(now)

    def take(self, event: SlaEvent) -> None:
        self.judge(event.at)
        if event.kind == "set_severity":
            self.severity = Severity(event.to)
            for tape in self.tapes():
                tape.reclassify(self.promise, event.at)
        elif event.kind == "agent_reply":
            self._answered(event.at)
            self._move(Trigger.AGENT_REPLY, event.at)
            if event.status:
                self._move(_trigger(self.state, event.status), event.at)
        elif event.kind == "customer_message":
            self._asked(event.at)
            self._move(Trigger.CUSTOMER_MESSAGE, event.at)
        elif event.kind == "status":
            self._move(_trigger(self.state, event.to), event.at)

    def _move(self, trigger: Trigger, at: datetime) -> None:
        after = move(self.state, trigger)
        if after is not None and after is not self.state:
            self.resolution.follow(self.state, after, self.promise, at)
            self.state = after

    def _answered(self, at: datetime) -> None:
        if self.first is not None and self.first.stopped_at is None:
            self.first.stop(at)
        elif self.cycles and self.cycles[-1].met_at is None:
            self.cycles[-1] = replace(self.cycles[-1], met_at=at)
            if self.next and self.next[-1].stopped_at is None:
                self.next[-1].stop(at)

    def _asked(self, at: datetime) -> None:
        if self.first is None:
            # R9: a ticket that an agent opened owes its first response from the customer's first message on.
            self.first = self._tape(Metric.FIRST_RESPONSE, 1, at, self.promise.first_response)
        elif self.first.stopped_at is not None and (not self.cycles or self.cycles[-1].met_at is not None):
            self.cycles.append(Cycle(at, None))
            if self.promise.next_response is not None:
                self.next.append(self._tape(Metric.NEXT_RESPONSE, len(self.cycles), at, self.promise.next_response))


def _folded(history: History, policy: Policy, now: datetime) -> _Fold:
    fold = _Fold(history, policy)
    for event in _effective(history, now):
        fold.take(event)
    fold.judge(now)
    return fold


def fold(history: History, policy: Policy, now: datetime, recorded: Recorded | None = None) -> tuple[Clock, ...]:
    """Give the ticket's clocks as they stand at `now`: first response (if it has one), resolution, next responses.

    Events after `now` are not there yet; those of one instant count in the order given. `recorded` are the breaches
    that the ledger holds: they stay, though the policy or the holidays have changed since (R16). ValueError for an event
    or status that does not exist; CalendarError where a calendar of nothing but shift dates has come to its end.
    """
    known = recorded or {}
    return tuple(
        tape.clock(now, known.get((tape.metric, tape.cycle))) for tape in _folded(history, policy, now).tapes()
    )


def next_cycles(history: History, policy: Policy, now: datetime) -> tuple[Cycle, ...]:
    """Give the next-response cycles up to `now`, whether or not the policy promises a next response (R7)."""
    return tuple(_folded(history, policy, now).cycles)
