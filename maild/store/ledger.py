"""The ledger: everything maild knows, in one database. Open it, ask it, record in it."""

import asyncio
import fcntl
import os
import re
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tortoise.context import TortoiseContext

from maild.store import migrate as migrations
from maild.store.copying import Migrated
from maild.store.delayed import Delayed
from maild.store.digesting import Digesting
from maild.store.door import Door, Heard
from maild.store.door_sqlite import SqliteDoor
from maild.store.faults import LedgerError, LedgerInUseError
from maild.store.fetching import Fetching
from maild.store.handling import Handling
from maild.store.keeping import Keeping
from maild.store.merging import Merging
from maild.store.owing import Owing
from maild.store.recording import Recording
from maild.store.reporting import Reporting
from maild.store.showing import Showing
from maild.store.summing import Summing
from maild.store.watching import Watching

SQLITE = "sqlite://"
POSTGRES = ("postgres://", "postgresql://")


class Ledger(
    Fetching, Owing, Recording, Keeping, Merging, Handling, Showing, Summing, Reporting, Watching, Digesting, Delayed
):
    """One open ledger. All instants are aware UTC; a naive one is a ValueError.

    Writes are durable when they return, and a cancelled caller leaves them whole. Reads never wait for writes. Text is
    kept without NUL and lone surrogates (`maild.store.door.writable`).
    """

    migrated: Migrated
    """What opening it did to its version."""

    _lock: int | None
    _closing: asyncio.Lock
    _closed: bool = False

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        exclusive: bool = False,
        migrate: bool = True,
        copies: Path | None = None,
        durable: bool = True,
    ) -> "Ledger":
        """Open `sqlite:///path/to/file.db`, made if need be, or `postgres://user@host/database`, and bring it to this version.

        `exclusive` is for the daemon: LedgerInUseError where another one holds the file. On PostgreSQL daemons share.
        A copy of an older one with content is kept in the folder `copies` first; without a folder there is none.
        Without `migrate` a ledger of another version is refused; without `durable` a file is not flushed to the disk,
        which is for one that is thrown away. LedgerSchemaError for such and where no copy can be
        made, LedgerAwayError where no server answers, LedgerError where the file cannot be opened.
        """
        lock = None
        door: Door | None = None
        context = TortoiseContext()
        try:
            if url.startswith(POSTGRES):
                door, migrated, reading = await _postgres(url, copies, migrate=migrate)
            else:
                path = path_of(url)
                _make(path)
                lock = _hold(path.resolve()) if exclusive else None
                door, migrated, reading = await _sqlite(path, copies, migrate=migrate, durable=durable)
            with door.naming_faults(), context:
                await context.init(_tortoise(reading))
                # Now, because a caller cancelled while tortoise connects would keep its lock for ever.
                await context.db().execute_query("SELECT 1")
        except BaseException:
            await context.close_connections()
            if door is not None:
                await door.close()
            _let_go(lock)
            raise
        ledger = cls(door, context)
        ledger.migrated = migrated
        ledger._lock = lock
        ledger._closing = asyncio.Lock()
        return ledger

    def deciding(self) -> AbstractAsyncContextManager[None]:
        """Hold the turn to decide: nobody else gathers evidence and records for the length of the block.

        Whoever records outside of such a block waits for it. LedgerAwayError where the server is out of reach.
        """
        return self._door.deciding()

    def listening(self, heard: Heard) -> AbstractAsyncContextManager[None]:
        """For the length of the block call `heard` in the loop: with "received" or "decided" when another daemon wrote so.

        With "keys" when an operator changed those, with "poll" now and then, for a word that was lost. On SQLite there is no other daemon, and no call.
        """
        return self._door.listening(heard)

    async def close(self) -> None:
        """Wait for the units in flight, then close. Calling it again does nothing but wait for that."""
        # One after the other: aiosqlite, closed by two at once, leaves one of them waiting for ever.
        async with self._closing:
            if self._closed:
                return
            if self._door.pooled:
                with suppress(LedgerError):
                    await self.leave()
            await self._door.close()
            await self._context.close_connections()
            _let_go(self._lock)
            self._lock = None
            self._closed = True


def path_of(url: str) -> Path:
    """Give the file of a `sqlite://` URL: three slashes begin an absolute path. LedgerError for any other URL."""
    path = unquote(url.removeprefix(SQLITE))
    if not url.startswith(SQLITE) or not path or ":memory:" in path or "?" in path:
        raise LedgerError(
            f"{url!r}: the database is sqlite:///absolute/path/to/file.db or postgres://user@host/database"
        )
    return Path(path)


def shown(url: str) -> str:
    """Give a URL for people to read: without its password."""
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@|([?&]password=)[^&]*", _hidden, url) if url.startswith(POSTGRES) else url


def _hidden(found: re.Match[str]) -> str:
    return f"{found[1]}:***@" if found[1] is not None else f"{found[2]}***"


def is_made(url: str) -> bool:
    """Tell whether there is something to open; a server is asked by opening.

    LedgerError for a URL of neither kind, and for a file in a folder that may not be looked into.
    """
    if url.startswith(POSTGRES):
        return True
    path = path_of(url)
    try:
        return path.exists()
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error


async def _sqlite(
    path: Path, copies: Path | None, *, migrate: bool, durable: bool
) -> tuple[Door, Migrated, dict[str, Any]]:
    # Before the door, which makes a file WAL.
    await asyncio.to_thread(migrations.refuse_foreign, path)
    door = await SqliteDoor.open(path, durable=durable)
    try:
        done = await door.run((lambda con: migrations.migrate(con, copies)) if migrate else migrations.check)
    except BaseException:
        await door.close()
        raise
    # query_only: whatever reads cannot write past the door.
    credentials = {"file_path": str(path), "busy_timeout": 10_000, "query_only": "ON"}
    return door, done, {"engine": "tortoise.backends.sqlite", "credentials": credentials}


async def _postgres(url: str, copies: Path | None, *, migrate: bool) -> tuple[Door, Migrated, dict[str, Any]]:
    try:
        # Here, because the driver is an extra.
        from maild.store import migrate_postgres  # noqa: PLC0415 - likewise
        from maild.store.door_postgres import PostgresDoor  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as error:
        raise LedgerError(f"PostgreSQL needs the module {error.name}: pip install 'maild[postgres]'") from error
    door = await PostgresDoor.open(url)
    try:
        done = await door.run(
            (lambda con: migrate_postgres.migrate(con, url, copies)) if migrate else migrate_postgres.check
        )
    except BaseException:
        await door.close()
        raise
    return door, done, {"engine": "maild.store.reading_postgres", "credentials": {"url": url}}


def _tortoise(connection: dict[str, Any]) -> dict[str, Any]:
    return {
        "connections": {"default": connection},
        "apps": {"ledger": {"models": ["maild.store.models"], "default_connection": "default"}},
    }


def _make(path: Path) -> None:
    # Customers' mail: readable by its owner only. SQLite gives the files beside it the same mode.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error


def _hold(path: Path) -> int:
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise LedgerInUseError(f"another daemon holds {path}") from error
    return lock


def _let_go(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
