"""A customer's mail: it opens a ticket or carries one on, and the people who answer are told."""

from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.acknowledge import acknowledgement
from maild.desk.decision import Case, Decision, Told, clock_lines, clocks_of, message_of, references_of
from maild.desk.duty import ToldOne, present
from maild.desk.office import Agent, Office
from maild.desk.participants import Named, answers_elsewhere, by_customer, copied, is_ours
from maild.desk.past import standing
from maild.desk.reply import doubt_of
from maild.mail import Address, Origin
from maild.outbound.letters import ClockLine, NoticeLetter
from maild.threading import subject as subjects
from maild.threading.token import Purpose
from maild.ticket import Event, State, Ticket, Trigger, move
from maild.trust import Standing

_KINDS = {Origin.PERSON: "customer", Origin.AUTOMATIC: "automatic", Origin.BULK: "bulk"}


@dataclass(frozen=True, slots=True)
class Link:
    """A ticket that a new one has to do with, and why. `there` is what its own history says of the new one."""

    to: int
    because: str
    there: str = "linked"


def open_ticket(
    case: Case, office: Office, now: datetime, notes: tuple[str, ...], link: Link | None = None
) -> Decision:
    """Open a ticket for a mail. `notes` are lines for the agents; `link` is to a ticket that it nearly joined."""
    sender = case.mail.sender or (case.mail.from_[0] if case.mail.from_ else Address("", case.received.mail_from))
    customer = office.customer_of(sender) if case.mail.sender else None
    ticket = Ticket(
        number=case.number,
        mailbox=case.mailbox.address,
        subject=subjects.without_tag(case.mail.subject, office.desk.reference) or "(no subject)",
        state=State.NEW,
        severity=case.guess.severity,
        severity_because=case.guess.because,
        requester=sender,
        participants=(sender.key,) if case.mail.sender else (),
        assignee=customer.csm or None if customer else None,
        opened_at=case.received.received_at,
        opened_by="customer",
        root_id=office.root_id(case.number),
        policy=(customer.policy if customer else "") or case.mailbox.policy,
    )
    opened = Event(
        ticket.opened_at,
        sender.key or "unknown",
        "opened",
        case.placement.because,
        {"severity": str(ticket.severity), "because": list(ticket.severity_because)},
    )
    linked, elsewhere = _linked(ticket, link) if link else ((), ())
    named = _named(case, office, ticket, ticket.opened_at)
    ticket = replace(ticket, participants=named.participants)
    clocks = clocks_of(office, ticket, Told(), now)
    ack, ack_because = acknowledgement(case, office, ticket, clocks)
    acked = Event(now, "maild", "acknowledged" if ack else "not_acknowledged", ack_because)
    letters = notices(
        case,
        office,
        ticket,
        clock_lines(clocks),
        (*notes, *named.notes, *(() if ack else (f"No acknowledgement was sent: {ack_because}.",))),
    )
    return Decision(
        because=f"it opens ticket {ticket.number}: {case.placement.because}",
        ticket=ticket,
        message=message_of(case, ticket.number, _KINDS.get(case.mail.origin, "customer")),
        references=(*references_of(case, ticket.number), (ticket.root_id, ticket.number, "own")),
        clocks=clocks,
        events=(opened, *linked, *named.events, acked),
        letters=(*((ack,) if ack else ()), *letters),
        party=sender if case.trust.proven else None,
        elsewhere=elsewhere,
    )


def _named(case: Case, office: Office, ticket: Ticket, at: datetime) -> Named:
    agent = office.agent_of(case.mail.sender) is not None and not doubt_of(case, office)
    named = by_customer(case, office, ticket, at, agent=agent)
    notes = (*answers_elsewhere(case, office, ticket), *named.notes)
    return replace(named, notes=notes)


def _not_reached(case: Case, office: Office, ticket: Ticket) -> tuple[str, ...]:
    """Warn the agents that whoever wrote gets no answer: he takes part, but he is neither the customer nor copied."""
    sender, customer = case.mail.sender, ticket.requester.key
    if sender is None or sender.key == customer or is_ours(office, sender.key) or case.mail.origin is not Origin.PERSON:
        return ()
    messages = (*case.messages, message_of(case, ticket.number, "customer"))
    if sender.key in copied(ticket, messages, case.told.events, office):
        return ()
    words = f"{sender.key} is not this ticket's customer: your reply goes to {customer or 'nobody'}, not to him."
    return (f"{words} To answer him, too: maild ticket cc {ticket.number} {sender.key}",)


def _linked(ticket: Ticket, link: Link) -> tuple[tuple[Event, ...], tuple[tuple[int, Event], ...]]:
    """Give what either ticket's history says of the other."""
    here = Event(ticket.opened_at, "maild", "linked", link.because, {"to": link.to})
    there = Event(
        ticket.opened_at, "maild", link.there, f"ticket {ticket.number}: {link.because}", {"to": ticket.number}
    )
    return (here,), ((link.to, there),)


