"""What queries answer where no value of the core fits: plain lines for lists and for `maild why`."""

from dataclasses import dataclass
from datetime import datetime

from maild.ticket import Ticket


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket and what presses most: the next due instant of its unanswered clocks (None where nothing runs).

    `due_at` is the target of a running clock, the limit of one that is breached and still unanswered.
    """

    ticket: Ticket
    due_at: datetime | None
    due_metric: str | None


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """One row of `received`, as a list shows it. `state` is waiting, done, quarantined or dropped."""

    id: int
    digest: str
    mail_from: str
    rcpt: str
    via: str
    peer: str
    received_at: datetime
    state: str
    attempts: int
    fault: str
    done_at: datetime | None
    because: str


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """One mail that is or was owed. `state` is waiting, sent or failed; `ticket` is 0 where there is none."""

    id: int
    key: str
    kind: str
    ticket: int
    rcpt: str
    message_id: str
    state: str
    attempts: int
    not_before: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    last_reply: str


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """A mail claimed for one attempt. `attempts` counts those made before; `created_at` is when it was decided."""

    id: int
    key: str
    kind: str
    ticket: int
    envelope_from: str
    rcpt: str
    message_id: str
    digest: str
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EscalationLine:
    """One level of one clock that was told to someone."""

    metric: str
    cycle: int
    level: str
    at: datetime
    because: str
