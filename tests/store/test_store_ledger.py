"""Opening: one daemon, the schema and its migrations, the models beside it."""

import asyncio
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tortoise.models import Model

from maild.store import migrate as migrations
from maild.store import models
from maild.store.door import Write
from maild.store.door_sqlite import SqliteDoor
from maild.store.faults import LedgerError, LedgerInUseError, LedgerSchemaError
from maild.store.ledger import Ledger, path_of, shown
from maild.store.record import Record
from maild.store.wake import Wake, poke

MODELS = [
    model
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, Model) and model is not Model
]


async def test_a_second_daemon_is_refused_and_a_command_is_not(sqlite_url, sqlite_ledger):
    daemon = await Ledger.open(sqlite_url, exclusive=True)
    with pytest.raises(LedgerInUseError):
        await Ledger.open(sqlite_url, exclusive=True)
    command = await Ledger.open(sqlite_url)
    assert await command.reserve("ticket", 1) == range(1001, 1002)
    await command.close()
    await daemon.close()
    await (await Ledger.open(sqlite_url, exclusive=True)).close()


async def test_another_name_of_the_file_is_the_same_ledger(sqlite_url, tmp_path):
    daemon = await Ledger.open(sqlite_url, exclusive=True)
    (tmp_path / "other").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "link.db").symlink_to(tmp_path / "maild.db")
    for name in ("other/maild.db", "link.db"):
        with pytest.raises(LedgerInUseError):
            await Ledger.open(f"sqlite://{tmp_path}/{name}", exclusive=True)
    await daemon.close()


async def test_the_lock_of_another_process_counts(sqlite_url):
    hold = (
        "import asyncio,sys; from maild.store.ledger import Ledger\n"
        "asyncio.run(Ledger.open(sys.argv[1], exclusive=True)); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here
        [sys.executable, "-c", hold, sqlite_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LedgerInUseError):
            await Ledger.open(sqlite_url, exclusive=True)
        other.kill()
    await (await Ledger.open(sqlite_url, exclusive=True)).close()


@pytest.mark.parametrize("bad", ["mysql://x/y", "sqlite://", "sqlite://:memory:", "sqlite:///a.db?x=1", "/a.db"])
async def test_other_urls_are_refused(bad):
    with pytest.raises(LedgerError, match="sqlite:///"):
        await Ledger.open(bad)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        (
            "postgres://ann:s:cret@db.example:5432/desk?sslmode=verify-full",
            "postgres://ann:***@db.example:5432/desk?sslmode=verify-full",
        ),
        ("postgresql://ann@db.example/desk", "postgresql://ann@db.example/desk"),
        ("postgres:///desk?host=/run&password=secret&user=ann", "postgres:///desk?host=/run&password=***&user=ann"),
        ("postgres://db.example:5432/desk", "postgres://db.example:5432/desk"),
        ("sqlite:///a:b@c/d.db", "sqlite:///a:b@c/d.db"),
    ],
)
def test_a_password_is_not_shown(url, read):
    assert shown(url) == read


async def test_files_that_are_no_ledger_are_refused(tmp_path):
    (tmp_path / "text.db").write_bytes(b"no database" * 999)
    for path in (tmp_path / "text.db", tmp_path / "none" / "maild.db"):
        with pytest.raises(LedgerError):
            await Ledger.open(f"sqlite://{path}", exclusive=True)


async def test_two_ledgers_in_one_process_are_two(sqlite_url, sqlite_ledger, make, tmp_path):
    other = await Ledger.open(f"sqlite://{tmp_path}/other%20one.db")
    assert (tmp_path / "other one.db").exists()
    await other.accept([(make.env(), b"x")])
    assert await asyncio.gather(*[sqlite_ledger.waiting_count(), other.waiting_count()] * 20) == [0, 1] * 20
    await other.close()
    assert await sqlite_ledger.waiting_count() == 0


