"""A mail that takes long to read delays nobody else: it is read on beside the others, and decided on when it is over."""

import asyncio
import time
from dataclasses import replace

import pytest

from maild.intake import MOST_SLOW, PROMPT, SLOW_WORDS

LONG = 60.0
"""Seconds that anything may take: the machine may be busy with other tests."""


class Brake:
    """Holds back the reading of every mail that has the word `hanging` in it, until it is let go."""

    def __init__(self, read):
        self.read = read
        self.go = asyncio.Event()
        self.fault = None
        self.begun = 0

    async def __call__(self, octets, return_path):
        if b"hanging" in octets:
            self.begun += 1
            await self.go.wait()
            if self.fault:
                raise self.fault
        return await self.read(octets, return_path)


@pytest.fixture
def brake():
    def fitted(on):
        held = Brake(on.shop.read)
        on.shop = replace(on.shop, read=held)
        on.restart()
        return held

    return fitted


async def state(on, number):
    return {line.id: line for line in await on.ledger.received()}[number].state


async def until(on, number, wanted):
    async with asyncio.timeout(LONG):
        while await state(on, number) != wanted:  # noqa: ASYNC110 - the ledger sets no event
            await asyncio.sleep(0.02)


@pytest.fixture
def at_work():
    """Let the intake run for the length of the test."""
    tasks = []

    def start(on):
        tasks.append(asyncio.create_task(on.intake.run()))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()


async def test_the_one_behind_it_does_not_wait(stage, brake, at_work):
    async with stage() as on:
        held = brake(on)
        await on.intake.step()
        (bad,) = await on.arrive("mallory@evil.example", "hanging")
        (good,) = await on.arrive("carol@acme.example", "ordinary")
        began = time.monotonic()
        at_work(on)
        await until(on, good, "done")
        assert time.monotonic() - began >= PROMPT
        assert await state(on, bad) == "waiting"
        assert {line.fault for line in await on.ledger.received("waiting")} == {SLOW_WORDS}
        # From now on it costs the others nothing at all.
        (next_one,) = await on.arrive("dave@globex.example", "ordinary too")
        on.intake.nudge()
        await until(on, next_one, "done")
        held.go.set()
        await until(on, bad, "done")
        assert held.begun == 1
        assert [line.attempts for line in await on.ledger.received()] == [1, 1, 1]
        assert len(await on.tickets()) == 3


async def test_a_conversation_that_it_opens_is_one_ticket(stage, brake, at_work):
    async with stage() as on:
        held = brake(on)
        await on.intake.step()
        (first,) = await on.arrive("carol@acme.example", "hanging", msgid="c0@acme.example")
        more = {"In_Reply_To": "<c0@acme.example>", "References": "<c0@acme.example>"}
        (second,) = await on.arrive("carol@acme.example", "Re: more", msgid="c1@acme.example", **more)
        at_work(on)
        await until(on, second, "done")
        held.go.set()
        await until(on, first, "done")
        assert len(await on.tickets()) == 1


async def test_a_clock_waits_until_it_is_decided_on(stage, brake, at_work):
    async with stage() as on:
        held = brake(on)
        await on.intake.step()
        (bad,) = await on.arrive("carol@acme.example", "hanging")
        (good,) = await on.arrive("dave@globex.example", "ordinary")
        at_work(on)
        early = asyncio.create_task(on.intake.caught_up())
        await until(on, good, "done")
        late = asyncio.create_task(on.intake.caught_up())
        await asyncio.sleep(0.1)
        assert not early.done()
        assert not late.done()
        held.go.set()
        async with asyncio.timeout(LONG):
            await early
            await late
        assert await state(on, bad) == "done"


async def test_taken_again_it_is_no_further_attempt(stage, brake):
    async with stage() as on:
        held = brake(on)
        (bad,) = await on.arrive("carol@acme.example", "hanging")
        for _ in range(5):
            await on.intake.step()
            on.move(minutes=2)
        (line,) = await on.ledger.received()
        assert (line.state, line.attempts, held.begun) == ("waiting", 1, 1)
        held.go.set()
        await asyncio.sleep(0)
        while await state(on, bad) == "waiting":
            await on.intake.step()
        assert len(await on.tickets()) == 1


async def test_what_it_raises_in_the_end_is_a_fault_as_any(stage, brake):
    async with stage() as on:
        held = brake(on)
        (bad,) = await on.arrive("carol@acme.example", "hanging")
        held.fault = ValueError("it broke")
        await on.intake.step()
        held.go.set()
        while await state(on, bad) == "waiting":
            await on.intake.step()
            on.move(minutes=2)
        (line,) = await on.ledger.received()
        assert (line.state, line.attempts, line.fault) == ("quarantined", 3, "ValueError: it broke")


async def test_one_that_is_dropped_meanwhile_is_given_up(stage, brake):
    async with stage() as on:
        held = brake(on)
        (bad,) = await on.arrive("carol@acme.example", "hanging")
        taking = asyncio.create_task(on.intake.step())
        async with asyncio.timeout(LONG):
            while not held.begun:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)
        await on.ledger.give_up("waiting", bad, "by hand", on.time[0])
        await taking
        held.go.set()
        assert await on.intake.step() == 0
        assert await on.tickets() == []


async def test_after_a_stop_it_comes_again(stage, brake):
    async with stage() as on:
        held = brake(on)
        (bad,) = await on.arrive("carol@acme.example", "hanging")
        await on.intake.step()
        on.restart()
        assert await on.intake.step() == 0
        on.move(minutes=2)
        held.go.set()
        await on.intake.step()
        assert await state(on, bad) == "done"


async def test_there_are_never_more_in_memory_than_there_is_room_for(stage, brake):
    async with stage() as on:
        held = brake(on)
        await on.intake.step()
        for number in range(MOST_SLOW + 2):
            await on.arrive("mallory@evil.example", f"hanging {number}")
        full = asyncio.create_task(on.intake.step())
        await asyncio.sleep(PROMPT * 1.5)
        assert not full.done()
        held.go.set()
        async with asyncio.timeout(LONG):
            await full
            while await on.ledger.waiting_count():
                await on.intake.step()
        assert len(await on.tickets()) == MOST_SLOW + 2
