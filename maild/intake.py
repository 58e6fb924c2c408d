"""The loop from `received` to the ledger: take a batch, read its mails, have them decided on.

Reading fans out, deciding (`maild.deciding`) is one mail after another in order of receipt. A mail that takes long to read
holds up nobody: it is put off, and decided on when it has been read.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from itertools import accumulate

import structlog

from maild.deciding import RETRY_AFTER, Deciding
from maild.mail import InboundMail, Received
from maild.pulse import Pulse
from maild.slow import Reading, Slow, give_up, outcome
from maild.store import ConflictError, Ledger, LedgerError
from maild.workshop import Workshop

log = structlog.get_logger("maild.intake")

BATCH = 32
MOST_OCTETS = 32 * 1024 * 1024
"""Of mail that is worked on at a time: parsed, it is in memory several times over."""

MOST_DEATHS = 8
"""How often the daemon may end with the same mail in its hands: more than bad luck, less than a crash loop of minutes."""
GLANCE = 0.05

PROMPT = 1.0
"""Seconds that the mails taken together wait for the last of them to be read."""

SLOW_WORDS = "it takes long to read, and is still being read"

MOST_SLOW = 8
"""Mails that may be read beside the others at one moment: each is in memory."""

PUT_OFF = timedelta(seconds=60)
"""For how long the ledger gives a mail to nobody that takes longer: more than a worker may take (`Limits.wall_seconds`)."""

LONGEST_SLEEP = 300.0
"""Seconds after which the loop looks even if nobody nudged it."""

PATIENCE = 120.0
"""Seconds that one mail may take, from a worker or through the desk, before the loop counts as hanging."""


class Intake:
    """Takes what waits in `received`, decides on it, and writes it down. `decided` is called after each unit."""

    def __init__(self, ledger: Ledger, shop: Workshop, decided: Callable[[], None]) -> None:
        self._ledger = ledger
        self._shop = shop
        self._careful = True
        self._wake = asyncio.Event()
        self._stepped = asyncio.Condition()
        self._slow = Slow(self._wake.set)
        self.pulse = Pulse(PATIENCE)
        self._deciding = Deciding(ledger, shop, decided, self.pulse)

    @property
    def shop(self) -> Workshop:
        """What it works with at the moment."""
        return self._shop

    def refit(self, shop: Workshop) -> None:
        """Work with these from now on; call it where nobody is deciding."""
        self._shop = shop
        self._deciding.refit(shop)

    def nudge(self) -> None:
        """Say that something waits."""
        self._wake.set()

    async def run(self) -> None:
        """Work for ever: until nothing waits, then until nudged."""
        try:
            await self._run()
        finally:
            self._slow.end()

    async def _run(self) -> None:
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
        newest = max(await self._ledger.newest_waiting(self._shop.now()) or 0, self._slow.newest)
        await self._caught_up_to(newest)
        while self._slow.oldest <= newest:
            await self._slow.wait(newest)
            self.nudge()
            async with self._stepped:
                await self._stepped.wait()

    async def _caught_up_to(self, newest: int) -> None:
        before = None
        while True:
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
        if over := self._slow.over():
            mails = [received for received, _ in over]
            try:
                await self._holding(mails, self._decide_read(over))
            finally:
                self._slow.forget(mails)
            return len(over)
        batch = await self._ledger.take(1 if self._careful else BATCH, now=self._shop.now())
        if not batch:
            self._careful = False
            return 0
        if batch[0].attempts > MOST_DEATHS:
            await self._poisonous(batch[0])
            await self._ledger.release([received.id for received in batch[1:]])
            return 1
        if self._careful and batch[0].attempts == 1:
            batch += await self._ledger.take(BATCH - 1, now=self._shop.now(), after=batch[0].id)
        batch = await self._bounded(batch)
        self._careful = batch[0].attempts > 1
        await self._holding(batch, self._take_up(batch))
        return len(batch)

    async def _bounded(self, batch: list[Received]) -> list[Received]:
        """Keep as many of them as fit into memory, the first at least, and give the others back."""
        sizes = await self._ledger.sizes([received.digest for received in batch])
        totals = accumulate(sizes[received.digest] for received in batch)
        fitting = max(1, sum(total <= MOST_OCTETS for total in totals))
        await self._ledger.release([received.id for received in batch[fitting:]])
        return batch[:fitting]

    async def _holding(self, batch: Sequence[Received], work: Awaitable[None]) -> None:
        try:
            await work
        except LedgerError:
            with contextlib.suppress(LedgerError):
                await self._ledger.release([received.id for received in batch])
            raise

    async def _take_up(self, batch: Sequence[Received]) -> None:
        readings = {
            received: asyncio.create_task(self._parse(received))
            for received in batch
            if not self._slow.holds(received.id)
        }
        try:
            await self._promptly(readings.values())
            read = [(received, reading) for received, reading in readings.items() if reading.done()]
            for received in {*batch} - {received for received, _ in read}:
                await self._put_aside(received, readings.get(received))
            if read:
                await self._ledger.in_order(read[0][0].id, self._shop.now())
                await self._decide_read(read)
        except BaseException:
            give_up(reading for received, reading in readings.items() if not self._slow.holds(received.id))
            raise

    async def _promptly(self, readings: Collection[Reading]) -> None:
        """Wait until all are over, or `PROMPT` is and there is room for those that go on."""
        late = set(readings)
        while late:
            _, late = await asyncio.wait(late, timeout=PROMPT)
            if len(late) + self._slow.going <= MOST_SLOW:
                return

    async def _put_aside(self, received: Received, reading: Reading | None) -> None:
        """Let a mail be read on beside the others. Without a reading it is one of those, taken again: that is no attempt."""
        if reading is None:
            await self._ledger.release([received.id])
        try:
            await self._ledger.retry_later(received.id, SLOW_WORDS, self._shop.now() + PUT_OFF)
        except ConflictError:  # an operator dropped it meanwhile
            give_up([reading] if reading else [])
            return
        if reading is not None:
            log.info("mail.slow", received=received.id)
            self._slow.keep(received, reading)

    async def _decide_read(self, read: Sequence[tuple[Received, Reading]]) -> None:
        async with self._shop.deciding():
            await self._deciding.decide([received for received, _ in read], [outcome(reading) for _, reading in read])

    async def _poisonous(self, received: Received) -> None:
        """Set a mail aside that was in our hands each time the daemon ended. It was taken alone, so it is no neighbour's fault."""
        words = f"the daemon ended {received.attempts - 1} times while it had this mail in its hands"
        with contextlib.suppress(ConflictError):
            await self._ledger.quarantine(received.id, words, self._shop.now())
        log.error("mail.quarantined", received=received.id, fault=words)

    async def _parse(self, received: Received) -> InboundMail:
        octets = await self._ledger.octets(received.digest)
        mail = await self._shop.read(octets, received.mail_from)
        self.pulse.beat()
        return await self._shop.looked(received, octets, mail)
