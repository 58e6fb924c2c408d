"""Which owed mail counts as due and not left."""

from datetime import timedelta

from maild.outbound.delayed import Waiting
from maild.store.owing import BY_HAND
from maild.store.record import Record

LEASE = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)


async def owe(ledger, make, at, **mail):
    await ledger.record([Record(at=at, outgoing=(make.outgoing(**{"ticket": 0, "not_before": at, **mail}),))])


async def test_an_empty_outbox(ledger, make, now):
    assert await ledger.delayed(now) == Waiting()
    await owe(ledger, make, now, key="later", not_before=now + MINUTE)
    # It is to wait, and nobody tried it.
    assert await ledger.delayed(now) == Waiting()
    assert (await ledger.delayed(now + MINUTE)).count == 1


async def test_what_is_put_off_or_in_hand_waits_all_the_same(ledger, make, now):
    await ledger.record([Record(at=now, ticket=make.ticket())])
    for number, kind in enumerate(("relay", "escalation", "digest", "ack")):
        await owe(ledger, make, now + number * MINUTE, key=kind, kind=kind, ticket=1001)
    first, second, *_ = await ledger.claim(now + 9 * MINUTE, 9, LEASE)
    await ledger.deferred(first.id, now + 60 * MINUTE, "no connection", count=False)
    await ledger.deferred(second.id, now + 60 * MINUTE, "", count=True)
    seen = await ledger.delayed(now + 9 * MINUTE)
    assert (seen.count, seen.escalations, seen.last_reply, seen.moved) == (4, 2, "no connection", None)
    assert (seen.oldest.id, seen.oldest.kind, seen.oldest.since, seen.oldest.ticket) == (first.id, "relay", now, 1001)
    assert seen.first == seen.oldest
    assert (seen.oldest_escalation.id, seen.oldest_escalation.attempts) == (second.id, 1)
    for mail in (first, second):
        await ledger.failed(mail.id, now, "550 no")
    seen = await ledger.delayed(now + 9 * MINUTE)
    assert (seen.oldest.kind, seen.refused.id, seen.last_reply) == ("digest", second.id, "550 no")
    await ledger.owe_again(second.id, now)
    await ledger.failed(second.id, now, BY_HAND, count=False)
    assert (await ledger.delayed(now + 9 * MINUTE)).refused is None


async def test_an_escalation_that_is_refused_counts_until_a_later_mail_leaves(ledger, make, now):
    await owe(ledger, make, now, key="a", kind="escalation")
    await owe(ledger, make, now, key="b")
    one, two = await ledger.claim(now, 9, LEASE)
    await ledger.failed(one.id, now, "553 you may not send")
    await ledger.deferred(two.id, now, "451 later", count=True)
    seen = await ledger.delayed(now)
    assert (seen.count, seen.refused.id, seen.last_reply) == (1, one.id, "553 you may not send")
    await ledger.sent(two.id, now, "250 ok")
    assert await ledger.delayed(now) == Waiting(moved=now)


async def test_a_mail_that_a_later_one_overtook_is_not_the_first(ledger, make, now):
    for key in "abc":
        await owe(ledger, make, now, key=key)
    one, two, three = await ledger.claim(now, 9, LEASE)
    await ledger.deferred(one.id, now + MINUTE, "451 greylisted", count=True)
    await ledger.sent(two.id, now + MINUTE, "250 ok")
    seen = await ledger.delayed(now + 5 * MINUTE)
    assert (seen.oldest.id, seen.first.id, seen.moved) == (one.id, three.id, now + MINUTE)
    await ledger.sent(three.id, now + 2 * MINUTE, "250 ok")
    seen = await ledger.delayed(now + 5 * MINUTE)
    assert (seen.oldest.id, seen.first, seen.moved, seen.last_reply) == (
        one.id,
        None,
        now + 2 * MINUTE,
        "451 greylisted",
    )
