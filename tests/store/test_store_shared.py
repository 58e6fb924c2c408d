"""Several daemons on one ledger: on PostgreSQL, each with its own connections."""

import asyncio
import random
from datetime import timedelta

import pytest

from maild.store import owing, shelf
from maild.store.faults import LedgerAwayError, LedgerClosedError
from maild.store.ledger import Ledger
from maild.store.record import Record


@pytest.fixture
async def pair(postgres_url):
    one, two = await asyncio.gather(*(Ledger.open(postgres_url, exclusive=True) for _ in range(2)))
    yield one, two
    await one.close()
    await two.close()


async def _arrived(ledger, make, count):
    return [ids[0] for ids in await ledger.accept([(make.env(), b"%d" % number) for number in range(count)])]


async def test_what_one_has_taken_the_other_does_not_get(pair, make, now):
    ids = await _arrived(pair[0], make, 40)
    batches = await asyncio.gather(*(ledger.take(5, now=now) for _ in range(3) for ledger in pair))
    mine = [{row.id for batch in batches[side::2] for row in batch} for side in (0, 1)]
    assert not mine[0] & mine[1]
    rest = [{row.id for row in await ledger.take(99, now=now)} for ledger in pair]
    assert rest[0] | rest[1] == set(ids)
    assert not rest[0] & rest[1]
    assert rest[0] >= mine[0]
    assert rest[1] == mine[1]


async def test_the_work_of_one_that_is_silent_comes_back_and_of_one_that_leaves_at_once(pair, make, now):
    one, two = pair
    ids = await _arrived(one, make, 3)
    assert len(await one.take(9, now=now)) == 3
    almost = now + shelf.LEASE - timedelta(seconds=1)
    assert await two.take(9, now=almost) == []
    await one.release(ids[:1])
    await one.retry_later(ids[1], "later", now)
    assert [row.id for row in await two.take(9, now=almost)] == ids[:2]
    await two.leave()
    assert [row.id for row in await one.take(9, now=almost)] == ids
    await one.close()
    assert [(row.id, row.attempts) for row in await two.take(9, now=almost)] == list(zip(ids, (3, 4, 3), strict=True))


async def test_the_work_of_one_that_dies_comes_back_at_once(pair, postgres_url, postgres, make, now):
    two = pair[1]
    dying = await Ledger.open(postgres_url)
    ids = await _arrived(dying, make, 3)
    clocks = ((make.clock(), now),)
    await dying.record([Record(at=now, ticket=make.ticket(), clocks=clocks)])
    assert len(await dying.take(9, now=now)) == 3
    assert await dying.due_tickets(now, 9) == [1001]
    assert (await two.take(9, now=now), await two.due_tickets(now, 9)) == ([], [])
    dying._door._pool.terminate()
    await asyncio.sleep(0.5)  # the server notices within milliseconds
    back = await two.take(9, now=now)
    assert [(row.id, row.attempts) for row in back] == [(id_, 2) for id_ in ids]
    await dying._context.close_connections()
    assert await two.due_tickets(now, 9) == [1001]


async def test_the_lease_ends(pair, make, now):
    one, two = pair
    await _arrived(one, make, 2)
    assert len(await one.take(1, now=now)) == 1
    assert [row.attempts for row in await two.take(9, now=now + shelf.LEASE)] == [2, 1]
    assert await one.take(9, now=now + shelf.LEASE) == []


async def test_each_owed_mail_is_claimed_once(pair, make, now):
    outgoing = tuple(make.outgoing() for _ in range(60))
    await pair[0].record([Record(at=now, ticket=make.ticket(), outgoing=outgoing)])
    claims = await asyncio.gather(*(ledger.claim(now, 7, timedelta(minutes=5)) for _ in range(6) for ledger in pair))
    claimed = [mail.key for claim in claims for mail in claim]
    assert len(claimed) == len(set(claimed))
    rest = [mail.key for _ in range(9) for mail in await pair[0].claim(now, 7, timedelta(minutes=5))]
    assert sorted(claimed + rest) == sorted(mail.key for mail in outgoing)
    # A daemon that starts must not take what the other one is sending.
    later = now + timedelta(minutes=4)
    await pair[1].unclaim(later, timedelta(minutes=5))
    assert await pair[1].claim(later, 99, timedelta(minutes=5)) == []


async def test_what_a_dead_daemon_had_claimed_comes_back_a_while_later(pair, make, now):
    one, two = pair
    outgoing = tuple(make.outgoing() for _ in range(3))
    await one.record([Record(at=now, ticket=make.ticket(), outgoing=outgoing)])
    first, second, third = await one.claim(now, 9, timedelta(minutes=5))
    await one.deferred(third.id, now + timedelta(minutes=4), "451 later", count=True)
    await one.close()
    assert await two.claim(now + owing.MOURNING - timedelta(seconds=1), 9, timedelta(minutes=5)) == []
    back = await two.claim(now + owing.MOURNING, 9, timedelta(minutes=5))
    assert [mail.id for mail in back] == [first.id, second.id]


async def test_each_due_ticket_is_judged_by_one(pair, make, now):
    one, two = pair
    for number in range(20):
        clocks = tuple((make.clock(cycle=cycle), now + timedelta(seconds=number)) for cycle in (1, 2))
        await one.record([Record(at=now, ticket=make.ticket(number=number + 1), clocks=clocks)])
    assert await one.next_watch_at() == now
    at = now + timedelta(seconds=9)
    mine = await one.due_tickets(at, 4)
    assert mine == [1, 2, 3, 4]
    assert await two.next_watch_at() == now + timedelta(seconds=4)
    assert await two.due_tickets(at, 99) == [5, 6, 7, 8, 9, 10]
    assert await one.due_tickets(at, 99) == mine
    assert await two.next_watch_at() == now + timedelta(seconds=4)
    for number in range(10, 20):
        await one.record([Record(at=now, clock_ticket=number + 1, clocks=())])
    assert await two.next_watch_at() == now + timedelta(seconds=4)
    assert await one.next_watch_at() == now
    again = await two.due_tickets(at + shelf.LEASE, 99)
    assert again == list(range(1, 11))
    assert await one.next_watch_at() == at + 2 * shelf.LEASE


