from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.mail import Address
from maild.report.figures import (
    BUCKETS,
    Correction,
    CustomerFigures,
    Tally,
    customer_name,
    judged_at,
    report,
    together,
)
from maild.sla.clock import ClockState
from maild.sla.policy import Metric
from maild.ticket import Severity

WEEK = (datetime(2026, 3, 1, 23, 0, tzinfo=UTC), datetime(2026, 3, 8, 23, 0, tzinfo=UTC))
BERLIN = "Europe/Berlin"


def of_normal(figures):
    return next(one for one in figures.answers if one.severity is Severity.NORMAL)


@pytest.mark.parametrize(
    ("address", "known", "name"),
    [
        ("carol@acme.example", "Acme", "Acme"),
        ("carol@acme.example", "", "acme.example"),
        ("Carol@Gmail.com", "", "carol@gmail.com"),
        ("carol", "", "carol"),
        ("", "", "unknown"),
    ],
)
def test_whose_a_ticket_is(address, known, name):
    assert customer_name(Address("", address), known) == name


def test_a_promise_is_judged_when_it_is_kept_or_broken(make_clock, monday):
    assert judged_at(make_clock(30)) == monday + timedelta(minutes=30)
    assert judged_at(make_clock(90)) == monday + timedelta(hours=1)
    assert judged_at(make_clock(None)) is None
    assert judged_at(make_clock(30, state=ClockState.ENDED)) is None


def test_what_is_promised_counts_by_metric_severity_and_local_week(make_clock, make_life):
    # Sunday 23:30 UTC is Monday in Berlin.
    late_on_sunday = datetime(2026, 3, 8, 22, 50, tzinfo=UTC)
    lives = [
        make_life(make_clock(30), make_clock(90, metric=Metric.RESOLUTION)),
        make_life(make_clock(5), severity=Severity.URGENT),
        make_life(make_clock(5, start=late_on_sunday), opened_at=late_on_sunday),
        make_life(make_clock(40, start=late_on_sunday), opened_at=late_on_sunday),
    ]
    figures = report(lives, (), WEEK[0], WEEK[1] + timedelta(days=7), BERLIN)
    found = [(one.metric, one.severity, one.week, one.tally.met, one.tally.missed) for one in figures.promised]
    assert found == [
        (Metric.FIRST_RESPONSE, Severity.URGENT, date(2026, 3, 2), 1, 0),
        (Metric.FIRST_RESPONSE, Severity.NORMAL, date(2026, 3, 2), 2, 0),
        (Metric.RESOLUTION, Severity.NORMAL, date(2026, 3, 2), 0, 1),
        (Metric.FIRST_RESPONSE, Severity.NORMAL, date(2026, 3, 9), 1, 0),
    ]
    assert together(figures.promised, lambda one: one.severity) == {
        Severity.URGENT: Tally(1, 0),
        Severity.NORMAL: Tally(3, 1),
    }
    assert Tally(3, 1).judged == 4


def test_the_period_begins_with_its_first_instant_and_ends_before_its_last(make_clock, make_life):
    at_start, at_end = (make_life(make_clock(0, start=at), opened_at=at) for at in WEEK)
    figures = report([at_start, at_end], (), *WEEK, BERLIN)
    assert sum(figures.opened.values()) == 1
    assert [one.tally.met for one in figures.promised] == [1]
    assert of_normal(figures).count == 1


def test_how_soon_customers_were_answered(make_clock, make_life):
    lives = [make_life(make_clock(minutes)) for minutes in (15, 16, 30, 45, 60, 200, 400, 800, 1500)]
    nine = of_normal(report(lives, (), *WEEK, BERLIN))
    assert (nine.count, nine.median, nine.ninety, nine.longest) == (9, 60 * 60, None, 1500 * 60)
    assert nine.spread == (1, 2, 2, 1, 1, 0, 1, 1)
    ten = of_normal(report([*lives, make_life(make_clock(1))], (), *WEEK, BERLIN))
    assert (ten.count, ten.median, ten.ninety) == (10, 45 * 60, 800 * 60)
    four = of_normal(report(lives[:4], (), *WEEK, BERLIN))
    assert (four.count, four.median, four.longest) == (4, None, 45 * 60)
    none = of_normal(report([], (), *WEEK, BERLIN))
    assert (none.count, none.median, none.ninety, none.longest, none.waiting) == (0, None, None, None, 0)


