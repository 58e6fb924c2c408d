"""The loop from what was received to the ledger: mails break and the next one flows; nothing is decided twice."""

import asyncio
from datetime import timedelta

import pytest

from maild.deciding import MOST_ATTEMPTS
from maild.store import LedgerError


async def rows(stage):
    return {line.id: line for line in await stage.ledger.received()}


async def test_a_mail_that_breaks_us_is_quarantined_and_the_next_one_flows(stage):
    async with stage(notification="{% if 'poison' in ticket.subject %}{{ 1 / 0 }}{% endif %}Hello\n") as on:
        (bad,) = await on.arrive("carol@acme.example", "poison")
        (good,) = await on.arrive("dave@globex.example", "a question")
        for attempt in range(1, MOST_ATTEMPTS + 1):
            await on.intake.step()
            found = await rows(on)
            assert found[good].state == "done"
            assert found[bad].attempts == attempt
            on.move(minutes=1)
        assert found[bad].state == "quarantined"
        assert found[bad].fault.startswith("ZeroDivisionError")
        assert await on.intake.step() == 0
        (only,) = await on.ledger.tickets()
        assert only.ticket.subject == "a question"
        assert await on.ledger.octets(found[bad].digest)


async def test_a_mail_that_fails_once_waits_a_while_before_it_is_tried_again(stage):
    async with stage(notification="{{ 1 / 0 }}") as on:
        await on.arrive("carol@acme.example")
        await on.intake.step()
        assert await on.intake.step() == 0
        retry_at = await on.ledger.next_retry_at()
        assert retry_at > on.time[0]
        on.time[0] = retry_at
        assert await on.intake.step() == 1


async def test_a_quarantined_mail_can_be_tried_again(stage):
    async with stage(notification="{{ 1 / 0 }}") as on:
        (bad,) = await on.arrive("carol@acme.example")
        for _ in range(MOST_ATTEMPTS):
            await on.intake.step()
            on.move(minutes=1)
        await on.ledger.again("quarantined", bad)
        assert await on.intake.step() == 1
        assert (await rows(on))[bad].state == "waiting"


async def test_a_fault_of_the_ledger_is_no_mails_fault(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example")
        await on.ledger.close()
        with pytest.raises(LedgerError):
            await on.intake.step()


async def test_a_backlog_of_one_conversation_is_one_ticket_in_order_of_receipt(stage):
    async with stage() as on:
        ids = []
        for number in range(100):
            more = {"In_Reply_To": "<c0@client.example>", "References": "<c0@client.example>"} if number else {}
            ids += await on.arrive(
                "carol@acme.example", "Re: checkout", text=f"word {number}", msgid=f"c{number}@client.example", **more
            )
            on.move(seconds=1)
        while await on.intake.step():
            pass
        (number,) = await on.tickets()
        messages = await on.ledger.messages(number)
        assert [message.id for message in messages] == ids
        assert [message.text.strip() for message in messages] == [f"word {number}" for number in range(100)]
        assert {line.state for line in (await rows(on)).values()} == {"done"}


async def test_answers_that_arrive_backwards_are_one_ticket_though_their_root_never_came(stage):
    async with stage() as on:
        chain = [f"<c{number}@client.example>" for number in range(5)]
        for number in (4, 3, 2, 1):
            more = {"In_Reply_To": chain[number - 1], "References": " ".join(chain[:number])}
            await on.arrive("carol@acme.example", "x", msgid=chain[number].strip("<>"), text=f"{number}", **more)
        while await on.intake.step():
            pass
        assert len(await on.tickets()) == 1


async def test_conversations_side_by_side_stay_apart(stage):
    async with stage() as on:
        for number in range(40):
            await on.arrive(f"c{number}@acme{number}.example", f"subject {number}", text=f"text {number}")
        while await on.intake.step():
            pass
        assert len(await on.tickets()) == 40


async def test_one_message_to_two_of_our_addresses_is_one_message(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example", to=("csm@desk.example", "support@desk.example"), msgid="m@client.example")
        while await on.intake.step():
            pass
        (number,) = await on.tickets()
        (message,) = await on.ledger.messages(number)
        assert message.recipients == ("csm@desk.example", "support@desk.example")
        assert len(await on.letters("ack")) == 1


async def test_the_same_message_delivered_apart_is_one_message(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example", to=("csm@desk.example",), msgid="m@client.example")
        await on.intake.step()
        await on.arrive("carol@acme.example", to=("support@desk.example",), msgid="m@client.example")
        await on.intake.step()
        (number,) = await on.tickets()
        assert len(await on.ledger.messages(number)) == 1
        assert "duplicate_delivery" in {event.what for event in await on.ledger.events(number)}


async def test_the_same_octets_again_make_nothing_new(stage):
    async with stage() as on:
        first = await on.arrive("carol@acme.example", msgid="m@client.example")
        await on.intake.step()
        owed = await on.ledger.outbox()
        again = await on.arrive("carol@acme.example", msgid="m@client.example")
        assert again == first
        assert await on.intake.step() == 0
        assert len(await on.tickets()) == 1
        assert await on.ledger.outbox() == owed


async def test_the_loop_works_until_nothing_waits_and_wakes_when_nudged(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example")
        task = asyncio.create_task(on.intake.run())
        try:
            async with asyncio.timeout(20):
                await on.intake.caught_up()
            assert len(await on.tickets()) == 1
            await on.arrive("dave@globex.example", "another")
            on.intake.nudge()
            async with asyncio.timeout(20):
                await on.intake.caught_up()
            assert len(await on.tickets()) == 2
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_to_be_caught_up_does_not_wait_for_a_mail_that_was_put_off(stage):
    async with stage(notification="{{ 1 / 0 }}") as on:
        await on.arrive("carol@acme.example")
        await on.intake.step()
        async with asyncio.timeout(5):
            await on.intake.caught_up()
        assert await on.ledger.waiting_count() == 1
        assert await on.ledger.next_retry_at() - on.time[0] <= timedelta(minutes=1)


async def test_no_more_is_worked_on_at_a_time_than_fits_into_memory(stage, monkeypatch):
    monkeypatch.setattr("maild.intake.MOST_OCTETS", 1500)
    async with stage() as on:
        for number in range(5):
            await on.arrive(f"u{number}@acme.example", text="x" * 400)
        assert [await on.intake.step() for _ in range(4)] == [2, 2, 1, 0]
        assert {line.attempts for line in await on.ledger.received()} == {1}
        assert len(await on.tickets()) == 5


async def test_what_is_larger_than_that_is_worked_on_alone(stage, monkeypatch):
    monkeypatch.setattr("maild.intake.MOST_OCTETS", 10)
    async with stage() as on:
        for number in range(2):
            await on.arrive(f"u{number}@acme.example")
        assert [await on.intake.step() for _ in range(3)] == [1, 1, 0]
