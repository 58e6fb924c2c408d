"""What `maild check` says of duty: who has it and who follows, gaps, deputies who are away too, and quiet hours that hurt."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from maild.config import Config
from maild.config.office import office as office_of
from maild.desk.duty import ToldOne, present
from maild.desk.office import Agent, Office
from maild.outbound.wording import promised
from maild.sla.absence import Absence
from maild.sla.hours import Calendar, between, open_spans
from maild.sla.policy import Promise
from maild.sla.rota import AHEAD, Rota, first_gap, handovers, on_duty
from maild.ticket import Severity

_HANDOVERS = 3
_WEEK = timedelta(days=7)


def duties(config: Config, now: datetime) -> Iterator[str]:
    """Say who is on duty now, and the next handovers, in the desk's time zone."""
    desk = office_of(config, ())
    zone = ZoneInfo(config.desk.time_zone)
    for rota in desk.rotas:
        yield f"On duty by the rota {rota.name} ({config.desk.time_zone}):"
        yield f"  now: {_whom(on_duty(rota, now), desk, now)}"
        for at, who in islice(handovers(rota, now, now + AHEAD), _HANDOVERS):
            yield f"  from {_when(at, zone)}: {_whom(who, desk, at)}"


def odd_duty(config: Config, now: datetime) -> Iterator[str]:
    """Give a line for each: the first gap of a rota, absences without anybody, quiet hours longer than a promise."""
    desk = office_of(config, ())
    zone = ZoneInfo(config.desk.time_zone)
    for number, rota in enumerate(desk.rotas, 1):
        yield from _gap(f"rota[{number}]", rota, zone, now)
    for number, agent in enumerate(desk.agents, 1):
        if agent.deputy:
            yield from _alone(f"agent[{number}]", agent, desk, now)
    for severity in Severity:
        yield from _too_quiet(config, desk, severity, now)


def _whom(who: tuple[str, ...], desk: Office, at: datetime) -> str:
    agent = desk.agent(who[0]) if who else None
    if agent is None:
        return "nobody: the team is told"
    until = agent.away_until(at)
    if until is None:
        return agent.called
    here = present(ToldOne(agent, "oncall"), desk, at)
    return f"{agent.called}, who is away until {until}" + (f": {here.agent.called} is told" if here else "")


def _gap(key: str, rota: Rota, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    gap = first_gap(rota, now, now + AHEAD)
    if gap is not None:
        start, end = gap
        since = "now" if start == now else _when(start, zone)
        until = f"until {_when(end, zone)}" if end else "on"
        yield f"{key}: nobody is on duty by the rota {rota.name} from {since} {until}: the team is told then"


def _alone(key: str, agent: Agent, desk: Office, now: datetime) -> Iterator[str]:
    """Find the first day on which neither an agent nor any of his deputies is there."""
    zone = ZoneInfo(agent.time_zone)
    today = now.astimezone(zone).date()
    deputy = desk.agent(agent.deputy)
    for day in (day for absence in agent.away for day in _days(absence, today)):
        noon = datetime.combine(day, time(12), zone).astimezone(UTC)
        if deputy and present(ToldOne(agent, "assignee"), desk, noon) is None:
            yield f"{key}.deputy: {deputy.called} stands in for {agent.called}, but is away on {day} too, and nobody else is there"
            return


def _days(absence: Absence, today: date) -> Iterator[date]:
    first = max(absence.first, today)
    for number in range(min((absence.last - first).days + 1, AHEAD.days)):
        yield first + timedelta(days=number)


def _too_quiet(config: Config, desk: Office, severity: Severity, now: datetime) -> Iterator[str]:
    """Find quiet hours in which a first response is due before anybody is told: in open time of the promise's calendar."""
    spans = desk.quiet.get(severity, ())
    if not spans:
        return
    zones = {agent.time_zone for agent in desk.agents} or {config.desk.time_zone}
    calendars = [Calendar(tz=zone, weekly=(spans,) * 7) for zone in sorted(zones)]
    for name, policy in desk.policies.items():
        promise = policy.promise(severity)
        limit = promise.first_response[1]
        longest = max(_counted(calendar, promise, now) for calendar in calendars)
        if longest > limit:
            key = f"policy.{name}.{severity}" if name else f"sla.{severity}"
            yield (
                f"quiet.{severity} holds mail back while up to {promised(longest)} count for {key}.first_response, whose"
                f" limit is {promised(limit)}: a breach may come before its warnings, unless somebody is told as oncall"
            )


def _counted(quiet: Calendar, promise: Promise, now: datetime) -> int:
    """Give the most seconds of a promise's open time that lie in one quiet span of the coming week."""
    spans = open_spans(quiet, now, now + _WEEK)
    return max(between(promise.calendar, start, end) for start, end in spans)


def _when(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%A %Y-%m-%d %H:%M}"
