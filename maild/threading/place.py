"""Where a mail belongs: the ladder. It goes by evidence alone and knows nothing of trust, but for the tag's rung.

Strongest first: our return path or the inner message of a report, a signed token in the recipient, our signed
Message-IDs, ids the ledger has stored, ancestors never seen that another mail named too, the tag from a participant.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from maild.mail import InboundMail, Origin
from maild.threading import references, subject, token
from maild.ticket import State, Ticket


class Rung(StrEnum):
    """Which evidence decided."""

    REPORT = "report"
    TOKEN = "token"  # noqa: S105 - the name of a rung
    OWN_ID = "own_id"
    STORED_ID = "stored_id"
    PHANTOM = "phantom"
    TAG = "tag"
    THREAD_INDEX = "thread_index"
    SUBJECT_AND_QUOTE = "subject_and_quote"
    QUOTES = "quotes"
    SUBJECT_AND_SENDER = "subject_and_sender"
    SUBJECT_AND_COMPANY = "subject_and_company"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the ledger knows of the things a mail names.

    `ids` maps a Message-ID to (ticket, kind) pairs, kind being own, seen or named. `tickets` holds every ticket that an
    id, a token or a tag named. `keys` are the signing keys, newest first. `agents` are the agents' address keys.
    `detail` is the sub-address detail of the recipient ("" where there is none).
    """

    ids: Mapping[str, Sequence[tuple[int, str]]]
    tickets: Mapping[int, Ticket]
    keys: Sequence[bytes]
    agents: Collection[str]
    detail: str


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a mail belongs (None: a new ticket), which rung decided and why.

    `bearer` is the address that the token in the recipient was made for, `purpose` what it is for; both are None
    where there is no valid token.
    """

    ticket: int | None
    rung: Rung
    because: str
    bearer: str | None = None
    purpose: token.Purpose | None = None


def wanted_ids(mail: InboundMail) -> tuple[str, ...]:
    """Give every Message-ID the ladder wants to look up."""
    inner = (report.original_message_id for report in mail.delivery)
    return tuple(dict.fromkeys(msgid for msgid in (*inner, *references.named(mail), mail.message_id) if msgid))


def wanted_tickets(mail: InboundMail, detail: str, keys: Sequence[bytes], reference: str) -> tuple[int, ...]:
    """Give every ticket number that a mail's token, signed ids and tags claim."""
    claimed = token.read(detail)
    numbers = [claimed.ticket] if claimed else []
    numbers += [number for msgid in wanted_ids(mail) if (number := token.read_own_id(msgid, keys)) is not None]
    return tuple(dict.fromkeys((*numbers, *subject.tags(mail.subject, reference))))


def place(mail: InboundMail, evidence: Evidence, reference: str) -> Placement:
    """Climb the ladder: the first rung that holds decides."""
    speaks_of_ours = bool(mail.delivery) or mail.origin is Origin.BOUNCE
    return (
        (_by_report(mail, evidence) if speaks_of_ours else None)
        or _by_token(evidence)
        or _by_own_id(mail, evidence)
        or _by_stored_id(mail, evidence)
        or _by_tag(mail, evidence, reference)
        or Placement(None, Rung.NEW, "it names no conversation that we know")
    )


def _by_report(mail: InboundMail, evidence: Evidence) -> Placement | None:
    for report in mail.delivery:
        tickets = {number for number, kind in evidence.ids.get(report.original_message_id, ()) if kind == "own"}
        signed = token.read_own_id(report.original_message_id, evidence.keys)
        if signed is not None and signed in evidence.tickets:
            tickets.add(signed)
        if len(tickets) == 1:
            because = f"it reports on our message <{report.original_message_id}>"
            return Placement(tickets.pop(), Rung.REPORT, because)
    return None


def _by_token(evidence: Evidence) -> Placement | None:
    claimed = token.read(evidence.detail)
    if claimed is None or (ticket := evidence.tickets.get(claimed.ticket)) is None:
        return None
    candidates = (*evidence.agents, *ticket.participants)
    address = token.bearer(claimed, evidence.keys, candidates)
    if address is None:
        return None
    because = f"the recipient address carries our token for ticket {claimed.ticket}, made for {address}"
    if ticket.state is State.CLOSED:
        return Placement(claimed.ticket, Rung.TOKEN, because + "; it ended with the ticket and proves nothing more")
    return Placement(claimed.ticket, Rung.TOKEN, because, address, claimed.purpose)


def _by_own_id(mail: InboundMail, evidence: Evidence) -> Placement | None:
    for msgid in references.named(mail):
        number = token.read_own_id(msgid, evidence.keys)
        if number in evidence.tickets:
            return Placement(number, Rung.OWN_ID, f"it answers our message <{msgid}>, whose id we signed")
    return None


def _by_stored_id(mail: InboundMail, evidence: Evidence) -> Placement | None:
    for kinds, rung, words in (
        ({"own", "seen"}, Rung.STORED_ID, "it answers <{}>, which is in the ticket"),
        ({"named"}, Rung.PHANTOM, "it names <{}>, which another mail of the ticket names too"),
    ):
        for msgid in references.named(mail):
            tickets = {number for number, kind in evidence.ids.get(msgid, ()) if kind in kinds}
            if len(tickets) == 1:
                return Placement(tickets.pop(), rung, words.format(msgid))
    return _named_before(mail, evidence)


def _named_before(mail: InboundMail, evidence: Evidence) -> Placement | None:
    tickets = {number for number, kind in evidence.ids.get(mail.message_id, ()) if kind == "named"}
    if len(tickets) != 1:
        return None
    return Placement(tickets.pop(), Rung.PHANTOM, f"a mail of the ticket named it, <{mail.message_id}>, before it came")


def _by_tag(mail: InboundMail, evidence: Evidence, reference: str) -> Placement | None:
    sender = mail.sender
    if sender is None:
        return None
    for number in subject.tags(mail.subject, reference):
        ticket = evidence.tickets.get(number)
        if ticket is None:
            continue
        if sender.key in ticket.participants:
            return Placement(
                number, Rung.TAG, f"its subject carries [{reference} #{number}] and {sender.key} takes part in it"
            )
        if sender.key in evidence.agents:
            return Placement(
                number, Rung.TAG, f"its subject carries [{reference} #{number}] and {sender.key} is an agent"
            )
    return None
