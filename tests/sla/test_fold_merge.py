"""R13: another ticket goes into this one, as the fold sees it."""

from datetime import UTC, datetime, timedelta

import pytest

from maild.sla.clock import ClockState, History, SlaEvent
from maild.sla.fold import fold, next_cycles, state_of
from maild.sla.hours import ALWAYS
from maild.sla.policy import Metric, Policy, Promise, standard
from maild.sla.tape import union, without
from maild.ticket import Severity, State, together

START = datetime(2026, 3, 11, 9, tzinfo=UTC)
POLICY = standard(ALWAYS, ALWAYS)


def at(minutes):
    return START + timedelta(minutes=minutes)


def life(opened, *events, severity=Severity.NORMAL, by="customer"):
    return History(at(opened), by, severity, events)


def event(minutes, kind, to="", **more):
    return SlaEvent(at(minutes), kind, to, **more)


def merged(minutes, other, to=Severity.NORMAL, recorded=()):
    return SlaEvent(at(minutes), "merged", str(to), other=other, recorded=recorded)


def folded(history, now=10_000, policy=POLICY):
    return {(clock.metric, clock.cycle): clock for clock in fold(history, policy, at(now))}


def first(history, now=10_000):
    return folded(history, now)[Metric.FIRST_RESPONSE, 1]


def resolution(history, now=10_000):
    return folded(history, now)[Metric.RESOLUTION, 1]


REPLY = event(10, "agent_reply", ref="r@x")


@pytest.mark.parametrize(
    ("mine", "other", "span"),
    [
        (life(0), life(5), (0, None)),
        (life(5), life(0), (0, None)),
        (life(5), life(0, REPLY), (0, 10)),
        (life(0), life(5, REPLY), (0, 10)),
        (life(5, event(20, "agent_reply")), life(0, REPLY), (0, 10)),
        (life(5, event(20, "agent_reply")), life(0), (0, 20)),
        (life(5, by="agent"), life(0, REPLY), (0, 10)),
        (life(5, REPLY), life(0, by="agent"), (5, 10)),
    ],
)
def test_the_first_response(mine, other, span):
    whole = History(mine.opened_at, mine.opened_by, mine.severity, (*mine.events, merged(60, other)))
    clock = first(whole, 61)
    start, stop = span
    assert clock.spans == ((at(start), None if stop is None else at(stop)),)
    assert clock.stopped_at == (None if stop is None else at(stop))


def test_two_tickets_that_owe_no_first_response():
    whole = life(5, merged(60, life(0, by="agent")), by="agent")
    assert {metric for metric, _ in folded(whole)} == {Metric.RESOLUTION}


def test_a_late_reply_stays_late_and_one_that_was_in_time_for_both_is_in_time():
    # normal: 4 h from its own start
    late = life(0, event(300, "agent_reply"))
    assert first(life(290, merged(301, late)), 302).breached_at == at(240)
    answered = life(200, event(250, "agent_reply"), merged(251, life(0)))
    assert first(answered, 252).breached_at == at(240)
    in_time = life(200, event(230, "agent_reply"), merged(251, life(0)))
    assert (first(in_time).breached_at, first(in_time).state) == (None, ClockState.MET)


def test_a_breach_on_the_other_one_s_record_counts_as_recorded():
    recorded = ((Metric.FIRST_RESPONSE, 1, at(7)), (Metric.RESOLUTION, 1, at(8)))
    whole = life(5, merged(60, life(0), recorded=recorded))
    assert (first(whole).breached_at, resolution(whole).breached_at) == (at(7), at(8))
    assert not first(whole).by_reclassification


def test_the_strictest_severity_is_judged_from_the_earliest_start():
    whole = life(100, merged(110, life(0, severity=Severity.LOW), to=Severity.URGENT), severity=Severity.URGENT)
    assert (first(whole, 111).limit_at, first(whole, 111).breached_at) == (at(30), at(110))
    assert first(whole, 111).by_reclassification
    mild = life(100, merged(110, life(109, severity=Severity.HIGH), to=Severity.HIGH))
    assert (first(mild, 111).limit_at, first(mild, 111).by_reclassification) == (at(130), False)


@pytest.mark.parametrize(
    ("mine", "other", "spans", "paused", "state"),
    [
        ((), (), [(0, None)], 0, State.NEW),
        ((event(20, "status", "waiting"),), (), [(0, None)], 0, State.OPEN),
        ((event(20, "status", "waiting"),), (event(30, "status", "waiting"),), [(0, 30)], 30, State.PENDING),
        (
            (event(20, "status", "waiting"), event(40, "customer_message"), event(50, "status", "waiting")),
            (event(30, "status", "resolved"),),
            [(0, 30), (40, 50)],
            20,
            State.PENDING,
        ),
        ((event(20, "status", "resolved"),), (event(30, "status", "waiting"),), [(0, 30)], 30, State.PENDING),
        ((event(20, "status", "resolved"),), (event(30, "status", "resolved"),), [(0, 30)], 0, State.RESOLVED),
        ((event(20, "status", "resolved"),), (), [(0, None)], 0, State.OPEN),
        ((event(60, "status", "waiting"),), (event(60, "status", "waiting"),), [(0, 60)], 0, State.PENDING),
    ],
)
def test_what_either_ran_counts_once(mine, other, spans, paused, state):
    whole = life(0, *mine, merged(60, life(0, *other)))
    clock = resolution(whole, 60)
    assert [(start, end) for start, end in clock.spans] == [(at(a), None if b is None else at(b)) for a, b in spans]
    assert clock.paused_seconds == paused * 60
    assert clock.stopped_at == (at(30) if state is State.RESOLVED else None)
    assert state_of(whole, POLICY, at(60)) is state
    if state is State.PENDING:
        goes_on = resolution(life(0, *whole.events, event(90, "customer_message")), 90)
        assert goes_on.spans[-1] == (at(90), None)
        assert goes_on.paused_seconds == (paused + 30) * 60


