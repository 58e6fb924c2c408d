"""Decisions into the ledger: one unit for one or several, numbers reserved beforehand."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

from maild.store.door import Write
from maild.store.record import Record, writes
from maild.store.shelf import Shelf

FIRST = {"ticket": 1001}
"""Where a sequence begins, if not at 1."""

_RESERVE = """INSERT INTO sequence (name, next) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET next = sequence.next + ? RETURNING next"""


def unit_of(records: Sequence[Record]) -> list[Write]:
    """Give the statements of all records.

    They stand record after record; side by side where each is about a ticket of its own and nothing else, for a server
    takes those that are alike in one go: what is due at one instant is told twice as soon.
    """
    each = [writes(record) for record in records]
    return list(_side_by_side(each) if _are_apart(records) else chain.from_iterable(each))


def _side_by_side(each: Sequence[Sequence[Write]]) -> Iterator[Write]:
    left = list(map(deque, each))
    while any(left):
        sql = next(one[0].sql for one in left if one)
        for one in left:
            while one and one[0].sql == sql:
                yield one.popleft()


def _are_apart(records: Sequence[Record]) -> bool:
    tickets = {record.ticket.number for record in records if record.ticket}
    return len(tickets) == len(records) and not any(map(_goes_elsewhere, records))


def _goes_elsewhere(record: Record) -> bool:
    tickets = {record.clock_ticket, record.event_ticket, *(message.ticket for message in record.messages)}
    tickets |= {ticket for _, ticket, _ in record.references} | {ticket for ticket, *_ in record.escalations}
    own = {None, record.ticket.number if record.ticket else None}
    return not tickets <= own or bool(
        record.received_id or record.elsewhere or record.moved or record.unlinked or record.digest or record.parties
    )


class Recording(Shelf):
    """Methods that write what was decided."""

    async def record(self, records: Sequence[Record]) -> None:
        """Write all of the records in one unit, or none of them: in order, where they have to do with each other.

        ConflictError where a received row was settled before, a ticket written by somebody else since it was read, an
        escalation told before, or a message known.
        """
        if unit := unit_of(records):
            await self._door.write(unit, turn=True, tell="decided")

    async def reserve(self, name: str, count: int) -> range:
        """Reserve `count` numbers that nobody else gets; gaps are fine. Tickets begin at 1001, all else at 1."""
        if count < 1:
            raise ValueError(f"{count} numbers cannot be reserved")
        first = FIRST.get(name, 1)
        (rows,) = await self._write(Write(_RESERVE, (name, first + count, count)))
        (after,) = rows[0]
        return range(after - count, after)
