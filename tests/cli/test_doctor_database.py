"""What `maild doctor` says of a ledger: real files and a real server, and tables for what it makes of them."""

import asyncio
import os
import shutil
import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.cli.doctor_database import probe_database
from maild.cli.doctor_postgres import Server, judge_dump, judge_server
from maild.cli.doctor_sqlite import judge_damage, judge_journal, look_at_file
from maild.cli.doctor_standing import Standing, judge_standing, judge_version
from maild.config import load
from maild.mail import Envelope
from maild.store import Ledger
from maild.store.ledger import path_of
from maild.store.migrate import FOLDER, steps

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
NEWEST = len(steps())
DESK = '[desk]\naddress = "csm@desk.example"\ndata_dir = "."\n[database]\nurl = "{url}"\n'


@pytest.fixture
def looked(tmp_path):
    """Run the probe on a URL; give {name: (verdict, words)}."""

    def look(url):
        (tmp_path / "maild.toml").write_text(DESK.format(url=url))
        found = probe_database(load(tmp_path / "maild.toml", {}, secrets=True))
        return {finding.name: (finding.verdict, finding.words) for finding in found}

    return look


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """What is said of a ledger is said of it on both engines."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/maild.db"
    else:
        with request.getfixturevalue("postgres").database() as made:
            yield made


@pytest.fixture
def with_dump(monkeypatch):
    """The server's own pg_dump comes first on the PATH."""

    def put(postgres):
        monkeypatch.setenv("PATH", f"{postgres.binaries}{os.pathsep}{os.environ['PATH']}")

    return put


def filled(url, *received, quarantined=()):
    """Make a ledger with a mail that came in at each of the instants."""

    async def fill():
        ledger = await Ledger.open(url)
        try:
            for number, at in enumerate((*received, *quarantined)):
                env = Envelope("carol@acme.example", ("csm@desk.example",), "smtp", "192.0.2.1", at)
                ((one,),) = await ledger.accept([(env, b"Subject: %d\r\n\r\n" % number)])
                if number >= len(received):
                    await ledger.quarantine(one, "it broke us", at)
        finally:
            await ledger.close()

    asyncio.run(fill())


def test_an_empty_ledger_is_well(looked, url, request, with_dump):
    if url.startswith("postgres"):
        with_dump(request.getfixturevalue("postgres"))
    filled(url)
    found = looked(url)
    assert found["database"][0] == "ok"
    assert found["database version"] == ("ok", f"it has version {NEWEST}, that of this maild")
    assert found["mail in"] == ("ok", "none waiting")
    assert found["mail out"] == ("ok", "none owed")
    assert found["quarantine"] == ("ok", "empty")
    assert {verdict for name, (verdict, _) in found.items() if name != "database durability"} == {"ok"}


def test_what_lies_in_it(looked, url):
    now = datetime.now(UTC)
    filled(url, now - timedelta(hours=2), now, quarantined=[now])
    found = looked(url)
    assert found["mail in"] == ("warn", "2 waiting, the oldest for 2h: is `maild serve` running?")
    assert found["quarantine"] == ("warn", "1 quarantined: see `maild quarantine list`")
    assert found["clock of the ledger"][0] == "ok"


def test_mail_of_the_future(looked, url):
    filled(url, datetime.now(UTC) + timedelta(days=3), datetime.now(UTC))
    verdict, words = looked(url)["clock of the ledger"]
    assert verdict == "fail"
    assert "from now: the clock was wrong then, or is now" in words


# SQLite


def test_a_ledger_beside_a_daemon(looked, tmp_path):
    url = f"sqlite://{tmp_path}/maild.db"

    async def beside():
        ledger = await Ledger.open(url, exclusive=True)
        try:
            found = await asyncio.to_thread(looked, url)
            env = Envelope("carol@acme.example", ("csm@desk.example",), "smtp", "192.0.2.1", NOW)
            await ledger.accept([(env, b"Subject: x\r\n\r\n")])
        finally:
            await ledger.close()
        return found

    found = asyncio.run(beside())
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert " in its log" in found["database"][1]


def test_looking_writes_nothing(looked, tmp_path):
    url = f"sqlite://{tmp_path}/maild.db"
    filled(url, NOW)
    before = (tmp_path / "maild.db").read_bytes()
    looked(url)
    assert (tmp_path / "maild.db").read_bytes() == before


