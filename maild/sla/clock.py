"""What a clock is, and when it reaches a given amount of open time. `sla.fold` makes clocks out of events."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maild.sla.hours import Calendar, add_micros, between_micros
from maild.sla.policy import Metric
from maild.ticket import Severity

Spans = tuple[tuple[datetime, datetime | None], ...]
"""Stretches in which a clock ran, in order of time; the end of the last is None while it runs."""

KINDS = frozenset(
    {
        "agent_reply",
        "auto_reply",
        "agent_note",
        "agent_forward",
        "bounce",
        "customer_message",
        "duplicate_delivery",
        "set_severity",
        "status",
        "merged",
        "merged_into",
    }
)
"""The words of `Event.what` that this fold reads."""


class ClockState(StrEnum):
    """Where a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SlaEvent:
    """What happened to a ticket, as far as its clocks care. `kind` is one of `KINDS`.

    `to` is the new severity or status; `status` is "waiting" on a reply that leaves the ticket pending; `ref` is the
    Message-ID of a reply, or of the reply that bounced ("" means the last one). `merged` says that another ticket went
    into this one: `other` is its life until then, as far as it counts here, `recorded` are the breaches on its record
    (metric, cycle, instant), `to` the stricter severity of the two. `merged_into` ends the clocks of the other one.
    """

    at: datetime
    kind: str
    to: str = ""
    status: str = ""
    ref: str = ""
    other: "History | None" = None
    recorded: tuple[tuple[Metric, int, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """A ticket's life for its clocks. `opened_by` is customer or agent; `severity` is the one it was opened with."""

    opened_at: datetime
    opened_by: str
    severity: Severity
    events: tuple[SlaEvent, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """One running, paused or stopped clock.

    `cycle` counts from 1. `spans` are the stretches (UTC, end None while running) in which it ran; `calendar_name` says in
    whose open time. `target_at` and `limit_at` are None while paused. `stopped_at` is when it was answered or resolved.
    `breached_at` is when a breach stands recorded, `by_reclassification` that a new severity made it one (R5).
    A breach colours the state for good: a clock answered late, or paused after its limit, has state breached. One that
    a merge ended is stopped, and neither met nor breached.
    `elapsed_seconds` is None until it stops; `paused_seconds` are those of pending. Both are open seconds of its calendar.
    """

    metric: Metric
    cycle: int
    calendar_name: str
    target_seconds: int
    limit_seconds: int
    spans: Spans
    target_at: datetime | None
    limit_at: datetime | None
    state: ClockState
    stopped_at: datetime | None
    breached_at: datetime | None
    by_reclassification: bool
    elapsed_seconds: int | None
    paused_seconds: int

    @property
    def started_at(self) -> datetime:
        """When it began to run."""
        return self.spans[0][0]

    @property
    def paused(self) -> bool:
        """Whether it neither runs nor has stopped."""
        return self.stopped_at is None and self.spans[-1][1] is not None

    @property
    def course(self) -> Spans:
        """The spans its deadlines are counted in: those it ran in, and for a stopped clock on from the stop.

        So the deadlines of an answered clock stay what they were when it was answered.
        """
        if self.stopped_at is None:
            return self.spans
        if self.spans[-1][1] == self.stopped_at:
            return (*self.spans[:-1], (self.spans[-1][0], None))
        return (*self.spans, (self.stopped_at, None))


def due(calendar: Calendar, spans: Spans, seconds: int, percent: int = 100) -> datetime | None:
    """Give the instant at which a clock with these spans has run `percent` of `seconds` open seconds of the calendar.

    None where it was paused or stopped before. CalendarError where the calendar has not that much open time left.
    """
    left = seconds * percent * 10_000
    for start, end in spans:
        if end is None:
            return add_micros(calendar, start, left)
        ran = between_micros(calendar, start, end)
        if ran >= left:
            reached = add_micros(calendar, start, left)
            if reached <= end:
                return reached
        left -= min(ran, left)
    return None