def test_both_resolved_are_judged_as_they_were():
    whole = life(
        0,
        event(20, "status", "resolved"),
        merged(60, life(0, event(50, "status", "resolved"), severity=Severity.LOW), to=Severity.URGENT),
        severity=Severity.URGENT,
    )
    clock = resolution(whole)
    assert (clock.state, clock.stopped_at, clock.limit_seconds) == (ClockState.MET, at(50), 48 * 3600)


def test_a_start_that_lies_ahead_is_not_before_now():
    assert resolution(life(0, merged(10, life(20))), 30).spans == ((at(0), None),)


NEXT = Policy("next", dict.fromkeys(Severity, Promise("always", ALWAYS, (60, 120), (600, 1200), (60, 120))))


@pytest.mark.parametrize(
    ("mine", "other", "cycles"),
    [
        # The other one was answered, this one's customer wrote after that: he waits for the next response.
        (life(20), life(0, REPLY), [(20, None)]),
        (life(5), life(0, REPLY), []),
        (life(0, REPLY), life(20), [(20, None)]),
        (life(0, REPLY, event(15, "customer_message")), life(20), [(15, None)]),
        (life(0, REPLY), life(0, REPLY, event(15, "customer_message")), [(15, None)]),
        (life(20), life(0, REPLY, event(12, "customer_message"), event(14, "agent_reply")), [(12, 14), (20, None)]),
        (life(20), life(0), []),
    ],
)
def test_who_waits_for_the_next_response(mine, other, cycles):
    whole = History(mine.opened_at, mine.opened_by, mine.severity, (*mine.events, merged(60, other)))
    found = next_cycles(whole, NEXT, at(61))
    assert [(one.start, one.met_at) for one in found] == [
        (at(start), None if end is None else at(end)) for start, end in cycles
    ]
    clocks = [clock for (metric, _), clock in folded(whole, 61, NEXT).items() if metric is Metric.NEXT_RESPONSE]
    assert [(clock.started_at, clock.stopped_at) for clock in clocks] == [(one.start, one.met_at) for one in found]


def test_a_reply_that_bounces_later_counts_no_more_however_deep_it_lies():
    deep = life(0, merged(30, life(0, REPLY)))
    whole = life(5, merged(60, deep))
    assert first(whole).stopped_at == at(10)
    bounced = life(5, merged(60, deep), event(90, "bounce", ref="r@x"))
    assert first(bounced).stopped_at is None
    assert first(life(5, merged(60, life(0, REPLY)), event(90, "bounce", ref="other@x"))).stopped_at == at(10)


def test_the_clocks_of_the_one_that_is_gone_end():
    gone = life(0, REPLY, event(60, "merged_into"))
    assert (first(gone).state, resolution(gone).state) == (ClockState.MET, ClockState.ENDED)
    assert resolution(gone).stopped_at == at(60)
    assert resolution(life(0, event(20, "status", "waiting"), event(60, "merged_into"))).state is ClockState.ENDED
    late = life(0, event(60, "merged_into"), severity=Severity.URGENT)
    assert (first(late).state, first(late).breached_at) == (ClockState.BREACHED, at(30))


def test_a_merge_that_says_nothing_of_the_other_one_changes_nothing():
    assert folded(life(0, event(20, "merged"))) == folded(life(0))


def test_spans():
    assert union([(at(5), at(9)), (at(0), at(6)), (at(20), None)], at(30), open_ended=True) == [
        (at(0), at(9)),
        (at(20), None),
    ]
    assert union([], at(30), open_ended=True) == [(at(30), None)]
    whole = [(at(0), at(30)), (at(40), None)]
    taken = [(at(5), at(10)), (at(20), at(45)), (at(70), None)]
    assert without(whole, taken, at(60), open_ended=False) == [(at(0), at(5)), (at(10), at(20)), (at(45), at(60))]


@pytest.mark.parametrize("one", State)
@pytest.mark.parametrize("other", State)
@pytest.mark.parametrize("answered", [True, False])
def test_where_two_stand_that_are_one(one, other, answered):
    found = together(one, other, answered=answered)
    waits = {State.NEW, State.OPEN}
    if one in waits or other in waits:
        assert found in waits, "somebody waits for us"
    elif State.PENDING in {one, other}:
        assert found is State.PENDING
    else:
        assert found is one
    assert (found is State.NEW) == (one is State.NEW and not answered)
