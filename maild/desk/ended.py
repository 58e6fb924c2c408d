"""A customer's mail on a ticket that was resolved or closed: it reopens it, is a word of thanks, or comes too late."""

from dataclasses import replace
from datetime import datetime

from maild.desk.customer import Link, follow, notices, open_ticket
from maild.desk.decision import Case, Decision, Told, clock_lines, message_of, references_of
from maild.desk.office import Office
from maild.desk.reopening import continues, too_late
from maild.desk.thanks import only_thanks
from maild.mail import Origin
from maild.threading.place import Placement, Rung
from maild.ticket import Event, State, Ticket
from maild.trust import Standing


def on_ended(case: Case, office: Office, now: datetime, ticket: Ticket, admitted_because: str) -> Decision:
    """Decide on a mail of the customer's side, whatever the state; only a person's is more than one that is filed."""
    ended = ticket.state in {State.RESOLVED, State.CLOSED}
    if not ended or case.mail.origin is not Origin.PERSON or case.trust.standing is Standing.FAILED:
        return follow(case, office, now, ticket, admitted_because)
    if only_thanks(case.mail, ticket.subject, tuple(agent.name for agent in office.agents)):
        return _thanked(case, office, ticket, admitted_because)
    if too_late(ticket, office.window, case.received.received_at):
        return _continued(case, office, now, ticket)
    return follow(case, office, now, ticket, admitted_because)


def _thanked(case: Case, office: Office, ticket: Ticket, admitted_because: str) -> Decision:
    """File a word of thanks: no state changes and no clock runs."""
    sender = case.mail.sender
    because = f"{case.placement.because}; {admitted_because}; it says thank you and nothing else: not reopened"
    actor = sender.key if sender else "unknown"
    note = f"Taken for a word of thanks: it stays {ticket.state}. If it is more: `maild ticket reopen {ticket.number}`."
    told = clock_lines(tuple((clock, None) for clock in case.told.clocks))
    return Decision(
        because=f"it belongs to ticket {ticket.number}: {because}",
        ticket=ticket,
        message=message_of(case, ticket.number, "customer"),
        references=references_of(case, ticket.number),
        events=(Event(case.received.received_at, actor, "thanks", because, {"message": case.received.id}),),
        letters=notices(case, office, ticket, told, (note,)),
        party=sender if case.trust.proven else None,
    )


def _continued(case: Case, office: Office, now: datetime, ticket: Ticket) -> Decision:
    """Open a ticket for what goes on with one that is closed for good."""
    words = continues(ticket, office.window, office.desk.reference, case.received.received_at)
    because = f"placed at ticket {ticket.number} ({case.placement.because}), which is closed for good"
    apart = replace(case, placement=Placement(None, Rung.NEW, because), ticket=None, told=Told(), messages=())
    link = Link(ticket.number, "it continues that ticket, which is closed for good", there="continued")
    return open_ticket(apart, office, now, (words,), link)
