import asyncio
from datetime import timedelta, timezone

import pytest

from maild.store.faults import ConflictError


async def test_octets_come_back_and_each_recipient_has_a_row(ledger, make, now):
    env = make.env(rcpt_to=("csm@example.com", "support@example.com"))
    ((one, two), (empty,)) = await ledger.accept([(env, b"\x00\r\n\xff" * 9), (make.env(), b"")])
    rows = await ledger.take(10, now=now)
    assert [(row.id, row.rcpt, row.attempts) for row in rows] == [
        (one, "csm@example.com", 1),
        (two, "support@example.com", 1),
        (empty, "csm@example.com", 1),
    ]
    assert rows[0].received_at == now
    assert (rows[0].mail_from, rows[0].via, rows[0].peer) == ("ann@acme.example", "smtp", "192.0.2.1")
    assert [await ledger.octets(row.digest) for row in rows] == [b"\x00\r\n\xff" * 9] * 2 + [b""]
    with pytest.raises(KeyError):
        await ledger.octets("none")
    assert await ledger.accept([]) == []


async def test_a_large_mail_comes_back(ledger, make, now):
    large = bytes(range(256)) * 4096
    await ledger.accept([(make.env(), large)])
    assert await ledger.octets((await ledger.take(1, now=now))[0].digest) == large


async def test_same_octets_same_recipient_is_a_duplicate_for_seven_days(ledger, make, now):
    async def accept(days, rcpt="csm@example.com", octets=b"x"):
        env = make.env(received_at=now + timedelta(days=days), rcpt_to=(rcpt,))
        return (await ledger.accept([(env, octets)]))[0][0]

    first = await accept(0)
    assert await accept(1) == first
    assert await accept(6.99, rcpt="CSM@example.com") == first
    assert await accept(1, rcpt="other@example.com") != first
    assert await accept(1, octets=b"y") != first
    again = await accept(7)
    assert again > first
    assert await accept(7.5) == again


@pytest.mark.parametrize("dropped", [False, True])
async def test_a_resend_of_a_given_up_mail_is_not_swallowed(ledger, make, now, dropped):
    ((first,),) = await ledger.accept([(make.env(), b"x")])
    (row,) = await ledger.take(1, now=now)
    assert await ledger.received_before("CSM@example.com", row.digest, now)
    await ledger.quarantine(first, "it breaks us", now)
    if dropped:
        await ledger.give_up("quarantined", first, "it breaks us", now)
    assert not await ledger.received_before("csm@example.com", row.digest, now)
    ((second,),) = await ledger.accept([(make.env(), b"x")])
    assert second != first


async def test_duplicates_within_a_batch_and_between_concurrent_callers(ledger, make, now):
    mail = (make.env(), b"x")
    answers = await asyncio.gather(*(ledger.accept([mail, mail]) for _ in range(20)))
    assert len({id_ for answer in answers for ids in answer for id_ in ids}) == 1
    assert await ledger.waiting_count() == 1


async def test_instants_of_another_zone_are_converted_and_naive_ones_refused(ledger, make, now):
    east = timezone(timedelta(hours=5))
    await ledger.accept([(make.env(received_at=now.astimezone(east)), b"x")])
    (row,) = await ledger.take(1, now=now)
    assert row.received_at == now
    assert row.received_at.utcoffset() == timedelta(0)
    # 7 days minus a second later by the clock, yet its text in another zone would sort hours away.
    assert await ledger.received_before(row.rcpt, row.digest, (now + timedelta(days=7, seconds=-1)).astimezone(east))
    assert not await ledger.received_before(row.rcpt, row.digest, (now + timedelta(days=7)).astimezone(east))
    naive = now.replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive"):
        await ledger.accept([(make.env(received_at=naive), b"y")])
    with pytest.raises(ValueError, match="naive"):
        await ledger.received_before("a", "b", naive)
    assert await ledger.waiting_count() == 1


async def test_take_walks_in_order_and_counts_attempts(ledger, make, now):
    ids = [ids[0] for ids in await ledger.accept([(make.env(), bytes([n])) for n in range(5)])]
    assert [row.id for row in await ledger.take(2, now=now)] == ids[:2]
    assert [row.id for row in await ledger.take(9, now=now, after=ids[1])] == ids[2:]
    assert [row.attempts for row in await ledger.take(2, now=now)] == [2, 2]
    await ledger.release(ids[:1])
    await ledger.release([])
    assert [row.attempts for row in await ledger.take(2, now=now)] == [2, 3]


async def test_retry_later_waits_for_its_time(ledger, make, now):
    ((id_,),) = await ledger.accept([(make.env(), b"x")])
    assert await ledger.next_retry_at() is None
    later = now + timedelta(minutes=5)
    await ledger.retry_later(id_, "DNS is slow", later)
    assert await ledger.next_retry_at() == later
    assert await ledger.take(1, now=now) == []
    assert [row.id for row in await ledger.take(1, now=later)] == [id_]


async def test_the_oldest_and_newest_that_may_be_taken(ledger, make, now):
    assert (await ledger.oldest_waiting(now), await ledger.newest_waiting(now)) == (None, None)
    one, two, three = [ids[0] for ids in await ledger.accept([(make.env(), bytes([n])) for n in range(3)])]
    assert (await ledger.oldest_waiting(now), await ledger.newest_waiting(now)) == (one, three)
    later = now + timedelta(minutes=5)
    await ledger.retry_later(one, "", later)
    await ledger.quarantine(three, "", now)
    assert (await ledger.oldest_waiting(now), await ledger.newest_waiting(now)) == (two, two)
    assert await ledger.oldest_waiting(later) == one


async def test_quarantine_list_retry_drop(ledger, make, now):
    ((id_,),) = await ledger.accept([(make.env(), b"x")])
    await ledger.take(1, now=now)
    await ledger.quarantine(id_, "RecursionError", now)
    (line,) = await ledger.received("quarantined")
    assert (line.id, line.fault, line.attempts, line.done_at) == (id_, "RecursionError", 1, now)
    assert await ledger.take(1, now=now) == []
    await ledger.again("quarantined", id_)
    assert [row.attempts for row in await ledger.take(1, now=now)] == [1]
    await ledger.give_up("waiting", id_, "spam", now)
    assert [(line.state, line.because) for line in await ledger.received()] == [("dropped", "spam")]
    for refused in (
        ledger.give_up("waiting", id_, "", now),
        ledger.quarantine(id_, "", now),
        ledger.again("quarantined", id_),
        ledger.retry_later(id_, "", now),
    ):
        with pytest.raises(ConflictError):
            await refused
