"""How long a closed ticket can be reopened by its customer's mail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from maild.sla.hours import Calendar, open_spans, weekdays
from maild.ticket import Event, State, Ticket

DAYS = 7
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The time after closing in which a customer's mail reopens a ticket: so many open days, 0 for never.

    An open day is a date, in the calendar's zone, on which the calendar opens for any time at all: a holiday is none, a
    day of a break is one where anything of it is left, and the nights when the clocks change are neither longer nor
    shorter than others, since dates are counted and no hours. A calendar that is always open takes every date, in UTC.
    The date of the closing itself does not count. With 7 open days, Monday to Friday, a ticket closed on a Monday
    reopens until the end of the Wednesday of the week after.
    """

    days: int = DAYS
    calendar: Calendar = field(default_factory=lambda: weekdays("UTC"))

    @property
    def zone(self) -> ZoneInfo:
        """Whose dates are counted."""
        return ZoneInfo(self.calendar.tz)

    def holds(self, closed_at: datetime, at: datetime) -> bool:
        """Say whether a mail that came at `at` reopens what was closed at `closed_at`; both are aware."""
        return self.days > 0 and open_days(self.calendar, closed_at, at, self.days + 1) <= self.days


def open_days(calendar: Calendar, since: datetime, until: datetime, most: int) -> int:
    """Count the open days after the date of `since`, up to the date of `until` and with it; `most` where there are more.

    0 where `until` is not later. Both instants are aware.
    """
    last = until.astimezone(ZoneInfo(calendar.tz)).date()
    return sum(1 for _ in islice(_open_dates(calendar, since, _midnight_after(calendar, last)), most))


def open_days_end(calendar: Calendar, since: datetime, days: int) -> datetime:
    """Give the midnight (UTC) that ends the last of so many open days after the date of `since`, 1 or more.

    The calendar opens again and again.
    """
    reach = timedelta(days=2 * days + 14)
    while True:
        dates = tuple(islice(_open_dates(calendar, since, since + reach), days))
        if len(dates) == days:
            return _midnight_after(calendar, dates[-1]).astimezone(UTC)
        reach *= 2


def _open_dates(calendar: Calendar, since: datetime, until: datetime) -> Iterator[date]:
    """Give the dates after that of `since` on which the calendar opens before `until`, in order."""
    zone = ZoneInfo(calendar.tz)
    counted = since.astimezone(zone).date()
    for start, end in open_spans(calendar, since, until):
        last = (end - timedelta.resolution).astimezone(zone).date()
        counted = max(counted, start.astimezone(zone).date() - DAY)
        while counted < last:
            counted += DAY
            yield counted


def _midnight_after(calendar: Calendar, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(calendar.tz)) + DAY


def too_late(ticket: Ticket, window: Window, at: datetime) -> bool:
    """Say whether a ticket is closed for good. One that does not know when it was closed can be reopened."""
    if ticket.state is not State.CLOSED:
        return False
    return window.days == 0 or (ticket.closed_at is not None and not window.holds(ticket.closed_at, at))


def goes_on_in(ticket: Ticket, events: Sequence[Event], window: Window, at: datetime) -> int | None:
    """Give the ticket in which the customer of one that is closed for good went on; None where he did not."""
    if not too_late(ticket, window, at):
        return None
    later = (event.data.get("to") for event in reversed(events) if event.what == "continued")
    return next((number for number in later if isinstance(number, int)), None)


def continues(ticket: Ticket, window: Window, reference: str, at: datetime) -> str:
    """Tell the agents, in a line, that a mail goes on with a ticket that is closed for good."""
    head = f"Its mail continues [{reference} #{ticket.number}], closed"
    if ticket.closed_at is None:
        return f"{head} before: a ticket of its own."
    zone = ZoneInfo(window.calendar.tz)
    closed, today = ticket.closed_at.astimezone(zone).date(), at.astimezone(zone).date()
    ago = {0: "today", 1: "yesterday"}.get((today - closed).days, f"{(today - closed).days} days ago")
    return f"{head} {ago} ({closed.isoformat()}), too late to reopen it: a ticket of its own."
