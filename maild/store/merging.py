"""What went into a ticket, where it went itself, and what it is linked to."""

from maild.store.door import Read
from maild.store.evidence import Evidence, History

_PARTS = """WITH RECURSIVE part (number) AS (
    SELECT number FROM ticket WHERE merged_into = ?
    UNION SELECT ticket.number FROM part CROSS JOIN ticket WHERE ticket.merged_into = part.number)
SELECT number FROM part ORDER BY number"""
_LINKED = "SELECT other AS number FROM link WHERE ticket = ? UNION SELECT ticket FROM link WHERE other = ? ORDER BY 1"
_END = """WITH RECURSIVE way (number) AS (
    SELECT number FROM ticket WHERE number = ?
    UNION SELECT ticket.merged_into FROM way CROSS JOIN ticket WHERE ticket.number = way.number)
SELECT ticket.number FROM way CROSS JOIN ticket WHERE ticket.number = way.number AND ticket.merged_into IS NULL"""


class Merging(Evidence):
    """Queries across tickets that are one, or belong together."""

    async def parts(self, number: int) -> list[int]:
        """Give the tickets that went into that one, directly or with another, in order of their numbers."""
        (lines,) = await self._door.read([Read(_PARTS, (number,))])
        return [line["number"] for line in lines]

    async def linked(self, number: int) -> list[int]:
        """Give the tickets that are linked to that one, in order of their numbers."""
        (lines,) = await self._door.read([Read(_LINKED, (number, number))])
        return [line["number"] for line in lines]

    async def survivor(self, number: int) -> History | None:
        """Give the history of a ticket, or that of the one in which it is now; None where there is no such ticket."""
        (lines,) = await self._door.read([Read(_END, (number,))])
        return await self.history(lines[0]["number"]) if lines else None
