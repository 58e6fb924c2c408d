from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.desk.weekly import (
    Weekly,
    corrections,
    last_slot,
    life,
    next_slot,
    readers,
    weekly_letters,
    weeks_before,
)
from maild.mail import Address
from maild.report.figures import Correction
from maild.sla.clock import History, SlaEvent
from maild.sla.fold import fold
from maild.ticket import Event, Severity

BERLIN = "Europe/Berlin"
MONDAY_AT_EIGHT = Weekly(0, time(8), ("lead", "manager"))


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-03-09T08:00", "2026-03-09T08:00"),
        ("2026-03-09T07:59:59", "2026-03-02T08:00"),
        ("2026-03-11T12:00", "2026-03-09T08:00"),
        ("2026-03-15T23:59", "2026-03-09T08:00"),
        # The clocks went forward on Sunday the 29th: the slot stays at eight.
        ("2026-03-30T08:00", "2026-03-30T08:00"),
        ("2026-03-30T07:00", "2026-03-23T08:00"),
    ],
)
def test_the_last_slot(now, last):
    assert last_slot(at(now), MONDAY_AT_EIGHT, BERLIN) == at(last)


def test_a_time_that_a_night_leaves_out_has_its_slot_all_the_same():
    sunday = Weekly(6, time(2, 30), ())
    assert last_slot(at("2026-03-29T12:00"), sunday, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - made aware below
    st.integers(0, 6),
    st.times(),
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "UTC", "Pacific/Auckland"]),
)
@settings(max_examples=150, deadline=None)
def test_slots_follow_each_other_a_week_apart(now, day, when, zone):
    now, weekly = now.replace(tzinfo=UTC), Weekly(day, when.replace(second=0, microsecond=0), ())
    last, following = last_slot(now, weekly, zone), next_slot(now, weekly, zone)
    assert last <= now < following
    assert abs(following - last - timedelta(days=7)) <= timedelta(hours=1)
    assert last_slot(following, weekly, zone) == following
    assert last_slot(last, weekly, zone) == last


def test_weeks_are_whole_local_days():
    assert weeks_before(at("2026-03-30T08:00"), BERLIN, 1) == (at("2026-03-23T00:00"), at("2026-03-30T00:00"))
    assert weeks_before(at("2026-03-13T17:00"), BERLIN, 2) == (at("2026-02-27T00:00"), at("2026-03-13T00:00"))


def test_readers_are_told_once_whatever_names_them(office):
    found = readers(Weekly(0, time(8), ("bob", "lead", "Max@Staff.example", "manager", "boss@x.example")), office)
    assert [one.address for one in found] == ["bob@staff.example", "Max@Staff.example", "boss@x.example"]
    assert readers(Weekly(0, time(8), ("nobody",)), office) == ()


def test_whose_a_ticket_is(office, make_ticket):
    def named(address):
        return life(make_ticket(requester=Address("", address)), (), office).customer

    assert named("carol@acme.example") == "Acme"
    assert named("carol@globex.example") == "globex.example"


# Corrections


NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)


def event(minutes, actor, what, /, **data):
    return Event(NOW + timedelta(minutes=minutes), actor, what, "because", data)


OPENED = event(0, "carol@acme.example", "opened", severity="normal")


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([OPENED], []),
        ([OPENED, event(1, "ann", "agent_reply", ref="r")], []),
        ([OPENED, event(1, "ann", "set_severity", to="high")], [("ann", "normal", "high")]),
        (
            [OPENED, event(1, "maild", "set_severity", to="urgent"), event(2, "ann", "set_severity", to="low")],
            [("ann", "urgent", "low")],
        ),
        ([OPENED, event(1, "ann", "set_severity", to="low", **{"from": "high"})], [("ann", "high", "low")]),
        ([OPENED, event(1, "ann", "set_severity", to="normal")], []),
        ([event(1, "ann", "set_severity", to="high")], []),
        (
            [
                OPENED,
                event(1, "ann", "set_severity", to="high"),
                event(2, "ann", "undone", what="set_severity", at=(NOW + timedelta(minutes=1)).isoformat()),
            ],
            [],
        ),
    ],
)
def test_what_people_set_otherwise(events, found):
    assert [(one.actor, one.before, one.after) for one in corrections(1001, events)] == found


# Letters


def test_a_letter_for_each_reader_by_slot_and_address(office, make_ticket):
    due = at("2026-03-16T08:00")
    lives = [life(make_ticket(opened_at=at("2026-03-10T10:00")), (), office)]
    change = Correction(1001, at("2026-03-10T11:00"), "ann", Severity.NORMAL, Severity.HIGH)
    letters = weekly_letters(lives, iter([change]), due, MONDAY_AT_EIGHT, office)
    assert [letter.to.address for letter in letters] == ["bob@staff.example", "max@staff.example"]
    assert letters[1].to.name == "Max"
    assert letters[0].key == "report:2026-03-16T07:00:00+00:00:bob@staff.example"
    assert len({letter.key for letter in letters} | {letter.message_id for letter in letters}) == 4
    assert letters[0].period == "2026-03-09 to 2026-03-15 (Europe/Berlin)"
    assert "1 new ticket: 1 normal." in [section.note for section in letters[0].sections]
    assert "normal to high" in letters[0].text
    again = weekly_letters(lives, [change], due, replace(MONDAY_AT_EIGHT, to=("lead",)), office)
    assert again == letters[:1]


def test_the_weeks_before_stand_beside_the_week(office, make_ticket):
    """Only in the table of the weeks."""
    due, opened = at("2026-03-16T08:00"), at("2026-02-24T10:00")
    answered = SlaEvent(opened + timedelta(minutes=5), "agent_reply", ref="r")
    clocks = fold(
        History(opened, "customer", Severity.NORMAL, (answered,)), office.policies[""], opened + timedelta(hours=1)
    )
    ticket = life(make_ticket(opened_at=opened), clocks, office)
    (letter,) = weekly_letters([ticket], (), due, replace(MONDAY_AT_EIGHT, to=("lead",)), office)
    by_title = {section.title: section for section in letter.sections}
    assert by_title["Week by week"].rows[0].label == "week of 2026-02-23: normal"
    assert by_title["Met and missed by severity"].rows == ()
