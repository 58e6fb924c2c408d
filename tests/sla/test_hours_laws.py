"""Open time against laws, and against an oracle that asks the wall clock at every five minutes."""

import itertools
import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.sla.hours import ALWAYS, Calendar, CalendarError, add, between, open_spans

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Europe/Dublin",
)
# The days around which each of these zones changes its clock in 2026.
CHANGES = (
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 11, 1),
)
STEP = timedelta(minutes=5)


def wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def spelt(rng: random.Random) -> list[list[str]]:
    starts = [rng.randrange(0, 288) * 5 for _ in range(rng.randint(0, 3))]
    return [[wall(start), wall(rng.randrange(0, 289) * 5)] for start in starts]


def calendar_of(rng: random.Random, middle: date) -> dict[str, object]:
    def near() -> str:
        return (middle + timedelta(days=rng.randint(-3, 3))).isoformat()

    return {
        "tz": rng.choice(ZONES),
        "hours": {day: spelt(rng) for day in DAYS if rng.random() < 0.7},
        "holidays": [near() if rng.random() < 0.5 else near()[5:] for _ in range(rng.randint(0, 2))],
        "breaks": {near(): spelt(rng) for _ in range(rng.randint(0, 2))},
        "shifts": {near(): spelt(rng) for _ in range(rng.randint(0, 2))},
    }


class Oracle:
    """The rules of open time word by word, one instant at a time."""

    def __init__(self, spelling: dict[str, object]) -> None:
        self.spelling = spelling
        self.zone = ZoneInfo(spelling["tz"])

    @staticmethod
    def _within(spans: list[list[str]], minute: int) -> bool:
        for pair in spans:
            start, end = (int(text[:2]) * 60 + int(text[3:]) for text in pair)
            if start <= minute < (end if end > start else end + 1440):
                return True
        return False

    def _hours(self, day: date) -> list[list[str]]:
        iso = day.isoformat()
        if iso in self.spelling["shifts"]:
            return self.spelling["shifts"][iso]
        if iso in self.spelling["holidays"] or iso[5:] in self.spelling["holidays"]:
            return []
        return self.spelling["hours"].get(DAYS[day.weekday()], [])

    def is_open(self, instant: datetime) -> bool:
        local = instant.astimezone(self.zone).replace(tzinfo=None)
        found = False
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            minute = int((local - datetime.combine(day, time())).total_seconds()) // 60
            if self._within(self.spelling["breaks"].get(day.isoformat(), []), minute):
                return False
            found = found or self._within(self._hours(day), minute)
        return found


@pytest.mark.parametrize("seed", range(250))
def test_against_the_wall_clock(seed):
    rng = random.Random(seed)
    middle = rng.choice(CHANGES)
    spelling = calendar_of(rng, middle)
    try:
        calendar = Calendar.from_json(spelling)
    except CalendarError:
        assert not any(spelling["hours"].values())
        return
    oracle = Oracle(spelling)
    start = datetime.combine(middle - timedelta(days=2), time(), UTC)
    steps = [start + i * STEP for i in range(4 * 288)]
    opened = [instant for instant in steps if oracle.is_open(instant)]
    end = steps[-1] + STEP
    assert between(calendar, start, end) == len(opened) * 300
    spans = list(open_spans(calendar, start, end))
    assert [instant for instant in steps if any(a <= instant < b for a, b in spans)] == opened
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
    if opened:
        which = rng.randrange(len(opened))
        assert add(calendar, start, which * 300 + 1) == opened[which] + timedelta(seconds=1)
        assert add(calendar, start, (which + 1) * 300) == opened[which] + STEP
        assert add(calendar, start, 0) == opened[0]


calendars = st.integers(0, 2**32).map(lambda seed: calendar_of(random.Random(seed), date(2026, 3, 29)))
instants = st.datetimes(datetime(2025, 11, 1), datetime(2027, 2, 1)).map(lambda naive: naive.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
amounts = st.integers(0, 200_000)


def opening(spelling: dict[str, object]) -> Calendar:
    try:
        return Calendar.from_json({**spelling, "hours": {"sat": [["10:00", "10:05"]], **spelling["hours"]}})
    except CalendarError:
        return ALWAYS


@settings(max_examples=150, deadline=None)
@given(calendars, instants, amounts, amounts)
def test_laws(spelling, start, first, second):
    calendar = opening(spelling)
    if not calendar.recurs:
        calendar = ALWAYS
    end = add(calendar, start, first)
    assert between(calendar, start, end) == first
    assert end >= start + timedelta(seconds=first), "open time is never longer than real time"
    further = add(calendar, start, first + second)
    assert further >= end, "more time is never sooner"
    assert second == 0 or add(calendar, end, second) == further, "two sums are one"
    assert add(calendar, start + timedelta(seconds=1), first) >= end, "a later start is never sooner"
    edges = list(open_spans(calendar, start - timedelta(days=1), end + timedelta(days=1)))
    assert any(a <= end <= b for a, b in edges), "a deadline lies in open time or on its edge"
    assert between(calendar, start, further) + between(calendar, further, further) == first + second


@settings(max_examples=100, deadline=None)
@given(calendars, instants, instants)
def test_between_is_the_sum_of_the_spans(spelling, one, other):
    calendar = opening(spelling)
    total = sum(((b - a) for a, b in open_spans(calendar, one, other)), timedelta())
    assert between(calendar, one, other) == total // timedelta(seconds=1)
    if one > other:
        assert between(calendar, one, other) == 0
