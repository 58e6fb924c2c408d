"""Copies of an agent's answer, and the operator's word on who gets them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from maild.desk.decision import Case, Told
from maild.desk.office import Office
from maild.desk.participants import MOST, By, has_room, is_ours, standings, unreachable, unsendable
from maild.desk.past import family, replies
from maild.ingest.automatic import null_path
from maild.mail import Address, Delivery
from maild.outbound.compose_relay import mentionable
from maild.outbound.letters import RelayLetter
from maild.threading import token
from maild.threading.token import Purpose
from maild.ticket import Event, Ticket

FRESH = timedelta(days=7)
"""How long after a reply a report of its failure is believed: mail servers give up after five days (RFC 5321 section 4.5.4.1)."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Let an address take part in a ticket and get copies of what the agents answer; or no longer (`remove`)."""

    to: str
    remove: bool = False


def copied_by_hand(
    ticket: Ticket, told: Told, command: Copy, office: Office, actor: str, now: datetime
) -> tuple[Ticket, Event] | str:
    """Give the ticket with one participant more or less and the event of it, or why it cannot be."""
    address = command.to.strip().lower()
    if address == ticket.requester.key:
        return f"{address} is the customer of ticket {ticket.number}, who gets every answer"
    if command.remove:
        return _removed(ticket, address, actor, now)
    if why_not := _unwelcome(ticket, told, address, office):
        return why_not
    words = f"{actor} let {address} take part: he gets a copy of every answer"
    data = {"address": address, "by": str(By.AGENT), "before": {"participants": list(ticket.participants)}}
    event = Event(now, actor, "participant_added", words, data)
    return replace(ticket, participants=tuple(dict.fromkeys((*ticket.participants, address)))), event


def _unwelcome(ticket: Ticket, told: Told, address: str, office: Office) -> str:
    if fault := unsendable(address):
        return f"{fault}: write it as name@domain"
    if is_ours(office, address):
        return f"{address} is an address of the desk or of an agent, who read the ticket anyway"
    taking_part = standings(ticket, told.events)
    if taking_part.get(address) is By.AGENT and address not in unreachable((), told.events):
        return f"{address} gets copies of ticket {ticket.number} already"
    if not has_room({other: by for other, by in taking_part.items() if other != address}, By.AGENT):
        return f"{MOST} take part in ticket {ticket.number} already: take one out first, with --remove"
    return ""


def _removed(ticket: Ticket, address: str, actor: str, now: datetime) -> tuple[Ticket, Event] | str:
    if address not in ticket.participants:
        known = ", ".join(one for one in ticket.participants if one != ticket.requester.key)
        return f"{address} takes no part in ticket {ticket.number}; those who do: {known or 'only its customer'}"
    words = f"{actor} took {address} out: no copies any more, until he writes to it himself"
    left = tuple(one for one in ticket.participants if one != address)
    data = {"address": address, "before": {"participants": list(ticket.participants)}}
    return replace(ticket, participants=left), Event(now, actor, "participant_removed", words, data)


def as_before(ticket: Ticket, event: Event, _: Sequence[Event]) -> Ticket | str:
    """Give the ticket as it was before `copied_by_hand`, or why it cannot be that any more."""
    address = event.data["address"]
    others = tuple(one for one in ticket.participants if one != address)
    if event.what == "participant_removed":
        if address in ticket.participants:
            return f"{address} takes part again by now"
        return replace(ticket, participants=(*others, address))
    if address not in ticket.participants or address == ticket.requester.key:
        return f"{address} is no longer there for copies"
    return ticket if address in event.data["before"]["participants"] else replace(ticket, participants=others)


def with_copies(letter: RelayLetter, addresses: tuple[str, ...], office: Office) -> tuple[RelayLetter, ...]:
    """Give the letters of one answer: the customer's, and one for each copy, all with the same Message-ID and the same Cc.

    Each has its own Reply-To and return path, so that an answer proves who answers, and a bounce says who bounced. An
    address that would tell what must not leave is left out.
    """
    named = mentionable(letter, office.desk, addresses)
    whole = replace(letter, cc=named)
    mailbox = office.mailbox(letter.ticket.mailbox)
    number = letter.ticket.number
    return (
        whole,
        *(
            replace(
                whole,
                key=f"{letter.key}:{address}",
                copy_to=Address("", address),
                inscription=office.inscription(mailbox, number, address),
                reply_to=office.token_address(mailbox, number, address, Purpose.CUSTOMER),
                envelope_from=office.token_address(mailbox, number, address, Purpose.BOUNCE),
            )
            for address in named
        ),
    )


def is_copy(reply: Event, report: Delivery) -> bool:
    """Say whether a report speaks of a copy of a reply, and not of the customer's own."""
    return report.recipient.lower() in reply.data.get("copied", ())


def failed_copy(case: Case, office: Office, ticket: Ticket) -> Delivery | None:
    """Give the failure of a copy that a bounce reports, None where it reports none.

    Whose it is, is told by the return path it came to, which is his alone; where there are no sub-addresses, by the report.
    """
    report = next((report for report in case.mail.delivery if report.action == "failed"), None)
    if report is None:
        return None
    sent = replies(ticket, case.told.events)[::-1]
    named = tuple(reply for reply in sent if reply.data.get("ref") == report.original_message_id)
    for reply in named or sent:
        whose = _returned_for(case, office, ticket, reply, report)
        if whose == reply.data["recipient"]:
            return None
        if whose and case.received.received_at - reply.at < FRESH:
            return replace(report, recipient=whose, original_message_id=str(reply.data["ref"]))
    return None


def _returned_for(case: Case, office: Office, ticket: Ticket, reply: Event, report: Delivery) -> str:
    """Say which reader's mail came back, the customer's or one of the copies; "" where it cannot be told."""
    own, detail = office.mailbox_of(case.received.rcpt) or (None, "")
    if own is not None and not own.separator:
        named = reply.data.get("ref") == report.original_message_id and is_copy(reply, report)
        return report.recipient.lower() if named and null_path(case.received.mail_from) else ""
    claimed = token.read(detail)
    if (
        claimed is None
        or claimed.purpose is not Purpose.BOUNCE
        or claimed.ticket not in family(ticket, case.told.events)
    ):
        return ""
    readers = (str(reply.data["recipient"]), *(str(address) for address in reply.data.get("copied", ())))
    return token.bearer(claimed, office.keys, readers) or ""
