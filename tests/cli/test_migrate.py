import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from maild.store import Ledger, migrate_postgres
from maild.store.migrate import steps

CONFIG = '[desk]\naddress = "csm@desk.example"\ndata_dir = "data"\n'


def test_it_makes_the_ledger(process, tmp_path):
    (tmp_path / "maild.toml").write_text(CONFIG)
    done = process("migrate", "-c", tmp_path / "maild.toml")
    assert (done.returncode, (tmp_path / "data" / "maild.db").is_file()) == (0, True)


def test_it_says_what_it_did_and_where_the_copy_is(maild, tmp_path):
    file, ledger = tmp_path / "maild.toml", tmp_path / "data" / "maild.db"
    file.write_text(CONFIG)
    latest, where = len(steps()), f"the ledger sqlite://{ledger}"
    assert maild("migrate", "-c", file).out == f"{where} was made, of version {latest}\n"
    assert maild("migrate", "-c", file).out == f"{where} is of this version already: {latest}\n"
    for words, copy in ((("--no-copy",), "no copy was kept"), ((), f"{ledger}.before-0002")):
        first_version(ledger)
        done = maild("migrate", *words, "-c", file)
        assert done.code == 0
        assert done.out == f"{where} went from version 1 to {latest}\nas it was before: {copy}\n"
        assert ledger.with_name("maild.db.before-0002").exists() == (not words)


def test_the_daemon_does_it_too_and_logs_it(tmp_path):
    file, ledger = tmp_path / "maild.toml", tmp_path / "data" / "maild.db"
    file.write_text(f'{CONFIG}[smtp]\nlisten = "127.0.0.1:0"\n')
    ledger.parent.mkdir()
    first_version(ledger)
    command = [sys.executable, "-m", "maild", "serve", "-c", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as daemon:
        ready = daemon.stdout.readline()
        daemon.terminate()
        log = [json.loads(line) for line in daemon.stderr.read().splitlines()]
    assert (ready.split()[:1], daemon.returncode) == (["ready"], 0)
    (told,) = (line for line in log if line["event"] == "ledger.migrated")
    assert (told["before"], told["after"], told["copy"]) == (1, len(steps()), f"{ledger}.before-0002")


def first_version(path):
    """Make the ledger of the first version anew."""
    for file in path.parent.glob("maild.db*"):
        file.unlink()
    with closing(sqlite3.connect(path)) as con:
        con.executescript(steps()[1].read_text("utf-8"))
        con.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY NOT NULL, name TEXT, applied_at TEXT)")
        con.execute("INSERT INTO schema_version VALUES (1, '0001_ledger', '')")
        con.commit()


def test_where_no_copy_can_be_made_nothing_is_changed_and_it_says_what_to_do(process, tmp_path):
    file, ledger = tmp_path / "maild.toml", tmp_path / "data" / "maild.db"
    file.write_text(CONFIG)
    ledger.parent.mkdir()
    first_version(ledger)
    ledger.with_name("maild.db.before-0002").mkdir()
    done = process("migrate", "-c", file)
    assert (done.returncode, done.stdout) == (69, "")
    assert "nothing was changed, for no copy could be made first" in done.stderr
    assert "make a backup yourself, then run `maild migrate --no-copy`" in done.stderr
    with closing(sqlite3.connect(ledger)) as con:
        assert con.execute("SELECT max(version) FROM schema_version").fetchone() == (1,)
    assert process("migrate", "--no-copy", "-c", file).returncode == 0


