"""The outbox: mail is owed as a row, claimed for an attempt, and marked."""

from datetime import datetime, timedelta
from operator import itemgetter

from maild.store import models
from maild.store.accept import Accepting
from maild.store.door import Write
from maild.store.lines import OutboxLine, OutboxMail
from maild.store.shelf import DEAD, instant, reading

MOURNING = timedelta(seconds=60)

BY_HAND = "dropped by operator"
"""The last reply of a mail that a person gave up: nobody need be told."""

_CLAIM = """WITH mine AS MATERIALIZED (
    SELECT id FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL AND not_before <= ?
    ORDER BY not_before, id LIMIT ? /*! FOR UPDATE SKIP LOCKED */)
UPDATE outbox SET not_before = ?, taken_by = ? WHERE id IN (SELECT id FROM mine)
RETURNING id, key, kind, ticket, envelope_from, rcpt, message_id, digest, attempts, created_at"""
_OWED = "WHERE id = ? AND sent_at IS NULL AND failed_at IS NULL"
_SENT = f"UPDATE outbox SET taken_by = NULL, sent_at = ?, last_reply = ?, attempts = attempts + 1 {_OWED}"  # noqa: S608 - our own text
_FAILED = f"UPDATE outbox SET taken_by = NULL, failed_at = ?, last_reply = ?, attempts = attempts + ? {_OWED}"  # noqa: S608 - likewise
_LATER = f"UPDATE outbox SET taken_by = NULL, not_before = ?, last_reply = ?, attempts = attempts + ? {_OWED}"  # noqa: S608 - likewise
_UNCLAIM = f"""UPDATE outbox SET taken_by = NULL, not_before = ?
WHERE sent_at IS NULL AND failed_at IS NULL AND not_before > ? AND not_before <= ?
/*! AND taken_by IS NOT NULL AND {DEAD} */"""  # noqa: S608 - likewise
_AGAIN = "UPDATE outbox SET taken_by = NULL, failed_at = NULL, not_before = ? WHERE id = ? AND sent_at IS NULL"


class Owing(Accepting):
    """Methods over `outbox`."""

    async def claim(self, now: datetime, limit: int, lease: timedelta) -> list[OutboxMail]:
        """Take mails that are due for one attempt each, the oldest first.

        Nobody else gets them before `now + lease`; if we die meanwhile, they come again after it, or when a daemon sees
        that we died. The attempt is counted when it is marked by `sent`, `deferred` or `failed`.
        """
        if self._door.pooled:
            await self.unclaim(now, lease)
        (rows,) = await self._write(Write(_CLAIM, (now, limit, now + lease, self._door.name)))
        return [
            OutboxMail(
                id=row[0],
                key=row[1],
                kind=row[2],
                ticket=row[3] or 0,
                envelope_from=row[4],
                rcpt=row[5],
                message_id=row[6],
                digest=row[7],
                attempts=row[8],
                created_at=instant(row[9]),
            )
            for row in sorted(rows, key=itemgetter(0))
        ]

    async def unclaim(self, now: datetime, lease: timedelta) -> None:
        """Let go what a daemon that died has claimed for `lease`.

        Where the caller holds the ledger alone that is at once, and a mail that was put off for no longer goes early,
        too. Where daemons share it, `MOURNING` after the claim: one that only lost its connection may still be sending.
        """
        patience = MOURNING if self._door.pooled else timedelta(0)
        await self._write(Write(_UNCLAIM, (now, now, now + lease - patience)))

    async def sent(self, outbox_id: int, at: datetime, reply: str) -> None:
        """Mark a mail as taken by the relay; ConflictError where it is no longer owed."""
        await self._write(Write(_SENT, (at, reply, outbox_id), expect=1))

    async def deferred(self, outbox_id: int, not_before: datetime, reply: str, *, count: bool) -> None:
        """Put a mail off; `count` says whether an attempt was made. ConflictError where it is no longer owed."""
        await self._write(Write(_LATER, (not_before, reply, int(count), outbox_id), expect=1))

    async def failed(self, outbox_id: int, at: datetime, reply: str, *, count: bool = True) -> None:
        """Give a mail up; `count` says whether an attempt was made. ConflictError where it is no longer owed."""
        await self._write(Write(_FAILED, (at, reply, int(count), outbox_id), expect=1))

    async def owe_again(self, outbox_id: int, now: datetime) -> None:
        """Let a mail that failed or waits go at once; ConflictError where it was sent."""
        await self._write(Write(_AGAIN, (now, outbox_id), expect=1))

    @reading
    async def next_outbox_at(self) -> datetime | None:
        """Give the earliest instant at which an owed mail may go."""
        owed = self._from(models.Outbox).filter(sent_at__isnull=True, failed_at__isnull=True)
        rows = await owed.order_by("not_before").limit(1).values("not_before")
        return rows[0]["not_before"] if rows else None

    @reading
    async def outbox(self, ticket: int | None = None, limit: int = 1000) -> list[OutboxLine]:
        """List the mails of one ticket, or of all: the oldest first, the newest `limit` of them."""
        query = self._from(models.Outbox)
        if ticket is not None:
            query = query.filter(ticket=ticket)
        columns = [name for name in OutboxLine.__slots__ if name != "state"]
        rows = await query.order_by("-id").limit(limit).values(*columns)
        return [OutboxLine(**{**row, "ticket": row["ticket"] or 0}, state=_state(row)) for row in reversed(rows)]


def _state(row: dict[str, object]) -> str:
    if row["sent_at"] is not None:
        return "sent"
    return "waiting" if row["failed_at"] is None else "failed"
