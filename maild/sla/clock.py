"""Clocks: a fold over a ticket's events. See `fold`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maild.sla.policy import Metric
from maild.ticket import Severity

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
    }
)
"""The words of `Event.what` that this fold reads."""


class ClockState(StrEnum):
    """Where a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class SlaEvent:
    """What happened to a ticket, as far as its clocks care. `kind` is one of `KINDS`.

    `to` is the new severity or status; `status` is "waiting" on a reply that leaves the ticket pending; `ref` is the
    Message-ID of a reply, or of the reply that bounced ("" means the last one).
    """

    at: datetime
    kind: str
    to: str = ""
    status: str = ""
    ref: str = ""


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

    `cycle` counts from 1. `spans` are the stretches (UTC, end None while running) in which it ran; `calendar_name` says
    in whose open time. `target_at` and `limit_at` are None while paused. `stopped_at` is when it was answered or resolved.
    `breached_at` is when a breach stands recorded. Seconds are open seconds of its calendar.
    """

    metric: Metric
    cycle: int
    calendar_name: str
    target_seconds: int
    limit_seconds: int
    spans: tuple[tuple[datetime, datetime | None], ...]
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
