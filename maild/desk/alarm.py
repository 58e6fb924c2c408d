"""When people must be told by another way than mail, because none can leave: who is told what, and why.

An alarm is raised once, said again every so often while it lasts, and over once. Each *ear* is one of the ways to people
(the log is one, too) and knows by itself what it heard: one that fails is tried again, and the others are not told twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from maild.outbound.delayed import Waiting
from maild.outbound.gate import clean
from maild.outbound.wording import span

What = Literal["stuck", "still_stuck", "over", "ledger_away", "test"]
Kind = Literal["stuck", "ledger_away"]

SETTLE = timedelta(seconds=60)
"""What waited while nobody sent (we were down, or the ledger was) has this long to leave before it is judged."""

_BACKOFF = tuple(timedelta(seconds=each) for each in (5, 15, 60, 120, 300))
LONGEST_WORDS = 200
"""Characters of what others say."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long owed mail may wait, and how often the alarm is said again while it lasts."""

    after: timedelta
    again: timedelta

    @property
    def sooner(self) -> timedelta:
        """How long an escalation mail may wait, and the ledger be away: nobody knows what is owed in it."""
        return self.after / 2

    @property
    def settle(self) -> timedelta:
        """How long what is found waiting has to leave."""
        return min(SETTLE, self.sooner)


@dataclass(frozen=True, slots=True)
class Away:
    """The ledger cannot be read: since when, and in its words why."""

    since: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Ear:
    """One way to people: when it last heard of this alarm, when it was last tried, how often in vain since then."""

    name: str
    heard: datetime | None = None
    tried: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """The alarm itself. `since` None: it is silent. `over`: when the trouble ended, as long as somebody must hear of it."""

    since: datetime | None = None
    kind: Kind = "stuck"
    because: str = ""
    over: datetime | None = None
    ears: tuple[Ear, ...] = ()

    @property
    def sounds(self) -> bool:
        """Whether there is trouble now."""
        return self.since is not None and self.over is None


SILENT = Alarm()


@dataclass(frozen=True, slots=True)
class Word:
    """What one ear is to hear now."""

    ear: str
    what: What


@dataclass(frozen=True, slots=True)
class Step:
    """The alarm after a look, what is to be said now, and when something more is to be said (None: when a look says so)."""

    alarm: Alarm
    words: tuple[Word, ...] = ()
    next_at: datetime | None = None


def step(
    alarm: Alarm, seen: Waiting | Away, rule: Rule, ears: Sequence[str], now: datetime, *, settled: datetime
) -> Step:
    """Judge what was seen at `now`. `ears` are those there are; mail is being sent since `settled`."""
    found = trouble(seen, rule, now)
    if found is not None and isinstance(seen, Waiting) and now - settled < rule.settle:
        return Step(alarm, next_at=settled + rule.settle)
    alarm = _moved(alarm, found, rule, now)
    if alarm.since is None:
        return Step(SILENT)
    alarm = replace(alarm, ears=_fitted(alarm, ears))
    if alarm.over is not None and not alarm.ears:
        return Step(SILENT)
    due = [(ear, _due(alarm, ear, rule, now)) for ear in alarm.ears]
    later = [at for _, at in due if at is not None and at > now]
    words = tuple(Word(ear.name, _what(alarm, ear)) for ear, at in due if at is None or at <= now)
    return Step(alarm, words, min(later, default=None))


def begun(alarm: Alarm, words: Sequence[Word], now: datetime) -> Alarm:
    """Give the alarm as it is to be kept while words are being said: who dies meanwhile does not know who took them."""
    told = {word.ear for word in words}
    return replace(
        alarm, ears=tuple(replace(ear, tried=now, failures=0) if ear.name in told else ear for ear in alarm.ears)
    )


def said(alarm: Alarm, ear: str, now: datetime, *, taken: bool) -> Alarm:
    """Give the alarm after an ear was told something: whether it took it. Who heard that it is over, is done with."""

    def after(one: Ear) -> Ear:
        if one.name != ear:
            return one
        return Ear(ear, now, now) if taken else replace(one, tried=now, failures=one.failures + 1)

    if taken and alarm.over is not None:
        left = tuple(one for one in alarm.ears if one.name != ear)
        return replace(alarm, ears=left) if left else SILENT
    return replace(alarm, ears=tuple(map(after, alarm.ears)))


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, since when, and in words why that is an alarm."""

    kind: Kind
    since: datetime
    because: str


def trouble(seen: Waiting | Away, rule: Rule, now: datetime) -> Trouble | None:
    """Say whether what was seen is an alarm."""
    if isinstance(seen, Away):
        if now - seen.since < rule.sooner:
            return None
        because = f"the ledger cannot be read for {lasting(now - seen.since)}, so nothing leaves: {seen.because}"
        return Trouble("ledger_away", seen.since, clean(because, LONGEST_WORDS))
    if seen.refused is not None:
        because = "a mail of escalation was refused for good, and none that was owed later has left"
        return Trouble("stuck", seen.refused.since, because)
    urgent = seen.oldest_escalation
    if urgent is not None and now - urgent.since >= rule.sooner:
        return Trouble("stuck", urgent.since, f"a mail of escalation has waited for {lasting(now - urgent.since)}")
    first = seen.first
    if first is None or now - max(first.since, seen.moved or first.since) < rule.after:
        return None
    because = (
        f"a mail ({first.kind}) has waited for {lasting(now - first.since)}, and none that was owed later has left"
    )
    return Trouble("stuck", first.since, because)


def _moved(alarm: Alarm, found: Trouble | None, rule: Rule, now: datetime) -> Alarm:
    if found is not None:
        if alarm.since is None:
            return Alarm(found.since, found.kind, found.because)
        # Whom the end did not reach: for him it goes on, and what he missed is no reason to tell him sooner.
        ears = alarm.ears if alarm.over is None else tuple(Ear(ear.name, ear.heard) for ear in alarm.ears)
        return replace(alarm, kind=found.kind, because=found.because, over=None, ears=ears)
    if alarm.sounds:
        # Who cannot have heard that it sounds need not hear that it is over.
        told = tuple(Ear(ear.name, ear.heard) for ear in alarm.ears if ear.heard or (ear.tried and not ear.failures))
        return replace(alarm, over=now, ears=told)
    stale = alarm.over is not None and not timedelta(0) <= now - alarm.over < rule.again
    return SILENT if stale else alarm


def _fitted(alarm: Alarm, names: Sequence[str]) -> tuple[Ear, ...]:
    known = {ear.name: ear for ear in alarm.ears}
    if alarm.over is not None:
        return tuple(known[name] for name in names if name in known)
    return tuple(known.get(name, Ear(name)) for name in names)


def _due(alarm: Alarm, ear: Ear, rule: Rule, now: datetime) -> datetime | None:
    """Give when an ear is to hear something; None: at once. What happened later than now did so before a clock was set back."""
    if ear.failures and ear.tried is not None and ear.tried <= now:
        return ear.tried + min(_BACKOFF[min(ear.failures, len(_BACKOFF)) - 1], rule.again)
    if ear.heard is None or ear.heard > now or alarm.over is not None:
        return None
    return ear.heard + rule.again


def _what(alarm: Alarm, ear: Ear) -> What:
    if alarm.over is not None:
        return "over"
    return "still_stuck" if alarm.kind == "stuck" and ear.heard is not None else alarm.kind


def lasting(lasts: timedelta) -> str:
    """Say a stretch of time; one that ends before it begins is none."""
    return span(max(int(lasts.total_seconds()), 0))
