"""The door to PostgreSQL: each unit is one transaction on a pooled connection, in a task of its own.

A caller that is cancelled leaves its unit running to its end, so no connection is ever given back half-way.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import structlog

from maild.store.door import Heard, Lines, Read, Rows, Write
from maild.store.faults import LedgerAwayError, LedgerClosedError, LedgerError, LedgerSchemaError
from maild.store.faults_postgres import AGAIN, BROKEN, naming_faults
from maild.store.listening import listen, telling
from maild.store.unit_postgres import answers, asked_for, run_unit, worded

log = structlog.get_logger("maild.ledger")

T = TypeVar("T")

TURN = 0x6D61696C64
"""The advisory lock of whoever decides."""

CONNECTIONS = 4
PATIENCE_SECONDS = 30.0
RETRIES = 3

SETTINGS = {
    "synchronous_commit": "on",
    "TimeZone": "UTC",
    "idle_in_transaction_session_timeout": "60000",
}
_inside: ContextVar["PostgresDoor | None"] = ContextVar("maild_deciding", default=None)


class Plain(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that our own statements leave as they found it."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        """Spare one round trip a unit: nothing here sets, listens or locks for longer than a transaction."""
        return ""


class PostgresDoor:
    """Runs units, several at a time. Open with `await PostgresDoor.open(url)`."""

    pooled = True

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = f"maild-{secrets.token_hex(8)}"
        self._pool: Any = None
        self._flying: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._turn = asyncio.Lock()
        self._turn_con: Any = None
        self._turn_busy = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> "PostgresDoor":
        """Connect; LedgerAwayError where no server answers, LedgerSchemaError where it cannot keep what we write."""
        door = cls(url)
        try:
            with naming_faults():
                door._pool = await asyncpg.create_pool(
                    url,
                    min_size=1,
                    max_size=CONNECTIONS,
                    timeout=PATIENCE_SECONDS / 3,
                    command_timeout=PATIENCE_SECONDS,
                    statement_cache_size=512,
                    connection_class=Plain,
                    server_settings={**SETTINGS, "application_name": door.name},
                )
                await _refuse_other_encodings(door._pool)
        except ValueError as error:
            # Without the URL itself, for a password may be in it.
            raise LedgerError(f"the URL of the database is none: {error}") from error
        except BaseException:
            await door.close()
            raise
        return door

    async def write(
        self, unit: Sequence[Write], *, alone: Collection[str] = (), turn: bool = False, tell: str = ""
    ) -> list[Rows]:
        """Write a unit: `Door.write`."""
        # Checked here, for a fault of the caller's is no fault of the ledger's.
        statements = worded(unit)
        begin = _begin(alone, turn=turn)
        end = f"{telling(tell, self.name)}; COMMIT" if tell else "COMMIT"
        if turn and _inside.get() is self:
            return await self.run(lambda con: run_unit(con, begin, statements, end), inside=True)
        return await self.run(lambda con: run_unit(con, begin, statements, end))

    async def read(self, questions: Sequence[Read]) -> list[Lines]:
        """Answer questions in one transaction: `Door.read`."""
        asked = asked_for(questions)
        return await self.run(lambda con: answers(con, asked))

    async def run(self, work: Callable[[Any], Awaitable[T]], *, inside: bool = False) -> T:
        """Run `work` on a connection, again where the engine asks for it. It must leave no transaction open.

        With `inside` it is the connection that holds the turn: if that was lost, so is the unit.
        """
        if self._closed:
            raise LedgerClosedError("the ledger is closed")
        task = asyncio.create_task(self._tried(work, inside=inside), name="ledger")
        self._flying.add(task)
        task.add_done_callback(self._landed)
        return await asyncio.shield(task)

    @contextlib.asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        """Hold the turn to decide: `Door.deciding`. LedgerAwayError where the server is out of reach."""
        await self._turn.acquire()
        try:
            await self._take_turn()
            token = _inside.set(self)
            try:
                yield
            finally:
                _inside.reset(token)
        finally:
            giving = asyncio.create_task(self._give_turn())
            self._flying.add(giving)
            giving.add_done_callback(self._landed)
            await asyncio.shield(giving)

    @contextlib.asynccontextmanager
    async def listening(self, heard: Heard) -> AsyncIterator[None]:
        """Listen on a connection of its own: `Door.listening`. It comes back by itself, and polls behind it."""
        task = asyncio.create_task(listen(self._alone, self.name, heard), name="ledger listens")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    def naming_faults(self) -> contextlib.AbstractContextManager[None]:
        """Name the faults of reading: `Door.naming_faults`."""
        return naming_faults()

    async def close(self) -> None:
        """Wait for the units in flight, then disconnect. Calling it again does nothing."""
        self._closed = True
        while self._flying:
            await asyncio.wait(tuple(self._flying))
        pool, self._pool = self._pool, None
        turn, self._turn_con = self._turn_con, None
        if turn is not None:
            turn.terminate()
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), PATIENCE_SECONDS / 3)
            except BROKEN:
                pool.terminate()

    def _landed(self, task: asyncio.Task[Any]) -> None:
        self._flying.discard(task)
        # Asked for once, so that a caller who went away leaves no unretrieved exception.
        if not task.cancelled():
            task.exception()

    async def _tried(self, work: Callable[[Any], Awaitable[T]], *, inside: bool) -> T:
        for left in reversed(range(RETRIES)):
            with naming_faults():
                try:
                    if inside:
                        async with self._turn_busy:
                            return await work(self._holder())
                    async with self._pool.acquire(timeout=PATIENCE_SECONDS) as con:
                        return await work(con)
                except AGAIN:
                    if not left:
                        raise
        raise AssertionError("unreachable")

    def _holder(self) -> Any:
        if self._turn_con is None or self._turn_con.is_closed():
            raise LedgerAwayError("the turn to decide went with its connection")
        return self._turn_con

    async def _take_turn(self) -> None:
        if self._closed:
            raise LedgerClosedError("the ledger is closed")
        with naming_faults():
            try:
                if self._turn_con is None or self._turn_con.is_closed():
                    self._turn_con = await self._alone()
                taken = False
                while not taken:
                    try:
                        # Asked again from time to time: a server that vanished silently answers nothing for ever.
                        await self._turn_con.execute(
                            f"SET lock_timeout = '{int(PATIENCE_SECONDS)}s'; SELECT pg_advisory_lock({TURN}); "
                            "SET lock_timeout = 0",
                            timeout=PATIENCE_SECONDS * 2,
                        )
                        taken = True
                    except asyncpg.LockNotAvailableError:
                        log.warning("ledger.turn_awaited", seconds=PATIENCE_SECONDS)
            except BaseException:
                if self._turn_con is not None:
                    self._turn_con.terminate()
                self._turn_con = None
                raise

    async def _give_turn(self) -> None:
        try:
            if self._turn_con is not None:
                async with self._turn_busy:
                    await self._turn_con.execute(f"SELECT pg_advisory_unlock({TURN})", timeout=5)
        except BROKEN:
            self._turn_con.terminate()
            self._turn_con = None
        finally:
            self._turn.release()

    async def _alone(self) -> Any:
        return await asyncpg.connect(
            self._url,
            timeout=PATIENCE_SECONDS / 3,
            statement_cache_size=512,
            server_settings={**SETTINGS, "application_name": self.name},
        )


async def _refuse_other_encodings(pool: Any) -> None:
    encoding = await pool.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise LedgerSchemaError(f"the database is encoded in {encoding}: make one with ENCODING 'UTF8'")


def _begin(alone: Collection[str], *, turn: bool) -> str:
    # In one order, lest two units wait for each other.
    keys = sorted({TURN} if turn else ()) + sorted(
        int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True) for name in set(alone)
    )
    locks = "".join(f"; SELECT pg_advisory_xact_lock({key})" for key in keys)
    return f"BEGIN{locks}"
