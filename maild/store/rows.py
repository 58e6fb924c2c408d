"""From rows, as `.values()` gives them, to the values of the core."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from maild.mail import Address
from maild.sla.clock import Clock, ClockState
from maild.sla.policy import Metric
from maild.store.shelf import instant
from maild.ticket import Event, Message, Severity, State, Ticket

Row = Mapping[str, Any]

_CLOCK_SAME = (
    "cycle",
    "calendar_name",
    "target_seconds",
    "limit_seconds",
    "target_at",
    "limit_at",
    "stopped_at",
    "breached_at",
    "by_reclassification",
    "elapsed_seconds",
    "paused_seconds",
)


def ticket_of(row: Row) -> Ticket:
    """Read a row of `ticket`."""
    return Ticket(
        number=row["number"],
        mailbox=row["mailbox"],
        subject=row["subject"],
        state=State(row["state"]),
        severity=Severity(row["severity"]),
        severity_because=tuple(json.loads(row["severity_because"])),
        requester=Address(row["requester_name"], row["requester_address"]),
        participants=tuple(json.loads(row["participants"])),
        assignee=row["assignee"],
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        root_id=row["root_id"],
        policy=row["policy"],
        resolved_at=row["resolved_at"],
        closed_at=row["closed_at"],
        first_response_at=row["first_response_at"],
        first_response_evidence=row["first_response_evidence"],
        merged_into=row["merged_into"],
        revision=row["revision"],
    )


def message_of(row: Row, recipients: Sequence[str]) -> Message:
    """Read a row of `message`, with its recipients beside it."""
    return Message(
        id=row["id"],
        ticket=row["ticket"],
        message_id=row["message_id"],
        at=row["at"],
        sender=Address(row["sender_name"], row["sender_address"]),
        kind=row["kind"],
        verified=row["verified"],
        placed_because=row["placed_because"],
        subject=row["subject"],
        text=row["text"],
        digest=row["digest"] or "",
        body_digest=row["body_digest"],
        recipients=tuple(recipients),
        base_subject=row["base_subject"],
        thread_index=row["thread_index"],
    )


def clock_of(row: Row) -> Clock:
    """Read a row of `clock`."""
    spans: list[tuple[datetime, datetime | None]] = [
        (instant(start), None if end is None else instant(end)) for start, end in json.loads(row["spans"])
    ]
    return Clock(
        metric=Metric(row["metric"]),
        spans=tuple(spans),
        state=ClockState(row["state"]),
        **{name: row[name] for name in _CLOCK_SAME},
    )


def event_of(row: Row) -> Event:
    """Read a row of `event`."""
    return Event(row["at"], row["actor"], row["what"], row["because"], json.loads(row["data"]))
