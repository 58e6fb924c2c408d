"""`maild keys`: the keys that reply addresses and Message-IDs are signed with, by hand. What they are is never shown."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.table import minute, table
from maild.cli.terms import ConfigOption, JsonOption, configuration, instant, ledger_of, one_line, row_number
from maild.clock import utc_now
from maild.config import Config
from maild.keyring import PURPOSE
from maild.store import ConflictError, Ledger, LedgerError
from maild.store.keeping import KeyLine
from maild.store.wake import poke

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="The keys that reply addresses and Message-IDs are signed with.")

Yes = Annotated[bool, typer.Option("--yes", help="Retire it although tickets are open that were written of under it")]
KeyId = Annotated[int, typer.Argument(parser=row_number, metavar="ID", help="The number that `list` shows")]


@app.command("list")
def list_(json: JsonOption = False, config: ConfigOption = None) -> None:
    """List them, the newest first: it signs, the others are good until they are retired."""
    lines = asyncio.run(_with(configuration(config), lambda ledger: ledger.key_lines(PURPOSE)))
    states = [_state(lines, number) for number in range(len(lines))]
    if json:
        for line, state in zip(lines, states, strict=True):
            made, retired = instant(line.created_at), instant(line.retired_at)
            say(one_line(asdict(line) | {"created_at": made, "retired_at": retired, "state": state}))
        return
    rows = [
        (str(line.id), state, minute(line.created_at), minute(line.retired_at) if line.retired_at else "-")
        for line, state in zip(lines, states, strict=True)
    ]
    table(("id", "state", "made (UTC)", "retired (UTC)"), rows)


@app.command()
def rotate(config: ConfigOption = None) -> None:
    """Make a new key, which signs from now on. What older ones signed stays good."""
    found = configuration(config)
    number = asyncio.run(_with(found, lambda ledger: ledger.rotate(PURPOSE, utc_now())))
    poke(found.data_dir / "wake")
    say(f"{number} signs from now on; what older keys signed stays good until they are retired")


@app.command()
def retire(number: KeyId, yes: Yes = False, config: ConfigOption = None) -> None:
    """Let what a key signed prove nothing any more. Such mail still finds its ticket by its Message-IDs."""
    found = configuration(config)
    tickets = asyncio.run(_with(found, lambda ledger: _retired(ledger, number, yes)))
    poke(found.data_dir / "wake")
    say(f"{number} is retired{_still_open(tickets)}")


async def _retired(ledger: Ledger, number: int, yes: bool) -> int:
    lines = await ledger.key_lines(PURPOSE)
    at = next((place for place, line in enumerate(lines) if line.id == number), None)
    if at is None:
        fail(Exit.DATA, f"there is no key {number}: `maild keys list` shows them")
    if lines[at].retired_at is not None:
        fail(Exit.DATA, f"{number} is retired already")
    if at == 0:
        fail(Exit.DATA, f"{number} is the key that signs: make a new one first, by `maild keys rotate`")
    now = utc_now()
    tickets = await ledger.signed_with(PURPOSE, number, now)
    if tickets and not yes:
        fail(
            Exit.DATA,
            f"{number} was not retired{_still_open(tickets)}",
            "an agent's reply to mail of that time would be held, unless his domain proves him: write --yes to retire it",
        )
    await ledger.retire(PURPOSE, number, now)
    return tickets


def _still_open(tickets: int) -> str:
    return f"; tickets that are open and were written of while it signed: {tickets}"


def _state(lines: list[KeyLine], number: int) -> str:
    if lines[number].retired_at is not None:
        return "retired"
    return "good" if number else "signs"


async def _with(config: Config, work: Callable[[Ledger], Awaitable[T]]) -> T:
    async with ledger_of(config) as ledger:
        try:
            return await work(ledger)
        except ConflictError:
            fail(Exit.TRY_AGAIN, "the keys changed meanwhile: look at `maild keys list`, and try again")
        except LedgerError as error:
            fail(Exit.TRY_AGAIN, f"nothing was changed: {error}")
