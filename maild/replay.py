"""A mailbox through the whole pipeline: a throw-away ledger, the time of the mails themselves, nothing sent.

Before each mail the clocks that came due since the one before are judged at their instants, so escalations and breaches
are what they would have been.
"""

import asyncio
import contextlib
import heapq
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from maild.config.model import Config
from maild.daemon import workshop
from maild.desk import Case, Decision, Told, after, on_mail, one_by_one
from maild.gather import gather
from maild.ingest.files import Filed
from maild.ingest.imap_envelope import envelope
from maild.mail import Envelope, InboundMail
from maild.store import Ledger, Record
from maild.ticket import Message, Ticket
from maild.workshop import Read, Workshop, Written, record_of, records_of, told_of

AHEAD = 32
"""Mails that are read in advance by the workers."""

NUMBERS = 1000
SWEEP = 500
"""After how many mails all clocks are judged that came due: a mail's own ticket is judged before it, in any case."""

TOGETHER = 50
"""Tickets judged in one unit."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail. `ticket` is None where it joined none; `fault` is in words, "" where it broke nothing.

    `at` is when it counts as received. `opened` and `admitted` are as in the contract.
    """

    filed: Filed
    at: datetime
    message_id: str
    subject: str
    ticket: int | None
    duplicate: bool
    opened: bool
    admitted: bool
    spam: bool
    because: str
    placed_because: str
    origin: str
    severity: str
    severity_because: tuple[str, ...]
    would_send: tuple[tuple[str, str], ...]
    fault: str


def received_at(mail: InboundMail, filed: Filed) -> datetime | None:
    """Give when a mail was received: its topmost Received, else the mbox's From_ line, else its Date; None without any."""
    stamps = (value.rpartition(";")[2] for value in mail.header("Received")[:1])
    boxed = " ".join(filed.from_line.split()[2:])
    for stamp in (*stamps, boxed):
        with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
            at = parsedate_to_datetime(stamp)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    return mail.date


