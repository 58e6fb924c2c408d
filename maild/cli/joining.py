"""`maild ticket merge`, `split`, `link` and `undo`: an operator's decisions on two tickets, written in one unit."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.show import reference
from maild.cli.table import printable
from maild.cli.terms import ConfigOption, configuration, ledger_of, row_number, ticket_number
from maild.cli.ticket import MOST_TRIES, Number, operator
from maild.clock import utc_now
from maild.config import Config
from maild.config.office import office
from maild.daemon import workshop
from maild.desk import Refused
from maild.desk.merge import Decisions, Side, on_link, on_merge
from maild.desk.split import Opening, chosen, on_split
from maild.desk.undo import on_undo, partner
from maild.gather import guessed
from maild.ingest.parse import parse
from maild.mail import InboundMail
from maild.store import ConflictError, History, Ledger, LedgerError
from maild.store.wake import poke
from maild.workshop import Written, record_of, told_of

Plan = Callable[[Ledger, datetime], Awaitable[tuple[Decisions, tuple[Written, ...]] | Refused]]
"""Reads what a decision needs and makes it, with the mails that each part of it owes."""

NOTHING = Written((), ())


def merge(
    number: Number,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The ticket that it goes into, and that stays")],
    config: ConfigOption = None,
) -> None:
    """Merge ticket N into another one. It is closed, and whatever comes for it goes to the other one."""
    one, other, actor = ticket_number(number), ticket_number(into), operator()
    given = configuration(config)

    async def plan(ledger: Ledger, now: datetime) -> tuple[Decisions, tuple[Written, ...]] | Refused:
        gone, survivor = await _history(ledger, one), await _history(ledger, other)
        return _silent(on_merge(_side(gone), _side(survivor), office(given, ()), actor, now))

    _do(given, other, plan)


def split(
    number: Number,
    messages: Annotated[
        list[int], typer.Option("--message", parser=row_number, metavar="ID", help="A message, as `show` numbers it")
    ],
    config: ConfigOption = None,
) -> None:
    """Split mails off a ticket: they open one of their own, as of when the first of them came."""
    one, actor = ticket_number(number), operator()
    given = configuration(config)

    async def plan(ledger: Ledger, now: datetime) -> tuple[Decisions, tuple[Written, ...]] | Refused:
        history = await _history(ledger, one)
        leaving = chosen(_side(history), history.messages, messages)
        if isinstance(leaving, Refused):
            return leaving
        shop = await workshop(given, ledger, _read, utc_now)
        if not leaving[0].digest:
            return Refused(f"the octets of message {leaving[0].id} are gone: no ticket can be opened with it")
        mail = parse(await ledger.octets(leaving[0].digest))
        (fresh,) = await ledger.reserve("ticket", 1)
        opening = Opening(fresh, mail, guessed(shop, mail))
        decisions = on_split(_side(history), leaving, opening, shop.office, actor, now)
        return decisions, tuple(shop.write(decision) for decision in decisions)

    _do(given, one, plan)


def link(
    number: Number,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The ticket that it belongs together with")],
    config: ConfigOption = None,
) -> None:
    """Link two tickets: each shows the other. Nothing else changes."""
    one, two, actor = ticket_number(number), ticket_number(other), operator()
    given = configuration(config)

    async def plan(ledger: Ledger, now: datetime) -> tuple[Decisions, tuple[Written, ...]] | Refused:
        return _silent(on_link(_side(await _history(ledger, one)), _side(await _history(ledger, two)), actor, now))

    _do(given, one, plan)


def undo(number: Number, config: ConfigOption = None) -> None:
    """Take back what was last decided on a ticket by a person. The next undo takes back what was decided before that."""
    one, actor = ticket_number(number), operator()
    given = configuration(config)

    async def plan(ledger: Ledger, now: datetime) -> tuple[Decisions, tuple[Written, ...]] | Refused:
        history = await _history(ledger, one)
        number = partner(history.events)
        other = None if number is None else await _history(ledger, number)
        messages = {each.ticket.number: each.messages for each in (history, other) if each is not None}
        side = _side(other) if other is not None else None
        return _silent(on_undo(_side(history), side, messages, office(given, ()), actor, now))

    _do(given, one, plan)


async def _read(octets: bytes, _: str) -> InboundMail:
    return parse(octets)


async def _history(ledger: Ledger, number: int) -> History:
    history = await ledger.history(number)
    if history is None:
        fail(Exit.DATA, f"there is no ticket {number}")
    return history


def _side(history: History) -> Side:
    return Side(history.ticket, told_of(history))


def _silent(decided: Decisions | Refused) -> tuple[Decisions, tuple[Written, ...]] | Refused:
    return decided if isinstance(decided, Refused) else (decided, tuple(NOTHING for _ in decided))


def _do(config: Config, number: int, plan: Plan) -> None:
    decisions = asyncio.run(_decided(config, number, plan))
    poke(config.data_dir / "wake")
    say(printable(f"{reference(config, number)}: {decisions[0].because}"))


async def _decided(config: Config, number: int, plan: Plan) -> Decisions:
    async with ledger_of(config) as ledger:
        try:
            return await decide_together(ledger, plan)
        except ConflictError:
            fail(Exit.TRY_AGAIN, f"ticket {number} changed {MOST_TRIES} times while this was decided: try again")
        except LedgerError as error:
            fail(Exit.TRY_AGAIN, f"nothing was changed: {error}")


async def decide_together(ledger: Ledger, plan: Plan, clock: Callable[[], datetime] = utc_now) -> Decisions:
    """Decide on what the ledger holds of the tickets now and write it; what changed in between is decided on again.

    Ends with 65 where there is no such ticket or the desk refuses; ConflictError after `MOST_TRIES`.
    """
    tries = 0
    while True:
        tries += 1
        now = clock()
        planned = await plan(ledger, now)
        if isinstance(planned, Refused):
            fail(Exit.DATA, planned.because)
        decisions, written = planned
        records = [record_of(one, mails, None, now) for one, mails in zip(decisions, written, strict=True)]
        try:
            await ledger.record(records)
        except ConflictError:
            if tries == MOST_TRIES:
                raise
        else:
            return decisions
