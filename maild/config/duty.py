"""How duty is written: rotas, absences and quiet hours."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from maild.config.duration import span
from maild.config.section import Section
from maild.config.values import Lasting, matching
from maild.sla.absence import Absence
from maild.sla.spelling import pairs
from maild.sla.wall import DAY, Pair, merged

_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:00)?\Z", re.ASCII)
_YEARS = range(2000, 2101)
_SHORTEST, _LONGEST = 3600, 366 * DAY


def absence(text: str) -> Absence:
    """Read 2026-12-20/2027-01-03, both dates among it, or a single date. ValueError for anything else."""
    first, slash, last = text.partition("/")
    try:
        found = Absence(_day(first), _day(last if slash else first))
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no absence: write its first and last day, 2026-12-20/2027-01-03, or a single one, 2027-05-01"
        ) from error
    if found.last < found.first:
        raise ValueError(f"{text!r} ends before it starts: write {last}/{first}")
    return found


def turn_start(text: str) -> datetime:
    """Read 2026-01-05 09:00, a time on the wall of the desk's zone. ValueError for anything else."""
    try:
        found = datetime.fromisoformat(text) if _START.match(text) else None
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise ValueError(f"{text!r} is no date and time: write the first handover, such as 2026-01-05 09:00")
    return found


def quiet_spans(texts: tuple[str, ...]) -> tuple[Pair, ...]:
    """Read 22:00-07:00 and its like as seconds from midnight; an end beyond 86400 is on the next day. ValueError."""
    return pairs([span(text) for text in texts], "quiet hours")


def _day(text: str) -> date:
    found = date.fromisoformat(text) if _DATE.match(text) else None
    if found is None or found.year not in _YEARS:
        raise ValueError(text)
    return found


def _away(text: str) -> str:
    absence(text)
    return text


def _first_turn(text: str) -> str:
    if text:
        turn_start(text)
    return text


def _turn(value: int) -> int:
    if not _SHORTEST <= value <= _LONGEST:
        raise ValueError("a turn lasts 1h at least, and 366d at most")
    return value


def _hours(text: str) -> str:
    span(text)
    return text


def _some_of_the_day(texts: tuple[str, ...]) -> tuple[str, ...]:
    spans = quiet_spans(texts)
    around = merged((start + days, end + days) for start, end in spans for days in (-DAY, 0, DAY))
    if any(start <= 0 and end >= DAY for start, end in around):
        raise ValueError("is quiet all day, so that nobody would ever be told: leave some hours of it")
    return texts


Away = Annotated[str, AfterValidator(_away)]
Name = Annotated[str, matching(_NAME, "name: letters, digits, dot, dash")]
Quiet = Annotated[tuple[Annotated[str, AfterValidator(_hours)], ...], AfterValidator(_some_of_the_day)]


class RotaSection(Section):
    """Whose turn it is: a list that goes round, or a file."""

    name: Name
    agents: tuple[str, ...] = Field(default=(), strict=False)
    start: Annotated[str, AfterValidator(_first_turn)] = ""
    every: Annotated[Lasting, AfterValidator(_turn)] = 7 * DAY
    file: str = ""


class QuietSection(Section):
    """When nobody is woken, by severity."""

    urgent: Quiet = Field(default=(), strict=False)
    high: Quiet = Field(default=(), strict=False)
    normal: Quiet = Field(default=(), strict=False)
    low: Quiet = Field(default=(), strict=False)
