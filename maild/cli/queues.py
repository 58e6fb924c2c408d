"""`maild received`, `maild quarantine` and `maild outbox`: the queues by hand."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from maild.cli.table import minute, printable, table
from maild.cli.terms import ConfigOption, Exit, JsonOption, configuration, fail, instant, ledger_of, one_line, say
from maild.config import Config
from maild.daemon import utc_now
from maild.store import ConflictError, Ledger, LedgerError
from maild.store.lines import OutboxLine, ReceivedLine
from maild.store.wake import poke

EVERY = 1_000_000_000
"""More rows than any queue has."""

HEAD = 8_192
"""Octets of a mail that are shown: enough for its headers."""

BY_HAND = "dropped by operator"

quarantine = typer.Typer(no_args_is_help=True, help="Mail that broke us: kept with its fault, never bounced.")
outbox = typer.Typer(no_args_is_help=True, help="Mail that is or was owed.")

Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="The numbers that `list` shows")]
Id = Annotated[int, typer.Argument(metavar="ID", help="The number that `list` shows")]


class Stage(StrEnum):
    """Where a received mail stands."""

    WAITING = "waiting"
    DONE = "done"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"


def received(
    state: Annotated[Stage | None, typer.Option(help="Only mails in this state")] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List what was received, the newest first, 1000 at most."""
    _list(asyncio.run(_received(configuration(config), state)), json, _RECEIVED)


@quarantine.command("list")
def quarantine_list(json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the quarantined mails, the newest first."""
    _list(asyncio.run(_received(configuration(config), Stage.QUARANTINED, EVERY)), json, _RECEIVED)


@quarantine.command("show")
def quarantine_show(number: Id, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show one quarantined mail: its envelope, its fault, and its first octets, unparsed."""
    line, octets = asyncio.run(_quarantined(configuration(config), number))
    value = _row(line) | {"size": len(octets), "head": octets[:HEAD].decode("utf-8", "replace")}
    if json:
        say(one_line(value))
        return
    for name, cell in value.items():
        if name != "head":
            say(printable(f"{name:<12} {_cell(cell)}"))
    say()
    say(printable(value["head"].replace("\r\n", "\n")))


@quarantine.command("export")
def quarantine_export(
    number: Id,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; stdout without it")] = None,
    config: ConfigOption = None,
) -> None:
    """Write the octets of one quarantined mail, as they came in."""
    _, octets = asyncio.run(_quarantined(configuration(config), number))
    if file is None:
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()
        return
    try:
        # A customer's mail: readable by its owner only, and never over another file.
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            out.write(octets)
    except OSError as error:
        fail(Exit.DATA, f"{file} cannot be written: {error.strerror}")


@quarantine.command("retry")
def quarantine_retry(numbers: Ids, config: ConfigOption = None) -> None:
    """Let quarantined mails wait again, as if new."""

    async def retry(ledger: Ledger, number: int) -> str:
        await ledger.retry_quarantined(number)
        return "waits again"

    _each(configuration(config), numbers, retry, "is not quarantined")


@quarantine.command("drop")
def quarantine_drop(numbers: Ids, config: ConfigOption = None) -> None:
    """Give quarantined mails up. Their octets stay in the ledger."""

    async def drop(ledger: Ledger, number: int) -> str:
        await _find(ledger, number)
        await ledger.drop(number, BY_HAND, utc_now())
        return "is dropped"

    _each(configuration(config), numbers, drop, "is not quarantined")


@outbox.command("list")
def outbox_list(json: JsonOption = False, config: ConfigOption = None) -> None:
    """List what is or was owed, the oldest first, the newest 1000."""
    _list(asyncio.run(_owed(configuration(config))), json, _OUTBOX)


@outbox.command("retry")
def outbox_retry(numbers: Ids, config: ConfigOption = None) -> None:
    """Send at once what failed or was put off."""

    async def retry(ledger: Ledger, number: int) -> str:
        await ledger.owe_again(number, utc_now())
        return "goes at once"

    _each(configuration(config), numbers, retry, "is not owed: it was sent, or there is none")


@outbox.command("drop")
def outbox_drop(numbers: Ids, config: ConfigOption = None) -> None:
    """Give owed mails up: they count as failed."""

    async def drop(ledger: Ledger, number: int) -> str:
        await ledger.failed(number, utc_now(), BY_HAND, count=False)
        return "is dropped"

    _each(configuration(config), numbers, drop, "is not owed: it was sent or has failed, or there is none")


async def _received(config: Config, state: Stage | None, limit: int = 1000) -> list[ReceivedLine]:
    async with ledger_of(config) as ledger:
        return await ledger.received(state, limit)


async def _owed(config: Config) -> list[OutboxLine]:
    async with ledger_of(config) as ledger:
        return await ledger.outbox()


async def _quarantined(config: Config, number: int) -> tuple[ReceivedLine, bytes]:
    async with ledger_of(config) as ledger:
        try:
            line = await _find(ledger, number)
        except ConflictError:
            fail(Exit.DATA, f"{number} is not quarantined")
        return line, await ledger.octets(line.digest)


async def _find(ledger: Ledger, number: int) -> ReceivedLine:
    for line in await ledger.received(Stage.QUARANTINED, EVERY):
        if line.id == number:
            return line
    raise ConflictError(f"{number} is not quarantined")


def _each(config: Config, numbers: list[int], work: Callable[[Ledger, int], Awaitable[str]], otherwise: str) -> None:
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


Column = Callable[[Any], object]

_RECEIVED: Mapping[str, Column] = {
    "id": lambda line: line.id,
    "received (UTC)": lambda line: minute(line.received_at),
    "state": lambda line: line.state,
    "from": lambda line: line.mail_from or "<>",
    "to": lambda line: line.rcpt,
    "fault": lambda line: line.fault,
}
_OUTBOX: Mapping[str, Column] = {
    "id": lambda line: line.id,
    "at (UTC)": lambda line: minute(line.sent_at or line.failed_at or line.not_before),
    "state": lambda line: line.state,
    "kind": lambda line: line.kind,
    "ticket": lambda line: f"#{line.ticket}" if line.ticket else "",
    "to": lambda line: line.rcpt,
    "last reply": lambda line: line.last_reply,
}
_LONG = ("from", "to", "fault", "last reply")


def _row(line: ReceivedLine | OutboxLine) -> dict[str, Any]:
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in asdict(line).items()}


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value)


def _list(lines: Iterable[ReceivedLine | OutboxLine], json: bool, columns: Mapping[str, Column]) -> None:
    if json:
        for line in lines:
            say(one_line(_row(line)))
        return
    table(tuple(columns), ([_cell(cell(line)) for cell in columns.values()] for line in lines), _LONG)
