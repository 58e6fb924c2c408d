"""Bounces and machines that answer: an event on the ticket they speak of, never a ticket, never a state.

With one exception: a reply that failed to reach the customer is no response. It is un-counted, the ticket is open
again, and the agent is told in the remote server's words.
"""

from dataclasses import replace
from datetime import datetime

from maild.desk.decision import Case, Decision, Told, answered, clocks_of, message_of
from maild.desk.office import Office
from maild.mail import Delivery, Origin
from maild.outbound.letters import WordLetter
from maild.threading.token import Purpose
from maild.ticket import Event, State, Ticket, Trigger, move

_TAKEN_FOR_THE_LATEST = "it names no reply of ours but came to their return path: taken for the latest one"


def on_report(case: Case, office: Office, now: datetime) -> Decision:
    """Decide on a bounce or an automatic answer."""
    ticket = case.ticket
    kind = "bounce" if case.mail.origin is Origin.BOUNCE else "automatic"
    if ticket is None:
        return Decision(
            f"kept without a ticket: {kind} mail opens none, and {case.placement.because} ({case.mail.origin_because})"
        )
    failed = _failed_reply(case)
    if failed is not None:
        bounced = on_failure(ticket, case.told, failed, case.received.received_at, office, now)
        return replace(bounced, message=message_of(case, ticket.number, "bounce"))
    failed = _latest_reply(case, ticket)
    if failed is not None:
        bounced = on_failure(ticket, case.told, failed, case.received.received_at, office, now)
        guessed = Event(
            case.received.received_at, "maild", "report", f"{_TAKEN_FOR_THE_LATEST} ({case.placement.because})"
        )
        return replace(bounced, events=(*bounced.events, guessed), message=message_of(case, ticket.number, "bounce"))
    words = "; ".join(
        f"{report.recipient} {report.action} {report.status} {report.diagnostic}".strip()
        for report in case.mail.delivery
    )
    because = f"{case.placement.because} ({case.mail.origin_because})"
    what = "report" if kind == "bounce" else "auto_reply_received"
    event = Event(case.received.received_at, "maild", what, because, {"delivery": words} if words else {})
    return Decision(because, ticket=ticket, message=message_of(case, ticket.number, kind), events=(event,))


def _failed_reply(case: Case) -> Delivery | None:
    replies = {str(event.data.get("ref")) for event in case.told.events if event.what == "agent_reply"}
    failed = (report for report in case.mail.delivery if report.action == "failed")
    return next((report for report in failed if report.original_message_id in replies), None)


def _latest_reply(case: Case, ticket: Ticket) -> Delivery | None:
    """Take a failure that names no reply of ours, but came to the return path of the replies to the customer, for the latest.

    Seen in practice: relays that put a Message-ID of their own into our mail (Amazon SES), and reports without the mail.
    """
    if case.placement.purpose is not Purpose.BOUNCE or case.placement.bearer != ticket.requester.key:
        return None
    relayed = [event for event in case.told.events if event.what == "agent_reply" and event.data.get("by") == "relay"]
    failed = next((report for report in case.mail.delivery if report.action == "failed"), None)
    if failed is None or not relayed:
        return None
    return replace(failed, original_message_id=str(relayed[-1].data.get("ref")))


def on_failure(ticket: Ticket, told: Told, report: Delivery, at: datetime, office: Office, now: datetime) -> Decision:
    """Decide on mail of ours that did not arrive: refused by the smarthost, or returned. `at` is when we learned of it.

    An agent's reply is un-counted and its author told; of anything else the ticket keeps an event.
    """
    said = report.diagnostic or report.status or "no reason given"
    replies = (event for event in told.events if event.what == "agent_reply")
    reply = next((event for event in replies if event.data.get("ref") == report.original_message_id), None)
    if reply is None:
        because = f"a mail of ours did not reach {report.recipient}: {said}"
        event = Event(at, "maild", "not_delivered", because, {"ref": report.original_message_id})
        return Decision(because, ticket=ticket, events=(event,), failed=(report.recipient,))
    because = f"the reply of {reply.actor} did not reach {report.recipient}: {said}"
    trigger = Trigger.RESUME if ticket.state is State.PENDING else Trigger.REOPEN
    state = move(ticket.state, trigger) or ticket.state
    reopened = state is State.OPEN and ticket.state is not State.OPEN
    events = (
        Event(at, "maild", "bounce", because, {"ref": report.original_message_id}),
        *((Event(at, "maild", "status", because, {"to": "open"}),) if reopened else ()),
    )
    after = replace(ticket, state=state, resolved_at=None if reopened else ticket.resolved_at)
    clocks = clocks_of(office, after, told.and_then(*events), now)
    return Decision(
        because=because,
        ticket=answered(after, clocks, f"an earlier reply; {because}"),
        clocks=clocks,
        events=events,
        letters=_tell_author(office, after, reply, report),
        failed=(report.recipient,),
    )


def _tell_author(office: Office, ticket: Ticket, reply: Event, report: Delivery) -> tuple[WordLetter, ...]:
    agent = office.agent(reply.actor)
    if agent is None:
        return ()
    key = f"undelivered:{ticket.number}:{report.original_message_id}:{report.recipient}"
    mailbox = office.mailbox(ticket.mailbox)
    letter = WordLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        subject="your reply could not be delivered",
        lines=(
            f"Your reply did not reach {report.recipient}. It does not count as a response, and the ticket is open.",
            f"The other side said: {report.diagnostic or report.status or 'nothing'}",
        ),
        quote="",
        reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
        envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
    )
    return (letter,)
