from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Assign, Decision, Grade, Refused, Step, Told, on_command, on_due, on_mail
from maild.desk.decision import clocks_of
from maild.sla.clock import ClockState
from maild.sla.policy import Metric
from maild.sla.severity import Guess
from maild.threading.place import Placement, Rung
from maild.ticket import Event, Severity, State

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def opened(office, make_ticket):
    """A ticket as of some minutes after it was opened, and what the ledger tells of it."""

    def make(*events, severity=Severity.NORMAL, **changes):
        ticket = make_ticket(**{"severity": severity, **changes})
        born = Event(NOW, ticket.requester.key, "opened", "a new mail", {"severity": str(severity)})
        told = Told((born, *events))
        return ticket, replace(told, clocks=tuple(clock for clock, _ in clocks_of(office, ticket, told, NOW)))

    return make


def decide(office, ticket, told, command, at=NOW + HOUR, actor="ann"):
    decision = on_command(ticket, told, command, office, actor, at)
    assert isinstance(decision, Decision), decision
    return decision


def clock(decision, metric=Metric.FIRST_RESPONSE):
    return next(found for found, _ in decision.clocks if found.metric is metric)


REPLY = Event(NOW + timedelta(minutes=10), "ann", "agent_reply", "relayed", {"ref": "r1@desk.example"})
PEND = Event(NOW + timedelta(minutes=20), "ann", "status", "waits", {"to": "waiting"})
RESOLVE = Event(NOW + timedelta(minutes=20), "ann", "status", "done", {"to": "resolved"})
CLOSE = Event(NOW + timedelta(minutes=25), "ann", "status", "done", {"to": "closed"})


@pytest.mark.parametrize(
    ("state", "past", "step", "after", "to"),
    [
        (State.NEW, (), Step.RESOLVE, State.RESOLVED, "resolved"),
        (State.OPEN, (REPLY,), Step.RESOLVE, State.RESOLVED, "resolved"),
        (State.PENDING, (REPLY, PEND), Step.RESOLVE, State.RESOLVED, "resolved"),
        (State.RESOLVED, (REPLY, RESOLVE), Step.REOPEN, State.OPEN, "open"),
        (State.CLOSED, (REPLY, RESOLVE, CLOSE), Step.REOPEN, State.OPEN, "open"),
        (State.RESOLVED, (REPLY, RESOLVE), Step.OPEN, State.OPEN, "open"),
        (State.NEW, (), Step.PENDING, State.PENDING, "waiting"),
        (State.OPEN, (REPLY,), Step.PENDING, State.PENDING, "waiting"),
        (State.PENDING, (REPLY, PEND), Step.OPEN, State.OPEN, "open"),
        (State.NEW, (), Step.CLOSE, State.CLOSED, "closed"),
        (State.RESOLVED, (REPLY, RESOLVE), Step.CLOSE, State.CLOSED, "closed"),
    ],
)
def test_steps(office, opened, state, past, step, after, to):
    ticket, told = opened(*past, state=state)
    decision = decide(office, ticket, told, step)
    (event,) = decision.events
    assert decision.ticket.state is after
    assert (event.at, event.actor, event.what, event.data["to"]) == (NOW + HOUR, "ann", "status", to)
    assert event.because.startswith("ann ")
    assert decision.because.startswith(event.because)
    resolution = clock(decision, Metric.RESOLUTION)
    assert (resolution.stopped_at is not None) is (after in {State.RESOLVED, State.CLOSED})
    assert resolution.paused is (after is State.PENDING)
    assert (decision.message, decision.letters, decision.escalations) == (None, (), ())


@pytest.mark.parametrize(
    ("state", "command", "words"),
    [
        (State.RESOLVED, Step.RESOLVE, "ticket 1042 is resolved already"),
        (State.OPEN, Step.REOPEN, "ticket 1042 is open already"),
        (State.OPEN, Step.OPEN, "ticket 1042 is open already"),
        (State.PENDING, Step.PENDING, "ticket 1042 is pending already"),
        (State.CLOSED, Step.CLOSE, "ticket 1042 is closed already"),
        (State.CLOSED, Step.RESOLVE, "is closed and cannot be resolved: that leads on from new, open, pending"),
        (State.NEW, Step.REOPEN, "is new and cannot be reopened: that leads on from resolved, closed"),
        (State.NEW, Step.OPEN, "is new and cannot be opened again: that leads on from pending, resolved, closed"),
        (State.PENDING, Step.REOPEN, "is pending and cannot be reopened"),
        (State.RESOLVED, Step.PENDING, "is resolved and cannot be set to pending: that leads on from new, open"),
        (State.NEW, Grade(Severity.NORMAL), "ticket 1042 is normal already"),
        (State.NEW, Assign(None), "ticket 1042 is assigned to nobody already"),
        (State.NEW, Assign("eve"), "there is no agent 'eve'; known are ann, bob, max"),
        (State.NEW, Assign(""), "there is no agent ''"),
    ],
)
def test_refusals(office, opened, state, command, words):
    ticket, told = opened(state=state)
    refused = on_command(ticket, told, command, office, "ann", NOW)
    assert isinstance(refused, Refused)
    assert words in refused.because


