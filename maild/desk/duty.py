"""Who is told: the people that the words of a ladder mean, those who stand in for them, and when they sleep."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from maild.desk.office import Agent, Office
from maild.sla.hours import Calendar, open_spans
from maild.sla.ladder import ONCALL
from maild.sla.rota import on_duty
from maild.sla.wall import Pair
from maild.ticket import Severity, Ticket

__all__ = ["ToldOne", "held_until", "on_duty", "present", "quiet_until", "rota_size", "told", "told_as"]

EVERYONE = "everyone"
_ON_CALL = re.compile(rf"{ONCALL}(?:\+([1-9][0-9]*))?", re.ASCII)

_LONGEST_QUIET = timedelta(days=4)
"""Quiet hours leave some of each day, but the wall may skip that on one night."""


@dataclass(frozen=True, slots=True)
class ToldOne:
    """One person who is told. `as_word` is the role in which he is: assignee, team, lead, manager, oncall, oncall+1.

    Where nobody is on call, or has the ticket, it is the team that is told, as `team`; and `everyone` where a word means
    nobody at all. Who is told in two roles, oncall among them, is told as oncall. `because` says why he is told in
    another one's place, "" for himself.
    """

    agent: Agent
    as_word: str
    because: str = ""

    @property
    def on_call(self) -> bool:
        """Whether he has agreed to be woken."""
        return self.as_word.startswith(ONCALL)

    @property
    def notes(self) -> tuple[str, ...]:
        """The line for his mail that says why he gets it, if that wants a word."""
        return (f"You are told {self.because}.",) if self.because else ()


def told(
    notify: tuple[str, ...], ticket: Ticket, office: Office, at: datetime, *, since: datetime | None = None
) -> tuple[Agent, ...]:
    """Give those whom the words of a level tell at `at`, each once, in the order of the words.

    `oncall` is whoever is on duty in the rota of the ticket's mailbox, `oncall+1` who follows him. An assignee who is no
    agent any more is nobody, and for nobody the team is told; likewise where nobody is on duty, or nobody follows. Whoever
    is away is replaced by his deputy, or left out where he has none who is there. Where that leaves no one, he is told
    all the same, and where the words mean no one, every agent is: an escalation that reaches nobody is none.

    `since` is when `oncall` was told of it, where that was before: who follows is counted from whoever had duty then, so
    that a handover in between passes nobody over.
    """
    return tuple(one.agent for one in told_as(notify, ticket, office, at, since=since))


def told_as(
    notify: Iterable[str], ticket: Ticket, office: Office, at: datetime, *, since: datetime | None = None
) -> tuple[ToldOne, ...]:
    """Do as `told`, and say of each in which role he is told, and for whom.

    ValueError for a word that is none.
    """
    meant = [one for word in notify for one in _meant(word, ticket, office, at, since or at)]
    meant = meant or [ToldOne(agent, EVERYONE) for agent in office.agents]
    here = _each_once(there for one in meant if (there := present(one, office, at)) is not None)
    return here or _each_once(_all_the_same(one, at) for one in meant)


def present(one: ToldOne, office: Office, at: datetime) -> ToldOne | None:
    """Give himself where he is there at `at`, else his deputy, or that one's deputy; None where nobody of them is there."""
    agent: Agent | None = one.agent
    away: dict[str, str] = {}
    while agent is not None and agent.id not in away:
        if agent.away_until(at) is None:
            because = f"for {' and '.join(away.values())}" if away else one.because
            return ToldOne(agent, one.as_word, because)
        away[agent.id] = _away(agent, at)
        agent = office.agent(agent.deputy)
    return None


def _each_once(ones: Iterable[ToldOne]) -> tuple[ToldOne, ...]:
    found: dict[str, ToldOne] = {}
    for one in ones:
        before = found.get(one.agent.id)
        if before is None or (one.on_call and not before.on_call):
            found[one.agent.id] = one
    return tuple(found.values())


def _all_the_same(one: ToldOne, at: datetime) -> ToldOne:
    because = f"although you are away until {one.agent.away_until(at)}: nobody stands in for you"
    return ToldOne(one.agent, one.as_word, because)


def _meant(word: str, ticket: Ticket, office: Office, at: datetime, since: datetime) -> Iterable[ToldOne]:
    """Give whom a word means, whether they are there or not."""
    team = office.team(office.mailbox(ticket.mailbox))
    if word == "assignee":
        assignee = office.agent(ticket.assignee)
        return [ToldOne(assignee, word)] if assignee else _as("team", team)
    if word == "team":
        return _as(word, team)
    if word == "lead":
        return _as(word, [agent for agent in team if agent.role == word]) or _as(word, _of_role(word, office))
    if word == "manager":
        return _as(word, _of_role(word, office))
    found = _ON_CALL.fullmatch(word)
    if found is None:
        raise ValueError(f"{word!r} is nobody who can be told")
    rota = office.rota(office.mailbox(ticket.mailbox))
    step = int(found[1] or 0)
    ids = on_duty(rota, since if step else at) if rota else ()
    return _on_call(word, step, ids, office, at) or _as("team", team)


def _on_call(word: str, step: int, ids: tuple[str, ...], office: Office, at: datetime) -> list[ToldOne]:
    """Give the first of those on duty, or who follows so many steps after him.

    Who is away and has no deputy is passed over, and so is a turn of somebody who is called in another's place already.
    """
    listed = [agent for name in ids if (agent := office.agent(name)) is not None]
    called: dict[str, Agent] = {}
    for agent in listed:
        if there := present(ToldOne(agent, word), office, at):
            called.setdefault(there.agent.id, agent)
    here = list(called.values()) or listed
    if step >= len(here):
        return []
    passed = step == 0 and here[0] is not listed[0]
    return [ToldOne(here[step], word, f"for {_away(listed[0], at)}" if passed else "")]


def _as(word: str, agents: Iterable[Agent]) -> list[ToldOne]:
    return [ToldOne(agent, word) for agent in agents]


def _of_role(role: str, office: Office) -> list[Agent]:
    return [agent for agent in office.agents if agent.role == role]


def _away(agent: Agent, at: datetime) -> str:
    return f"{agent.called}, who is away until {agent.away_until(at)}"


def rota_size(ticket: Ticket, office: Office) -> int:
    """Give how many take turns in the rota that a ticket's mailbox goes by; 0 where there is none."""
    rota = office.rota(office.mailbox(ticket.mailbox))
    return len(rota.agents) if rota else 0


@lru_cache(maxsize=256)
def _quiet(spans: tuple[Pair, ...], zone: str) -> Calendar:
    return Calendar(tz=zone, weekly=(spans,) * 7)


def quiet_until(agent: Agent, severity: Severity, office: Office, at: datetime) -> datetime | None:
    """Give when the quiet hours end (UTC) in which `at` lies for an agent and a severity; None where it lies in none.

    They are hours on the wall of his own zone: one that the wall leaves out is none, a doubled one is quiet twice. Hours
    that touch or overlap are one. At their end he is told.
    """
    spans = office.quiet.get(severity, ())
    if not spans:
        return None
    start, end = next(open_spans(_quiet(spans, agent.time_zone), at, at + _LONGEST_QUIET))
    return end if start <= at else None


def held_until(one: ToldOne, severity: Severity, office: Office, at: datetime) -> datetime | None:
    """Do as `quiet_until`, but nothing is held back from who is told as oncall: he has agreed to be woken."""
    return None if one.on_call else quiet_until(one.agent, severity, office, at)
