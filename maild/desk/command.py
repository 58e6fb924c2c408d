"""What becomes of an operator's word: the same decision as by mail, or a refusal that says why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from maild.desk.ack import Acknowledge, acknowledged
from maild.desk.copies import Copy, copied_by_hand
from maild.desk.decision import Clocks, Decision, Told, clocks_of, folded
from maild.desk.office import Office
from maild.desk.requester import Requester, passed_on
from maild.sla.clock import Clock
from maild.sla.policy import Metric
from maild.ticket import TRANSITIONS, Event, Severity, State, Ticket, Trigger


class Step(StrEnum):
    """A word that moves a ticket. `open` ends pending and reopens, whichever the ticket needs."""

    RESOLVE = "resolve"
    REOPEN = "reopen"
    PENDING = "pending"
    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Assign:
    """Give a ticket to the agent of that id, or to nobody."""

    to: str | None


@dataclass(frozen=True, slots=True)
class Grade:
    """Set a ticket's severity. A person's word: no guess overwrites it."""

    to: Severity


Command = Step | Assign | Grade | Requester | Copy | Acknowledge


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that changes nothing, and why."""

    because: str


@dataclass(frozen=True, slots=True)
class _Course:
    """How a step goes: its triggers (any may lead on), the SLA's word for it, and it in words."""

    triggers: tuple[Trigger, ...]
    status: str
    done: str
    participle: str

    @property
    def goal(self) -> State:
        """The state it leads to, from wherever it leads on."""
        return next(to for (_, trigger), to in TRANSITIONS.items() if trigger in self.triggers)

    @property
    def ways(self) -> tuple[State, ...]:
        """The states from which it leads on, its goal aside."""
        return tuple(state for state, trigger in TRANSITIONS if trigger in self.triggers and state is not self.goal)


_COURSES: Mapping[Step, _Course] = MappingProxyType(
    {
        Step.RESOLVE: _Course((Trigger.RESOLVE,), "resolved", "resolved it", "resolved"),
        Step.REOPEN: _Course((Trigger.REOPEN,), "open", "reopened it", "reopened"),
        Step.PENDING: _Course((Trigger.PEND,), "waiting", "set it to pending", "set to pending"),
        Step.OPEN: _Course((Trigger.RESUME, Trigger.REOPEN), "open", "opened it again", "opened again"),
        Step.CLOSE: _Course((Trigger.CLOSE,), "closed", "closed it", "closed"),
    }
)


def on_command(
    ticket: Ticket, told: Told, command: Command, office: Office, actor: str, now: datetime
) -> Decision | Refused:
    """Decide on what `actor` wants of a ticket at `now`. What is so already, and what cannot be, is refused."""
    if ticket.merged_into is not None:
        return Refused(f"ticket {ticket.number} was merged into {ticket.merged_into}: decide on that one, or undo it")
    if isinstance(command, Assign):
        return _assigned(ticket, told, command.to, office, actor, now)
    if isinstance(command, Grade):
        return _graded(ticket, told, command.to, office, actor, now)
    if isinstance(command, Acknowledge):
        return _taken_over(ticket, told, command, office, actor, now)
    if isinstance(command, Requester | Copy):
        done = (
            passed_on(ticket, told, command.to, office, actor, now)
            if isinstance(command, Requester)
            else copied_by_hand(ticket, told, command, office, actor, now)
        )
        return _about_people(done, told, office, now)
    return _stepped(ticket, told, command, office, actor, now)


def _stepped(ticket: Ticket, told: Told, step: Step, office: Office, actor: str, now: datetime) -> Decision | Refused:
    course = _COURSES[step]
    goal = course.goal
    if ticket.state is goal:
        return Refused(f"ticket {ticket.number} is {goal} already")
    if ticket.state not in course.ways:
        known = ", ".join(course.ways)
        return Refused(
            f"ticket {ticket.number} is {ticket.state} and cannot be {course.participle}: that leads on from {known}"
        )
    after = replace(
        ticket,
        state=goal,
        resolved_at=now if step is Step.RESOLVE else None if goal is State.OPEN else ticket.resolved_at,
        closed_at=now if step is Step.CLOSE else None if goal is State.OPEN else ticket.closed_at,
    )
    before = {"state": ticket.state, "resolved_at": _kept(ticket.resolved_at), "closed_at": _kept(ticket.closed_at)}
    data = {"to": course.status, "state": goal, "before": before}
    event = Event(now, actor, "status", f"{actor} {course.done}", data)
    clocks = clocks_of(office, after, told.and_then(event), now)
    words = f"{event.because}{_meaning(ticket.state, after.state, clocks)}"
    return _decision(after, clocks, replace(event, because=words))


