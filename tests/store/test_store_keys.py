from dataclasses import replace
from datetime import timedelta

import pytest

from maild.mail import Outgoing
from maild.store import ConflictError, Record
from maild.ticket import Event, State


def states(lines):
    return [(line.id, line.retired_at is not None) for line in lines]


async def test_a_new_key_comes_first_and_the_old_one_stays(ledger, now):
    (old,) = await ledger.secrets("token", now=now)
    number = await ledger.rotate("token", now + timedelta(days=1))
    new, kept = await ledger.secrets("token", now=now)
    assert (kept, len(new)) == (old, 32)
    assert new != old
    newest, first = await ledger.key_lines("token")
    assert (newest.id, newest.created_at, first.created_at) == (number, now + timedelta(days=1), now)
    assert await ledger.key_lines("other") == []


async def test_what_is_retired_is_given_no_more(ledger, now):
    await ledger.secrets("token", now=now)
    (first,) = await ledger.key_lines("token")
    with pytest.raises(ConflictError):
        await ledger.retire("token", first.id, now)
    number = await ledger.rotate("token", now)
    for wrong in ((first.id, "other"), (number, "token"), (number + 7, "token")):
        with pytest.raises(ConflictError):
            await ledger.retire(wrong[1], wrong[0], now)
    await ledger.retire("token", first.id, now)
    assert len(await ledger.secrets("token", now=now)) == 1
    assert states(await ledger.key_lines("token")) == [(number, False), (first.id, True)]
    with pytest.raises(ConflictError):
        await ledger.retire("token", first.id, now)


async def test_tickets_that_were_written_of_under_a_key(ledger, make_ticket, now):
    await ledger.secrets("token", now=now)
    numbers = range(1, 4)
    for number in numbers:
        ticket = make_ticket(number=number, state=State.CLOSED if number == 3 else State.OPEN)
        owed = Outgoing(f"ack:{number}", "ack", number, "", "c@x.example", f"{number}@x", b"x", now)
        await ledger.record(
            [Record(at=now + timedelta(days=number), ticket=ticket, outgoing=(owed, replace(owed, key=f"b{number}")))]
        )
    number = await ledger.rotate("token", now + timedelta(days=2))
    _, first = await ledger.key_lines("token")
    late = now + timedelta(days=9)
    assert await ledger.signed_with("token", first.id, late) == 1
    assert await ledger.signed_with("token", number, late) == 1
    with pytest.raises(ConflictError):
        await ledger.signed_with("token", 999, late)


async def test_events_of_another_ticket_are_few(ledger, make_ticket, now):
    await ledger.record([Record(at=now, ticket=make_ticket(number=7))])
    event = Event(now, "maild", "linked", "maybe related", {"to": 8})
    for _ in range(3):
        await ledger.record([Record(at=now, elsewhere=((7, event),) * 20)])
    by_hand = replace(event, actor="ann", what="unlinked")
    await ledger.record([Record(at=now, elsewhere=((7, by_hand),) * 60)])
    told = [found.what for found in await ledger.events(7)]
    assert (told.count("linked"), told.count("unlinked")) == (50, 60)
