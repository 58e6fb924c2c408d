"""What every family of the ledger's methods stands on: the door for writing, a connection for reading."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator
from copy import copy
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tortoise.context import TortoiseContext
from tortoise.models import Model
from tortoise.queryset import QuerySet

from maild.store.door import Door, Rows, Write
from maild.store.instant import utc

M = TypeVar("M", bound=Model)
P = ParamSpec("P")
S = TypeVar("S", bound="Shelf")
T = TypeVar("T")
V = TypeVar("V")

EVER = datetime.min.replace(tzinfo=UTC)
"""Later than this means not null. Tortoise writes `NOT x IS NULL`, for which SQLite uses no partial index."""

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
    """

    @wraps(query)
    async def entered(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with copy(self._context):
            return await query(self, *args, **kwargs)

    return entered


def instant(text: str) -> datetime:
    """Read what a RETURNING gave: an aware UTC datetime."""
    return utc(datetime.fromisoformat(text))


def chunks(values: Iterable[V]) -> Iterator[list[V]]:
    """Cut values into lists that fit into one IN list."""
    rest = list(values)
    for start in range(0, len(rest), CHUNK):
        yield rest[start : start + CHUNK]


def marks(values: Collection[Any]) -> str:
    """Give `?, ?, ?` for an IN list."""
    return ", ".join("?" * len(values))