def test_an_assignee_that_has_him_already(office, opened):
    ticket, told = opened(assignee="ann")
    assert on_command(ticket, told, Assign("ann"), office, "bob", NOW) == Refused(
        "ticket 1042 is assigned to ann already"
    )


def test_a_desk_without_agents_says_so(office, opened):
    ticket, told = opened()
    refused = on_command(ticket, told, Assign("ann"), replace(office, agents=()), "bob", NOW)
    assert refused == Refused("there is no agent 'ann'; known are none")


@pytest.mark.parametrize(
    ("before", "to", "what", "words"),
    [
        (None, "bob", "assigned", "ann assigned it to bob; before, nobody had it"),
        ("bob", "max", "assigned", "ann assigned it to max; before, bob had it"),
        ("bob", None, "unassigned", "ann assigned it to nobody; before, bob had it"),
        ("gone", None, "unassigned", "ann assigned it to nobody; before, gone had it"),
    ],
)
def test_assign(office, opened, before, to, what, words):
    ticket, told = opened(assignee=before)
    decision = decide(office, ticket, told, Assign(to))
    (event,) = decision.events
    assert decision.ticket == replace(ticket, assignee=to)
    assert (event.what, event.because, event.data) == (what, words, {"to": to or "", "before": {"assignee": before}})
    assert clock(decision).state is ClockState.RUNNING


def test_resolved_without_a_mail_the_first_response_runs_on(office, opened):
    # R12
    ticket, told = opened()
    decision = decide(office, ticket, told, Step.RESOLVE)
    assert "no mail went to the customer, so the first-response clock runs on" in decision.events[0].because
    assert "first_response runs until 2026-03-11 13:00 UTC" in decision.because
    assert "resolution stopped in time at 2026-03-11 10:00 UTC" in decision.because
    assert clock(decision).stopped_at is None
    assert clock(decision).limit_at == NOW + 4 * HOUR
    assert decision.ticket.first_response_at is None
    late = told.and_then(*decision.events)
    told_late = on_due(decision.ticket, late, (), office, NOW + 5 * HOUR)
    assert [event.data["metric"] for event in told_late.events] == ["first_response"]


@pytest.mark.parametrize("changes", [{"opened_by": "agent"}, {}])
def test_resolved_where_no_first_response_is_owed(office, opened, changes):
    ticket, told = opened(*(() if changes else (REPLY,)), **changes)
    decision = decide(office, ticket, told, Step.RESOLVE)
    assert decision.events[0].because == "ann resolved it"


def test_resolved_and_reopened_keep_their_instants(office, opened):
    ticket, told = opened(REPLY, state=State.OPEN)
    resolved = decide(office, ticket, told, Step.RESOLVE)
    assert (resolved.ticket.resolved_at, resolved.ticket.closed_at) == (NOW + HOUR, None)
    told = told.and_then(*resolved.events)
    closed = decide(office, resolved.ticket, told, Step.CLOSE, NOW + 2 * HOUR)
    assert (closed.ticket.resolved_at, closed.ticket.closed_at) == (NOW + HOUR, NOW + 2 * HOUR)
    told = told.and_then(*closed.events)
    again = decide(office, closed.ticket, told, Step.REOPEN, NOW + 3 * HOUR)
    assert (again.ticket.resolved_at, again.ticket.closed_at) == (None, None)
    # R11: the hours in which it was resolved are cut out, the hour before is kept.
    assert clock(again, Metric.RESOLUTION).limit_at == NOW + 2 * HOUR + 24 * HOUR
    assert clock(again).stopped_at == REPLY.at
    assert "was closed does not count, and no new first response is owed" in again.events[0].because


def test_reopened_unanswered_still_owes_the_first_response(office, opened):
    ticket, told = opened()
    resolved = decide(office, ticket, told, Step.RESOLVE)
    again = decide(office, resolved.ticket, told.and_then(*resolved.events), Step.REOPEN, NOW + 2 * HOUR)
    assert "the first response is still owed" in again.events[0].because
    assert clock(again).limit_at == NOW + 4 * HOUR


@pytest.mark.parametrize(("past", "owed"), [((), True), ((REPLY,), False)])
def test_pending_rests_the_resolution_only(office, opened, past, owed):
    # R10
    ticket, told = opened(*past, state=State.OPEN if past else State.NEW)
    decision = decide(office, ticket, told, Step.PENDING)
    assert "resolution rests" in decision.because
    assert ("the first response is owed all the same" in decision.because) is owed
    assert clock(decision).paused is False
    told = told.and_then(*decision.events)
    again = decide(office, decision.ticket, told, Step.OPEN, NOW + 3 * HOUR)
    assert clock(again, Metric.RESOLUTION).limit_at == NOW + 2 * HOUR + 24 * HOUR
    assert "no longer waits on the customer" in again.events[0].because


