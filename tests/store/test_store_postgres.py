"""What PostgreSQL alone can do to us: other schemas, other encodings, going away and coming back."""

import asyncio
import re
import signal
import sqlite3
import sys
import time
from contextlib import closing

import asyncpg
import pytest

from maild.store import migrate_postgres
from maild.store.door import Write
from maild.store.faults import ConflictError, LedgerAwayError, LedgerBusyError, LedgerError, LedgerSchemaError
from maild.store.ledger import Ledger, is_made, path_of
from maild.store.record import Record

COLUMNS = """SELECT table_name, column_name, is_nullable, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'schema_version'"""
KINDS = {
    "bigint": "INTEGER",
    "integer": "INTEGER",
    "boolean": "INTEGER",
    "text": "TEXT",
    "timestamp with time zone": "TEXT",
    "bytea": "BLOB",
}
INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'schema_version'"
KEYS = """SELECT conrelid::regclass, confrelid::regclass, confdeltype = 'c' FROM pg_constraint WHERE contype = 'f'"""


def _sqlite_shape(path):
    columns, indexes, keys = set(), set(), []
    with closing(sqlite3.connect(path)) as con:
        tables = (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('schema_version', 'sqlite_sequence')"
        )
        for (table,) in con.execute(tables).fetchall():
            primary = []
            for _, name, kind, notnull, _, key in con.execute(f"PRAGMA table_info({table})").fetchall():
                columns.add((table, name, bool(notnull), kind))
                primary += [name] if key else []
            indexes.add((table, tuple(primary), True, ""))
            for _, index, unique, *_ in con.execute(f"PRAGMA index_list({table})").fetchall():
                names = tuple(row[2] for row in con.execute(f"PRAGMA index_info({index})").fetchall())
                ((sql,),) = con.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchall()
                indexes.add((table, _names(sql) if sql else names, bool(unique), _condition(sql or "")))
            keys += [
                (table, row[2], row[6] == "CASCADE")
                for row in con.execute(f"PRAGMA foreign_key_list({table})").fetchall()
            ]
    return columns, indexes, sorted(keys)


def _names(sql):
    return tuple(re.search(r" \((.*?)\)(?: WHERE .*)?$", sql)[1].split(", "))


def _condition(sql):
    # Both engines keep the condition, each in its own spelling.
    return re.sub(r"::text|[() ]", "", sql.partition(" WHERE ")[2]).upper()


async def _postgres_shape(ledger):
    columns_, indexes_, keys_ = await ledger._door.write([Write(COLUMNS), Write(INDEXES), Write(KEYS)])
    columns = {(table, name, nullable == "NO", KINDS[kind]) for table, name, nullable, kind in columns_}
    indexes = set()
    for table, sql in indexes_:
        indexes.add((table, _names(sql), " UNIQUE " in sql, _condition(sql)))
    return columns, indexes, sorted((str(one), str(other), bool(cascade)) for one, other, cascade in keys_)


async def test_both_engines_have_the_same_tables_columns_indexes_and_keys(sqlite_ledger, sqlite_url, empty_url):
    ledger = await Ledger.open(empty_url)
    ours, theirs = _sqlite_shape(path_of(sqlite_url)), await _postgres_shape(ledger)
    await ledger.close()
    for one, other in zip(ours, theirs, strict=True):
        assert one == other
    assert [len(part) > 15 for part in ours[:2]] == [True, True]


async def test_many_may_open_a_new_database_at_once(empty_url):
    opened = await asyncio.gather(*(Ledger.open(empty_url) for _ in range(6)))
    assert await opened[0].reserve("ticket", 1) == range(1001, 1002)
    for ledger in opened:
        await ledger.close()


async def test_a_ledger_of_another_version_is_refused(empty_url):
    with pytest.raises(LedgerSchemaError, match="maild migrate"):
        await Ledger.open(empty_url, migrate=False)
    await (await Ledger.open(empty_url)).close()
    await (await Ledger.open(empty_url, migrate=False)).close()


async def test_whoever_waits_for_an_upgrade_is_not_cut_short(empty_url, monkeypatch):
    monkeypatch.setattr("maild.store.door_postgres.PATIENCE_SECONDS", 1.0)
    holder = await asyncpg.connect(empty_url)
    await holder.execute("SELECT pg_advisory_lock($1)", migrate_postgres.MIGRATING)
    waiting = asyncio.create_task(Ledger.open(empty_url))
    await asyncio.sleep(2)
    assert not waiting.done()
    await holder.close()
    await (await waiting).close()


async def test_another_encoding_is_refused(postgres):
    postgres.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(LedgerSchemaError, match="LATIN1"):
        await Ledger.open(postgres.url("latin"))


