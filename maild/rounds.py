"""A loop that looks now and then whether something is due, at once when it is woken, and outlives its own faults."""

import asyncio
import contextlib
from abc import ABC, abstractmethod

import structlog

from maild.pulse import Pulse

log = structlog.get_logger("maild.rounds")

LONGEST_SLEEP = 300.0
"""Seconds after which a round is made at the latest: a clock can be moved."""


class Rounds(ABC):
    """A loop of rounds. `wake` makes it look at once; `patience` is how many seconds a round may take.

    A fault is logged as `NAME.failed`.
    """

    def __init__(self, name: str, patience: float) -> None:
        self._fault = f"{name}.failed"
        self.wake = asyncio.Event()
        self.pulse = Pulse(patience)

    async def run(self) -> None:
        """Make rounds for ever."""
        while True:
            self.wake.clear()
            try:
                pause = await self.step()
            except Exception:  # the loop outlives its work; what was due stays due
                log.exception(self._fault)
                pause = LONGEST_SLEEP
            self.pulse.beat(pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), pause)

    @abstractmethod
    async def step(self) -> float:
        """Do what is due; give the seconds after which to look again."""
