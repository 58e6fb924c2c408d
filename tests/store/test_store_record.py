from dataclasses import replace
from datetime import timedelta
from itertools import groupby

import pytest

from maild.mail import Address
from maild.sla.clock import ClockState
from maild.sla.policy import Metric
from maild.store import Asked, History
from maild.store.faults import ConflictError, LedgerError
from maild.store.record import Record, writes
from maild.store.recording import unit_of
from maild.ticket import Severity, State


async def _arrived(ledger, make, octets=b"x"):
    ((id_,),) = await ledger.accept([(make.env(), octets)])
    return id_


async def test_a_decision_comes_back_as_it_was(ledger, make, now):
    received = await _arrived(ledger, make)
    (row,) = await ledger.take(1, now=now)
    ticket = make.ticket(first_response_at=now, resolved_at=now + timedelta(microseconds=1))
    message = make.message(id=received, digest=row.digest)
    clocks = (
        make.clock(),
        make.clock(metric=Metric.RESOLUTION, state=ClockState.PAUSED, target_at=None, limit_at=None, elapsed_seconds=3),
        make.clock(metric=Metric.NEXT_RESPONSE, cycle=2, stopped_at=now, breached_at=now, by_reclassification=False),
    )
    await ledger.record(
        [
            Record(
                at=now,
                because="it opens a ticket",
                received_id=received,
                ticket=ticket,
                messages=(message,),
                references=(("a@x", 1001, "seen"), ("p@x", 1001, "named"), ("o@us", 1001, "own")),
                clocks=tuple((clock, None) for clock in clocks),
                events=(make.event(), make.event(what="acked")),
                escalations=((1001, "first_response", 1, "limit", "30 minutes have passed"),),
                outgoing=(make.outgoing(key="k"),),
                parties=(ticket.requester,),
            )
        ]
    )
    assert await ledger.ticket(1001) == replace(ticket, revision=1)
    assert await ledger.messages(1001) == [message]
    assert await ledger.clocks(1001) == list(clocks)
    assert await ledger.events(1001) == [make.event(), make.event(what="acked")]
    assert await ledger.history(1001) == History(
        replace(ticket, revision=1),
        (message,),
        (make.event(), make.event(what="acked")),
        clocks,
        frozenset({("first_response", 1, "limit")}),
    )
    assert await ledger.history(7) is None
    assert [line.because for line in await ledger.escalations(1001)] == ["30 minutes have passed"]
    assert [(line.key, line.state) for line in await ledger.outbox(1001)] == [("k", "waiting")]
    assert [(line.state, line.because, line.done_at) for line in await ledger.received()] == [
        ("done", "it opens a ticket", now)
    ]
    assert await ledger.ticket(7) is None
    assert await ledger.messages(7) == []
    await ledger.record([Record(at=now)])


async def test_a_later_record_replaces_ticket_and_clocks_and_leaves_what_it_does_not_name(ledger, make, now):
    await ledger.record([Record(at=now, ticket=make.ticket(), clocks=((make.clock(), now),))])
    changed = make.ticket(state=State.OPEN, assignee="ann", participants=("eve@acme.example",), revision=1)
    await ledger.record([Record(at=now, ticket=changed)])
    changed = replace(changed, revision=2)
    assert await ledger.ticket(1001) == changed
    assert await ledger.clocks(1001) == [make.clock()]
    stopped = make.clock(stopped_at=now)
    await ledger.record([Record(at=now, clock_ticket=1001, clocks=((stopped, None),))])
    assert await ledger.clocks(1001) == [stopped]
    await ledger.record([Record(at=now, ticket=changed, clocks=())])
    assert await ledger.clocks(1001) == []


async def test_clocks_and_events_need_a_ticket(ledger, make, now):
    for record in (Record(at=now, clocks=()), Record(at=now, events=(make.event(),))):
        with pytest.raises(ValueError, match="needs the ticket"):
            await ledger.record([record])
    await ledger.record([Record(at=now, ticket=make.ticket())])
    await ledger.record([Record(at=now, event_ticket=1001, events=(make.event(),))])
    assert await ledger.events(1001) == [make.event()]


async def test_a_row_is_settled_once_and_the_rest_of_the_unit_goes_with_it(ledger, make, now):
    received = await _arrived(ledger, make)
    await ledger.record([Record(at=now, received_id=received, ticket=make.ticket())])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, ticket=make.ticket(number=1002)), Record(at=now, received_id=received)])
    assert await ledger.ticket(1002) is None


async def test_an_escalation_is_told_once(ledger, make, now):
    told = (1001, "resolution", 1, "target", "why")
    await ledger.record([Record(at=now, ticket=make.ticket(), escalations=(told,))])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, escalations=(told,), outgoing=(make.outgoing(),))])
    assert await ledger.outbox() == []
    await ledger.record([Record(at=now, escalations=((1001, "resolution", 2, "target", "why"),))])
    assert len((await ledger.history(1001)).sent) == 2


