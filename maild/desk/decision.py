"""What a decision is made of, and what it leads to."""

from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.ack import hush_of
from maild.desk.duty import rota_size
from maild.desk.office import Mailbox, Office
from maild.desk.past import MERGED, SPLIT, UNDONE, history
from maild.desk.resting import rest_ends_at
from maild.ingest.forwarded import Forwarded
from maild.mail import Address, InboundMail, Received
from maild.outbound.digest_letter import DigestItem
from maild.outbound.letters import ClockLine, Letter
from maild.sla.clock import Clock
from maild.sla.fold import fold
from maild.sla.ladder import next_level_at
from maild.sla.policy import Metric
from maild.sla.severity import Guess
from maild.threading.likeness import thread_index
from maild.threading.place import Placement
from maild.ticket import Event, Message, Ticket
from maild.trust import Trust

MOST_TEXT = 20_000
"""How much of a message's text the ledger shows; the octets keep everything."""


Clocks = tuple[tuple[Clock, datetime | None], ...]
"""A ticket's clocks, each with the instant at which it must be looked at next."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger tells of a ticket's time: its events, its clocks as last written, the levels already escalated.

    `sent` are (metric, cycle, level).
    """

    events: tuple[Event, ...] = ()
    clocks: tuple[Clock, ...] = ()
    sent: frozenset[tuple[str, int, str]] = frozenset()

    def levels(self, clock: Clock) -> frozenset[str]:
        """Give the levels of that clock which were dealt with."""
        return frozenset(level for metric, cycle, level in self.sent if (metric, cycle) == (clock.metric, clock.cycle))

    def and_then(self, *events: Event) -> "Told":
        """Add what happens now."""
        return replace(self, events=(*self.events, *events))


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket that a digest named, as it stands now, and of which of its clocks (metric, cycle) that spoke."""

    ticket: Ticket
    told: Told
    clocks: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Case:
    """A mail that is to be decided on, with all that the ledger knows about it.

    `ticket`, `told` and `messages` speak of the ticket the mail was placed at. `number` is reserved for a ticket it may open. `known` says that we have written to its sender before and
    nothing came back; `acks` counts what he was acknowledged in the last (hour, day) and anybody in the last minute.
    `asked` counts the letters of the last hour that asked him whether mail in his name was his. `twin` is the message of
    which this is a second delivery: in the ticket it was placed at, or in any where it was placed at none. `spam` is
    the field by which a trusted hop calls it that, "" where none does. `base_subject` is the mail's, without our tag.
    `flags` are lines about the mail that the agents must read.
    `merged` is the ticket that the evidence named, where it has gone into `ticket` since.
    `forwarded` is what an agent's mail forwards, None where it forwards nothing. `listed` are the tickets of the digest
    that an agent's mail answers, the most pressing first.
    """

    received: Received
    mail: InboundMail
    mailbox: Mailbox
    placement: Placement
    trust: Trust
    guess: Guess
    ticket: Ticket | None
    told: Told
    messages: tuple[Message, ...]
    number: int
    known: bool
    acks: tuple[int, int, int]
    asked: int = 0
    twin: Message | None = None
    spam: str = ""
    base_subject: str = ""
    merged: Ticket | None = None
    flags: tuple[str, ...] = ()
    forwarded: Forwarded | None = None
    listed: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalated:
    """One rung of one clock that was dealt with: unique in the ledger."""

    ticket: int
    metric: str
    cycle: int
    level: str
    because: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be written in one unit: the ticket as it now is, what joins it, what is owed.

    `ticket` is None where no ticket is concerned. `references` are (Message-ID, ticket, kind) with kind own, seen or
    named. `clocks` are all clocks of the ticket as they now stand, None where they do not change.
    `further_recipient` adds a recipient to a message that is there already. `party` is
    an address with a history: proven, or written to. `failed` are addresses that mail cannot reach. `spam` puts the mail
    on the list of those. `elsewhere` are events of other tickets, (number, event). `moved` are messages that
    leave their ticket for this one. `unlinked` are pairs of tickets, and `forgotten` levels (metric, cycle, level) that count
    as not told. `digested` are escalations that wait for a digest in place of a mail of their own.
    `beside` are decisions on other tickets, without letters, that are written in the same unit.
    """

    because: str
    ticket: Ticket | None = None
    message: Message | None = None
    references: tuple[tuple[str, int, str], ...] = ()
    clocks: Clocks | None = None
    events: tuple[Event, ...] = ()
    escalations: tuple[Escalated, ...] = ()
    letters: tuple[Letter, ...] = ()
    party: Address | None = None
    further_recipient: tuple[int, str] | None = None
    failed: tuple[str, ...] = ()
    spam: bool = False
    elsewhere: tuple[tuple[int, Event], ...] = ()
    moved: tuple[Message, ...] = ()
    unlinked: tuple[tuple[int, int], ...] = ()
    forgotten: tuple[tuple[str, int, str], ...] = ()
    digested: tuple[DigestItem, ...] = ()
    beside: tuple["Decision", ...] = ()