def test_a_severity_is_judged_from_the_start(office, opened):
    # R5
    ticket, told = opened()
    decision = decide(office, ticket, told, Grade(Severity.LOW))
    assert decision.ticket.severity is Severity.LOW
    assert decision.ticket.severity_because == ("ann set it to low; it was normal",)
    before = {"severity": "normal", "severity_because": []}
    assert decision.events[0].data == {"to": "low", "from": "normal", "before": before}
    assert clock(decision).limit_at == NOW + 12 * HOUR
    assert clock(decision).state is ClockState.RUNNING
    assert "breach" not in decision.because


def test_a_severity_whose_limit_has_passed_is_a_breach_of_this_moment(office, opened):
    ticket, told = opened()
    decision = decide(office, ticket, told, Grade(Severity.URGENT), NOW + timedelta(minutes=40))
    first = clock(decision)
    assert (first.breached_at, first.by_reclassification) == (NOW + timedelta(minutes=40), True)
    assert "by that the limit of first_response has passed already" in decision.events[0].because
    assert "first_response is in breach since 2026-03-11 09:40 UTC" in decision.because
    # The watch has something to tell: one mail to each, and then nothing for a while.
    written = replace(told.and_then(*decision.events), clocks=tuple(found for found, _ in decision.clocks))
    due = on_due(decision.ticket, written, (), office, NOW + timedelta(minutes=40, seconds=1))
    assert len(due.letters) == len({letter.agent.address for letter in due.letters}) > 0
    # Back to normal, the breach on record stays, and is not told as a new one.
    back = decide(office, decision.ticket, written, Grade(Severity.NORMAL), NOW + 2 * HOUR)
    assert clock(back).breached_at == NOW + timedelta(minutes=40)
    assert "has passed already" not in back.because


def test_a_breach_that_was_there_before_is_no_breach_of_the_new_severity(office, opened):
    ticket, told = opened()
    told = replace(told, clocks=tuple(found for found, _ in clocks_of(office, ticket, told, NOW + 5 * HOUR)))
    decision = decide(office, ticket, told, Grade(Severity.URGENT), NOW + 5 * HOUR)
    assert clock(decision).breached_at == NOW + 4 * HOUR
    assert "limit of resolution has passed already" in decision.because


def test_a_met_clock_is_never_judged_again(office, opened):
    ticket, told = opened(Event(NOW + HOUR, "ann", "agent_reply", "relayed", {"ref": "r"}), state=State.OPEN)
    decision = decide(office, ticket, told, Grade(Severity.URGENT), NOW + HOUR + timedelta(seconds=1))
    assert clock(decision).state is ClockState.MET
    assert "first_response stopped in time" in decision.because


def test_answered_late_is_said(office, opened):
    ticket, told = opened(Event(NOW + 5 * HOUR, "ann", "agent_reply", "relayed", {"ref": "r"}), state=State.OPEN)
    decision = decide(office, ticket, told, Assign("ann"), NOW + 6 * HOUR)
    assert "first_response stopped late at 2026-03-11 14:00 UTC" in decision.because


def test_no_guess_overwrites_a_person(office, opened, make_case):
    ticket, told = opened()
    set_low = decide(office, ticket, told, Grade(Severity.LOW))
    case = make_case(
        ticket=set_low.ticket,
        told=told.and_then(*set_low.events),
        guess=Guess(Severity.URGENT, ("everything burns",)),
        placement=Placement(ticket.number, Rung.STORED_ID, "the evidence"),
    )
    after = on_mail(case, office, NOW + 2 * HOUR)
    assert after.ticket.severity is Severity.LOW
    assert after.ticket.severity_because == set_low.ticket.severity_because


COMMANDS = st.one_of(
    st.sampled_from(Step),
    st.builds(Grade, st.sampled_from(Severity)),
    st.builds(Assign, st.sampled_from([None, "ann", "bob", "eve"])),
)


# The fixtures are values that nothing changes, so one of each does for every example.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(COMMANDS, st.integers(0, 100_000)), max_size=8))
def test_the_clocks_of_the_ledger_are_those_of_its_events(office, opened, steps):
    # Whatever an operator does: a ticket's state and its clocks agree, and the same word twice is refused.
    (ticket, told), at = opened(), NOW
    for command, seconds in steps:
        at += timedelta(seconds=seconds)
        decision = on_command(ticket, told, command, office, "ann", at)
        if isinstance(decision, Refused):
            continue
        ticket, told = decision.ticket, told.and_then(*decision.events)
        told = replace(told, clocks=tuple(found for found, _ in decision.clocks))
        assert isinstance(on_command(ticket, told, command, office, "ann", at), Refused)
        resting = ticket.state in {State.RESOLVED, State.CLOSED}
        assert (clock(decision, Metric.RESOLUTION).stopped_at is not None) is resting
        assert clock(decision, Metric.RESOLUTION).paused is (ticket.state is State.PENDING)
        assert clock(decision).stopped_at is None
