"""Where a mail belongs: the ladder. It goes by evidence alone and knows nothing of trust, but for the last two rungs.

Strongest first: our return path or the inner message of a report, a signed token in the recipient, our signed
Message-IDs, ids the ledger has stored, ancestors never seen that another mail named too, our signed line in a quote, the
tag from a participant.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from maild.mail import InboundMail, Origin
from maild.threading import references, subject, token
from maild.threading.inscription import claims, reader_of
from maild.ticket import State, Ticket


class Rung(StrEnum):
    """Which evidence decided."""

    REPORT = "report"
    TOKEN = "token"  # noqa: S105 - the name of a rung
    OWN_ID = "own_id"
    STORED_ID = "stored_id"
    PHANTOM = "phantom"
    BODY = "body"
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

    def end(self, number: int) -> int:
        """Give the ticket in which that one is now: itself, or the one into which it was merged, and so on."""
        for _ in self.tickets:
            ticket = self.tickets.get(number)
            if ticket is None or ticket.merged_into is None:
                break
            number = ticket.merged_into
        return number

    def spoken_for(self, msgid: str, kinds: Collection[str]) -> set[int]:
        """Give the tickets that a Message-ID speaks for, as one of these kinds, where they are now."""
        return {self.end(number) for number, kind in self.ids.get(msgid, ()) if kind in kinds}


@dataclass(frozen=True, slots=True)
class Near:
    """A ticket that a mail has something in common with, too little to join it; in words for the agents."""

    ticket: int
    because: str


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a mail belongs (None: a new ticket), which rung decided and why.

    `bearer` is the address that the token in the recipient was made for, `purpose` what it is for; both are None
    where there is no valid token. `via` is the ticket that the evidence named, where that has been merged since. `near`
    is a ticket it may be related to, where it opens one of its own.
    """

    ticket: int | None
    rung: Rung
    because: str
    bearer: str | None = None
    purpose: token.Purpose | None = None
    via: int | None = None
    near: Near | None = None


def wanted_ids(mail: InboundMail) -> tuple[str, ...]:
    """Give every Message-ID the ladder wants to look up."""
    inner = (report.original_message_id for report in mail.delivery)
    return tuple(dict.fromkeys(msgid for msgid in (*inner, *references.named(mail), mail.message_id) if msgid))


def wanted_tickets(mail: InboundMail, detail: str, keys: Sequence[bytes], reference: str) -> tuple[int, ...]:
    """Give every ticket number that a mail's token, signed ids and tags claim."""
    claimed = token.read(detail)
    numbers = [claimed.ticket] if claimed else []
    numbers += [number for msgid in wanted_ids(mail) if (number := token.read_own_id(msgid, keys)) is not None]
    numbers += [claim.ticket for claim in claims(mail.text, reference)]
    return tuple(dict.fromkeys((*numbers, *subject.tags(mail.subject, reference))))


def followed(gone: int) -> str:
    """Give the words by which a placement says that it followed a ticket to the one it was merged into."""
    return f"that is ticket {gone}, which was merged into"


def place(mail: InboundMail, evidence: Evidence, reference: str) -> Placement:
    """Climb the ladder: the first rung that holds decides. A ticket that was merged is followed to where it is now."""
    found = _climb(mail, evidence, reference)
    if found.ticket is None or (now := evidence.end(found.ticket)) == found.ticket:
        return found
    because = f"{found.because}; {followed(found.ticket)} {now}"
    return replace(found, ticket=now, because=because, via=found.ticket)


def _climb(mail: InboundMail, evidence: Evidence, reference: str) -> Placement:
    speaks_of_ours = bool(mail.delivery) or mail.origin is Origin.BOUNCE
    return (
        (_by_report(mail, evidence) if speaks_of_ours else None)
        or _by_token(evidence)
        or _by_own_id(mail, evidence)
        or _by_stored_id(mail, evidence)
        or _by_inscription(mail, evidence, reference)
        or _by_tag(mail, evidence, reference)
        or Placement(None, Rung.NEW, "it names no conversation that we know")
    )


def _by_report(mail: InboundMail, evidence: Evidence) -> Placement | None:
    for report in mail.delivery:
        tickets = evidence.spoken_for(report.original_message_id, {"own"})
        signed = token.read_own_id(report.original_message_id, evidence.keys)
        if signed is not None and signed in evidence.tickets:
            tickets.add(evidence.end(signed))
        if len(tickets) == 1:
            because = f"it reports on our message <{report.original_message_id}>"
            return Placement(_first(evidence, report.original_message_id, {"own"}, signed), Rung.REPORT, because)
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
    if evidence.tickets.get(evidence.end(ticket.number), ticket).state is State.CLOSED:
        return Placement(claimed.ticket, Rung.TOKEN, because + "; it ended with the ticket and proves nothing more")
    return Placement(claimed.ticket, Rung.TOKEN, because, address, claimed.purpose)


def _by_own_id(mail: InboundMail, evidence: Evidence) -> Placement | None:
    nearer: set[int] = set()
    for msgid in references.named(mail):
        number = token.read_own_id(msgid, evidence.keys)
        if number is not None and number in evidence.tickets:
            # What was split off is answered before what it had answered: the nearer id says more than the signed one.
            if nearer - {evidence.end(number)}:
                return None
            return Placement(number, Rung.OWN_ID, f"it answers our message <{msgid}>, whose id we signed")
        stored = evidence.spoken_for(msgid, {"own", "seen"})
        nearer |= stored if len(stored) == 1 else set()
    return None


def _by_stored_id(mail: InboundMail, evidence: Evidence) -> Placement | None:
    for kinds, rung, words in (
        ({"own", "seen"}, Rung.STORED_ID, "it answers <{}>, which is in the ticket"),
        ({"named"}, Rung.PHANTOM, "it names <{}>, which another mail of the ticket names too"),
    ):
        for msgid in references.named(mail):
            if len(evidence.spoken_for(msgid, kinds)) == 1:
                return Placement(_first(evidence, msgid, kinds), rung, words.format(msgid))
    return _named_before(mail, evidence)


def _named_before(mail: InboundMail, evidence: Evidence) -> Placement | None:
    if len(evidence.spoken_for(mail.message_id, {"named"})) != 1:
        return None
    because = f"a mail of the ticket named it, <{mail.message_id}>, before it came"
    return Placement(_first(evidence, mail.message_id, {"named"}), Rung.PHANTOM, because)


def _first(evidence: Evidence, msgid: str, kinds: Collection[str], otherwise: int | None = None) -> int | None:
    """Give the first ticket that an id speaks for, as it was named; all of them are one by now."""
    return next((number for number, kind in evidence.ids.get(msgid, ()) if kind in kinds), otherwise)


def _by_inscription(mail: InboundMail, evidence: Evidence, reference: str) -> Placement | None:
    sender = mail.sender.key if mail.sender else ""
    for claimed in claims(mail.text, reference) if sender else ():
        ticket = evidence.tickets.get(claimed.ticket)
        if ticket is None:
            continue
        ours = sender in evidence.agents
        candidates = ticket.participants if ours else {sender}.intersection(ticket.participants)
        reader = reader_of(claimed, evidence.keys, candidates)
        if reader is not None:
            because = f"it quotes our signed line of ticket {claimed.ticket}, written for {reader}"
            return Placement(claimed.ticket, Rung.BODY, because + (f"; {sender} is an agent" if ours else ""))
    return None


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
