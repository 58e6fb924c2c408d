from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.sla.clock import ClockState, History, SlaEvent
from maild.sla.fold import fold
from maild.sla.hours import ALWAYS, weekdays
from maild.sla.policy import Metric, Policy, standard
from maild.sla.simulate import Verdict, counts, differences, under, verdict
from maild.ticket import Severity

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
OWN = standard(weekdays("UTC"), ALWAYS)


def policy(first, next_=None):
    """Give the standard one with another limit (minutes) for first and next responses."""
    promises = {
        severity: replace(
            promise, first_response=(60, first * 60), next_response=None if next_ is None else (60, next_ * 60)
        )
        for severity, promise in OWN.promises.items()
    }
    return Policy("", promises)


def history(*events, severity=Severity.URGENT, opened=NOW - timedelta(hours=9)):
    return History(opened, "customer", severity, tuple(events))


def event(minutes, kind, **more):
    return SlaEvent(NOW - timedelta(hours=9) + timedelta(minutes=minutes), kind, **more)


def first_of(clocks):
    return next(clock for clock in clocks if clock.metric is Metric.FIRST_RESPONSE)


ANSWERED = history(event(40, "agent_reply", ref="r"))


@pytest.mark.parametrize(("limit", "found"), [(30, Verdict.BREACHED), (40, Verdict.MET), (60, Verdict.MET)])
def test_an_answer_after_forty_minutes(limit, found):
    assert verdict(first_of(under(ANSWERED, policy(limit), NOW)), NOW) is found


def test_what_runs_and_what_a_merge_ended():
    running = first_of(under(history(), policy(6000), NOW))
    assert verdict(running, NOW) is Verdict.RUNNING
    assert verdict(replace(running, state=ClockState.ENDED), NOW) is None


def test_what_runs_past_its_limit_is_a_breach_though_nobody_has_looked():
    running = replace(first_of(under(history(), policy(6000), NOW)), limit_at=NOW)
    assert verdict(running, NOW) is Verdict.RUNNING
    assert verdict(running, NOW + timedelta(seconds=1)) is Verdict.BREACHED
    assert verdict(replace(running, limit_at=None), NOW) is Verdict.RUNNING


def test_a_difference_has_both_limits():
    was, would = under(ANSWERED, policy(30), NOW), under(ANSWERED, policy(60), NOW)
    (one,) = differences(7, Severity.URGENT, was, would, NOW)
    assert (one.ticket, one.metric, one.cycle) == (7, Metric.FIRST_RESPONSE, 1)
    assert (one.was, one.would) == (Verdict.BREACHED, Verdict.MET)
    assert one.would_limit_at - one.limit_at == timedelta(minutes=30)
    assert one.stopped_at == NOW - timedelta(hours=9) + timedelta(minutes=40)


def test_a_promise_that_only_one_policy_makes():
    asked = history(event(5, "agent_reply", ref="r"), event(60, "customer_message"), event(70, "agent_reply", ref="s"))
    bare, promised = under(asked, policy(30), NOW), under(asked, policy(30, 30), NOW)
    (more,) = differences(7, Severity.URGENT, bare, promised, NOW)
    assert (more.metric, more.was, more.would, more.limit_at) == (Metric.NEXT_RESPONSE, None, Verdict.MET, None)
    (less,) = differences(7, Severity.URGENT, promised, bare, NOW)
    assert (less.was, less.would, less.would_limit_at) == (Verdict.MET, None, None)
    assert less.stopped_at is not None


def test_a_breach_that_a_merge_brought_along_is_judged_again():
    """The other ticket was answered after 40 minutes, breached on record, and would have been in time."""
    other = replace(ANSWERED, opened_at=NOW - timedelta(hours=9))
    recorded = ((Metric.FIRST_RESPONSE, 1, NOW - timedelta(hours=8, minutes=30)),)
    merged = history(event(120, "merged", to="urgent", other=other, recorded=recorded), opened=NOW - timedelta(hours=8))
    assert verdict(first_of(fold(merged, policy(60), NOW)), NOW) is Verdict.BREACHED
    assert verdict(first_of(under(merged, policy(60), NOW)), NOW) is Verdict.MET
    assert verdict(first_of(under(merged, policy(30), NOW)), NOW) is Verdict.BREACHED


def test_counts():
    met, late = under(ANSWERED, policy(60), NOW), under(ANSWERED, policy(30), NOW)
    ended = tuple(replace(clock, state=ClockState.ENDED) for clock in met)
    assert counts(Severity.URGENT, (*met, *late), NOW) == {
        (Severity.URGENT, Metric.FIRST_RESPONSE, Verdict.MET): 1,
        (Severity.URGENT, Metric.FIRST_RESPONSE, Verdict.BREACHED): 1,
        (Severity.URGENT, Metric.RESOLUTION, Verdict.BREACHED): 2,
    }
    assert counts(Severity.LOW, ended, NOW) == {}


EVENTS = st.lists(
    st.builds(
        event,
        st.integers(0, 530),
        st.sampled_from(["agent_reply", "customer_message", "agent_note", "bounce"]),
    ),
    max_size=8,
)


@given(EVENTS, st.sampled_from(list(Severity)))
@settings(max_examples=60, deadline=None)
def test_the_same_policy_changes_nothing(events, severity):
    life = history(*events, severity=severity)
    assert list(differences(1, severity, fold(life, OWN, NOW), under(life, OWN, NOW), NOW)) == []


@given(EVENTS, st.integers(1, 200), st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_a_longer_limit_breaches_nothing_more(events, limit, more):
    life = history(*events)
    shorter, longer = (first_of(under(life, policy(each), NOW)) for each in (limit, limit + more))
    assert verdict(shorter, NOW) is Verdict.BREACHED or verdict(longer, NOW) is not Verdict.BREACHED