async def test_what_cannot_be_opened_is_away_or_says_what_is_missing(postgres, monkeypatch):
    for url in (postgres.url("nowhere"), "postgresql://maild@127.0.0.1:1/x"):
        with pytest.raises(LedgerAwayError):
            await Ledger.open(url)
        assert is_made(url)
    with pytest.raises(LedgerError):
        await Ledger.open("postgres://[")
    for name in (
        "asyncpg",
        "maild.store.door_postgres",
        "maild.store.migrate_postgres",
        "maild.store.reading_postgres",
    ):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(LedgerError, match=r"maild\[postgres\]"):
        await Ledger.open(postgres.url("x"))


async def test_a_server_that_goes_away_and_comes_back(make_postgres, make, now):
    server = make_postgres()
    server.sql("CREATE DATABASE desk")
    ledger = await Ledger.open(server.url("desk"))
    await ledger.accept([(make.env(), b"x")])
    server.stop(signal.SIGQUIT)

    async def deciding():
        async with ledger.deciding():
            await ledger.record([Record(at=now, ticket=make.ticket())])

    calls = {
        "accept": lambda: ledger.accept([(make.env(), b"y")]),
        "take": lambda: ledger.take(9, now=now),
        "tickets": ledger.tickets,
        "waiting": ledger.waiting_count,
        "deciding": deciding,
    }
    for _ in range(2):
        for call in calls.values():
            with pytest.raises(LedgerError) as caught:
                await call()
            assert not isinstance(caught.value, ConflictError)
    server.start()
    for name, call in calls.items():
        for attempt in range(20):  # as a loop does: a connection that died is noticed by using it
            try:
                await call()
            except LedgerAwayError:
                assert attempt < 10, name
                await asyncio.sleep(0.05)
            else:
                break
    assert {row.attempts for row in await ledger.take(9, now=now)} == {2}
    assert [line.ticket.number for line in await ledger.tickets()] == [1001]
    await ledger.close()
    server.stop()


async def test_a_unit_whose_connection_is_cut_is_away_and_leaves_nothing(postgres_ledger):
    cut = Write("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(LedgerAwayError):
        await postgres_ledger._door.write([Write("INSERT INTO sequence (name, next) VALUES (?, ?)", ("a", 1)), cut])
    (rows,) = await postgres_ledger._door.write([Write("SELECT count(*) FROM sequence")])
    assert rows == [(0,)]


async def test_reading_in_a_cut_connection_is_away(postgres_ledger, postgres, postgres_url):
    await postgres_ledger.tickets()
    name = postgres_url.rpartition("/")[2]
    postgres.cut(name)
    await asyncio.sleep(0.1)
    for _ in range(5):
        try:
            assert await postgres_ledger.tickets() == []
        except LedgerAwayError:
            continue
        break
    assert await postgres_ledger.tickets() == []


async def test_units_that_wait_for_each_other_are_tried_again(postgres_ledger):
    door = postgres_ledger._door
    names = ("a", "b")
    await door.write([Write("INSERT INTO sequence (name, next) VALUES (?, 0)", (name,)) for name in names])
    add = "UPDATE sequence SET next = next + 1 WHERE name = ?"
    pause = Write("SELECT 1 FROM pg_sleep(0.2)")
    await asyncio.gather(
        *(door.write([Write(add, (one,)), pause, Write(add, (other,))]) for one, other in (names, names[::-1]))
    )
    (rows,) = await door.write([Write("SELECT next FROM sequence")])
    assert rows == [(2,), (2,)]


async def test_a_lock_that_is_never_released_is_busy_and_the_next_unit_works(postgres_ledger, postgres_url):
    holder = await asyncpg.connect(postgres_url)
    await holder.execute("BEGIN; LOCK TABLE sequence")
    with pytest.raises(LedgerBusyError):
        await postgres_ledger._door.write(
            [Write("SELECT set_config('lock_timeout', '50ms', true)"), Write("DELETE FROM sequence")]
        )
    await holder.execute("ROLLBACK")
    await holder.close()
    assert await postgres_ledger.reserve("x", 1) == range(1, 2)


async def test_a_server_that_refuses_for_itself_is_an_error_and_no_conflict(postgres_ledger):
    with pytest.raises(LedgerError, match="53100") as caught:
        await postgres_ledger._door.write([Write("DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$")])
    assert not isinstance(caught.value, ConflictError)


async def test_reads_do_not_wait_for_units(postgres_ledger, make):
    slow = asyncio.create_task(postgres_ledger._door.write([Write("SELECT 1 FROM pg_sleep(0.5)")], turn=True))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    assert await postgres_ledger.waiting_count() == 0
    await postgres_ledger.accept([(make.env(), b"x")])
    assert time.monotonic() - started < 0.4
    await slow


async def test_what_decides_and_what_is_kept_is_durable_and_in_utc(postgres_ledger):
    show = [Write("SELECT current_setting(?)", (name,)) for name in ("synchronous_commit", "TimeZone")]
    assert await postgres_ledger._door.write(show) == [[("on",)], [("UTC",)]]
