"""The loop that tells the operator: it looks when the next summary may be due, and owes one mail where something is new."""

from collections.abc import Callable

import structlog

from maild.desk.summary import Operator, counted_until, due_at, summary
from maild.outbound.compose import compose
from maild.rounds import LONGEST_SLEEP, Rounds
from maild.store import Ledger, Record
from maild.workshop import Workshop

log = structlog.get_logger("maild.summary")

MOST_ITEMS = 10
"""Of each kind that one summary lists; the others are counted."""

PATIENCE = 120.0
"""Seconds that counting may take before the loop counts as hanging."""


class Summaries(Rounds):
    """Owes the operator's mail. `owed` is called when one was written; `wake` makes the loop look."""

    def __init__(self, ledger: Ledger, shop: Workshop, operator: Operator, owed: Callable[[], None]) -> None:
        super().__init__("summary", PATIENCE)
        self._ledger = ledger
        self._shop = shop
        self._operator = operator
        self._on_owed = owed

    def refit(self, shop: Workshop, operator: Operator) -> None:
        """Work with these from now on."""
        self._shop = shop
        self._operator = operator
        self.wake.set()

    async def step(self) -> float:
        """Owe a summary if one is due; give the seconds after which to look again."""
        operator, now = self._operator, self._shop.now()
        if not operator.address:
            return LONGEST_SLEEP
        longest = min(LONGEST_SLEEP, operator.every.total_seconds())
        last = await self._ledger.last_summary()
        at = due_at(last, operator)
        if at is not None and at > now:
            return min((at - now).total_seconds(), longest)
        until = counted_until(now, operator)
        heaps = await self._ledger.heaps(last, until, MOST_ITEMS)
        letter = summary(heaps, last, until, operator, self._shop.office)
        if letter is not None:
            mail = compose(letter, self._shop.office.desk, self._shop.templates, now)
            # Written as of the instant that it counts until: the next one goes on from there.
            await self._ledger.record([Record(at=until, outgoing=(mail,))])
            log.info("summary.owed", key=letter.key, counts={heap.kind: heap.new for heap in letter.heaps})
            self._on_owed()
        return longest
