"""Brings a ledger on PostgreSQL to this version: numbered, reviewed SQL files, all missing ones in one transaction."""

from pathlib import Path
from typing import Any

from maild.store.migrate import refuse, steps

FOLDER = Path(__file__).parent / "migrations" / "postgres"

MIGRATING = 0x6D61696C65
"""The advisory lock of whoever migrates."""

_VERSION = """CREATE TABLE IF NOT EXISTS schema_version (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())"""


async def version(con: Any) -> int:
    """Give the number of the last migration applied; 0 for a new database."""
    if await con.fetchval("SELECT to_regclass('schema_version')") is None:
        return 0
    return int(await con.fetchval("SELECT coalesce(max(version), 0) FROM schema_version"))


async def check(con: Any, folder: Path = FOLDER) -> None:
    """Refuse (LedgerSchemaError) a ledger that is not of this version."""
    refuse(await version(con), len(steps(folder)))


async def migrate(con: Any, folder: Path = FOLDER) -> None:
    """Apply what is missing, all of it or nothing; a copy is the operator's (pg_dump).

    Daemons that start together wait for one another. LedgerSchemaError when the ledger is of a later version.
    """
    wanted = steps(folder)
    if await version(con) < len(wanted):
        async with con.transaction():
            await con.execute("SELECT pg_advisory_xact_lock($1)", MIGRATING)
            await con.execute(_VERSION)
            have = await version(con)
            for number, step in wanted.items():
                if number > have:
                    await con.execute(step.read_text(encoding="utf-8"))
                    await con.execute("INSERT INTO schema_version VALUES ($1, $2)", number, step.stem)
    await check(con, folder)
