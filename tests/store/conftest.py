import itertools
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maild.mail import Address, Envelope, Outgoing
from maild.sla.clock import Clock, ClockState
from maild.sla.policy import Metric
from maild.store import migrate, migrate_postgres
from maild.store.door_postgres import PostgresDoor
from maild.store.door_sqlite import SqliteDoor
from maild.store.ledger import Ledger, path_of
from maild.store.migrate import steps
from maild.ticket import Event, Message, Severity, State, Ticket

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def template(postgres):
    """A database with the schema, to be copied: that is quicker than to migrate."""
    postgres.sql("CREATE DATABASE template_ledger TEMPLATE template0")
    postgres.sql(migrate_postgres._VERSION, "template_ledger")
    for number, step in steps(migrate_postgres.FOLDER).items():
        postgres.sql(step.read_text("utf-8"), "template_ledger")
        applied = f"INSERT INTO schema_version VALUES ({number}, '{step.stem}')"  # noqa: S608 - a file's name
        postgres.sql(applied, "template_ledger")
    return "template_ledger"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/maild.db"


@pytest.fixture
def postgres_url(postgres, template) -> Iterator[str]:
    with postgres.database(template) as url:
        yield url


@pytest.fixture
def empty_url(postgres) -> Iterator[str]:
    """A PostgreSQL database without a schema."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """What holds for the ledger holds on both engines."""
    return request.getfixturevalue(f"{request.param}_url")


async def _opened(url: str) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(url)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Ledger]:
    async for opened in _opened(url):
        yield opened


@pytest.fixture
async def sqlite_ledger(sqlite_url: str) -> AsyncIterator[Ledger]:
    async for opened in _opened(sqlite_url):
        yield opened


@pytest.fixture
async def postgres_ledger(postgres_url: str) -> AsyncIterator[Ledger]:
    async for opened in _opened(postgres_url):
        yield opened


@pytest.fixture
def make() -> SimpleNamespace:
    """Values with sensible defaults; any field can be given."""
    return SimpleNamespace(
        env=_maker(Envelope("ann@acme.example", ("csm@example.com",), "smtp", "192.0.2.1", NOW)),
        ticket=_maker(
            Ticket(
                number=1001,
                mailbox="csm@example.com",
                subject="Checkout é down",
                state=State.NEW,
                severity=Severity.URGENT,
                severity_because=("says “down”", "says production"),
                requester=Address("Ann A.", "Ann@acme.example"),
                participants=("ann@acme.example", "bob@acme.example"),
                assignee=None,
                opened_at=NOW,
                opened_by="customer",
                root_id="t1001@example.com",
            )
        ),
        message=_maker(
            Message(
                id=1,
                ticket=1001,
                message_id="a@acme.example",
                at=NOW,
                sender=Address("Ann A.", "Ann@acme.example"),
                kind="customer",
                verified="dmarc",
                placed_because="no reference is known",
                subject="Checkout é down",
                text="it is\tdown",
                digest="",
                body_digest="b0",
                recipients=("csm@example.com", "support@example.com"),
            )
        ),
        clock=_maker(
            Clock(
                metric=Metric.FIRST_RESPONSE,
                cycle=1,
                calendar_name="always",
                target_seconds=900,
                limit_seconds=1800,
                spans=((NOW, NOW + timedelta(seconds=5, microseconds=1)), (NOW + timedelta(hours=1), None)),
                target_at=NOW + timedelta(minutes=15),
                limit_at=NOW + timedelta(minutes=30),
                state=ClockState.RUNNING,
                stopped_at=None,
                breached_at=None,
                by_reclassification=True,
                elapsed_seconds=None,
                paused_seconds=7,
            )
        ),
        event=_maker(Event(NOW, "maild", "opened", "a new mail", {"n": [1, {"x": None}], "é": "ü"})),
        outgoing=_outgoing,
    )


def _maker(default: Any) -> Callable[..., Any]:
    return lambda **fields: replace(default, **fields)


_keys = itertools.count()


def _outgoing(**fields: Any) -> Outgoing:
    mail = Outgoing(
        f"k{next(_keys)}", "ack", 1001, "", "ann@acme.example", "o1@example.com", b"Subject: x\r\n\r\ny", NOW
    )
    return replace(mail, **fields)


HERE = Path(__file__).parent
FOLDERS = {"sqlite": migrate.FOLDER, "postgres": migrate_postgres.FOLDER}
TABLES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE \"C\"",
}
COLUMNS = """SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || CASE a.attidentity WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY'
        ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = '{0}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
CONSTRAINTS = """SELECT conname || ' ' || pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END
FROM pg_constraint WHERE conrelid = '{0}'::regclass AND contype <> 'n' ORDER BY conname COLLATE "C\""""
INDEXES = """SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = '{0}'
    ORDER BY indexname COLLATE "C\""""
