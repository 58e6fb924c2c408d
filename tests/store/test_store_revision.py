import asyncio
from dataclasses import replace

import pytest

from maild.store.faults import ConflictError
from maild.store.ledger import Ledger
from maild.store.record import Record
from maild.ticket import State


async def test_a_ticket_that_somebody_else_wrote_is_not_overwritten(ledger, url, make, now):
    await ledger.record([Record(at=now, ticket=make.ticket())])
    other = await Ledger.open(url, migrate=False)
    mine, theirs = await ledger.ticket(1001), await other.ticket(1001)
    await other.record([Record(at=now, ticket=replace(theirs, assignee="bob"), events=(make.event(what="assigned"),))])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, ticket=replace(mine, state=State.OPEN), events=(make.event(what="lost"),))])
    assert [event.what for event in await ledger.events(1001)] == ["assigned"]
    again = await ledger.ticket(1001)
    assert (again.assignee, again.state, again.revision) == ("bob", State.NEW, 2)
    await ledger.record([Record(at=now, ticket=replace(again, state=State.OPEN))])
    after = await other.ticket(1001)
    assert (after.assignee, after.state, after.revision) == ("bob", State.OPEN, 3)
    await other.close()


async def test_a_new_ticket_is_no_old_one(ledger, make, now):
    await ledger.record([Record(at=now, ticket=make.ticket())])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, ticket=make.ticket(subject="another"))])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, ticket=make.ticket(number=1002, revision=1))])
    assert (await ledger.ticket(1001)).subject == make.ticket().subject
    assert await ledger.ticket(1002) is None


async def test_of_many_writers_every_word_counts(ledger, url, make, now):
    await ledger.record([Record(at=now, ticket=make.ticket(participants=()))])
    ledgers = [ledger, await Ledger.open(url, migrate=False)]

    async def join(own, name):
        while True:
            ticket = await own.ticket(1001)
            try:
                await own.record([Record(at=now, ticket=replace(ticket, participants=(*ticket.participants, name)))])
            except ConflictError:
                continue
            return

    names = [f"{number}@acme.example" for number in range(12)]
    await asyncio.gather(*(join(ledgers[number % 2], name) for number, name in enumerate(names)))
    ticket = await ledger.ticket(1001)
    assert sorted(ticket.participants) == sorted(names)
    assert ticket.revision == 13
    await ledgers[1].close()
