from datetime import timedelta

import pytest

from maild.store import Asked
from maild.store.faults import ConflictError
from maild.store.record import Record

LEASE = timedelta(minutes=5)


async def _owe(ledger, make, now, *mails):
    ticket = await ledger.ticket(1001) or make.ticket()
    await ledger.record([Record(at=now, ticket=ticket, outgoing=tuple(make.outgoing(**mail) for mail in mails))])


async def test_a_claim_holds_for_its_lease_and_comes_again_after_it(ledger, make, now):
    assert await ledger.next_outbox_at() is None
    await _owe(ledger, make, now, {"key": "a"}, {"key": "b", "ticket": 0}, {"key": "c", "not_before": now + LEASE * 2})
    assert [mail.key for mail in await ledger.claim(now, 1, LEASE)] == ["a"]
    (mail,) = await ledger.claim(now, 9, LEASE)
    assert (mail.key, mail.ticket, mail.attempts, mail.created_at) == ("b", 0, 0, now)
    assert await ledger.octets(mail.digest) == make.outgoing().octets
    assert await ledger.claim(now, 9, LEASE) == []
    assert await ledger.next_outbox_at() == now + LEASE
    assert [(mail.key, mail.attempts) for mail in await ledger.claim(now + LEASE, 9, LEASE)] == [("a", 0), ("b", 0)]


async def test_marks(ledger, make, now):
    await _owe(ledger, make, now, {"key": "a"}, {"key": "b"}, {"key": "c"})
    one, two, three = [mail.id for mail in await ledger.claim(now, 9, LEASE)]
    await ledger.sent(one, now, "250 ok")
    await ledger.deferred(two, now + LEASE, "no connection", count=False)
    await ledger.deferred(two, now + LEASE, "451 later", count=True)
    await ledger.failed(three, now, "550 no")
    lines = [(line.state, line.attempts, line.last_reply) for line in await ledger.outbox(1001)]
    assert lines == [("sent", 1, "250 ok"), ("waiting", 1, "451 later"), ("failed", 1, "550 no")]
    assert await ledger.next_outbox_at() == now + LEASE
    for refused in (
        ledger.sent(one, now, ""),
        ledger.deferred(three, now, "", count=True),
        ledger.failed(one, now, ""),
        ledger.owe_again(one, now),
    ):
        with pytest.raises(ConflictError):
            await refused
    await ledger.owe_again(three, now)
    assert [mail.id for mail in await ledger.claim(now, 9, LEASE)] == [three]
    await ledger.failed(two, now, "dropped by ann", count=False)
    assert [line.attempts for line in await ledger.outbox()] == [1, 1, 1]
    assert [line.id for line in await ledger.outbox(limit=1)] == [three]
    assert await ledger.outbox(7) == []


async def test_acknowledgements_are_counted_by_address_and_in_all(ledger, make, now):
    minutes = {"Ann@acme.example": (0, 50, 61), "bob@acme.example": (0,), "cyd@acme.example": (24 * 60 + 1,)}
    for rcpt, ago in minutes.items():
        for number in ago:
            await _owe(ledger, make, now - timedelta(minutes=number), {"rcpt": rcpt, "key": f"{rcpt} {number}"})
    await _owe(ledger, make, now, {"kind": "relay", "rcpt": "ann@acme.example", "key": "r"})
    await _owe(ledger, make, now, {"kind": "held", "rcpt": "ann@acme.example", "key": "h"})

    async def counted(address):
        known = await ledger.known_of(Asked((), (), "", address, "", now))
        return known.acks, known.asked

    assert await counted("ann@acme.example") == ((2, 3, 2), 1)
    assert await counted("bob@acme.example") == ((1, 1, 2), 0)
    assert await counted("cyd@acme.example") == ((0, 0, 2), 0)
    assert await counted("") == ((0, 0, 2), 0)