class Replay:
    """Replays mails into one ledger. `latest` bounds what mails say of the time; `admit` is the word of each mailbox."""

    def __init__(self, ledger: Ledger, shop: Workshop, latest: datetime) -> None:
        self._ledger = ledger
        self._shop = replace(shop, now=lambda: self._now)
        self._latest = latest
        self._now = BEGINNING
        self._numbers: deque[int] = deque()
        self._tickets: dict[int, int | None] = {}
        self._due: dict[int, datetime] = {}
        self._queue: list[tuple[datetime, int]] = []
        self._since = 0
        self.escalations = 0

    @classmethod
    async def prepared(cls, config: Config, ledger: Ledger, read: Read, latest: datetime, admit: str) -> "Replay":
        """Give one with the desk of a configuration. `admit` stands for that of each mailbox unless it is ""."""
        shop = await workshop(config, ledger, read, lambda: latest)
        boxes = tuple(replace(box, admit=admit or box.admit) for box in shop.office.mailboxes)
        return cls(ledger, replace(shop, office=replace(shop.office, mailboxes=boxes)), latest)

    async def outcomes(self, files: Iterable[Filed]) -> AsyncIterator[Outcome]:
        """Replay mails in order, and give what became of each."""
        reading: deque[tuple[Filed, Envelope, asyncio.Task[InboundMail]]] = deque()
        rest = iter(files)
        try:
            while True:
                while len(reading) < AHEAD and (filed := next(rest, None)) is not None:
                    found = self._envelope(filed)
                    task = asyncio.create_task(self._read(filed.octets, found.mail_from))
                    reading.append((filed, found, task))
                if not reading:
                    return
                filed, found, task = reading.popleft()
                yield await self._outcome(filed, found, await task)
        finally:
            for _, _, task in reading:
                task.cancel()

    async def _read(self, octets: bytes, return_path: str) -> InboundMail:
        return await self._shop.read(octets, return_path)

    async def finish(self) -> None:
        """Judge what came due by the last mail."""
        await self._sweep()

    def _envelope(self, filed: Filed) -> Envelope:
        office = self._shop.office
        found = envelope(filed.octets, office.mailboxes[0].address, self._bears_token, BEGINNING)
        return replace(found, via="file")

    def _bears_token(self, address: str) -> bool:
        found = self._shop.office.mailbox_of(address)
        return found is not None and bool(found[1])

    async def _record(self, records: Sequence[Record]) -> None:
        await self._ledger.record(records)
        for record in records:
            if record.ticket is not None and record.clocks is not None:
                self._expect(record.ticket.number, [at for _, at in record.clocks if at is not None])

    def _expect(self, ticket: int, instants: Sequence[datetime]) -> None:
        self._due.pop(ticket, None)
        if instants:
            self._due[ticket] = min(instants)
            heapq.heappush(self._queue, (self._due[ticket], ticket))

    def _is_due(self, ticket: int) -> bool:
        at = self._due.get(ticket)
        return at is not None and at <= self._now

    async def _sweep(self) -> None:
        """Judge every clock that came due, each at its own instant."""
        self._since = 0
        while late := self._late():
            await self._judge(late)

    def _late(self) -> list[int]:
        found: dict[int, None] = {}
        while self._queue and self._queue[0][0] <= self._now and len(found) < TOGETHER:
            at, ticket = heapq.heappop(self._queue)
            if self._due.get(ticket) == at:
                found[ticket] = None
        return list(found)

    async def _judge(self, tickets: Sequence[int]) -> None:
        """Judge tickets at each instant at which they were due: they share nothing, so their order is all the same."""
        histories = await self._ledger.histories(tickets)
        judged = [self._judged(history.ticket, told_of(history), history.messages) for history in histories]
        await self._record([record_of(decision, Written((), ()), None, self._now) for decision in judged])

    def _judged(self, ticket: Ticket, told: Told, messages: tuple[Message, ...]) -> Decision:
        """Judge one. What that owes is counted, and not composed: nobody reads it."""
        decision = one_by_one(ticket, told, messages, self._shop.office, self._due[ticket.number], self._now)
        self.escalations += len(decision.letters)
        return decision

    async def _outcome(self, filed: Filed, sent: Envelope, mail: InboundMail) -> Outcome:
        at = min(received_at(mail, filed) or self._now, self._latest)
        self._now = max(self._now, at)
        self._since += 1
        if self._since >= SWEEP:
            await self._sweep()
        ((number,),) = await self._ledger.accept([(replace(sent, received_at=self._now), filed.octets)])
        if number in self._tickets:
            return self._told(
                filed, mail, ticket=self._tickets[number], duplicate=True, because="the same octets again"
            )
        try:
            case, decision, written = await self._decide(mail)
            await self._record(records_of(decision, written, number, self._now))
        except Exception as fault:  # noqa: BLE001 - one mail that breaks us is told of, and the next one flows
            words = f"{type(fault).__name__}: {fault}"
            await self._ledger.quarantine(number, words, self._now)
            self._tickets[number] = None
            return self._told(filed, mail, fault=words)
        return self._decided(filed, number, case, decision, written)

    async def _decide(self, mail: InboundMail) -> tuple[Case, Decision, Written]:
        (received,) = await self._ledger.take(1, now=self._now)
        if not self._numbers:
            self._numbers.extend(await self._ledger.reserve("ticket", NUMBERS))
        case = await gather(self._ledger, self._shop, received, mail, self._numbers[0])
        if case.ticket is not None and self._is_due(case.ticket.number):
            case = await self._up_to_date(case, case.ticket)
        decision = on_mail(case, self._shop.office, self._now)
        if decision.ticket is not None and decision.ticket.number == self._numbers[0]:
            self._numbers.popleft()
        return case, decision, self._shop.write(decision)

    async def _up_to_date(self, case: Case, ticket: Ticket) -> Case:
        decision = self._judged(ticket, case.told, case.messages)
        await self._record([record_of(decision, Written((), ()), None, self._now)])
        ticket = decision.ticket or ticket
        return replace(case, ticket=replace(ticket, revision=ticket.revision + 1), told=after(case.told, decision))

    def _decided(self, filed: Filed, number: int, case: Case, decision: Decision, written: Written) -> Outcome:
        twin = case.twin.ticket if case.twin else None
        ticket = decision.ticket.number if decision.ticket else twin
        self._tickets[number] = ticket
        placed = case.placement.ticket
        return self._told(
            filed,
            case.mail,
            ticket=ticket,
            duplicate=twin is not None,
            opened=ticket == case.number,
            admitted=placed is None or decision.spam or placed == ticket,
            spam=decision.spam,
            because=decision.because,
            placed_because=case.placement.because,
            severity=str(case.guess.severity),
            severity_because=case.guess.because,
            would_send=tuple((mail.kind, mail.rcpt) for mail in written.outgoing),
        )

    def _told(self, filed: Filed, mail: InboundMail, **found: Any) -> Outcome:
        nothing: dict[str, Any] = {
            "ticket": None,
            "duplicate": False,
            "opened": False,
            "admitted": True,
            "spam": False,
            "because": "",
            "placed_because": "",
            "severity": "",
            "severity_because": (),
            "would_send": (),
            "fault": "",
        }
        return Outcome(
            filed=replace(filed, octets=b""),
            at=self._now,
            message_id=mail.message_id,
            subject=mail.subject,
            origin=str(mail.origin),
            **(nothing | found),
        )
