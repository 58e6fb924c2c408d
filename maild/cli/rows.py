"""What the commands on the queues share: rows for people and scripts, and one deed for many numbers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.table import minute, table
from maild.cli.terms import instant, ledger_of, one_line, row_number
from maild.config import Config
from maild.store import ConflictError, Ledger, LedgerError
from maild.store.lines import OutboxLine, ReceivedLine
from maild.store.wake import poke

Ids = Annotated[list[int], typer.Argument(parser=row_number, metavar="ID...", help="The numbers that `list` shows")]
Id = Annotated[int, typer.Argument(parser=row_number, metavar="ID", help="The number that `list` shows")]
Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="So many at most")]
Column = Callable[[Any], object]

MOST_ROWS = 1000

RECEIVED: Mapping[str, Column] = {
    "id": lambda line: line.id,
    "received (UTC)": lambda line: minute(line.received_at),
    "state": lambda line: line.state,
    "from": lambda line: line.mail_from or "<>",
    "to": lambda line: line.rcpt,
    "fault": lambda line: line.fault or (line.because if line.state == "spam" else ""),
}
OUTBOX: Mapping[str, Column] = {
    "id": lambda line: line.id,
    "at (UTC)": lambda line: minute(line.sent_at or line.failed_at or line.not_before),
    "state": lambda line: line.state,
    "kind": lambda line: line.kind,
    "ticket": lambda line: f"#{line.ticket}" if line.ticket else "",
    "to": lambda line: line.rcpt,
    "last reply": lambda line: line.last_reply,
}
_LONG = ("from", "to", "fault", "last reply")


def row(line: ReceivedLine | OutboxLine) -> dict[str, Any]:
    """Give a row for JSON."""
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in asdict(line).items()}


def cell(value: object) -> str:
    """Give a value for people: a dash where there is none."""
    return "-" if value is None or value == "" else str(value)


def listed(lines: Iterable[ReceivedLine | OutboxLine], json: bool, columns: Mapping[str, Column]) -> None:
    """Print rows: one JSON object a line, or a table."""
    if json:
        for line in lines:
            say(one_line(row(line)))
        return
    table(tuple(columns), ([cell(show(line)) for show in columns.values()] for line in lines), _LONG)


def each(config: Config, numbers: list[int], work: Callable[[Ledger, int], Awaitable[str]], otherwise: str) -> None:
    """Do it for each, nudge the daemon, and end with 65 where one of them could not be done."""
    try:
        refused = asyncio.run(_worked(config, numbers, work))
    finally:
        poke(config.data_dir / "wake")
    if refused:
        fail(Exit.DATA, *(f"{number} {otherwise}" for number in refused))


async def _worked(config: Config, numbers: list[int], work: Callable[[Ledger, int], Awaitable[str]]) -> list[int]:
    refused = []
    async with ledger_of(config) as ledger:
        for number in dict.fromkeys(numbers):
            try:
                say(f"{number} {await work(ledger, number)}")
            except ConflictError:
                refused.append(number)
            except LedgerError as error:
                fail(Exit.TRY_AGAIN, f"{number} was not changed: {error}")
    return refused


def all_of_them(config: Config, work: Callable[[Ledger], Awaitable[list[int]]], done: str) -> None:
    """Do it to all in one unit, nudge the daemon, and say it of each."""
    numbers = asyncio.run(_all(config, work))
    poke(config.data_dir / "wake")
    for number in numbers:
        say(f"{number} {done}")


async def _all(config: Config, work: Callable[[Ledger], Awaitable[list[int]]]) -> list[int]:
    async with ledger_of(config) as ledger:
        try:
            return await work(ledger)
        except LedgerError as error:
            fail(Exit.TRY_AGAIN, f"nothing was changed: {error}")