def test_an_older_ledger_is_left_as_it_is(looked, tmp_path):
    with closing(sqlite3.connect(tmp_path / "maild.db")) as con:
        con.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY NOT NULL, name TEXT, applied_at TEXT)")
        con.executescript(next(FOLDER.glob("0001_*.sql")).read_text("utf-8"))
        con.execute("INSERT INTO schema_version VALUES (1, '0001', '')")
        con.commit()
    found = looked(f"sqlite://{tmp_path}/maild.db")
    words = f"it has version 1, this maild needs {NEWEST}: `maild serve` or `maild migrate` brings it there"
    assert found["database version"] == ("warn", words)
    assert found["database journal"][0] == "warn"
    assert found["mail in"] == ("ok", "none waiting")
    with closing(sqlite3.connect(tmp_path / "maild.db")) as con:
        assert con.execute("SELECT max(version) FROM schema_version").fetchone() == (1,)
        assert con.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_no_ledger_none_is_made(looked, tmp_path):
    words = f"{tmp_path}/none/maild.db is not there yet: `maild serve` makes it"
    assert looked(f"sqlite://{tmp_path}/none/maild.db") == {"database": ("warn", words)}
    assert not (tmp_path / "none").exists()


def test_an_empty_file(looked, tmp_path):
    (tmp_path / "maild.db").touch()
    found = looked(f"sqlite://{tmp_path}/maild.db")
    assert found["database version"][0] == "warn"
    assert (tmp_path / "maild.db").stat().st_size == 0


def test_another_programs_database(looked, tmp_path):
    with closing(sqlite3.connect(tmp_path / "maild.db")) as con:
        con.execute("CREATE TABLE songs (name TEXT)")
    verdict, words = looked(f"sqlite://{tmp_path}/maild.db")["database"]
    assert verdict == "fail"
    assert "another program's database" in words


def test_no_database_at_all(looked, tmp_path):
    (tmp_path / "maild.db").write_bytes(b"Subject: x\r\n\r\n" * 500)
    verdict, words = looked(f"sqlite://{tmp_path}/maild.db")["database"]
    assert verdict == "fail"
    assert "restore a backup" in words


def test_a_folder_in_its_place(looked, tmp_path):
    (tmp_path / "maild.db").mkdir()
    verdict, words = looked(f"sqlite://{tmp_path}/maild.db")["database"]
    assert verdict == "fail"
    assert "cannot be read: " in words


def test_a_ledger_of_another_user(tmp_path):
    filled(f"sqlite://{tmp_path}/maild.db")
    (tmp_path / "maild.toml").write_text(DESK.format(url=f"sqlite://{tmp_path}/maild.db"))
    config = load(tmp_path / "maild.toml", {}, secrets=True)
    root = os.geteuid() == 0
    tmp_path.chmod(0o700 if root else 0)
    try:
        if root:
            os.seteuid(65_534)
        (finding,) = probe_database(config)
    finally:
        if root:
            os.seteuid(0)
        tmp_path.chmod(0o700)
    assert finding.verdict == "fail"
    assert finding.words.endswith("we may not look at it: run this as the daemon's user")


def test_a_damaged_ledger(looked, tmp_path):
    url = f"sqlite://{tmp_path}/maild.db"
    filled(url, *[NOW] * 50)
    with (tmp_path / "maild.db").open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\x5a" * ((tmp_path / "maild.db").stat().st_size - 9 * 4096))
    found = looked(url)
    assert "fail" in {verdict for verdict, _ in found.values()}
    assert any("restore a backup" in words for verdict, words in found.values() if verdict == "fail")


def test_a_large_file_is_searched_for_a_while(tmp_path):
    url = f"sqlite://{tmp_path}/maild.db"
    filled(url)
    with closing(sqlite3.connect(path_of(url))) as con:
        rows = ((f"{number:064}", b"x" * 100, 100) for number in range(60_000))
        con.executemany("INSERT INTO octets VALUES (?, ?, ?)", rows)
        con.commit()
    found = {finding.name: finding for finding in look_at_file(path_of(url), NOW, 0.0)}
    assert found["database damage"].verdict == "ok"
    assert found["database damage"].words.startswith("none in the time there was")
    assert found["quarantine"].verdict == "ok"
    whole = {finding.name: finding for finding in look_at_file(path_of(url), NOW)}
    assert whole["database damage"].words == "none"


# PostgreSQL


def test_a_server_is_looked_at(looked, postgres, with_dump):
    with_dump(postgres)
    with postgres.database() as url:
        found = looked(url)
        assert found["database"][1].startswith(f"{url}, PostgreSQL ")
        assert found["database version"] == ("warn", "it is empty: `maild serve` makes its tables")
        assert found["database encoding"] == ("ok", "UTF8")
        # The tests' server says so honestly.
        assert found["database durability"][0] == "warn"
        assert found["database durability"][1].startswith("fsync is off")
        assert found["pg_dump"][0] == "ok"
        assert "database role" not in found
        assert "mail in" not in found
        assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", url.rpartition("/")[2]) == "0"


