"""What `maild doctor` sees of a ledger on PostgreSQL, and of the programs that belong to it."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from maild.cli.doctor_running import STEP, without_secrets
from maild.cli.doctor_standing import QUESTION, SKEW, Standing, judge_standing, judge_version
from maild.cli.doctor_words import amount
from maild.cli.finding import Finding
from maild.config import Config
from maild.outbound.wording import span
from maild.store import LedgerError
from maild.store.copying_postgres import COMMAND
from maild.store.door_postgres import SETTINGS
from maild.store.faults_postgres import naming_faults
from maild.store.ledger import shown
from maild.store.migrate import steps
from maild.store.migrate_postgres import FOLDER, version

_SERVER = """SELECT current_setting('server_version_num')::int, current_setting('server_version'),
    current_setting('server_encoding'), current_setting('synchronous_commit'), current_setting('fsync'),
    current_setting('full_page_writes'), pg_is_in_recovery(), pg_database_size(current_database()), clock_timestamp(),
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself; `number` is 150004 for 15.4."""

    number: int
    version: str
    encoding: str
    synchronous_commit: str
    fsync: str
    full_page_writes: str
    standby: bool
    size: int
    clock: datetime
    may_create: bool


def look_at_server(config: Config, now: datetime) -> Iterator[Finding]:
    """Look at the database. LedgerError where it cannot be reached or asked."""
    try:
        server, have, standing = asyncio.run(_ask(config.database_url))
    except LedgerError as error:
        raise LedgerError(without_secrets(str(error), config)) from error
    want = len(steps(FOLDER))
    words = f"{shown(config.database_url)}, PostgreSQL {server.version}, {amount(server.size)}"
    yield Finding("database", "ok", words)
    yield judge_version(have, want)
    yield from judge_server(server, now, behind=have < want)
    yield judge_dump(_dump(), server.number // 10_000)
    if standing is not None:
        yield from judge_standing(standing, now)


async def _ask(url: str) -> tuple[Server, int, Standing | None]:
    settings = {**SETTINGS, "default_transaction_read_only": "on", "application_name": "maild-doctor"}
    try:
        with naming_faults():
            con: Any = await asyncpg.connect(url, timeout=STEP, command_timeout=STEP, server_settings=settings)
            try:
                server = Server(*await con.fetchrow(_SERVER))
                have = await version(con)
                standing = Standing.of(await con.fetchrow(QUESTION)) if 0 < have <= len(steps(FOLDER)) else None
            finally:
                con.terminate()
    except ValueError as error:
        raise LedgerError(f"the URL of the database is none: {error}") from error
    return server, have, standing


def judge_server(server: Server, now: datetime, *, behind: bool) -> Iterator[Finding]:
    """Judge what the server promises; `behind` where the ledger still has to be made or migrated."""
    if server.encoding != "UTF8":
        words = f"the database is encoded in {server.encoding}: make one with ENCODING 'UTF8'"
        yield Finding("database encoding", "fail", words)
    else:
        yield Finding("database encoding", "ok", server.encoding)
    yield _judge_durable(server)
    if server.standby:
        yield Finding(
            "database role", "fail", "it is a standby, which nobody can write to: name the primary in database.url"
        )
    elif behind and not server.may_create:
        words = "we may not make tables: GRANT CREATE ON SCHEMA public, or let our user own the database"
        yield Finding("database role", "fail", words)
    skew = server.clock - now
    if abs(skew) > SKEW:
        words = f"it is {span(skew.total_seconds())} {'ahead of' if server.clock > now else 'behind'} ours"
        yield Finding("clock of the database", "warn", words)


def _judge_durable(server: Server) -> Finding:
    name = "database durability"
    if server.synchronous_commit in ("off", "local"):
        words = f"synchronous_commit is {server.synchronous_commit} though we set it: does a pooler stand in between?"
        return Finding(name, "fail", words)
    for setting in ("fsync", "full_page_writes"):
        if getattr(server, setting) != "on":
            words = f"{setting} is off: mail that was answered with 250 is lost when the server's machine crashes"
            return Finding(name, "warn", words)
    return Finding(name, "ok", f"synchronous_commit is {server.synchronous_commit}, fsync is on")


def judge_dump(dump: int | None, server: int) -> Finding:
    """Judge pg_dump by its major version, against the server's; None where there is none."""
    if dump is None:
        words = f"{COMMAND[0]} is not on the PATH, so an upgrade can keep no copy: install PostgreSQL's client"
        return Finding(COMMAND[0], "warn", words)
    if dump < server:
        words = f"it is of version {dump} and cannot copy a server of version {server}: install that one's client"
        return Finding(COMMAND[0], "warn", words)
    return Finding(COMMAND[0], "ok", f"version {dump}, for a server of version {server}")


def _dump() -> int | None:
    program = shutil.which(COMMAND[0])
    if program is None:
        return None
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=STEP, check=True).stdout  # noqa: S603 - its own name, found on the PATH as for a copy
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\b(\d+)(?:\.\d+|devel|beta\d+|rc\d+)", told)
    return int(found[1]) if found else None
