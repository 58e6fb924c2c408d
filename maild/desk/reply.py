"""An agent's mail on a ticket: proven, it goes to the customer and answers the clock; unproven, nothing happens but a question."""

from dataclasses import replace
from datetime import datetime

from maild.desk.aside import held, kept, not_relayed
from maild.desk.decision import Case, Decision, answered, clocks_of, message_of, references_of
from maild.desk.office import Agent, Office
from maild.ingest.automatic import speaks_of_absence
from maild.ingest.cut import below, cut_html, cut_text, holds, unquoted
from maild.ingest.quote import new_text
from maild.mail import Address, Origin
from maild.outbound.compose_relay import refusal
from maild.outbound.letters import RelayLetter
from maild.outbound.mark import MARK
from maild.threading.token import Purpose
from maild.ticket import Event, Message, Ticket, Trigger, move
from maild.trust import Standing


def on_reply(case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent) -> Decision:
    """Decide on a mail that bears an agent's address. From alone is never authority."""
    doubt = doubt_of(case, office)
    if case.placement.purpose in {Purpose.BOUNCE, Purpose.RELEASE}:
        because = "it answers a mail of ours that wants no answer: kept, not relayed"
        return kept(case, ticket, agent, because, "unverified" if doubt else "agent")
    if doubt:
        return held(case, office, ticket, agent, doubt)
    if case.mail.origin is not Origin.PERSON or speaks_of_absence(case.mail.subject):
        return kept(case, ticket, agent, f"no person wrote it ({case.mail.origin_because}): kept, not relayed")
    if _reached_customer(case, ticket):
        return _direct(case, office, now, ticket, agent)
    text, html, missing = _own_words(case)
    why_not = _internal(case, office) or _unreachable(office, ticket) or missing
    if why_not:
        return not_relayed(case, office, ticket, agent, why_not)
    return _relayed(case, office, now, ticket, agent, text, html)


def _internal(case: Case, office: Office) -> str:
    """Say why a mail that does not use the agent's own reply address is meant for colleagues; "" where it is not."""
    if case.placement.purpose is Purpose.AGENT:
        return ""
    if any(office.agent_of(address) is not None for address in case.mail.to):
        return "it is addressed to a colleague, so it was taken for a word among yourselves"
    if not any(office.mailbox_of(address.address) for address in case.mail.to):
        return "the desk was only in copy, so it was taken for a word among yourselves"
    return ""


def _unreachable(office: Office, ticket: Ticket) -> str:
    if not ticket.requester.domain:
        return "the customer's address is not known: nothing could be sent"
    if office.mailbox_of(ticket.requester.address) is not None:
        return "the customer's address is the desk's own: nothing could be sent"
    return ""


def doubt_of(case: Case, office: Office) -> str:
    """Say why an agent's mail is not believed to be his; "" where it is proven."""
    if case.trust.standing is Standing.TOKEN and case.placement.purpose is Purpose.AGENT:
        return ""
    if case.trust.standing is Standing.AUTHENTICATED and office.agents_need == "dmarc-or-token":
        return ""
    return case.trust.because


def _own_words(case: Case) -> tuple[str, str | None, str]:
    """Give what the agent wrote, as text and as HTML, and why nothing can be sent ("" where it can).

    Where nothing stands above our line he may have answered below or in between: then only what he did not quote, and
    the customer's own words, may go; the rest of the quote is our notification, which is for agents.
    """
    text, cut = cut_text(case.mail.text, MARK)
    html, html_cut = cut_html(case.mail.html, MARK) if case.mail.html is not None else (None, True)
    if not cut and holds(case.mail.text, MARK):
        said = tuple(message.text for message in case.messages if message.kind == "customer")
        text, html = below(case.mail.text, MARK, said), None
    elif not html_cut and html is not None and holds(html, MARK):
        html = None
    if _says_something(text) or case.mail.attachments:
        return text, html, ""
    return text, html, "it says nothing of its own above the line: nothing was sent to the customer"


def _says_something(text: str) -> bool:
    """Say whether anything stands there but quotes and a signature, which is one only below something else."""
    return new_text(f"-\n\n{unquoted(text)}").strip() not in {"", "-"}


def _reached_customer(case: Case, ticket: Ticket) -> bool:
    return ticket.requester.key in {address.key for address in (*case.mail.to, *case.mail.cc)}


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
        secrets=office.agent_tokens(ticket.number),
    )
    unsendable = refusal(letter, office.desk)
    if unsendable:
        return not_relayed(case, office, ticket, agent, f"it cannot be sent to the customer: {unsendable}")
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
        party=ticket.requester if letter else None,
    )
