"""Calendars in JSON: what is read, and a sentence for each fault."""

import pytest

from maild.sla.hours import Calendar, CalendarError

MON = {"mon": [["09:00", "17:00"]]}


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (None, "a calendar must be an object"),
        ([], "a calendar must be an object"),
        ("business", "a calendar must be an object"),
        ({}, "never opens"),
        ({"hours": {}}, "never opens"),
        ({"hours": {"mon": []}}, "never opens"),
        ({"shifts": {"2026-01-01": []}}, "never opens"),
        (
            {"shifts": {"2026-01-01": [["09:00", "17:00"]]}, "breaks": {"2026-01-01": [["08:00", "18:00"]]}},
            "never opens",
        ),
        ({"tz": "Europe/Berlin", "shifts": {"2026-03-29": [["02:00", "03:00"]]}}, "never opens"),
        (
            {
                "hours": MON,
                "holidays": [
                    f"{m:02}-{d:02}"
                    for m in range(1, 13)
                    for d in range(1, 30 + (m != 2) + (m in {1, 3, 5, 7, 8, 10, 12}))
                ],
            },
            "never opens",
        ),
        ({"hours": MON, "tz": "Europe/Atlantis"}, "'Europe/Atlantis' is no time zone"),
        ({"hours": MON, "tz": "../etc/passwd"}, "no time zone"),
        ({"hours": MON, "tz": ""}, "no time zone"),
        ({"hours": MON, "tz": "Europe"}, "no time zone"),
        ({"hours": MON, "tz": "a\0b"}, "no time zone"),
        ({"hours": MON, "tz": 1}, "tz must be the name"),
        ({"hours": MON, "tz": None}, "tz must be the name"),
        ({"hours": {"mon": [["09:00", "25:00"]]}}, "'25:00' is no time of day"),
        ({"hours": {"mon": [["09:00", "18:60"]]}}, "'18:60' is no time of day"),
        ({"hours": {"mon": [["24:00", "06:00"]]}}, "'24:00' is no time of day"),
        ({"hours": {"mon": [["09:00", "24:01"]]}}, "'24:01' is no time of day"),
        ({"hours": {"mon": [["9:00", "17:00"]]}}, "HH:MM is wanted"),
        ({"hours": {"mon": [["09:00\n", "17:00"]]}}, "HH:MM is wanted"),
        ({"hours": {"mon": [["٠٩:٠٠", "17:00"]]}}, "HH:MM is wanted"),
        ({"hours": {"mon": [[9, 17]]}}, "HH:MM is wanted"),
        ({"hours": {"mon": [["09:00"]]}}, "must be two times of day"),
        ({"hours": {"mon": ["09:00-17:00"]}}, "must be a list"),
        ({"hours": {"mon": "09:00"}}, "hours of mon must be a list"),
        ({"hours": {"monday": []}}, "no weekday 'monday'; did you mean 'mon'"),
        ({"hours": {"xx": []}}, "known are mon, tue"),
        ({"hours": [["09:00", "17:00"]]}, "hours must be an object"),
        ({"hours": {1: []}}, "which is no text"),
        ({"hours": MON, "holiday": []}, "no key 'holiday'; did you mean 'holidays'"),
        ({"hours": MON, "holidays": "12-25"}, "holidays must be a list"),
        ({"hours": MON, "holidays": ["02-30"]}, "a date that does not exist"),
        ({"hours": MON, "holidays": ["2026-02-29"]}, "a date that does not exist"),
        ({"hours": MON, "holidays": ["25.12."]}, "is no date"),
        ({"hours": MON, "holidays": [1225]}, "is no date"),
        ({"hours": MON, "breaks": {"12-24": [["12:00", "17:00"]]}}, "is no date; YYYY-MM-DD"),
        ({"hours": MON, "breaks": [["12:00", "17:00"]]}, "breaks must be an object"),
        ({"hours": MON, "shifts": {"2026-13-01": []}}, "a date that does not exist"),
        ({"hours": MON, "always": "yes"}, "always must be true or false"),
        ({"always": True, "tz": "Nowhere"}, "no time zone"),
    ],
)
def test_faults(obj, words):
    with pytest.raises(CalendarError) as caught:
        Calendar.from_json(obj)
    assert words in str(caught.value)


def test_what_is_read():
    calendar = Calendar.from_json(
        {
            "tz": "Europe/Berlin",
            "hours": {"mon": [["13:00", "17:00"], ["09:00", "12:00"]], "sun": [["22:00", "24:00"], ["23:00", "02:00"]]},
            "holidays": ["02-29", "2026-12-25"],
            "breaks": {"2026-12-24": [["12:00", "24:00"]]},
            "shifts": {"2026-05-02": [["10:00", "14:00"]], "2026-05-01": []},
        }
    )
    assert calendar.tz == "Europe/Berlin"
    assert calendar.weekly[0] == ((32400, 43200), (46800, 61200))
    assert calendar.weekly[6] == ((79200, 86400), (82800, 93600))
    assert calendar.weekly[1:6] == ((),) * 5
    assert calendar.holidays == {"02-29", "2026-12-25"}
    assert calendar.breaks == (("2026-12-24", ((43200, 86400),)),)
    assert calendar.shifts == (("2026-05-01", ()), ("2026-05-02", ((36000, 50400),)))
    assert not calendar.always
