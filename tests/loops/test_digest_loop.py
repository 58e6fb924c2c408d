"""Digests over a real ledger of both engines: storms, a daemon that was down, quiet hours, and a daemon that dies."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from maild.desk import Acknowledge, on_command
from maild.digests import AGAIN
from maild.store import Ledger, Record
from maild.ticket import Event
from maild.watch import Watch
from maild.workshop import record_of, told_of

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MORE = """
[[agent]]
id = "cara"
address = "cara@staff.example"
"""
QUIET = """
[quiet]
normal = ["10:30-19:00"]
"""
STAFF = ["ann@staff.example", "bob@staff.example", "cara@staff.example"]


async def opened(on, count, first=2001):
    numbers = range(first, first + count)
    await on.opened(*numbers)
    return list(numbers)


async def until_done(on):
    """Look until nothing is left to do now."""
    while await on.watch.step():
        pass


async def digests(on):
    """Give the digests that are owed, by recipient."""
    texts = {}
    for mail in await on.ledger.claim(on.time[0] + 24 * HOUR, 10_000, timedelta(0)):
        if mail.kind == "digest":
            parsed = message_from_bytes(await on.ledger.octets(mail.digest), policy=policy.default)
            texts.setdefault(mail.rcpt, []).append(parsed)
    return texts


async def counts(on):
    return Counter((line.kind, line.rcpt) for line in await on.ledger.outbox())


async def items(on):
    return {
        agent: len((await on.ledger.digest_of(agent, on.time[0] + 999 * HOUR))[0]) for agent in ("ann", "bob", "cara")
    }


@pytest.mark.parametrize("count", [1, 5, 6, 17, 120])
async def test_up_to_five_are_mails_and_more_are_one_digest(stage, database, count):
    async with stage(database, MORE) as on:
        await opened(on, count)
        on.move(hours=1)
        await until_done(on)
        wanted = {("escalation", rcpt): count for rcpt in STAFF}
        assert await counts(on) == (wanted if count <= 5 else {("digest", rcpt): 1 for rcpt in STAFF})
        assert set((await items(on)).values()) == {0}
        assert [len(await on.ledger.escalations(number)) for number in range(2001, 2001 + count)] == [1] * count
        assert await on.watch._pause() > 0


async def test_five_hundred_at_one_instant_are_one_digest_for_each(stage, database):
    async with stage(database, MORE) as on:
        await opened(on, 500)
        on.move(hours=4, seconds=1)
        await until_done(on)
        assert await counts(on) == {("digest", rcpt): 1 for rcpt in STAFF}
        (mail,) = (await digests(on))["ann@staff.example"]
        assert mail["Subject"].startswith("[BREACH] 500 tickets of CSM: 500 breaches (most pressing: #2001 NORMAL ")
        text = mail.get_content()
        assert text.count("\n[BREACH first response] CSM #") == 100
        assert "and 400 more: maild tickets --due" in text
        # The target was reached three hours ago, and the limit a second ago: told in time.
        assert "Told late" not in text
        for number in (2001, 2500):
            because = (await on.ledger.escalations(number))[0].because
            assert "ann in a digest at once (" in because
        assert await on.watch.step() == []
        on.move(seconds=30)
        await until_done(on)
        assert sum((await counts(on)).values()) == 3


async def test_after_downtime_they_are_one_digest_that_says_so(stage, database):
    async with stage(database, MORE) as on:
        await opened(on, 40)
        on.move(hours=6)
        on.restart()
        await until_done(on)
        assert await counts(on) == {("digest", rcpt): 1 for rcpt in STAFF}
        text = (await digests(on))["bob@staff.example"][0].get_content()
        assert "Told late: 40 should have been told from Wed 11 Mar 2026, 14:00 on" in " ".join(text.split())


async def test_a_daemon_that_dies_between_units_owes_each_once(stage, database):
    async with stage(database, MORE) as on:
        numbers = await opened(on, 40)
        on.move(hours=1)
        due = await on.ledger.due_tickets(on.time[0], 100)
        assert due == numbers
        # It dies after its first unit, with the digest open.
        await on.watch._judge(due[:16], Counter(dict.fromkeys(("ann", "bob", "cara"), 24)))
        assert set((await items(on)).values()) == {16}
        assert await counts(on) == {}
        on.restart()
        await until_done(on)
        assert await counts(on) == {("digest", rcpt): 1 for rcpt in STAFF}
        assert (await digests(on))["cara@staff.example"][0]["Subject"].startswith("40 tickets of CSM: 40 warnings")


async def test_two_loops_at_once_write_one_digest(stage, database):
    async with stage(database, MORE) as on:
        await opened(on, 150)
        on.move(hours=1)
        two = [Watch(on.ledger, on.shop, on._settle, lambda: None) for _ in range(2)]
        for _ in range(4):
            await asyncio.gather(*(watch.step() for watch in two))
        assert await counts(on) == {("digest", rcpt): 1 for rcpt in STAFF}


async def test_two_daemons_on_one_ledger_write_one_digest(stage, postgres):
    with postgres.database() as url:
        async with stage(url, MORE) as on:
            await opened(on, 350)
            on.move(hours=1)
            other = await Ledger.open(url)
            shop = replace(on.shop, deciding=other.deciding)
            two = [on.watch, Watch(other, shop, on._settle, lambda: None)]
            while any(await asyncio.gather(*(watch.step() for watch in two))):
                pass
            await asyncio.gather(*(watch._digests.close() for watch in two))
            await other.close()
            assert await counts(on) == {("digest", rcpt): 1 for rcpt in STAFF}
            assert [len(await on.ledger.escalations(number)) for number in (2001, 2200, 2350)] == [1, 1, 1]
            subjects = [mail["Subject"] for mails in (await digests(on)).values() for mail in mails]
            assert all(subject.startswith("350 tickets") for subject in subjects)


async def test_the_sixth_within_a_minute_waits_for_its_end_and_a_long_storm_is_one_a_minute(stage, database):
    async with stage(database, MORE) as on:
        start = on.time[0]
        for number in range(30):
            on.time[0] = start + 5 * number * timedelta(seconds=1)
            await opened(on, 1, 2001 + number)
        mailed = []
        for second in range(5 * 30 + 90):
            on.time[0] = start + HOUR + second * timedelta(seconds=1)
            before = await counts(on)
            await until_done(on)
            mailed += [(second, kind) for kind, rcpt in (await counts(on) - before) if rcpt == STAFF[0]]
        singles = [(second, "escalation") for second in (0, 5, 10, 15, 20)]
        assert mailed == [*singles, (60, "digest"), (120, "digest"), (180, "digest")]
        assert sum(mail["Subject"].startswith("12 ") for mail in (await digests(on))[STAFF[0]]) == 1
        assert set((await items(on)).values()) == {0}


async def test_a_digest_waits_for_what_is_due_at_the_same_time_but_not_for_ever(stage, database):
    async with stage(database, MORE) as on:
        await opened(on, 40)
        on.move(hours=1)
        await on.watch._judge(list(range(2001, 2017)))
        await on.watch._digests.close()
        assert await counts(on) == {}
        assert await on.watch._digests.next_at() == on.time[0] + AGAIN
        on.move(seconds=60)
        await on.watch._digests.close()
        assert await counts(on) == {("digest", rcpt): 1 for rcpt in STAFF}


async def test_what_falls_into_quiet_hours_comes_as_one_digest_at_their_end(stage, database):
    async with stage(database, MORE + QUIET) as on:
        numbers = await opened(on, 3)
        end = on.time[0] + 9 * HOUR
        on.move(hours=1)
        await until_done(on)
        on.move(hours=3, seconds=1)
        await until_done(on)
        assert await counts(on) == {}
        assert await items(on) == {"ann": 6, "bob": 6, "cara": 6}
        await on.watch._digests.close()
        assert await on.watch._digests.next_at() == end
        history = await on.ledger.history(numbers[0])
        first = next(clock for clock in history.clocks if clock.metric == "first_response")
        reply = Event(on.time[0], "bob", "agent_reply", "bob answered", {"ref": "x@y"})
        stopped = replace(first, stopped_at=on.time[0])
        await on.ledger.record(
            [Record(at=on.time[0], ticket=history.ticket, events=(reply,), clocks=((stopped, None),))]
        )
        history = await on.ledger.history(numbers[2])
        done = on_command(history.ticket, told_of(history), Acknowledge("cara"), on.shop.office, "cara", on.time[0])
        await on.ledger.record([record_of(done, on.shop.write(done), None, on.time[0])])
        on.time[0] = end
        on.restart()
        await until_done(on)
        assert await counts(on) == {("digest", rcpt): 1 for rcpt in STAFF}
        (mail,) = (await digests(on))[STAFF[0]]
        assert mail["Subject"].startswith(
            "[BREACH] 3 tickets of CSM: 1 breach, 2 settled meanwhile (most pressing: #2002"
        )
        text = " ".join(mail.get_content().split())
        assert "your quiet hours lasted until Wed 11 Mar 2026, 19:00, and 6 waited for their end" in text
        assert "(limit 4h, 5h late) due Wed 11 Mar 2026, 14:00; owner: NOBODY" in text
        assert (
            "Settled meanwhile: CSM #2001 NORMAL Carol: matter 2001: first response answered Wed 11 Mar 2026, 14:00 by bob"
            in text
        )
        assert "CSM #2003 NORMAL Carol: matter 2003: first response acknowledged Wed 11 Mar 2026, 14:00 by cara" in text


async def test_who_is_gone_is_stood_in_for_and_an_address_that_changed_is_the_new_one(stage, database):
    async with stage(database, MORE) as on:
        await opened(on, 8)
        on.move(hours=1)
        await on.watch._judge(list(range(2001, 2009)))
        ann, bob, _ = on.shop.office.agents
        office = replace(on.shop.office, agents=(replace(ann, address="ann@new.example"), bob))
        on.shop = replace(on.shop, office=office)
        on.restart()
        await until_done(on)
        assert await counts(on) == {("digest", "ann@new.example"): 1, ("digest", STAFF[1]): 2}
        texts = [mail.get_content() for mail in (await digests(on))[STAFF[1]]]
        assert sorted("This was meant for cara, who is no agent" in text for text in texts) == [False, True]
        assert set((await items(on)).values()) == {0}


async def test_a_digest_that_the_gate_refuses_is_an_event_of_each_ticket(stage, database):
    async with stage(database, MORE) as on:
        await opened(on, 8)
        on.move(hours=1)
        await on.watch._judge(list(range(2001, 2009)))
        agents = [replace(agent, address="bräter@staff.example") for agent in on.shop.office.agents]
        on.shop = replace(on.shop, office=replace(on.shop.office, agents=tuple(agents)))
        on.restart()
        await until_done(on)
        assert await counts(on) == {}
        assert set((await items(on)).values()) == {0}
        events = await on.ledger.events(2008)
        assert [event.what for event in events].count("not_sent") == 3
        assert "is no address we can send to" in events[-1].because


async def test_an_answer_to_a_digest_reaches_no_customer_and_its_writer_is_told_once(stage):
    async with stage(more=MORE) as on:
        await opened(on, 8)
        on.move(hours=1)
        await until_done(on)
        (digest,) = (await digests(on))["ann@staff.example"]
        assert digest["Reply-To"] == "csm@desk.example"
        quoted = "\r\n".join(f"> {line}" for line in digest.get_content().splitlines())
        before = await on.tickets()
        for to in ("csm@desk.example", "support@desk.example"):
            await on.arrive(
                "ann@staff.example",
                f"Re: {digest['Subject']}",
                to=(to,),
                text=f"#ack\r\n\r\n{quoted}",
                msgid="reply@staff.example",
                In_Reply_To=digest["Message-ID"],
                References=f"{digest['References']} {digest['Message-ID']}",
            )
        await on._settle()
        assert await on.tickets() == before
        assert await on.letters("relay") == []
        (told,) = await on.letters("notification")
        assert told.rcpt == "ann@staff.example"
        assert {line.state for line in await on.ledger.received()} == {"done"}


async def test_an_answer_takes_over_what_it_names_and_its_ladders_are_silent(stage, database):
    async with stage(database, MORE) as on:
        numbers = await opened(on, 7)
        on.move(hours=1)
        await until_done(on)
        (digest,) = (await digests(on))["bob@staff.example"]
        assert "#ack 2001" in digest.get_content()
        msgid = str(digest["Message-ID"])
        on.move(minutes=5)
        rows = await on.arrive(
            "bob@staff.example",
            f"Re: {digest['Subject']}",
            to=("csm@desk.example", "support@desk.example"),
            text=f"#ack 2001 {' '.join(map(str, numbers[2:]))}",
            In_Reply_To=msgid,
            References=f"{digest['References']} {msgid}",
        )
        assert len(rows) == 2
        while await on.intake.step():
            pass
        taken = [
            number for number in numbers if any(event.what == "taken_over" for event in await on.ledger.events(number))
        ]
        assert taken == [2001, *numbers[2:]]
        assert await on.tickets() == numbers
        (told,) = await on.letters("notification")
        assert told.rcpt == "bob@staff.example"
        on.move(hours=3)
        await until_done(on)
        after = await counts(on)
        assert {rcpt: after["escalation", rcpt] for rcpt in STAFF} == dict.fromkeys(STAFF, 1)
        assert {"breach"} <= {event.what for event in await on.ledger.events(2001)}


async def test_what_changed_meanwhile_is_decided_on_again(stage, database):
    async with stage(database, MORE) as on:
        await opened(on, 7)
        on.move(hours=1)
        await until_done(on)
        (digest,) = (await digests(on))["bob@staff.example"]
        await on.arrive("bob@staff.example", "Re: digest", text="#ack", In_Reply_To=str(digest["Message-ID"]))
        record, disturbed = on.ledger.record, []

        async def late(records):
            if not disturbed:
                disturbed.append(await on.ledger.history(2003))
                done = on_command(
                    disturbed[0].ticket, told_of(disturbed[0]), Acknowledge("cara"), on.shop.office, "cara", on.time[0]
                )
                await record([record_of(done, on.shop.write(done), None, on.time[0])])
            return await record(records)

        on.ledger.record = late
        while await on.intake.step():
            pass
        events = [event for event in await on.ledger.events(2003) if event.what == "taken_over"]
        assert [event.actor for event in events] == ["cara", "bob"]
        assert "cara had acknowledged it" in events[1].because