async def test_the_same_mail_at_both_doors_is_one(pair, make):
    mails = [(make.env(), b"%d" % number) for number in range(8)]
    orders = [random.Random(seed).sample(mails, 8) for seed in range(20)]
    answers = await asyncio.gather(*(pair[n % 2].accept(order) for n, order in enumerate(orders)))
    assert len({ids for answer in answers for ids in answer}) == 8
    assert await pair[0].waiting_count() == 8


async def test_one_decides_at_a_time(pair, make, now):
    await pair[0].record([Record(at=now, ticket=make.ticket())])
    inside = []

    async def raises_the_revision(ledger):
        async with ledger.deciding():
            inside.append(ledger)
            assert len(inside) == 1
            ticket = await ledger.ticket(1001)
            await ledger.record([Record(at=now, ticket=ticket)])
            inside.remove(ledger)

    await asyncio.gather(*(raises_the_revision(ledger) for _ in range(10) for ledger in pair))
    assert (await pair[0].ticket(1001)).revision == 21


async def test_whoever_records_outside_of_a_turn_waits_for_it(pair, make, now):
    one, two = pair
    async with one.deciding():
        outside = asyncio.create_task(two.record([Record(at=now, ticket=make.ticket())]))
        await asyncio.sleep(0.1)
        assert await one.ticket(1001) is None
        await two.accept([(make.env(), b"whatever else is written does not wait")])
        await asyncio.gather(one.record([Record(at=now, ticket=make.ticket(number=7))]))
    await outside
    assert {line.ticket.number for line in await one.tickets()} == {7, 1001}


async def test_a_turn_that_was_lost_with_its_connection_writes_nothing(pair, postgres, make, now):
    one, two = pair

    async def takes_over():
        async with two.deciding():
            await two.record([Record(at=now, ticket=make.ticket())])

    async with one.deciding():
        pid = one._door._turn_con.get_server_pid()
        postgres.sql(f"SELECT pg_terminate_backend({pid})")
        await asyncio.wait_for(asyncio.create_task(takes_over()), 5)
        with pytest.raises(LedgerAwayError):
            await one.record([Record(at=now, ticket=make.ticket(number=7))])
    async with one.deciding():
        assert [line.ticket.number for line in await one.tickets()] == [1001]


async def test_100_random_cancels_leave_the_turn_free(pair):
    chance = random.Random(3)

    async def caller(ledger):
        async with ledger.deciding():
            await asyncio.sleep(chance.random() * 0.005)

    async def cancelled(ledger):
        task = asyncio.create_task(caller(ledger))
        await asyncio.sleep(chance.random() * 0.03)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for _ in range(10):
        await asyncio.gather(*(cancelled(ledger) for _ in range(5) for ledger in pair))
    for ledger in pair:
        async with asyncio.timeout(1), ledger.deciding():
            pass


async def test_no_turn_after_closing(pair):
    await pair[0].close()
    with pytest.raises(LedgerClosedError):
        async with pair[0].deciding():
            pass


async def test_each_hears_of_the_other_and_not_of_itself(pair, make, now):
    heard = asyncio.Queue()
    async with asyncio.timeout(10), pair[0].listening(heard.put_nowait):
        assert await heard.get() == "poll"
        await pair[0].accept([(make.env(), b"mine")])
        await pair[1].accept([(make.env(), b"x")])
        assert await heard.get() == "received"
        await pair[1].record([Record(at=now, ticket=make.ticket())])
        assert await heard.get() == "decided"


async def test_a_listener_that_was_cut_off_listens_again(pair, postgres, make, monkeypatch):
    monkeypatch.setattr("maild.store.listening.POLL_SECONDS", 0.2)
    heard = asyncio.Queue()
    database = pair[0]._door._url.rpartition("/")[2]
    async with asyncio.timeout(20), pair[0].listening(heard.put_nowait):
        assert await heard.get() == "poll"
        postgres.cut(database, "LISTEN|SELECT 1")
        while await heard.get() != "received":
            await pair[1].accept([(make.env(), b"x")])


async def test_nobody_speaks_on_sqlite(sqlite_ledger, make):
    heard = []
    async with sqlite_ledger.listening(heard.append), sqlite_ledger.deciding():
        await sqlite_ledger.accept([(make.env(), b"x")])
    assert heard == []


async def test_older_mail_in_other_hands_is_waited_for_a_while(pair, make, now, monkeypatch):
    one, two = pair
    ids = await _arrived(one, make, 2)
    assert [row.id for row in await one.take(1, now=now)] == ids[:1]
    assert [row.id for row in await two.take(9, now=now)] == ids[1:]
    await asyncio.wait_for(one.in_order(ids[0], now), 0.5)
    waiting = asyncio.create_task(two.in_order(ids[1], now))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await one.record([Record(at=now, received_id=ids[0])])
    await asyncio.wait_for(waiting, 0.5)
    monkeypatch.setattr("maild.store.accept.COURTESY", 0.1)
    third = (await _arrived(one, make, 3))[2]
    assert [row.id for row in await one.take(9, now=now)] == [third]
    await asyncio.wait_for(two.in_order(third + 1, now), 1)


async def test_nothing_is_older_elsewhere_on_sqlite(sqlite_ledger, now):
    await asyncio.wait_for(sqlite_ledger.in_order(7, now), 0.5)
