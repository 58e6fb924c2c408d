"""What reports ask of the ledger, on both engines."""

from dataclasses import replace
from datetime import timedelta

from maild.sla.clock import ClockState
from maild.sla.policy import Metric
from maild.store.record import Record
from maild.store.reporting import REPORT

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def put(ledger, make, number, opened, *clocks, events=()):
    ticket = make.ticket(number=number, opened_at=opened, root_id=f"t{number}@example.com")
    await ledger.record(
        [Record(at=opened, ticket=ticket, clocks=tuple((clock, None) for clock in clocks), events=tuple(events))]
    )


def stopped(make, at, **fields):
    clock = make.clock(spans=((at - HOUR, at),), stopped_at=at, state=ClockState.MET, elapsed_seconds=3600)
    return replace(clock, **fields)


async def test_what_happened_in_a_time(ledger, make, now):
    since, until = now, now + DAY
    await put(ledger, make, 1, now)  # opened at its very start
    await put(ledger, make, 2, until)  # and this one after it
    await put(ledger, make, 3, now - DAY, stopped(make, now + HOUR))
    await put(ledger, make, 4, now - DAY, stopped(make, now - HOUR))
    late = replace(make.clock(), breached_at=now + HOUR, state=ClockState.BREACHED, metric=Metric.RESOLUTION)
    await put(ledger, make, 5, now - DAY, stopped(make, now - HOUR), late)
    await put(ledger, make, 6, now - DAY, stopped(make, until))
    told = await ledger.happened(since, until)
    assert [ticket.number for ticket, _ in told] == [1, 3, 5]
    clocks = {ticket.number: clocks for ticket, clocks in told}
    assert clocks[1] == ()
    assert [clock.metric for clock in clocks[5]] == [Metric.FIRST_RESPONSE, Metric.RESOLUTION]
    assert clocks[3] == (stopped(make, now + HOUR),)
    assert [[ticket.number for ticket, *_ in lives] async for lives in ledger.lives(since, until)] == [[1]]
    assert [[ticket.number for ticket, *_ in lives] async for lives in ledger.lives(now - DAY, until)] == [
        [1, 3, 4, 5, 6]
    ]


async def test_more_tickets_than_one_question_can_name(ledger, make, now):
    for start in range(0, 1100, 100):
        tickets = [
            make.ticket(number=number, opened_at=now, root_id=f"t{number}@example.com")
            for number in range(start + 1, start + 101)
        ]
        events = {ticket.number: (make.event(at=now, data={"n": ticket.number}),) for ticket in tickets}
        await ledger.record([Record(at=now, ticket=ticket, events=events[ticket.number]) for ticket in tickets])
    found = [lives async for lives in ledger.lives(now, now + HOUR)]
    assert [len(lives) for lives in found] == [500, 500, 100]
    assert [(ticket.number, event.data["n"]) for lives in found for ticket, _, (event,) in lives] == [
        (number, number) for number in range(1, 1101)
    ]
    assert len(await ledger.happened(now, now + HOUR)) == 1100


async def test_whose_severity_was_set(ledger, make, now):
    def graded(at):
        return make.event(at=at, actor="ann", what="set_severity", data={"to": "low"})

    await put(ledger, make, 1, now, events=[make.event(at=now), graded(now), graded(now + HOUR)])
    await put(ledger, make, 2, now, events=[graded(now + DAY)])
    await put(ledger, make, 3, now, events=[make.event(at=now)])
    assert await ledger.regraded(now, now + DAY) == [1]
    assert await ledger.regraded(now, now + 2 * DAY) == [1, 2]
    histories = await ledger.histories_of([1, 3, 99])
    assert [event.what for event in histories[1]] == ["opened", "set_severity", "set_severity"]
    assert histories[99] == []


async def test_when_the_last_report_was_owed(ledger, make, now):
    assert await ledger.last_report() is None
    for at in (now, now - DAY):
        mail = make.outgoing(key=f"report:{at}", kind=REPORT, ticket=0)
        await ledger.record([Record(at=at, outgoing=(mail, make.outgoing(ticket=0)))])
    assert await ledger.last_report() == now
