"""The letters that tell of a clock: to each person his own, with what happens next."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice

from maild.desk import duty
from maild.desk.ack import ack_of, hush_of
from maild.desk.decision import Told, clock_lines
from maild.desk.duty import ToldOne
from maild.desk.office import Agent, Office
from maild.desk.past import UNDONE, history
from maild.outbound.letters import ClockLine, EscalationLetter, Stretch
from maild.outbound.wording import when
from maild.sla.account import account
from maild.sla.clock import Clock
from maild.sla.fold import state_of
from maild.sla.ladder import Due, due_levels, next_level_at
from maild.threading.token import Purpose
from maild.ticket import Message, Ticket

_MOST_ENTRIES = 200
_MOST_SHOWN = 8


def escalation_key(ticket: int, level: str, agent: str, undone: int) -> str:
    """Give the key of the letter that tells an agent of a level: metric, cycle and name, with colons between them.

    `undone` is how often something was taken back before: a level that is told again after that is another mail.
    """
    return f"escalation:{ticket}:{level}:{agent}{f':{undone}' if undone else ''}"


@dataclass(frozen=True, slots=True)
class Looked:
    """A ticket as it is looked at, at `now`: with its clocks and messages, and what was told of it before."""

    ticket: Ticket
    clocks: tuple[Clock, ...]
    messages: tuple[Message, ...]
    told: Told
    office: Office
    now: datetime


def escalation_letters(looked: Looked, clock: Clock, owed: Due, people: tuple[ToldOne, ...]) -> list[EscalationLetter]:
    """Write what is owed of one clock, to each of these people."""
    ticket, office, told = looked.ticket, looked.office, looked.told
    calendar = office.policy(ticket.policy).promise(ticket.severity).calendar
    ladder = office.ladders[clock.metric]
    after = told.levels(clock) | frozenset(owed.covered)
    rota, hush = duty.rota_size(ticket, office), hush_of(ticket, told.events, office, clock)
    next_at = next_level_at(clock, calendar, ladder, after, rota, hush)
    following = due_levels(clock, calendar, ladder, after, next_at, rota, hush) if next_at else None
    nexts = duty.told(following.notify, ticket, office, following.at, since=following.since) if following else ()
    owner = office.agent(ticket.assignee)
    customer = office.customer_of(ticket.requester)
    last = looked.messages[-1] if looked.messages else None
    mailbox = office.mailbox(ticket.mailbox)
    undone = sum(event.what == UNDONE for event in told.events)
    clocks = _clock_lines(looked, clock)
    letters = []
    for one in people:
        agent = one.agent
        key = escalation_key(ticket.number, f"{clock.metric}:{clock.cycle}:{owed.name}", agent.id, undone)
        letters.append(
            EscalationLetter(
                key=key,
                ticket=ticket,
                agent=agent.recipient,
                metric=clock.metric,
                level=owed.name,
                cycle=clock.cycle,
                reached_at=owed.at,
                target_at=clock.target_at or owed.at,
                limit_at=clock.limit_at or owed.at,
                limit_seconds=clock.limit_seconds,
                owner=owner.called if owner else "",
                customer=(customer.name if customer else "") or ticket.requester.name or ticket.requester.address,
                clocks=clocks,
                notes=(*one.notes, *_notes(ticket, clock, office, told, agent)),
                quiet_until=duty.held_until(one, ticket.severity, office, looked.now),
                last_from=(last.sender.name or last.sender.address) if last else "",
                last_at=last.at if last else None,
                last_text=last.text if last else "",
                next_at=next_at,
                next_who=tuple(agent.called for agent in nexts),
                reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
                envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
                message_id=office.message_id(ticket.number, key),
                root_id=ticket.root_id,
            )
        )
    return letters


def _clock_lines(looked: Looked, told_of: Clock) -> tuple[ClockLine, ...]:
    """Show the clocks, the one that is told of with its account."""
    ticket, office = looked.ticket, looked.office
    policy = office.policy(ticket.policy)
    state_at = partial(state_of, history(ticket, looked.told.events), policy)
    calendar = policy.promise(ticket.severity).calendar
    names = office.holiday_names.get(told_of.calendar_name, {})
    entries = list(islice(account(told_of, calendar, names, state_at, looked.now), _MOST_ENTRIES))
    stretches = tuple(
        Stretch(one.start, one.end, one.what, one.counted_seconds, one.because) for one in entries[-_MOST_SHOWN:]
    )
    return tuple(
        replace(line, account=stretches, earlier=len(entries) - len(stretches)) if clock == told_of else line
        for clock, line in zip(looked.clocks, clock_lines(tuple((clock, None) for clock in looked.clocks)), strict=True)
    )


def _notes(ticket: Ticket, clock: Clock, office: Office, told: Told, reader: Agent) -> tuple[str, ...]:
    """Say who acknowledged a clock of which its reader is told all the same, and why he is."""
    ack = ack_of(ticket, told.events, clock, office)
    if ack is None:
        return ()
    agent = office.agent(ack.by)
    words = f"{agent.called if agent else ack.by} acknowledged it on {when(ack.at, reader.time_zone)}"
    if ack.lapsed_at is None:
        return (f"{words}; a breach is told all the same",)
    return (f"{words}; that holds no more since {when(ack.lapsed_at, reader.time_zone)}: {ack.lapsed_because}",)
