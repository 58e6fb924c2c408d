"""The loop of the weekly report: it looks when the next one is due, and owes it once to each of its readers."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from maild.desk.weekly import WEEKS, Weekly, corrections, last_slot, life, next_slot, weekly_letters, weeks_before
from maild.mail import Outgoing
from maild.outbound.compose import compose
from maild.rounds import LONGEST_SLEEP, Rounds
from maild.store import Ledger, Record
from maild.workshop import Workshop

log = structlog.get_logger("maild.weekly")

PATIENCE = 600.0
"""Seconds that a report of a large ledger may take before the loop counts as hanging."""


class Reports(Rounds):
    """Owes the weekly report; `weekly` None means that there is none. `owed` is called when one was written."""

    def __init__(self, ledger: Ledger, shop: Workshop, weekly: Weekly | None, owed: Callable[[], None]) -> None:
        super().__init__("report", PATIENCE)
        self._ledger = ledger
        self._shop = shop
        self._weekly = weekly
        self._on_owed = owed

    def refit(self, shop: Workshop, weekly: Weekly | None) -> None:
        """Work with these from now on."""
        self._shop = shop
        self._weekly = weekly
        self.wake.set()

    async def step(self) -> float:
        """Owe the report if it is due; give the seconds after which to look again.

        A week that the daemon was down over is made up for: the report of the newest slot comes late, and once.
        """
        weekly, zone, now = self._weekly, self._shop.office.desk.time_zone, self._shop.now()
        if weekly is None:
            return LONGEST_SLEEP
        due = last_slot(now, weekly, zone)
        last = await self._ledger.last_report()
        if last is None or last < due:
            await self._owe(weekly, due)
        return min((next_slot(now, weekly, zone) - now).total_seconds(), LONGEST_SLEEP)

    async def _owe(self, weekly: Weekly, due: datetime) -> None:
        shop = self._shop
        since, until = weeks_before(due, shop.office.desk.time_zone, WEEKS)
        told = await self._ledger.happened(since, until)
        histories = await self._ledger.histories_of(await self._ledger.regraded(since, until))

        def written() -> tuple[Outgoing, ...]:
            letters = weekly_letters(
                [life(ticket, clocks, shop.office) for ticket, clocks in told],
                [change for number, events in histories.items() for change in corrections(number, events)],
                due,
                weekly,
                shop.office,
            )
            return tuple(compose(letter, shop.office.desk, shop.templates, shop.now()) for letter in letters)

        # A month of a large desk takes seconds, in which mail must be taken in.
        mails = await asyncio.to_thread(written)
        if mails:
            await self._ledger.record([Record(at=shop.now(), outgoing=mails)])
            log.info("report.owed", due=due.isoformat(), readers=len(mails))
            self._on_owed()