async def test_customers_mail_is_readable_by_its_owner_only(sqlite_ledger, sqlite_url):
    await sqlite_ledger.reserve("x", 1)
    for path in path_of(sqlite_url).parent.glob("maild.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


async def test_every_instant_is_written_in_one_width(sqlite_ledger, sqlite_url, make, now):
    ticket = make.ticket(opened_at=now + timedelta(microseconds=1), closed_at=now)
    ((id_,),) = await sqlite_ledger.accept([(make.env(), b"x")])
    record = Record(
        at=now,
        received_id=id_,
        ticket=ticket,
        messages=(make.message(id=id_),),
        clocks=((make.clock(), now),),
        events=(make.event(),),
        escalations=((1001, "m", 1, "l", ""),),
        outgoing=(make.outgoing(),),
        parties=(ticket.requester,),
        failed=("x@y",),
    )
    await sqlite_ledger.record([record])
    await sqlite_ledger.secrets("x", now=now)
    checked = 0
    with closing(sqlite3.connect(path_of(sqlite_url))) as con:
        for (table,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            for _, column, *_ in con.execute(f"PRAGMA table_info({table})").fetchall():
                if column == "at" or column.endswith("_at") or column in ("first_seen", "last_seen", "not_before"):
                    for (text,) in con.execute(f"SELECT {column} FROM {table} WHERE {column} > ''"):  # noqa: S608 - names
                        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", text), (table, column)
                        checked += 1
    assert checked > 15


async def test_models_and_schema_agree(sqlite_ledger, sqlite_url):
    with closing(sqlite3.connect(path_of(sqlite_url))) as con:
        tables = {
            table: {
                name: (not notnull, bool(pk))
                for _, name, _, notnull, _, pk in con.execute(f"PRAGMA table_info({table})").fetchall()
            }
            for (table,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        }
    described = {
        model._meta.db_table: {name: (field.null, field.pk) for name, field in model._meta.fields_map.items()}
        for model in MODELS
    }
    tables.pop("schema_version")
    tables.pop("sqlite_sequence")
    assert described == tables


# The look-ups of hot paths, as the ledger or Tortoise writes them.
HOT = {
    "clock_next": "SELECT next_at FROM clock WHERE next_at > ? ORDER BY next_at LIMIT 1",
    "clock_due": "SELECT ticket FROM clock WHERE stopped_at IS NULL AND target_at > ?",
    "outbox_unsent": """SELECT id FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL AND not_before <= '2'
        ORDER BY not_before, id LIMIT 9""",
    "outbox_kind": "SELECT count(*) FROM outbox WHERE kind = ? AND created_at >= ? AND upper(rcpt) = upper(?)",
    "received_state": "SELECT id FROM received WHERE state = 'waiting' AND id > 7 ORDER BY id LIMIT 9",
    "received_seen": """SELECT 1 FROM received WHERE rcpt_key = 'a' AND digest = 'b' AND received_at > 'c'
        AND state IN ('waiting', 'done')""",
    "sqlite_autoindex_reference_1": "SELECT ticket FROM reference WHERE msgid IN ('a', 'b')",
}


@pytest.mark.parametrize(("index", "query"), HOT.items(), ids=HOT)
async def test_hot_queries_walk_their_index(sqlite_ledger, query, index):
    plan = await sqlite_ledger._door.run(
        lambda con: con.execute(f"EXPLAIN QUERY PLAN {query}", ["0"] * query.count("?")).fetchall()
    )
    assert index in plan[0][3]
    assert not any("TEMP B-TREE" in step[3] for step in plan)


async def test_rows_that_point_nowhere_after_a_migration_undo_it(sqlite_ledger, make, now, tmp_path):
    await sqlite_ledger.record([Record(at=now, ticket=make.ticket(), events=(make.event(),))])
    steps = migrations.steps()
    for step in steps.values():
        (tmp_path / step.name).write_text(step.read_text())
    (tmp_path / f"{len(steps) + 1:04}_more.sql").write_text("DELETE FROM ticket;\n")
    with pytest.raises(LedgerSchemaError, match="rows point nowhere"):
        await sqlite_ledger._door.run(lambda con: migrations.migrate(con, None, tmp_path))
    assert await sqlite_ledger.ticket(1001) == make.ticket(revision=1)
    assert await sqlite_ledger._door.run(migrations.version) == len(steps)


async def test_a_ledger_of_a_later_maild_is_refused(url):
    ledger = await Ledger.open(url)
    applied = "INSERT INTO schema_version (version, name, applied_at) VALUES (?, '9999_later', '2026-03-11')"
    if url.startswith("postgres"):
        applied = applied.replace("'2026-03-11'", "now()")
    await ledger._door.write([Write(applied, (9999,))])
    await ledger.close()
    for migrate in (True, False):
        with pytest.raises(LedgerSchemaError, match=r"version 9999.*later maild"):
            await Ledger.open(url, migrate=migrate)


async def test_without_migrate_an_old_ledger_is_refused(sqlite_url):
    with pytest.raises(LedgerSchemaError, match="maild migrate"):
        await Ledger.open(sqlite_url, migrate=False)
    await (await Ledger.open(sqlite_url)).close()
    await (await Ledger.open(sqlite_url, migrate=False)).close()


async def test_many_may_open_a_new_ledger_at_once(url):
    opened = await asyncio.gather(*(Ledger.open(url) for _ in range(8)))
    for ledger in opened:
        await ledger.close()


def test_a_gap_in_the_numbers_is_refused(tmp_path):
    (tmp_path / "0002_x.sql").write_text("")
    with pytest.raises(LedgerSchemaError, match="numbered"):
        migrations.steps(tmp_path)


async def test_a_nudge_wakes_the_listener(tmp_path):
    path, event = tmp_path / "wake", asyncio.Event()
    assert not poke(path)
    path.touch()
    wake = Wake.listen(path, event.set)
    for _ in range(1000):
        assert poke(path)
    await asyncio.wait_for(event.wait(), 1)
    event.clear()
    assert poke(path)
    await asyncio.wait_for(event.wait(), 1)
    wake.close()
    wake.close()
    assert not poke(path)
    with pytest.raises(OSError):
        Wake.listen(tmp_path / "none" / "wake", event.set)


async def test_an_engine_that_does_not_keep_the_promises_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LedgerSchemaError, match="journal_mode is memory"):
        await SqliteDoor.open(Path(":memory:"))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(LedgerSchemaError, match="too old"):
        await SqliteDoor.open(tmp_path / "maild.db")


async def test_writes_are_flushed_to_the_disk(sqlite_ledger):
    assert await sqlite_ledger._door.run(lambda con: con.execute("PRAGMA synchronous").fetchone()) == (2,)


async def test_damaged_octets_are_not_given_out(ledger, make):
    await ledger.accept([(make.env(), b"x"), (make.env(), b"y")])
    first, second = [line.digest for line in await ledger.received()]
    damage = "UPDATE octets SET zstd = (SELECT zstd FROM octets WHERE digest = ?) WHERE digest = ?"
    await ledger._door.write([Write(damage, (first, second), expect=1)])
    assert await ledger.octets(first) == b"y"
    with pytest.raises(ValueError, match="damaged"):
        await ledger.octets(second)