async def test_an_owed_key_is_owed_once_with_the_first_octets(ledger, make, now):
    first, second = make.outgoing(key="same"), make.outgoing(key="same", octets=b"other")
    await ledger.record([Record(at=now, ticket=make.ticket(), outgoing=(first,))])
    await ledger.record([Record(at=now, outgoing=(second,))])
    (mail,) = await ledger.claim(now, 9, timedelta(1))
    assert await ledger.octets(mail.digest) == first.octets


async def test_the_same_message_twice_is_a_conflict_and_known(ledger, make, now):
    await ledger.record([Record(at=now, ticket=make.ticket(), messages=(make.message(),))])
    with pytest.raises(ConflictError):
        await ledger.record([Record(at=now, messages=(make.message(id=2),))])
    await ledger.record([Record(at=now, messages=(make.message(id=2, body_digest="b1"),))])
    for nameless in (3, 4):
        await ledger.record([Record(at=now, messages=(make.message(id=nameless, message_id=""),))])
    for message_id, address, twins in (
        ("a@acme.example", "ann@acme.example", ((1, 1001),)),
        ("a@acme.example", "eve@acme.example", ()),
        ("", "ann@acme.example", ()),
    ):
        assert (await ledger.known_of(Asked((), (), message_id, address, "b0", now))).twins == twins


async def test_a_further_recipient_is_noted_once(ledger, make, now):
    await ledger.record([Record(at=now, ticket=make.ticket(), messages=(make.message(),))])
    for _ in range(2):
        await ledger.record([Record(at=now, recipients_added=((1, "sales@example.com"),))])
    (message,) = await ledger.messages(1001)
    assert message == make.message(recipients=("csm@example.com", "support@example.com", "sales@example.com"))


async def test_what_points_nowhere_is_an_error_and_no_conflict(ledger, make, now):
    with pytest.raises(LedgerError) as caught:
        await ledger.record([Record(at=now, messages=(make.message(ticket=4),))])
    assert not isinstance(caught.value, ConflictError)


async def test_references(ledger, make, now):
    both = [Record(at=now, ticket=make.ticket(number=number)) for number in (1, 2)]
    known = (("a@x", 2, "named"), ("a@x", 1, "seen"), ("b@x", 1, "own"))
    await ledger.record([*both, Record(at=now, references=known), Record(at=now, references=known)])
    await ledger.record([Record(at=now, references=(("b@x", 2, "own"),))])
    found = await ledger.known_of(Asked(["a@x", "b@x", "c@x", *(f"{n}@y" for n in range(2000))], (), "", "", "", now))
    assert found.ids == {"a@x": [(1, "seen"), (2, "named")], "b@x": [(1, "own")]}
    assert set(found.tickets) == {1, 2}
    assert set((await ledger.known_of(Asked(["b@x"], (2, 3), "", "", "", now))).tickets) == {1, 2}
    assert set((await ledger.known_of(Asked([], (2, 3), "", "", "", now))).tickets) == {2}
    assert set(await ledger.tickets_by_number([1, 2, 3])) == {1, 2}


async def test_parties(ledger, now):
    async def met(address):
        return (await ledger.known_of(Asked((), (), "", address, "", now))).met

    assert not await met("ann@acme.example")
    await ledger.record([Record(at=now, parties=(Address("", "Ann@acme.example"),))])
    await ledger.record([Record(at=now, parties=(Address("Ann", "ann@acme.example"),))])
    assert await met("ann@acme.example")
    await ledger.record([Record(at=now, failed=("ann@ACME.example", "new@acme.example"))])
    assert not await met("ann@acme.example")
    assert not await met("new@acme.example")


async def test_numbers_are_never_given_twice(ledger):
    assert await ledger.reserve("ticket", 2) == range(1001, 1003)
    assert await ledger.reserve("ticket", 1) == range(1003, 1004)
    assert await ledger.reserve("token", 3) == range(1, 4)
    with pytest.raises(ValueError, match="0 numbers"):
        await ledger.reserve("ticket", 0)


async def test_secrets_are_made_once(ledger, now):
    (key,) = await ledger.secrets("token", now=now)
    assert len(key) == 32
    assert await ledger.secrets("token", now=now) == [key]
    assert await ledger.secrets("other", now=now) != [key]


async def test_tickets_the_most_pressing_first(ledger, make, now):
    def due(minutes, **fields):
        at = now + timedelta(minutes=minutes)
        return make.clock(target_at=at, limit_at=at + timedelta(minutes=60), **fields), None

    late = {"state": ClockState.BREACHED, "breached_at": now}
    rows = {
        1: (due(30), due(10, metric=Metric.RESOLUTION)),
        2: (due(-90, **late),),
        3: (due(-99, stopped_at=now),),
        4: (),
        5: (due(5),),
    }
    for number, clocks in rows.items():
        severity = Severity.LOW if number == 5 else Severity.HIGH
        state = State.OPEN if number == 4 else State.NEW
        ticket = make.ticket(number=number, severity=severity, state=state)
        await ledger.record([Record(at=now, ticket=ticket, clocks=clocks)])

    def numbers(lines):
        return [line.ticket.number for line in lines]

    lines = await ledger.tickets()
    assert numbers(lines) == [2, 5, 1, 4, 3]
    assert [(line.due_at, line.due_metric) for line in lines[:3]] == [
        (now - timedelta(minutes=30), "first_response"),
        (now + timedelta(minutes=5), "first_response"),
        (now + timedelta(minutes=10), "resolution"),
    ]
    assert numbers(await ledger.tickets(due_only=True)) == [2, 5, 1]
    assert numbers(await ledger.tickets(State.OPEN)) == [4]
    assert numbers(await ledger.tickets(severity=Severity.LOW)) == [5]
    assert numbers(await ledger.tickets(State.NEW, Severity.HIGH, due_only=True)) == [2, 1]


