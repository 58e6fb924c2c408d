"""Decisions into the ledger: one unit for one or several, numbers reserved beforehand."""

from collections.abc import Sequence

from maild.store.door import Write
from maild.store.record import Record, writes
from maild.store.shelf import Shelf

FIRST = {"ticket": 1001}
"""Where a sequence begins, if not at 1."""

_RESERVE = """INSERT INTO sequence (name, next) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET next = sequence.next + ? RETURNING next"""


class Recording(Shelf):
    """Methods that write what was decided."""

    async def record(self, records: Sequence[Record]) -> None:
        """Write all of the records in one unit, in order, or none of them.

        ConflictError where a received row was settled before, a ticket written by somebody else since it was read, an
        escalation told before, or a message known.
        """
        unit = [write for record in records for write in writes(record)]
        if unit:
            await self._door.write(unit, turn=True, tell="decided")

    async def reserve(self, name: str, count: int) -> range:
        """Reserve `count` numbers that nobody else gets; gaps are fine. Tickets begin at 1001, all else at 1."""
        if count < 1:
            raise ValueError(f"{count} numbers cannot be reserved")
        first = FIRST.get(name, 1)
        (rows,) = await self._write(Write(_RESERVE, (name, first + count, count)))
        (after,) = rows[0]
        return range(after - count, after)
