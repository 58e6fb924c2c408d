"""The group commit before the ledger."""

import asyncio
import errno
import gc
import random
from datetime import UTC, datetime

import pytest

from maild.ingest.accept import MOST_MAILS, Acceptor, Overloaded, is_full
from maild.mail import Envelope

ENV = Envelope("a@x", ("b@y",), "smtp", "192.0.2.1", datetime(2026, 1, 1, tzinfo=UTC))


class Ledger:
    """A store that takes a moment and remembers its units; octets with `poison` in them cannot be stored."""

    def __init__(self, seconds=0.01):
        self.units = []
        self.seconds = seconds
        self.wakes = 0

    async def store(self, mails):
        await asyncio.sleep(self.seconds)
        if any(b"poison" in octets for _, octets in mails):
            raise ValueError(f"cannot store {len(mails)} mails")
        self.units.append([octets for _, octets in mails])

    def wake(self):
        self.wakes += 1

    @property
    def stored(self):
        return [octets for unit in self.units for octets in unit]


def acceptor(ledger, **more):
    return Acceptor(ledger.store, ledger.wake, **more)


async def test_one_mail_is_one_unit_and_wakes():
    ledger = Ledger()
    door = acceptor(ledger)
    await door.accept(ENV, b"1")
    assert (ledger.units, ledger.wakes, door.in_flight) == ([[b"1"]], 1, 0)
    await door.accept(ENV, b"2")
    assert ledger.units == [[b"1"], [b"2"]]


async def test_what_arrives_during_a_commit_shares_the_next():
    ledger = Ledger()
    door = acceptor(ledger)
    await asyncio.gather(*(door.accept(ENV, b"%d" % n) for n in range(50)))
    assert sorted(map(int, ledger.stored)) == list(range(50))
    assert len(ledger.units) == 1


async def test_batches_are_bounded_in_mails():
    ledger = Ledger()
    door = acceptor(ledger)
    await asyncio.gather(*(door.accept(ENV, b"%d" % n) for n in range(150)))
    assert [len(unit) for unit in ledger.units] == [MOST_MAILS, MOST_MAILS, 150 - 2 * MOST_MAILS]


async def test_batches_are_bounded_in_octets():
    ledger = Ledger()
    door = acceptor(ledger)
    big = bytes(12 * 1024 * 1024)
    await asyncio.gather(*(door.accept(ENV, big) for _ in range(5)), door.accept(ENV, bytes(40 * 1024 * 1024)))
    assert [len(unit) for unit in ledger.units] == [2, 2, 1, 1]


async def test_a_poison_mail_fails_alone():
    ledger = Ledger()
    door = acceptor(ledger)
    mails = [b"0", b"poison 1", b"2", b"3", b"poison 4"]
    results = await asyncio.gather(*(door.accept(ENV, octets) for octets in mails), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), ValueError, type(None), type(None), ValueError]
    assert ledger.stored == [b"0", b"2", b"3"]
    assert door.in_flight == 0


async def test_a_fault_that_would_meet_each_of_them_meets_them_once():
    tried = []

    async def locked(mails):
        tried.append(len(mails))
        await asyncio.sleep(0.01)
        raise TimeoutError("the ledger is locked")

    door = Acceptor(locked, lambda: None, of_all=lambda error: isinstance(error, TimeoutError))
    results = await asyncio.gather(*(door.accept(ENV, b"%d" % n) for n in range(50)), return_exceptions=True)
    assert {str(result) for result in results} == {"the ledger is locked"}
    assert tried == [50]
    assert door.in_flight == 0
    first = asyncio.create_task(door.accept(ENV, b"first"))
    await asyncio.sleep(0.005)
    behind = await asyncio.gather(*(door.accept(ENV, b"%d" % n) for n in range(50)), return_exceptions=True)
    assert {str(result) for result in (*behind, *await asyncio.gather(first, return_exceptions=True))} == {
        "the ledger is locked"
    }
    assert tried == [50, 1]
    assert door.in_flight == 0


async def test_over_the_budget_is_overloaded():
    ledger = Ledger()
    door = acceptor(ledger, in_flight=10)
    first = asyncio.create_task(door.accept(ENV, b"12345678"))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await door.accept(ENV, b"123")
    await door.accept(ENV, b"12")
    await first
    await door.accept(ENV, b"1234567890")
    assert door.in_flight == 0


async def test_cancelled_callers_lock_nothing_and_cancel_nothing():
    ledger = Ledger(seconds=0.002)
    door = acceptor(ledger)
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    dice = random.Random(7)
    callers = []
    for n in range(300):
        octets = b"poison" if n % 10 == 0 else b"%d" % n
        callers.append(asyncio.create_task(door.accept(ENV, octets)))
        await asyncio.sleep(dice.random() * 0.001)
        if n % 3:
            dice.choice(callers).cancel()
    results = await asyncio.gather(*callers, return_exceptions=True)
    async with asyncio.timeout(1):
        await door.accept(ENV, b"last")
    await door.drain()
    kinds = {type(result) for result in results}
    assert asyncio.CancelledError in kinds
    for n, result in enumerate(results):
        if result is None:
            assert b"%d" % n in ledger.stored
    assert door.in_flight == 0
    del callers, results
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


async def test_drain_waits_for_all():
    ledger = Ledger()
    door = acceptor(ledger)
    callers = [asyncio.create_task(door.accept(ENV, b"%d" % n)) for n in range(100)]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await door.drain()
    assert len(ledger.stored) == 100
    assert [caller.cancelled() for caller in callers] == [True] * 100
    await door.drain()


async def test_what_waits_now_is_settled_however_much_comes_after_it():
    ledger = Ledger()
    door = acceptor(ledger)

    async def flood():
        while True:
            await door.accept(ENV, b"again")

    flooding = [asyncio.create_task(flood()) for _ in range(20)]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        await door.settled()
    assert not any(one.done() for one in flooding)
    for one in flooding:
        one.cancel()
    await door.drain()
    await door.settled()


async def test_a_store_that_is_cancelled_leaves_nobody_waiting():
    async def cancelled(mails):
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    door = Acceptor(cancelled, lambda: None)
    async with asyncio.timeout(1):
        results = await asyncio.gather(
            *(door.accept(ENV, b"%d" % n) for n in range(MOST_MAILS + 1)), return_exceptions=True
        )
    assert {type(result) for result in results} == {asyncio.CancelledError}
    assert door.in_flight == 0


def caused(error, cause):
    error.__cause__ = cause
    return error


def looped():
    one, two = ValueError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one
    return one


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (Overloaded("x"), True),
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EIO, "x"), False),
        (RuntimeError("database or disk is full"), True),
        (RuntimeError("could not extend file: No space left on device"), True),
        (RuntimeError("database is locked"), False),
        (caused(RuntimeError("x"), OSError(errno.ENOSPC, "x")), True),
        (looped(), False),
        (None, False),
    ],
)
def test_what_means_that_there_is_no_room(error, full):
    assert is_full(error) is full
