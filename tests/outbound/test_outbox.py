"""The outbox's loop over an in-memory ledger and real sinks."""

import asyncio
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.outbound.backoff import delay, exhausted, outage_delay
from maild.outbound.outbox import Outbox
from maild.outbound.relay import Relay, Smarthost

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "draw", "minutes"),
    [
        (-1, 0, 1),
        (0, 0, 1),
        (1, 0, 2),
        (2, 0.9, 5),
        (3, 0, 10),
        (4, 0, 20),
        (5, 0, 30),
        (6, 0, 54),
        (6, 0.5, 60),
        (50, 1, 66),
    ],
)
def test_the_steps(attempts, draw, minutes):
    assert delay(attempts, draw) == timedelta(minutes=minutes)


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 1), (59, 1), (60, 2), (179, 2), (180, 5), (86400, 5)])
def test_the_steps_of_an_outage(seconds, minutes):
    assert outage_delay(timedelta(seconds=seconds)) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("attempts", "hours", "wanted"), [(60, 47.9, False), (60, 48, True), (5, 48, True), (4, 90, False)]
)
def test_when_hope_ends(attempts, hours, wanted):
    assert exhausted(attempts, START, START + timedelta(hours=hours)) is wanted


@dataclass(frozen=True)
class Row:
    id: int
    rcpt: str
    envelope_from: str = "csm@example.com"
    digest: str = "whole"
    attempts: int = 0
    created_at: datetime = START
    not_before: datetime = START


