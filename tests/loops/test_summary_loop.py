"""The loop that tells the operator, over a real ledger and with a time that only the test moves."""

import asyncio
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from maild.desk.summary import SETTLED, Operator
from maild.summary import LONGEST_SLEEP, Summaries

HOUR = timedelta(hours=1)
POISON = "{% if 'poison' in ticket.subject %}{{ 1 / 0 }}{% endif %}Hello\n"


@pytest.fixture
def make_summaries():
    def make(on, address="ops@desk.example", every=HOUR):
        return Summaries(on.ledger, on.shop, Operator(address, every, "/etc/maild/maild.toml"), lambda: None)

    return make


async def poisoned(on, *senders):
    """Let mails come in that break us, until each is set aside."""
    for sender in senders:
        await on.arrive(sender, "poison")
    while await on.ledger.waiting_count():
        await on.intake.step()
        on.move(seconds=10)
    on.move(seconds=SETTLED.total_seconds())


async def told(on):
    """Give the texts of the summaries that are owed, the first one first."""
    lines = await on.letters("summary")
    assert {line.rcpt for line in lines} <= {"ops@desk.example"}
    owed = await on.ledger.claim(on.time[0] + HOUR * 9, 99, timedelta(0))
    octets = {mail.id: await on.ledger.octets(mail.digest) for mail in owed}
    return [message_from_bytes(octets[line.id], policy=policy.default).get_content() for line in lines]


async def test_three_that_break_us_are_one_mail_and_a_new_one_is_one_more(stage, make_summaries):
    async with stage(notification=POISON) as on:
        summaries = make_summaries(on)
        assert await summaries.step() == LONGEST_SLEEP
        await poisoned(on, "carol@acme.example", "dave@globex.example", "eve@evil.example")
        await summaries.step()
        (text,) = await told(on)
        assert "3 new" in text
        for number in (1, 2, 3):
            assert f"maild quarantine show {number} -c /etc/maild/maild.toml" in text
        assert "ZeroDivisionError" in text
        # Within the period nobody looks, and after it nothing is new.
        assert 0 < await summaries.step() <= LONGEST_SLEEP
        await poisoned(on, "frank@acme.example")
        await summaries.step()
        assert len(await told(on)) == 1
        on.move(hours=1)
        await summaries.step()
        (_, second) = await told(on)
        assert "1 new, 4 in all" in second
        assert "quarantine show 4" in second
        assert "quarantine show 3" not in second
        for _ in range(3):
            on.move(hours=1)
            await make_summaries(on).step()
        assert len(await told(on)) == 2


async def test_daemons_that_look_at_once_owe_one_mail(stage, make_summaries):
    async with stage(notification=POISON) as on:
        await poisoned(on, "carol@acme.example")
        daemons = [make_summaries(on) for _ in range(4)]
        await asyncio.gather(*(daemon.step() for daemon in daemons))
        assert len(await told(on)) == 1


async def test_what_was_written_late_is_not_left_out(stage, make_summaries):
    async with stage(notification=POISON) as on:
        await poisoned(on, "carol@acme.example")
        await make_summaries(on).step()
        before = on.time[0] - SETTLED / 2
        (late,) = await on.arrive("dave@globex.example", "poison")
        await on.ledger.quarantine(late, "ValueError: written late", before)
        on.move(hours=1)
        await make_summaries(on).step()
        assert "ValueError: written late" in (await told(on))[1]


async def test_without_an_address_nobody_is_told_until_there_is_one(stage, make_summaries):
    async with stage(notification=POISON) as on:
        await poisoned(on, "carol@acme.example")
        summaries = make_summaries(on, address="")
        assert await summaries.step() == LONGEST_SLEEP
        assert await told(on) == []
        summaries.refit(on.shop, Operator("ops@desk.example", HOUR, "maild.toml"))
        assert summaries.wake.is_set()
        await summaries.step()
        assert len(await told(on)) == 1


async def test_the_loop_outlives_a_ledger_that_is_away_and_looks_when_woken(stage, make_summaries):
    async with stage(notification=POISON) as on:
        summaries = make_summaries(on)
        await poisoned(on, "carol@acme.example")
        await on.ledger.close()
        loop = asyncio.create_task(summaries.run())
        await asyncio.sleep(0.2)
        assert not loop.done()
        assert not summaries.pulse.late
        loop.cancel()


async def test_a_summary_that_comes_back_opens_nothing(stage, make_summaries):
    async with stage(notification=POISON) as on:
        await poisoned(on, "carol@acme.example")
        await make_summaries(on).step()
        (mail,) = await on.ledger.claim(on.time[0] + HOUR, 9, timedelta(0))
        octets = await on.ledger.octets(mail.digest)
        bare = octets.replace(b"X-Maild-Loop: csm@desk.example\r\n", b"")
        report = (
            b"From: MAILER-DAEMON@desk.example\r\nTo: csm@desk.example\r\nSubject: Undelivered Mail\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            b"--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
            b"Final-Recipient: rfc822; ops@desk.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n"
            b"Content-Type: message/rfc822\r\n\r\n" + bare + b"\r\n--b--\r\n"
        )
        before = len(await on.ledger.outbox())
        for returned in (octets, report):
            await on.store("", ["csm@desk.example"], returned)
        while await on.intake.step():
            pass
        assert await on.tickets() == []
        assert len(await on.ledger.outbox()) == before
