"""The copy before an upgrade: whole, of the version before, and of use; where there is none, nothing is changed."""

import asyncio
import os
import re
import resource
import sqlite3
import stat
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from maild.store import migrate
from maild.store.copying import Migrated
from maild.store.copying_postgres import keep_dump, surroundings
from maild.store.faults import LedgerSchemaError
from maild.store.ledger import Ledger, path_of

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
LATEST = len(migrate.steps())


async def test_the_copy_can_be_gone_back_to(old, copies, postgres_or_none, tmp_path):
    await old.made(1)
    schema, columns, numbers = await old.schema(), await old.columns(), await old.numbers()
    content = await old.content(columns)
    await old.close()
    names = {"sqlite": "maild.db.before-0002", "postgres": "ledger.before-0002.dump"}
    copy = copies / names[old.engine]
    copy.write_bytes(b"of an earlier attempt")
    (copies / f"{copy.name}.x.part").write_bytes(b"cut short by kill -9")
    ledger = await Ledger.open(old.url, copies=copies)
    await ledger.close()
    assert ledger.migrated == Migrated(1, LATEST, copy)
    assert list(copies.iterdir()) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600

    name = old.url.rpartition("/")[2]
    sqlite, postgres = said_in_operations("Go back to the version before", copies, name)
    if old.engine == "sqlite":
        path_of(old.url).rename(copies / "maild.db")
        old.url = f"sqlite://{copies}/maild.db"
        subprocess.run(["sh", "-ec", sqlite], check=True)  # noqa: ASYNC221 - nothing else runs here
    else:
        around = {**os.environ, **surroundings(old.url)}
        subprocess.run(["sh", "-ec", postgres], check=True, env=around)  # noqa: ASYNC221 - likewise
        postgres_or_none.sql(f"DROP DATABASE {name}_newer")
    await old.open()
    assert (await old.schema(), await old.content(columns)) == (schema, content)
    assert await old.numbers() == numbers
    with pytest.raises(LedgerSchemaError, match=f"version 1, this maild needs {LATEST}"):
        await Ledger.open(old.url, migrate=False)
    await old.close()
    again = await Ledger.open(old.url, copies=copies)
    await again.close()
    assert again.migrated == Migrated(1, LATEST, copies / names[old.engine])


def said_in_operations(heading, folder, database):
    """Give the blocks of commands under a heading, for this folder and this database."""
    text = OPERATIONS.read_text("utf-8")
    under = text.partition(f"### {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```", under, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\bdesk(?=_|\b)", database, block.replace("/var/lib/maild", str(folder))) for block in blocks]


@pytest.fixture
def postgres_or_none(old, request):
    return request.getfixturevalue("postgres") if old.engine == "postgres" else None


async def test_without_a_copy_nothing_is_changed(old, copies, monkeypatch, tmp_path):
    await old.made(1)
    schema, columns = await old.schema(), await old.columns()
    content = await old.content(columns)
    earlier = copies / ("maild.db.before-0002" if old.engine == "sqlite" else "ledger.before-0002.dump")
    earlier.write_bytes(b"of an earlier attempt")
    with pytest.raises(LedgerSchemaError, match=r"nothing was changed.*maild migrate --no-copy"):
        await Ledger.open(old.url, copies=tmp_path / "no such folder")
    if old.engine == "postgres":
        programs = tmp_path / "bin"
        programs.mkdir()
        monkeypatch.setenv("PATH", str(programs))
        with pytest.raises(LedgerSchemaError, match=r"pg_dump, which comes.*No such file"):
            await Ledger.open(old.url, copies=copies)
        dump = programs / "pg_dump"
        dump.write_text("#!/bin/sh\nprintf half\necho 'server version: 99; pg_dump version: 15' >&2\nexit 1\n")
        dump.chmod(0o755)
        with pytest.raises(LedgerSchemaError, match=r"\(server version: 99; pg_dump version: 15\): make a backup"):
            await Ledger.open(old.url, copies=copies)
    assert (await old.schema(), await old.content(columns)) == (schema, content)
    assert [(path, path.read_bytes()) for path in copies.iterdir()] == [(earlier, b"of an earlier attempt")]
    ledger = await Ledger.open(old.url)
    await ledger.close()
    assert ledger.migrated == Migrated(1, LATEST)


async def test_a_full_disk_under_the_copy_changes_nothing(old, copies):
    await old.made(1)
    schema, columns = await old.schema(), await old.columns()
    content = await old.content(columns)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may grow beyond: above SQLite's -shm file, below the copy.
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536 if old.engine == "sqlite" else 4096, hard))
    try:
        with pytest.raises(LedgerSchemaError, match=r"nothing was changed.*maild migrate --no-copy"):
            await old.migrated_by_ledger(copies)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (await old.schema(), await old.content(columns)) == (schema, content)
    assert list(copies.iterdir()) == []
    assert (await old.migrated_by_ledger(copies)).after == LATEST


