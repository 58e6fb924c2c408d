"""The escalation ladder: who is told what, and when, while a clock runs towards its limit and past it.

Levels lie in open time of the clock's own calendar; percentages are of the limit. Whatever is due at one look is one
mail at the highest level, and each level it covers is then spoken for: the ledger's unique key (ticket, clock, cycle,
level) makes it happen once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from maild.sla.clock import Clock, Spans, due
from maild.sla.hours import Calendar, add

ONCALL = "oncall"
NOTIFY = ("assignee", "team", "lead", "manager", ONCALL)
LIMIT = "limit"
AT = re.compile(r"target|([1-9][0-9]?)%|limit(?:\+([1-9][0-9]{0,3})%)?", re.ASCII)
TICK = timedelta(microseconds=1)
"""A reply at the limit's very instant is in time (R4), so a breach is told the instant after."""


class LadderError(ValueError):
    """An escalation that cannot be read."""


def percent_of(at: str) -> int | None:
    """Read a step as per cent of the limit: 75% is 75, limit 100, limit+100% 200; None for the target."""
    found = AT.fullmatch(at)
    if found is None:
        raise LadderError(f"{at!r} is no step of a ladder; target, 75%, limit or limit+100% are")
    if at == "target":
        return None
    return int(found[1]) if found[1] else 100 + int(found[2] or 0)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step: `at` is `target`, `N%`, `limit` or `limit+N%`; `notify` are words of `NOTIFY`.

    `daily` repeats it that many times, once an open day. LadderError where either cannot be read.
    """

    at: str
    notify: tuple[str, ...]
    daily: int = 0

    def __post_init__(self) -> None:
        percent_of(self.at)
        if not self.notify:
            raise LadderError(f"the step {self.at} notifies nobody; known are {', '.join(NOTIFY)}")
        for word in self.notify:
            if word not in NOTIFY:
                raise LadderError(f"the step {self.at} notifies {word!r}; known are {', '.join(NOTIFY)}")

    @property
    def is_breach(self) -> bool:
        """Whether it stands at the limit or beyond."""
        return self.at.startswith(LIMIT)

    def instant(self, clock: Clock, calendar: Calendar) -> datetime | None:
        """Give when the clock reaches it; None where it is paused or stopped before."""
        percent = percent_of(self.at)
        if percent is None:
            return due(calendar, clock.spans, clock.target_seconds)
        return due(calendar, clock.spans, clock.limit_seconds, percent)


Ladder = tuple[Rung, ...]

DEFAULT: Ladder = (
    Rung("target", ("assignee",)),
    Rung("75%", ("assignee",)),
    Rung("90%", ("assignee", "team")),
    Rung("limit", ("assignee", "lead")),
    Rung("limit+100%", ("manager",), daily=3),
)
"""The ladder of a clock for which none is configured."""


@dataclass(frozen=True, slots=True)
class Level:
    """One rung of one clock: its name in the ledger, its instant (UTC), whom it tells."""

    name: str
    at: datetime
    notify: tuple[str, ...]
    is_breach: bool


@dataclass(frozen=True, slots=True)
class Due:
    """One mail that is owed now: at the highest level, to all that the levels in `covered` tell."""

    name: str
    at: datetime
    notify: tuple[str, ...]
    is_breach: bool
    covered: tuple[str, ...]
    because: str


def _running(calendar: Calendar, spans: Spans, instant: datetime) -> datetime | None:
    """Give the first instant from that one on at which the desk is open, or just closing, and the clock runs."""
    for start, end in spans:
        opening = max(add(calendar, max(start, instant - TICK), 0), instant)
        if end is None or opening < end:
            return opening
    return None


def _repeats(rung: Rung, at: datetime, clock: Clock, calendar: Calendar) -> Iterator[Level]:
    last = at
    for repeat in range(1, rung.daily + 1):
        # A real day later, or when the desk next opens after it: one a day, and never while everybody is away.
        following = _running(calendar, clock.spans, last + timedelta(days=1))
        if following is None:
            return
        last = following
        yield Level(f"{rung.at}, day {repeat}", last, rung.notify, rung.is_breach)


@lru_cache(maxsize=256)
def levels(clock: Clock, calendar: Calendar, ladder: Ladder = DEFAULT) -> tuple[Level, ...]:
    """Give the levels that the clock has reached or will reach as it runs now, in order of time.

    Of one instant the higher stands later: a breach above a warning, then the order of the ladder. Where a breach is on
    record, `limit` stands at that record if it is the earlier: a lowered severity does not take it back (R5).
    """
    found: list[Level] = []
    for rung in ladder:
        at = rung.instant(clock, calendar)
        if rung.at == LIMIT and clock.breached_at is not None:
            at = min(at or clock.breached_at, clock.breached_at)
        if at is None:
            continue
        found.append(Level(rung.at, at, rung.notify, rung.is_breach))
        found.extend(_repeats(rung, at, clock, calendar))
    return tuple(sorted(found, key=lambda level: (level.at, level.is_breach)))


def _waiting(clock: Clock, calendar: Calendar, ladder: Ladder, sent: frozenset[str]) -> list[tuple[datetime, Level]]:
    """Give the levels still to tell, lowest first, each with the instant from which it is due."""
    resting = clock.paused or clock.stopped_at is not None
    if resting and clock.breached_at is None:
        return []
    every = levels(clock, calendar, ladder)
    unsent = [level for level in every if level.name not in sent]
    # Sorted, so that of one instant the breach decides: target and limit of one instant are one mail.
    fires = {level.at: level.at + TICK if level.is_breach else level.at for level in every}
    if clock.breached_at is None:
        return [(fires[level.at], level) for level in unsent]
    if resting and all(level.name != LIMIT for level in unsent):
        # R14: an answer ends the ladder, but a missed deadline is mailed once, even when the answer was faster than we.
        return []
    breaches = [level for level in unsent if level.is_breach]
    if not breaches:
        return []
    # Past a breach a warning is no news: it rides along with the next breach level.
    first = fires[breaches[0].at]
    warnings = [level for level in unsent if not level.is_breach]
    return [(max(first, fires[level.at]), level) for level in (*warnings, *breaches)]


def next_level_at(
    clock: Clock, calendar: Calendar, ladder: Ladder = DEFAULT, sent: frozenset[str] = frozenset()
) -> datetime | None:
    """Give the first instant at which `due_levels` owes a mail, if nothing else happens; None where it never will.

    It may lie in the past, where the daemon was down.
    """
    return min((at for at, _ in _waiting(clock, calendar, ladder, sent)), default=None)


def due_levels(clock: Clock, calendar: Calendar, ladder: Ladder, sent: frozenset[str], now: datetime) -> Due | None:
    """Give the one mail that is owed at `now`: every level due and not in `sent`, told at the highest.

    None for a clock with nothing new to tell: one that was answered, resolved or paused in time, and after a recorded
    breach mere warnings. A breach that was answered late but never mailed is still owed (R14).
    """
    ready = [level for at, level in _waiting(clock, calendar, ladder, sent) if at <= now]
    if not ready:
        return None
    top = ready[-1]
    covered = tuple(dict.fromkeys(level.name for level in ready))
    words = {word for level in ready for word in level.notify}
    because = f"{top.name} was reached at {top.at.isoformat()}"
    if len(covered) > 1:
        because += f"; this also covers {', '.join(covered[:-1])}, not told before"
    if clock.by_reclassification and top.is_breach:
        because += "; a new severity made it late (R5)"
    if clock.stopped_at is not None:
        because += f"; answered late, at {clock.stopped_at.isoformat()}, before the breach could be told (R14)"
    elif clock.paused:
        because += "; it is paused now, but the breach had not been told (R14)"
    return Due(
        name=top.name,
        at=top.at,
        notify=tuple(word for word in NOTIFY if word in words),
        is_breach=top.is_breach,
        covered=covered,
        because=because,
    )


def recipients(
    notify: Sequence[str], assignee: str | None, team: Sequence[str], roles: Mapping[str, str]
) -> tuple[str, ...]:
    """Give the ids of those to tell, each once, in the order of `notify`.

    `roles` are the roles (agent, lead, manager) of every agent of the desk by id. An assignee who is none of them any
    more is nobody, and for nobody the team is told. Where that leaves no one at all, every agent is told: an escalation
    that reaches nobody is none.
    """
    members = [agent for agent in team if agent in roles]
    leads = [agent for agent, role in roles.items() if role == "lead"]
    groups = {
        "assignee": [assignee] if assignee in roles and assignee is not None else members,
        "team": members,
        "lead": [agent for agent in members if roles[agent] == "lead"] or leads,
        "manager": [agent for agent, role in roles.items() if role == "manager"],
    }
    told = dict.fromkeys(agent for word in notify for agent in groups[word])
    return tuple(told) or tuple(roles)
