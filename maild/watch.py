"""The loop from time to the ledger: sleeps until the next due instant or a wake, then judges the tickets that are due.

What waits in `received` is taken in first (R14): a reply that arrived in time must be known before its clock is judged.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from maild.desk import Decision, on_due
from maild.desk.digest import mails_of
from maild.digests import Digests
from maild.pulse import AWAY, Pulse
from maild.store import ConflictError, History, Ledger
from maild.workshop import Workshop, Written, record_of, told_of

log = structlog.get_logger("maild.watch")

BATCH = 500
"""Tickets taken together: what a person is owed for all of them is known before his first mail, so it is a whole storm."""

TOGETHER = 16
"""Tickets judged while the others wait for their turn to decide, and written in one unit."""

LONGEST_SLEEP = timedelta(minutes=5)
"""A clock that was set back or forward is noticed within this time."""

AGAIN = timedelta(minutes=1)
"""After this a ticket is tried again that could not be judged or written of."""

NOBODY: Counter[str] = Counter()

PATIENCE = 120.0
"""Seconds that judging some tickets may take before the loop counts as hanging."""


class Watch:
    """Judges clocks as they come due. `wake` is set whenever a ticket has changed.

    `settled` waits until every mail that was received so far is decided on; `decided` is called after each unit.
    """

    def __init__(
        self, ledger: Ledger, shop: Workshop, settled: Callable[[], Awaitable[None]], decided: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._shop = shop
        self._settled = settled
        self._on_decided = decided
        self._digests = Digests(ledger, shop, decided)
        self._aside: dict[int, datetime] = {}
        self.wake = asyncio.Event()
        self.pulse = Pulse(PATIENCE)

    def refit(self, shop: Workshop) -> None:
        """Judge with these from now on; call it where nobody is deciding."""
        self._shop = shop
        self._aside = {}
        self._digests.refit(shop)

    async def run(self) -> None:
        """Watch for ever."""
        before: list[int] = []
        while True:
            self.wake.clear()
            try:
                judged = await self.step()
                # The same tickets due again at once would be a fault of ours: it must not become a busy loop.
                pause = await self._pause() if not judged else float(judged == before)
                before = judged
            except Exception:  # the loop outlives its work; a clock that was not judged is still due
                log.exception("watch.failed")
                pause = 1.0
            self.pulse.beat(pause)
            try:
                await asyncio.wait_for(self.wake.wait(), pause)
            except TimeoutError:
                continue

    async def step(self) -> list[int]:
        """Judge the tickets that are due now, at most a batch of them, and write digests; give their numbers."""
        now = self._shop.now()
        self._aside = {number: until for number, until in self._aside.items() if now < until <= now + AGAIN}
        due = await self._ledger.due_tickets(now, BATCH + len(self._aside))
        numbers = [number for number in due if number not in self._aside]
        if numbers:
            self.pulse.beat(AWAY)
            await self._settled()
        units = [numbers[start : start + TOGETHER] for start in range(0, len(numbers), TOGETHER)]
        # The first one is judged where it is written: whatever fits into one unit is judged once.
        ahead = [await self._foreseen(unit) for unit in units[1:]]
        for unit in units:
            self.pulse.beat()
            async with self._shop.deciding():
                await self._judge(unit, sum(ahead, Counter()))
            ahead = ahead[1:]
        await self._digests.close()
        return numbers

    async def _foreseen(self, numbers: Sequence[int]) -> Counter[str]:
        """Count, by reader, the escalation mails that tickets would owe: a storm is known before its first mail."""
        self.pulse.beat()
        histories = await self._ledger.histories(numbers)
        decisions = await asyncio.to_thread(self._decided, histories, self._shop.now())
        return sum((mails_of(decision, self._shop.office) for decision in decisions), Counter())

    def _decided(self, histories: Sequence[History], now: datetime) -> list[Decision]:
        office, found = self._shop.office, []
        for history in histories:
            try:
                found.append(on_due(history.ticket, told_of(history), history.messages, office, now))
            except Exception:  # one ticket that cannot be judged silences no other; it is still due
                log.exception("watch.not_judged", ticket=history.ticket.number)
                self._aside[history.ticket.number] = now + AGAIN
        return found

    def _written(self, decisions: Sequence[Decision], now: datetime) -> list[tuple[Decision, Written]]:
        found = []
        for decision in decisions:
            try:
                found.append((decision, self._shop.write(decision)))
            except Exception:  # likewise: a template of the operator's own can raise anything
                number = decision.ticket.number if decision.ticket else 0
                log.exception("watch.not_written", ticket=number)
                self._aside[number] = now + AGAIN
        return found

    async def _judge(self, numbers: Sequence[int], ahead: Counter[str] = NOBODY) -> None:
        """Judge tickets in one unit; where one of them was changed meanwhile, each by itself."""
        now = self._shop.now()
        histories = await self._ledger.histories(numbers)
        judged = await asyncio.to_thread(self._decided, histories, now)
        decisions = await self._digests.sorted_out(judged, ahead, now)
        written = await asyncio.to_thread(self._written, decisions, now)
        if not written:
            return
        try:
            await self._ledger.record([record_of(decision, mails, None, now) for decision, mails in written])
        except ConflictError as conflict:
            if len(numbers) > 1:
                for number in numbers:
                    await self._judge([number], ahead)
                return
            # An operator was quicker: it is still due, so it is judged again on what he wrote.
            log.info("watch.conflict", ticket=numbers[0], because=str(conflict))
            return
        for decision, _ in written:
            for event in decision.events:
                ticket = decision.ticket and decision.ticket.number
                log.info("clock.due", what=event.what, ticket=ticket, because=event.because)
        self._on_decided()

    async def _pause(self) -> float:
        found = (await self._ledger.next_watch_at(), await self._digests.next_at())
        at = min((one for one in found if one is not None), default=None)
        if at is None:
            return LONGEST_SLEEP.total_seconds()
        pause: float = (at - self._shop.now()).total_seconds()
        # What was put aside is still due, and the ledger says so.
        return min(max(pause, float(bool(self._aside))), LONGEST_SLEEP.total_seconds())
