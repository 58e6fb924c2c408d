"""The signing keys of a running daemon: an operator rotates and retires them in the ledger, and it takes that over."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from maild.store import Ledger, LedgerError
from maild.workshop import Workshop

log = structlog.get_logger("maild.keyring")

PURPOSE = "token"
"""What the keys in the ledger are for that sign tokens and Message-IDs."""

RETRY_SECONDS = 1.0


async def keys_of(ledger: Ledger, shop: Workshop) -> tuple[bytes, ...]:
    """Give the keys that are good, the newest first."""
    return tuple(await ledger.secrets(PURPOSE, now=shop.now()))


class Keyring:
    """Looks at the keys whenever it is woken. `fitted` gives what is worked with, `refit` works with another one.

    A mail that is decided on is so by one set of keys: they change between two decisions.
    """

    def __init__(self, ledger: Ledger, fitted: Callable[[], Workshop], refit: Callable[[Workshop], None]) -> None:
        self._ledger = ledger
        self._fitted = fitted
        self._refit = refit
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            try:
                await self.look()
            except LedgerError as fault:
                log.warning("keyring.ledger_failed", fault=str(fault))
                self.wake.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def look(self) -> None:
        """Take over what changed."""
        if await keys_of(self._ledger, self._fitted()) == self._fitted().office.keys:
            return
        async with self._fitted().deciding():
            shop = self._fitted()
            keys = await keys_of(self._ledger, shop)
            self._refit(replace(shop, office=replace(shop.office, keys=keys)))
        log.info("keyring.taken_over", keys=len(keys))
