"""The IMAP folders that are fetched from, and the tasks that do it."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from maild.config.imap import accounts
from maild.config.model import Config
from maild.ingest.imap import Inbox
from maild.intake import Intake
from maild.pulse import Pulse
from maild.store import Ledger
from maild.threading import token


@dataclass(frozen=True, slots=True)
class Inboxes:
    """All of them. `start` in the loop; `stop` returns when none of them writes any more."""

    each: tuple[Inbox, ...]
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def pulses(self) -> dict[str, Pulse]:
        """The pulse of each, by the name of its folder."""
        return {f"imap {inbox.name}": inbox.pulse for inbox in self.each}

    def nudge(self) -> None:
        """Say that mail was decided on."""
        for inbox in self.each:
            inbox.nudge()

    def start(self) -> None:
        """Begin to fetch."""
        self._tasks.extend(asyncio.create_task(inbox.run(), name=f"imap {inbox.name}") for inbox in self.each)

    async def stop(self) -> None:
        """Fetch no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def inboxes(config: Config, ledger: Ledger, intake: Intake, now: Callable[[], datetime], rng: random.Random) -> Inboxes:
    """Build them from the configuration. Whose addresses are ours is asked of the intake, so a reload reaches it."""

    def bears_token(address: str) -> bool:
        found = intake.shop.office.mailbox_of(address)
        return found is not None and token.read(found[1]) is not None

    return Inboxes(
        tuple(
            Inbox(account, ledger, stored=intake.nudge, bears_token=bears_token, now=now, rng=rng)
            for account in accounts(config)
        )
    )
