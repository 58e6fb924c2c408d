"""The calendars of a file: every fault of every section, each with its key."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, TypeVar

from maild.config import duration
from maild.config.country import holidays_of
from maild.config.model import CalendarSection
from maild.config.shape import Shape
from maild.sla.hours import ALWAYS, Calendar, weekdays
from maild.sla.spelling import calendar_date, yearly_date

BUILT_IN = ("always", "weekdays")

T = TypeVar("T")


def calendars(shape: Shape, faults: list[str]) -> dict[str, Calendar]:
    """Give the calendars by name, the built-in ones among them; what is wrong is added to `faults`."""
    own = shape.file.desk.time_zone
    week = weekdays(own)
    found = {"always": ALWAYS, "weekdays": week}
    for name, section in shape.file.calendar.items():
        if name in BUILT_IN:
            faults.append(f"calendar.{name}: this name is built in, choose another one")
            continue
        calendar = _Reading(f"calendar.{name}", shape.broken, faults).calendar(section, own)
        if calendar is not None:
            found[name] = calendar
    # A calendar that is there and only broken is not called missing too.
    return dict.fromkeys(shape.calendars, week) | found


class _Reading:
    """One section, read key by key, so that a fault hides no other."""

    def __init__(self, key: str, broken: frozenset[tuple[Any, ...]], faults: list[str]) -> None:
        self._key = key
        self._faults = faults
        self._sound = True
        # Hours that could not be read may be the only ones there are.
        name = key.partition(".")[2]
        self._opens = any(("calendar", name, part) in {place[:3] for place in broken} for part in ("hours", "shifts"))

    def calendar(self, section: CalendarSection, time_zone: str) -> Calendar | None:
        """Give the calendar; None where something is wrong."""
        json = {
            "tz": section.time_zone or time_zone,
            "hours": self._hours(section.hours),
            "breaks": self._dated("breaks", section.breaks),
            "shifts": self._dated("shifts", section.shifts),
            "holidays": self._holidays(section.holidays, section.holidays_country),
        }
        if not (section.hours or section.shifts or self._opens):
            self._tell(
                "",
                'this calendar never opens: give it hours, such as hours = { mon-fri = ["09:00-17:00"] }, or shifts',
            )
        return self._try("", partial(Calendar.from_json, json)) if self._sound and not self._opens else None

    def _hours(self, hours: Mapping[str, Any]) -> dict[str, list[list[str]]]:
        found: dict[str, list[list[str]]] = {}
        for text, texts in hours.items():
            key = f".hours.{text}"
            read = self._spans(key, texts)
            for day in self._try(key, partial(duration.days, text)) or ():
                if day in found:
                    self._tell(key, f"{day} has its hours already, name each day once")
                found[day] = read
        return found

    def _dated(self, what: str, dates: Mapping[str, Any]) -> dict[str, list[list[str]]]:
        found: dict[str, list[list[str]]] = {}
        for on, texts in dates.items():
            self._try(f".{what}.{on}", partial(calendar_date, on, what))
            found[on] = self._spans(f".{what}.{on}", texts)
        return found

    def _spans(self, key: str, texts: object) -> list[list[str]]:
        if not isinstance(texts, list):
            self._tell(key, 'write a list of spans, such as ["09:00-17:00"]')
            return []
        return [span for text in texts if (span := self._try(key, partial(duration.span, text)))]

    def _holidays(self, days: tuple[str, ...], country: str) -> list[str]:
        for number, day in enumerate(days, 1):
            self._try(f".holidays[{number}]", partial(_day, day))
        if not country:
            return [*days]
        return [*days, *(self._try(".holidays_country", partial(holidays_of, country)) or ())]

    def _try(self, key: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except ValueError as error:
            self._tell(key, str(error))
            return None

    def _tell(self, key: str, words: str) -> None:
        self._sound = False
        self._faults.append(f"{self._key}{key}: {words}")


def _day(text: str) -> date | tuple[int, int]:
    try:
        return yearly_date(text) or calendar_date(text, "holidays")
    except ValueError as error:
        raise ValueError(f"{text!r} is no date: write 2026-12-25, or 12-25 for every year") from error
