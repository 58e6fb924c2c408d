"""Conversations with which a reply may have something in common, on both engines."""

from datetime import timedelta

from maild.mail import Address
from maild.store import Record
from maild.threading.likeness import Traits


async def wrote(ledger, make, now, number, **changes):
    ticket = await ledger.ticket(number) or make.ticket(number=number)
    fields = {"id": len(await ledger.received()) + number * 100 + len(await ledger.messages(number))}
    message = make.message(ticket=number, message_id=f"{fields['id']}@x", **{**fields, **changes})
    await ledger.record([Record(at=now, ticket=ticket, messages=(message,))])


async def found(ledger, now, subject="", index="", *people):
    candidates = await ledger.candidates(Traits(subject, index, people), now)
    return [one.ticket for one in candidates]


async def test_by_subject_by_index_and_by_people(ledger, make, now):
    day = timedelta(days=1)
    await wrote(ledger, make, now, 1, at=now - 5 * day, base_subject="grüße", sender=Address("", "Carol@acme.example"))
    await wrote(ledger, make, now, 2, at=now - 4 * day, thread_index="ab")
    await wrote(ledger, make, now, 3, at=now - 3 * day, sender=Address("", "dave@acme.example"))
    await wrote(ledger, make, now, 4, at=now - 91 * day, base_subject="grüße", thread_index="ab")
    assert await found(ledger, now, "grüße") == [1]
    assert await found(ledger, now, "", "ab") == [2]
    assert await found(ledger, now, "", "", "dave@acme.example", "eve@acme.example") == [3]
    assert await found(ledger, now, "", "", "carol@acme.example") == [1]
    assert await found(ledger, now, "grüße", "ab", "dave@acme.example") == [3, 2, 1]
    assert await found(ledger, now) == []


async def test_what_is_told_of_one(ledger, make, now):
    hour = timedelta(hours=1)
    eve = Address("Eve", "eve@acme.example")
    await wrote(ledger, make, now, 7, at=now - 2 * hour, base_subject="outage", text="first")
    await wrote(ledger, make, now, 7, at=now - hour, base_subject="more", text="second", sender=eve, thread_index="cd")
    (one,) = await ledger.candidates(Traits("outage", "", ()), now)
    assert (one.ticket, one.last_at, one.texts) == (7, now - hour, ("second", "first"))
    assert one.subjects == {"outage", "more"}
    assert one.indexes == {"", "cd"}
    assert one.writers == {"ann@acme.example", "eve@acme.example"}


async def test_a_subject_that_many_have_is_looked_for_among_the_latest(ledger, make, now):
    for number in range(1, 71):
        await wrote(ledger, make, now, number, at=now - timedelta(minutes=number), base_subject="question")
    assert await found(ledger, now, "question") == list(range(1, 61))
