"""`maild received` and `maild outbox`: the queues by hand."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from maild.cli.rows import MOST_ROWS, OUTBOX, RECEIVED, Ids, Limit, each, listed
from maild.cli.terms import ConfigOption, JsonOption, configuration, ledger_of
from maild.clock import utc_now
from maild.config import Config
from maild.store import Ledger
from maild.store.lines import OutboxLine, ReceivedLine
from maild.store.owing import BY_HAND

outbox = typer.Typer(no_args_is_help=True, help="Mail that is or was owed.")


class Stage(StrEnum):
    """Where a received mail stands."""

    WAITING = "waiting"
    DONE = "done"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"
    SPAM = "spam"


def received(
    state: Annotated[Stage | None, typer.Option(help="Only mails in this state")] = None,
    limit: Limit = MOST_ROWS,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List what was received, the newest first."""
    listed(asyncio.run(_received(configuration(config), state, limit)), json, RECEIVED)


@outbox.command("list")
def outbox_list(limit: Limit = MOST_ROWS, json: JsonOption = False, config: ConfigOption = None) -> None:
    """List what is or was owed, the oldest first, the newest ones where there are more."""
    listed(asyncio.run(_owed(configuration(config), limit)), json, OUTBOX)


@outbox.command("retry")
def outbox_retry(numbers: Ids, config: ConfigOption = None) -> None:
    """Send at once what failed or was put off."""

    async def retry(ledger: Ledger, number: int) -> str:
        await ledger.owe_again(number, utc_now())
        return "goes at once"

    each(configuration(config), numbers, retry, "is not owed: it was sent, or there is none")


@outbox.command("drop")
def outbox_drop(numbers: Ids, config: ConfigOption = None) -> None:
    """Give owed mails up: they count as failed."""

    async def drop(ledger: Ledger, number: int) -> str:
        await ledger.failed(number, utc_now(), BY_HAND, count=False)
        return "is dropped"

    each(configuration(config), numbers, drop, "is not owed: it was sent or has failed, or there is none")


async def _received(config: Config, state: Stage | None, limit: int) -> list[ReceivedLine]:
    async with ledger_of(config) as ledger:
        return await ledger.received(state, limit)


async def _owed(config: Config, limit: int) -> list[OutboxLine]:
    async with ledger_of(config) as ledger:
        return await ledger.outbox(limit=limit)