def _meaning(before: State, after: State, clocks: Clocks) -> str:
    """Say what a change of state does to the promise (R10, R11, R12)."""
    unanswered = any(clock.metric is Metric.FIRST_RESPONSE and clock.stopped_at is None for clock, _ in clocks)
    if after is State.OPEN:
        if before is State.PENDING:
            return ": it no longer waits on the customer, and the resolution clock goes on"
        first = "the first response is still owed" if unanswered else "no new first response is owed"
        return f": the time in which it was {before} does not count, and {first}"
    if after is State.PENDING:
        runs = "; the first response is owed all the same" if unanswered else ""
        return f": it waits on the customer, and the resolution clock rests{runs}"
    return ": no mail went to the customer, so the first-response clock runs on" if unanswered else ""


def _assigned(
    ticket: Ticket, told: Told, to: str | None, office: Office, actor: str, now: datetime
) -> Decision | Refused:
    if to == ticket.assignee:
        return Refused(f"ticket {ticket.number} is assigned to {to or 'nobody'} already")
    if to is not None and office.agent(to) is None:
        known = ", ".join(agent.id for agent in office.agents)
        return Refused(f"there is no agent {to!r}; known are {known or 'none'}")
    after = replace(ticket, assignee=to)
    words = f"{actor} assigned it to {to or 'nobody'}; before, {ticket.assignee or 'nobody'} had it"
    event = Event(
        now, actor, "assigned" if to else "unassigned", words, {"to": to or "", "before": {"assignee": ticket.assignee}}
    )
    return _decision(after, clocks_of(office, after, told.and_then(event), now), event)


def _graded(ticket: Ticket, told: Told, to: Severity, office: Office, actor: str, now: datetime) -> Decision | Refused:
    if to is ticket.severity:
        return Refused(f"ticket {ticket.number} is {to} already")
    word = f"{actor} set it to {to}; it was {ticket.severity}"
    after = replace(ticket, severity=to, severity_because=(word, *ticket.severity_because))
    was = {"severity": ticket.severity, "severity_because": list(ticket.severity_because)}
    data = {"to": str(to), "from": str(ticket.severity), "before": was}
    event = Event(now, actor, "set_severity", word, data)
    clocks = clocks_of(office, after, told.and_then(event), now)
    before = {(clock.metric, clock.cycle) for clock in told.clocks if clock.breached_at is not None}
    late = [
        str(clock.metric)
        for clock, _ in clocks
        if clock.by_reclassification and (clock.metric, clock.cycle) not in before
    ]
    late_words = (
        f"; by that the limit of {' and '.join(late)} has passed already, a breach of this moment" if late else ""
    )
    return _decision(after, clocks, replace(event, because=f"{word}: what runs is judged from its start{late_words}"))


def _about_people(done: tuple[Ticket, Event] | str, told: Told, office: Office, now: datetime) -> Decision | Refused:
    if isinstance(done, str):
        return Refused(done)
    after, event = done
    return _decision(after, clocks_of(office, after, told.and_then(event), now), event)


def _taken_over(
    ticket: Ticket, told: Told, word: Acknowledge, office: Office, actor: str, now: datetime
) -> Decision | Refused:
    clocks = folded(office, ticket, told, now)
    done = acknowledged(ticket, told.events, clocks, word, office, now)
    if isinstance(done, str):
        return Refused(done)
    after, event = done
    if actor != word.by:
        event = replace(event, because=f"{event.because}; {actor} said so for {word.by}")
    return _decision(after, clocks_of(office, after, told.and_then(event), now), event)


def _decision(ticket: Ticket, clocks: Clocks, event: Event) -> Decision:
    return Decision(because=standing_of(event.because, clocks), ticket=ticket, clocks=clocks, events=(event,))


def _kept(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def standing_of(words: str, clocks: Clocks) -> str:
    """Add to the words of a decision how the clocks stand."""
    return "; ".join((words, *(_standing(clock) for clock, _ in clocks)))


def now_standing(words: str, ticket: Ticket, clocks: Clocks) -> str:
    """Add to the words of what was taken back how the ticket stands now."""
    whose = f"of {ticket.requester.key or 'nobody'}, {ticket.assignee or 'nobody'} has it"
    return standing_of(f"{words}; now: {ticket.state}, {ticket.severity}, {whose}", clocks)


def _standing(clock: Clock) -> str:
    name = str(clock.metric)
    if clock.stopped_at is not None:
        how = "late" if clock.breached_at is not None else "in time"
        return f"{name} stopped {how} at {_at(clock.stopped_at)}"
    if clock.breached_at is not None:
        return f"{name} is in breach since {_at(clock.breached_at)}"
    if clock.limit_at is None:
        return f"{name} rests"
    return f"{name} runs until {_at(clock.limit_at)}"


def _at(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M UTC")