def follow(case: Case, office: Office, now: datetime, ticket: Ticket, admitted_because: str) -> Decision:
    """Carry a ticket on with a message of its customer's side."""
    if case.trust.standing is Standing.FAILED:
        return _doubted(case, office, ticket)
    kind = _KINDS.get(case.mail.origin, "customer")
    sender = case.mail.sender
    events: tuple[Event, ...] = ()
    state = ticket.state
    # Decided after an operator's word that came later than the mail: it answers that word, so it cannot stand before it.
    at = max([case.received.received_at, *(event.at for event in case.told.events if event.what == "status")])
    because = f"{case.placement.because}; {admitted_because}"
    brought = {"message": case.received.id}
    if kind == "customer":
        state = move(ticket.state, Trigger.CUSTOMER_MESSAGE) or ticket.state
        events = (Event(at, sender.key if sender else "unknown", "customer_message", because, brought),)
    else:
        events = (Event(at, sender.key if sender else "unknown", "message", because, brought),)
    named = _named(case, office, ticket, at)
    reopened = ticket.state in {State.RESOLVED, State.CLOSED} and state is State.OPEN
    if reopened:
        events = (*events, Event(at, "maild", "reopened", f"its customer wrote again while it was {ticket.state}"))
    raised = _raised(case, ticket) if kind == "customer" else None
    events = (*events, *((raised,) if raised else ()), *named.events)
    after = replace(
        ticket,
        state=state,
        severity=case.guess.severity if raised else ticket.severity,
        severity_because=case.guess.because if raised else ticket.severity_because,
        participants=named.participants,
        resolved_at=None if reopened else ticket.resolved_at,
        closed_at=None if reopened else ticket.closed_at,
    )
    clocks = clocks_of(office, after, case.told.and_then(*events), now)
    return Decision(
        because=f"it belongs to ticket {ticket.number}: {because}",
        ticket=after,
        message=message_of(case, ticket.number, kind),
        references=references_of(case, ticket.number),
        clocks=clocks,
        events=events,
        letters=notices(case, office, after, clock_lines(clocks), named.notes),
        party=sender if case.trust.proven else None,
    )


def _doubted(case: Case, office: Office, ticket: Ticket) -> Decision:
    """Keep a mail whose sender is forged for all we know: the agents read it, and nothing moves."""
    because = f"{case.trust.because}: kept as unverified, and nothing moves"
    told = clock_lines(tuple((clock, None) for clock in case.told.clocks))
    return Decision(
        because,
        ticket=ticket,
        message=message_of(case, ticket.number, "unverified"),
        events=(Event(case.received.received_at, "maild", "held", because, {"message": case.received.id}),),
        letters=notices(case, office, ticket, told, (f"Its sender may be forged ({case.trust.because}).",)),
    )


def _raised(case: Case, ticket: Ticket) -> Event | None:
    """Raise the severity where the customer's new words say so; never lower it, and never against a person's choice."""
    if case.guess.severity.rank >= ticket.severity.rank:
        return None
    if any(event.what == "set_severity" and event.actor != "maild" for event in standing(case.told.events)):
        return None
    because = f"the customer's new message says so: {'; '.join(case.guess.because)}"
    return Event(case.received.received_at, "maild", "set_severity", because, {"to": str(case.guess.severity)})


def readers(office: Office, ticket: Ticket, at: datetime) -> tuple[Agent, ...]:
    """Give those who hear of a ticket's mail that comes at `at`: the team of its mailbox, while nobody has it.

    Else its assignee, and who stands in for him while he is away.
    """
    assignee = office.agent(ticket.assignee)
    if assignee is None:
        return office.team(office.mailbox(ticket.mailbox))
    deputy = _deputy(office, assignee, at)
    return (assignee, deputy.agent) if deputy else (assignee,)


def _deputy(office: Office, assignee: Agent | None, at: datetime) -> ToldOne | None:
    """Give who stands in for an assignee that is away; None where he is there, or nobody does."""
    here = present(ToldOne(assignee, "assignee"), office, at) if assignee else None
    return here if here is not None and here.agent != assignee else None


def notices(
    case: Case,
    office: Office,
    ticket: Ticket,
    clocks: tuple[ClockLine, ...],
    notes: tuple[str, ...],
    *,
    also: Agent | None = None,
) -> tuple[NoticeLetter, ...]:
    """Tell the agents of a mail, and `also` that one: each by a letter of his own, whose Reply-To is bound to him.

    Where the assignee is away when it comes, his deputy is told too, and why.
    """
    mailbox = office.mailbox(ticket.mailbox)
    fresh = ticket.state is State.NEW and ticket.opened_at == case.received.received_at
    at = case.received.received_at
    deputy = _deputy(office, office.agent(ticket.assignee), at)
    told = tuple(
        dict.fromkeys(
            (
                *readers(office, ticket, at),
                *(office.team(mailbox) if fresh else ()),
                *((also,) if also else ()),
            )
        )
    )
    letters = []
    for agent in told:
        if case.mail.sender and agent.address.lower() == case.mail.sender.key:
            continue
        key = f"notice:{ticket.number}:{case.received.id}:{agent.id}"
        letters.append(
            NoticeLetter(
                key=key,
                ticket=ticket,
                mail=case.mail,
                agent=agent.recipient,
                agent_id=agent.id,
                reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
                envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
                message_id=office.message_id(ticket.number, key),
                root_id=ticket.root_id,
                verified=case.trust.method,
                clocks=clocks,
                because=ticket.severity_because,
                placed_because=case.placement.because,
                notes=(*notes, *case.flags, *(deputy.notes if deputy and deputy.agent == agent else ())),
                warnings=_not_reached(case, office, ticket),
                opened=fresh,
            )
        )
    return tuple(letters)
