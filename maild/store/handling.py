"""What a person does by hand with mail that was set aside: quarantined, or called spam."""

from datetime import datetime

from maild.store import models
from maild.store.door import Write
from maild.store.lines import ReceivedLine
from maild.store.shelf import Shelf, reading

# What somebody looked at and took from the list of spam, no verdict sets aside again.
_AGAIN = """UPDATE received SET state = 'waiting', attempts = 0, retry_at = NULL, taken_by = NULL, taken_until = NULL,
    fault = '', done_at = NULL, because = '', no_spam = (no_spam OR state = 'spam')
WHERE state = ?"""
_DROP = "UPDATE received SET state = 'dropped', because = ?, done_at = ? WHERE state = ?"


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

    async def again(self, state: str, received_id: int) -> None:
        """Let one mail wait again, as if new; ConflictError where it is not in that state (any more)."""
        await self._door.write([Write(f"{_AGAIN} AND id = ?", (state, received_id), expect=1)], tell="received")

    async def again_all(self, state: str) -> list[int]:
        """Let every mail in that state wait again, in one unit; give their ids in order."""
        (rows,) = await self._door.write([Write(f"{_AGAIN} RETURNING id", (state,))], tell="received")
        return sorted(number for (number,) in rows)

    async def give_up(self, state: str, received_id: int, because: str, now: datetime) -> None:
        """Give one mail up, for a reason; ConflictError where it is not in that state (any more)."""
        await self._write(Write(f"{_DROP} AND id = ?", (because, now, state, received_id), expect=1))

    async def give_up_all(self, state: str, because: str, now: datetime) -> list[int]:
        """Give every mail in that state up, for a reason, in one unit; give their ids in order."""
        (rows,) = await self._write(Write(f"{_DROP} RETURNING id", (because, now, state)))
        return sorted(number for (number,) in rows)
