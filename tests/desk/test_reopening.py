from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.desk.reopening import Window, continues, goes_on_in, open_days, too_late
from maild.sla.hours import ALWAYS, Calendar, weekdays
from maild.ticket import Event, State

BERLIN = weekdays("Europe/Berlin")
NIGHTS = Calendar.from_json({"tz": "Europe/Berlin", "hours": {"fri": [["22:00", "06:00"]]}})
HALF = Calendar.from_json(
    {"tz": "UTC", "hours": {"wed": [["09:00", "17:00"]]}, "breaks": {"2026-03-18": [["09:00", "12:00"]]}}
)


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("calendar", "since", "until", "days"),
    [
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-09T23:59+01:00", 0),
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-10T00:00+01:00", 1),
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-13T08:00+01:00", 4),
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-15T08:00+01:00", 4),
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-18T08:00+01:00", 7),
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-19T08:00+01:00", 8),
        (BERLIN, "2026-03-14T10:00+01:00", "2026-03-15T08:00+01:00", 0),
        (BERLIN, "2026-03-14T10:00+01:00", "2026-03-16T00:30+01:00", 1),
        # What is Tuesday in Berlin is Monday in UTC, and it is Berlin's dates that count.
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-09T23:30+00:00", 1),
        # The clocks go forward on Sunday the 29th: the dates do not care.
        (BERLIN, "2026-03-27T23:30+01:00", "2026-03-30T00:10+02:00", 1),
        (BERLIN, "2026-10-23T12:00+02:00", "2026-10-26T23:59+01:00", 1),
        (BERLIN, "2026-03-09T10:00+01:00", "2026-03-01T10:00+01:00", 0),
        (BERLIN, "2026-03-09T10:00+01:00", "2025-03-01T10:00+01:00", 0),
        (weekdays("UTC", ["2026-12-25", "01-01"]), "2026-12-24T10:00+00:00", "2027-01-04T10:00+00:00", 5),
        (ALWAYS, "2026-03-09T10:00+00:00", "2026-03-15T08:00+00:00", 6),
        (ALWAYS, "2026-03-09T10:00+00:00", "2026-03-09T11:00+00:00", 0),
        (NIGHTS, "2026-03-09T10:00+01:00", "2026-03-16T10:00+01:00", 2),
        (HALF, "2026-03-16T10:00+00:00", "2026-03-20T10:00+00:00", 1),
    ],
)
def test_open_days(calendar, since, until, days):
    assert open_days(calendar, at(since), at(until), 99) == days


def test_counting_ends_early():
    assert open_days(BERLIN, at("2026-03-09T10:00+01:00"), at("2900-03-09T10:00+01:00"), 8) == 8


@given(st.integers(0, 60 * 24 * 40), st.integers(0, 60 * 24 * 40), st.integers(1, 60 * 24 * 10))
def test_time_never_opens_a_window_again(start, gap, more):
    since = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=start)
    until = since + timedelta(minutes=gap)
    days = open_days(BERLIN, since, until, 99)
    assert 0 <= days <= gap // 1440 + 1
    assert days <= open_days(BERLIN, since, until + timedelta(minutes=more), 99)
    window = Window(3, BERLIN)
    assert window.holds(since, until) is (days <= 3)


@pytest.mark.parametrize(
    ("state", "closed", "days", "late"),
    [
        (State.CLOSED, "2026-03-09T10:00+01:00", 7, True),
        (State.CLOSED, "2026-03-10T10:00+01:00", 7, False),
        (State.CLOSED, "2026-03-19T10:00+01:00", 0, True),
        (State.CLOSED, None, 7, False),
        (State.CLOSED, None, 0, True),
        (State.RESOLVED, "2025-03-09T10:00+01:00", 7, False),
    ],
)
def test_too_late(make_ticket, state, closed, days, late):
    ticket = make_ticket(state=state, closed_at=at(closed) if closed else None)
    assert too_late(ticket, Window(days, BERLIN), at("2026-03-19T12:00+01:00")) is late


@pytest.mark.parametrize(
    ("closed", "words"),
    [
        ("2026-03-07T12:00+01:00", "12 days ago (2026-03-07)"),
        ("2026-03-18T23:00+01:00", "yesterday (2026-03-18)"),
        ("2026-03-19T00:10+01:00", "today (2026-03-19)"),
    ],
)
def test_what_the_agents_are_told(make_ticket, closed, words):
    ticket = make_ticket(number=7, state=State.CLOSED, closed_at=at(closed))
    told = continues(ticket, Window(0, BERLIN), "CSM", at("2026-03-19T12:00+01:00"))
    assert told.startswith(f"Its mail continues [CSM #7], closed {words}")


def test_what_they_are_told_of_a_ticket_that_does_not_know(make_ticket):
    ticket = make_ticket(number=7, state=State.CLOSED)
    assert "[CSM #7], closed before" in continues(ticket, Window(0), "CSM", at("2026-03-19T12:00+01:00"))


@pytest.mark.parametrize(
    ("state", "events", "found"),
    [
        (State.CLOSED, [("continued", {"to": 8})], 8),
        (State.CLOSED, [("continued", {"to": 8}), ("linked", {"to": 9}), ("continued", {"to": 10})], 10),
        (State.CLOSED, [("linked", {"to": 9}), ("continued", {})], None),
        (State.CLOSED, [], None),
        (State.OPEN, [("continued", {"to": 8})], None),
    ],
)
def test_where_it_goes_on(make_ticket, now, state, events, found):
    told = tuple(Event(now, "maild", what, "x", data) for what, data in events)
    assert goes_on_in(make_ticket(state=state), told, Window(0), now) == found
