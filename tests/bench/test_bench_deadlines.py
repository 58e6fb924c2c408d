"""How many deadlines a second are worked out, with the calendar's years at hand: a recount of all clocks is made of them."""

import random
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from maild.sla.hours import Calendar, add, weekdays

pytestmark = pytest.mark.bench

LEAST = 40_000
HOURS = 48
MANY = 40_000
ROUNDS = 5

OFFICE = {
    "tz": "Europe/Berlin",
    "hours": {
        day: [["08:00", "12:00"], ["12:30", "17:00"], ["22:00", "02:00"]] for day in ("mon", "tue", "wed", "thu", "fri")
    },
    "holidays": ["2026-05-01", "12-25", "12-26", "01-01"],
    "breaks": {"2026-12-24": [["12:00", "24:00"]]},
    "shifts": {"2026-05-02": [["10:00", "14:00"]]},
}


@pytest.mark.parametrize(
    ("name", "calendar"), [("office", Calendar.from_json(OFFICE)), ("weekdays", weekdays("Europe/Berlin"))]
)
def test_deadlines_of_48_open_hours(name, calendar, capsys):
    rng = random.Random(48)
    starts = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(330 * 86_400)) for _ in range(MANY)]
    add(calendar, starts[0], HOURS * 3600)
    best = 0.0
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for start in starts:
            add(calendar, start, HOURS * 3600)
        best = max(best, MANY / (time.perf_counter() - begun))
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {best:,.0f} deadlines of {HOURS} open hours a second\n")
    assert best >= LEAST
