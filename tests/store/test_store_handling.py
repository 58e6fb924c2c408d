"""What a person does by hand with mail that was set aside, on both engines."""

import pytest

from maild.store import ConflictError


async def quarantined(ledger, make, now, *mails):
    ids = []
    for octets in mails:
        ((number,),) = await ledger.accept([(make.env(received_at=now), octets)])
        await ledger.take(9, now=now)
        await ledger.quarantine(number, "ValueError: it broke", now)
        ids.append(number)
    return ids


async def test_one_row(ledger, make, now):
    (number,) = await quarantined(ledger, make, now, b"one")
    line = await ledger.received_line(number)
    assert (line.id, line.state, line.fault, line.received_at) == (number, "quarantined", "ValueError: it broke", now)
    assert await ledger.received_line(number + 1) is None
    assert await ledger.received_count("quarantined") == 1
    assert await ledger.received_count("waiting") == 0


async def test_all_wait_again_as_if_new_and_as_of_when_they_came_in(ledger, make, now):
    assert await ledger.again_all("quarantined") == []
    ids = await quarantined(ledger, make, now, b"one", b"two", b"three")
    await ledger.give_up("quarantined", ids[1], "a bomb", now)
    assert await ledger.again_all("quarantined") == [ids[0], ids[2]]
    taken = await ledger.take(9, now=now)
    assert [(mail.id, mail.attempts, mail.received_at) for mail in taken] == [(ids[0], 1, now), (ids[2], 1, now)]
    assert {line.fault for line in await ledger.received("waiting")} == {""}


async def test_all_are_given_up_and_nothing_else(ledger, make, now):
    ((waits,),) = await ledger.accept([(make.env(received_at=now), b"waits")])
    ids = await quarantined(ledger, make, now, b"one", b"two")
    assert await ledger.give_up_all("quarantined", "a bomb", now) == ids
    assert {line.id: line.because for line in await ledger.received("dropped")} == dict.fromkeys(ids, "a bomb")
    assert (await ledger.received_line(waits)).state == "waiting"
    for number in (waits, *ids):
        with pytest.raises(ConflictError):
            await ledger.give_up("quarantined", number, "again", now)
