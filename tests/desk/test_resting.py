"""Tickets on which nobody says a word: a pending one goes on, a resolved one closes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Step, Told, on_command, on_due, one_by_one
from maild.desk.decision import clocks_of
from maild.desk.reopening import Window, open_days, open_days_end
from maild.desk.resting import ended_by_silence, rest_ends_at
from maild.sla.clock import ClockState
from maild.sla.hours import ALWAYS, Calendar, weekdays
from maild.sla.policy import Metric, Policy
from maild.ticket import Event, State

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = weekdays("Europe/Berlin")
NIGHTS = Calendar.from_json({"tz": "Europe/Berlin", "hours": {"fri": [["22:00", "06:00"]]}})
SAO_PAULO = weekdays("America/Sao_Paulo")


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("calendar", "since", "days", "end"),
    [
        (BERLIN, "2026-03-09T10:00+01:00", 7, "2026-03-19T00:00+01:00"),
        (BERLIN, "2026-03-09T10:00+01:00", 1, "2026-03-11T00:00+01:00"),
        (BERLIN, "2026-03-13T10:00+01:00", 1, "2026-03-17T00:00+01:00"),
        (BERLIN, "2026-03-14T10:00+01:00", 1, "2026-03-17T00:00+01:00"),
        # Over the night when the clocks go forward.
        (BERLIN, "2026-03-27T10:00+01:00", 1, "2026-03-31T00:00+02:00"),
        # Wednesday late in UTC is Thursday in Berlin.
        (BERLIN, "2026-03-11T23:30+00:00", 1, "2026-03-14T00:00+01:00"),
        (weekdays("UTC", ["2026-12-25", "01-01"]), "2026-12-24T10:00+00:00", 5, "2027-01-05T00:00+00:00"),
        (ALWAYS, "2026-03-09T10:00+00:00", 7, "2026-03-17T00:00+00:00"),
        (NIGHTS, "2026-03-09T10:00+01:00", 2, "2026-03-15T00:00+01:00"),
        (NIGHTS, "2026-03-09T10:00+01:00", 60, "2026-10-04T00:00+02:00"),
        # Midnight of 2018-11-04 does not exist there: the date begins at one.
        (SAO_PAULO, "2018-11-01T10:00-03:00", 1, "2018-11-03T00:00-03:00"),
    ],
)
def test_the_end_of_open_days(calendar, since, days, end):
    assert open_days_end(calendar, at(since), days) == at(end)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 60 * 24 * 400), st.integers(1, 12), st.sampled_from([BERLIN, ALWAYS, NIGHTS, SAO_PAULO]))
def test_the_end_is_when_that_many_days_have_passed(start, days, calendar):
    since = datetime(2018, 3, 1, tzinfo=UTC) + timedelta(minutes=start)
    end = open_days_end(calendar, since, days)
    just_before = end - timedelta.resolution
    assert open_days(calendar, since, just_before, 99) == days
    assert open_days(calendar, since, just_before - DAY, 99) == days - 1


# What a ticket's life leads to


@pytest.fixture
def resting(office):
    """The office, with a limit of eight open hours for pending tickets and seven open days for resolved ones."""

    def make(close_after=7, pending=8 * 3600):
        policy = office.policies[""]
        promises = {severity: replace(promise, pending_limit=pending) for severity, promise in policy.promises.items()}
        window = Window(7, BERLIN)
        return replace(office, policies={"": Policy("", promises)}, close_after=close_after, window=window)

    return make


OPENED = Event(NOW, "carol@acme.example", "opened", "a new mail", {"severity": "normal"})
REPLY = Event(NOW + HOUR, "ann", "agent_reply", "relayed", {"ref": "r1@desk.example"})
PEND = Event(NOW + 2 * HOUR, "ann", "status", "waits", {"to": "waiting", "before": {}})
RESOLVE = Event(NOW + 3 * HOUR, "ann", "status", "done", {"to": "resolved", "before": {}})
THANKS = Event(NOW + DAY, "carol@acme.example", "thanks", "thank you")
NOTE = Event(NOW + DAY, "ann", "agent_note", "a note")
AGAIN = Event(NOW + DAY, "ann", "agent_reply", "relayed", {"ref": "r2@desk.example"})
UNDONE = Event(NOW + DAY, "ann", "undone", "took back", {"what": "status", "at": RESOLVE.at.isoformat()})


@pytest.mark.parametrize(
    ("state", "events", "more", "ends"),
    [
        (State.NEW, (), {}, None),
        (State.OPEN, (REPLY,), {}, None),
        # From Wednesday the 11th: the seventh open day is Friday the 20th.
        (State.RESOLVED, (REPLY, RESOLVE), {"resolved_at": RESOLVE.at}, "2026-03-21T00:00+01:00"),
        (State.RESOLVED, (REPLY, RESOLVE, THANKS), {"resolved_at": RESOLVE.at}, "2026-03-24T00:00+01:00"),
        (State.RESOLVED, (REPLY, RESOLVE, AGAIN), {"resolved_at": RESOLVE.at}, "2026-03-24T00:00+01:00"),
        (State.RESOLVED, (REPLY, RESOLVE, NOTE), {"resolved_at": RESOLVE.at}, "2026-03-21T00:00+01:00"),
        # A ledger of before may hold one that does not know when it was resolved.
        (State.RESOLVED, (), {}, "2026-03-21T00:00+01:00"),
        (State.RESOLVED, (REPLY, RESOLVE), {"resolved_at": RESOLVE.at, "merged_into": 1001}, None),
        (State.CLOSED, (REPLY, RESOLVE), {"resolved_at": RESOLVE.at}, None),
        (State.PENDING, (REPLY, PEND), {}, "2026-03-11T20:00+01:00"),
        (State.PENDING, (REPLY, PEND, NOTE), {}, "2026-03-11T20:00+01:00"),
        # What we ask again, he has the whole time to answer.
        (State.PENDING, (REPLY, PEND, AGAIN), {}, "2026-03-12T18:00+01:00"),
        # A resolution that was taken back: people are at it.
        (State.PENDING, (REPLY, PEND, RESOLVE, UNDONE), {}, "2026-03-12T18:00+01:00"),
    ],
)
def test_when_a_rest_ends(make_ticket, resting, state, events, more, ends):
    ticket = make_ticket(state=state, **more)
    assert rest_ends_at(ticket, (OPENED, *events), resting()) == (at(ends) if ends else None)


def test_what_is_switched_off_never_ends(make_ticket, resting):
    office = resting(close_after=0, pending=None)
    for state in State:
        assert rest_ends_at(make_ticket(state=state), (OPENED, REPLY, PEND), office) is None
        assert ended_by_silence(make_ticket(state=state), (OPENED, REPLY, PEND), office, NOW + 400 * DAY) is None


def due(office, ticket, events, now, sent=frozenset()):
    told = Told((OPENED, *events), sent=sent)
    before = tuple(clock for clock, _ in clocks_of(office, ticket, told, events[-1].at if events else NOW))
    return on_due(ticket, replace(told, clocks=before), (), office, now)


def resolution(decision):
    return next((clock, at) for clock, at in decision.clocks if clock.metric is Metric.RESOLUTION)


def test_a_resolved_ticket_closes_without_a_word(make_ticket, resting):
    office, ticket = resting(), make_ticket(state=State.RESOLVED, resolved_at=RESOLVE.at, assignee="ann")
    told = Told((OPENED, REPLY, RESOLVE))
    ends = at("2026-03-21T00:00+01:00")
    assert {clock.metric: look for clock, look in clocks_of(office, ticket, told, RESOLVE.at)}[
        Metric.RESOLUTION
    ] == ends
    early = due(office, ticket, (REPLY, RESOLVE), ends - timedelta.resolution)
    assert (early.events, early.ticket.state, resolution(early)[1]) == ((), State.RESOLVED, ends)
    late = due(office, ticket, (REPLY, RESOLVE), ends + HOUR)
    (event,) = late.events
    assert (event.at, event.actor, event.what, dict(event.data)) == (
        ends + HOUR,
        "maild",
        "status",
        {"to": "closed", "state": "closed"},
    )
    assert event.because == "closed: nobody said a word for 7 open days after 2026-03-11"
    assert late.because == event.because
    assert (late.ticket.state, late.ticket.closed_at, late.ticket.resolved_at) == (
        State.CLOSED,
        ends + HOUR,
        RESOLVE.at,
    )
    assert (late.letters, late.escalations) == ((), ())
    clock, look = resolution(late)
    assert (clock.state, clock.stopped_at, look) == (ClockState.MET, RESOLVE.at, None)
    again = on_due(
        late.ticket, Told((OPENED, REPLY, RESOLVE, event), tuple(c for c, _ in late.clocks)), (), office, ends + DAY
    )
    assert (again.events, again.because) == ((), "nothing was due")


def test_one_open_day_is_said_so(make_ticket, resting):
    ticket = make_ticket(state=State.RESOLVED, resolved_at=RESOLVE.at)
    silence = ended_by_silence(ticket, (OPENED, RESOLVE), resting(close_after=1), NOW + 9 * DAY)
    assert silence.event.because == "closed: nobody said a word for 1 open day after 2026-03-11"


def test_a_closed_ticket_whose_first_response_is_owed_stays_late(make_ticket, resting):
    office, ticket = resting(), make_ticket(state=State.RESOLVED, resolved_at=RESOLVE.at)
    decision = due(office, ticket, (RESOLVE,), at("2026-03-21T00:00+01:00"))
    assert [event.what for event in decision.events] == ["status", "breach"]
    assert decision.ticket.state is State.CLOSED
    assert {letter.metric for letter in decision.letters} == {"first_response"}


def test_a_pending_ticket_goes_on_and_its_agent_is_reminded(make_ticket, resting):
    office, ticket = resting(), make_ticket(state=State.PENDING, assignee="ann")
    ends = PEND.at + 8 * HOUR
    early = due(office, ticket, (REPLY, PEND), ends - timedelta.resolution)
    assert (early.events, early.letters) == ((), ())
    clock, look = resolution(early)
    assert (clock.state, clock.limit_at, look) == (ClockState.PAUSED, None, ends)
    # We were down: it went on at its own instant all the same.
    late = due(office, ticket, (REPLY, PEND), ends + 2 * HOUR)
    (event,) = late.events
    assert (event.at, event.actor, event.what, dict(event.data)) == (
        ends,
        "maild",
        "status",
        {"to": "open", "state": "open"},
    )
    assert event.because == (
        "opened again: the customer said nothing for 8h of open time after 2026-03-11 11:00 UTC (pending_limit),"
        " so the resolution clock goes on"
    )
    assert late.ticket.state is State.OPEN
    clock, _ = resolution(late)
    assert clock.spans == ((NOW, PEND.at), (ends, None))
    assert (clock.state, clock.paused_seconds) == (ClockState.RUNNING, 8 * 3600)
    (letter,) = late.letters
    assert (letter.agent.address, letter.subject) == ("ann@staff.example", "the customer has not answered")
    assert letter.key == f"silence:1042:{PEND.at.isoformat()}:ann"
    assert "opened again" in letter.lines[0]


def test_nobody_assigned_means_that_the_team_is_reminded(make_ticket, resting):
    late = due(resting(), make_ticket(state=State.PENDING), (REPLY, PEND), PEND.at + 8 * HOUR)
    assert [letter.agent.address for letter in late.letters] == ["ann@staff.example", "bob@staff.example"]


def test_a_limit_that_passed_while_nobody_looked_is_told_too(make_ticket, resting):
    decision = due(resting(), make_ticket(state=State.PENDING, assignee="ann"), (REPLY, PEND), NOW + 30 * DAY)
    assert [event.what for event in decision.events] == ["status", "breach"]
    clock, _ = resolution(decision)
    # Two hours ran before it rested, of twenty-four: then on from eight hours later.
    assert clock.breached_at == PEND.at + 8 * HOUR + 22 * HOUR


def test_pending_once_more_is_another_silence(make_ticket, resting):
    office = resting()
    first = due(office, make_ticket(state=State.PENDING, assignee="ann"), (REPLY, PEND), PEND.at + 8 * HOUR)
    told = Told((OPENED, REPLY, PEND, *first.events), tuple(clock for clock, _ in first.clocks))
    pended = on_command(first.ticket, told, Step.PENDING, office, "ann", PEND.at + 9 * HOUR)
    after = told.and_then(*pended.events)
    second = on_due(pended.ticket, after, (), office, PEND.at + 3 * DAY)
    assert second.events[0].at == PEND.at + 17 * HOUR
    assert {letter.key for letter in first.letters}.isdisjoint(
        letter.key for letter in second.letters if letter.key.startswith("silence")
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 60 * 24 * 12), min_size=1, max_size=6, unique=True).map(sorted))
def test_when_somebody_looks_does_not_matter(make_ticket, resting, looks):
    """However often and late a pending ticket is looked at, it goes on at one instant, told once, and breaches at one."""
    office, ticket = resting(), make_ticket(state=State.PENDING, assignee="ann")
    told, went_on, letters, breaches = Told((OPENED, REPLY, PEND)), [], [], set()
    for minutes in looks:
        decision = on_due(ticket, told, (), office, PEND.at + timedelta(minutes=minutes))
        ticket = decision.ticket
        clocks = tuple(clock for clock, _ in decision.clocks)
        sent = told.sent | {(one.metric, one.cycle, one.level) for one in decision.escalations}
        told = Told((*told.events, *decision.events), clocks, sent)
        went_on += [event.at for event in decision.events if event.what == "status"]
        letters += [letter.key for letter in decision.letters]
        breaches |= {clock.breached_at for clock in clocks if clock.breached_at is not None}
    over = looks[-1] >= 8 * 60
    assert went_on == ([PEND.at + 8 * HOUR] if over else [])
    assert len(letters) == len(set(letters))
    assert breaches <= {PEND.at + 30 * HOUR}
    assert bool(breaches) is (looks[-1] > 30 * 60)


def test_a_daemon_that_is_never_down_ends_a_rest_once(make_ticket, resting):
    office = resting()
    pending = make_ticket(state=State.PENDING, assignee="ann")
    ends = PEND.at + 8 * HOUR
    went_on = one_by_one(pending, Told((OPENED, REPLY, PEND)), (), office, ends, NOW + 9 * DAY)
    assert [event.what for event in went_on.events].count("status") == 1
    assert (went_on.events[0].at, went_on.ticket.state) == (ends, State.OPEN)
    resolved = make_ticket(state=State.RESOLVED, resolved_at=RESOLVE.at)
    ends = at("2026-03-21T00:00+01:00")
    closed = one_by_one(resolved, Told((OPENED, REPLY, RESOLVE)), (), office, ends, NOW + 90 * DAY)
    assert [event.at for event in closed.events] == [ends]
    assert (closed.ticket.state, closed.ticket.closed_at) == (State.CLOSED, ends)


# Past judgements


def test_a_clock_that_stopped_keeps_its_judgement_whatever_the_promise_becomes(make_ticket, resting, office):
    ticket, told = make_ticket(state=State.OPEN), Told((OPENED, REPLY))
    before = tuple(clock for clock, _ in clocks_of(office, ticket, told, REPLY.at))
    promises = {
        severity: replace(promise, first_response=(60, 60), resolution=(60, 60 * 60 * 4))
        for severity, promise in office.policies[""].promises.items()
    }
    harder = replace(office, policies={"": Policy("", promises)})
    first, resolved = (clock for clock, _ in clocks_of(harder, ticket, replace(told, clocks=before), REPLY.at + HOUR))
    assert first == before[0]
    assert (resolved.limit_seconds, resolved.limit_at) == (14_400, NOW + 4 * HOUR)
    # What is not on record yet is judged by what is promised now.
    assert clocks_of(harder, ticket, told, REPLY.at)[0][0].state is ClockState.BREACHED
    # A bounce takes the reply away, and with it the judgement.
    bounced = replace(
        told.and_then(Event(REPLY.at + HOUR, "maild", "bounce", "", {"ref": "r1@desk.example"})), clocks=before
    )
    assert clocks_of(harder, ticket, bounced, REPLY.at + 2 * HOUR)[0][0].state is ClockState.BREACHED
    # What takes a decision back judges anew.
    undone = replace(told.and_then(replace(UNDONE, data={"what": "x", "at": NOW.isoformat()})), clocks=before)
    assert clocks_of(harder, ticket, undone, UNDONE.at)[0][0].state is ClockState.BREACHED
