"""Another policy over the same events: what it would have met, what it would have breached. The fold is the daemon's own."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from maild.sla.clock import Clock, ClockState, History
from maild.sla.fold import fold
from maild.sla.policy import Metric, Policy
from maild.ticket import Severity


class Verdict(StrEnum):
    """What became of a promise."""

    MET = "met"
    BREACHED = "breached"
    RUNNING = "running"


Count = tuple[Severity, Metric, Verdict]
Counts = Mapping[Count, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """A promise that another policy would have judged otherwise.

    `was` is None where there was no such promise, `would` where there would be none. The limits are None where a clock
    rests, `stopped_at` while it runs.
    """

    ticket: int
    severity: Severity
    metric: Metric
    cycle: int
    was: Verdict | None
    would: Verdict | None
    limit_at: datetime | None
    would_limit_at: datetime | None
    stopped_at: datetime | None


def verdict(clock: Clock, now: datetime) -> Verdict | None:
    """Say what became of a promise by `now`: a breach stays one; None where a merge ended it.

    One on record that runs past its limit is a breach, though no daemon has looked at it yet.
    """
    if clock.state is ClockState.ENDED:
        return None
    if clock.breached_at is not None:
        return Verdict.BREACHED
    if clock.stopped_at is not None:
        return Verdict.MET
    return Verdict.BREACHED if clock.limit_at is not None and now > clock.limit_at else Verdict.RUNNING


def under(history: History, policy: Policy, now: datetime) -> tuple[Clock, ...]:
    """Give the clocks of a ticket as another policy would have had them at `now`.

    No breach is taken over from the record, those that a merge brought along neither: they are the other policy's.
    """
    return fold(_unrecorded(history), policy, now)


def _unrecorded(history: History) -> History:
    return replace(
        history,
        events=tuple(
            event if event.other is None else replace(event, other=_unrecorded(event.other), recorded=())
            for event in history.events
        ),
    )


def differences(
    ticket: int, severity: Severity, was: Iterable[Clock], would: Iterable[Clock], now: datetime
) -> Iterator[Difference]:
    """Compare a ticket's clocks, those on record and those under another policy, by metric and cycle."""
    before = {(clock.metric, clock.cycle): clock for clock in was}
    after = {(clock.metric, clock.cycle): clock for clock in would}
    for metric, cycle in {**before, **after}:
        one, other = before.get((metric, cycle)), after.get((metric, cycle))
        either = before.get((metric, cycle)) or after[metric, cycle]
        judged, rejudged = (verdict(clock, now) if clock else None for clock in (one, other))
        if judged is not rejudged:
            yield Difference(
                ticket,
                severity,
                metric,
                cycle,
                judged,
                rejudged,
                one.limit_at if one else None,
                other.limit_at if other else None,
                either.stopped_at,
            )


def counts(severity: Severity, clocks: Iterable[Clock], now: datetime) -> Counter[Count]:
    """Count what became of the promises to a ticket of that severity."""
    return Counter((severity, clock.metric, found) for clock in clocks if (found := verdict(clock, now)) is not None)
