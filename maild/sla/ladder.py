"""The escalation ladder: who is told what, and when, while a clock runs towards its limit and past it.

Levels lie in open time of the clock's own calendar; percentages are of the limit. Whatever is due at one look is one
mail at the highest level, and each level it covers is then spoken for: the ledger's unique key (ticket, clock, cycle,
level) makes it happen once.

Whoever takes a clock over silences its ladder (`Hush`); a missed deadline is recorded all the same. Where a rung tells
whoever is on call, and nobody takes it over, the next in the rota is told, and the next after him.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from maild.sla.clock import Clock, Spans, due
from maild.sla.hours import Calendar, add
from maild.sla.wall import rfc3339

ONCALL = "oncall"
NOTIFY = ("assignee", "team", "lead", "manager", ONCALL)
LIMIT = "limit"
AFTER_ALL = ", after all"
"""What the name of a level ends with that tells of a breach late, which was recorded in silence."""

NEXT_AFTER = 15 * 60
"""Seconds in which whoever is on call may take a clock over before the next one is told."""

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

    `daily` repeats it that many times, once an open day. `next_after` are the seconds, counted while the desk is open and the
    clock runs, after which the next in the rota is told, where it notifies whoever is on call. LadderError where it
    cannot be read.
    """

    at: str
    notify: tuple[str, ...]
    daily: int = 0
    next_after: int = NEXT_AFTER

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
    """One rung of one clock: its name in the ledger, its instant (UTC), whom it tells.

    `notify` are words of `NOTIFY`, and `oncall+1`, `oncall+2` for those who follow in the rota: after whoever was on call at
    `since`. `because` says why it is there besides its instant, "" for a rung as it is configured.
    """

    name: str
    at: datetime
    notify: tuple[str, ...]
    is_breach: bool
    because: str = ""
    since: datetime | None = None

    @property
    def fires_at(self) -> datetime:
        """When it is told: of a deadline the instant after, since a reply at that very instant is in time."""
        return self.at + TICK if self.is_breach and not self.name.endswith(AFTER_ALL) else self.at


@dataclass(frozen=True, slots=True)
class Due:
    """One mail that is owed now: at the highest level, to all that the levels in `covered` tell.

    `silent` is a breach that is recorded and told to nobody, since somebody took the clock over: `notify` is empty then.
    `since` is when whoever is on call was told, where only those who follow him are told now, else None.
    """

    name: str
    at: datetime
    notify: tuple[str, ...]
    is_breach: bool
    covered: tuple[str, ...]
    because: str
    silent: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hush:
    """That somebody took a clock over at `since` (UTC): from then on nobody is told, until it lapses.

    `because` says in words who did, and when. `warnings_only` lets a breach be told that comes after it. `lapsed_at` is
    when it ended, None while it stands; `unsaid` is the level at which a breach was recorded and told to nobody, ""
    where there is none: that one is told when it lapses.
    """

    because: str
    since: datetime
    warnings_only: bool = False
    lapsed_at: datetime | None = None
    unsaid: str = ""

    def silences(self, level: Level, clock: Clock) -> bool:
        """Say whether nobody is told of a level."""
        if self.lapsed_at is not None:
            return False
        was_late = clock.breached_at is not None and clock.breached_at < self.since
        return was_late or not self.warnings_only or not level.is_breach


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


def _nexts(rung: Rung, at: datetime, clock: Clock, calendar: Calendar, rota: int) -> Iterator[Level]:
    if ONCALL not in rung.notify:
        return
    spans = tuple((max(start, at), end) for start, end in clock.spans if end is None or end > at)
    for step in range(1, rota):
        following = due(calendar, spans, step * rung.next_after)
        if following is None:
            return
        because = "nobody answered it or took it over"
        yield Level(f"{rung.at}, next {step}", following, (f"{ONCALL}+{step}",), rung.is_breach, because, at)


