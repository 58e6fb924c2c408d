"""`maild ticket`: an operator's decisions, made by the same desk as those by mail, beside a daemon that may be running."""

import asyncio
import getpass
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.show import reference
from maild.cli.table import printable
from maild.cli.terms import ConfigOption, configuration, ledger_of, ticket_number
from maild.clock import utc_now
from maild.config import Config
from maild.config.office import office
from maild.desk import Acknowledge, Assign, Command, Copy, Decision, Grade, Refused, Requester, Step, on_command
from maild.ingest.forwarded_block import people
from maild.mail import Address
from maild.store import ConflictError, Ledger, LedgerError
from maild.store.wake import poke
from maild.ticket import Severity
from maild.workshop import Written, record_of, told_of

MOST_TRIES = 3

NOBODY = "none"

app = typer.Typer(
    no_args_is_help=True, help="Decide on a ticket: each command prints what it did and how the clocks stand."
)

Number = Annotated[str, typer.Argument(metavar="N", help="The ticket's number")]


@app.command()
def resolve(number: Number, config: ConfigOption = None) -> None:
    """Resolve a ticket. No mail goes to the customer, so an unanswered first response stays owed."""
    _do(config, number, Step.RESOLVE)


@app.command()
def reopen(number: Number, config: ConfigOption = None) -> None:
    """Reopen a resolved or closed ticket; the time in between does not count."""
    _do(config, number, Step.REOPEN)


@app.command()
def pending(number: Number, config: ConfigOption = None) -> None:
    """Wait for the customer: the resolution clock rests until he writes."""
    _do(config, number, Step.PENDING)


@app.command("open")
def open_(number: Number, config: ConfigOption = None) -> None:
    """Wait for the customer no longer."""
    _do(config, number, Step.OPEN)


@app.command()
def close(number: Number, config: ConfigOption = None) -> None:
    """Close a ticket; its customer's next mail opens it again, within `desk.reopen_days`."""
    _do(config, number, Step.CLOSE)


@app.command()
def assign(
    number: Number,
    who: Annotated[str, typer.Argument(metavar="WHO", help=f"An agent's id, or {NOBODY}")],
    config: ConfigOption = None,
) -> None:
    """Give a ticket to an agent, or to nobody."""
    _do(config, number, Assign(None if who == NOBODY else who))


@app.command()
def ack(
    number: Number,
    by: Annotated[
        str, typer.Option("--as", metavar="AGENT", help="Who takes it over. Default: you, by your login name")
    ] = "",
    config: ConfigOption = None,
) -> None:
    """Take a ticket over: from then on nobody is told that its clocks run out."""
    _do(config, number, Acknowledge(by or operator()))


@app.command()
def severity(
    number: Number,
    to: Annotated[str, typer.Argument(metavar="SEVERITY", help=", ".join(Severity))],
    config: ConfigOption = None,
) -> None:
    """Set how bad it is. What runs is judged anew from its start, and no guess overwrites it."""
    if to not in set(Severity):
        fail(Exit.USAGE, f"{to!r} is no severity: it is one of {', '.join(Severity)}")
    _do(config, number, Grade(Severity(to)))


@app.command()
def requester(
    number: Number,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The customer's address")],
    config: ConfigOption = None,
) -> None:
    """Make that address the customer of a ticket. No mail goes to him; what runs is judged by his policy."""
    _do(config, number, Requester(_address(address)))


@app.command()
def cc(
    number: Number,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Somebody besides the customer")],
    remove: Annotated[bool, typer.Option("--remove", help="He takes no part any more")] = False,
    config: ConfigOption = None,
) -> None:
    """Let somebody take part in a ticket: he gets a copy of every answer. No mail goes to him now."""
    _do(config, number, Copy(_address(address).address, remove))


def _address(text: str) -> Address:
    """Read name@domain or Name <name@domain>; end with 65 for what is neither. The desk judges whether it can be sent to."""
    if "<" not in text and "@" in text:
        return Address("", text)
    name, addresses = people(text)
    if len(addresses) > 1:
        fail(Exit.DATA, printable(f"{text!r} holds several addresses: give one"))
    if not addresses:
        fail(Exit.DATA, printable(f"{text!r} is no address: write it as name@domain, or as Name <name@domain>"))
    return Address(name, addresses[0])


def operator() -> str:
    """Give the login name of whoever calls, through sudo too, or the number of a user without one.

    Never `maild`: that actor is the daemon, whose guesses give way to a person's word.
    """
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # KeyError until Python 3.13
        return f"uid {os.getuid()}"
    return "operator" if name == "maild" else name


def _do(given: Path | None, number: str, command: Command) -> None:
    config = configuration(given)
    decision = asyncio.run(_decided(config, ticket_number(number), command))
    poke(config.data_dir / "wake")
    say(printable(f"{reference(config, ticket_number(number))}: {decision.because}"))


async def _decided(config: Config, number: int, command: Command) -> Decision:
    async with ledger_of(config) as ledger:
        try:
            return await decide(ledger, config, number, command, operator())
        except ConflictError:
            fail(Exit.TRY_AGAIN, f"ticket {number} changed {MOST_TRIES} times while this was decided: try again")
        except LedgerError as error:
            fail(Exit.TRY_AGAIN, f"nothing was changed: {error}")


async def decide(
    ledger: Ledger, config: Config, number: int, command: Command, actor: str, clock: Callable[[], datetime] = utc_now
) -> Decision:
    """Decide on what the ledger holds now and write it; what changed in between is read and decided on again.

    Ends with 65 where there is no such ticket or the desk refuses; ConflictError after `MOST_TRIES`.
    """
    desk = office(config, ())
    tries = 0
    while True:
        tries += 1
        history = await ledger.history(number)
        if history is None:
            fail(Exit.DATA, f"there is no ticket {number}")
        now = clock()
        decision = on_command(history.ticket, told_of(history), command, desk, actor, now)
        if isinstance(decision, Refused):
            fail(Exit.DATA, decision.because)
        try:
            await ledger.record([record_of(decision, Written((), ()), None, now)])
        except ConflictError:
            if tries == MOST_TRIES:
                raise
        else:
            return decision
