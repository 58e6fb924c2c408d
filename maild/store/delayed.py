"""Which owed mail is due and has not left: what the alarm asks of the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from maild.outbound.delayed import ESCALATIONS, Stuck, Waiting
from maild.store.door import Read
from maild.store.owing import BY_HAND
from maild.store.shelf import EVER, Shelf, marks

# One that was put off, or that somebody has in his hands, is due: `not_before` is then when it is tried again.
_DUE = """FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL
AND (not_before <= ? OR taken_by > '' OR attempts > 0 OR last_reply <> '')"""
# Joined to nothing, so that no engine looks through all mail of these kinds that ever was for the few that wait.
_OF_KIND = f"AND kind || '' IN ({marks(ESCALATIONS)})"
_FIRST = "SELECT id, kind, ticket, created_at, attempts, last_reply {} ORDER BY created_at, id LIMIT 1"
_COUNT = "SELECT count(*) AS found {}"
_MOVED = "SELECT id, sent_at FROM outbox WHERE sent_at > ? ORDER BY id DESC LIMIT 1"
_REFUSED = f"""FROM outbox WHERE failed_at > ? AND sent_at IS NULL AND id > ? {_OF_KIND} AND last_reply <> ?"""


class Delayed(Shelf):
    """One question over `outbox`."""

    async def delayed(self, now: datetime) -> Waiting:
        """Give the mail that could have left by `now` and has not.

        One that is yet to wait and was never tried is not among it.
        """
        # Before the mails: one that leaves meanwhile must not seem to be overtaken by itself.
        (sent,) = await self._door.read([Read(_MOVED, (EVER,))])
        moved = sent[0] if sent else None
        after = moved["id"] if moved else 0
        count, escalations, oldest, urgent, first, refused = await self._door.read(
            [
                Read(_COUNT.format(_DUE), (now,)),
                Read(_COUNT.format(f"{_DUE} {_OF_KIND}"), (now, *ESCALATIONS)),
                Read(_FIRST.format(_DUE), (now,)),
                Read(_FIRST.format(f"{_DUE} {_OF_KIND}"), (now, *ESCALATIONS)),
                Read(_FIRST.format(f"{_DUE} AND id > ?"), (now, after)),
                Read(_FIRST.format(_REFUSED), (EVER, after, *ESCALATIONS, BY_HAND)),
            ]
        )
        told = (row["last_reply"] for rows in (refused, oldest, first) for row in rows if row["last_reply"])
        return Waiting(
            count=count[0]["found"],
            escalations=escalations[0]["found"],
            oldest=_stuck(oldest),
            oldest_escalation=_stuck(urgent),
            first=_stuck(first),
            moved=moved["sent_at"] if moved else None,
            refused=_stuck(refused),
            last_reply=next(told, ""),
        )


def _stuck(rows: Sequence[Mapping[str, Any]]) -> Stuck | None:
    return next(
        (Stuck(row["id"], row["kind"], row["ticket"] or 0, row["created_at"], row["attempts"]) for row in rows), None
    )
