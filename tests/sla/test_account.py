"""The account of a clock: what it counted, and why not the rest."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.sla.account import account
from maild.sla.clock import Clock, ClockState
from maild.sla.hours import ALWAYS, Calendar, between
from maild.sla.policy import Metric
from maild.ticket import State

OFFICE = Calendar.from_json(
    {
        "tz": "Europe/Berlin",
        "hours": {day: [["08:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "holidays": ["2026-05-01", "05-02", "2026-05-14", "2026-12-25"],
        "breaks": {"2026-05-05": [["10:00", "14:00"], ["16:00", "18:00"]], "2026-05-09": [["10:00", "14:00"]]},
        "shifts": {"2026-05-14": [["09:00", "10:00"]]},
    }
)
NIGHT = Calendar.from_json(
    {"tz": "Europe/Berlin", "hours": {"mon": [["22:00", "06:00"]]}, "breaks": {"2026-03-09": [["23:00", "01:00"]]}}
)
NAMES = {"2026-05-01": "Labour Day"}
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def clock(*spans, limit=None, stopped=None):
    return Clock(
        metric=Metric.RESOLUTION,
        cycle=1,
        calendar_name="office",
        target_seconds=60,
        limit_seconds=60,
        spans=tuple((at(start), at(end) if end else None) for start, end in spans),
        target_at=None,
        limit_at=at(limit) if limit else None,
        state=ClockState.RUNNING,
        stopped_at=at(stopped) if stopped else None,
        breached_at=None,
        by_reclassification=False,
        elapsed_seconds=None,
        paused_seconds=0,
    )


def told(clock, calendar=OFFICE, state=State.PENDING, now=LATER):
    entries = account(clock, calendar, NAMES, lambda _: state, now)
    return [
        (f"{one.start:%d %H:%M}", f"{one.end:%d %H:%M}", one.what, one.counted_seconds, one.because) for one in entries
    ]


def test_over_a_pause_a_night_and_a_holiday():
    life = clock(
        ("2026-04-30T08:10+02:00", "2026-04-30T12:00+02:00"),
        ("2026-04-30T14:30+02:00", None),
        limit="2026-05-04T09:00+02:00",
    )
    assert told(life) == [
        ("30 06:10", "30 10:00", "counted", 13_800, ""),
        ("30 10:00", "30 12:30", "pending", 0, "it waited on the customer"),
        ("30 12:30", "30 15:00", "counted", 9_000, ""),
        ("30 15:00", "30 22:00", "closed", 0, ""),
        ("30 22:00", "01 22:00", "holiday", 0, "Labour Day"),
        ("01 22:00", "04 06:00", "closed", 0, ""),
        ("04 06:00", "04 07:00", "counted", 3_600, ""),
    ]


def test_a_break_is_called_so():
    life = clock(("2026-05-05T09:00+02:00", None), limit="2026-05-05T15:00+02:00")
    assert [line[:3] for line in told(life)] == [
        ("05 07:00", "05 08:00", "counted"),
        ("05 08:00", "05 12:00", "break"),
        ("05 12:00", "05 13:00", "counted"),
    ]
    evening = clock(("2026-05-05T15:30+02:00", None), limit="2026-05-06T09:00+02:00")
    assert [line[:3] for line in told(evening)] == [
        ("05 13:30", "05 14:00", "counted"),
        ("05 14:00", "05 16:00", "break"),
        ("05 16:00", "06 06:00", "closed"),
        ("06 06:00", "06 07:00", "counted"),
    ]
    before = clock(("2026-05-05T07:30+02:00", "2026-05-05T09:00+02:00"), stopped="2026-05-05T09:00+02:00")
    assert [line[2] for line in told(before)] == ["closed", "counted"]
    saturday = clock(("2026-05-08T16:00+02:00", None), limit="2026-05-11T09:00+02:00")
    assert [line[2] for line in told(saturday)] == ["counted", "closed", "break", "closed", "counted"]
    long = clock(("2026-03-09T22:30+01:00", None), limit="2026-03-10T02:00+01:00")
    assert [line[:3] for line in told(long, NIGHT)] == [
        ("09 21:30", "09 22:00", "counted"),
        ("09 22:00", "09 23:00", "break"),
        ("09 23:00", "10 00:00", "closed"),
        ("10 00:00", "10 01:00", "counted"),
    ]


def test_a_shift_makes_a_holiday_none():
    life = clock(("2026-05-13T16:30+02:00", None), limit="2026-05-14T09:30+02:00")
    assert [line[2] for line in told(life)] == ["counted", "closed", "counted"]


@pytest.mark.parametrize(
    ("state", "because"),
    [
        (State.PENDING, "it waited on the customer"),
        (State.RESOLVED, "it was resolved"),
        (State.CLOSED, "it was closed"),
        (State.OPEN, "it did not run"),
    ],
)
def test_one_that_rests_goes_on_to_now(state, because):
    life = clock(("2026-05-05T15:00+02:00", "2026-05-05T15:30+02:00"))
    now = at("2026-05-05T18:00+02:00")
    assert told(life, state=state, now=now) == [
        ("05 13:00", "05 13:30", "counted", 1_800, ""),
        ("05 13:30", "05 16:00", str(state), 0, because),
    ]
    assert len(told(life, now=at("2026-05-05T15:30+02:00"))) == 1


def test_one_that_stopped_ends_there():
    life = clock(("2026-05-05T15:00+02:00", "2026-05-05T15:30+02:00"), stopped="2026-05-05T15:30+02:00")
    assert [line[2] for line in told(life)] == ["counted"]


def test_spans_that_touch_have_no_rest_between():
    life = clock(
        ("2026-05-06T13:00+02:00", "2026-05-06T13:30+02:00"),
        ("2026-05-06T13:30+02:00", None),
        limit="2026-05-06T14:00+02:00",
    )
    assert [line[2] for line in told(life)] == ["counted", "counted"]


def test_fractions_of_a_second_are_lost_once():
    life = clock(
        ("2026-05-06T16:59:59.400+02:00", "2026-05-07T08:00:00.400+02:00"),
        ("2026-05-07T08:00:01.400+02:00", None),
        limit="2026-05-07T08:00:02.400+02:00",
    )
    assert [line[3] for line in told(life) if line[2] == "counted"] == [0, 1, 1]


def test_always_open_is_one_line_and_an_empty_span_is_none():
    life = clock(("2026-05-01T00:00+00:00", None), limit="2026-05-03T00:00+00:00")
    assert told(life, ALWAYS) == [("01 00:00", "03 00:00", "counted", 172_800, "")]
    assert told(clock(("2026-05-01T00:00+00:00", None), limit="2026-05-01T00:00+00:00")) == []


zones = st.sampled_from(
    ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns"]
)


@settings(max_examples=120, deadline=None)
@given(zones, st.integers(0, 60 * 24 * 4000), st.integers(1, 60 * 24 * 40))
def test_the_account_is_whole_and_adds_up(zone, start, minutes):
    calendar = Calendar.from_json(
        {
            "tz": zone,
            "hours": {day: [["08:00", "12:00"], ["13:00", "24:00"]] for day in ("mon", "wed", "sat")},
            "holidays": ["05-02", "10-17", "2011-12-31"],
            "breaks": {"2011-12-28": [["10:00", "14:00"]]},
        }
    )
    begun = datetime(2009, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    end = begun + timedelta(minutes=minutes)
    entries = list(
        account(clock((begun.isoformat(), None), limit=end.isoformat()), calendar, {}, lambda _: State.OPEN, end)
    )
    assert (entries[0].start, entries[-1].end) == (begun, end)
    assert all(before.end == after.start for before, after in itertools.pairwise(entries))
    assert all(one.start < one.end for one in entries)
    assert sum(one.counted_seconds for one in entries) == between(calendar, begun, end)
