"""The promise: for each severity a calendar and two limits a metric (ITIL: service level targets).

`target` is the lower number: missing it warns. `limit` is the upper: passing it is a breach. Both are open seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from maild.sla.hours import Calendar
from maild.ticket import Severity


class Metric(StrEnum):
    """What a clock measures."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class Promise:
    """What one severity is promised: seconds of open time in a named calendar.

    `pending_limit` is how long a ticket may wait on a silent customer before its resolution clock goes on; None is for ever.
    """

    calendar_name: str
    calendar: Calendar
    first_response: tuple[int, int]
    resolution: tuple[int, int]
    next_response: tuple[int, int] | None = None
    pending_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A named set of promises, one for each severity."""

    name: str
    promises: Mapping[Severity, Promise]

    def promise(self, severity: Severity) -> Promise:
        """Give what is promised to that severity."""
        return self.promises[severity]

    def calendar(self, name: str) -> Calendar:
        """Give the calendar that a promise (and so a `Clock`) names; KeyError where none does."""
        return {each.calendar_name: each.calendar for each in self.promises.values()}[name]

    def on(self, name: str, calendar: Calendar) -> "Policy":
        """Give the same promise with another calendar in place of every one that is not 24/7."""
        return Policy(
            self.name,
            MappingProxyType(
                {
                    severity: each if each.calendar.always else replace(each, calendar_name=name, calendar=calendar)
                    for severity, each in self.promises.items()
                }
            ),
        )


SECONDS: Mapping[Severity, tuple[tuple[int, int], tuple[int, int]]] = MappingProxyType(
    {
        Severity.URGENT: ((15 * 60, 30 * 60), (3600, 3600)),
        Severity.HIGH: ((15 * 60, 30 * 60), (12 * 3600, 18 * 3600)),
        Severity.NORMAL: ((3600, 4 * 3600), (12 * 3600, 24 * 3600)),
        Severity.LOW: ((8 * 3600, 12 * 3600), (24 * 3600, 48 * 3600)),
    }
)
"""The support policy that maild implements: (first response, resolution), each (target, limit)."""


def standard(weekday: Calendar, always: Calendar, weekday_name: str = "weekdays") -> Policy:
    """Build the desk's own policy over two calendars: urgent runs always, the others on `weekday`."""
    promises = {}
    for severity, (first, resolution) in SECONDS.items():
        urgent = severity is Severity.URGENT
        promises[severity] = Promise(
            "always" if urgent else weekday_name, always if urgent else weekday, first, resolution
        )
    return Policy("", MappingProxyType(promises))
