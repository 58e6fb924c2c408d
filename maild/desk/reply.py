"""An agent's mail on a ticket: proven, it goes to the customer and answers the clock; unproven, nothing happens but a question."""

from dataclasses import replace
from datetime import datetime

from maild.desk.decision import Case, Decision, answered, clocks_of, message_of, references_of
from maild.desk.office import Agent, Office
from maild.ingest.cut import cut_html, cut_text
from maild.mail import Address, Origin
from maild.outbound.compose_relay import refusal
from maild.outbound.letters import HeldLetter, RelayLetter, WordLetter
from maild.outbound.mark import MARK
from maild.threading.token import Purpose
from maild.ticket import Event, Message, Ticket, Trigger, move
from maild.trust import Standing


def on_reply(case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent) -> Decision:
    """Decide on a mail that bears an agent's address. From alone is never authority."""
    doubt = _doubt(case, office)
    if doubt:
        return _held(case, office, ticket, agent, doubt)
    if case.mail.origin is not Origin.PERSON:
        return _kept(
            case, ticket, agent, "agent_note", f"no person wrote it ({case.mail.origin_because}): kept, not relayed"
        )
    if _reached_customer(case, ticket):
        return _direct(case, office, now, ticket, agent)
    text, html = _own_words(case)
    if not text.strip() and not case.mail.attachments:
        return _not_relayed(
            case, office, ticket, agent, "it says nothing above the quoted mail: nothing was sent to the customer"
        )
    if not ticket.requester.domain:
        return _not_relayed(case, office, ticket, agent, "the customer's address is not known: nothing could be sent")
    return _relayed(case, office, now, ticket, agent, text, html)


def _doubt(case: Case, office: Office) -> str:
    if case.trust.standing is Standing.TOKEN and case.placement.purpose is Purpose.AGENT:
        return ""
    if case.trust.standing is Standing.AUTHENTICATED and office.agents_need == "dmarc-or-token":
        return ""
    return case.trust.because


def _own_words(case: Case) -> tuple[str, str | None]:
    text, _ = cut_text(case.mail.text, MARK)
    html = cut_html(case.mail.html, MARK)[0] if case.mail.html is not None else None
    return text, html


def _reached_customer(case: Case, ticket: Ticket) -> bool:
    return ticket.requester.key in {address.key for address in (*case.mail.to, *case.mail.cc)}


def _held(case: Case, office: Office, ticket: Ticket, agent: Agent, doubt: str) -> Decision:
    because = f"it bears {agent.address}, an agent, but {doubt}: nothing was sent and no clock stops"
    hour = case.received.received_at.strftime("%Y%m%d%H")
    key = f"held:{ticket.number}:{agent.id}:{hour}"
    mailbox = office.mailbox(ticket.mailbox)
    letter = HeldLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        mail=case.mail,
        because=doubt,
        reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
        envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
    )
    event = Event(case.received.received_at, "maild", "held", because, {"message": case.received.id})
    return Decision(
        because,
        ticket=ticket,
        message=message_of(case, ticket.number, "unverified"),
        events=(event,),
        letters=(letter,),
    )


def _kept(case: Case, ticket: Ticket, agent: Agent, what: str, because: str) -> Decision:
    event = Event(case.received.received_at, agent.id, what, because, {"message": case.received.id})
    message = message_of(case, ticket.number, "agent")
    return Decision(
        because, ticket=ticket, message=message, references=references_of(case, ticket.number), events=(event,)
    )


def _not_relayed(case: Case, office: Office, ticket: Ticket, agent: Agent, because: str) -> Decision:
    key = f"word:{ticket.number}:{case.received.id}"
    mailbox = office.mailbox(ticket.mailbox)
    letter = WordLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        subject="your reply was not sent",
        lines=(f"Your mail was kept with the ticket: {because}.",),
        quote=case.mail.new_text,
        reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
        envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
        in_reply_to=case.mail.message_id,
    )
    return replace(_kept(case, ticket, agent, "agent_note", because), letters=(letter,))


def _direct(case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent) -> Decision:
    because = f"{agent.id} answered {ticket.requester.key} directly, with the desk in copy ({case.trust.because})"
    return _response(case, office, now, ticket, agent, because, case.mail.message_id, None)


def _relayed(
    case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent, text: str, html: str | None
) -> Decision:
    key = f"relay:{ticket.number}:{case.received.id}"
    mailbox = office.mailbox(ticket.mailbox)
    last = _last_of_customer(case.messages)
    letter = RelayLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        mail=case.mail,
        text=text,
        html=html,
        mailbox=mailbox.address,
        to=Address(ticket.requester.name, ticket.requester.address),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
        in_reply_to=last.message_id if last else "",
        references=tuple(
            message.message_id for message in case.messages if message.kind == "customer" and message.message_id
        )[-10:],
        reply_to=office.token_address(mailbox, ticket.number, ticket.requester.key, Purpose.CUSTOMER),
        envelope_from=office.token_address(mailbox, ticket.number, ticket.requester.key, Purpose.BOUNCE),
        hidden=tuple(other.address for other in office.agents),
    )
    unsendable = refusal(letter, office.desk)
    if unsendable:
        return _not_relayed(case, office, ticket, agent, f"it cannot be sent to the customer: {unsendable}")
    because = f"{agent.id} answered ({case.trust.because}); relayed to {ticket.requester.key}"
    return _response(case, office, now, ticket, agent, because, letter.message_id, letter)


def _last_of_customer(messages: tuple[Message, ...]) -> Message | None:
    return next((message for message in reversed(messages) if message.kind == "customer"), None)


def _response(
    case: Case,
    office: Office,
    now: datetime,
    ticket: Ticket,
    agent: Agent,
    because: str,
    sent_id: str,
    letter: RelayLetter | None,
) -> Decision:
    event = Event(
        case.received.received_at,
        agent.id,
        "agent_reply",
        because,
        {
            "ref": sent_id,
            "message": case.received.id,
            "method": case.trust.method,
            "by": "relay" if letter else "direct",
        },
    )
    state = move(ticket.state, Trigger.AGENT_REPLY) or ticket.state
    after = replace(ticket, state=state, assignee=ticket.assignee or agent.id)
    assigned = (
        ()
        if ticket.assignee
        else (Event(case.received.received_at, "maild", "assigned", f"{agent.id} answered first", {"to": agent.id}),)
    )
    events = (event, *assigned)
    clocks = clocks_of(office, after, case.told.and_then(*events), now)
    return Decision(
        because=because,
        ticket=answered(after, clocks, f"message {case.received.id} by {agent.id}, {because}"),
        message=message_of(case, ticket.number, "agent"),
        references=references_of(case, ticket.number),
        clocks=clocks,
        events=events,
        letters=(letter,) if letter else (),
    )
