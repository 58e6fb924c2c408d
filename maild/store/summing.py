"""What needs a person: quarantined, called spam, given up, not fetched; and when the operator last heard of it."""

from datetime import datetime, timedelta
from typing import Any

from tortoise.queryset import QuerySet

from maild.ingest.imap_plan import OLD
from maild.outbound.letters import Heap, Item
from maild.store import models
from maild.store.owing import BY_HAND
from maild.store.shelf import EVER, Shelf, reading

SUMMARY = "summary"
"""The kind of mail that a summary is."""

KINDS = ("ack", "notification", "relay", "escalation", "digest", "held", "report")
"""All others; the index over kinds and time wants them named."""

LONGEST_OWED = timedelta(days=3)
"""A mail is given up after two days (`maild.outbound.backoff`), or by hand."""

LOOK_BACK = timedelta(days=7)
"""How far the first summary looks back for what stands nowhere as undone: mail of ours that failed."""


class Summing(Shelf):
    """Queries for the operator's summary."""

    @reading
    async def last_summary(self) -> datetime | None:
        """Give the instant up to which the last summary counted; None where there was none."""
        newest = self._from(models.Outbox).filter(kind=SUMMARY).order_by("-created_at").limit(1)
        rows = await newest.values("created_at")
        return rows[0]["created_at"] if rows else None

    @reading
    async def heaps(self, last: datetime | None, until: datetime, most: int) -> tuple[Heap, ...]:
        """Give what needs a person, each heap with at most `most` items that came after `last` and not after `until`."""
        return (
            await self._set_aside("quarantined", last, until, most),
            await self._set_aside("spam", last, until, most),
            await self._failed(last or until - LOOK_BACK, until, most),
            await self._unfetched(last, until, most),
        )

    async def _set_aside(self, state: str, last: datetime | None, until: datetime, most: int) -> Heap:
        rows = self._from(models.Received).filter(state=state)
        new = rows.filter(done_at__gt=last or EVER, done_at__lte=until)
        why = "fault" if state == "quarantined" else "because"
        found = await new.order_by("id").limit(most).values("id", "done_at", "mail_from", "rcpt", why)
        items = tuple(Item(row["id"], row["done_at"], row["mail_from"], row["rcpt"], row[why]) for row in found)
        return Heap(state, await new.count(), await rows.count(), items)

    async def _failed(self, last: datetime, until: datetime, most: int) -> Heap:
        young = self._from(models.Outbox).filter(kind__in=KINDS, created_at__gt=last - LONGEST_OWED)
        new = young.filter(failed_at__gt=last, failed_at__lte=until, sent_at__isnull=True).exclude(last_reply=BY_HAND)
        columns = ("id", "failed_at", "kind", "rcpt", "last_reply")
        found = await new.order_by("id").limit(most).values(*columns)
        items = tuple(
            Item(row["id"], row["failed_at"], f"us ({row['kind']})", row["rcpt"], row["last_reply"]) for row in found
        )
        return _all_new("failed", await new.count(), items)

    async def _unfetched(self, last: datetime | None, until: datetime, most: int) -> Heap:
        left = self._from(models.MailboxUid).filter(digest__isnull=True).exclude(fault=OLD)
        new: QuerySet[Any] = left.filter(fetched_at__gt=last or EVER, fetched_at__lte=until, moved_at__isnull=True)
        found = await new.order_by("id").limit(most).values("uid", "fetched_at", "mailbox", "fault")
        named = self._from(models.Mailbox).filter(id__in=[row["mailbox"] for row in found])
        names = dict(await named.values_list("id", "name")) if found else {}
        items = tuple(
            Item(row["uid"], row["fetched_at"], "the message of that UID", names[row["mailbox"]], row["fault"])
            for row in found
        )
        return _all_new("unfetched", await new.count(), items)


def _all_new(kind: str, count: int, items: tuple[Item, ...]) -> Heap:
    return Heap(kind, count, count, items)
