"""From every earlier schema, with rows in every table, on both engines: nothing is lost, and the schema is a new one's.

`tests/store/golden/*.txt` is the schema as people review it. After a new migration write it anew and read the diff:
`MAILD_GOLDEN=write pytest tests/store/test_migrations.py -k golden`. A migration that adds a table, a column or a
state wants its rows in `tests/store/filled/000n.sql`.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from maild.store import migrate
from maild.store.copying import Migrated
from maild.store.faults import LedgerError
from maild.store.ledger import Ledger
from maild.store.record import Record

HERE = Path(__file__).parent
LATEST = len(migrate.steps())
VERSIONS = range(1, LATEST + 1)


async def test_the_schema_of_a_new_ledger_is_the_golden_one(old):
    await old.made(LATEST, filled=False)
    golden, schema = HERE / "golden" / f"{old.engine}.txt", await old.schema()
    if os.environ.get("MAILD_GOLDEN") == "write":
        golden.write_text(schema, "utf-8")
    assert schema == golden.read_text("utf-8")


@pytest.mark.parametrize("upto", VERSIONS)
async def test_the_filled_rows_are_worth_it(old, upto):
    """Each table has rows, each state of a CHECK occurs, each column that may be empty is so once and once not."""
    await old.made(upto)
    schema = await old.schema()
    for table, columns in (await old.columns()).items():
        rows = await old.rows(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - names
        assert len(rows) > 1, table
        of_table = schema.partition(f"table {table}\n")[2].partition("\ntable ")[0]
        for number, column in enumerate(columns):
            values = {row[number] for row in rows}
            line = re.search(rf"^    {column} .*", of_table, re.MULTILINE)[0]
            if "NOT NULL" not in line:
                assert None in values, (table, column)
                assert len(values) > 1, (table, column)
            if check := re.search(rf"CHECK \(\(?{column} (?:IN|= ANY) \((.*?)\)\)", of_table):
                allowed = re.findall(r"'(\w+)'", check[1]) or [0, 1]
                assert values == set(allowed), (table, column)


@pytest.mark.parametrize("before", VERSIONS)
async def test_from_every_earlier_schema_nothing_is_lost(old, before, copies, make, now):
    await old.made(before)
    columns, numbers = await old.columns(), await old.numbers()
    content = await old.content(columns)
    await old.close()

    ledger = await Ledger.open(old.url, copies=copies)
    assert replace(ledger.migrated, copy=None) == Migrated(before, LATEST)
    assert (ledger.migrated.copy is not None) == (before < LATEST)
    old.door = ledger._door
    assert await old.schema() == (HERE / "golden" / f"{old.engine}.txt").read_text("utf-8")
    assert await old.content(columns) == content
    assert numbers.items() <= (await old.numbers()).items()
    applied = await old.rows("SELECT version, name FROM schema_version ORDER BY version")
    assert applied == [(number, step.stem) for number, step in migrate.steps().items()]
    if old.engine == "sqlite":
        assert await old.rows("PRAGMA integrity_check") == [("ok",)]
        assert await old.rows("PRAGMA foreign_key_check") == []

    # A number once given is never given again, and today's code works on it.
    highest = max(line.id for line in await ledger.received())
    given = numbers["received" if old.engine == "sqlite" else "received_id_seq"]
    assert given > highest
    (ids,) = await ledger.accept([(make.env(), b"after the upgrade")])
    assert ids == (given + 1,)
    waiting = await ledger.take(99, now=now + timedelta(days=9))
    assert {given + 1, 3} <= {row.id for row in waiting}
    assert (await ledger.octets(waiting[0].digest)).decode().endswith("добрый день 🎉")
    assert len(await ledger.tickets()) == 5
    events = len(await ledger.events(1001))
    await ledger.record(
        [
            Record(
                at=now,
                received_id=given + 1,
                ticket=make.ticket(number=1008, root_id="t1008@example.com"),
                messages=(make.message(id=given + 1, ticket=1008, message_id="b@acme.example"),),
            ),
            Record(at=now, event_ticket=1001, events=(make.event(),)),
        ]
    )
    assert (await ledger.ticket(1008)).revision == 1
    assert len(await ledger.events(1001)) == events + 1
    assert await old.rows("SELECT max(id) FROM event") == [
        (numbers["event" if old.engine == "sqlite" else "event_id_seq"] + 1,)
    ]
    assert await ledger.reserve("ticket", 1) == range(1008, 1009)
    assert [mail.key for mail in await ledger.claim(now + timedelta(days=9), 9, timedelta(minutes=5))] == ["k3"]
    await ledger.close()


async def test_a_step_that_fails_half_way_leaves_the_old_version_whole(old, copies):
    await old.made(LATEST)
    schema, columns = await old.schema(), await old.columns()
    content = await old.content(columns)
    last = old.steps / f"{LATEST + 1:04}_last.sql"
    for fails in ("nonsense;", "INSERT INTO more VALUES ('no number');", "INSERT INTO party (address) VALUES ('x');"):
        more = f"CREATE TABLE more (a INTEGER){' STRICT' if old.engine == 'sqlite' else ''};"
        last.write_text(f"{more}\nALTER TABLE event DROP COLUMN data;\nDELETE FROM secret;\n{fails}\n")
        with pytest.raises(LedgerError):
            await old.migrated(copies)
        assert (await old.schema(), await old.content(columns)) == (schema, content)
        assert len(await old.rows("SELECT 1 FROM schema_version")) == LATEST
    if old.engine == "sqlite":
        assert await old.rows("PRAGMA foreign_keys") == [(1,)]
    last.write_text("CREATE TABLE more (a INTEGER); -- why; really\nINSERT INTO more\nVALUES (7);\n")
    assert (await old.migrated(copies)).after == LATEST + 1
    assert await old.rows("SELECT a FROM more") == [(7,)]


MIGRATES = """
import asyncio, sys
from pathlib import Path
from maild.store import migrate, migrate_postgres
from maild.store.door_postgres import PostgresDoor
from maild.store.door_sqlite import SqliteDoor
from maild.store.ledger import path_of

