"""The subject of an escalation: sortable on a phone, the same in a mail of its own and in a digest."""

from datetime import datetime

from maild.outbound.gate import clean
from maild.outbound.letters import Desk, EscalationLetter
from maild.outbound.wording import bare, promised, span
from maild.ticket import Severity


def escalation_title(letter: EscalationLetter, reference: str) -> str:
    """Name the customer and the matter, without our tag."""
    subject = clean(bare(letter.ticket.subject, reference), 120)
    return ": ".join(filter(None, (clean(letter.customer, 60), subject)))


def escalation_subject(letter: EscalationLetter, desk: Desk, now: datetime) -> str:
    """Make a subject that sorts on a phone; the word BREACH only from the limit on."""
    title = escalation_title(letter, desk.reference)
    level = marked(letter.level, letter.metric, letter.limit_at, now)
    head = f"[{level}] {desk.reference} {named(letter.ticket.number, letter.ticket.severity, title)}"
    return f"{head} ({measured(letter.limit_seconds, letter.limit_at, now)})"


def named(number: int, severity: Severity, title: str) -> str:
    """Name a ticket: #1234 URGENT Acme: checkout down."""
    return f"#{number} {severity.upper()} {title}"


def marked(level: str, metric: str, limit_at: datetime, now: datetime) -> str:
    """Say what is the matter with a clock: BREACH first response."""
    return f"{'BREACH' if now >= limit_at else level.upper()} {metric.replace('_', ' ')}"


def measured(limit_seconds: int, limit_at: datetime, now: datetime) -> str:
    """Say by how much: limit 30m, 4m late."""
    left = span((now - limit_at).total_seconds())
    return f"limit {promised(limit_seconds)}, {left} {'late' if now >= limit_at else 'left'}"
