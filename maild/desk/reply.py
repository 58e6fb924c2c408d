"""An agent's mail on a ticket: proven, it goes to the customer and answers the clock; unproven, nothing happens but a question."""

from dataclasses import replace
from datetime import datetime

from maild.desk.aside import held, kept, not_relayed
from maild.desk.copies import with_copies
from maild.desk.decision import Case, Decision, answered, clocks_of, message_of, references_of
from maild.desk.merged import for_another, secrets, written_to
from maild.desk.office import Agent, Office
from maild.desk.participants import by_agent, copied, known_to_customer
from maild.ingest.automatic import speaks_of_absence
from maild.ingest.cut import below, cut_html, cut_text, holds, unquoted
from maild.ingest.quote import new_text
from maild.mail import Address, Origin
from maild.outbound.compose_relay import refusal
from maild.outbound.letters import RelayLetter
from maild.outbound.mark import MARK
from maild.threading import tags
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
    if because := _no_answer(case, ticket, agent):
        return kept(case, ticket, agent, because)
    if _reached_customer(case, ticket):
        return _direct(case, office, now, ticket, agent)
    text, html, missing = _own_words(case, ticket)
    why_not = _internal(case, office) or for_another(case, ticket) or _unreachable(office, ticket) or missing
    if why_not:
        return not_relayed(case, office, ticket, agent, why_not)
    return _relayed(case, office, now, ticket, agent, text, html)


def _no_answer(case: Case, ticket: Ticket, agent: Agent) -> str:
    """Say why a mail in an agent's name is no answer to the ticket's customer; "" where it may be one."""
    if case.mail.origin is not Origin.PERSON or speaks_of_absence(case.mail.subject):
        return f"no person wrote it ({case.mail.origin_because}): kept, not relayed"
    if other := written_to(case, ticket):
        return f"{agent.id} answered {other} directly, who is not the customer of this ticket: no clock stops"
    return ""


def _internal(case: Case, office: Office) -> str:
    """Say why a mail that does not use the agent's own reply address is meant for colleagues; "" where it is not."""
    if case.placement.purpose is Purpose.AGENT:
        return ""
    if case.forwarded is not None:
        return "it forwards a mail of a ticket that is there already, so it was taken for a word among yourselves"
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
    sender, placement = case.mail.sender, case.placement
    # A mail may be authenticated and bear the token, too: either is enough, unless the token is asked for.
    bears_his = sender is not None and placement.bearer == sender.key and placement.purpose is Purpose.AGENT
    if case.trust.proven and bears_his:
        return ""
    if case.trust.standing is not Standing.AUTHENTICATED:
        return case.trust.because
    if office.agents_need == "dmarc-or-token":
        return ""
    return f"it did not come to his own reply address, and auth.agents_need wants that ({case.trust.because})"


def _own_words(case: Case, ticket: Ticket) -> tuple[str, str | None, str]:
    """Give what the agent wrote, as text and as HTML, and why nothing can be sent ("" where it can).

    Where nothing stands above our line he may have answered below or in between: then only what he did not quote, and
    the customer's own words, may go; the rest of the quote is our notification, which is for agents.
    """
    text, cut = cut_text(case.mail.text, MARK)
    html, html_cut = cut_html(case.mail.html, MARK) if case.mail.html is not None else (None, True)
    if not cut and holds(case.mail.text, MARK):
        theirs = known_to_customer(case.messages, ticket, case.told.events)
        said = tuple(message.text for message in theirs if message.kind == "customer")
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
    named = by_agent(case, office, ticket, agent, case.received.received_at)
    after = replace(ticket, participants=named.participants)
    return _response(case, office, now, after, agent, because, (), named.events)


def _relayed(
    case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent, text: str, html: str | None
) -> Decision:
    key = f"relay:{ticket.number}:{case.received.id}"
    mailbox = office.mailbox(ticket.mailbox)
    theirs = known_to_customer(case.messages, ticket, case.told.events)
    known = tuple(one for one in theirs if one.kind == "customer")
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
        in_reply_to=known[-1].message_id if known else "",
        references=tuple(message.message_id for message in known if message.message_id)[-10:],
        reply_to=office.token_address(mailbox, ticket.number, ticket.requester.key, Purpose.CUSTOMER),
        envelope_from=office.token_address(mailbox, ticket.number, ticket.requester.key, Purpose.BOUNCE),
        hidden=tuple(other.address for other in office.agents),
        secrets=secrets(case, office, ticket),
        inscription=office.inscription(mailbox, ticket.number, ticket.requester.key),
        subject=tags.carried(ticket.subject, _subjects(theirs), office.desk.reference),
    )
    named = by_agent(case, office, ticket, agent, case.received.received_at)
    after = replace(ticket, participants=named.participants)
    letters = with_copies(letter, copied(after, case.messages, (*case.told.events, *named.events), office), office)
    unsendable = refusal(letters[0], office.desk)
    if unsendable:
        return not_relayed(case, office, ticket, agent, f"it cannot be sent to the customer: {unsendable}")
    because = f"{agent.id} answered ({case.trust.because}); relayed to {ticket.requester.key}"
    if letters[0].cc:
        because += f", copies to {', '.join(letters[0].cc)}"
    return _response(case, office, now, after, agent, because, letters, named.events)


def _subjects(messages: tuple[Message, ...]) -> tuple[str, ...]:
    """Give the subjects under which the customer's side and its machines wrote, the newest first."""
    return tuple(one.subject for one in reversed(messages) if one.kind in {"customer", "automatic"})


def _response(
    case: Case,
    office: Office,
    now: datetime,
    ticket: Ticket,
    agent: Agent,
    because: str,
    letters: tuple[RelayLetter, ...],
    further: tuple[Event, ...],
) -> Decision:
    event = Event(
        case.received.received_at,
        agent.id,
        "agent_reply",
        because,
        {
            "ref": letters[0].message_id if letters else case.mail.message_id,
            "message": case.received.id,
            "method": case.trust.method,
            "by": "relay" if letters else "direct",
            "recipient": ticket.requester.key,
            **({"copied": list(letters[0].cc)} if letters and letters[0].cc else {}),
        },
    )
    state = move(ticket.state, Trigger.AGENT_REPLY) or ticket.state
    after = replace(ticket, state=state, assignee=ticket.assignee or agent.id)
    assigned = (
        ()
        if ticket.assignee
        else (Event(case.received.received_at, "maild", "assigned", f"{agent.id} answered first", {"to": agent.id}),)
    )
    events = (event, *assigned, *further)
    clocks = clocks_of(office, after, case.told.and_then(*events), now)
    return Decision(
        because=because,
        ticket=answered(after, clocks, f"message {case.received.id} by {agent.id}, {because}"),
        message=message_of(case, ticket.number, "agent"),
        references=references_of(case, ticket.number),
        clocks=clocks,
        events=events,
        letters=letters,
        party=ticket.requester if letters else None,
    )
