"""Who is told, and when it is quiet: what holds for any desk at any instant."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Agent, Mailbox
from maild.desk.duty import ToldOne, present, quiet_until, told, told_as
from maild.sla.absence import Absence
from maild.sla.rota import Rota, Turns
from maild.ticket import Severity

HOUR = 3600
DAY = 24 * HOUR
WORDS = ("assignee", "team", "lead", "manager", "oncall", "oncall+1", "oncall+2")


def person(name, role="agent", zone="Europe/Berlin", **changes):
    return Agent(name, name.title(), f"{name}@staff.example", role, zone, **changes)


def rota(*agents, name="support", start="2026-12-07 09:00"):
    return Rota(name, Turns(agents, datetime.fromisoformat(start), 7 * DAY, "Europe/Berlin"))


SPANS = st.lists(st.tuples(st.integers(0, 23), st.integers(1, 9)), min_size=1, max_size=4).map(
    lambda rows: tuple(sorted((start * HOUR, (start + lasts) * HOUR) for start, lasts in rows))
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them so
ZONES = st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"))
ONCE = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_quiet(spans, zone, at):
    """Ask the wall itself."""
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    second = (wall - datetime.combine(wall.date(), datetime.min.time())).total_seconds()
    return any(start <= second + days * DAY < end for start, end in spans for days in (0, 1))


@ONCE
@given(SPANS, ZONES, INSTANTS)
def test_the_end_of_quiet_hours_is_later_and_not_quiet(office, spans, zone, at):
    if sum(end - start for start, end in spans) >= 20 * HOUR:
        return
    ann, here = person("ann", zone=zone), replace(office, quiet={Severity.LOW: spans})
    end = quiet_until(ann, Severity.LOW, here, at)
    assert (end is not None) is is_quiet(spans, zone, at)
    if end is not None:
        assert end > at
        assert quiet_until(ann, Severity.LOW, here, end) is None
        assert not is_quiet(spans, zone, end)
        assert all(is_quiet(spans, zone, at + (end - at) * part / 7) for part in range(7))


PEOPLE = ("ann", "bob", "eve", "max")


@st.composite
def desks(draw):
    away = st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 20)).map(
            lambda pair: Absence(date(2026, 12, 1) + timedelta(pair[0]), date(2026, 12, 1) + timedelta(sum(pair)))
        ),
        max_size=2,
    ).map(tuple)
    agents = tuple(
        person(
            name,
            role=draw(st.sampled_from(("agent", "lead", "manager"))),
            deputy=draw(st.sampled_from(("", "gone", *PEOPLE))),
            away=draw(away),
        )
        for name in draw(st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True))
    )
    turns = draw(st.lists(st.sampled_from(PEOPLE), max_size=4))
    team = tuple(draw(st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True)))
    return agents, ((rota(*turns),) if turns else ()), team


@ONCE
@given(
    desks(),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(tuple),
    st.sampled_from((None, "gone", *PEOPLE)),
    st.integers(0, 60),
)
def test_somebody_is_told_as_long_as_there_is_an_agent(office, make_ticket, people, notify, assignee, day):
    agents, rotas, team = people
    box = Mailbox("csm@desk.example", (), team, "en", "+", "participants", "")
    here = replace(office, mailboxes=(box,), agents=agents, rotas=rotas)
    at = datetime(2026, 12, 1, 12, tzinfo=UTC) + timedelta(days=day)
    found = told_as(notify, make_ticket(assignee=assignee), here, at)
    ids = [one.agent.id for one in found]
    assert ids
    assert len(set(ids)) == len(ids)
    assert set(ids) <= {agent.id for agent in agents}
    # Whoever is away is told only where nobody is told who is there.
    gone = [one.agent.away_until(at) is not None for one in found]
    assert all(gone) or not any(gone)
    assert told(notify, make_ticket(assignee=assignee), here, at) == tuple(one.agent for one in found)
    for agent in agents:
        one = present(ToldOne(agent, "assignee"), here, at)
        assert one is None or one.agent.away_until(at) is None
        assert agent.away_until(at) is not None or one == ToldOne(agent, "assignee")