def test_a_server_without_pg_dump(looked, postgres, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with postgres.database() as url:
        verdict, words = looked(url)["pg_dump"]
    assert (verdict, "install PostgreSQL's client" in words) == ("warn", True)


@pytest.mark.parametrize(("script", "verdict"), [("echo 'pg_dump (PostgreSQL) 9.6.24'", "warn"), ("exit 1", "warn")])
def test_an_old_pg_dump(looked, postgres, monkeypatch, tmp_path, script, verdict):
    shell = shutil.which("sh")
    (tmp_path / "pg_dump").write_text(f"#!{shell}\n{script}\n")
    (tmp_path / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with postgres.database() as url:
        assert looked(url)["pg_dump"][0] == verdict


def test_a_user_who_may_make_nothing(looked, postgres):
    with postgres.database() as url:
        database = url.rpartition("/")[2]
        postgres.sql(f"CREATE ROLE weak_{database} LOGIN")
        try:
            postgres.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database)
            found = looked(url.replace("maild@", f"weak_{database}@"))
        finally:
            postgres.sql(f"DROP ROLE weak_{database}")
    assert found["database role"][0] == "fail"
    assert "GRANT CREATE" in found["database role"][1]


def test_a_database_in_another_encoding(looked, postgres):
    postgres.sql("CREATE DATABASE latin_looked_at ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        found = looked(postgres.url("latin_looked_at"))
    finally:
        postgres.sql("DROP DATABASE latin_looked_at WITH (FORCE)")
    assert found["database encoding"][0] == "fail"


def test_no_server_and_no_password_shown(looked):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = looked(f"postgres://maild:hunter22@127.0.0.1:{free.getsockname()[1]}/maild")
    assert list(found) == ["database"]
    assert found["database"][0] == "fail"
    assert "out of reach" in found["database"][1]
    assert "hunter22" not in found["database"][1]


def test_a_url_that_is_none(looked):
    found = looked("postgres://maild:hunter22@127.0.0.1:port/maild")
    assert found["database"][0] == "fail"
    assert "hunter22" not in found["database"][1]


# Judgement alone

SERVER = Server(150004, "15.4", "UTF8", "on", "on", "on", False, 10_000_000, NOW, True)


@pytest.mark.parametrize(
    ("change", "behind", "expected"),
    [
        ({}, False, []),
        ({}, True, []),
        ({"encoding": "LATIN1"}, False, [("database encoding", "fail")]),
        ({"synchronous_commit": "off"}, False, [("database durability", "fail")]),
        ({"synchronous_commit": "local"}, False, [("database durability", "fail")]),
        ({"synchronous_commit": "remote_apply"}, False, []),
        ({"fsync": "off"}, False, [("database durability", "warn")]),
        ({"full_page_writes": "off"}, False, [("database durability", "warn")]),
        ({"standby": True}, False, [("database role", "fail")]),
        ({"may_create": False}, False, []),
        ({"may_create": False}, True, [("database role", "fail")]),
        ({"clock": NOW + timedelta(seconds=59)}, False, []),
        ({"clock": NOW + timedelta(seconds=61)}, False, [("clock of the database", "warn")]),
        ({"clock": NOW - timedelta(seconds=61)}, False, [("clock of the database", "warn")]),
    ],
)
def test_servers(change, behind, expected):
    found = judge_server(replace(SERVER, **change), NOW, behind=behind)
    assert [(finding.name, finding.verdict) for finding in found if finding.verdict != "ok"] == expected


@pytest.mark.parametrize(
    ("dump", "server", "verdict"), [(None, 15, "warn"), (14, 15, "warn"), (15, 15, "ok"), (17, 15, "ok")]
)
def test_dumps(dump, server, verdict):
    assert judge_dump(dump, server).verdict == verdict


@pytest.mark.parametrize(("have", "verdict"), [(0, "warn"), (1, "warn"), (2, "ok"), (3, "fail")])
def test_versions(have, verdict):
    assert judge_version(have, 2).verdict == verdict


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing(), {}),
        (Standing(waiting=1, waiting_since=NOW - timedelta(minutes=15)), {}),
        (Standing(waiting=1, waiting_since=NOW - timedelta(minutes=16)), {"mail in": "warn"}),
        (Standing(owed=1, owed_since=NOW - timedelta(minutes=15)), {}),
        (Standing(owed=1, owed_since=NOW - timedelta(days=2)), {"mail out": "warn"}),
        (Standing(owed=1, owed_since=NOW + timedelta(seconds=5)), {}),
        (Standing(quarantined=1), {"quarantine": "warn"}),
        (Standing(newest=NOW), {}),
        (Standing(newest=NOW + timedelta(seconds=60)), {}),
        (Standing(newest=NOW + timedelta(seconds=61)), {"clock of the ledger": "fail"}),
    ],
)
def test_standings(standing, expected):
    found = {finding.name: finding.verdict for finding in judge_standing(standing, NOW)}
    assert {name: verdict for name, verdict in found.items() if verdict != "ok"} == expected


def test_journals_and_damage():
    assert [judge_journal(mode).verdict for mode in ("wal", "delete")] == ["ok", "warn"]
    assert judge_damage("row 3 missing from index", whole=True).verdict == "fail"
    assert judge_damage("", whole=False).verdict == "ok"
