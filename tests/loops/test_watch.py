"""The loop from time to the ledger: what came in time is known before a clock is judged, and nothing is told twice."""

import asyncio

import pytest

from maild.threading.token import Purpose
from maild.watch import LONGEST_SLEEP


async def opened(on):
    await on.arrive("carol@acme.example", "a question")
    await on.intake.step()
    (number,) = await on.tickets()
    return number


async def whats(on, number):
    return [event.what for event in await on.ledger.events(number)]


async def levels(on, number):
    return sorted((line.metric, line.level) for line in await on.ledger.escalations(number))


async def answer(on, number):
    """Let Ann's reply arrive, by the address of her notification; it waits in `received`."""
    notice = next(line for line in await on.letters("notification") if line.rcpt == "ann@staff.example")
    reply_to = on.shop.office.token_address(on.shop.office.mailboxes[0], number, "ann@staff.example", Purpose.AGENT)
    return await on.arrive(
        "ann@staff.example",
        "Re: a question",
        to=(reply_to,),
        text="Here it is.",
        In_Reply_To=f"<{notice.message_id}>",
        References=f"<{notice.message_id}>",
    )


async def test_nothing_is_due_before_its_time(stage):
    async with stage() as on:
        await opened(on)
        on.move(minutes=59)
        assert await on.watch.step() == []
        assert on.settled == 0


async def test_each_level_is_told_once(stage):
    async with stage() as on:
        number = await opened(on)
        on.move(hours=1)
        assert await on.watch.step() == [number]
        assert await on.watch.step() == []
        on.move(hours=3, seconds=1)
        assert await on.watch.step() == [number]
        assert await on.watch.step() == []
        assert await levels(on, number) == [("first_response", "limit"), ("first_response", "target")]
        assert (await whats(on, number)).count("warning") == 1
        assert (await whats(on, number)).count("breach") == 1
        assert sorted(line.rcpt for line in await on.letters("escalation")) == sorted(
            ["ann@staff.example", "bob@staff.example"] * 2
        )


async def test_a_level_is_told_once_over_a_restart(stage):
    async with stage() as on:
        number = await opened(on)
        for _ in range(3):
            on.restart()
            on.move(hours=1)
            await on.watch.step()
            await on.watch.step()
        on.move(hours=1, seconds=1)
        for _ in range(3):
            on.restart()
            await on.watch.step()
        assert (await whats(on, number)).count("breach") == 1
        assert len(await on.letters("escalation")) == 4


async def test_after_downtime_one_letter_tells_the_highest_level(stage):
    async with stage() as on:
        number = await opened(on)
        on.move(hours=6)
        await on.watch.step()
        assert await levels(on, number) == [("first_response", "limit"), ("first_response", "target")]
        assert len(await on.letters("escalation")) == 2
        (clock,) = [one for one in await on.ledger.clocks(number) if one.metric == "first_response"]
        assert clock.breached_at == clock.limit_at


async def test_a_reply_that_waits_is_taken_in_before_its_clock_is_judged(stage):
    async with stage() as on:
        number = await opened(on)
        on.move(minutes=30)
        await answer(on, number)
        on.move(hours=5)
        await on.watch.step()
        assert on.settled == 1
        assert "agent_reply" in await whats(on, number)
        assert await on.letters("escalation") == []
        (clock,) = [one for one in await on.ledger.clocks(number) if one.metric == "first_response"]
        assert clock.state == "met"


async def test_a_reply_that_came_too_late_is_a_breach_all_the_same(stage):
    async with stage() as on:
        number = await opened(on)
        on.move(hours=4, seconds=1)
        await answer(on, number)
        await on.watch.step()
        (clock,) = [one for one in await on.ledger.clocks(number) if one.metric == "first_response"]
        assert clock.state == "breached"
        assert clock.stopped_at == on.time[0]


async def test_a_time_that_steps_back_tells_nothing_twice(stage):
    async with stage() as on:
        number = await opened(on)
        on.move(hours=4, seconds=1)
        await on.watch.step()
        before = await on.letters("escalation")
        for back in (4, 1, 3):
            on.move(hours=-back)
            await on.watch.step()
            on.move(hours=back)
            await on.watch.step()
        assert await on.letters("escalation") == before
        assert (await whats(on, number)).count("breach") == 1


@pytest.mark.parametrize("hours", [0, 1, 5])
async def test_the_loop_is_never_busy(stage, hours):
    async with stage() as on:
        await opened(on)
        on.move(hours=hours)
        judged = 0
        step = on.watch.step

        async def counted():
            nonlocal judged
            judged += 1
            return await step()

        on.watch.step = counted
        task = asyncio.create_task(on.watch.run())
        await asyncio.sleep(0.7)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert 1 <= judged <= 3


async def test_a_wake_makes_the_loop_look_again(stage):
    async with stage() as on:
        number = await opened(on)
        task = asyncio.create_task(on.watch.run())
        try:
            await asyncio.sleep(0.1)
            on.move(hours=1)
            on.watch.wake.set()
            async with asyncio.timeout(20):
                while not await on.letters("escalation"):  # noqa: ASYNC110 - the ledger has no event to wait for
                    await asyncio.sleep(0.02)
            assert "warning" in await whats(on, number)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_the_sleep_ends_with_the_next_instant_and_is_never_too_long(stage):
    async with stage() as on:
        assert await on.watch._pause() == LONGEST_SLEEP.total_seconds()
        await opened(on)
        assert await on.watch._pause() == LONGEST_SLEEP.total_seconds()
        on.move(minutes=59)
        assert await on.watch._pause() == 60
        on.move(minutes=10)
        assert await on.watch._pause() == 0


async def test_a_ticket_that_is_gone_is_passed_over(stage):
    async with stage() as on:
        assert await on.ledger.histories([4711]) == []
        await on.watch._judge([4711])
        assert await on.ledger.outbox() == []
