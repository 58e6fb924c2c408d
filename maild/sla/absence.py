"""When somebody is away: whole dates where he is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Absence:
    """Local dates from `first` to `last`, both of them among it."""

    first: date
    last: date


def away_until(absences: Iterable[Absence], zone: str, at: datetime) -> date | None:
    """Give the last date of the absence that runs at `at` where he is; None for somebody who is there.

    Absences that overlap, or follow one another without a day between, are one.
    """
    today = at.astimezone(ZoneInfo(zone)).date()
    until: date | None = None
    for one in sorted(absences, key=lambda absence: absence.first):
        begins = one.first <= today if until is None else (one.first - until).days <= 1
        if begins and one.last >= today:
            until = one.last if until is None else max(until, one.last)
    return until
