"""Bounces and machines that answer: an event on the ticket they speak of, and no state.

With one exception: a reply that failed to reach the customer is no response. It is un-counted, the ticket is open
again, and the agent is told in the remote server's words. Anybody can write such a report, and every customer has the
Message-IDs of what he got: it is believed at the reply's own return path only, which nobody but the mail servers sees.
"""

import re
from dataclasses import replace
from datetime import datetime

from maild.desk.copies import FRESH, failed_copy, is_copy
from maild.desk.customer import open_ticket
from maild.desk.decision import Case, Decision, Told, answered, clocks_of, message_of
from maild.desk.office import Office
from maild.desk.past import family, replies
from maild.ingest.automatic import null_path
from maild.mail import Delivery, Origin
from maild.outbound.letters import WordLetter
from maild.threading import token
from maild.threading.token import Purpose
from maild.ticket import Event, State, Ticket, Trigger, move

_PERMANENT = re.compile(r"5\d\d\b")
_TAKEN_FOR_THE_LATEST = "it names no reply of ours but came to their return path: taken for the latest one"


def on_report(case: Case, office: Office, now: datetime) -> Decision:
    """Decide on a bounce or an automatic answer."""
    ticket = case.ticket
    if ticket is None:
        return _homeless(case, office, now)
    if copy := failed_copy(case, office, ticket):
        failed = on_failure(ticket, case.told, copy, case.received.received_at, office, now)
        return replace(failed, message=message_of(case, ticket.number, _kind(case.mail.origin)))
    named = _failed_reply(case, ticket)
    claimed = named or _latest_reply(case, office, ticket)
    if claimed is None:
        return _noted(case, ticket, "")
    report, reply = claimed
    counts = f"the reply of {reply.actor} counts all the same"
    customer = str(reply.data["recipient"])
    if _heard_from(case, customer, reply):
        return _noted(case, ticket, f"{counts}: {customer} wrote after it")
    if doubt := _doubt(case, office, ticket, report, reply):
        letters = _tell_of_doubt(office, ticket, reply, report, doubt)
        return replace(_noted(case, ticket, f"{counts}: {doubt}"), letters=letters)
    at = case.received.received_at
    address = ticket.requester.address if customer == ticket.requester.key else customer
    reported = replace(report, recipient=address, original_message_id=str(reply.data.get("ref")))
    bounced = on_failure(ticket, case.told, reported, at, office, now)
    words = f"{_TAKEN_FOR_THE_LATEST} ({case.placement.because})"
    guessed = () if named else (Event(at, "maild", "report", words),)
    return replace(
        bounced, events=(*bounced.events, *guessed), message=message_of(case, ticket.number, _kind(case.mail.origin))
    )


def _kind(origin: Origin) -> str:
    return "bounce" if origin is Origin.BOUNCE else "automatic"


def _homeless(case: Case, office: Office, now: datetime) -> Decision:
    """Keep a report that belongs to no ticket. What bears a reverse-path may be a person's after all: that opens one."""
    because = f"{case.placement.because} ({case.mail.origin_because})"
    ours = _names_ours(case, office) or office.agent_of(case.mail.sender) is not None
    if null_path(case.received.mail_from) or ours:
        return Decision(f"kept without a ticket: {_kind(case.mail.origin)} mail opens none, and {because}")
    note = (
        f"It looks like a machine's report or answer ({case.mail.origin_because}), but to no mail of ours: please look."
    )
    return open_ticket(case, office, now, (note,))


def _names_ours(case: Case, office: Office) -> bool:
    inner = (report.original_message_id for report in case.mail.delivery)
    named = (*inner, *case.mail.in_reply_to, *case.mail.references)
    return any(token.read_own_id(msgid, office.keys) is not None for msgid in named)


def _noted(case: Case, ticket: Ticket, doubt: str) -> Decision:
    words = _words(case.mail.delivery)
    because = f"{case.placement.because} ({case.mail.origin_because})" + (f"; {doubt}" if doubt else "")
    kind = _kind(case.mail.origin)
    what = "report" if kind == "bounce" else "auto_reply_received"
    event = Event(case.received.received_at, "maild", what, because, {"delivery": words} if words else {})
    return Decision(because, ticket=ticket, message=message_of(case, ticket.number, kind), events=(event,))


