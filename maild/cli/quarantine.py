"""`maild quarantine`: mail that broke us, by hand."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from maild.cli.rows import MOST_ROWS, RECEIVED, Id, Limit, all_of_them, cell, each, listed, row
from maild.cli.table import printable
from maild.cli.terms import ConfigOption, Exit, JsonOption, configuration, fail, ledger_of, one_line, say
from maild.config import Config
from maild.daemon import utc_now
from maild.store import Ledger
from maild.store.lines import ReceivedLine
from maild.store.owing import BY_HAND

HEAD = 8_192
"""Octets of a mail that are shown: enough for its headers."""

STATE = "quarantined"
OTHERWISE = "is not quarantined"

app = typer.Typer(no_args_is_help=True, help="Mail that broke us: kept with its fault, never bounced.")

MaybeIds = Annotated[list[int] | None, typer.Argument(metavar="[ID...]", help="The numbers that `list` shows")]
All = Annotated[bool, typer.Option("--all", help="All of them, in one go")]


@app.command("list")
def list_(limit: Limit = MOST_ROWS, json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the quarantined mails, the newest first."""
    lines, standing = asyncio.run(_listed(configuration(config), limit))
    listed(lines, json, RECEIVED)
    if standing > len(lines):
        print(f"and {standing - len(lines)} older ones: --limit {standing} shows all", file=sys.stderr)  # noqa: T201 - the command's voice


@app.command()
def show(number: Id, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show one quarantined mail: its envelope, its fault, and its first octets, unparsed."""
    line, octets = asyncio.run(_quarantined(configuration(config), number))
    value = row(line) | {"size": len(octets), "head": octets[:HEAD].decode("utf-8", "replace")}
    if json:
        say(one_line(value))
        return
    for name, content in value.items():
        if name != "head":
            say(printable(f"{name:<12} {cell(content)}"))
    say()
    say(printable(value["head"].replace("\r\n", "\n")))


@app.command()
def export(
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


@app.command()
def retry(numbers: MaybeIds = None, every: All = False, config: ConfigOption = None) -> None:
    """Let quarantined mails wait again, as if new. A ticket that one opens counts from when the mail came in."""
    chosen = _chosen(numbers, every)

    async def again(ledger: Ledger, number: int) -> str:
        await ledger.retry_quarantined(number)
        return "waits again"

    if every:
        all_of_them(configuration(config), lambda ledger: ledger.retry_all_quarantined(), "waits again")
    else:
        each(configuration(config), chosen, again, OTHERWISE)


@app.command()
def drop(
    numbers: MaybeIds = None,
    every: All = False,
    because: Annotated[str, typer.Option("--because", metavar="WORDS", help="Why; --all wants a reason")] = "",
    config: ConfigOption = None,
) -> None:
    """Give quarantined mails up. Their octets stay in the ledger."""
    chosen = _chosen(numbers, every)
    if every and not because.strip():
        fail(Exit.USAGE, "say why all of them are given up: --because WORDS")
    why = f"{BY_HAND}: {because.strip()}" if because.strip() else BY_HAND

    async def give_up(ledger: Ledger, number: int) -> str:
        await ledger.drop_quarantined(number, why, utc_now())
        return "is dropped"

    if every:
        all_of_them(configuration(config), lambda ledger: ledger.drop_all_quarantined(why, utc_now()), "is dropped")
    else:
        each(configuration(config), chosen, give_up, OTHERWISE)


def _chosen(numbers: list[int] | None, every: bool) -> list[int]:
    if bool(numbers) == every:
        fail(Exit.USAGE, "name the mails by their numbers, or write --all: one of the two")
    return numbers or []


async def _listed(config: Config, limit: int) -> tuple[list[ReceivedLine], int]:
    async with ledger_of(config) as ledger:
        return await ledger.received(STATE, limit), await ledger.received_count(STATE)


async def _quarantined(config: Config, number: int) -> tuple[ReceivedLine, bytes]:
    async with ledger_of(config) as ledger:
        line = await ledger.received_line(number)
        if line is None or line.state != STATE:
            fail(Exit.DATA, f"{number} {OTHERWISE}")
        return line, await ledger.octets(line.digest)
