"""Many escalations in one mail: what is kept until it is written, and the mail itself.

Instants are aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime

from maild.mail import Address
from maild.ticket import Severity

MOST_LINES = 100
"""Clocks in one mail."""


@dataclass(frozen=True, slots=True)
class DigestItem:
    """One escalation that a person is told of in a digest, in place of the mail whose key it has.

    `agent` is his id, `address` where the mail would have gone. `title` is the ticket's as an escalation names it.
    `reached_at` is the level's instant, `due_at` the limit's, `at` when it was judged, `send_at` from when on the digest
    may leave. `quiet` says that his quiet hours hold it back. `id` is the ledger's, 0 before it is there.
    """

    key: str
    agent: str
    address: str
    ticket: int
    metric: str
    cycle: int
    level: str
    severity: Severity
    title: str
    limit_seconds: int
    reached_at: datetime
    due_at: datetime
    at: datetime
    send_at: datetime
    quiet: bool
    because: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """An item, and how its clock stands now. `state` is "" where there is no such clock any more.

    `merged_into` is the ticket that its own went into, None for one that stands for itself. `assignee` is who has the ticket.
    """

    item: DigestItem
    state: str
    stopped_at: datetime | None
    is_breached: bool
    merged_into: int | None
    assignee: str | None


@dataclass(frozen=True, slots=True)
class Mailed:
    """What the ledger tells of a person: his escalation mails of the last minute, the first at `since`.

    `digest_at` is when a digest of that minute was written, `open_at` when the one may leave that is open because many came
    at once; None where there is none.
    """

    mails: int = 0
    since: datetime | None = None
    digest_at: datetime | None = None
    open_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """How an escalation ended before its digest was written: in which words, when and by whom ("" where nobody did)."""

    how: str
    at: datetime | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One clock in a digest, at the highest level it has reached. `settled` is None while it wants somebody.

    `cycle` is the clock's. `owner` is the name of who has the ticket, "" for nobody.
    """

    ticket: int
    metric: str
    cycle: int
    level: str
    severity: Severity
    title: str
    limit_seconds: int
    due_at: datetime
    settled: Settled | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class DigestReason:
    """Why it is one mail: how many came at once (first and last instant), and from when on they should have been told.

    `late_since` is None where each was told in time. `quiet_until` is the end of the reader's quiet hours, None where they
    held nothing back; `quiet` counts what they did. `meant_for` is whose it was who is no agent any more, "" for the reader.
    """

    first_at: datetime
    last_at: datetime
    together: int
    late_since: datetime | None
    late: int
    quiet: int
    quiet_until: datetime | None
    meant_for: str


@dataclass(frozen=True, slots=True)
class DigestLetter:
    """Tells one of our people of many escalations. `lines` are in order, the most pressing first, the settled ones last.

    `time_zone` is the reader's (IANA name, "" means the desk's), `language` likewise.
    """

    key: str
    to: Address
    time_zone: str
    language: str
    lines: tuple[DigestLine, ...]
    reason: DigestReason
    reply_to: str
    message_id: str
    root_id: str

    @property
    def waiting(self) -> tuple[DigestLine, ...]:
        """The lines that want somebody."""
        return tuple(line for line in self.lines if line.settled is None)

    @property
    def named(self) -> tuple[DigestLine, ...]:
        """Those of them that the mail names; what is beyond `MOST_LINES` is counted."""
        return self.waiting[:MOST_LINES]
