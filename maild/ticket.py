"""The ticket: its states, its severity, and what the ledger keeps of its life.

States and their names are those of an ITIL incident. `TRANSITIONS` is the only place that knows which trigger
leads from which state to which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from maild.mail import Address


class Severity(StrEnum):
    """How bad it is, worst first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class State(StrEnum):
    """Where a ticket stands. Pending waits on the customer."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Trigger(StrEnum):
    """What can move a ticket."""

    AGENT_REPLY = "agent_reply"
    CUSTOMER_MESSAGE = "customer_message"
    PEND = "pend"
    RESUME = "resume"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


TRANSITIONS: Mapping[tuple[State, Trigger], State] = MappingProxyType(
    {
        (State.NEW, Trigger.AGENT_REPLY): State.OPEN,
        (State.NEW, Trigger.CUSTOMER_MESSAGE): State.NEW,
        (State.NEW, Trigger.PEND): State.PENDING,
        (State.NEW, Trigger.RESOLVE): State.RESOLVED,
        (State.NEW, Trigger.CLOSE): State.CLOSED,
        (State.OPEN, Trigger.AGENT_REPLY): State.OPEN,
        (State.OPEN, Trigger.CUSTOMER_MESSAGE): State.OPEN,
        (State.OPEN, Trigger.PEND): State.PENDING,
        (State.OPEN, Trigger.RESOLVE): State.RESOLVED,
        (State.OPEN, Trigger.CLOSE): State.CLOSED,
        (State.PENDING, Trigger.AGENT_REPLY): State.PENDING,
        (State.PENDING, Trigger.CUSTOMER_MESSAGE): State.OPEN,
        (State.PENDING, Trigger.PEND): State.PENDING,
        (State.PENDING, Trigger.RESUME): State.OPEN,
        (State.PENDING, Trigger.RESOLVE): State.RESOLVED,
        (State.PENDING, Trigger.CLOSE): State.CLOSED,
        (State.RESOLVED, Trigger.AGENT_REPLY): State.RESOLVED,
        (State.RESOLVED, Trigger.CUSTOMER_MESSAGE): State.OPEN,
        (State.RESOLVED, Trigger.REOPEN): State.OPEN,
        (State.RESOLVED, Trigger.CLOSE): State.CLOSED,
        (State.CLOSED, Trigger.CUSTOMER_MESSAGE): State.OPEN,
        (State.CLOSED, Trigger.REOPEN): State.OPEN,
    }
)


def move(state: State, trigger: Trigger) -> State | None:
    """Give the state that `trigger` leads to from `state`; None where it leads nowhere."""
    return TRANSITIONS.get((state, trigger))


def together(one: State, other: State, *, answered: bool) -> State:
    """Give where a ticket stands into which another one is merged. `answered` says that its customer had a reply."""
    waiting = {State.NEW, State.OPEN}
    if one in waiting:
        return State.OPEN if answered else one
    if other in waiting:
        return State.OPEN
    return State.PENDING if State.PENDING in {one, other} else one


@dataclass(frozen=True, slots=True)
class Ticket:
    """One conversation and its promise.

    `mailbox` is the address the customer wrote to. `requester` is the customer. `participants` are the keys of every
    address that may join (requester included). `assignee` is an agent's id or None. `opened_by` is customer or agent.
    `root_id` is the synthetic Message-ID that every notification of this ticket refers to. `policy` names the SLA
    policy ("" is the desk's own). All instants are aware UTC. `revision` counts what the ledger wrote of it, 0 for a ticket
    that is not there yet: a decision on an older one is refused there. `merged_into` is the ticket that it went into, None for
    one that stands for itself.
    """

    number: int
    mailbox: str
    subject: str
    state: State
    severity: Severity
    severity_because: tuple[str, ...]
    requester: Address
    participants: tuple[str, ...]
    assignee: str | None
    opened_at: datetime
    opened_by: str
    root_id: str
    policy: str = ""
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    first_response_at: datetime | None = None
    first_response_evidence: str = ""
    merged_into: int | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A mail as it was placed. `kind` is customer, agent, unverified, automatic, bulk or bounce.

    `verified` names how its sender was authenticated (dmarc, dkim, token; "" where he was not). `id` is that of the
    received row which brought it. `text` is the new text, cut for display. `base_subject` (RFC 5256) and `thread_index`
    (in hex) are what a reply that names no Message-ID has in common with it; "" where there is none.
    """

    id: int
    ticket: int
    message_id: str
    at: datetime
    sender: Address
    kind: str
    verified: str
    placed_because: str
    subject: str
    text: str
    digest: str
    body_digest: str
    recipients: tuple[str, ...]
    base_subject: str = ""
    thread_index: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a ticket's history, never changed. `actor` is an address, an agent's id, or maild.

    `what` is one of the words of `sla.clock.KINDS` where it moves a clock, else any other word of `desk`.
    """

    at: datetime
    actor: str
    what: str
    because: str
    data: Mapping[str, Any] = field(default_factory=dict)