def _words(reports: tuple[Delivery, ...]) -> str:
    return "; ".join(
        f"{report.recipient} {report.action} {report.status} {report.diagnostic}".strip() for report in reports
    )


def _failed_reply(case: Case, ticket: Ticket) -> tuple[Delivery, Event] | None:
    sent = {str(event.data.get("ref")): event for event in replies(ticket, case.told.events)}
    failed = (report for report in case.mail.delivery if report.action == "failed")
    return next(
        ((report, sent[report.original_message_id]) for report in failed if report.original_message_id in sent),
        None,
    )


def _latest_reply(case: Case, office: Office, ticket: Ticket) -> tuple[Delivery, Event] | None:
    """Take a failure that names no reply of ours, but came to the return path of the replies to the customer, for the latest.

    Seen in practice: relays that put a Message-ID of their own into our mail (Amazon SES), and reports without the mail.
    """
    whose = _came_back(case, office, ticket)
    sent = replies(ticket, case.told.events)
    relayed = [event for event in sent if event.data.get("by") == "relay" and event.data["recipient"] == whose]
    failed = next((report for report in case.mail.delivery if report.action == "failed"), None)
    if failed is None or not relayed:
        return None
    return failed, relayed[-1]


def _came_back(case: Case, office: Office, ticket: Ticket) -> str:
    """Give the customer to whom our replies bear the return path that a report came to, and no other mail; "" for no such.

    It is read off the recipient: a placement by the id in the report does not tell, and a closed ticket's token still does.
    """
    _, detail = office.mailbox_of(case.received.rcpt) or (None, "")
    claimed = token.read(detail)
    customers = family(ticket, case.told.events)
    if claimed is None or claimed.purpose is not Purpose.BOUNCE or claimed.ticket not in customers:
        return ""
    return token.bearer(claimed, office.keys, (customers[claimed.ticket],)) or ""


def _doubt(case: Case, office: Office, ticket: Ticket, report: Delivery, reply: Event) -> str:
    """Say in words why a report is not believed that a reply failed; "" where it is."""
    customer = reply.data["recipient"]
    returned = _came_back(case, office, ticket) == customer
    if not returned and office.mailbox(ticket.mailbox).separator:
        return "the report did not come to the return path of that reply"
    if not returned and not null_path(case.received.mail_from):
        return f"the report came from {case.received.mail_from}, and true ones have no sender"
    if report.recipient.lower() not in {"", customer}:
        return f"it speaks of {report.recipient}, and the reply went to {customer}"
    if case.received.received_at - reply.at >= FRESH:
        return f"the reply left more than {FRESH.days} days before it"
    return ""


def _heard_from(case: Case, customer: str, reply: Event) -> bool:
    """Say whether that customer wrote after a reply: whoever does so can be reached."""
    return any(
        event.what == "customer_message" and event.actor == customer and event.at > reply.at
        for event in case.told.events
    )


