"""The loop from `received` to the ledger: parse, gather evidence, decide, compose, write one unit.

Parsing fans out, deciding is one mail after another in order of receipt. Decisions that cannot touch each other share
a unit while there is a backlog; a unit that fails is taken apart and its mails are retried one by one. A mail that
breaks us is quarantined with its fault after `MOST_ATTEMPTS`, and the next one flows.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from maild.desk import Case, Decision, Office, Told, on_mail
from maild.mail import InboundMail, Origin, Outgoing, Received
from maild.outbound.compose import compose
from maild.outbound.gate import MARK_HEADER, GateRefusal
from maild.outbound.templates import Templates
from maild.pulse import Pulse
from maild.sla.severity import guess
from maild.sla.severity_rules import Rules
from maild.store import ConflictError, Ledger, LedgerError, Record
from maild.threading.place import Evidence, place, wanted_ids, wanted_tickets
from maild.ticket import Event
from maild.trust import judge

log = structlog.get_logger("maild.intake")

BATCH = 32
MOST_ATTEMPTS = 3
MOST_CONFLICTS = 5
GLANCE = 0.05
RETRY_AFTER = timedelta(seconds=2)

LONGEST_SLEEP = 300.0
"""Seconds after which the loop looks even if nobody nudged it."""

PATIENCE = 120.0
"""Seconds that one mail may take, from a worker or through the desk, before the loop counts as hanging."""


@dataclass(frozen=True, slots=True)
class Written:
    """The mails of a decision as they will leave, and an event for each letter that the gate refused."""

    outgoing: tuple[Outgoing, ...]
    refused: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the loops work with: the desk, its templates and rules, the hops it trusts, who parses, whose turn it is."""

    office: Office
    templates: Templates
    rules: Rules
    trusts: Callable[[str], bool]
    now: Callable[[], datetime]
    read: Callable[[bytes, str], Awaitable[InboundMail]]
    deciding: Callable[[], contextlib.AbstractAsyncContextManager[None]]

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


def record_of(decision: Decision, written: Written, received_id: int | None, at: datetime) -> Record:
    """Put a decision and its composed mails into the shape that the ledger writes in one unit."""
    own = tuple((mail.message_id, mail.ticket, "own") for mail in written.outgoing if mail.ticket)
    return Record(
        at=at,
        received_id=received_id,
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
    )


async def told_of(ledger: Ledger, number: int) -> Told:
    """Gather what the ledger tells of a ticket's time."""
    return Told(
        tuple(await ledger.events(number)), tuple(await ledger.clocks(number)), await ledger.sent_levels(number)
    )


@dataclass(frozen=True, slots=True)
class _Decided:
    received: Received
    mail: InboundMail
    record: Record
    touched: frozenset[str]