@dataclass
class Ledger:
    """A ledger in memory, with the promises of the real one."""

    rows: dict[int, Row]
    now: datetime = START
    done: dict[int, tuple[str, str]] = field(default_factory=dict)
    replies: list[tuple[int, str, bool]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def _check(self, what):
        if what in self.broken:
            raise OSError(f"{what} is broken")

    async def claim(self, now, limit, lease):
        self._check("claim")
        due = sorted((row for row in self.rows.values() if row.not_before <= now), key=lambda row: row.id)[:limit]
        for row in due:
            self.rows[row.id] = replace(row, not_before=now + lease)
        return due

    async def octets(self, digest):
        return {"whole": b"Subject: x\r\n\r\nhello\r\n"}[digest]

    async def sent(self, row_id, at, reply):
        self._check("sent")
        self._settle(row_id, "sent", reply)

    async def failed(self, row_id, at, reply):
        self._settle(row_id, "failed", reply)

    def _settle(self, number, how, reply):
        del self.rows[number]
        self.done[number] = (how, reply)
        if not self.rows:
            self.settled.set()

    async def deferred(self, row_id, not_before, reply, *, count):
        self._check("deferred")
        row = self.rows[row_id]
        self.rows[row_id] = replace(row, not_before=not_before, attempts=row.attempts + count)
        self.replies.append((row_id, reply, count))

    async def next_outbox_at(self):
        return min((row.not_before for row in self.rows.values()), default=None)


def ledger_of(*rcpts, **changes):
    return Ledger({number: Row(number, rcpt, **changes) for number, rcpt in enumerate(rcpts, 1)})


def outbox_for(ledger, server, workers=1, **options):
    carriers = [Relay(Smarthost("127.0.0.1", server.port, "none", timeout=10)) for _ in range(workers)]
    return Outbox(ledger, carriers, lambda: ledger.now, random.Random(1), **options)


async def finish(outbox, task):
    outbox.stop()
    async with asyncio.timeout(5):
        await task


async def test_it_sends_all_and_wakes_for_more(serve, sink):
    server, ledger = await serve(sink()), ledger_of("a@x.example", "b@x.example", "c@x.example")
    outbox = outbox_for(ledger, server)
    task = asyncio.create_task(outbox.run())
    async with asyncio.timeout(5):
        await ledger.settled.wait()
        await asyncio.sleep(0.1)
        ledger.settled.clear()
        ledger.rows[9] = Row(9, "d@x.example")
        outbox.wake.set()
        await ledger.settled.wait()
    await finish(outbox, task)
    assert [mail[1] for mail in server.mails] == [["a@x.example"], ["b@x.example"], ["c@x.example"], ["d@x.example"]]
    assert ledger.done[1] == ("sent", "250 2.0.0 taken as 4711")
    assert server.connections == 2


async def test_several_workers_share_the_batch(serve, sink):
    server, ledger = await serve(sink()), ledger_of(*(f"u{number}@x.example" for number in range(40)))
    assert await outbox_for(ledger, server, workers=4, batch=50).round() == 40
    assert len(server.mails) == 40
    assert ledger.rows == {}
    assert server.connections == 4


async def test_each_refusal_has_its_fate(serve, sink):
    server = await serve(
        sink(rcpt_replies={"no@x.example": "550 5.1.1 unknown", "later@x.example": "451 4.7.1 greylisted"})
    )
    ledger = ledger_of("no@x.example", "later@x.example", "a b@x.example", "yes@x.example")
    told = []

    async def tell(row, words):
        told.append((row.id, words))

    await outbox_for(ledger, server, on_failed=tell).round()
    assert ledger.done[1] == ("failed", "550 5.1.1 unknown")
    assert ledger.done[3][1].startswith("553 5.1.3")
    assert ledger.done[4][0] == "sent"
    assert ledger.rows[2].attempts == 1
    assert ledger.rows[2].not_before == START + timedelta(minutes=1)
    assert [number for number, _ in told] == [1, 3]


async def test_a_mail_is_tried_in_ever_longer_steps_and_given_up(serve, sink):
    server = await serve(sink(rcpt_replies={"later@x.example": "451 4.7.1 greylisted"}))
    ledger = ledger_of("later@x.example")
    outbox = outbox_for(ledger, server)
    waits = []
    while 1 in ledger.rows:
        await outbox.round()
        if 1 in ledger.rows:
            waits.append((ledger.rows[1].not_before - ledger.now).total_seconds() / 60)
            ledger.now = ledger.rows[1].not_before
    assert waits[:6] == [1, 2, 5, 10, 20, 30]
    assert all(54 <= wait <= 66 for wait in waits[6:])
    assert len(set(waits[6:])) > 10
    assert timedelta(hours=48) <= ledger.now - START < timedelta(hours=49, minutes=10)
    assert ledger.done[1] == ("failed", "given up after 48 hours: 451 4.7.1 greylisted")


async def test_a_smarthost_that_is_away_uses_up_no_attempt(serve, sink):
    server = await serve(sink(mail_reply="421 4.3.2 shutting down"))
    ledger = ledger_of(*(f"u{number}@x.example" for number in range(5)), created_at=START - timedelta(hours=90))
    outbox = outbox_for(ledger, server)
    for minutes in (1, 2, 5, 5):
        await outbox.round()
        assert {row.attempts for row in ledger.rows.values()} == {0}
        assert {row.not_before - ledger.now for row in ledger.rows.values()} == {timedelta(minutes=minutes)}
        ledger.now += timedelta(minutes=minutes)
    assert server.connections == 4, "the rest of the batch is parked without trying"
    assert all(not count for _, _, count in ledger.replies)
    server.mail_reply = "250 OK"
    await outbox.round()
    assert len(server.mails) == 5


async def test_each_mail_that_comes_due_in_a_short_outage_waits_a_minute(serve, sink):
    server = await serve(sink(mail_reply="421 4.3.2 shutting down"))
    ledger = ledger_of("a@x.example")
    outbox = outbox_for(ledger, server)
    for number in (2, 3, 4):
        await outbox.round()
        ledger.now += timedelta(seconds=15)
        ledger.rows[number] = replace(Row(number, f"u{number}@x.example"), not_before=ledger.now)
    await outbox.round()
    assert max(row.not_before for row in ledger.rows.values()) == START + timedelta(seconds=45 + 60)
    ledger.now = START + timedelta(hours=1)
    server.mail_reply = "250 OK"
    await outbox.round()
    server.mail_reply = "421 4.3.2 shutting down"
    ledger.rows[5] = Row(5, "u5@x.example")
    await outbox.round()
    assert ledger.rows[5].not_before == ledger.now + timedelta(minutes=1), "the next outage begins anew"


async def test_a_dropped_connection_counts_and_the_next_mail_leaves(serve, sink):
    server, ledger = await serve(sink(drop=True)), ledger_of("a@x.example")
    outbox = outbox_for(ledger, server)
    await outbox.round()
    assert ledger.rows[1].attempts == 1
    server.drop = False
    ledger.now += timedelta(minutes=1)
    await outbox.round()
    assert ledger.done[1][0] == "sent"


async def test_a_ledger_that_cannot_mark_one_mail_stops_no_other(serve, sink):
    server, ledger = await serve(sink()), ledger_of("a@x.example", "b@x.example")
    ledger.broken = {"sent"}
    outbox = outbox_for(ledger, server)
    await outbox.round()
    assert len(server.mails) == 2
    assert {row.attempts for row in ledger.rows.values()} == {1}
    ledger.broken = {"sent", "deferred"}
    ledger.now += timedelta(minutes=1)
    await outbox.round()
    assert {row.not_before for row in ledger.rows.values()} == {ledger.now + timedelta(minutes=15)}
    ledger.broken = set()
    ledger.now += timedelta(minutes=15)
    await outbox.round()
    assert server.mails[0] == server.mails[2] == server.mails[4], "the identical mail again"
    assert ledger.rows == {}


async def test_a_mail_whose_octets_are_lost_fails_alone(serve, sink):
    server = await serve(sink())
    ledger = ledger_of("a@x.example", "b@x.example")
    ledger.rows[1] = replace(ledger.rows[1], digest="lost")
    await outbox_for(ledger, server).round()
    assert ledger.done[1][0] == "failed"
    assert "its octets are lost" in ledger.done[1][1]
    assert ledger.done[2][0] == "sent"


async def test_telling_the_author_may_fail(serve, sink):
    server = await serve(sink(rcpt_replies={"no@x.example": "550 no"}))
    ledger = ledger_of("no@x.example", "a@x.example")

    async def tell(row, words):
        raise OSError("cannot tell")

    await outbox_for(ledger, server, on_failed=tell).round()
    assert ledger.done[1] == ("failed", "550 no")
    assert ledger.done[2][0] == "sent"


async def test_the_loop_outlives_a_ledger_that_is_away(serve, sink):
    server, ledger = await serve(sink()), ledger_of("a@x.example")
    ledger.broken = {"claim"}
    outbox = outbox_for(ledger, server)
    task = asyncio.create_task(outbox.run())
    await asyncio.sleep(0.1)
    assert not task.done()
    ledger.broken = set()
    outbox.wake.set()
    async with asyncio.timeout(5):
        await ledger.settled.wait()
    await finish(outbox, task)


async def test_it_sleeps_until_the_next_is_due(serve, sink):
    server, ledger = await serve(sink()), ledger_of("a@x.example", not_before=START + timedelta(seconds=1.5))
    began = asyncio.get_running_loop().time()
    outbox = Outbox(
        ledger,
        [Relay(Smarthost("127.0.0.1", server.port, "none"))],
        lambda: START + timedelta(seconds=asyncio.get_running_loop().time() - began),
        random.Random(1),
    )
    task = asyncio.create_task(outbox.run())
    async with asyncio.timeout(5):
        await ledger.settled.wait()
    assert 1.4 < asyncio.get_running_loop().time() - began < 5
    await finish(outbox, task)


async def test_what_cannot_be_sent_within_the_lease_is_put_back(serve, sink):
    server, ledger = await serve(sink()), ledger_of("a@x.example", "b@x.example")
    times = iter([START, *[START + timedelta(minutes=14)] * 9])
    outbox = Outbox(ledger, [Relay(Smarthost("127.0.0.1", server.port, "none"))], lambda: next(times), random.Random(1))
    await outbox.round()
    assert server.mails == []
    assert ledger.replies == [(1, "put back unsent", False), (2, "put back unsent", False)]


async def test_stop_puts_back_what_was_not_begun(serve, sink):
    server, ledger = await serve(sink()), ledger_of("a@x.example", "b@x.example")
    outbox = outbox_for(ledger, server)
    outbox.stop()
    await outbox.round()
    assert server.mails == []
    assert {row.not_before for row in ledger.rows.values()} == {START}
    async with asyncio.timeout(2):
        await outbox.run()