def test_who_waits_is_counted_apart(make_clock, make_life):
    later = make_clock(60 * 24 * 10)
    lives = [
        make_life(make_clock(None)),
        make_life(later),
        make_life(make_clock(5, state=ClockState.ENDED)),
        make_life(make_clock(None, metric=Metric.RESOLUTION)),
    ]
    found = of_normal(report(lives, (), *WEEK, BERLIN))
    assert (found.count, found.waiting) == (0, 2)


def test_an_answer_that_came_late_counts_when_it_came(make_clock, make_life):
    """Its breach lies in the week before."""
    clock = make_clock(60 * 24 * 8)
    figures = report([make_life(clock)], (), WEEK[1], WEEK[1] + timedelta(days=7), BERLIN)
    assert figures.promised == ()
    assert of_normal(figures).count == 1


def test_customers_with_most_missed_come_first(make_clock, make_life):
    lives = [
        make_life(make_clock(5), customer="Zeta"),
        make_life(make_clock(5), customer="Acme"),
        make_life(make_clock(90), customer="Globex"),
        make_life(make_clock(30), customer="Old", opened_at=WEEK[0] - timedelta(days=1)),
    ]
    assert report(lives, (), *WEEK, BERLIN).customers == (
        CustomerFigures("Globex", 1, Tally(0, 1)),
        CustomerFigures("Acme", 1, Tally(1, 0)),
        CustomerFigures("Zeta", 1, Tally(1, 0)),
        CustomerFigures("Old", 0, Tally(1, 0)),
    )


def test_hours_are_those_of_the_desk(make_life):
    summer = datetime(2026, 7, 7, 22, 30, tzinfo=UTC)
    figures = report([make_life(opened_at=summer)], (), summer, summer + timedelta(days=1), BERLIN)
    assert figures.hours[2][0] == 1  # Wednesday, half past midnight
    assert sum(map(sum, figures.hours)) == 1


def test_a_ticket_that_went_into_another_one_is_no_new_ticket(make_clock, make_life):
    gone = make_life(make_clock(5), merged_into=1002)
    figures = report([gone], (), *WEEK, BERLIN)
    assert sum(figures.opened.values()) == 0
    assert figures.promised[0].tally.met == 1


def test_corrections_of_the_period_in_order(monday):
    one = Correction(7, monday, "ann", Severity.HIGH, Severity.LOW)
    changes = [replace(one, ticket=9), one, replace(one, at=WEEK[1]), replace(one, at=WEEK[0])]
    figures = report([], changes, *WEEK, BERLIN)
    assert [(change.at, change.ticket) for change in figures.corrections] == [(WEEK[0], 7), (monday, 7), (monday, 9)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Severity)), st.integers(0, 14 * 24 * 60), st.one_of(st.none(), st.integers(0, 3000))
        ),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_weeks_add_up_to_their_whole(make_clock, make_life, drawn):
    """Nothing is counted twice or lost where a period is cut in two."""
    lives = []
    for severity, opened, minutes in drawn:
        at = WEEK[0] + timedelta(minutes=opened)
        lives.append(make_life(make_clock(minutes, start=at), severity=severity, opened_at=at))
    end = WEEK[0] + timedelta(days=21)
    whole = report(lives, (), WEEK[0], end, BERLIN)
    parts = [report(lives, (), WEEK[0], WEEK[1], BERLIN), report(lives, (), WEEK[1], end, BERLIN)]

    def counted(figures):
        found = Counter()
        for one in figures.promised:
            found[one.metric, one.severity, one.week, "met"] += one.tally.met
            found[one.metric, one.severity, one.week, "missed"] += one.tally.missed
        for severity, count in figures.opened.items():
            found["opened", severity] += count
        for one in figures.answers:
            found["answered", one.severity] += one.count
            assert sum(one.spread) == one.count
            assert len(one.spread) == len(BUCKETS) + 1
        for customer in figures.customers:
            found["customer", customer.name] += customer.opened + customer.tally.judged
        found["hours"] += sum(map(sum, figures.hours))
        return +found

    assert counted(whole) == counted(parts[0]) + counted(parts[1])
    assert counted(whole)["hours"] == len(lives)
