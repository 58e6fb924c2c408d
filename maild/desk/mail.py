"""What becomes of a mail: second delivery, report, agent's reply, customer's message, or a new ticket."""

from dataclasses import replace
from datetime import datetime

from maild.desk.answering import answering
from maild.desk.customer import Link, open_ticket
from maild.desk.decision import Case, Decision, Told, message_of
from maild.desk.ended import on_ended
from maild.desk.forward import on_forward
from maild.desk.merged import for_another
from maild.desk.no_ticket import on_no_ticket
from maild.desk.office import Office
from maild.desk.order import on_order
from maild.desk.reply import doubt_of, on_reply
from maild.desk.report import on_report
from maild.desk.twice import forestalled, second_delivery, taken_up
from maild.ingest.automatic import answers_by_itself
from maild.mail import Origin
from maild.threading.admission import admit
from maild.threading.place import Placement, Rung
from maild.ticket import Event, Ticket
from maild.trust import Standing


def on_mail(case: Case, office: Office, now: datetime) -> Decision:
    """Decide what becomes of a mail. What it becomes is in `Decision.because`, and so is the reason."""
    twin = case.twin
    if twin is not None and twin.kind == "unverified" and not doubt_of(case, office):
        return replace(_afresh(case, office, now), message=None, further_recipient=(twin.id, case.received.rcpt))
    if twin is not None and forestalled(case, twin):
        decision = _afresh(case, office, now)
        further = (twin.id, case.received.rcpt)
        return replace(
            decision, message=None, further_recipient=further, events=(*decision.events, taken_up(case, twin))
        )
    if twin is not None:
        return second_delivery(case, office, twin)
    decision = _afresh(case, office, now)
    if decision.message is None or not case.flags:
        return decision
    flagged = (Event(case.received.received_at, "maild", "flagged", flag) for flag in case.flags)
    return replace(decision, events=(*decision.events, *flagged))


def _afresh(case: Case, office: Office, now: datetime) -> Decision:
    if case.mail.origin is Origin.OWN:
        return _own(case)
    if not case.spam:
        return _wanted(case, office, now)
    if not _ours_to_read(case):
        return Decision(f"{case.spam}, says a trusted hop: no ticket, no answer, no clock", spam=True)
    decision = _wanted(case, office, now)
    because = f"{case.spam}, says a trusted hop, but it belongs here: {case.placement.because}"
    overruled = Event(case.received.received_at, "maild", "spam_overruled", because, {"message": case.received.id})
    return replace(decision, events=(*decision.events, overruled))


def _ours_to_read(case: Case) -> bool:
    """Say whether a mail is part of a conversation beyond doubt: what answers us with our token, or is proven."""
    ours = case.placement.rung in {Rung.REPORT, Rung.TOKEN, Rung.OWN_ID} or case.trust.proven
    return case.ticket is not None and ours and case.trust.standing is not Standing.FAILED


def _wanted(case: Case, office: Office, now: datetime) -> Decision:
    automatic = case.mail.origin is Origin.AUTOMATIC
    if case.mail.origin is Origin.BOUNCE or (
        automatic and answers_by_itself(case.mail, null=not case.received.mail_from)
    ):
        return on_report(case, office, now)
    return _from_somebody(case, office, now)


def _own(case: Case) -> Decision:
    because = f"one of our own mails came back: {case.mail.origin_because}"
    if case.ticket is None:
        return Decision(because)
    event = Event(case.received.received_at, "maild", "own_mail", because)
    return Decision(
        because, ticket=case.ticket, message=message_of(case, case.ticket.number, "automatic"), events=(event,)
    )


def _from_somebody(case: Case, office: Office, now: datetime) -> Decision:
    ticket = case.ticket
    writer = office.agent_of(case.mail.sender)
    if writer is not None and (lost := on_no_ticket(case, office, writer, now)):
        return lost
    if ticket is None:
        return on_forward(case, office, now) or _opened(case, office, now)
    agent = office.agent_of(case.mail.sender)
    ordered = on_order(case, office, now, ticket, agent) if agent and not for_another(case, ticket) else None
    if ordered is not None:
        return ordered
    if agent is not None and agent.address.lower() != ticket.requester.key:
        return answering(case, office, now, agent, on_reply(case, office, now, ticket, agent))
    # The ticket's own mailbox says who may join it, not the one that the mail was sent to.
    admission = admit(case.mail.sender, ticket, office.agent_keys, office.mailbox(ticket.mailbox).admit)
    if not admission.admitted:
        return _apart(case, office, now, ticket, admission.because)
    return on_ended(case, office, now, ticket, admission.because)


def _opened(case: Case, office: Office, now: datetime) -> Decision:
    near = case.placement.near
    if near is None:
        return open_ticket(case, office, now, ())
    note = f"Maybe related to [{office.desk.reference} #{near.ticket}]: {near.because}."
    return open_ticket(case, office, now, (note,), Link(near.ticket, f"maybe related: {near.because}"))


def _apart(case: Case, office: Office, now: datetime, ticket: Ticket, why: str) -> Decision:
    note = f"Its mail was placed at [{office.desk.reference} #{ticket.number}] ({case.placement.because}), but {why}: opened apart."
    apart = replace(case, placement=Placement(None, Rung.NEW, f"placed at ticket {ticket.number}, but {why}"))
    return open_ticket(
        replace(apart, ticket=None, told=Told(), messages=()),
        office,
        now,
        (note,),
        Link(ticket.number, "nearly joined"),
    )
