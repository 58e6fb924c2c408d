"""Decisions into the ledger: one unit for one or several, numbers reserved beforehand."""

import secrets as entropy
from collections.abc import Sequence
from datetime import datetime

from maild.store import models
from maild.store.door import Write
from maild.store.record import Record, writes
from maild.store.shelf import Shelf, reading

FIRST = {"ticket": 1001}
"""Where a sequence begins, if not at 1."""

KEY_BYTES = 32

_RESERVE = """INSERT INTO sequence (name, next) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET next = sequence.next + ? RETURNING next"""
_MAKE_KEY = """INSERT INTO secret (purpose, key, created_at)
SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM secret WHERE purpose = ? AND retired_at IS NULL)"""


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

    async def secrets(self, purpose: str, *, now: datetime) -> list[bytes]:
        """Give the keys of that purpose that are not retired, the newest first; made here when there is none."""
        keys = await self._keys(purpose)
        if not keys:
            await self._write(Write(_MAKE_KEY, (purpose, entropy.token_bytes(KEY_BYTES), now, purpose)))
            keys = await self._keys(purpose)
        return keys

    @reading
    async def _keys(self, purpose: str) -> list[bytes]:
        kept = self._from(models.Secret).filter(purpose=purpose, retired_at__isnull=True)
        return [bytes(row["key"]) for row in await kept.order_by("-id").values("key")]
