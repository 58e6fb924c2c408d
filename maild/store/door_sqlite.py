"""The door to SQLite: one thread, one connection, units in the order in which they are posted."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from maild.store.door import Heard, Lines, Read, Rows, Write
from maild.store.faults import ConflictError, LedgerBusyError, LedgerClosedError, LedgerError, LedgerSchemaError
from maild.store.instant import is_instant, utc, utc_text
from maild.store.words import writable

T = TypeVar("T")

BUSY_SECONDS = 10.0
"""How long the engine waits for a lock when it is asked to read."""

TRY_SECONDS = 1.0
"""How long the engine waits for the write lock at one try."""

PATIENCE_SECONDS = 20.0
"""How long a unit waits for the write lock from when it was posted; it is tried once at least."""

_TAKEN = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"})
_BUSY = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})


class SqliteDoor:
    """Runs units in the order in which they are posted. Open with `await SqliteDoor.open(path)`."""

    name = "the daemon"
    pooled = False

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._synchronous = ("FULL", 2) if durable else ("OFF", 0)
        self._at_once = not durable
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._flying: set[asyncio.Future[Any]] = set()
        self._closed = False
        self._turn = asyncio.Lock()
        self._con: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None

    @classmethod
    async def open(cls, path: Path, *, durable: bool = True) -> "SqliteDoor":
        """Connect and check the promises of durability; LedgerSchemaError where the engine does not keep them.

        Without `durable` nothing is flushed to the disk, and nothing waits for it in a thread: for a ledger that is
        thrown away.
        """
        door = cls(path, durable=durable)
        try:
            await door.run(door._connect)
        except BaseException:
            await door.close()
            raise
        return door

    async def write(
        self,
        unit: Sequence[Write],
        *,
        alone: Collection[str] = (),  # noqa: ARG002 - units are serial here
        turn: bool = False,  # noqa: ARG002 - likewise
        tell: str = "",  # noqa: ARG002 - one daemon holds the ledger, and it knows
    ) -> list[Rows]:
        """Write a unit: `Door.write`."""
        # Counted from here, so that those who wait behind a lock wait together and not one after another.
        by = time.monotonic() + PATIENCE_SECONDS
        return await self.run(lambda con: _unit(con, unit, by))

    async def read(self, questions: Sequence[Read]) -> list[Lines]:
        """Answer questions in a thread of their own, which waits for no writer: `Door.read`."""
        if self._closed:
            raise LedgerClosedError("the ledger is closed")
        if self._at_once:
            return self._work(lambda con: _answers(con, questions))
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._answer, questions)

    @asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        """Hold the turn to decide within this process: `Door.deciding`."""
        async with self._turn:
            yield

    @asynccontextmanager
    async def listening(self, heard: Heard) -> AsyncIterator[None]:  # noqa: ARG002 - nobody else speaks
        """Do nothing: the command line wakes the daemon through `wake`."""
        yield

    @contextmanager
    def naming_faults(self) -> Iterator[None]:
        """Name the faults of reading: `Door.naming_faults`."""
        try:
            yield
        except sqlite3.Error as error:
            raise _fault(error) from error

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the writer's thread. It must leave no transaction open."""
        if self._closed:
            raise LedgerClosedError("the ledger is closed")
        if self._at_once:
            return self._work(work)
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)
        self._flying.add(future)
        future.add_done_callback(self._flying.discard)
        return await asyncio.shield(future)

    async def close(self) -> None:
        """Wait for the units in flight, then disconnect. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._at_once:
            self._disconnect()
            return
        last = asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._flying.add(last)
        self._flying.add(asyncio.get_running_loop().run_in_executor(self._reader, self._stop_reading))
        await asyncio.shield(asyncio.gather(*self._flying, return_exceptions=True))
        self._thread.shutdown(wait=False)
        self._reader.shutdown(wait=False)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._con is None:
                self._con = sqlite3.connect(
                    self._path, timeout=TRY_SECONDS, isolation_level=None, cached_statements=512
                )
            return work(self._con)
        except sqlite3.Error as error:
            raise _fault(error) from error

    def _connect(self, con: sqlite3.Connection) -> None:
        if sqlite3.sqlite_version_info < (3, 37):
            raise LedgerSchemaError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or later is needed")
        _patiently(con, "PRAGMA journal_mode = WAL", time.monotonic() + PATIENCE_SECONDS)
        word, number = self._synchronous
        con.execute(f"PRAGMA synchronous = {word}")
        con.execute("PRAGMA foreign_keys = ON")
        for pragma, wanted in (("journal_mode", "wal"), ("synchronous", number), ("foreign_keys", 1)):
            (found,) = con.execute(f"PRAGMA {pragma}").fetchone()
            if found != wanted:
                raise LedgerSchemaError(
                    f"{self._path}: {pragma} is {found}, and {wanted} is needed: is it a network disk?"
                )

    def _disconnect(self) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None

    def _answer(self, questions: Sequence[Read]) -> list[Lines]:
        try:
            if self._reading is None:
                self._reading = sqlite3.connect(
                    self._path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=128
                )
                self._reading.execute("PRAGMA query_only = ON")
            return _answers(self._reading, questions)
        except sqlite3.Error as error:
            raise _fault(error) from error

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None


def begin(con: sqlite3.Connection, by: float | None = None) -> None:
    """Take the write lock at once: a deferred BEGIN that reads first fails on any other process's write.

    `by` is when to give up, in seconds of the monotonic clock; `PATIENCE_SECONDS` from now without it.
    """
    _patiently(con, "BEGIN IMMEDIATE", time.monotonic() + PATIENCE_SECONDS if by is None else by)


def _patiently(con: sqlite3.Connection, sql: str, by: float) -> None:
    # The engine does not wait in every case (never while a new file becomes WAL), so this waits beside it.
    while True:
        try:
            con.execute(sql)
        except sqlite3.OperationalError as error:
            if _name(error) not in _BUSY or time.monotonic() >= by:
                raise
            time.sleep(0.005)
        else:
            return


def rollback(con: sqlite3.Connection) -> None:
    """Undo what is open. On a full disk the engine may have done so itself."""
    if con.in_transaction:
        with suppress(sqlite3.Error):
            con.execute("ROLLBACK")


def _unit(con: sqlite3.Connection, unit: Sequence[Write], by: float) -> list[Rows]:
    begin(con, by)
    try:
        rows = [_statement(con, write) for write in unit]
        con.execute("COMMIT")
    except BaseException:
        rollback(con)
        raise
    return rows


def _statement(con: sqlite3.Connection, write: Write) -> Rows:
    cursor = con.execute(write.sql, [_value(value) for value in write.params])
    rows: Rows = cursor.fetchall() if cursor.description else []
    if write.expect is not None and write.expect != (touched := len(rows) if cursor.description else cursor.rowcount):
        raise ConflictError(f"{touched} rows where {write.expect} were expected: {write.sql}")
    return rows


def _answers(con: sqlite3.Connection, questions: Sequence[Read]) -> list[Lines]:
    con.execute("BEGIN")
    try:
        return [_lines(con.execute(each.sql, [_value(value) for value in each.params])) for each in questions]
    finally:
        rollback(con)


def _lines(cursor: sqlite3.Cursor) -> Lines:
    names = [column[0] for column in cursor.description]
    instants = [name for name in names if is_instant(name)]
    lines = [dict(zip(names, row, strict=True)) for row in cursor]
    for line in lines:
        for name in instants:
            if line[name] is not None:
                line[name] = utc(datetime.fromisoformat(line[name]))
    return lines


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value)
    return utc_text(value) if isinstance(value, datetime) else value


def _name(error: sqlite3.Error) -> str:
    # Extended codes carry the reason behind the plain one: SQLITE_BUSY_SNAPSHOT is a SQLITE_BUSY.
    name: str = getattr(error, "sqlite_errorname", None) or ""
    return next((plain for plain in _BUSY if name.startswith(plain)), name)


def _fault(error: sqlite3.Error) -> LedgerError:
    name = _name(error)
    if name in _TAKEN:
        return ConflictError(str(error))
    if name in _BUSY:
        return LedgerBusyError(f"another process holds the ledger's write lock: {error}")
    return LedgerError(f"{name or type(error).__name__}: {error}")
