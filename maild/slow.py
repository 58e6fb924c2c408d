"""Mails that take long to read: they are read on beside the others, which are decided on meanwhile."""

import asyncio
from collections.abc import Callable, Iterable

from maild.mail import InboundMail, Received

Reading = asyncio.Task[InboundMail]
Outcome = InboundMail | BaseException


def outcome(reading: Reading) -> Outcome:
    """Give what a reading that is over gave: the mail, or what it raised."""
    if reading.cancelled():
        return asyncio.CancelledError()
    return reading.exception() or reading.result()


class Slow:
    """Keeps the readings that go on. `done` is called when one of them is over."""

    def __init__(self, done: Callable[[], None]) -> None:
        self._readings: dict[int, tuple[Received, Reading]] = {}
        self._on_done = done

    @property
    def going(self) -> int:
        """How many are still being read."""
        return sum(not reading.done() for _, reading in self._readings.values())

    @property
    def newest(self) -> int:
        """The highest received id that is kept; 0 for none."""
        return max(self._readings, default=0)

    @property
    def oldest(self) -> float:
        """The lowest received id that is kept; infinity for none."""
        return min(self._readings, default=float("inf"))

    def keep(self, received: Received, reading: Reading) -> None:
        """Keep one that is not over yet."""
        self._readings[received.id] = (received, reading)
        reading.add_done_callback(lambda _: self._on_done())

    def holds(self, received_id: int) -> bool:
        """Say whether a mail is kept here."""
        return received_id in self._readings

    def over(self) -> list[tuple[Received, Reading]]:
        """Give those that are over, in order of receipt. They are kept until they are forgotten."""
        return [self._readings[number] for number in sorted(self._readings) if self._readings[number][1].done()]

    def forget(self, received: Iterable[Received]) -> None:
        """Keep these no longer: they were decided on."""
        for one in received:
            self._readings.pop(one.id, None)

    async def wait(self, newest: int) -> None:
        """Return when none that was received up to `newest` goes on; they may not be decided on yet."""
        readings = [reading for number, (_, reading) in self._readings.items() if number <= newest]
        if readings:
            await asyncio.wait(readings)

    def end(self) -> None:
        """Give all of them up."""
        give_up(reading for _, reading in self._readings.values())
        self._readings.clear()


def give_up(readings: Iterable[Reading]) -> None:
    """Cancel readings that go on, and ask for what the others raised: asyncio complains of what nobody asked for."""
    for reading in readings:
        if reading.done():
            outcome(reading)
        else:
            reading.cancel()