async def main(url, steps):
    if url.startswith("sqlite"):
        door = await SqliteDoor.open(path_of(url))
        print("begins", flush=True)
        await door.run(lambda con: migrate.migrate(con, None, Path(steps)))
    else:
        door = await PostgresDoor.open(url)
        print("begins", flush=True)
        await door.run(lambda con: migrate_postgres.migrate(con, url, None, Path(steps)))
    await door.close()

asyncio.run(main(*sys.argv[1:]))
"""
SLOW = {
    "sqlite": """CREATE TABLE more (a INTEGER);
INSERT INTO more WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 400000) SELECT a FROM n;
DELETE FROM secret;
CREATE INDEX more_a ON more (a);
""",
    "postgres": """CREATE TABLE more (a INTEGER);
INSERT INTO more SELECT * FROM generate_series(1, 400000);
DELETE FROM secret;
CREATE INDEX more_a ON more (a);
""",
}


async def test_kill_9_leaves_the_old_one_or_the_new_one(old):
    await old.made(LATEST)
    schema, columns = await old.schema(), await old.columns()
    content = await old.content(columns)
    (old.steps / f"{LATEST + 1:04}_last.sql").write_text(SLOW[old.engine])
    command = [sys.executable, "-c", MIGRATES, old.url, str(old.steps)]
    ends = []
    for after in (0.0, 0.05, 0.15, 0.3, 60.0):
        await old.door.close()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as upgrade:  # noqa: ASYNC220 - nothing else runs here
            assert upgrade.stdout.readline() == b"begins\n"
            try:
                upgrade.wait(after)
            except subprocess.TimeoutExpired:
                upgrade.kill()
        await old.open()
        (found,) = (await old.rows("SELECT max(version) FROM schema_version"))[0]
        ends.append(found)
        if found == LATEST:
            assert (await old.schema(), await old.content(columns)) == (schema, content)
        else:
            assert await old.rows("SELECT count(*), max(a) FROM more") == [(400000, 400000)]
            assert await old.rows("SELECT count(*) FROM secret") == [(0,)]
            break
    assert ends[0] == LATEST
    assert ends[-1] == LATEST + 1
