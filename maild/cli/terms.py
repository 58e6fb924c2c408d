"""What every command shares: its options, JSON, and how it opens things."""

import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from maild.cli.ending import Exit, fail
from maild.config import Config, ConfigError, find, load
from maild.sla.wall import rfc3339
from maild.store import Ledger, LedgerError
from maild.store.ledger import is_made, shown
from maild.store.migrate import ADVICE

_DAMAGED = re.compile(r"SQLITE_(?:CORRUPT|NOTADB)|DatabaseError")


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "-c", "--config", help="The configuration. Default: $MAILD_CONFIG, ./maild.toml, /etc/maild/maild.toml"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for scripts")]


def configuration(given: Path | None, *, secrets: bool = False) -> Config:
    """Load the configuration, or end with 78 and every fault. Only who sends or fetches mail needs the `secrets`."""
    try:
        return load(find(given, os.environ), secrets=secrets)
    except ConfigError as error:
        fail(Exit.CONFIG, *(f"{error.path}: {fault}" for fault in error.faults))


@contextlib.asynccontextmanager
async def ledger_of(config: Config) -> AsyncIterator[Ledger]:
    """Open the ledger beside a daemon that may be running; end with 69 where there is none, or where it is damaged."""
    try:
        if not is_made(config.database_url):
            fail(Exit.UNAVAILABLE, f"there is no ledger at {shown(config.database_url)} yet: `maild serve` makes it")
        ledger = await Ledger.open(config.database_url, migrate=False)
    except LedgerError as error:
        fail(Exit.UNAVAILABLE, f"the ledger {shown(config.database_url)} cannot be opened: {error}")
    try:
        yield ledger
    except LedgerError as error:
        advice = f": {ADVICE}" if _DAMAGED.search(str(error)) else ""
        fail(Exit.UNAVAILABLE, f"the ledger {shown(config.database_url)} cannot be used: {error}{advice}")
    finally:
        await ledger.close()


def instant(at: datetime | None) -> str | None:
    """Write an instant for scripts: RFC 3339 in UTC with Z."""
    return None if at is None else rfc3339(at)


def one_line(value: Mapping[str, Any]) -> str:
    """Write an object as one line of JSON, in ASCII: what would drive a terminal is escaped."""
    return json.dumps(value, default=str)


_LONGEST_NUMBER = 18
"""Digits; a longer number does not fit into the ledger."""


def row_number(text: str) -> int:
    """Read the number of a mail, a message or a key; end with 64 for anything else."""
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        fail(Exit.USAGE, f"{text!r} is no number: write the one that is shown for it, such as 7")
    return int(text)


def ticket_number(text: str) -> int:
    """Read 1042, #1042 or "CSM #1042" as a ticket's number; end with 64 for anything else."""
    digits = text.rpartition("#")[2].strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > _LONGEST_NUMBER:
        fail(Exit.USAGE, f"{text!r} is no ticket: write its number, such as 1042")
    return int(digits)
