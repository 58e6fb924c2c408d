"""What waits for a digest, on both engines: kept with the decision, taken out once, counted for each person."""

from dataclasses import replace
from datetime import timedelta

import pytest

from maild.desk.digest import WINDOW, Mailed
from maild.outbound.digest_letter import DigestItem
from maild.store import ConflictError
from maild.store.digesting import Written, written
from maild.store.record import Record
from maild.ticket import Event, Severity

SECOND = timedelta(seconds=1)
FAR = timedelta(days=400)


@pytest.fixture
def item(now):
    return DigestItem(
        key="escalation:1001:first_response:1:limit:ann",
        agent="ann",
        address="ann@staff.example",
        ticket=1001,
        metric="first_response",
        cycle=1,
        level="limit",
        severity=Severity.URGENT,
        title="Acme: Checkout é down",
        limit_seconds=1800,
        reached_at=now - 2 * SECOND,
        due_at=now - SECOND,
        at=now,
        send_at=now + SECOND,
        quiet=False,
        because="6 at once, more than 5",
    )


async def kept(ledger, agent, at):
    return (await ledger.digest_of(agent, at))[0]


async def test_it_comes_back_as_it_was_with_what_became_of_its_ticket(ledger, make, now, item):
    other = replace(item, key="k2", metric="resolution", quiet=True, send_at=now + FAR)
    clock = make.clock(stopped_at=now, breached_at=now)
    events = tuple(make.event(at=now, actor="bob", what=what) for what in ("agent_reply", "note", "taken_over"))
    await ledger.record(
        [Record(at=now, ticket=make.ticket(), clocks=((clock, None),), events=events, digested=(item, other))]
    )
    assert await kept(ledger, "ann", now) == []
    heap, happened = await ledger.digest_of("ann", now + FAR)
    assert [replace(one.item, id=0) for one in heap] == [item, other]
    assert [(one.state, one.stopped_at, one.is_breached, one.merged_into) for one in heap] == [
        (clock.state, now, True, None),
        ("", None, False, None),
    ]
    assert [event.what for event in happened[1001]] == ["agent_reply", "taken_over"]
    assert all(isinstance(event, Event) for event in happened[1001])
    assert await kept(ledger, "bob", now + FAR) == []
    assert [one.item.key for one in await kept(ledger, "ann", now + SECOND)] == [item.key]


async def test_the_same_escalation_waits_once(ledger, make, now, item):
    await ledger.record([Record(at=now, ticket=make.ticket(), digested=(item,))])
    await ledger.record([Record(at=now, digested=(replace(item, level="75%"),))])
    (one,) = await kept(ledger, "ann", now + FAR)
    assert one.item.level == "limit"


async def test_nothing_waits_of_a_unit_that_fails(ledger, make, now, item):
    told = (1001, "first_response", 1, "limit", "x")
    await ledger.record([Record(at=now, ticket=make.ticket(), escalations=(told,))])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, escalations=(told,), digested=(item,))])
    assert await kept(ledger, "ann", now + FAR) == []


async def test_it_is_taken_out_with_the_mail_that_tells_it_and_once(ledger, make, now, item):
    items = tuple(replace(item, key=f"k{number}", send_at=now + number * SECOND) for number in range(4))
    await ledger.record([Record(at=now, ticket=make.ticket(), digested=items)])
    heap = await kept(ledger, "ann", now + 2 * SECOND)
    named = (("maild.0.a@x", 1001, "resolution", 2), ("maild.0.a@x", 1001, "first_response", 1))
    said = written(heap, now + 2 * SECOND, named)
    assert (said.agent, said.count) == ("ann", 3)
    mail = make.outgoing(key="digest:ann:1", kind="digest", ticket=0)
    # What comes to lie there after it was read is not in the mail.
    await ledger.record([Record(at=now, digested=(replace(item, key="later", send_at=now),))])
    await ledger.record([Record(at=now, outgoing=(mail,), digest=said)])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, outgoing=(replace(mail, key="digest:ann:2"),), digest=said)])
    assert [line.key for line in await ledger.outbox()] == ["digest:ann:1"]
    assert await ledger.named_by("maild.0.a@x") == {1001: {("first_response", 1), ("resolution", 2)}}
    assert await ledger.named_by("maild.0.b@x") == {}
    assert [one.item.key for one in await kept(ledger, "ann", now + FAR)] == ["k3", "later"]
    wrong = Written("ann", now + FAR, 10**6, 3)
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, digest=wrong)])
    assert len(await kept(ledger, "ann", now + FAR)) == 2


async def test_when_digests_may_leave(ledger, make, now, item):
    assert await ledger.next_digest_at() is None
    assert await ledger.ripe_digests(now + FAR) == {}
    bob = replace(item, key="b", agent="bob", send_at=now)
    late = replace(item, key="c", send_at=now + FAR)
    await ledger.record([Record(at=now, ticket=make.ticket(), digested=(item, bob, late))])
    assert await ledger.next_digest_at() == now
    assert await ledger.ripe_digests(now - SECOND) == {}
    assert await ledger.ripe_digests(now) == {"bob": now}
    assert await ledger.ripe_digests(now + SECOND) == {"bob": now, "ann": now + SECOND}


async def test_how_each_person_stands(ledger, make, now, item):
    ages = {"a": 60, "b": 59, "c": 10, "d": 0, "e": -1}
    await ledger.record([Record(at=now, ticket=make.ticket())])
    for name, age in ages.items():
        rcpt = "Ann@staff.example" if age < 30 else "ann@staff.example"
        mail = make.outgoing(key=name, kind="escalation", rcpt=rcpt)
        other = make.outgoing(key=f"n{name}", kind="notification", rcpt=rcpt)
        await ledger.record([Record(at=now - age * SECOND, outgoing=(mail, other))])
    digest = make.outgoing(key="g", kind="digest", rcpt="bob@staff.example", ticket=0)
    await ledger.record([Record(at=now - 5 * SECOND, outgoing=(digest,))])
    quiet = replace(item, key="q", agent="bob", quiet=True)
    await ledger.record([Record(at=now, digested=(quiet, item, replace(item, key="l", send_at=now + FAR)))])
    addresses = {"ann": "ann@staff.example", "bob": "bob@staff.example", "max": "max@staff.example"}
    assert await ledger.mailed(addresses, now, WINDOW) == {
        "ann": Mailed(mails=3, since=now - 59 * SECOND, open_at=now + SECOND),
        "bob": Mailed(digest_at=now - 5 * SECOND),
        "max": Mailed(),
    }


async def test_whether_anybody_s_clock_is_due(ledger, make, now):
    assert not await ledger.is_due(now)
    await ledger.record([Record(at=now, ticket=make.ticket(), clocks=((make.clock(), now),))])
    assert not await ledger.is_due(now - SECOND)
    assert await ledger.is_due(now)
    assert await ledger.due_tickets(now, 9) == [1001]
    assert await ledger.is_due(now)
