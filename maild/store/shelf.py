"""What every family of the ledger's methods stands on: the door for writing, a connection for reading."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tortoise.context import TortoiseContext
from tortoise.exceptions import BaseORMException
from tortoise.models import Model
from tortoise.queryset import QuerySet

from maild.store.door import Door, Rows, Write
from maild.store.faults import LedgerError
from maild.store.instant import utc

M = TypeVar("M", bound=Model)
P = ParamSpec("P")
S = TypeVar("S", bound="Shelf")
T = TypeVar("T")
V = TypeVar("V")

EVER = datetime.min.replace(tzinfo=UTC)
"""Later than this means not null. Tortoise writes `NOT x IS NULL`, for which SQLite uses no partial index."""

LEASE = timedelta(seconds=30)
"""How long work that a daemon took is kept from the others. It is short work, and done twice it is a conflict."""

DEAD = "NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = taken_by)"
"""Whoever has it holds no connection: every daemon bears its name on all of them. PostgreSQL only."""

FREE = f"(taken_by IS NULL OR taken_by = ? OR taken_until <= ? /*! OR {DEAD} */)"
"""Not in another daemon's hands, by its name and now."""

CHUNK = 500
"""Values in one IN list: well below every engine's limit of variables."""


class Shelf:
    """Holds the two connections of one ledger."""

    def __init__(self, door: Door, context: TortoiseContext) -> None:
        self._door = door
        self._context = context

    def _from(self, model: type[M]) -> QuerySet[M]:
        return QuerySet(model).using_db(self._context.db())

    async def _write(self, *unit: Write) -> list[Rows]:
        return await self._door.write(unit)


def reading(
    query: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Let a method build Tortoise queries of its own ledger, whatever task calls it.

    Tortoise asks a context variable even where the connection is given. Its context keeps the variable's token in
    itself, so each call enters a shallow copy: concurrent readers would reset one another's.

    On PostgreSQL it runs in a task of its own: a caller that is cancelled while he waits for a connection of the pool
    must not keep it. What the engine says of itself becomes a LedgerError.
    """

    async def within(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        with _naming_faults(), self._door.naming_faults(), copy(self._context):
            return await query(self, *args, **kwargs)

    @wraps(query)
    async def entered(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if not self._door.pooled:
            return await within(self, *args, **kwargs)
        reading_alone = asyncio.create_task(within(self, *args, **kwargs), name="ledger reads")
        reading_alone.add_done_callback(_asked)
        return await asyncio.shield(reading_alone)

    return entered


def _asked(task: asyncio.Task[Any]) -> None:
    # Asked for once, so that a caller who went away leaves no unretrieved exception.
    if not task.cancelled():
        task.exception()


@contextmanager
def _naming_faults() -> Iterator[None]:
    try:
        yield
    except BaseORMException as error:
        raise LedgerError(f"{type(error).__name__}: {error}") from error


def instant(given: str | datetime) -> datetime:
    """Read what a RETURNING gave, text from SQLite: an aware UTC datetime."""
    return utc(datetime.fromisoformat(given) if isinstance(given, str) else given)


def chunks(values: Iterable[V]) -> Iterator[list[V]]:
    """Cut values into lists that fit into one IN list."""
    rest = list(values)
    for start in range(0, len(rest), CHUNK):
        yield rest[start : start + CHUNK]


def marks(values: Collection[Any]) -> str:
    """Give `?, ?, ?` for an IN list."""
    return ", ".join("?" * len(values))