@lru_cache(maxsize=256)
def levels(clock: Clock, calendar: Calendar, ladder: Ladder = DEFAULT, rota: int = 1) -> tuple[Level, ...]:
    """Give the levels that the clock has reached or will reach as it runs now, in order of time.

    `rota` is the number of people who are on call by turns: each is told once, one after the other.
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
        found.extend(_nexts(rung, at, clock, calendar, rota))
        found.extend(_repeats(rung, at, clock, calendar))
    return tuple(sorted(found, key=lambda level: (level.at, level.is_breach)))


def _after_all(every: tuple[Level, ...], hush: Hush | None) -> tuple[Level, ...]:
    """Add the breach that was told to nobody, where nobody has taken the clock over any more."""
    if hush is None or hush.lapsed_at is None:
        return every
    unsaid = next((level for level in every if level.name == hush.unsaid), None)
    if unsaid is None:
        return every
    because = "the breach was told to nobody while it was acknowledged, and that is no more so"
    late = Level(unsaid.name + AFTER_ALL, hush.lapsed_at, unsaid.notify, is_breach=True, because=because)
    return tuple(sorted((*every, late), key=lambda level: (level.at, level.is_breach)))


def _waiting(
    clock: Clock, calendar: Calendar, ladder: Ladder, sent: frozenset[str], rota: int, hush: Hush | None
) -> list[tuple[datetime, Level]]:
    """Give the levels still to tell, lowest first, each with the instant from which it is due."""
    resting = clock.paused or clock.stopped_at is not None
    if resting and clock.breached_at is None:
        return []
    every = levels(clock, calendar, ladder, rota)
    if not resting:
        every = _after_all(every, hush)
    unsent = [level for level in every if level.name not in sent]
    # Sorted, so that of one instant the breach decides: target and limit of one instant are one mail.
    fires = {level.at: level.fires_at for level in every}
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


def _recorded(sent: frozenset[str]) -> bool:
    return any(name.startswith(LIMIT) for name in sent)


def next_level_at(
    clock: Clock,
    calendar: Calendar,
    ladder: Ladder = DEFAULT,
    sent: frozenset[str] = frozenset(),
    rota: int = 1,
    hush: Hush | None = None,
) -> datetime | None:
    """Give the first instant at which `due_levels` owes something, if nothing else happens; None where it never will.

    It may lie in the past, where the daemon was down.
    """
    waiting = _waiting(clock, calendar, ladder, sent, rota, hush)
    at = [when for when, level in waiting if hush is None or not hush.silences(level, clock)]
    if not _recorded(sent):
        at += [when for when, level in waiting if level.is_breach][:1]
    return min(at, default=None)


def due_levels(
    clock: Clock,
    calendar: Calendar,
    ladder: Ladder,
    sent: frozenset[str],
    now: datetime,
    rota: int = 1,
    hush: Hush | None = None,
) -> Due | None:
    """Give the one mail that is owed at `now`: every level due and not in `sent`, told at the highest.

    None for a clock with nothing new to tell: one that was answered, resolved or paused in time, and after a recorded
    breach mere warnings. A breach that was answered late but never mailed is still owed (R14). One that comes while
    the ladder is silent is owed to nobody: it is recorded, once. `rota` is that of `levels`.
    """
    ready = [level for at, level in _waiting(clock, calendar, ladder, sent, rota, hush) if at <= now]
    spoken = [level for level in ready if hush is None or not hush.silences(level, clock)]
    if not spoken:
        return _unsaid(ready, hush) if hush is not None and not _recorded(sent) else None
    top = spoken[-1]
    covered = tuple(dict.fromkeys(level.name for level in ready))
    others = [name for name in covered if name != top.name]
    words = dict.fromkeys(word for level in spoken for word in level.notify)
    because = _reached(top)
    if others:
        because += f"; this also covers {', '.join(others)}, not told before"
    if clock.by_reclassification and top.is_breach:
        because += "; a new severity made it late (R5)"
    if clock.stopped_at is not None:
        because += f"; answered late, at {rfc3339(clock.stopped_at)}, before the breach could be told (R14)"
    elif clock.paused:
        because += "; it is paused now, but the breach had not been told (R14)"
    return Due(
        name=top.name,
        at=top.at,
        notify=(*(word for word in NOTIFY if word in words), *(word for word in words if word not in NOTIFY)),
        is_breach=top.is_breach,
        covered=covered,
        because=because,
        since=None if ONCALL in words else next((level.since for level in spoken if level.since is not None), None),
    )


def _unsaid(ready: Sequence[Level], hush: Hush) -> Due | None:
    """Give the first breach as one that is recorded and told to nobody."""
    at = next((number for number, level in enumerate(ready) if level.is_breach), None)
    if at is None:
        return None
    breach = ready[at]
    return Due(
        name=breach.name,
        at=breach.at,
        notify=(),
        is_breach=True,
        covered=tuple(level.name for level in ready[: at + 1]),
        because=f"{_reached(breach)}; {hush.because}: nobody is told",
        silent=True,
    )


def _reached(level: Level) -> str:
    return f"{level.name} was reached at {rfc3339(level.at)}" + (f": {level.because}" if level.because else "")
