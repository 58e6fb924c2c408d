"""How a loop shows that it lives: it says by when it will have turned again, and is late once it has not."""

import time
from collections.abc import Callable

AWAY = float("inf")
"""A pause of a loop that waits for another one: that other one's pulse tells for both."""


class Pulse:
    """The pulse of one loop.

    A loop beats at each step of its work, and before it sleeps with the seconds that it will sleep: so a sleeping loop
    cannot miss a beat, and one that hangs is late. `patience` is how many seconds one step may take.
    """

    def __init__(self, patience: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.patience = patience
        self._monotonic = monotonic
        self._due = monotonic() + patience

    def beat(self, pause: float = 0.0) -> None:
        """Say that the loop turned, and that it will turn again within `pause` seconds and its patience."""
        self._due = self._monotonic() + pause + self.patience

    @property
    def late(self) -> bool:
        """Whether the loop should have turned by now."""
        return self._monotonic() > self._due
