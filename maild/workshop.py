"""What the loops share: the desk as it is configured, its templates and rules, and how a decision becomes a record."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from maild.desk import Decision, Office, Told
from maild.mail import InboundMail, Outgoing, Received
from maild.outbound.compose import compose
from maild.outbound.gate import GateRefusal
from maild.outbound.templates import Templates
from maild.proof import Prover
from maild.sla.severity_rules import Rules
from maild.store import History, Record
from maild.ticket import Event

Read = Callable[[bytes, str], Awaitable[InboundMail]]
"""Parses the octets of a mail that came from a return path."""


@dataclass(frozen=True, slots=True)
class Written:
    """The mails of a decision as they will leave, and an event for each letter that the gate refused."""

    outgoing: tuple[Outgoing, ...]
    refused: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the loops work with: the desk, its templates and rules, the hops it trusts, who parses, whose turn it is.

    `prover` looks at signatures; None where nobody does.
    """

    office: Office
    templates: Templates
    rules: Rules
    trusts: Callable[[str], bool]
    now: Callable[[], datetime]
    read: Read
    deciding: Callable[[], contextlib.AbstractAsyncContextManager[None]]
    prover: Prover | None = None

    async def looked(self, received: Received, octets: bytes, mail: InboundMail) -> InboundMail:
        """Give a mail with what we found in its signatures ourselves, where that is wanted. Raises LaterError."""
        if self.prover is None:
            return mail
        trusted = self.trusts(received.peer)
        return await self.prover.look(received, octets, mail, self.office.authority, trusted_hop=trusted)

    def write(self, decision: Decision) -> Written:
        """Compose what a decision owes. A letter that the gate refuses is not owed, and an event says why."""
        now = self.now()
        outgoing, refused = [], []
        for letter in decision.letters:
            try:
                outgoing.append(compose(letter, self.office.desk, self.templates, now))
            except GateRefusal as refusal:
                refused.append(Event(now, "maild", "not_sent", f"{letter.key}: {refusal}"))
        return Written(tuple(outgoing), tuple(refused))


def records_of(decision: Decision, written: Written, received_id: int | None, at: datetime) -> list[Record]:
    """Do as `record_of`, with what is decided beside it on other tickets: one unit."""
    beside = (record_of(one, Written((), ()), None, at) for one in decision.beside)
    return [record_of(decision, written, received_id, at), *beside]


def record_of(decision: Decision, written: Written, received_id: int | None, at: datetime) -> Record:
    """Put a decision and its composed mails into the shape that the ledger writes in one unit."""
    own = tuple((mail.message_id, mail.ticket, "own") for mail in written.outgoing if mail.ticket)
    return Record(
        at=at,
        received_id=received_id,
        settled="spam" if decision.spam else "done",
        because=decision.because,
        ticket=decision.ticket,
        messages=(decision.message,) if decision.message else (),
        references=(*decision.references, *own),
        clocks=decision.clocks,
        events=(*decision.events, *written.refused) if decision.ticket else (),
        escalations=tuple((one.ticket, one.metric, one.cycle, one.level, one.because) for one in decision.escalations),
        outgoing=written.outgoing,
        parties=(decision.party,) if decision.party else (),
        failed=decision.failed,
        recipients_added=(decision.further_recipient,) if decision.further_recipient else (),
        elsewhere=decision.elsewhere,
        moved=decision.moved,
        unlinked=decision.unlinked,
        forgotten=decision.forgotten,
        digested=decision.digested,
    )


def told_of(history: History) -> Told:
    """Give what the ledger tells of a ticket's time."""
    return Told(history.events, history.clocks, history.sent)
