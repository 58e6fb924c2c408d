"""Tickets on which nobody says a word, and deadlines whose basis changed, through the loop and a ledger of either engine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.config import load
from maild.config.office import office
from maild.daemon import count_again
from maild.desk import Step, on_command
from maild.sla.policy import Metric
from maild.store import Record
from maild.store.door import Read
from maild.ticket import Event, State
from maild.workshop import record_of, told_of

CAROL = "carol@acme.example"
MORE = """
[sla.normal]
calendar = "always"
resolution = ["10d", "20d"]
first_response = ["10d", "20d"]
pending_limit = "8h"
"""


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request, stage):
    """Open a stage on either engine."""
    if request.param == "sqlite":
        yield lambda **how: stage(more=MORE, **how)
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield lambda **how: stage(more=MORE, database=url, **how)


async def a_ticket(on):
    await on.arrive(CAROL, "a question")
    await on.intake.step()
    (number,) = await on.tickets()
    return number


async def do(on, number, step):
    history = await on.ledger.history(number)
    decision = on_command(history.ticket, told_of(history), step, on.shop.office, "ann", on.time[0])
    await on.ledger.record([record_of(decision, on.shop.write(decision), None, on.time[0])])


async def resolution(on, number):
    return next(clock for clock in await on.ledger.clocks(number) if clock.metric is Metric.RESOLUTION)


async def closings(on, number):
    return [event for event in await on.ledger.events(number) if (event.actor, event.what) == ("maild", "status")]


async def test_a_resolved_ticket_closes_once(opened):
    async with opened() as on:
        number = await a_ticket(on)
        await do(on, number, Step.RESOLVE)
        # Resolved on Wednesday the 11th in Berlin: the seventh open day is Friday the 20th.
        ends = datetime(2026, 3, 20, 23, 0, tzinfo=UTC)
        assert await on.ledger.next_watch_at() == ends
        on.time[0] = ends - timedelta.resolution
        assert await on.watch.step() == []
        on.time[0] = ends
        for _ in range(3):
            on.restart()
            await on.watch.step()
        (closing,) = await closings(on, number)
        assert closing.because == "closed: nobody said a word for 7 open days after 2026-03-11"
        ticket = await on.ledger.ticket(number)
        assert (ticket.state, ticket.closed_at) == (State.CLOSED, ends)
        # What is left to look at is the first response alone, which nobody gave.
        assert await on.ledger.next_watch_at() > ends


async def test_a_word_before_that_lets_it_wait_anew(opened):
    async with opened() as on:
        number = await a_ticket(on)
        await do(on, number, Step.RESOLVE)
        on.move(days=5)
        await on.arrive(CAROL, "Re: a question", text="Thank you!", In_Reply_To="<m0@client.example>")
        await on.intake.step()
        assert "thanks" in [event.what for event in await on.ledger.events(number)]
        on.time[0] = datetime(2026, 3, 20, 23, 0, tzinfo=UTC)
        assert await on.watch.step() == [number]
        assert await closings(on, number) == []
        assert await on.watch.step() == []
        on.time[0] = datetime(2026, 3, 25, 23, 0, tzinfo=UTC)
        await on.watch.step()
        assert len(await closings(on, number)) == 1


async def test_mail_that_waits_is_heard_before_a_ticket_closes(opened):
    async with opened() as on:
        number = await a_ticket(on)
        await do(on, number, Step.RESOLVE)
        on.move(days=30)
        await on.arrive(CAROL, "Re: a question", text="It is broken again.", In_Reply_To="<m0@client.example>")
        assert await on.watch.step() == [number]
        assert (await on.ledger.ticket(number)).state in {State.NEW, State.OPEN}
        assert await closings(on, number) == []


async def test_a_pending_ticket_goes_on_and_its_team_is_reminded_once(opened):
    async with opened() as on:
        number = await a_ticket(on)
        on.move(hours=2)
        pended = on.time[0]
        await do(on, number, Step.PENDING)
        before = len(await on.letters("notification"))
        assert await on.ledger.next_watch_at() == pended + timedelta(hours=8)
        on.move(hours=9)
        for _ in range(3):
            on.restart()
            await on.watch.step()
        (event,) = await closings(on, number)
        assert event.at == pended + timedelta(hours=8)
        clock = await resolution(on, number)
        assert clock.spans[-1] == (event.at, None)
        assert clock.limit_at == clock.started_at + timedelta(days=20, hours=8)
        assert (await on.ledger.ticket(number)).state is State.OPEN
        reminders = (await on.letters("notification"))[before:]
        assert sorted(line.rcpt for line in reminders) == ["ann@staff.example", "bob@staff.example"]


async def test_an_answer_ends_the_silence(opened):
    async with opened() as on:
        number = await a_ticket(on)
        await do(on, number, Step.PENDING)
        on.move(hours=7)
        await on.arrive(CAROL, "Re: a question", text="Here it is.", In_Reply_To="<m0@client.example>")
        on.move(hours=2)
        await on.watch.step()
        await on.watch.step()
        assert await closings(on, number) == []


# A changed basis


def refitted(on, config):
    on.shop = replace(on.shop, office=office(config, on.shop.office.keys))
    on.restart()


async def test_deadlines_are_counted_again_where_their_basis_changed(opened, tmp_path):
    async with opened() as on:
        number = await a_ticket(on)
        path = tmp_path / "maild.toml"
        config = load(path, {})

        def now():
            return on.time[0]

        await count_again(on.ledger, config, now)
        assert await on.watch.step() == [number]
        limit = (await resolution(on, number)).limit_at
        # The same again changes nothing, and nobody looks.
        await count_again(on.ledger, load(path, {}), now)
        assert await on.watch.step() == []
        calendar = '\n[calendar.own]\nhours = { mon-sun = ["00:00-24:00"] }\nholidays = ["03-12", "2026-03-14"]\n'
        path.write_text(path.read_text().replace('calendar = "always"', 'calendar = "own"') + calendar)
        changed = load(path, {})
        refitted(on, changed)
        await count_again(on.ledger, changed, now)
        assert await on.watch.step() == [number]
        assert await on.watch.step() == []
        clock = await resolution(on, number)
        # Two days more; seconds are real, so the night of the 29th changes nothing.
        assert (clock.calendar_name, clock.limit_at) == ("own", limit + timedelta(days=2))
        assert len(await on.letters("escalation")) == 0


async def test_past_judgements_stand(opened, tmp_path):
    async with opened() as on:
        number = await a_ticket(on)
        on.move(hours=1)
        ticket, at = await on.ledger.ticket(number), on.time[0]
        history = await on.ledger.history(number)
        replied = Event(at, "ann", "agent_reply", "relayed", {"ref": "r@desk.example"})
        told = told_of(history).and_then(replied)
        decision = on_command(ticket, told, Step.RESOLVE, on.shop.office, "ann", at)
        decision = replace(decision, events=(replied, *decision.events))
        await on.ledger.record([record_of(decision, on.shop.write(decision), None, at)])
        before = await on.ledger.clocks(number)
        assert {clock.state for clock in before} == {"met"}
        path = tmp_path / "maild.toml"
        path.write_text(path.read_text().replace('["10d", "20d"]', '["1m", "2m"]'))
        changed = load(path, {})
        refitted(on, changed)
        await count_again(on.ledger, changed, lambda: on.time[0])
        assert await on.watch.step() == [number]
        assert await on.ledger.clocks(number) == before
        assert await on.letters("escalation") == []


async def test_what_is_over_is_not_looked_at_again(opened):
    async with opened() as on:
        number = await a_ticket(on)
        await do(on, number, Step.RESOLVE)
        await do(on, number, Step.CLOSE)
        history = await on.ledger.history(number)
        over = tuple((replace(clock, stopped_at=on.time[0]), None) for clock in history.clocks)
        await on.ledger.record([Record(on.time[0], ticket=history.ticket, clocks=over)])
        assert await on.ledger.count_by("another", on.time[0]) is True
        assert await on.ledger.next_watch_at() is None
        assert await on.ledger.count_by("another", on.time[0]) is False
        ((line,),) = await on.ledger._door.read([Read("SELECT name, value FROM setting")])
        assert dict(line) == {"name": "basis", "value": "another"}
