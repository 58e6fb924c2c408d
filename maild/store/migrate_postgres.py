"""Brings a ledger on PostgreSQL to this version: numbered, reviewed SQL files, all missing ones in one transaction."""

from pathlib import Path
from typing import Any

from maild.store.copying import Migrated
from maild.store.copying_postgres import keep_dump
from maild.store.migrate import refuse, steps

FOLDER = Path(__file__).parent / "migrations" / "postgres"

MIGRATING = 0x6D61696C65
"""The advisory lock of whoever migrates."""

PATIENCE_SECONDS = 86_400.0
"""A large ledger takes its time, and whoever waits for it too; what cuts units short must not cut this."""

_VERSION = """CREATE TABLE IF NOT EXISTS schema_version (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())"""
_PATIENTLY = (
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
)


async def version(con: Any) -> int:
    """Give the number of the last migration applied; 0 for a new database."""
    if await con.fetchval("SELECT to_regclass('schema_version')") is None:
        return 0
    return int(await con.fetchval("SELECT coalesce(max(version), 0) FROM schema_version"))


async def check(con: Any, folder: Path = FOLDER) -> Migrated:
    """Refuse (LedgerSchemaError) a ledger that is not of this version."""
    have = await version(con)
    refuse(have, len(steps(folder)))
    return Migrated(have, have)


async def migrate(con: Any, url: str = "", copies: Path | None = None, folder: Path = FOLDER) -> Migrated:
    """Apply what is missing, all of it or nothing, after a copy in `copies` of a ledger that has content (at `url`).

    Daemons that start together wait for one another. LedgerSchemaError when no copy can be made, or when the ledger is
    of a later version.
    """
    have, wanted = await version(con), steps(folder)
    done = Migrated(have, have)
    if have < len(wanted):
        async with con.transaction():
            await con.execute(_PATIENTLY)
            await con.execute("SELECT pg_advisory_xact_lock($1)", MIGRATING, timeout=PATIENCE_SECONDS)
            # Before the version is asked for: what the session remembers of a table that was not there may be out of date.
            await con.execute(_VERSION)
            have = await version(con)
            copy = await keep_dump(url, copies, have + 1) if copies and 0 < have < len(wanted) else None
            for number, step in wanted.items():
                if number > have:
                    await con.execute(step.read_text(encoding="utf-8"), timeout=PATIENCE_SECONDS)
                    await con.execute("INSERT INTO schema_version VALUES ($1, $2)", number, step.stem)
            done = Migrated(have, max(have, len(wanted)), copy)
    await check(con, folder)
    return done