async def test_the_watch_looks_at_the_earliest(ledger, make, now):
    assert await ledger.next_watch_at() is None
    for number, minutes in ((1, (9, None)), (2, (7, 3)), (3, (3, 3)), (4, (99, None))):
        clocks = tuple(
            (make.clock(cycle=cycle), None if after is None else now + timedelta(minutes=after))
            for cycle, after in enumerate(minutes, 1)
        )
        await ledger.record([Record(at=now, ticket=make.ticket(number=number), clocks=clocks)])
    assert await ledger.next_watch_at() == now + timedelta(minutes=3)
    assert await ledger.due_tickets(now, 9) == []
    assert sorted(await ledger.due_tickets(now + timedelta(minutes=3), 9)) == [2, 3]
    found = await ledger.due_tickets(now + timedelta(minutes=9), 9)
    assert (sorted(found[:2]), found[2:]) == ([2, 3], [1])
    assert len(await ledger.due_tickets(now + timedelta(minutes=9), 2)) == 2


async def test_what_is_counted_again_stands_behind_what_is_due(ledger, make, now):
    for number, minutes in ((1, 9), (2, 99), (3, 7), (4, -1)):
        clock = (make.clock(), now + timedelta(minutes=minutes))
        await ledger.record([Record(at=now, ticket=make.ticket(number=number), clocks=(clock,))])
    assert await ledger.count_by("another", now)
    await ledger.record([Record(at=now, ticket=make.ticket(number=5), clocks=((make.clock(), now),))])
    assert await ledger.next_watch_at() < now
    assert await ledger.due_tickets(now, 3) == [4, 5, 1]
    assert await ledger.due_tickets(now, 9) == [4, 5, 1, 2, 3]


def _of(make, number, **changes):
    told = ((number, "resolution", 1, "target", "why"),)
    return Record(
        at=make.clock().started_at,
        ticket=make.ticket(number=number),
        clocks=tuple((make.clock(cycle=cycle), None) for cycle in range(1, 2 + number % 2)),
        events=(make.event(),),
        escalations=told,
        outgoing=(make.outgoing(key=f"k{number}", octets=b"%d" % number),),
        **changes,
    )


def test_records_of_several_tickets_are_written_side_by_side(make):
    records = [_of(make, 1001), _of(make, 1002), _of(make, 1003)]
    unit = unit_of(records)
    assert sorted(map(repr, unit)) == sorted(repr(write) for record in records for write in writes(record))
    for record in records:
        own = writes(record)
        assert [write for write in unit if write in own] == own
    runs = [sql for sql, _ in groupby(unit, lambda write: write.sql)]
    assert len(runs) == len({write.sql for write in unit})


@pytest.mark.parametrize(
    "changes",
    [
        {"clock_ticket": 1001},
        {"event_ticket": 1001},
        {"received_id": 1},
        {"unlinked": ((1001, 1002),)},
        {"references": (("m9@acme.example", 1001, "own"),)},
        {"parties": (Address("Carol", "carol@acme.example"),)},
    ],
)
def test_records_that_have_to_do_with_each_other_are_written_in_order(make, changes):
    first, second = _of(make, 1001), replace(_of(make, 1002), **changes)
    assert unit_of([first, second]) == [*writes(first), *writes(second)]
    assert unit_of([first, first]) == [*writes(first)] * 2


async def test_side_by_side_they_are_all_written_or_none(ledger, make, now):
    await ledger.record([_of(make, 1001), _of(make, 1002), _of(make, 1003)])
    assert [len((await ledger.history(number)).sent) for number in (1001, 1002, 1003)] == [1, 1, 1]
    again = [Record(at=now, ticket=make.ticket(number=number, revision=1), clocks=()) for number in (1001, 1002, 1003)]
    for fault in (
        replace(again[2], escalations=((1003, "resolution", 1, "target", "why"),)),
        replace(again[2], ticket=make.ticket(number=1003, revision=7)),
    ):
        with pytest.raises(ConflictError):
            await ledger.record([*again[:2], fault])
        assert [(await ledger.ticket(number)).revision for number in (1001, 1002, 1003)] == [1, 1, 1]
        assert len(await ledger.clocks(1001)) == 2
    await ledger.record(again)
    assert [(await ledger.ticket(number)).revision for number in (1001, 1002, 1003)] == [2, 2, 2]
