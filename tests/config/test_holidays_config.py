"""Holidays by country and by file, their names, and single ones switched off."""

from zoneinfo import ZoneInfo

import pytest

from maild.config.country import holidays_of
from maild.config.holidays_file import closed_by
from maild.config.holidays_off import switched_off
from maild.config.office import office as office_of
from maild.config.restart import needs_restart

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = """
[desk]
address = "csm@example.com"
time_zone = "Europe/Berlin"
[calendar.office]
hours = { mon-fri = ["09:00-17:00"] }
"""


def ics(*events):
    """Write a calendar of events, each given as its lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//own//"]
    for number, event in enumerate(events):
        own = [] if any(line.startswith("UID:") for line in event) else [f"UID:u{number}"]
        lines += ["BEGIN:VEVENT", *own, *event, "END:VEVENT"]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


WHOLE = [
    (["DTSTART;VALUE=DATE:20261224"], {"2026-12-24"}),
    (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261225"], {"2026-12-24"}),
    # DTEND is the day after the last one.
    (["DTSTART;VALUE=DATE:20261230", "DTEND;VALUE=DATE:20270102"], {"2026-12-30", "2026-12-31", "2027-01-01"}),
    (["DTSTART;VALUE=DATE:20261230", "DURATION:P2D"], {"2026-12-30", "2026-12-31"}),
    (["DTSTART;VALUE=DATE:20391224", "RRULE:FREQ=YEARLY"], {"2039-12-24", "2040-12-24"}),
    (["DTSTART;VALUE=DATE:19991224", "RRULE:FREQ=YEARLY;UNTIL=20211231"], {"2020-12-24", "2021-12-24"}),
    (
        ["DTSTART;VALUE=DATE:20241224", "RRULE:FREQ=YEARLY;COUNT=3", "EXDATE;VALUE=DATE:20251224"],
        {"2024-12-24", "2026-12-24"},
    ),
    (["DTSTART;VALUE=DATE:20250102", "RDATE;VALUE=DATE:20260102"], {"2025-01-02", "2026-01-02"}),
    (["DTSTART;TZID=Europe/Berlin:20391224T000000", "DURATION:P1D", "RRULE:FREQ=YEARLY"], {"2039-12-24", "2040-12-24"}),
    # The last Monday of May, twice.
    (["DTSTART;VALUE=DATE:20260525", "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2"], {"2026-05-25", "2027-05-31"}),
    # A span of years that reaches into the ones that are read.
    (["DTSTART;VALUE=DATE:20191230", "DTEND;VALUE=DATE:20200103"], {"2020-01-01", "2020-01-02"}),
    (["DTSTART;TZID=Europe/Berlin:20261224T000000", "DTEND;TZID=Europe/Berlin:20261225T000000"], {"2026-12-24"}),
    (["DTSTART:20261224T000000", "DURATION:P1D"], {"2026-12-24"}),
    (["DTSTART;TZID=W. Europe Standard Time:20261224T000000", "DURATION:P1D"], {"2026-12-24"}),
    (["DTSTART:20261223T230000Z", "DTEND:20261224T230000Z"], {"2026-12-24"}),
    # Over the night when the clocks go back, 25 hours are one date.
    (["DTSTART;TZID=Europe/Berlin:20261025T000000", "DTEND;TZID=Europe/Berlin:20261026T000000"], {"2026-10-25"}),
    (["DTSTART;VALUE=DATE:20261224", "STATUS:CANCELLED"], set()),
    (["DTSTART;VALUE=DATE:20261224", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT"], {"2026-12-24"}),
    (["DTSTART;VALUE=DATE:20510101"], set()),
]


@pytest.mark.parametrize(("event", "days"), WHOLE)
def test_whole_dates_are_holidays(event, days):
    closed, faults = closed_by(ics([*event, "SUMMARY:Company  rest"]), BERLIN)
    assert (set(closed.days), closed.hours, faults) == (days, {}, [])
    assert all(names == ["Company rest"] for names in closed.days.values())


@pytest.mark.parametrize(
    ("event", "days", "hours"),
    [
        (
            ["DTSTART;TZID=Europe/Berlin:20261224T120000", "DTEND;TZID=Europe/Berlin:20261224T180000"],
            [],
            {"2026-12-24": [["12:00", "18:00"]]},
        ),
        # Noon in New York is six in the evening here.
        (
            ["DTSTART;TZID=America/New_York:20261224T120000", "DURATION:PT2H"],
            [],
            {"2026-12-24": [["18:00", "20:00"]]},
        ),
        (
            ["DTSTART:20261223T180000", "DTEND:20261225T060000"],
            ["2026-12-24"],
            {"2026-12-23": [["18:00", "24:00"]], "2026-12-25": [["00:00", "06:00"]]},
        ),
        (["DTSTART:20261224T120010", "DTEND:20261224T130010"], [], {"2026-12-24": [["12:00", "13:01"]]}),
        # The hour that is doubled ends before it began, on the wall.
        (["DTSTART:20261025T004500Z", "DTEND:20261025T010000Z"], [], {}),
        (
            ["DTSTART:20261224T120000", "DURATION:PT1H", "RRULE:FREQ=YEARLY;COUNT=2"],
            [],
            {"2026-12-24": [["12:00", "13:00"]], "2027-12-24": [["12:00", "13:00"]]},
        ),
    ],
)
def test_times_close_these_hours(event, days, hours):
    closed, faults = closed_by(ics(event), BERLIN)
    assert (list(closed.days), closed.hours, faults) == (days, hours, [])


def test_one_repetition_that_was_moved_and_one_that_was_cancelled():
    series = ["UID:s", "DTSTART;VALUE=DATE:20241224", "RRULE:FREQ=YEARLY;COUNT=3"]
    moved = ["UID:s", "RECURRENCE-ID;VALUE=DATE:20251224", "DTSTART;VALUE=DATE:20251223"]
    cancelled = ["UID:s", "RECURRENCE-ID;VALUE=DATE:20261224", "DTSTART;VALUE=DATE:20261224", "STATUS:CANCELLED"]
    closed, faults = closed_by(ics(series, moved, cancelled), BERLIN)
    assert (list(closed.days), faults) == (["2024-12-24", "2025-12-23"], [])


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (["SUMMARY:Rest"], "event 1 (Rest, u0): it has no DTSTART"),
        (["DTSTART:2026-12-24"], "event 1 (u0): DTSTART is not understood: Expected datetime, date, or time."),
        (
            ["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261224"],
            "event 1 (u0): it ends when it starts, or before: DTEND is the day, or the time, from which it is over",
        ),
        (
            ["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261223"],
            "event 1 (u0): it ends when it starts, or before",
        ),
        (["DTSTART:20261224T120000"], "event 1 (u0): it ends when it starts, or before"),
        (
            ["DTSTART;VALUE=DATE:20261224", "DTEND:20261225T120000"],
            "event 1 (u0): DTSTART and DTEND must both be dates, or both have a time",
        ),
        (
            ["DTSTART:20261224T120000", "DTEND:20261224T130000Z"],
            "event 1 (u0): DTSTART and DTEND must both name a time zone, or neither",
        ),
        (
            ["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20361224"],
            "event 1 (u0): it lasts more than a year: is DTEND right?",
        ),
        (
            ["DTSTART;TZID=Mars/Base:20261224T120000", "DURATION:PT1H"],
            "event 1 (u0): DTSTART: there is no time zone 'Mars/Base'; an IANA name such as Europe/Berlin is wanted",
        ),
        (
            ["DTSTART;TZID=Europe/Berlin:20261224T120000", "DTEND;TZID=Mars/Base:20261224T130000"],
            "event 1 (u0): DTEND: there is no time zone 'Mars/Base'",
        ),
        (
            ["DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=SECONDLY"],
            "event 1 (u0): RRULE: its FREQ is SECONDLY; DAILY, WEEKLY, MONTHLY, YEARLY are taken",
        ),
        (["DTSTART;VALUE=DATE:20261224", "RRULE:BYMONTH=2"], "event 1 (u0): RRULE: its FREQ is none; "),
        (
            ["DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=YEARLY", "RRULE:FREQ=HOURLY"],
            "event 1 (u0): RRULE: its FREQ is HOURLY",
        ),
        (
            ["DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=YEARLY;INTERVAL=0"],
            "event 1 (u0): RRULE: its INTERVAL must be 1",
        ),
        (["DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=OFTEN"], "event 1 (u0): RRULE is not understood: "),
        (["DTSTART;VALUE=DATE:20261224", "EXDATE:never"], "event 1 (u0): EXDATE is not understood: "),
    ],
)
def test_a_fault_names_its_event(event, fault):
    closed, (told,) = closed_by(ics(event), BERLIN)
    assert told.startswith(fault)
    assert (closed.days, closed.hours) == ({}, {})


def test_a_repetition_that_cannot_be_worked_out_is_told_too():
    event = ["DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=YEARLY;BYSETPOS=0"]
    _, (told,) = closed_by(ics(event), BERLIN)
    assert told.startswith("event 1 (u0): its repetition cannot be worked out: ")


def test_events_without_a_uid_are_events():
    octets = ics(["DTSTART;VALUE=DATE:20261224"], ["DTSTART;VALUE=DATE:20261231"], ["SUMMARY:x"])
    octets = b"\r\n".join(line for line in octets.split(b"\r\n") if not line.startswith((b"UID", b"SUMMARY")))
    closed, faults = closed_by(octets, BERLIN)
    assert (list(closed.days), faults) == (["2026-12-24", "2026-12-31"], ["event 3: it has no DTSTART"])


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "is no iCalendar, or only a part of one"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "is no iCalendar, or only a part of one"),
        (b"BEGIN:VEVENT\r\nDTSTART:20260101\r\nEND:VEVENT\r\n", "is no iCalendar, or only a part of one"),
        (b"hello", "is no iCalendar: "),
        (b"\xff\xfe\x00", "is no iCalendar: "),
    ],
)
def test_what_is_no_calendar(octets, words):
    with pytest.raises(ValueError, match=words):
        closed_by(octets, BERLIN)


# In the configuration


@pytest.fixture
def office(tmp_path, read, faults_of):
    """Read an office with that file beside the configuration; give the configuration, or its faults."""

    def make(more, *events, octets=None, faults=False):
        (tmp_path / "own.ics").write_bytes(ics(*events) if octets is None else octets)
        return (faults_of if faults else read)(OFFICE + more)

    return make


REST = ["SUMMARY:Company rest", "DTSTART;VALUE=DATE:20261230", "DTEND;VALUE=DATE:20270102"]
PARTY = ["SUMMARY:Party", "DTSTART;TZID=Europe/Berlin:20261218T140000", "DURATION:PT3H"]


def test_a_file_beside_the_configuration(office):
    config = office('holidays_file = "own.ics"\nbreaks = { "2026-12-18" = ["09:00-10:00"] }', REST, PARTY)
    calendar = config.calendars["office"]
    assert calendar.holidays == {"2026-12-30", "2026-12-31", "2027-01-01"}
    assert calendar.breaks == (("2026-12-18", ((32_400, 36_000), (50_400, 61_200))),)
    assert config.holiday_names["office"]["2026-12-31"] == "Company rest"


def test_every_fault_of_a_file_is_told_with_the_key(office):
    faults = office('holidays_file = "own.ics"\n', REST, ["SUMMARY:x"], ["DTSTART:y"], faults=True)
    assert [fault.partition(": event")[0] for fault in faults] == ["calendar.office.holidays_file: own.ics"] * 2
    (fault,) = office('holidays_file = "own.ics"', octets=b"hello", faults=True)
    assert fault.startswith("calendar.office.holidays_file: own.ics is no iCalendar: ")
    (fault,) = office('holidays_file = "other.ics"\nholidays_off = ["Rest"]', faults=True)
    assert fault == (
        "calendar.office.holidays_file: other.ics cannot be read: No such file or directory; it lies beside maild.toml"
    )


def test_the_names_of_a_country_and_of_a_file_stand_together(office):
    config = office('holidays_file = "own.ics"\nholidays_country = "DE"', REST)
    names = config.holiday_names["office"]
    assert names["2027-01-01"] == "New Year's Day, Company rest"
    assert names["2026-10-03"] == "German Unity Day"


def test_the_environment_does_not_change_the_names(monkeypatch):
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    days, also = holidays_of("DE")
    assert days["2026-05-01"] == ["Labor Day"]
    assert also["Erster Mai"] == "Labor Day"


@pytest.mark.parametrize(
    ("off", "open_again"),
    [
        ("2026-05-01", {"2026-05-01"}),
        ("05-01", {"2026-05-01", "2027-05-01"}),
        ("labor day", {"2026-05-01", "2027-05-01"}),
        ("Erster Mai", {"2026-05-01", "2027-05-01"}),
        ("Company rest", {"2026-12-30", "2026-12-31"}),
    ],
)
def test_single_ones_are_switched_off(office, off, open_again):
    text = 'holidays_country = "DE"\nholidays_file = "own.ics"\n'
    before = office(text, REST).calendars["office"].holidays
    after = office(text + f'holidays_off = ["{off}"]\n', REST).calendars["office"].holidays
    assert {day for day in before - after if day[:4] in {"2026", "2027"}} == open_again
    assert after < before


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (
            "Company rset",
            "'Company rset' is no holiday of holidays_country or holidays_file, did you mean 'Company rest'?",
        ),
        ("erster mei", "'erster mei' is no holiday of holidays_country or holidays_file, did you mean 'Erster Mai'?"),
        ("zzz", "'zzz' is no holiday of holidays_country or holidays_file; a name or a date of one is wanted"),
        ("2026-05-02", "2026-05-02 is no holiday of holidays_country or holidays_file"),
        ("13-45", "13-45 is no holiday of holidays_country or holidays_file"),
    ],
)
def test_what_is_no_holiday_cannot_be_switched_off(office, off, words):
    text = f'holidays_country = "DE"\nholidays_file = "own.ics"\nholidays_off = ["05-01", "{off}"]\n'
    assert office(text, REST, faults=True) == [f"calendar.office.holidays_off[2]: {words}"]


def test_a_date_with_two_names_goes_with_both():
    days = {"2027-01-01": ["New Year", "Rest"], "2027-01-02": ["Rest"], "2027-01-03": [""], "2027-01-04": []}
    left, faults = switched_off(days, ["rest"], {})
    assert (left, faults) == ({"2027-01-01": ["New Year"], "2027-01-03": [""], "2027-01-04": []}, [])
    assert list(switched_off(days, ["rest", "new year"], {})[0]) == ["2027-01-03", "2027-01-04"]


def test_a_reload_takes_the_file_over(office):
    text = 'holidays_file = "own.ics"\n'
    before = office(text, REST)
    after = office(text, REST, ["DTSTART;VALUE=DATE:20261224"])
    assert after.calendars != before.calendars
    assert needs_restart(before, after) == ()


# How long a ticket may rest


@pytest.mark.parametrize(("line", "days"), [("", 7), ("close_after = 0\n", 0), ("close_after = 366\n", 366)])
def test_the_days_after_which_a_resolved_ticket_closes(read, line, days):

    head = '[desk]\naddress = "csm@example.com"\n'
    assert office_of(read(head + line), ()).close_after == days


@pytest.mark.parametrize("value", ["-1", "367", '"7d"', "1.5"])
def test_what_is_no_number_of_days(faults_of, value):
    (fault,) = faults_of(f'[desk]\naddress = "csm@example.com"\nclose_after = {value}\n')
    assert fault.startswith("desk.close_after: ")


def test_the_limit_of_pending_is_inherited(read):
    config = read(OFFICE + '[sla.low]\npending_limit = "2d"\n[policy.gold.low]\ncalendar = "office"\n')
    limits = {
        name: [each.pending_limit for each in policy.promises.values()] for name, policy in config.policies.items()
    }
    assert limits == {"": [None, None, None, 172_800], "gold": [None, None, None, 172_800]}


@pytest.mark.parametrize("value", ['"soon"', '"0s"', "7"])
def test_what_is_no_limit(faults_of, value):
    (fault,) = faults_of(OFFICE + f"[sla.low]\npending_limit = {value}\n")
    assert fault.startswith("sla.low.pending_limit: ")
