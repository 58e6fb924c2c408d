"""What the ledger holds, as reports want it; and the weekly report: when it is due, and to whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from maild.desk.office import Agent, Office
from maild.desk.past import standing
from maild.mail import Address
from maild.outbound.letters import ReportLetter, Section
from maild.report.figures import Correction, Life, Report, customer_name, report
from maild.report.sections import by_week, lines_of, period, sections
from maild.sla.clock import Clock
from maild.ticket import Event, Severity, Ticket

WEEKS = 4
"""How many weeks the weekly report looks back, to show the last one beside those before it."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """When the weekly report is sent (`day` counts from Monday 0, local time of the desk), and to whom.

    `to` are agents' ids, roles (lead, manager) and addresses.
    """

    day: int
    at: time
    to: tuple[str, ...]


def last_slot(now: datetime, weekly: Weekly, zone: str) -> datetime:
    """Give the newest instant, not after `now`, at which the weekly report was to be sent (UTC).

    A time that a night without that hour leaves out is the instant an hour later on the clock; a doubled one its first.
    """
    local = ZoneInfo(zone)
    today = now.astimezone(local).date()
    day = today - timedelta(days=(today.weekday() - weekly.day) % 7)
    at = datetime.combine(day, weekly.at, local).astimezone(UTC)
    return at if at <= now else datetime.combine(day - timedelta(days=7), weekly.at, local).astimezone(UTC)


def next_slot(now: datetime, weekly: Weekly, zone: str) -> datetime:
    """Give the first instant after `now` at which the weekly report is to be sent (UTC)."""
    local = ZoneInfo(zone)
    day = last_slot(now, weekly, zone).astimezone(local).date() + timedelta(days=7)
    return datetime.combine(day, weekly.at, local).astimezone(UTC)


def midnight(day: date, zone: str) -> datetime:
    """Give the instant at which a day begins in a zone (UTC)."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def weeks_before(at: datetime, zone: str, weeks: int) -> tuple[datetime, datetime]:
    """Give so many weeks of whole local days that end with the midnight before `at`."""
    end = at.astimezone(ZoneInfo(zone)).date()
    return midnight(end - timedelta(weeks=weeks), zone), midnight(end, zone)


def life(ticket: Ticket, clocks: tuple[Clock, ...], office: Office) -> Life:
    """Give a ticket with the name of the customer whose it is."""
    customer = office.customer_of(ticket.requester)
    return Life(ticket, customer_name(ticket.requester, customer.name if customer else ""), clocks)


def corrections(number: int, events: Sequence[Event]) -> tuple[Correction, ...]:
    """Give the severities that people set on a ticket and that still stand; those that are as before are none."""
    found = []
    severity: Severity | None = None
    for event in standing(events):
        if event.what == "opened":
            severity = Severity(event.data["severity"])
        elif event.what == "set_severity":
            before, severity = (
                Severity(event.data.get("from", severity or event.data["to"])),
                Severity(event.data["to"]),
            )
            if event.actor != "maild" and before is not severity:
                found.append(Correction(number, event.at, event.actor, before, severity))
    return tuple(found)


def readers(weekly: Weekly, office: Office) -> tuple[Agent | Address, ...]:
    """Give whom the report goes to, each address once."""
    found: dict[str, Agent | Address] = {}
    for word in weekly.to:
        if "@" in word:
            found.setdefault(word.lower(), Address("", word))
        for agent in office.agents:
            if word in {agent.id, agent.role}:
                found.setdefault(agent.address.lower(), agent)
    return tuple(found.values())


def weekly_letters(
    lives: Sequence[Life], changed: Iterable[Correction], at: datetime, weekly: Weekly, office: Office
) -> tuple[ReportLetter, ...]:
    """Write the report of the week before `at`, its slot, with the weeks before it beside it: a letter for each reader.

    The key names the slot and the reader, so that daemons which do it at once, or one that was killed, owe one mail each.
    """
    zone = office.desk.time_zone
    all_changes = tuple(changed)
    since, until = weeks_before(at, zone, WEEKS)
    week = report(lives, all_changes, weeks_before(at, zone, 1)[0], until, zone)
    before = report(lives, all_changes, since, until, zone)
    shown = tuple(by_week(before) if one.title == by_week(week).title else one for one in sections(week))
    return tuple(_letter(reader, week, shown, at, office) for reader in readers(weekly, office))


def _letter(
    reader: Agent | Address, week: Report, shown: tuple[Section, ...], at: datetime, office: Office
) -> ReportLetter:
    key = f"report:{at.astimezone(UTC).isoformat()}:{reader.address.lower()}"
    return ReportLetter(
        key=key,
        to=Address(reader.name, reader.address),
        period=period(week),
        sections=shown,
        text="\n".join(lines_of(shown)).strip("\n"),
        message_id=office.message_id(0, key),
        root_id=office.message_id(0, "report"),
    )
