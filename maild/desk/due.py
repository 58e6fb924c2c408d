"""What becomes of time: a clock reached a rung of its ladder, or nobody said a word for as long as a ticket may rest.

People are told once, by the ledger's unique keys.
"""

from dataclasses import replace
from datetime import datetime

from maild.desk.decision import Decision, Escalated, Told, clock_lines, folded, looked_at
from maild.desk.office import Agent, Office
from maild.desk.past import UNDONE
from maild.desk.resting import Silence, ended_by_silence
from maild.outbound.letters import EscalationLetter, WordLetter
from maild.sla.clock import Clock
from maild.sla.ladder import Due, due_levels, next_level_at, recipients
from maild.threading.token import Purpose
from maild.ticket import Event, Message, State, Ticket


def on_due(ticket: Ticket, told: Told, messages: tuple[Message, ...], office: Office, now: datetime) -> Decision:
    """Judge a ticket at `now` and tell what is owed: one letter a person for each clock, at its highest level.

    Before that, one that has rested for as long as it may goes on or closes.
    """
    if ticket.merged_into is not None:
        return Decision(f"ticket {ticket.number} was merged into {ticket.merged_into}: its clocks have ended")
    events: list[Event] = []
    letters: list[EscalationLetter | WordLetter] = []
    silence = ended_by_silence(ticket, told.events, office, now)
    if silence is not None:
        ticket, told = silence.ticket, told.and_then(silence.event)
        events.append(silence.event)
        letters += _reminders(silence, office)
    clocks = folded(office, ticket, told, now)
    calendar = office.policy(ticket.policy).promise(ticket.severity).calendar
    escalated: list[Escalated] = []
    for clock in clocks:
        owed = due_levels(clock, calendar, office.ladders[clock.metric], told.levels(clock), now)
        if owed is None:
            continue
        people = _people(office, ticket, owed.notify)
        told_whom = ", ".join(agent.id for agent in people)
        because = f"{clock.metric}: {owed.because}; told {told_whom or 'nobody, there is no agent'}"
        what = "breach" if owed.is_breach else "warning"
        events.append(
            Event(
                now,
                "maild",
                what,
                because,
                {
                    "metric": str(clock.metric),
                    "cycle": clock.cycle,
                    "level": owed.name,
                    "at": owed.at.isoformat().replace("+00:00", "Z"),
                },
            )
        )
        escalated += [Escalated(ticket.number, clock.metric, clock.cycle, level, because) for level in owed.covered]
        letters += _letters(ticket, clock, owed, people, clocks, messages, office, told)
    sent = told.sent | {(one.metric, one.cycle, one.level) for one in escalated}
    after = Told(told.events, clocks, frozenset(sent))
    return Decision(
        because="; ".join(event.because for event in events) or "nothing was due",
        ticket=ticket,
        clocks=looked_at(office, ticket, after, clocks),
        events=tuple(events),
        escalations=tuple(escalated),
        letters=tuple(letters),
    )


def _reminders(silence: Silence, office: Office) -> list[WordLetter]:
    """Remind whoever owns a ticket that its customer stays silent; one that closes owes nobody a word."""
    ticket = silence.ticket
    if ticket.state is not State.OPEN:
        return []
    mailbox = office.mailbox(ticket.mailbox)
    letters = []
    for agent in _people(office, ticket, ("assignee",)):
        key = f"silence:{ticket.number}:{silence.since.isoformat()}:{agent.id}"
        letters.append(
            WordLetter(
                key=key,
                ticket=ticket,
                agent=agent.recipient,
                subject="the customer has not answered",
                lines=(
                    f"This ticket was {silence.event.because}.",
                    f"Ask again, or resolve it: `maild ticket resolve {ticket.number}`.",
                    f"`maild ticket pending {ticket.number}` lets it wait once more.",
                ),
                quote="",
                reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
                envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
                message_id=office.message_id(ticket.number, key),
                root_id=ticket.root_id,
            )
        )
    return letters


def one_by_one(
    ticket: Ticket, told: Told, messages: tuple[Message, ...], office: Office, since: datetime, until: datetime
) -> Decision:
    """Judge at each instant at which something is due, from `since` to `until`, as a daemon would that is never down."""
    decisions: list[Decision] = []
    at: datetime | None = since
    while at is not None and at <= until:
        decision = on_due(ticket, told, messages, office, at)
        decisions.append(decision)
        ticket, told = decision.ticket or ticket, after(told, decision)
        following = min((next_at for _, next_at in decision.clocks or () if next_at is not None), default=None)
        at = following if following is not None and following > at else None
    return replace(
        decisions[-1],
        because="; ".join(decision.because for decision in decisions),
        events=tuple(event for decision in decisions for event in decision.events),
        escalations=tuple(one for decision in decisions for one in decision.escalations),
        letters=tuple(letter for decision in decisions for letter in decision.letters),
    )


def after(told: Told, decision: Decision) -> Told:
    """Give what the ledger will tell once a decision is written."""
    sent = {(one.metric, one.cycle, one.level) for one in decision.escalations}
    clocks = tuple(clock for clock, _ in decision.clocks or ())
    return Told((*told.events, *decision.events), clocks, told.sent | sent)


def _people(office: Office, ticket: Ticket, notify: tuple[str, ...]) -> tuple[Agent, ...]:
    team = tuple(agent.id for agent in office.team(office.mailbox(ticket.mailbox)))
    roles = {agent.id: agent.role for agent in office.agents}
    found = (office.agent(name) for name in recipients(notify, ticket.assignee, team, roles))
    return tuple(agent for agent in found if agent is not None)


def escalation_key(ticket: int, level: str, agent: str, undone: int) -> str:
    """Give the key of the letter that tells an agent of a level: metric, cycle and name, with colons between them.

    `undone` is how often something was taken back before: a level that is told again after that is another mail.
    """
    return f"escalation:{ticket}:{level}:{agent}{f':{undone}' if undone else ''}"


def _letters(
    ticket: Ticket,
    clock: Clock,
    owed: Due,
    people: tuple[Agent, ...],
    clocks: tuple[Clock, ...],
    messages: tuple[Message, ...],
    office: Office,
    told: Told,
) -> list[EscalationLetter]:
    calendar = office.policy(ticket.policy).promise(ticket.severity).calendar
    ladder = office.ladders[clock.metric]
    after = told.levels(clock) | frozenset(owed.covered)
    next_at = next_level_at(clock, calendar, ladder, after)
    following = due_levels(clock, calendar, ladder, after, next_at) if next_at else None
    next_who = tuple(agent.name or agent.id for agent in _people(office, ticket, following.notify)) if following else ()
    owner = office.agent(ticket.assignee)
    customer = office.customer_of(ticket.requester)
    last = messages[-1] if messages else None
    mailbox = office.mailbox(ticket.mailbox)
    undone = sum(event.what == UNDONE for event in told.events)
    letters = []
    for agent in people:
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
                owner=owner.name or owner.id if owner else "",
                customer=(customer.name if customer else "") or ticket.requester.name or ticket.requester.address,
                clocks=clock_lines(tuple((clock, None) for clock in clocks)),
                last_from=(last.sender.name or last.sender.address) if last else "",
                last_at=last.at if last else None,
                last_text=last.text if last else "",
                next_at=next_at,
                next_who=next_who,
                reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
                envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
                message_id=office.message_id(ticket.number, key),
                root_id=ticket.root_id,
            )
        )
    return letters
