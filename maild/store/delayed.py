"""Which owed mail is due and has not left: what the alarm asks of the outbox."""

from datetime import datetime
from typing import Any

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from maild.outbound.delayed import ESCALATIONS, Stuck, Waiting
from maild.store import models
from maild.store.owing import BY_HAND
from maild.store.shelf import EVER, Shelf, reading

_COLUMNS = ("id", "kind", "ticket", "created_at", "attempts", "last_reply")


class Delayed(Shelf):
    """One question over `outbox`."""

    @reading
    async def delayed(self, now: datetime) -> Waiting:
        """Give the mail that could have left by `now` and has not.

        A mail that was put off, or that somebody has in his hands, is due: `not_before` is then when it is tried again.
        One that is yet to wait and was never tried is not.
        """
        # Before the mails: one that leaves meanwhile must not seem to be overtaken by itself.
        moved = await self._moved()
        owed = self._from(models.Outbox).filter(sent_at__isnull=True, failed_at__isnull=True)
        # Tortoise writes NOT x IS NULL; the name of who has a mail is never empty.
        due = owed.filter(Q(not_before__lte=now) | Q(taken_by__gt="") | Q(attempts__gt=0) | ~Q(last_reply=""))
        urgent = due.filter(kind__in=ESCALATIONS)
        oldest = await _first(due)
        refused = await _first(self._refused(moved))
        first = await _first(due.filter(id__gt=moved["id"])) if moved else oldest
        told = next((row["last_reply"] for row in (refused, oldest, first) if row and row["last_reply"]), "")
        return Waiting(
            count=await due.count(),
            escalations=await urgent.count(),
            oldest=_stuck(oldest),
            oldest_escalation=_stuck(await _first(urgent)),
            first=_stuck(first),
            moved=moved["sent_at"] if moved else None,
            refused=_stuck(refused),
            last_reply=told,
        )

    def _refused(self, moved: dict[str, Any] | None) -> QuerySet[Any]:
        failed = self._from(models.Outbox).filter(failed_at__gt=EVER, sent_at__isnull=True, kind__in=ESCALATIONS)
        later = failed.filter(id__gt=moved["id"]) if moved else failed
        return later.exclude(last_reply=BY_HAND)

    async def _moved(self) -> dict[str, Any] | None:
        """Give the mail that left of those that were owed last; as good as the latest that left, and found by its key."""
        sent = self._from(models.Outbox).filter(sent_at__gt=EVER).order_by("-id").limit(1)
        rows = await sent.values("id", "sent_at")
        return rows[0] if rows else None


async def _first(mails: QuerySet[Any]) -> dict[str, Any] | None:
    rows = await mails.order_by("created_at", "id").limit(1).values(*_COLUMNS)
    return rows[0] if rows else None


def _stuck(row: dict[str, Any] | None) -> Stuck | None:
    if row is None:
        return None
    return Stuck(row["id"], row["kind"], row["ticket"] or 0, row["created_at"], row["attempts"])
