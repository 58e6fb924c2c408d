"""An agent's mail that goes no further: kept with the ticket, and its author told why where that helps him."""

from dataclasses import replace

from maild.desk.decision import Case, Decision, message_of, references_of
from maild.desk.office import Agent, Office
from maild.outbound.letters import HeldLetter, WordLetter
from maild.threading.token import Purpose
from maild.ticket import Event, Ticket

MOST_QUESTIONS = 10
"""How often an hour an agent is asked whether mail in his name is his: whoever forges it must not flood him."""


def held(case: Case, office: Office, ticket: Ticket, agent: Agent, doubt: str) -> Decision:
    """Keep a mail that bears an agent's address without proof: nothing is sent, no clock stops, he is asked."""
    because = f"it bears {agent.address}, an agent, but {doubt}: nothing was sent and no clock stops"
    decision = Decision(
        because,
        ticket=ticket,
        message=message_of(case, ticket.number, "unverified"),
        events=(Event(case.received.received_at, "maild", "held", because, {"message": case.received.id}),),
    )
    if case.asked >= MOST_QUESTIONS:
        return decision
    key = f"held:{ticket.number}:{case.received.id}"
    mailbox = office.mailbox(ticket.mailbox)
    letter = HeldLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        mail=case.mail,
        because=doubt,
        reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.RELEASE),
        envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
    )
    return replace(decision, letters=(letter,))


def kept(case: Case, ticket: Ticket, agent: Agent, because: str, kind: str = "agent") -> Decision:
    """Keep a mail in an agent's name with the ticket as a note; nobody is told. What nothing proves is no word of his."""
    actor = agent.id if kind == "agent" else "maild"
    return Decision(
        because,
        ticket=ticket,
        message=message_of(case, ticket.number, kind),
        references=references_of(case, ticket.number),
        events=(Event(case.received.received_at, actor, "agent_note", because, {"message": case.received.id}),),
    )


def not_relayed(case: Case, office: Office, ticket: Ticket, agent: Agent, because: str) -> Decision:
    """Keep an agent's mail with the ticket, and tell him that the customer did not get it."""
    key = f"word:{ticket.number}:{case.received.id}"
    mailbox = office.mailbox(ticket.mailbox)
    letter = WordLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        subject="your reply was not sent",
        lines=(
            f"Your mail was kept with the ticket: {because}.",
            "To answer the customer, reply to the notification of his mail. An answer to this mail goes nowhere.",
        ),
        quote=case.mail.new_text,
        reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.RELEASE),
        envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
        in_reply_to=case.mail.message_id,
    )
    return replace(kept(case, ticket, agent, because), letters=(letter,))