class Intake:
    """Takes what waits in `received`, decides on it, and writes it down. `decided` is called after each unit."""

    def __init__(self, ledger: Ledger, shop: Workshop, decided: Callable[[], None]) -> None:
        self._ledger = ledger
        self._shop = shop
        self._on_decided = decided
        self._numbers: list[int] = []
        self._wake = asyncio.Event()
        self._stepped = asyncio.Condition()
        self.pulse = Pulse(PATIENCE)

    @property
    def shop(self) -> Workshop:
        """What it works with at the moment."""
        return self._shop

    def refit(self, shop: Workshop) -> None:
        """Work with these from now on; call it where nobody is deciding."""
        self._shop = shop

    def nudge(self) -> None:
        """Say that something waits."""
        self._wake.set()

    async def run(self) -> None:
        """Work for ever: until nothing waits, then until nudged."""
        while True:
            self._wake.clear()
            try:
                worked = await self.step()
            except Exception:  # the loop outlives its work; what was taken keeps its attempt and comes again
                log.exception("intake.failed")
                self.pulse.beat(1)
                await asyncio.sleep(1)
                continue
            self.pulse.beat()
            async with self._stepped:
                self._stepped.notify_all()
            if not worked:
                await self._rest()

    async def _rest(self) -> None:
        try:
            retry_at = await self._ledger.next_retry_at()
        except LedgerError as fault:
            log.warning("intake.ledger_failed", fault=str(fault))
            retry_at = self._shop.now() + RETRY_AFTER
        pause = LONGEST_SLEEP if retry_at is None else (retry_at - self._shop.now()).total_seconds()
        pause = min(max(pause, 0.05), LONGEST_SLEEP)
        self.pulse.beat(pause)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), pause)

    async def caught_up(self) -> None:
        """Wait until all that waits now has been decided on; what arrives later is not waited for."""
        newest = await self._ledger.newest_waiting(self._shop.now())
        before = None
        while newest is not None:
            oldest = await self._ledger.oldest_waiting(self._shop.now())
            if oldest is None or oldest > newest:
                return
            if oldest == before:
                await asyncio.sleep(GLANCE)  # another daemon has it in its hands
            before = oldest
            self.nudge()
            async with self._stepped:
                await self._stepped.wait()

    async def step(self) -> int:
        """Process one batch; give how many mails were taken. LedgerError passes: it is no mail's fault."""
        batch = await self._ledger.take(BATCH, now=self._shop.now())
        if not batch:
            return 0
        parsed = await asyncio.gather(*(self._parse(received) for received in batch), return_exceptions=True)
        await self._ledger.in_order(batch[0].id, self._shop.now())
        async with self._shop.deciding():
            await self._decide_all(batch, parsed)
        return len(batch)

    async def _decide_all(self, batch: Sequence[Received], parsed: Sequence[InboundMail | BaseException]) -> None:
        pending: list[_Decided] = []
        for received, mail in zip(batch, parsed, strict=True):
            self.pulse.beat()
            if isinstance(mail, BaseException):
                await self._broken(received, mail)
                continue
            if any(_names(received, mail) & other.touched for other in pending):
                await self._flush(pending)
                pending = []
            case = await self._gathered(received, mail)
            if case is not None and any(_ticket_of(case) in other.touched for other in pending):
                await self._flush(pending)
                pending = []
                case = await self._gathered(received, mail)
            decided = await self._decided_on(case) if case is not None else None
            if decided is not None:
                pending.append(decided)
        await self._flush(pending)

    async def _parse(self, received: Received) -> InboundMail:
        octets = await self._ledger.octets(received.digest)
        mail = await self._shop.read(octets, received.mail_from)
        self.pulse.beat()
        return mail

    async def _gathered(self, received: Received, mail: InboundMail) -> Case | None:
        try:
            return await self._gather(received, mail)
        except LedgerError:
            raise
        except Exception as fault:  # noqa: BLE001 - one mail that breaks us must not stop the next one
            await self._broken(received, fault)
            return None

    async def _decided_on(self, case: Case) -> _Decided | None:
        try:
            now = self._shop.now()
            decision = on_mail(case, self._shop.office, now)
            written = await asyncio.to_thread(self._shop.write, decision)
        except Exception as fault:  # noqa: BLE001 - one mail that breaks us must not stop the next one
            await self._broken(case.received, fault)
            return None
        number = decision.ticket.number if decision.ticket else None
        if number in self._numbers:
            self._numbers.remove(number)
        log.info("mail.decided", received=case.received.id, ticket=number, because=decision.because)
        return _Decided(
            case.received,
            case.mail,
            record_of(decision, written, case.received.id, now),
            _names(case.received, case.mail) | _of_decision(decision),
        )

    async def _gather(self, received: Received, mail: InboundMail) -> Case:
        office, ledger = self._shop.office, self._ledger
        mailbox, detail = office.mailbox_of(received.rcpt) or (office.mailboxes[0], "")
        mail = await self._own_or_not(mail)
        ids = await ledger.tickets_of_ids(wanted_ids(mail))
        numbers = {number for pairs in ids.values() for number, _ in pairs}
        numbers |= set(wanted_tickets(mail, detail, office.keys, office.desk.reference))
        tickets = await ledger.tickets_by_number(numbers)
        placement = place(mail, Evidence(ids, tickets, office.keys, office.agent_keys, detail), office.desk.reference)
        trust = judge(
            mail, trusted_hop=self._shop.trusts(received.peer), authserv_id=office.authserv_id, placement=placement
        )
        sender_key = mail.sender.key if mail.sender else ""
        twin = await ledger.known_message(mail.message_id, sender_key, mail.body_digest)
        ticket = tickets.get(placement.ticket) if placement.ticket is not None else None
        twin_message = None
        if twin is not None:
            ticket = await ledger.ticket(twin[1])
            twin_message = next((one for one in await ledger.messages(twin[1]) if one.id == twin[0]), None)
        customer = office.customer_of(mail.sender) if mail.sender else None
        return Case(
            received=received,
            mail=mail,
            mailbox=mailbox,
            placement=placement,
            trust=trust,
            guess=guess(
                mail.subject,
                mail.new_text,
                mail.headers,
                mail.origin,
                self._shop.rules,
                auto_submitted=" ".join(mail.header("Auto-Submitted")),
                tier=customer.tier if customer else "",
            ),
            ticket=ticket,
            told=await told_of(ledger, ticket.number) if ticket else Told(),
            messages=tuple(await ledger.messages(ticket.number)) if ticket else (),
            number=await self._number(),
            known=await self._known(sender_key),
            acks=await self._acks(sender_key),
            twin=twin_message,
        )

    async def _own_or_not(self, mail: InboundMail) -> InboundMail:
        if self._shop.office.desk.address in (mark.strip().lower() for mark in mail.header(MARK_HEADER)):
            return replace(mail, origin=Origin.OWN, origin_because=f"it bears our own {MARK_HEADER}")
        if not mail.message_id:
            return mail
        kinds = {kind for _, kind in (await self._ledger.tickets_of_ids([mail.message_id])).get(mail.message_id, ())}
        if "own" not in kinds:
            return mail
        return replace(mail, origin=Origin.OWN, origin_because=f"<{mail.message_id}> is a Message-ID that we sent")

    async def _number(self) -> int:
        if not self._numbers:
            self._numbers = list(await self._ledger.reserve("ticket", 1))
        return self._numbers[0]

    async def _known(self, sender_key: str) -> bool:
        party = await self._ledger.party(sender_key) if sender_key else None
        return party is not None and party.failed_at is None

    async def _acks(self, sender_key: str) -> tuple[int, int, int]:
        now = self._shop.now()
        hour, day = now - timedelta(hours=1), now - timedelta(days=1)
        return (
            await self._ledger.acks_since(sender_key, hour),
            await self._ledger.acks_since(sender_key, day),
            await self._ledger.acks_since("", now - timedelta(minutes=1)),
        )

    async def _flush(self, pending: Sequence[_Decided]) -> None:
        if not pending:
            return
        try:
            await self._ledger.record([decided.record for decided in pending])
        except ConflictError as fault:
            if len(pending) == 1:
                await self._afresh(pending[0], fault)
                return
            for decided in pending:
                await self._flush([decided])
            return
        self._on_decided()

    async def _afresh(self, decided: _Decided, fault: ConflictError) -> None:
        """Decide again on what the ledger holds now: an operator wrote to the ticket meanwhile. No fault of the mail."""
        for _ in range(MOST_CONFLICTS):
            log.info("intake.conflict", received=decided.received.id, because=str(fault))
            case = await self._gathered(decided.received, decided.mail)
            again = await self._decided_on(case) if case is not None else None
            if again is None:
                return
            try:
                await self._ledger.record([again.record])
            except ConflictError as latest:
                fault = latest
            else:
                self._on_decided()
                return
        await self._broken(decided.received, fault)

    async def _broken(self, received: Received, fault: BaseException) -> None:
        if isinstance(fault, LedgerError | asyncio.CancelledError) and not isinstance(fault, ConflictError):
            raise fault
        words = f"{type(fault).__name__}: {fault}"[:500]
        now = self._shop.now()
        with contextlib.suppress(ConflictError):  # an operator dropped it meanwhile: it waits for nothing any more
            await self._put_off(received, words, fault, now)

    async def _put_off(self, received: Received, words: str, fault: BaseException, now: datetime) -> None:
        if received.attempts >= MOST_ATTEMPTS:
            await self._ledger.quarantine(received.id, words, now)
            log.error("mail.quarantined", received=received.id, fault=words, exc_info=fault)
        else:
            await self._ledger.retry_later(received.id, words, now + RETRY_AFTER * received.attempts)
            log.warning("mail.failed", received=received.id, attempt=received.attempts, fault=words, exc_info=fault)


def _names(received: Received, mail: InboundMail) -> frozenset[str]:
    sender = (mail.sender.key,) if mail.sender else ()
    return frozenset((mail.message_id, *mail.in_reply_to, *mail.references, *sender, received.digest)) - {""}


def _of_decision(decision: Decision) -> frozenset[str]:
    number = (f"ticket {decision.ticket.number}",) if decision.ticket else ()
    return frozenset((*number, *(msgid for msgid, _, _ in decision.references)))


def _ticket_of(case: Case) -> str:
    return f"ticket {case.ticket.number}" if case.ticket else "no ticket"
