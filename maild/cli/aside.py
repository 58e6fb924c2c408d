"""What `maild quarantine` and `maild spam` share: mail that was set aside, looked at and given up by hand."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from maild.cli.ending import Exit, fail, remark, say
from maild.cli.rows import RECEIVED, all_of_them, cell, each, listed, row
from maild.cli.table import printable
from maild.cli.terms import configuration, ledger_of, one_line, row_number
from maild.clock import utc_now
from maild.config import Config
from maild.store import Ledger
from maild.store.lines import ReceivedLine
from maild.store.owing import BY_HAND

HEAD = 8_192
"""Octets of a mail that are shown: enough for its headers."""

MaybeIds = Annotated[
    list[int] | None, typer.Argument(parser=row_number, metavar="[ID...]", help="The numbers that `list` shows")
]
All = Annotated[bool, typer.Option("--all", help="All of them, in one go")]
NewFile = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; stdout without it")]
Because = Annotated[str, typer.Option("--because", metavar="WORDS", help="Why; --all wants a reason")]


@dataclass(frozen=True, slots=True)
class Pile:
    """The received mails in one state, and what is said of a number that is none of them."""

    state: str
    otherwise: str

    def listing(self, limit: int, json: bool, config: Path | None) -> None:
        """List them, the newest first."""
        lines, standing = asyncio.run(self._listed(configuration(config), limit))
        listed(lines, json, RECEIVED)
        if standing > len(lines):
            remark(f"and {standing - len(lines)} older ones: --limit {standing} shows all")

    def show(self, number: int, json: bool, config: Path | None) -> None:
        """Show one: its envelope, why it is here, and its first octets, unparsed."""
        line, octets = asyncio.run(self._found(configuration(config), number))
        value = row(line) | {"size": len(octets), "head": octets[:HEAD].decode("utf-8", "replace")}
        if json:
            say(one_line(value))
            return
        for name, content in value.items():
            if name != "head":
                say(printable(f"{name:<12} {cell(content)}"))
        say()
        say(printable(value["head"].replace("\r\n", "\n")))

    def export(self, number: int, file: Path | None, config: Path | None) -> None:
        """Write the octets of one as they came in."""
        _, octets = asyncio.run(self._found(configuration(config), number))
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

    def again(self, numbers: list[int] | None, every: bool, config: Path | None) -> None:
        """Let them wait again, as if new."""
        if chosen := _chosen(numbers, every):
            each(configuration(config), chosen, self._again, self.otherwise)
        else:
            all_of_them(configuration(config), lambda ledger: ledger.again_all(self.state), "waits again")

    def drop(self, numbers: list[int] | None, every: bool, because: str, config: Path | None) -> None:
        """Give them up; their octets stay in the ledger."""
        chosen = _chosen(numbers, every)
        if every and not because.strip():
            fail(Exit.USAGE, "say why all of them are given up: --because WORDS")
        why = f"{BY_HAND}: {because.strip()}" if because.strip() else BY_HAND

        async def give_up(ledger: Ledger, number: int) -> str:
            await ledger.give_up(self.state, number, why, utc_now())
            return "is dropped"

        if chosen:
            each(configuration(config), chosen, give_up, self.otherwise)
        else:
            all_of_them(
                configuration(config), lambda ledger: ledger.give_up_all(self.state, why, utc_now()), "is dropped"
            )

    async def _again(self, ledger: Ledger, number: int) -> str:
        await ledger.again(self.state, number)
        return "waits again"

    async def _listed(self, config: Config, limit: int) -> tuple[list[ReceivedLine], int]:
        async with ledger_of(config) as ledger:
            return await ledger.received(self.state, limit), await ledger.received_count(self.state)

    async def _found(self, config: Config, number: int) -> tuple[ReceivedLine, bytes]:
        async with ledger_of(config) as ledger:
            line = await ledger.received_line(number)
            if line is None or line.state != self.state:
                fail(Exit.DATA, f"{number} {self.otherwise}")
            return line, await ledger.octets(line.digest)


def _chosen(numbers: list[int] | None, every: bool) -> list[int]:
    if bool(numbers) == every:
        fail(Exit.USAGE, "name the mails by their numbers, or write --all: one of the two")
    return numbers or []
