"""A ticket's events folded into its clocks: rules R1 to R11 and R13 of the SLA.

What a clock does follows from the ticket's state (`ticket.TRANSITIONS`): the resolution clock pauses in pending and stops
in resolved and closed; the response clocks stop at an agent's reply and at nothing else, so that a ticket resolved
without a word goes on to be late (R12).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maild.sla.clock import KINDS, Clock, History, SlaEvent
from maild.sla.policy import Metric, Policy, Promise
from maild.sla.tape import RESTING, Tape
from maild.ticket import Severity, State, Trigger, move, together

Recorded = Mapping[tuple[Metric, int], datetime]
"""When a breach stands recorded, by metric and cycle."""

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
            happened = event if event.at >= history.opened_at else replace(event, at=history.opened_at)
            yield happened if happened.other is None else replace(happened, other=_arrived(happened.other, events))


def _arrived(other: History, later: Sequence[SlaEvent]) -> History:
    """Give the life of a ticket that was merged, without the replies that bounced after that."""
    failed = {event.ref for event in later if event.kind == "bounce"} - {""}
    kept = (event for event in other.events if event.kind != "agent_reply" or event.ref not in failed)
    return replace(
        other,
        events=tuple(
            event if event.other is None else replace(event, other=_arrived(event.other, later)) for event in kept
        ),
    )


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
        self.first: Tape | None = None
        if history.opened_by == "customer":
            self.first = self._tape(Metric.FIRST_RESPONSE, 1, history.opened_at, self.promise.first_response)
        self.cycles: list[Cycle] = []
        self.next: list[Tape] = []

    @property
    def promise(self) -> Promise:
        return self.policy.promise(self.severity)

    def _tape(self, metric: Metric, cycle: int, at: datetime, limits: tuple[int, int]) -> Tape:
        return Tape(metric, cycle, self.promise, limits, [(at, None)])

    def tapes(self) -> Iterator[Tape]:
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
        elif event.kind == "merged_into":
            for tape in self.tapes():
                tape.end(event.at)
        elif event.other is not None:
            self._join(event, event.other)

    def _join(self, event: SlaEvent, life: History) -> None:
        """Take in another ticket (R13): earliest start, strictest severity, and a reply of its that counts here."""
        other = _folded(replace(life, opened_at=min(life.opened_at, event.at)), self.policy, event.at)
        recorded = {(metric, cycle): at for metric, cycle, at in event.recorded}
        for tape in other.tapes():
            tape.breached_at = recorded.get((tape.metric, tape.cycle), tape.breached_at)
        waits = [since for since in (self.waits_since(), other.waits_since()) if since is not None]
        answered_here = self.first is not None and self.first.stopped_at is not None
        if self.first is None:
            self.first = other.first
        elif other.first is not None:
            self.first.join(other.first, event.at)
        self.resolution.join(other.resolution, event.at)
        answered = self.first.stopped_at if self.first is not None else None
        self.state = together(self.state, other.state, answered=answered is not None)
        self.severity = Severity(event.to)
        if not answered_here and not self.cycles:
            self.cycles, self.next = other.cycles, other.next
        for tape in self.tapes():
            tape.rejudge(self.promise, event.at)
        if answered is not None and all(cycle.met_at is not None for cycle in self.cycles):
            late = [since for since in waits if since > answered]
            if late:
                self._wait(min(late))

    def waits_since(self) -> datetime | None:
        """Give since when its customer waits for an answer; None where he does not."""
        if self.first is not None and self.first.stopped_at is None:
            return self.first.spans[0][0]
        return self.cycles[-1].start if self.cycles and self.cycles[-1].met_at is None else None

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
            self._wait(at)

    def _wait(self, since: datetime) -> None:
        self.cycles.append(Cycle(since, None))
        if self.promise.next_response is not None:
            self.next.append(self._tape(Metric.NEXT_RESPONSE, len(self.cycles), since, self.promise.next_response))


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


def state_of(history: History, policy: Policy, now: datetime) -> State:
    """Give where the ticket stands at `now`, as its events tell."""
    return _folded(history, policy, now).state
