"""From a mail that is past hope to the ledger: a reply that the smarthost refuses for good is no response."""

import asyncio
from collections.abc import Callable

import structlog

from maild.desk import on_failure
from maild.mail import Delivery
from maild.outbound.outbox import Owed
from maild.store import ConflictError, Ledger
from maild.workshop import Workshop, record_of, told_of

log = structlog.get_logger("maild.failures")

MOST_ATTEMPTS = 3


class Failures:
    """Decides on mail of ours that failed at the smarthost. `decided` is called after each unit."""

    def __init__(self, ledger: Ledger, shop: Workshop, decided: Callable[[], None]) -> None:
        self._ledger = ledger
        self._shop = shop
        self._on_decided = decided

    def refit(self, shop: Workshop) -> None:
        """Decide with these from now on; call it where nobody is deciding."""
        self._shop = shop

    async def tell(self, row: Owed, words: str) -> None:
        """Write down what the failure of `row` means; `words` are the smarthost's."""
        for _ in range(MOST_ATTEMPTS):
            async with self._shop.deciding():
                try:
                    await self._decide(row, words)
                except ConflictError as conflict:
                    log.info("failures.conflict", ticket=row.ticket, because=str(conflict))
                else:
                    return

    async def _decide(self, row: Owed, words: str) -> None:
        history = await self._ledger.survivor(row.ticket) if row.ticket else None
        if history is None:
            return
        now = self._shop.now()
        report = Delivery(row.rcpt, "failed", "", words, row.message_id)
        decision = on_failure(history.ticket, told_of(history), report, now, self._shop.office, now)
        written = await asyncio.to_thread(self._shop.write, decision)
        await self._ledger.record([record_of(decision, written, None, now)])
        self._on_decided()
