"""The ledger: everything maild knows, in one file. Open it, ask it, record in it."""

import fcntl
import os
from pathlib import Path
from urllib.parse import unquote

from tortoise.context import TortoiseContext

from maild.store import migrate as migrations
from maild.store.door import Door
from maild.store.faults import LedgerError, LedgerInUseError
from maild.store.owing import Owing
from maild.store.placing import Placing
from maild.store.recording import Recording
from maild.store.watching import Watching

SCHEME = "sqlite://"


class Ledger(Owing, Recording, Placing, Watching):
    """One open ledger. All instants are aware UTC; a naive one is a ValueError.

    Writes are durable when they return, and a cancelled caller leaves them whole. Reads never wait for writes.
    """

    _lock: int | None

    @classmethod
    async def open(cls, url: str, *, exclusive: bool = False, migrate: bool = True) -> "Ledger":
        """Open `sqlite:///path/to/file.db`, made and brought to this version if need be.

        `exclusive` is for the daemon: LedgerInUseError where another one holds the ledger. Without `migrate` a ledger of
        another version is refused. LedgerSchemaError for such, LedgerError where the file cannot be opened.
        """
        path = path_of(url)
        lock = None
        door = None
        context = TortoiseContext()
        try:
            _make(path)
            lock = _hold(path) if exclusive else None
            door = await Door.open(path)
            if migrate:
                await door.run(lambda con: migrations.migrate(con, path))
            else:
                await door.run(migrations.check)
            with context:
                await context.init(_reading(path))
                # Now, because a caller cancelled while tortoise connects would keep its lock for ever.
                await context.db().execute_query("SELECT 1")
        except BaseException:
            await context.close_connections()
            if door is not None:
                await door.close()
            _let_go(lock)
            raise
        ledger = cls(door, context)
        ledger._lock = lock
        return ledger

    async def close(self) -> None:
        """Wait for the units in flight, then close. Calling it again does nothing."""
        await self._door.close()
        await self._context.close_connections()
        _let_go(self._lock)
        self._lock = None


def path_of(url: str) -> Path:
    """Give the file of a `sqlite://` URL: three slashes begin an absolute path. LedgerError for any other URL."""
    path = unquote(url.removeprefix(SCHEME))
    if not url.startswith(SCHEME) or not path or ":memory:" in path or "?" in path:
        raise LedgerError(f"{url!r}: the database is sqlite:///absolute/path/to/file.db")
    return Path(path)


def _reading(path: Path) -> dict[str, object]:
    # query_only: whatever reads cannot write past the door.
    credentials = {"file_path": str(path), "busy_timeout": 10_000, "query_only": "ON"}
    return {
        "connections": {"default": {"engine": "tortoise.backends.sqlite", "credentials": credentials}},
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
