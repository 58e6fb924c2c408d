"""Ten thousand sums in open time against an oracle that asks the wall clock at every minute.

Calendars, starts and amounts are drawn with a seed, around the days on which zones change their clocks and the odder things
that zones did: Lord Howe moves by half an hour, Apia left out a whole date, Sao Paulo changed at midnight, Dublin calls its
winter the exception.
"""

import random
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from maild.sla.hours import Calendar, CalendarError, add, between

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CHANGES = {
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Pacific/Apia": ("2011-12-30", "2012-04-01"),
    "America/Sao_Paulo": ("2018-02-18", "2018-11-04"),
    "Europe/Dublin": ("2026-03-29", "2026-10-25"),
    "Europe/Berlin": ("2026-03-29", "2026-12-27"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2010-11-07", "2026-03-08"),
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "Asia/Kolkata": ("2026-01-01", "2026-08-15"),
    "Asia/Kathmandu": ("2026-01-01", "2026-04-14"),
}
GROUPS = tuple((zone, day, drawn) for zone, days in CHANGES.items() for day in days for drawn in range(2))
CASES = 10_000 // len(GROUPS)
BEFORE, AFTER = 7, 14
"""Days around the change that the oracle knows."""


def wall(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


def drawn_spans(rng):
    """Give up to three spans; some over midnight, some to 24:00, some that overlap."""
    spans = []
    for _ in range(rng.randint(1, 3)):
        start = rng.randrange(0, 1440)
        end = 1440 if rng.random() < 0.15 else rng.randrange(0, 1440)
        spans.append([wall(start), wall(end)])
    return spans


def drawn_calendar(rng, zone, middle):
    def near():
        return middle + timedelta(days=rng.randint(-BEFORE, AFTER - 2))

    return {
        "tz": zone,
        "hours": {day: drawn_spans(rng) for day in DAYS if rng.random() < 0.75} or {"wed": [["09:00", "17:00"]]},
        "holidays": [
            f"{near():%m-%d}" if rng.random() < 0.4 else f"{near():%Y-%m-%d}" for _ in range(rng.randint(0, 4))
        ],
        "breaks": {f"{near():%Y-%m-%d}": drawn_spans(rng) for _ in range(rng.randint(0, 3))},
        "shifts": {f"{near():%Y-%m-%d}": drawn_spans(rng) for _ in range(rng.randint(0, 3))},
    }


def minutes_of(spans):
    """Give the minutes from midnight that the spans cover, into the next day."""
    covered = set()
    for texts in spans:
        start, end = (int(text[:2]) * 60 + int(text[3:]) for text in texts)
        covered.update(range(start, end if end > start else end + 1440))
    return covered


def open_minutes(spelling, first, last):
    """Give the start of every open minute of [first, last), in seconds since 1970, as the rules say it word by word."""
    zone = ZoneInfo(spelling["tz"])
    opened, shut = {}, {}
    day = first.date() - timedelta(days=3)
    while day <= last.date() + timedelta(days=3):
        iso = day.isoformat()
        hours = spelling["hours"].get(DAYS[day.weekday()], [])
        if iso in spelling["holidays"] or iso[5:] in spelling["holidays"]:
            hours = []
        opened[day] = minutes_of(spelling["shifts"].get(iso, hours))
        shut[day] = minutes_of(spelling["breaks"].get(iso, []))
        day += timedelta(days=1)
    found = []
    instant, step = first, timedelta(minutes=1)
    while instant < last:
        local = instant.astimezone(zone)
        today, minute = local.date(), local.hour * 60 + local.minute
        yesterday = today - timedelta(days=1)
        is_open = minute in opened[today] or minute + 1440 in opened[yesterday]
        if is_open and minute not in shut[today] and minute + 1440 not in shut[yesterday]:
            found.append(int(instant.timestamp()))
        instant += step
    return found


@pytest.mark.parametrize(("zone", "change", "drawn"), GROUPS)
def test_against_the_wall_clock_at_every_minute(zone, change, drawn):
    rng = random.Random(f"{zone} {change} {drawn}")
    middle = date.fromisoformat(change)
    spelling = drawn_calendar(rng, zone, middle)
    calendar = Calendar.from_json(spelling)
    first = datetime.combine(middle - timedelta(days=BEFORE), time(), UTC)
    last = datetime.combine(middle + timedelta(days=AFTER), time(), UTC)
    minutes = open_minutes(spelling, first, last)
    assert minutes, "a calendar that tests nothing"
    begin, finish = int(first.timestamp()), minutes[-1] + 60
    for _ in range(CASES):
        start = rng.randrange(begin, finish - 1)
        at = bisect_right(minutes, start) - 1
        # What of the minute in which it starts is left counts, if that minute is open.
        left = max(0, minutes[at] + 60 - start) if at >= 0 else 0
        available = left + 60 * (len(minutes) - at - 1)
        seconds = rng.choice((0, 60, 3600, rng.randrange(available + 1), rng.randrange(available + 1)))
        seconds = min(seconds, available)
        if seconds <= left and left:
            end = start + seconds
        elif seconds == 0:
            end = minutes[at + 1]
        else:
            whole, rest = divmod(seconds - left - 1, 60)
            end = minutes[at + 1 + whole] + rest + 1
        begun, ended = (datetime.fromtimestamp(each, UTC) for each in (start, end))
        assert add(calendar, begun, seconds) == ended, (spelling, begun, seconds)
        assert between(calendar, begun, ended) == seconds, (spelling, begun, ended)


def test_it_is_ten_thousand_cases():
    assert len(GROUPS) * CASES == 10_000


def test_a_calendar_that_never_opens_is_told():
    with pytest.raises(CalendarError):
        Calendar.from_json({"tz": "UTC", "hours": {}})
