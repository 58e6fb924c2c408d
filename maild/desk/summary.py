"""What the operator is told: one mail a period for all that needs a person, and none where nothing is new."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from maild.desk.office import Office
from maild.mail import Address
from maild.outbound.letters import Heap, SummaryLetter

SETTLED = timedelta(seconds=60)
"""What happened later than this before the summary may not be written yet by a daemon that is busy: the next one has it."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who looks after maild: his address ("" for nobody), how often he wants to read of it, and his configuration's path."""

    address: str
    every: timedelta
    config: str


def due_at(last: datetime | None, operator: Operator) -> datetime | None:
    """Give the earliest instant of the next summary after one that was counted until `last`; None: at once."""
    return None if last is None else last + _settled(operator) + operator.every


def counted_until(now: datetime, operator: Operator) -> datetime:
    """Give the instant up to which a summary of `now` counts."""
    return now - _settled(operator)


def _settled(operator: Operator) -> timedelta:
    return min(SETTLED, operator.every / 4)


def summary(
    heaps: Iterable[Heap], last: datetime | None, until: datetime, operator: Operator, office: Office
) -> SummaryLetter | None:
    """Decide on a summary: None where nothing is new.

    Its key names the one before, so that two daemons which count at once owe one mail.
    """
    new = tuple(heap for heap in heaps if heap.new)
    if not new or not operator.address:
        return None
    key = f"summary:{'first' if last is None else last.astimezone(UTC).isoformat()}"
    return SummaryLetter(
        key=key,
        to=Address("", operator.address),
        heaps=new,
        config=operator.config,
        until=until,
        message_id=office.message_id(0, key),
        root_id=office.message_id(0, "summary"),
    )
