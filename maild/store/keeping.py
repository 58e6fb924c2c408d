"""The keys that tokens and Message-IDs are signed with: made, listed, retired. What they are is told to the desk alone."""

import secrets as entropy
from dataclasses import dataclass
from datetime import datetime

from maild.store import models
from maild.store.door import Read, Write
from maild.store.faults import ConflictError
from maild.store.shelf import Shelf, reading

KEY_BYTES = 32

_MAKE = """INSERT INTO secret (purpose, key, created_at)
SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM secret WHERE purpose = ? AND retired_at IS NULL)"""
_ADD = "INSERT INTO secret (purpose, key, created_at) VALUES (?, ?, ?) RETURNING id"
# The newest one signs, so it cannot go.
_RETIRE = """UPDATE secret SET retired_at = ? WHERE id = ? AND purpose = ? AND retired_at IS NULL
AND id < (SELECT max(id) FROM secret WHERE purpose = ?)"""
_SIGNED = """SELECT count(DISTINCT t.number) AS tickets FROM ticket t JOIN outbox o ON o.ticket = t.number
WHERE t.state <> 'closed' AND o.created_at >= ? AND o.created_at < ?"""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key as an operator sees it: never the key itself. `retired_at` is None while it is good."""

    id: int
    created_at: datetime
    retired_at: datetime | None


class Keeping(Shelf):
    """Methods over `secret`."""

    async def secrets(self, purpose: str, *, now: datetime) -> list[bytes]:
        """Give the keys of that purpose that are not retired, the newest first; made here when there is none."""
        keys = await self._keys(purpose)
        if not keys:
            await self._write(Write(_MAKE, (purpose, entropy.token_bytes(KEY_BYTES), now, purpose)))
            keys = await self._keys(purpose)
        return keys

    @reading
    async def _keys(self, purpose: str) -> list[bytes]:
        kept = self._from(models.Secret).filter(purpose=purpose, retired_at__isnull=True)
        return [bytes(row["key"]) for row in await kept.order_by("-id").values("key")]

    @reading
    async def key_lines(self, purpose: str) -> list[KeyLine]:
        """List the keys of that purpose, the newest first, retired ones too."""
        rows = await self._from(models.Secret).filter(purpose=purpose).order_by("-id").values(*KeyLine.__slots__)
        return [KeyLine(**row) for row in rows]

    async def rotate(self, purpose: str, now: datetime) -> int:
        """Add a key, with which all is signed from now on, and give its id. The others stay good. Every daemon is told."""
        write = Write(_ADD, (purpose, entropy.token_bytes(KEY_BYTES), now))
        (rows,) = await self._door.write([write], tell="keys")
        return int(rows[0][0])

    async def retire(self, purpose: str, key_id: int, now: datetime) -> None:
        """Let what a key signed prove nothing any more; every daemon is told.

        ConflictError where there is no such key, where it is retired, and where it is the newest one, which signs.
        """
        await self._door.write([Write(_RETIRE, (now, key_id, purpose, purpose), expect=1)], tell="keys")

    async def signed_with(self, purpose: str, key_id: int, now: datetime) -> int:
        """Count the tickets that are not closed and were written of while that key was the newest.

        ConflictError where there is no such key.
        """
        lines = await self.key_lines(purpose)
        made = next((line.created_at for line in lines if line.id == key_id), None)
        if made is None:
            raise ConflictError(f"there is no key {key_id}")
        until = min((line.created_at for line in lines if line.id > key_id), default=now)
        (found,) = await self._door.read([Read(_SIGNED, (made, until))])
        return int(found[0]["tickets"])
