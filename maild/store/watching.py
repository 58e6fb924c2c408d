"""When the watch loop must look next, and at what."""

from datetime import datetime

from tortoise.functions import Min

from maild.store import models
from maild.store.shelf import EVER, Shelf, reading


class Watching(Shelf):
    """Queries over the clocks' next instants; both walk an index that holds only clocks that wait for something."""

    @reading
    async def next_watch_at(self) -> datetime | None:
        """Give the earliest instant at which some clock wants to be looked at."""
        waiting = self._from(models.Clock).filter(next_at__gt=EVER)
        rows = await waiting.order_by("next_at").limit(1).values("next_at")
        return rows[0]["next_at"] if rows else None

    @reading
    async def due_tickets(self, now: datetime, limit: int) -> list[int]:
        """Give tickets with a clock to be looked at by `now`, the longest overdue first."""
        due = self._from(models.Clock).filter(next_at__lte=now)
        rows = (
            await due.annotate(first=Min("next_at")).group_by("ticket").order_by("first").limit(limit).values("ticket")
        )
        return [row["ticket"] for row in rows]
