"""What a person does by hand with mail that was set aside."""

from datetime import datetime

from maild.store import models
from maild.store.door import Write
from maild.store.lines import ReceivedLine
from maild.store.shelf import Shelf, reading

_AGAIN = """UPDATE received SET state = 'waiting', attempts = 0, retry_at = NULL, taken_by = NULL, taken_until = NULL,
    fault = '', done_at = NULL, because = ''
WHERE state = 'quarantined' RETURNING id"""
_DROP = "UPDATE received SET state = 'dropped', because = ?, done_at = ? WHERE state = 'quarantined'"


class Handling(Shelf):
    """Methods over `received`, for an operator."""

    @reading
    async def received_line(self, received_id: int) -> ReceivedLine | None:
        """Give one row; None where there is none of that number."""
        rows = await self._from(models.Received).filter(id=received_id).values(*ReceivedLine.__slots__)
        return ReceivedLine(**rows[0]) if rows else None

    @reading
    async def received_count(self, state: str) -> int:
        """Count the rows in a state."""
        return await self._from(models.Received).filter(state=state).count()

    async def retry_all_quarantined(self) -> list[int]:
        """Let every quarantined mail wait again, as if new, in one unit; give their ids in order."""
        (rows,) = await self._door.write([Write(_AGAIN)], tell="received")
        return sorted(number for (number,) in rows)

    async def drop_quarantined(self, received_id: int, because: str, now: datetime) -> None:
        """Give one quarantined mail up, for a reason; ConflictError where it is not quarantined (any more)."""
        await self._write(Write(f"{_DROP} AND id = ?", (because, now, received_id), expect=1))

    async def drop_all_quarantined(self, because: str, now: datetime) -> list[int]:
        """Give every quarantined mail up, for a reason, in one unit; give their ids in order."""
        (rows,) = await self._write(Write(f"{_DROP} RETURNING id", (because, now)))
        return sorted(number for (number,) in rows)
