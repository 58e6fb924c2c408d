"""A message that was delivered before: to another of our addresses, or once more to the same."""

from dataclasses import replace

from maild.desk.customer import notices, readers
from maild.desk.decision import Case, Decision, clock_lines
from maild.desk.office import Office
from maild.mail import Origin
from maild.outbound.letters import NoticeLetter
from maild.ticket import Event, Message, Ticket

TAKEN_UP = "taken_up"


def second_delivery(case: Case, office: Office, twin: Message) -> Decision:
    """Note the further recipient on the message. The people of a further mailbox hear of the ticket, once."""
    because = f"it is message {twin.id} of ticket {twin.ticket} again, delivered to {case.received.rcpt}"
    event = Event(case.received.received_at, "maild", "duplicate_delivery", because)
    return Decision(
        because,
        ticket=case.ticket,
        events=(event,) if case.ticket else (),
        letters=_to_the_others(case, office, case.ticket, twin) if case.ticket else (),
        further_recipient=(twin.id, case.received.rcpt),
    )


def forestalled(case: Case, twin: Message) -> bool:
    """Say whether a person's message was taken for a machine's when it came before, and nobody took it up since.

    A list on one of two ways adds its fields; and whoever got a copy could be faster than its writer, with fields of his own.
    """
    known = any(event.what == TAKEN_UP and event.data.get("message") == twin.id for event in case.told.events)
    return case.mail.origin is Origin.PERSON and twin.kind in {"automatic", "bulk", "bounce"} and not known


def taken_up(case: Case, twin: Message) -> Event:
    """Note that a message is read as a person's from now on."""
    because = f"message {twin.id} came again, as a person's: it was taken for {twin.kind} mail before"
    return Event(case.received.received_at, "maild", TAKEN_UP, because, {"message": twin.id})


def _to_the_others(case: Case, office: Office, ticket: Ticket, twin: Message) -> tuple[NoticeLetter, ...]:
    """Tell those agents of the mailbox it came to now who did not hear of it when it came to the first one."""
    before = {found[0].address for rcpt in twin.recipients if (found := office.mailbox_of(rcpt))}
    if case.mailbox.address in before | {ticket.mailbox} or twin.kind != "customer":
        return ()
    first = {*office.team(office.mailbox(ticket.mailbox)), *readers(office, ticket, case.received.received_at)}
    others = tuple(agent for agent in office.team(case.mailbox) if agent not in first)
    note = (
        f"The same mail was addressed to {ticket.mailbox}: it is one ticket there, for both of you. "
        f"You hear of it because it came to {case.mailbox.address} too."
    )
    told = clock_lines(tuple((clock, None) for clock in case.told.clocks))
    placed = replace(case, placement=replace(case.placement, because=twin.placed_because))
    return tuple(
        letter
        for agent in others
        for letter in notices(placed, office, ticket, told, (note,), also=agent)
        if letter.agent_id == agent.id
    )
