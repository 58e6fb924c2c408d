"""Open time: tables for R2 and R15."""

import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from maild.sla import hours, wall
from maild.sla.hours import ALWAYS, Calendar, CalendarError, add, between, open_spans, weekdays

NINE_TO_FIVE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
BERLIN = Calendar.from_json({"tz": "Europe/Berlin", "hours": NINE_TO_FIVE, "holidays": ["2026-05-01", "12-25"]})
NIGHT = Calendar.from_json({"tz": "Europe/Berlin", "hours": {"fri": [["22:00", "06:00"]], "sat": [["22:00", "06:00"]]}})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "seconds", "end"),
    [
        ("2026-03-11T08:00:00Z", 3600, "2026-03-11T09:00:00Z"),
        ("2026-03-11T12:00:00Z", 4 * 3600, "2026-03-11T16:00:00Z"),
        ("2026-03-11T16:00:00Z", 0, "2026-03-12T08:00:00Z"),
        ("2026-03-11T15:59:59Z", 0, "2026-03-11T15:59:59Z"),
        ("2026-03-11T15:59:59Z", 2, "2026-03-12T08:00:01Z"),
        ("2026-03-14T11:00:00Z", 0, "2026-03-16T08:00:00Z"),
        ("2026-03-11T15:59:59.750000Z", 1, "2026-03-12T08:00:00.750000Z"),
        ("2026-04-30T14:30:00Z", 3600, "2026-05-04T07:30:00Z"),
        ("2026-12-24T15:30:00Z", 3600, "2026-12-28T08:30:00Z"),
        ("2026-12-31T15:30:00Z", 3600, "2027-01-01T08:30:00Z"),
        ("2027-12-24T15:30:00Z", 1801, "2027-12-27T08:00:01Z"),
    ],
)
def test_add(start, seconds, end):
    assert add(BERLIN, at(start), seconds) == at(end)


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-03-11T08:00:00Z", "2026-03-11T16:00:00Z", 8 * 3600),
        ("2026-03-11T16:00:00Z", "2026-03-12T08:00:00Z", 0),
        ("2026-03-12T08:00:00Z", "2026-03-11T08:00:00Z", 0),
        ("2026-03-11T08:00:00Z", "2026-03-11T08:00:00Z", 0),
        ("2026-03-11T08:00:00.600000Z", "2026-03-11T08:00:02.500000Z", 1),
        ("2026-03-14T00:00:00Z", "2026-03-15T00:00:00Z", 0),
        ("2025-12-31T15:00:00Z", "2026-01-01T09:00:00Z", 2 * 3600),
        ("2025-12-31T23:30:00Z", "2028-12-31T23:00:00Z", (261 + 261 + 260 - 1 - 2) * 8 * 3600),
    ],
)
def test_between(start, end, seconds):
    assert between(BERLIN, at(start), at(end)) == seconds


@pytest.mark.parametrize(
    ("start", "end", "seconds", "why"),
    [
        ("2026-03-28T20:00:00Z", "2026-03-29T05:00:00Z", 7 * 3600, "the spring night has lost an hour"),
        ("2026-10-24T19:00:00Z", "2026-10-25T06:00:00Z", 9 * 3600, "the autumn night has won one"),
        ("2026-03-14T22:00:00Z", "2026-03-15T12:00:00Z", 7 * 3600, "Saturday's night ends on Sunday"),
        ("2026-03-15T12:00:00Z", "2026-03-20T12:00:00Z", 0, "and no other begins before Friday"),
    ],
)
def test_nights(start, end, seconds, why):
    assert between(NIGHT, at(start), at(end)) == seconds, why


def test_hours_that_do_not_exist_are_never_open_and_doubled_ones_count_twice():
    early = Calendar.from_json({"tz": "Europe/Berlin", "hours": {"sun": [["02:15", "02:45"]]}})
    spring, autumn = at("2026-03-29T00:00:00Z"), at("2026-10-25T00:00:00Z")
    day = timedelta(hours=12)
    assert list(open_spans(early, spring, spring + day)) == []
    assert list(open_spans(early, autumn, autumn + day)) == [
        (at("2026-10-25T00:15:00Z"), at("2026-10-25T00:45:00Z")),
        (at("2026-10-25T01:15:00Z"), at("2026-10-25T01:45:00Z")),
    ]