def on_failure(ticket: Ticket, told: Told, report: Delivery, at: datetime, office: Office, now: datetime) -> Decision:
    """Decide on mail of ours that did not arrive: refused by the smarthost, or returned. `at` is when we learned of it.

    An agent's reply is un-counted and its author told. Of a copy its author is told, and the reply counts; of anything
    else the ticket keeps an event.
    """
    said = report.diagnostic or report.status or "no reason given"
    sent = replies(ticket, told.events)
    reply = next((event for event in sent if event.data.get("ref") == report.original_message_id), None)
    if reply is None or is_copy(reply, report):
        what = f"a copy of the reply of {reply.actor}" if reply else "a mail of ours"
        because = f"{what} did not reach {report.recipient}: {said}"
        final = reply is not None and _for_good(report)
        because += ": he gets no more copies until he writes, or is named again" if final else ""
        data = {"to": report.recipient.lower(), "final": True} if final else {}
        event = Event(at, "maild", "not_delivered", because, {"ref": report.original_message_id, **data})
        letters = _tell_of_copy(office, ticket, reply, report) if reply else ()
        return Decision(because, ticket=ticket, events=(event,), letters=letters, failed=(report.recipient,))
    because = f"the reply of {reply.actor} did not reach {report.recipient}: {said}"
    trigger = Trigger.RESUME if ticket.state is State.PENDING else Trigger.REOPEN
    state = move(ticket.state, trigger) or ticket.state
    reopened = state is State.OPEN and ticket.state is not State.OPEN
    events = (
        Event(at, "maild", "bounce", because, {"ref": report.original_message_id}),
        *((Event(at, "maild", "status", because, {"to": "open"}),) if reopened else ()),
    )
    after = replace(
        ticket,
        state=state,
        resolved_at=None if reopened else ticket.resolved_at,
        closed_at=None if reopened else ticket.closed_at,
    )
    clocks = clocks_of(office, after, told.and_then(*events), now)
    return Decision(
        because=because,
        ticket=answered(after, clocks, f"an earlier reply; {because}"),
        clocks=clocks,
        events=events,
        letters=_tell_author(office, after, reply, report),
        failed=(report.recipient,),
    )


def _for_good(report: Delivery) -> bool:
    """Say whether trying again is of no use (RFC 3463 class 5, RFC 5321 section 4.2.1)."""
    return report.status.startswith("5") or (not report.status and _PERMANENT.match(report.diagnostic) is not None)


def _tell_author(office: Office, ticket: Ticket, reply: Event, report: Delivery) -> tuple[WordLetter, ...]:
    return _letter(
        office,
        ticket,
        reply,
        f"undelivered:{ticket.number}:{report.original_message_id}:{report.recipient}",
        "your reply could not be delivered",
        (
            f"Your reply did not reach {report.recipient}. It does not count as a response, and the ticket is open.",
            f"The other side said: {report.diagnostic or report.status or 'nothing'}",
        ),
    )


def _tell_of_copy(office: Office, ticket: Ticket, reply: Event, report: Delivery) -> tuple[WordLetter, ...]:
    return _letter(
        office,
        ticket,
        reply,
        f"copy:{ticket.number}:{report.original_message_id}:{report.recipient}",
        "a copy of your reply could not be delivered",
        (
            f"The copy of your reply for {report.recipient} did not arrive. Your reply to the customer counts.",
            f"The other side said: {report.diagnostic or report.status or 'nothing'}",
            f"He gets no more copies until he writes, or you say so: maild ticket cc {ticket.number} {report.recipient}"
            if _for_good(report)
            else f"No more copies for him: maild ticket cc {ticket.number} {report.recipient} --remove",
        ),
    )


def _tell_of_doubt(
    office: Office, ticket: Ticket, reply: Event, report: Delivery, doubt: str
) -> tuple[WordLetter, ...]:
    """Tell the author once a reply, however often it is claimed: whoever forges reports must not flood him."""
    return _letter(
        office,
        ticket,
        reply,
        f"doubted:{ticket.number}:{reply.data.get('ref')}",
        "a report says that your reply failed; it was not believed",
        (
            f"A mail claims that your reply did not reach {report.recipient or ticket.requester.key}.",
            f"It was not believed: {doubt}. Your reply counts, and the ticket stays as it is.",
            "If the customer does not answer, ask by another way whether your reply arrived.",
        ),
        _words((report,)),
    )


def _letter(
    office: Office,
    ticket: Ticket,
    reply: Event,
    key: str,
    subject: str,
    lines: tuple[str, ...],
    quote: str = "",
) -> tuple[WordLetter, ...]:
    agent = office.agent(reply.actor)
    if agent is None:
        return ()
    mailbox = office.mailbox(ticket.mailbox)
    letter = WordLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        subject=subject,
        lines=lines,
        quote=quote,
        reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
        envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
    )
    return (letter,)
