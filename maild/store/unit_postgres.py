"""A unit of statements on one connection to PostgreSQL, in as few round trips as it takes."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from maild.store.door import Lines, Read, Rows, Write
from maild.store.faults import ConflictError
from maild.store.faults_postgres import BROKEN
from maild.store.instant import utc
from maild.store.words import writable

Worded = tuple[str, list[Any], int | None]
"""A statement in PostgreSQL's words, its values, and the rows that it must touch."""


def worded(unit: Sequence[Write]) -> list[Worded]:
    """Give the statements of a unit as PostgreSQL takes them."""
    return [(translated(write.sql), list(map(_value, write.params)), write.expect) for write in unit]


def asked_for(questions: Sequence[Read]) -> list[tuple[str, list[Any]]]:
    """Give questions as PostgreSQL takes them."""
    return [(translated(each.sql), list(map(_value, each.params))) for each in questions]


async def run_unit(con: Any, begin: str, statements: Sequence[Worded], end: str) -> list[Rows]:
    """Run a unit between `begin` and `end`; give the rows of each statement. Whatever goes wrong, it is rolled back."""
    rows: list[Rows] = []
    try:
        await con.execute(begin)
        for same in _runs(statements):
            rows += await _together(con, same)
        await con.execute(end)
    except BaseException:
        try:
            if not con.is_closed():
                await con.execute("ROLLBACK")
        except BROKEN:
            con.terminate()
        raise
    return rows


async def answers(con: Any, asked: Sequence[tuple[str, list[Any]]]) -> list[Lines]:
    """Answer questions, all as of one instant."""
    async with con.transaction(isolation="repeatable_read", readonly=True):
        return [[dict(row) for row in await con.fetch(sql, *values)] for sql, values in asked]


def _runs(statements: Sequence[Worded]) -> Iterator[list[Worded]]:
    """Part the statements where the words change, and around each one that has something to say."""
    numbered = groupby(enumerate(statements), lambda one: one[0] if _tells(one[1]) else one[1][0])
    return ([statement for _, statement in same] for _, same in numbered)


def _tells(statement: Worded) -> bool:
    sql, _, expect = statement
    return expect is not None or _gives_rows(sql)


def _gives_rows(sql: str) -> bool:
    return "RETURNING" in sql or sql.startswith("SELECT")


async def _together(con: Any, same: Sequence[Worded]) -> list[Rows]:
    """Run statements of the same words: asyncpg sends several at once, and waits for an answer once."""
    (sql, values, expect), *others = same
    if others:
        await con.executemany(sql, [values for _, values, _ in same])
        return [[] for _ in same]
    if _gives_rows(sql):
        rows = [tuple(row) for row in await con.fetch(sql, *values)]
        touched = len(rows)
    else:
        rows = []
        touched = int((await con.execute(sql, *values)).rpartition(" ")[2])
    if expect is not None and expect != touched:
        raise ConflictError(f"{touched} rows where {expect} were expected: {sql}")
    return [rows]


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value)
    return utc(value) if isinstance(value, datetime) else value


@lru_cache(4096)
def translated(sql: str) -> str:
    """Give a statement in PostgreSQL's words: `?` is `$1`, `$2`, ..., and what is for PostgreSQL alone is there."""
    parts = re.sub(r"/\*!(.*?)\*/", r"\1", sql).split("?")
    return parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], 1))
