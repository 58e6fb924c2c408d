"""Breaches that somebody must hear of, whatever became of what stood in their way."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from maild.desk import Acknowledge, Grade, on_command
from maild.desk.merge import Side
from maild.desk.undo import on_undo
from maild.outbound.templates import Templates
from maild.ticket import Severity
from maild.workshop import record_of, told_of

HOUR = timedelta(hours=1)
OURS = {file.name: file.read_text("utf-8") for file in (Path(__file__).parents[2] / "templates").iterdir()}
QUIET = """
[quiet]
normal = ["10:30-19:00"]
low = ["10:30-19:00"]
"""
ANN, BOB = "ann@staff.example", "bob@staff.example"


async def until_done(on):
    for _ in range(20):
        if not await on.watch.step():
            return


async def say(on, number, word, actor="bob"):
    history = await on.ledger.history(number)
    done = on_command(history.ticket, told_of(history), word, on.shop.office, actor, on.time[0])
    await on.ledger.record([record_of(done, on.shop.write(done), None, on.time[0])])


async def take_back(on, number):
    history = await on.ledger.history(number)
    (done,) = on_undo(Side(history.ticket, told_of(history)), None, {}, on.shop.office, "bob", on.time[0])
    await on.ledger.record([record_of(done, on.shop.write(done), None, on.time[0])])


async def counts(on):
    return Counter((line.kind, line.rcpt) for line in await on.ledger.outbox())


async def subjects(on, rcpt):
    mails = await on.ledger.claim(on.time[0] + 24 * HOUR, 100, timedelta(0))
    octets = [await on.ledger.octets(mail.digest) for mail in mails if mail.rcpt == rcpt and mail.kind == "digest"]
    return [message_from_bytes(each, policy=policy.default)["Subject"] for each in octets]


@pytest.mark.parametrize("count", [3, 40])
async def test_where_another_ticket_cannot_be_written_of(stage, count):
    async with stage(escalation="{{ 1 // (ticket.number - 2002) }}") as on:
        await on.opened(*range(2001, 2001 + count))
        on.move(hours=1)
        await until_done(on)
        told = await counts(on)
        assert set(told) == (
            {("escalation", ANN), ("escalation", BOB)} if count == 3 else {("digest", ANN), ("digest", BOB)}
        )
        if count == 3:
            assert set(told.values()) == {2}
            assert await on.ledger.escalations(2002) == []


async def test_where_those_that_cannot_be_written_of_fill_a_batch(stage, monkeypatch):
    monkeypatch.setattr("maild.watch.BATCH", 2)
    async with stage(escalation="{{ 1 // (ticket.number // 2003) }}") as on:
        await on.opened(2001, 2002, 2003)
        on.move(hours=1)
        assert await on.watch.step() == [2001, 2002]
        assert await on.watch.step() == [2003]
        assert await counts(on) == {("escalation", ANN): 1, ("escalation", BOB): 1}
        assert await on.watch.step() == []
        assert await on.watch._pause() == 1.0
        on.move(minutes=1)
        assert await on.watch.step() == [2001, 2002]
        on.move(hours=-1)
        assert await on.watch.step() == []
        on.move(hours=1)
        assert await on.watch.step() == [2001, 2002]


async def test_a_ticket_that_was_put_aside_is_tried_again_where_the_configuration_is_read_anew(stage):
    async with stage(escalation="{{ 1 // 0 }}") as on:
        await on.opened(2001)
        on.move(hours=1)
        await until_done(on)
        assert await on.watch.step() == []
        on.watch.refit(replace(on.shop, templates=Templates(OURS)))
        await until_done(on)
        assert await counts(on) == {("escalation", ANN): 1, ("escalation", BOB): 1}
        assert await on.watch._pause() > 1.0


async def test_a_digest_that_cannot_be_written_holds_up_no_other(stage):
    async with stage(digest="{{ 1 // (first - 2001) }}") as on:
        await on.opened(*range(2001, 2009))
        on.move(hours=1)
        await until_done(on)
        assert await counts(on) == {}
        assert len((await on.ledger.digest_of("bob", on.time[0]))[0]) == 8


@pytest.mark.parametrize("count", [1, 8])
async def test_where_the_operator_s_own_template_fails(stage, count):
    async with stage(own=True, escalation="{{ 1 // 0 }}", digest="{{ nothing_of_that_name }}") as on:
        await on.opened(*range(2001, 2001 + count))
        on.move(hours=1)
        await until_done(on)
        kind = "escalation" if count == 1 else "digest"
        assert await counts(on) == {(kind, ANN): 1, (kind, BOB): 1}


async def test_where_who_took_it_over_took_that_back_in_somebody_s_night(stage, database):
    async with stage(database, QUIET) as on:
        await on.opened(2001)
        end = on.time[0] + 9 * HOUR
        on.move(hours=4, seconds=1)
        await until_done(on)
        on.move(minutes=5)
        await say(on, 2001, Acknowledge("bob"))
        on.move(minutes=5)
        await take_back(on, 2001)
        on.time[0] = end
        await until_done(on)
        assert [text.startswith("[BREACH] 1 ticket") for text in await subjects(on, ANN)] == [True]


async def test_where_it_turns_urgent_while_a_night_holds_the_breach_back(stage, database):
    async with stage(database, QUIET) as on:
        await on.opened(2001, 2002)
        on.move(hours=4, seconds=1)
        await until_done(on)
        assert await counts(on) == {}
        await say(on, 2001, Grade(Severity.LOW))
        await say(on, 2002, Grade(Severity.URGENT))
        await until_done(on)
        (subject,) = await subjects(on, ANN)
        assert subject.startswith("[BREACH] 1 ticket of CSM: 1 breach (most pressing: #2002 URGENT")
        assert len((await on.ledger.digest_of("bob", on.time[0] + 99 * HOUR))[0]) == 1


async def test_where_a_clock_that_ran_ahead_is_set_right(stage, database):
    async with stage(database) as on:
        on.move(hours=24)
        await on.opened(*range(2001, 2011))
        on.move(hours=1)
        await on.watch._judge(list(range(2001, 2007)), Counter(ann=4, bob=4))
        on.time[0] -= 24 * HOUR
        for _ in range(3):
            await until_done(on)
            on.move(seconds=61)
        assert (await counts(on))["digest", ANN] == 1