SEQUENCES = """SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'
    ORDER BY sequencename COLLATE "C\""""


class Old:
    """A ledger as an earlier maild left it."""

    def __init__(self, engine, url, steps):
        self.engine, self.url, self.steps = engine, url, steps
        self.door = None

    async def made(self, upto, filled=True):
        """Apply the real steps, as far as `upto`, and fill in rows."""
        for step in sorted(FOLDERS[self.engine].glob("*.sql"))[:upto]:
            (self.steps / step.name).write_text(step.read_text("utf-8"), "utf-8")
        await self.open()
        await self.migrated()
        for number in range(1, upto + 1) if filled else ():
            await self.script((HERE / "filled" / f"{number:04}.sql").read_text("utf-8"))
        return self

    async def open(self):
        sqlite = self.engine == "sqlite"
        self.door = await (SqliteDoor.open(path_of(self.url)) if sqlite else PostgresDoor.open(self.url))

    async def migrated(self, copies=None):
        if self.engine == "sqlite":
            return await self.door.run(lambda con: migrate.migrate(con, copies, self.steps))
        return await self.door.run(lambda con: migrate_postgres.migrate(con, self.url, copies, self.steps))

    async def migrated_by_ledger(self, copies):
        ledger = await Ledger.open(self.url, copies=copies)
        await ledger.close()
        return ledger.migrated

    async def script(self, sql):
        if self.engine == "sqlite":
            await self.door.run(lambda con: con.executescript(sql))
        else:
            await self.door.run(lambda con: con.execute(re.sub(r"x'([0-9a-f]*)'", r"'\\x\1'", sql)))

    async def rows(self, sql):
        if self.engine == "sqlite":
            return await self.door.run(lambda con: con.execute(sql).fetchall())
        return [tuple(row) for row in await self.door.run(lambda con: con.fetch(sql))]

    async def tables(self):
        return [name for (name,) in await self.rows(TABLES[self.engine])]

    async def columns(self):
        """Give each table's columns; `schema_version`, which a migration writes into, is left out."""
        found = {}
        for table in await self.tables():
            if self.engine == "sqlite":
                found[table] = [row[1] for row in await self.rows(f"PRAGMA table_info({table})")]
            else:
                found[table] = [row[0].split()[0] for row in await self.rows(COLUMNS.format(table))]
        found.pop("schema_version")
        return found

    async def content(self, columns):
        """Give each table's rows, in those columns."""
        return {
            table: Counter(await self.rows(f"SELECT {', '.join(names)} FROM {table}"))  # noqa: S608 - names
            for table, names in columns.items()
        }

    async def numbers(self):
        """Give the highest number ever given, where the engine remembers it."""
        return dict(await self.rows("SELECT name, seq FROM sqlite_sequence" if self.engine == "sqlite" else SEQUENCES))

    async def schema(self):
        """Give the schema as text for people: one line a column, constraint or index."""
        lines = []
        for table in await self.tables():
            lines.append(f"table {table}")
            if self.engine == "sqlite":
                lines += await self._sqlite_lines(table)
            else:
                for query, what in ((COLUMNS, ""), (CONSTRAINTS, "constraint "), (INDEXES, "")):
                    lines += [f"    {what}{line}" for (line,) in await self.rows(query.format(table))]
            lines.append("")
        return "\n".join(lines)

    async def _sqlite_lines(self, table):
        # The engine keeps the statement itself: nothing says more.
        of_table = f"sql IS NOT NULL AND tbl_name = '{table}'"
        order = "ORDER BY type = 'index', name"
        lines = []
        for (sql,) in await self.rows(f"SELECT sql FROM sqlite_schema WHERE {of_table} {order}"):  # noqa: S608 - names
            words = " ".join(re.sub(r"--[^\n]*", "", sql).replace('"', "").split())
            if words.startswith("CREATE TABLE"):
                columns, strict = re.fullmatch(
                    r"CREATE TABLE (?:IF NOT EXISTS )?\w+ ?\( ?(.*?) ?\)( STRICT)?", words
                ).groups()
                lines += [f"    {column}" for column in re.split(r", (?![^(]*\))", columns)] + [f"   {strict}"] * bool(
                    strict
                )
            else:
                lines.append(f"    {words}")
        return lines

    async def close(self):
        if self.door is not None:
            await self.door.close()


@pytest.fixture(params=["sqlite", "postgres"])
async def old(request, tmp_path):
    steps = tmp_path / "steps"
    steps.mkdir()
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "empty_url")
    ledger = Old(request.param, url, steps)
    yield ledger
    await ledger.close()


@pytest.fixture
def copies(tmp_path, old, request, monkeypatch):
    """Where copies go; PostgreSQL's own programs come first on the PATH."""
    if old.engine == "postgres":
        binaries = request.getfixturevalue("postgres").binaries
        monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"