@pytest.mark.parametrize("old", ["postgres"], indirect=True)
async def test_no_time_limit_cuts_a_slow_copy_short(old, copies, monkeypatch, tmp_path, request):
    await old.made(1)
    await old.close()
    programs, real = tmp_path / "bin", request.getfixturevalue("postgres").binaries / "pg_dump"
    programs.mkdir()
    (programs / "pg_dump").write_text(f'#!/bin/sh\nsleep 2\nexec {real} "$@"\n')
    (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    limits = {"idle_in_transaction_session_timeout": "500", "statement_timeout": "1500", "lock_timeout": "500"}
    monkeypatch.setattr("maild.store.door_postgres.SETTINGS", limits)
    opened = await asyncio.gather(*(Ledger.open(old.url, copies=copies) for _ in range(2)))
    for ledger in opened:
        await ledger.close()
    assert {ledger.migrated.before for ledger in opened} == {1, LATEST}


async def test_many_may_open_an_old_ledger_at_once_and_one_keeps_the_copy(old, copies):
    await old.made(1)
    await old.close()
    opened = await asyncio.gather(*(Ledger.open(old.url, copies=copies) for _ in range(4)))
    for ledger in opened:
        await ledger.close()
    done = Counter(ledger.migrated for ledger in opened)
    kept = [migrated for migrated in done if migrated.copy]
    assert [(one.before, one.after, done[one]) for one in kept] == [(1, LATEST, 1)]
    assert len(list(copies.iterdir())) == 1
    if old.engine == "sqlite":
        with closing(sqlite3.connect(kept[0].copy)) as con:
            assert migrate.version(con) == 1


@pytest.mark.parametrize("old", ["postgres"], indirect=True)
async def test_the_password_is_told_by_the_environment_alone(old, copies, monkeypatch, tmp_path):
    await old.made(1)
    programs = tmp_path / "bin"
    programs.mkdir()
    dump = programs / "pg_dump"
    dump.write_text('#!/bin/sh\nprintf "%s\\n" "$0 $*" "$PGHOST $PGPORT $PGUSER $PGDATABASE $PGPASSWORD"\n')
    dump.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    ledger = await Ledger.open(old.url.replace("maild@", "maild:s%20cret@"), copies=copies)
    await ledger.close()
    port, _, name = old.url.rpartition(":")[2].partition("/")
    assert ledger.migrated.copy.read_text().splitlines() == [
        f"{dump} --format=custom --no-password",
        f"127.0.0.1 {port} maild {name} s cret",
    ]


async def test_a_copy_that_is_called_off_leaves_no_process_and_no_file(tmp_path, monkeypatch):
    programs, copies = tmp_path / "bin", tmp_path / "copies"
    programs.mkdir()
    copies.mkdir()
    (programs / "pg_dump").write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid.new\nmv {tmp_path}/pid.new {tmp_path}/pid\nexec sleep 60\n"
    )
    (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    dumping = asyncio.create_task(keep_dump("postgres://127.0.0.1/x", copies, 2))
    async with asyncio.timeout(30):
        while not (tmp_path / "pid").exists():  # noqa: ASYNC110 - the other process sets no event here
            await asyncio.sleep(0.02)
    dumping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dumping
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("postgres://", {}),
        (
            "postgres://ann:s%3Acret%40@db.example:5433/desk?sslmode=verify-full&sslrootcert=/ca.pem",
            {
                "PGHOST": "db.example",
                "PGPORT": "5433",
                "PGUSER": "ann",
                "PGPASSWORD": "s:cret@",
                "PGDATABASE": "desk",
                "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": "/ca.pem",
            },
        ),
        (
            "postgresql:///desk?host=/run/postgresql&port=5433&user=ann&password=s%20t&passfile=/p&search_path=x",
            {
                "PGHOST": "/run/postgresql",
                "PGPORT": "5433",
                "PGUSER": "ann",
                "PGPASSWORD": "s t",
                "PGDATABASE": "desk",
                "PGPASSFILE": "/p",
            },
        ),
        (
            "postgres://ann@[::1]:5433,db.example/d%C3%A9sk?user=bob&port=1&host=x",
            {"PGHOST": "::1,db.example", "PGPORT": "5433,", "PGUSER": "ann", "PGDATABASE": "désk"},
        ),
        ("postgres://%2Frun%2Fpostgresql/desk", {"PGHOST": "/run/postgresql", "PGDATABASE": "desk"}),
        ("postgres:///?host=a:1&dbname=desk", {"PGHOST": "a", "PGPORT": "1", "PGDATABASE": "desk"}),
    ],
)
def test_a_url_is_read_as_the_driver_reads_it(url, read):
    assert surroundings(url) == read
