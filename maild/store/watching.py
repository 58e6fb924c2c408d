"""When the watch loop must look next, and at what."""

from datetime import UTC, datetime
from typing import Any

from tortoise.expressions import Q

from maild.store import models
from maild.store.door import Read, Write
from maild.store.shelf import EVER, FREE, LEASE, Shelf, instant, reading

_DUE = f"""WITH late AS MATERIALIZED (
    SELECT ticket FROM clock WHERE next_at > ? AND next_at <= ? AND {FREE}
    GROUP BY ticket ORDER BY min(next_at), ticket LIMIT ?),
mine AS MATERIALIZED (
    SELECT id FROM clock WHERE ticket IN (SELECT ticket FROM late) AND next_at <= ? /*! FOR UPDATE SKIP LOCKED */)
UPDATE clock SET taken_by = ?, taken_until = ? WHERE id IN (SELECT id FROM mine)
RETURNING ticket, next_at"""  # noqa: S608 - our own text

_FIRST = "SELECT next_at, taken_by, taken_until FROM clock WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 1"
_BREACHES = (
    "SELECT metric, count(*) AS breached FROM clock WHERE breached_at IS NOT NULL GROUP BY metric ORDER BY metric"
)


COUNT_AGAIN = datetime(2000, 1, 1, tzinfo=UTC)
"""The next instant of a clock whose deadline may have changed: it is looked at behind those that are due."""

_BASIS = "SELECT value FROM setting WHERE name = 'basis'"
_AGAIN = """UPDATE clock SET next_at = ? WHERE (next_at IS NULL OR next_at > ?) AND (stopped_at IS NULL
OR metric = 'resolution' AND ticket IN (SELECT number FROM ticket WHERE state = 'resolved'))"""
_NOW_BY = """INSERT INTO setting (name, value) VALUES ('basis', ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


class Watching(Shelf):
    """Queries over the clocks' next instants; all walk an index that holds only clocks that wait for something."""

    @reading
    async def next_watch_at(self) -> datetime | None:
        """Give the earliest instant at which some clock wants to be looked at, by us.

        Clocks that another daemon is judging want that when its time for it is over.
        """
        first = await self._first()
        if first is None:
            return None
        if first["taken_by"] in (None, self._door.name):
            return instant(first["next_at"])
        waiting = self._from(models.Clock).filter(next_at__gt=EVER).order_by("next_at").limit(1)
        free = await waiting.filter(Q(taken_by__isnull=True) | Q(taken_by=self._door.name)).values("next_at")
        return min(instant(at) for at in (first["taken_until"], *(row["next_at"] for row in free)))

    async def due_tickets(self, now: datetime, limit: int) -> list[int]:
        """Take tickets with a clock to be looked at by `now`, the longest overdue first, behind them those to count again.

        Other daemons do not get them before `LEASE` after `now`, unless their clocks are recorded anew or this one dies.
        """
        first = await self._first()
        if first is None or first["next_at"] > now:
            return []
        due = await self._taken(COUNT_AGAIN, now, now, limit)
        if first["next_at"] <= COUNT_AGAIN and len(due) < limit:
            due += await self._taken(EVER, COUNT_AGAIN, now, limit - len(due))
        return list(dict.fromkeys(due))

    async def _taken(self, after: datetime, until: datetime, now: datetime, limit: int) -> list[int]:
        me = self._door.name
        (rows,) = await self._door.write([Write(_DUE, (after, until, me, now, limit, until, me, now + LEASE))])
        due: dict[int, datetime] = {}
        for ticket, next_at in rows:
            due[ticket] = min(instant(next_at), due.get(ticket, instant(next_at)))
        return sorted(due, key=lambda ticket: (due[ticket], ticket))

    async def is_due(self, now: datetime) -> bool:
        """Say whether a clock wants to be looked at by `now`, by us or by another daemon."""
        first = await self._first()
        return first is not None and first["next_at"] <= now

    async def breaches(self) -> dict[str, int]:
        """Count the clocks that were breached, by metric."""
        (lines,) = await self._door.read([Read(_BREACHES)])
        return {line["metric"]: line["breached"] for line in lines}

    async def count_by(self, basis: str, now: datetime) -> bool:
        """Have every ticket looked at by `now` that is not over, unless the ledger was counted by that basis already.

        Say whether it was not. Which of the tickets need it is found out where they are looked at.
        """
        (lines,) = await self._door.read([Read(_BASIS)])
        if lines and lines[0]["value"] == basis:
            return False
        await self._door.write([Write(_AGAIN, (COUNT_AGAIN, now)), Write(_NOW_BY, (basis,))], turn=True)
        return True

    @reading
    async def backlog(self) -> tuple[int, int]:
        """Count the received mails that wait for a decision, and the mails that are to leave."""
        waiting = await self._from(models.Received).filter(state="waiting").count()
        owed = await self._from(models.Outbox).filter(sent_at__isnull=True, failed_at__isnull=True).count()
        return waiting, owed

    async def _first(self) -> dict[str, Any] | None:
        (lines,) = await self._door.read([Read(_FIRST)])
        return lines[0] if lines else None
