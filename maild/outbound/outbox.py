"""The outbox: sends what is owed, in order of its time, until it is sent or past hope."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maild.outbound.backoff import delay, exhausted, outage_delay
from maild.outbound.relay import Permanent, Reply, Transient
from maild.pulse import Pulse

_log = structlog.get_logger("maild.outbox")

_LONGEST_WAIT = 3600.0
_LEDGER_WAIT = 5.0
_MARGIN = timedelta(minutes=6)
"""A mail is not begun when less than this is left of its lease: a send may take five minutes."""
_PATIENCE = _MARGIN.total_seconds() + 60
"""Seconds that one mail may take before the loop counts as hanging."""


def _words(fault: BaseException) -> str:
    """Say a fault without its traceback: some renderers print the locals there, and those hold mail."""
    return f"{type(fault).__name__}: {fault}"


class Owed(Protocol):
    """A row of the outbox."""

    @property
    def id(self) -> int:
        """The row."""

    @property
    def envelope_from(self) -> str:
        """The return path, "" for the null one."""

    @property
    def ticket(self) -> int:
        """The ticket it belongs to, 0 for none."""

    @property
    def message_id(self) -> str:
        """Its Message-ID, without brackets."""

    @property
    def rcpt(self) -> str:
        """The one recipient."""

    @property
    def digest(self) -> str:
        """The name of its octets, the same at every attempt."""

    @property
    def attempts(self) -> int:
        """How often it was refused so far."""

    @property
    def created_at(self) -> datetime:
        """Since when it is owed, aware UTC."""


class Ledger(Protocol):
    """What the outbox asks of the store."""

    async def claim(self, now: datetime, limit: int, lease: timedelta) -> Sequence[Owed]:
        """Take what is due at `now`, at most `limit`; nobody else gets it before `now + lease`."""

    async def octets(self, digest: str) -> bytes:
        """Give a mail; KeyError or ValueError where it is missing or damaged."""

    async def sent(self, row: int, at: datetime, reply: str, /) -> None:
        """Mark a row sent."""

    async def deferred(self, row: int, not_before: datetime, reply: str, /, *, count: bool) -> None:
        """Put a row back until `not_before`; `count` makes it one more attempt."""

    async def failed(self, row: int, at: datetime, reply: str, /) -> None:
        """Mark a row failed for good."""

    async def next_outbox_at(self) -> datetime | None:
        """Say when the next row is due, None where nothing is owed."""


class Carrier(Protocol):
    """One connection that carries mail: `relay.Relay`."""

    async def send(self, envelope_from: str, rcpt: str, octets: bytes) -> Reply:
        """Send one mail; raises Transient or Permanent."""

    async def close(self) -> None:
        """Hang up."""


class Outbox:
    """The loop. One worker for each carrier; `wake` is set by whoever wrote a row.

    `now` gives aware UTC, `rng` spreads the hourly retries, `on_failed` is told of each mail that is past hope, with
    the smarthost's words, before the row is marked: told twice at worst, never not at all. `batch` rows are claimed at
    a time; each carrier has one mail in memory.
    """

    def __init__(
        self,
        ledger: Ledger,
        carriers: Sequence[Carrier],
        now: Callable[[], datetime],
        rng: random.Random,
        *,
        wake: asyncio.Event | None = None,
        on_failed: Callable[[Owed, str], Awaitable[None]] | None = None,
        batch: int = 16,
        lease: timedelta = timedelta(minutes=15),
    ) -> None:
        self._ledger = ledger
        self._carriers = tuple(carriers)
        self._now = now
        self._rng = rng
        self._on_failed = on_failed
        self._batch = batch
        self._lease = lease
        self._stopping = False
        self._away_since: datetime | None = None
        self._away = ""
        self.wake = wake or asyncio.Event()
        self.pulse = Pulse(_PATIENCE)

    async def run(self) -> None:
        """Send until `stop`. A mail or a ledger that fails never ends the loop."""
        try:
            while not self._stopping:
                self.wake.clear()
                self.pulse.beat()
                try:
                    worked = await self.round()
                    wait = 0.0 if worked else await self._until_next()
                except Exception as fault:  # noqa: BLE001 - the loop outlives a database that is away
                    _log.error("outbox.ledger_failed", fault=_words(fault))
                    wait = _LEDGER_WAIT
                if wait and not self._stopping:
                    await self._hang_up()
                    self.pulse.beat(wait)
                    await self._sleep(wait)
        finally:
            await self._hang_up()

    def stop(self) -> None:
        """Ask the loop to end after the mails that are being sent."""
        self._stopping = True
        self.wake.set()

    async def round(self) -> int:
        """Claim what is due and try each once; gives how many rows were claimed."""
        claimed_at = self._now()
        rows = deque(await self._ledger.claim(claimed_at, self._batch, self._lease))
        count = len(rows)
        self._away = ""
        async with asyncio.TaskGroup() as group:
            for carrier in self._carriers[:count]:
                group.create_task(self._work(carrier, rows, claimed_at + self._lease - min(_MARGIN, self._lease / 2)))
        return count

    async def _work(self, carrier: Carrier, rows: deque[Owed], until: datetime) -> None:
        while rows:
            row = rows.popleft()
            self.pulse.beat()
            try:
                if self._stopping or self._now() >= until:
                    await self._ledger.deferred(row.id, self._now(), "put back unsent", count=False)
                elif self._away:
                    await self._park(row, self._away)
                else:
                    await self._try(carrier, row)
            except Exception as fault:  # noqa: BLE001 - the loop outlives any one mail
                _log.error("outbox.mail_failed", id=row.id, fault=_words(fault))
                await self._put_back(row, type(fault).__name__)

    async def _put_back(self, row: Owed, fault: str) -> None:
        try:
            await self._ledger.deferred(row.id, self._now() + delay(row.attempts, 0.5), fault, count=True)
        except Exception as failure:  # noqa: BLE001 - the row comes back by itself when its lease ends
            _log.error("outbox.ledger_failed", id=row.id, fault=_words(failure))

    async def _try(self, carrier: Carrier, row: Owed) -> None:
        try:
            octets = await self._ledger.octets(row.digest)
        except (KeyError, ValueError) as damage:
            await self._fail(row, f"never sent, its octets are lost to the ledger: {_words(damage)}")
            return
        try:
            reply = await carrier.send(row.envelope_from, row.rcpt, octets)
        except Permanent as refusal:
            await self._fail(row, f"{refusal.code} {refusal.text}")
        except Transient as refusal:
            words = f"{refusal.code} {refusal.text}" if refusal.code else refusal.text
            if refusal.at_connect:
                self._away = words
                await self._park(row, words)
            elif exhausted(row.attempts, row.created_at, self._now()):
                await self._fail(row, f"given up after 48 hours: {words}")
            else:
                wait = delay(row.attempts, self._rng.random())
                _log.info("outbox.deferred", id=row.id, reply=words, attempts=row.attempts + 1, seconds=wait.seconds)
                await self._ledger.deferred(row.id, self._now() + wait, words, count=True)
        else:
            self._away_since = None
            _log.info("outbox.sent", id=row.id, code=reply.code)
            await self._ledger.sent(row.id, self._now(), f"{reply.code} {reply.text}")

    async def _park(self, row: Owed, words: str) -> None:
        now = self._now()
        # A clock that was set back must not make an outage end before it began.
        self._away_since = min(self._away_since or now, now)
        wait = outage_delay(now - self._away_since)
        _log.warning("outbox.smarthost_away", id=row.id, reply=words, seconds=wait.seconds)
        await self._ledger.deferred(row.id, now + wait, words, count=False)

    async def _fail(self, row: Owed, words: str) -> None:
        _log.warning("outbox.failed", id=row.id, reply=words)
        if self._on_failed is not None:
            try:
                await self._on_failed(row, words)
            except Exception as fault:  # noqa: BLE001 - a mail past hope must not come back to be sent for ever
                _log.error("outbox.on_failed_failed", id=row.id, fault=_words(fault))
        await self._ledger.failed(row.id, self._now(), words)

    async def _until_next(self) -> float:
        at = await self._ledger.next_outbox_at()
        if at is None:
            return _LONGEST_WAIT
        # Due and yet not claimed means that another daemon has it, or a clock that runs ahead: look again in a second.
        return min(max((at - self._now()).total_seconds(), 1.0), _LONGEST_WAIT)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.wake.wait()
        except TimeoutError:
            return

    async def _hang_up(self) -> None:
        for carrier in self._carriers:
            await carrier.close()
