"""What becomes of time: a clock reached a rung of its ladder, or nobody said a word for as long as a ticket may rest.

People are told once, by the ledger's unique keys.
"""

from dataclasses import replace
from datetime import datetime

from maild.desk import duty
from maild.desk.ack import SILENT, hush_of
from maild.desk.decision import Decision, Escalated, Told, folded, looked_at
from maild.desk.duty import ToldOne
from maild.desk.escalate import Looked, escalation_letters
from maild.desk.office import Office
from maild.desk.resting import Silence, ended_by_silence
from maild.outbound.letters import EscalationLetter, WordLetter
from maild.sla.clock import Clock
from maild.sla.ladder import Due, due_levels
from maild.sla.wall import rfc3339
from maild.threading.token import Purpose
from maild.ticket import Event, Message, State, Ticket


def on_due(ticket: Ticket, told: Told, messages: tuple[Message, ...], office: Office, now: datetime) -> Decision:
    """Judge a ticket at `now` and tell what is owed: one letter a person for each clock, at its highest level.

    A breach of a clock that somebody acknowledged is recorded, and told to nobody. Before that, one that has rested for as
    long as it may goes on or closes.
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
    looked = Looked(ticket, clocks, messages, told, office, now)
    rota = duty.rota_size(ticket, office)
    escalated: list[Escalated] = []
    for clock in clocks:
        hush = hush_of(ticket, told.events, office, clock)
        owed = due_levels(clock, calendar, office.ladders[clock.metric], told.levels(clock), now, rota, hush)
        if owed is None:
            continue
        people = () if owed.silent else duty.told_as(owed.notify, ticket, office, now, since=owed.since)
        because = f"{clock.metric}: {owed.because}{'' if owed.silent else _told_whom(people)}"
        events.append(_reached(clock, owed, because, now))
        escalated += [Escalated(ticket.number, clock.metric, clock.cycle, level, because) for level in owed.covered]
        letters += escalation_letters(looked, clock, owed, people)
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


def _told_whom(people: tuple[ToldOne, ...]) -> str:
    return f"; told {', '.join(one.agent.id for one in people) or 'nobody, there is no agent'}"


def _reached(clock: Clock, owed: Due, because: str, now: datetime) -> Event:
    data = {
        "metric": str(clock.metric),
        "cycle": clock.cycle,
        "level": owed.name,
        "at": rfc3339(owed.at),
        **({SILENT: True} if owed.silent else {}),
    }
    return Event(now, "maild", "breach" if owed.is_breach else "warning", because, data)


def _reminders(silence: Silence, office: Office) -> list[WordLetter]:
    """Remind whoever owns a ticket that its customer stays silent; one that closes owes nobody a word."""
    ticket = silence.ticket
    if ticket.state is not State.OPEN:
        return []
    mailbox = office.mailbox(ticket.mailbox)
    letters = []
    for agent in duty.told(("assignee",), ticket, office, silence.event.at):
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
