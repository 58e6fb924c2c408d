import asyncio
import sqlite3
from contextlib import closing

import pytest

from maild.store import Ledger

CONFIG = '[desk]\naddress = "csm@desk.example"\ndata_dir = "data"\n'


def test_it_makes_the_ledger(process, tmp_path):
    (tmp_path / "maild.toml").write_text(CONFIG)
    done = process("migrate", "-c", tmp_path / "maild.toml")
    assert (done.returncode, (tmp_path / "data" / "maild.db").is_file()) == (0, True)


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