def clocks_of(office: Office, ticket: Ticket, told: Told, now: datetime) -> Clocks:
    """Give every clock of a ticket as of `now`, each with the instant at which the watch must look at it again.

    That is never for a ticket that went into another one.
    """
    return looked_at(office, ticket, told, folded(office, ticket, told, now))


def folded(office: Office, ticket: Ticket, told: Told, now: datetime) -> tuple[Clock, ...]:
    """Give every clock of a ticket as of `now`; a breach on record stays, and so does all of a clock that has stopped (R16)."""
    recorded = {
        (clock.metric, clock.cycle): clock.breached_at for clock in told.clocks if clock.breached_at is not None
    }
    clocks = fold(history(ticket, told.events), office.policy(ticket.policy), now, recorded)
    return tuple(_as_judged(clock, told) for clock in clocks)


def _as_judged(clock: Clock, told: Told) -> Clock:
    """Give a clock as it was judged when it stopped, whatever the promise has become since.

    What joins tickets and takes them apart, and what takes a decision back, judges anew.
    """
    if clock.stopped_at is None or any(event.what in {MERGED, SPLIT, UNDONE} for event in told.events):
        return clock
    same = (
        was for was in told.clocks if (was.metric, was.cycle, was.spans) == (clock.metric, clock.cycle, clock.spans)
    )
    return next((was for was in same if was.stopped_at == clock.stopped_at), clock)


def looked_at(office: Office, ticket: Ticket, told: Told, clocks: tuple[Clock, ...]) -> Clocks:
    """Give those clocks, each with the instant at which the watch must look at it again."""
    if ticket.merged_into is not None:
        return tuple((clock, None) for clock in clocks)
    calendar = office.policy(ticket.policy).promise(ticket.severity).calendar
    rest = rest_ends_at(ticket, told.events, office)
    rota = rota_size(ticket, office)
    found = []
    for clock in clocks:
        hush = hush_of(ticket, told.events, office, clock)
        at = next_level_at(clock, calendar, office.ladders[clock.metric], told.levels(clock), rota, hush)
        if rest is not None and clock.metric is Metric.RESOLUTION:
            at = min(rest, at or rest)
        found.append((clock, at))
    return tuple(found)


def clock_lines(clocks: Clocks) -> tuple[ClockLine, ...]:
    """Show clocks in a mail."""
    return tuple(ClockLine(clock.metric, clock.target_at, clock.limit_at, clock.state) for clock, _ in clocks)


def answered(ticket: Ticket, clocks: Clocks, evidence: str) -> Ticket:
    """Note on the ticket when its first response was, as its clock says."""
    first = next((clock for clock, _ in clocks if clock.metric == "first_response"), None)
    at = first.stopped_at if first else ticket.first_response_at
    if at == ticket.first_response_at:
        return ticket
    return replace(ticket, first_response_at=at, first_response_evidence=evidence if at else "")


def message_of(case: Case, ticket: int, kind: str) -> Message:
    """Make the ledger's line for the mail of a case."""
    sender = case.mail.sender or (case.mail.from_[0] if case.mail.from_ else Address("", case.received.mail_from))
    return Message(
        id=case.received.id,
        ticket=ticket,
        message_id=case.mail.message_id,
        at=case.received.received_at,
        sender=sender,
        kind=kind,
        verified=case.trust.method,
        placed_because=case.placement.because,
        subject=case.mail.subject,
        text=case.mail.new_text[:MOST_TEXT],
        digest=case.received.digest,
        body_digest=case.mail.body_digest,
        recipients=(case.received.rcpt,),
        base_subject=case.base_subject,
        thread_index=thread_index(case.mail),
    )


def references_of(case: Case, ticket: int) -> tuple[tuple[str, int, str], ...]:
    """Give what later mails may name to find this ticket: the mail's own id, and the ids it names itself."""
    seen = ((case.mail.message_id, ticket, "seen"),) if case.mail.message_id else ()
    named = (*case.mail.in_reply_to, *case.mail.references)
    return (
        *seen,
        *((msgid, ticket, "named") for msgid in dict.fromkeys(named) if msgid and msgid != case.mail.message_id),
    )
