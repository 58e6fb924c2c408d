"""The door to the ledger for every way in: returns once the mail is durable, and commits mails in groups.

While one commit runs, whatever arrives waits and makes up the next one, so that many senders share an fsync and a
single one never waits for company.
"""

import asyncio
import errno
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from maild.ingest.smtp_spool import Spool
from maild.mail import Envelope

Octets = bytes | Spool
"""A mail in memory, or one so large that it waits in a file."""

Store = Callable[[Sequence[tuple[Envelope, Octets]]], Awaitable[object]]

MOST_MAILS = 64
MOST_OCTETS = 32 * 1024 * 1024


class Overloaded(Exception):  # noqa: N818 - a state of ours, not a mistake of anybody
    """More octets are in flight than the budget allows; the sender should come back (452 4.3.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    mail: tuple[Envelope, Octets]
    done: asyncio.Future[None]

    @property
    def size(self) -> int:
        octets = self.mail[1]
        return len(octets) if isinstance(octets, bytes) else octets.size

    @property
    def held(self) -> int:
        octets = self.mail[1]
        return len(octets) if isinstance(octets, bytes) else 0


class Acceptor:
    """Group commit. `store` writes mails in one durable unit or raises; `on_accepted` is called after each unit.

    A unit that fails is taken apart, so that a mail that cannot be stored fails alone; but not where `of_all` says that
    the fault would meet each of them, because each would wait for it again. Then whatever waits behind fails with it.
    `in_flight` bounds the octets in memory that wait or are being written. A mail that was queued is written even if its
    caller goes away: the sender of an unanswered mail sends it again, and the ledger knows (recipient, digest).
    """

    def __init__(
        self,
        store: Store,
        on_accepted: Callable[[], None],
        *,
        in_flight: int = 256 * 1024 * 1024,
        of_all: Callable[[Exception], bool] = lambda _: False,
    ) -> None:
        self._store = store
        self._on_accepted = on_accepted
        self._budget = in_flight
        self._of_all = of_all
        self._octets = 0
        self._waiting: deque[_Waiting] = deque()
        self._batch: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """Octets in memory that wait or are being written."""
        return self._octets

    async def accept(self, env: Envelope, octets: Octets) -> None:
        """Return when the mail is durable; raise what the store raised for it, or `Overloaded`.

        Must not be called inside a unit of the ledger: the writer is a task of its own. Cancelling the caller
        cancels nothing but the waiting.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting((env, octets), done)
        if self._octets + waiting.held > self._budget:
            raise Overloaded(f"{self._octets} octets are in flight")
        self._octets += waiting.held
        self._waiting.append(waiting)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="accept")
        await done

    async def settled(self) -> None:
        """Return when what waits or is being written now has been; what comes later is not waited for."""
        if queued := [each.done for each in (*self._batch, *self._waiting)]:
            await asyncio.wait(queued)

    async def drain(self) -> None:
        """Return when nothing waits or is being written."""
        while self._writer is not None:
            await asyncio.wait([self._writer])

    async def _write(self) -> None:
        try:
            while self._waiting:
                self._batch = self._next_batch()
                await self._write_batch(self._batch)
                self._octets -= sum(each.held for each in self._batch)
                self._batch = []
        finally:
            # Empty unless this task was cancelled: nobody may wait for ever then.
            for each in (*self._batch, *self._waiting):
                self._octets -= each.held
                each.done.cancel()
            self._waiting.clear()
            self._writer = None

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        octets = batch[0].size
        while self._waiting and len(batch) < MOST_MAILS:
            octets += self._waiting[0].size
            if octets > MOST_OCTETS:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._store([each.mail for each in batch])
        except Exception as error:  # noqa: BLE001 - whatever the store raises belongs to the senders
            if self._of_all(error):
                behind = [self._waiting.popleft() for _ in range(len(self._waiting))]
                self._octets -= sum(each.held for each in behind)
                batch = (*batch, *behind)
            elif len(batch) > 1:
                for each in batch:
                    await self._write_batch([each])
                return
            for each in batch:
                _fail(each.done, error)
            return
        for each in batch:
            if not each.done.done():
                each.done.set_result(None)
        self._on_accepted()


def _fail(done: asyncio.Future[None], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
        # Asked for once, so that a caller who is cancelled at this very moment leaves no unretrieved exception.
        done.exception()


def is_full(error: BaseException | None) -> bool:
    """Say whether an error, or what caused it, means that there is no room: our budget, the disk, the quota."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, Overloaded):
            return True
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.ENOBUFS}:
            return True
        # SQLITE_FULL and PostgreSQL's 53100 come as text through the drivers.
        if "disk is full" in str(error) or "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