@pytest.mark.parametrize(
    ("extra", "spans", "why"),
    [
        ({}, [(9, 17)], "an ordinary Wednesday"),
        ({"holidays": ["2026-03-11"]}, [], "a holiday"),
        ({"holidays": ["03-11"]}, [], "a holiday of every year"),
        ({"holidays": ["03-12"]}, [(9, 17)], "another day's holiday"),
        ({"holidays": ["2026-03-11"], "shifts": {"2026-03-11": [["10:00", "14:00"]]}}, [(10, 14)], "a shift beats it"),
        ({"shifts": {"2026-03-11": []}}, [], "a shift of no hours"),
        ({"breaks": {"2026-03-11": [["12:00", "13:00"]]}}, [(9, 12), (13, 17)], "a break inside"),
        ({"breaks": {"2026-03-11": [["08:00", "10:00"], ["16:00", "24:00"]]}}, [(10, 16)], "breaks at both ends"),
        ({"breaks": {"2026-03-11": [["00:00", "24:00"]]}}, [], "a break of the whole day"),
        ({"breaks": {"2026-03-10": [["20:00", "11:00"]]}}, [(11, 17)], "a break over midnight"),
        (
            {"shifts": {"2026-03-11": [["10:00", "14:00"]]}, "breaks": {"2026-03-11": [["12:00", "13:00"]]}},
            [(10, 12), (13, 14)],
            "a break closes a shift too",
        ),
        ({"hours": {"wed": [["09:00", "13:00"], ["12:00", "15:00"], ["15:00", "16:00"]]}}, [(9, 16)], "overlaps merge"),
        ({"hours": {"tue": [["20:00", "10:00"]], "wed": [["09:00", "12:00"]]}}, [(0, 12)], "and so do nights"),
        ({"hours": {"tue": [["20:00", "10:00"]]}, "holidays": ["2026-03-11"]}, [(0, 10)], "a night of the day before"),
        (
            {"hours": {"tue": [["20:00", "10:00"]]}, "holidays": ["2026-03-10"]},
            [],
            "a night of a holiday is gone whole",
        ),
        (
            {"hours": {"tue": [["20:00", "10:00"]]}, "breaks": {"2026-03-11": [["00:00", "08:00"]]}},
            [(8, 10)],
            "a break closes what is on the wall, whichever day it belongs to",
        ),
        ({"hours": {"wed": [["09:00", "09:00"]]}}, [(9, 24)], "the whole day round"),
    ],
)
def test_one_day(extra, spans, why):
    calendar = Calendar.from_json({"tz": "UTC", "hours": NINE_TO_FIVE} | extra)
    day = at("2026-03-11T00:00:00Z")
    found = list(open_spans(calendar, day, day + timedelta(days=1)))
    assert [((a - day) // timedelta(hours=1), (b - day) // timedelta(hours=1)) for a, b in found] == spans, why


def test_open_spans_join_over_new_year_and_are_clipped():
    calendar = Calendar.from_json({"tz": "UTC", "hours": {"wed": [["20:00", "04:00"]], "fri": [["01:00", "02:00"]]}})
    start, end = at("2025-12-31T21:00:00Z"), at("2026-01-02T01:30:00Z")
    assert list(open_spans(calendar, start, end)) == [
        (start, at("2026-01-01T04:00:00Z")),
        (at("2026-01-02T01:00:00Z"), end),
    ]
    assert list(open_spans(calendar, end, start)) == []
    assert list(open_spans(ALWAYS, start, end)) == [(start, end)]
    assert list(open_spans(ALWAYS, end, start)) == []


def test_always_is_real_time():
    start = at("2026-03-29T02:30:00+01:00")
    assert add(ALWAYS, start, 3600) == start + timedelta(hours=1)
    assert add(ALWAYS, start, 3600).tzinfo is UTC
    assert between(ALWAYS, start, start + timedelta(days=1)) == 86400
    assert Calendar.from_json({"always": True, "tz": "UTC", "holidays": ["12-25"]}) == ALWAYS


def test_weekdays_are_whole_days():
    week = weekdays("Europe/Berlin", ["2026-05-01"])
    assert add(week, at("2026-04-30T21:30:00Z"), 3600) == at("2026-05-03T22:30:00Z")
    assert add(week, at("2026-03-13T22:30:00Z"), 1800) == at("2026-03-13T23:00:00Z")


def test_a_calendar_is_a_value():
    again = Calendar.from_json({"tz": "Europe/Berlin", "hours": NINE_TO_FIVE, "holidays": ["12-25", "2026-05-01"]})
    assert again == BERLIN
    assert hash(again) == hash(BERLIN)
    assert weekdays("Europe/Berlin") != BERLIN
    copy = pickle.loads(pickle.dumps(BERLIN))  # noqa: S301 - our own value, on its way to a worker process
    assert copy == BERLIN
    assert add(copy, at("2026-03-11T16:00:00Z"), 0) == at("2026-03-12T08:00:00Z")


@pytest.mark.parametrize(
    ("calendar", "recurs"),
    [
        (ALWAYS, True),
        (BERLIN, True),
        (Calendar.from_json({"shifts": {"2026-03-11": [["09:00", "17:00"]]}}), False),
    ],
)
def test_recurs(calendar, recurs):
    assert calendar.recurs is recurs


def test_shift_dates_alone_come_to_an_end():
    once = Calendar.from_json({"tz": "Europe/Berlin", "shifts": {"2026-03-11": [["09:00", "17:00"]]}})
    assert add(once, at("0001-01-01T00:00:00Z"), 8 * 3600) == at("2026-03-11T16:00:00Z")
    assert between(once, at("2020-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z")) == 8 * 3600
    for start, seconds in (
        ("2026-03-11T16:00:00Z", 0),
        ("2026-03-11T08:00:00Z", 8 * 3600 + 1),
        ("2040-01-01T00:00Z", 0),
    ):
        with pytest.raises(CalendarError, match="last shift date is over"):
            add(once, at(start), seconds)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_of_all(day):
    edge = Calendar.from_json({"tz": "UTC", "shifts": {day: [["00:00", "23:00"]]}})
    assert between(edge, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)) == 23 * 3600


@pytest.mark.parametrize(
    ("calendar", "start", "seconds"),
    [
        (ALWAYS, "9999-12-31T23:00:00Z", 7200),
        (BERLIN, "9999-12-31T09:00:00Z", 10 * 3600),
        (BERLIN, "9999-12-30T09:00:00Z", 24 * 3600),
        (weekdays("UTC"), "9999-12-31T00:00:00Z", 86400),
        (BERLIN, "2026-03-11T09:00:00Z", 10**30),
    ],
)
def test_beyond_the_year_9999(calendar, start, seconds):
    with pytest.raises(CalendarError, match="beyond the year 9999"):
        add(calendar, at(start), seconds)


def test_the_last_opening_of_all_may_come_too_late():
    monday = Calendar.from_json({"tz": "UTC", "hours": {"mon": [["09:00", "10:00"]]}})
    with pytest.raises(CalendarError, match="beyond the year 9999"):
        add(monday, at("9999-12-31T12:00:00Z"), 0)


@pytest.mark.parametrize(
    ("start", "seconds", "words"),
    [
        (datetime(2026, 3, 11, 9), 1, "no time zone"),  # noqa: DTZ001 - what is refused
        (datetime(2026, 3, 11, 9, tzinfo=UTC), -1, "negative"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), 1, "outside the years"),
    ],
)
def test_refused_instants(start, seconds, words):
    with pytest.raises(ValueError, match=words):
        add(BERLIN, start, seconds)


