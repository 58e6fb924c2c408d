"""Whose turn it is: tables over handovers, changes of the clock, overlaps and gaps; and what holds at any instant."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.sla.rota import AHEAD, Rota, Shift, Shifts, Turns, first_gap, handovers, on_duty

DAY = 86_400
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Asia/Kolkata")


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def turns(*agents, start="2026-01-05 09:00", every=7 * DAY, zone="Europe/Berlin"):
    return Rota("support", Turns(agents, datetime.fromisoformat(start), every, zone))


def shifts(*rows):
    found = [Shift(utc(start), utc(end), agent) for start, end, agent in rows]
    return Rota("support", Shifts(tuple(sorted(found, key=lambda shift: shift.start))))


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-01-05 07:59", ()),
        ("2026-01-05 08:00", ("ann", "bob", "eve")),
        ("2026-01-12 07:59", ("ann", "bob", "eve")),
        ("2026-01-12 08:00", ("bob", "eve", "ann")),
        ("2026-01-19 08:00", ("eve", "ann", "bob")),
        ("2026-01-26 08:00", ("ann", "bob", "eve")),
        # At nine in summer, too, which is an hour earlier.
        ("2026-03-30 06:59", ("eve", "ann", "bob")),
        ("2026-03-30 07:00", ("ann", "bob", "eve")),
        ("2026-10-26 07:59", ("eve", "ann", "bob")),
        ("2026-10-26 08:00", ("ann", "bob", "eve")),
    ],
)
def test_turns_go_round(at, who):
    assert on_duty(turns("ann", "bob", "eve"), utc(at)) == who


@pytest.mark.parametrize(
    ("start", "every", "zone", "at", "who"),
    [
        # 02:30 is left out: the handover is at 03:30 on the wall.
        ("2026-03-28 02:30", DAY, "Europe/Berlin", "2026-03-29 01:29", "ann"),
        ("2026-03-28 02:30", DAY, "Europe/Berlin", "2026-03-29 01:30", "bob"),
        # 02:30 comes twice: the first one counts, and nobody gets his turn back.
        ("2026-10-24 02:30", DAY, "Europe/Berlin", "2026-10-25 00:29", "ann"),
        ("2026-10-24 02:30", DAY, "Europe/Berlin", "2026-10-25 00:30", "bob"),
        ("2026-10-24 02:30", DAY, "Europe/Berlin", "2026-10-25 01:05", "bob"),
        # By the hour, in the doubled hour and after it.
        ("2026-10-25 00:00", 3600, "Europe/Berlin", "2026-10-24 23:59", "bob"),
        ("2026-10-25 00:00", 3600, "Europe/Berlin", "2026-10-25 00:10", "ann"),
        ("2026-10-25 00:00", 3600, "Europe/Berlin", "2026-10-25 01:10", "ann"),
        ("2026-10-25 00:00", 3600, "Europe/Berlin", "2026-10-25 02:10", "bob"),
        # A change of two hours, and turns that are shorter.
        ("2026-03-29 00:00", 3600, "Antarctica/Troll", "2026-03-29 00:59", "ann"),
        ("2026-03-29 00:00", 3600, "Antarctica/Troll", "2026-03-29 01:00", "bob"),
        ("2026-03-29 00:00", 3600, "Antarctica/Troll", "2026-03-29 02:00", "ann"),
    ],
)
def test_when_the_clock_is_changed(start, every, zone, at, who):
    assert on_duty(turns("ann", "bob", start=start, every=every, zone=zone), utc(at))[0] == who


def test_one_who_has_more_turns_than_others_follows_once():
    assert on_duty(turns("ann", "bob", "ann", "eve"), utc("2026-01-20 12:00")) == ("ann", "eve", "bob")
    assert turns("ann", "bob", "ann").agents == ("ann", "bob")
    assert shifts(*ROWS).agents == ("ann", "eve", "bob", "max")


ROWS = (
    ("2026-01-05 08:00", "2026-01-12 08:00", "ann"),
    ("2026-01-10 08:00", "2026-01-11 08:00", "eve"),
    ("2026-01-12 08:00", "2026-01-19 08:00", "bob"),
    ("2026-01-12 08:00", "2026-01-19 08:00", "eve"),
    ("2026-01-26 08:00", "2026-02-02 08:00", "ann"),
    ("2027-06-01 08:00", "2027-06-02 08:00", "max"),
)


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-01-05 07:59", ()),
        ("2026-01-05 08:00", ("ann", "eve", "bob")),
        ("2026-01-10 08:00", ("ann", "eve", "bob")),
        ("2026-01-12 08:00", ("bob", "eve", "ann")),
        ("2026-01-19 07:59", ("bob", "eve", "ann")),
        ("2026-01-19 08:00", ()),
        ("2026-01-26 08:00", ("ann",)),
        ("2026-02-02 08:00", ()),
        ("2027-06-01 08:00", ("max",)),
        ("2030-01-01 00:00", ()),
    ],
)
def test_duties_of_a_file(at, who):
    assert on_duty(shifts(*ROWS), utc(at)) == who


def test_a_duty_that_began_almost_a_year_ago_still_runs():
    rota = shifts(("2026-01-01 00:00", "2027-01-02 00:00", "ann"), ("2026-12-01 00:00", "2026-12-31 00:00", "bob"))
    assert on_duty(rota, utc("2026-12-05 00:00")) == ("ann", "bob")
    assert on_duty(rota, utc("2027-01-01 23:59")) == ("ann",)


def test_handovers_are_changes_of_whoever_is_first():
    rota = shifts(*ROWS)
    found = [(at, who[:1]) for at, who in handovers(rota, utc("2026-01-01 00:00"), utc("2026-02-02 08:00"))]
    assert found == [
        (utc("2026-01-05 08:00"), ("ann",)),
        (utc("2026-01-12 08:00"), ("bob",)),
        (utc("2026-01-19 08:00"), ()),
        (utc("2026-01-26 08:00"), ("ann",)),
        (utc("2026-02-02 08:00"), ()),
    ]
    weekly = turns("ann", "bob", "bob")
    assert [(at, who[0]) for at, who in handovers(weekly, utc("2026-01-01 00:00"), utc("2026-01-31 00:00"))] == [
        (utc("2026-01-05 08:00"), "ann"),
        (utc("2026-01-12 08:00"), "bob"),
        (utc("2026-01-26 08:00"), "ann"),
    ]


def test_one_alone_is_never_relieved():
    alone = turns("ann", every=3600)
    assert list(handovers(alone, utc("2026-02-01 00:00"), utc("2126-02-01 00:00"))) == []
    assert [who for _, who in handovers(alone, utc("2026-01-01 00:00"), utc("2126-02-01 00:00"))] == [("ann",)]


@pytest.mark.parametrize(
    ("rota", "since", "gap"),
    [
        (turns("ann", "bob"), "2026-01-05 08:00", None),
        (turns("ann", "bob"), "2026-01-01 00:00", ("2026-01-01 00:00", "2026-01-05 08:00")),
        (turns("ann", start="2030-01-05 09:00"), "2026-01-01 00:00", ("2026-01-01 00:00", None)),
        (shifts(*ROWS), "2026-01-05 08:00", ("2026-01-19 08:00", "2026-01-26 08:00")),
        (shifts(*ROWS), "2026-01-20 00:00", ("2026-01-20 00:00", "2026-01-26 08:00")),
        (shifts(*ROWS), "2026-01-27 00:00", ("2026-02-02 08:00", None)),
        (shifts(("2026-01-01 00:00", "2026-12-31 00:00", "ann")), "2026-01-01 00:00", ("2026-12-31 00:00", None)),
    ],
)
def test_the_first_gap(rota, since, gap):
    found = first_gap(rota, utc(since), utc(since) + AHEAD)
    assert found == (gap and (utc(gap[0]), gap[1] and utc(gap[1])))


INSTANTS = st.datetimes(datetime(2025, 12, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them so
TURNS = st.builds(
    Turns,
    st.lists(st.sampled_from(("ann", "bob", "eve")), min_size=1, max_size=5).map(tuple),
    st.datetimes(datetime(2025, 12, 1), datetime(2026, 3, 1)).map(lambda at: at.replace(second=0, microsecond=0)),  # noqa: DTZ001 - a wall
    st.sampled_from((3600, 5400, 43_200, DAY, 7 * DAY, 30 * DAY)),
    st.sampled_from(ZONES),
)


@settings(max_examples=300, deadline=None)
@given(TURNS, INSTANTS)
def test_from_its_start_on_exactly_one_turn_runs_at_any_instant(plan, at):
    who = on_duty(Rota("r", plan), at)
    if at < plan.handover(0):
        assert who == ()
        return
    assert sorted(who) == sorted(set(plan.agents))
    turn = plan.turn_at(at)
    assert who[0] == plan.agents[turn % len(plan.agents)]
    assert plan.handover(turn) <= at
    # Nothing that begins later has begun, be the wall set back as it may.
    assert all(plan.handover(turn + step) > at for step in range(1, 30))


@settings(max_examples=200, deadline=None)
@given(TURNS, st.integers(0, 200))
def test_a_handover_stands_at_its_hour_on_the_wall(plan, number):
    at = plan.handover(number)
    zone = ZoneInfo(plan.zone)
    wall = plan.start + number * timedelta(seconds=plan.every)
    shown = at.astimezone(zone).replace(tzinfo=None)
    if wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        assert shown == wall
    else:
        assert timedelta() < shown - wall <= timedelta(hours=2)


ROW = st.tuples(st.integers(0, 400), st.integers(1, 90), st.sampled_from(("ann", "bob", "eve")))


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, max_size=8), st.integers(-2, 500))
def test_duties_of_a_file_against_counting(rows, day):
    start = utc("2026-01-01 00:00")
    rota = Rota(
        "r",
        Shifts(
            tuple(
                Shift(start + timedelta(days=first), start + timedelta(days=first + lasts), agent)
                for first, lasts, agent in sorted(rows, key=lambda row: row[0])
            )
        ),
    )
    running = [agent for first, lasts, agent in sorted(rows, key=lambda row: row[0]) if first <= day < first + lasts]
    who = on_duty(rota, start + timedelta(days=day))
    assert who[: len(set(running))] == tuple(dict.fromkeys(running))
    gap = first_gap(rota, start + timedelta(days=day), start + timedelta(days=day) + AHEAD)
    if gap is not None:
        assert on_duty(rota, gap[0]) == ()
        assert gap[1] is None or on_duty(rota, gap[1])
    assert bool(gap and gap[0] == start + timedelta(days=day)) is not bool(running)