def test_on_postgresql_too(process, tmp_path, postgres):
    file = tmp_path / "maild.toml"
    latest = len(steps())
    with postgres.database() as url:
        file.write_text(f'{CONFIG}[database]\nurl = "{url}"\n')
        shown = f"the ledger {url}"
        applied = "INSERT INTO schema_version VALUES (1, '0001_ledger')"
        for sql in (steps(migrate_postgres.FOLDER)[1].read_text("utf-8"), migrate_postgres._VERSION, applied):
            postgres.sql(sql, url.rpartition("/")[2])
        around = {**os.environ, "PATH": f"{tmp_path}"}
        done = process("migrate", "-c", file, env=around)
        assert done.returncode == 69
        assert "pg_dump, which comes with PostgreSQL's client" in done.stderr
        around["PATH"] = f"{postgres.binaries}"
        done = process("migrate", "-c", file, env=around)
        copy = tmp_path / "data" / "ledger.before-0002.dump"
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{shown} went from version 1 to {latest}\nas it was before: {copy}\n"
        assert copy.stat().st_size > 1000
        assert process("tickets", "-c", file).returncode == 0
    done = process("migrate", "-c", file)
    assert done.returncode == 69
    assert "out of reach" in done.stderr


def test_a_folder_that_cannot_be_made_is_a_fault_of_the_configuration(process, tmp_path):
    (tmp_path / "maild.toml").write_text(CONFIG)
    (tmp_path / "data").write_text("a file")
    done = process("migrate", "-c", tmp_path / "maild.toml")
    assert done.returncode == 78
    assert "desk.data_dir" in done.stderr


def test_a_lock_that_is_never_released_is_tried_again_later(maild, tmp_path, monkeypatch):
    file, ledger = tmp_path / "maild.toml", tmp_path / "data" / "maild.db"
    file.write_text(CONFIG)
    ledger.parent.mkdir()
    first_version(ledger)
    with closing(sqlite3.connect(ledger, isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode = WAL")
        holder.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("maild.store.door_sqlite.PATIENCE_SECONDS", 0.05)
        monkeypatch.setattr("maild.store.door_sqlite.BUSY_SECONDS", 0.05)
        done = maild("migrate", "-c", file)
    assert done.code == 75
    assert "was not changed: another process holds" in done.err


def test_a_ledger_in_use_is_left_alone(process, tmp_path):
    (tmp_path / "maild.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()

    async def beside_it():
        ledger = await Ledger.open(f"sqlite:///{tmp_path}/data/maild.db", exclusive=True)
        try:
            return await asyncio.to_thread(process, "migrate", "-c", tmp_path / "maild.toml")
        finally:
            await ledger.close()

    done = asyncio.run(beside_it())
    assert done.returncode == 75
    assert "stop the daemon" in done.stderr


@pytest.mark.parametrize("command", ["migrate", "serve", "tickets"])
def test_another_programs_database_is_left_as_it_is(maild, tmp_path, command):
    (tmp_path / "maild.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "maild.db"
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()
    done = maild(command, "-c", tmp_path / "maild.toml")
    assert done.code in {69, 78}
    assert f"{path} is another program's database (it holds the table 'songs'): name a file" in done.err
    assert path.read_bytes() == before


def damaged(path, ledger_of):
    """Keep the first page of a ledger, which names the tables, and spoil the others."""
    asyncio.run(ledger_of(f"sqlite:///{path}"))
    octets = path.read_bytes()
    path.write_bytes(octets[:4096] + b"\xa5" * (len(octets) - 4096))


async def made(url):
    await (await Ledger.open(url)).close()


@pytest.mark.parametrize("command", ["migrate", "serve", "tickets"])
def test_a_file_that_is_no_database_is_answered_with_the_way_to_the_backup(maild, tmp_path, command):
    (tmp_path / "maild.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "maild.db").write_bytes(b"this is no database, but long enough to be looked at" * 100)
    done = maild(command, "-c", tmp_path / "maild.toml")
    assert done.code in {69, 78}
    assert "restore a backup, see docs/operations.md" in done.err


@pytest.mark.parametrize("words", [("tickets",), ("show", "1")])
def test_a_ledger_that_is_damaged_inside_is_answered_so_too(maild, tmp_path, words):
    (tmp_path / "maild.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    damaged(tmp_path / "data" / "maild.db", made)
    done = maild(*words, "-c", tmp_path / "maild.toml")
    assert done.code == 69
    assert "restore a backup, see docs/operations.md" in done.err