def test_any_zone_goes_in_and_utc_comes_out():
    start = datetime(2026, 3, 11, 9, tzinfo=timezone(timedelta(hours=1)))
    assert add(BERLIN, start, 60) == at("2026-03-11T08:01:00Z")
    assert add(BERLIN, start, 60).utcoffset() == timedelta(0)


def test_a_walk_over_centuries_keeps_few_tables():
    calendar = Calendar.from_json({"tz": "UTC", "hours": NINE_TO_FIVE})
    weeks = 8 * 3600 * 5 * 52 * 100
    assert add(calendar, at("1900-01-01T00:00:00Z"), weeks) == at("1999-08-27T17:00:00Z")
    assert calendar._timeline is not None
    assert len(calendar._timeline._tables) <= wall.KEPT_YEARS


@pytest.mark.parametrize(
    ("zone", "start", "end", "open_hours", "why"),
    [
        (
            "Pacific/Apia",
            "2011-12-28T10:00:00Z",
            "2012-01-01T10:00:00Z",
            48,
            "Friday 30 December 2011 does not exist there",
        ),
        (
            "Europe/Lisbon",
            "1911-12-28T00:00:00Z",
            "1912-01-03T00:00:00Z",
            96,
            "the zone changed at New Year, 00:00 UTC",
        ),
    ],
)
def test_odd_changes_of_a_zone(zone, start, end, open_hours, why):
    found = between(weekdays(zone), at(start), at(end))
    assert abs(found - open_hours * 3600) < 3600, why


def test_deadlines_are_quick_once_a_year_is_known():
    start = at("2026-03-13T15:50:00Z")
    add(BERLIN, start, 48 * 3600)
    assert BERLIN._timeline is not None
    tables = dict(BERLIN._timeline._tables)
    assert add(BERLIN, start, 48 * 3600) == at("2026-03-23T15:50:00Z")
    assert BERLIN._timeline._tables == tables
    assert hours.between(BERLIN, start, at("2026-03-23T15:50:00Z")) == 48 * 3600
