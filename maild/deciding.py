"""One batch of mails that were read: evidence, decision, composed mails, one unit for as many as cannot touch each other.

A unit that fails is taken apart and its mails are retried one by one. A mail that breaks us is put off, and quarantined
with its fault after `MOST_ATTEMPTS`; the next one flows.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from maild.desk import Case, Decision, on_mail
from maild.gather import gather, off_the_loop
from maild.mail import InboundMail, Received
from maild.proof import LaterError
from maild.pulse import Pulse
from maild.slow import Outcome
from maild.store import ConflictError, Ledger, LedgerError, Record
from maild.workshop import Workshop, Written, records_of

log = structlog.get_logger("maild.intake")

MOST_ATTEMPTS = 3
MOST_CONFLICTS = 5
RETRY_AFTER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Decided:
    received: Received
    mail: InboundMail
    records: tuple[Record, ...]
    touched: frozenset[str]


class Deciding:
    """Decides on mails in order of receipt and writes that down. `decided` is called after each unit."""

    def __init__(self, ledger: Ledger, shop: Workshop, decided: Callable[[], None], pulse: Pulse) -> None:
        self._ledger = ledger
        self._shop = shop
        self._on_decided = decided
        self._pulse = pulse
        self._numbers: list[int] = []

    def refit(self, shop: Workshop) -> None:
        """Decide with these from now on; call it where nobody is deciding."""
        self._shop = shop

    async def decide(self, batch: Sequence[Received], parsed: Sequence[Outcome]) -> None:
        """Decide on mails, each with what reading it gave. LedgerError passes: it is no mail's fault."""
        pending: list[_Decided] = []
        await self._reserve(len(batch))
        for received, mail in zip(batch, parsed, strict=True):
            self._pulse.beat()
            if isinstance(mail, BaseException):
                await self._broken(received, mail)
                continue
            if any(_names(received, mail) & other.touched for other in pending):
                await self._flush(pending)
                pending = []
            case = await self._gathered(received, mail)
            if case is not None and any(_of_case(case) & other.touched for other in pending):
                await self._flush(pending)
                pending = []
                case = await self._gathered(received, mail)
            decided = await self._decided_on(case) if case is not None else None
            if decided is not None:
                pending.append(decided)
        await self._flush(pending)

    async def _gathered(self, received: Received, mail: InboundMail) -> Case | None:
        try:
            await self._reserve(1)
            return await gather(self._ledger, self._shop, received, mail, self._numbers[0])
        except LedgerError:
            raise
        except Exception as fault:  # noqa: BLE001 - one mail that breaks us must not stop the next one
            await self._broken(received, fault)
            return None

    async def _decided_on(self, case: Case) -> _Decided | None:
        try:
            now = self._shop.now()
            decision, written = await off_the_loop(case.mail, self._decide, case, now)
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
            tuple(records_of(decision, written, case.received.id, now)),
            _names(case.received, case.mail) | _of_decision(decision),
        )

    def _decide(self, case: Case, now: datetime) -> tuple[Decision, Written]:
        decision = on_mail(case, self._shop.office, now)
        return decision, self._shop.write(decision)

    async def _reserve(self, mails: int) -> None:
        if len(self._numbers) < mails:
            self._numbers += await self._ledger.reserve("ticket", mails - len(self._numbers))

    async def _flush(self, pending: Sequence[_Decided]) -> None:
        if not pending:
            return
        try:
            await self._ledger.record([record for decided in pending for record in decided.records])
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
                await self._ledger.record(again.records)
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
            if isinstance(fault, LaterError):
                await self._ledger.retry_later(received.id, str(fault), now + fault.after)
                log.info("mail.later", received=received.id, attempt=received.attempts, because=str(fault))
            else:
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
    numbers = (f"ticket {one.ticket.number}" for one in (decision, *decision.beside) if one.ticket)
    return frozenset((*numbers, *(msgid for msgid, _, _ in decision.references)))


def _of_case(case: Case) -> frozenset[str]:
    """Give what is known of a mail only when its evidence was gathered: its tickets, and the mail that it forwards."""
    tickets = (f"ticket {one.number}" for one in (case.ticket, *(each.ticket for each in case.listed)) if one)
    return frozenset((*tickets, case.forwarded.message_id if case.forwarded else "")) - {""}
