"""Merged, split and linked tickets in the ledger, on both engines."""

from datetime import timedelta

import pytest

from maild.store.evidence import Asked
from maild.store.faults import ConflictError
from maild.store.ledger import Ledger
from maild.store.record import Record
from maild.threading.likeness import Traits


def asked(now, **changes):
    values = {"msgids": (), "tickets": (), "message_id": "", "address": "", "body_digest": "", "digest": "none"}
    return Asked(**{**values, "now": now, **changes})


@pytest.fixture
async def chain(ledger, make, now):
    """Ticket 1 went into 2, and 2 into 3; each has a mail of its own."""
    records = [
        Record(
            at=now,
            ticket=make.ticket(number=number, root_id=f"t{number}@x", merged_into=None),
            messages=(
                make.message(
                    id=number,
                    ticket=number,
                    message_id=f"m{number}@x",
                    at=now + timedelta(minutes=number),
                    base_subject="the same",
                    text=f"text {number}",
                ),
            ),
            references=((f"m{number}@x", number, "seen"),),
        )
        for number in (1, 2, 3)
    ]
    await ledger.record(records)
    await ledger.record(
        [
            Record(
                at=now, ticket=make.ticket(number=number, root_id=f"t{number}@x", merged_into=number + 1, revision=1)
            )
            for number in (1, 2)
        ]
    )
    return ledger


@pytest.mark.parametrize(
    "changes",
    [
        {"msgids": ("m1@x",)},
        {"tickets": (1,)},
        {"message_id": "m1@x", "address": "ann@acme.example", "body_digest": "b0"},
    ],
)
async def test_whatever_names_it_brings_the_survivor_in_the_same_trip(chain, now, changes):
    known = await chain.known_of(asked(now, **changes))
    assert {number: ticket.merged_into for number, ticket in known.tickets.items()} == {1: 2, 2: 3, 3: None}


async def test_what_stands_for_itself_brings_nothing_else(chain, now):
    assert set((await chain.known_of(asked(now, msgids=("m3@x",)))).tickets) == {3}
    assert (await chain.known_of(asked(now, tickets=(9,)))).tickets == {}


async def test_what_is_one_is_one_conversation(chain, now):
    found = await chain.candidates(Traits("the same", "", ()), now + timedelta(hours=1))
    assert [(one.ticket, one.texts) for one in found] == [(3, ("text 3", "text 2", "text 1"))]


async def test_the_parts_of_a_ticket_and_where_it_is(chain):
    assert [await chain.parts(number) for number in (1, 2, 3)] == [[], [1], [1, 2]]
    assert [(await chain.survivor(number)).ticket.number for number in (1, 2, 3)] == [3, 3, 3]
    assert await chain.survivor(9) is None
    assert [line.ticket.merged_into for line in await chain.tickets()].count(None) == 1


async def test_links_are_shown_on_both_until_they_are_taken_back(chain, make, now):
    def linked(ticket, to, what="linked", word="to"):
        return Record(at=now, event_ticket=ticket, events=(make.event(what=what, data={word: to}),))

    await chain.record([linked(3, 1), linked(1, 3), linked(2, 3, "split_from", "from")])
    # What names itself, nobody or no ticket at all is no link.
    await chain.record([linked(3, 3), linked(3, 99), linked(3, "x"), linked(3, 2, "merged", "to")])
    assert [await chain.linked(number) for number in (1, 2, 3)] == [[3], [3], [1, 2]]
    await chain.record([Record(at=now, unlinked=((1, 3),))])
    assert [await chain.linked(number) for number in (1, 2, 3)] == [[], [3], [2]]


async def test_a_message_moves_with_what_answers_it(chain, make, now):
    (message,) = await chain.messages(3)
    there = make.ticket(number=4, root_id="t4@x")
    await chain.record([Record(at=now, ticket=there, moved=(message,))])
    assert [one.id for one in await chain.messages(4)] == [3]
    assert (await chain.known_of(asked(now, msgids=("m3@x",)))).ids == {"m3@x": [(4, "seen")]}
    again = make.ticket(number=4, root_id="t4@x", revision=1)
    with pytest.raises(ConflictError):
        await chain.record([Record(at=now, ticket=again, moved=(message,))])


async def test_a_message_without_an_id_moves_alone(ledger, make, now):
    nameless = make.message(id=1, message_id="")
    await ledger.record([Record(at=now, ticket=make.ticket(), messages=(nameless,))])
    await ledger.record([Record(at=now, ticket=make.ticket(number=1002, root_id="t2@x"), moved=(nameless,))])
    assert [one.id for one in await ledger.messages(1002)] == [1]


async def test_a_level_that_is_forgotten_can_be_told_again(ledger, make, now):
    told = (1001, "first_response", 1, "limit", "it was reached")
    await ledger.record([Record(at=now, ticket=make.ticket(), escalations=(told,))])
    forgotten = Record(at=now, ticket=make.ticket(revision=1), forgotten=(("first_response", 1, "limit"),))
    await ledger.record([forgotten])
    assert await ledger.escalations(1001) == []
    await ledger.record([Record(at=now, escalations=(told,))])
    assert len(await ledger.escalations(1001)) == 1


async def test_links_of_an_older_ledger_are_kept(old, copies):
    await old.made(3)
    at = "2026-03-11T09:00:00.000000+00:00"
    data = ((1003, "linked", '{"to": 1001}'), (1001, "linked", '{"to": 1003}'), (1004, "linked", '{"to": 99}'))
    for ticket, what, said in (*data, (1002, "set_severity", '{"to": "high"}'), (1004, "linked", '{"to": 1004}')):
        await old.script(
            f"INSERT INTO event (ticket, at, actor, what, because, data)"  # noqa: S608 - a test's own words
            f" VALUES ({ticket}, '{at}', 'maild', '{what}', '', '{said}')"
        )
    await old.close()
    ledger = await Ledger.open(old.url, copies=copies)
    assert [await ledger.linked(number) for number in (1001, 1002, 1003, 1004)] == [[1003], [], [1001], []]
    await ledger.close()
    old.door = None
