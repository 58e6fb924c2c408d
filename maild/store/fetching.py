"""What was fetched from IMAP folders: one row a UID, written in the same unit as the octets it stands for."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from maild.ingest.imap_plan import OLD, Held, Noted
from maild.store import models
from maild.store.accept import Accepting, accepted
from maild.store.door import Read, Write
from maild.store.packing import Packed, pack
from maild.store.shelf import EVER, FREE, LEASE, chunks, instant, marks, reading

_KNOW = "INSERT INTO mailbox (name) VALUES (?) ON CONFLICT (name) DO NOTHING"
_TAKE = f"""UPDATE mailbox SET taken_by = ?, taken_until = ? WHERE name = ? AND {FREE}
RETURNING id, uidvalidity, last_uid, looked_at, reconciled_at"""  # noqa: S608 - our own text
_LEAVE = "UPDATE mailbox SET taken_by = NULL, taken_until = NULL WHERE id = ? AND taken_by = ?"
_MINE = "UPDATE mailbox SET taken_until = ? WHERE id = ? AND taken_by = ?"
_LOOKED = "UPDATE mailbox SET uidvalidity = ?, last_uid = ?, looked_at = ? WHERE id = ?"
_RECONCILED = "UPDATE mailbox SET reconciled_at = ? WHERE id = ?"
_NOTE = """INSERT INTO mailbox_uid (mailbox, uidvalidity, uid, digest, fault, fetched_at) VALUES {}
ON CONFLICT (mailbox, uidvalidity, uid) DO UPDATE
SET digest = excluded.digest, fault = excluded.fault, fetched_at = excluded.fetched_at
WHERE mailbox_uid.digest IS NULL"""
_MOVED = """UPDATE mailbox_uid SET moved_at = ?
WHERE mailbox = ? AND uidvalidity = ? AND moved_at IS NULL AND uid IN ({})"""
_SETTLED = """SELECT u.uid AS uid, r.state AS state
FROM received r JOIN mailbox_uid u ON u.digest = r.digest
WHERE r.state IN ({}) AND r.id >= ? AND u.mailbox = ? AND u.uidvalidity = ? AND u.moved_at IS NULL
AND NOT EXISTS (SELECT 1 FROM received w WHERE w.state = 'waiting' AND w.digest = r.digest)
ORDER BY u.uid"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of noted UIDs: the received rows they gave, and how many brought octets that came before."""

    received: tuple[int, ...]
    before: int


class Fetching(Accepting):
    """Methods over `mailbox` and `mailbox_uid`. Only who holds a folder writes of it; ConflictError for everybody else."""

    @property
    def shared(self) -> bool:
        """Whether other daemons may want the same folders."""
        return self._door.pooled

    async def take_mailbox(self, name: str, now: datetime) -> Held | None:
        """Hold a folder (user@host/folder) until `LEASE` after `now`; None where another daemon has it.

        It is free once that daemon gives it back, has ended, or has not renewed it in time. Asking again renews it.
        """
        me = self._door.name
        _, rows = await self._write(Write(_KNOW, (name,)), Write(_TAKE, (me, now + LEASE, name, me, now)))
        if not rows:
            return None
        ((number, uidvalidity, last_uid, looked_at, reconciled_at),) = rows
        return Held(
            number,
            uidvalidity,
            last_uid,
            None if looked_at is None else instant(looked_at),
            None if reconciled_at is None else instant(reconciled_at),
        )

    async def leave_mailbox(self, mailbox: int) -> None:
        """Give a folder back, if it is ours."""
        await self._write(Write(_LEAVE, (mailbox, self._door.name)))

    @reading
    async def uids(self, mailbox: int, uidvalidity: int) -> dict[int, str]:
        """Give the UIDs that were noted and not moved away, each with its fault."""
        rows = self._from(models.MailboxUid).filter(mailbox=mailbox, uidvalidity=uidvalidity, moved_at__isnull=True)
        return dict(await rows.values_list("uid", "fault"))

    @reading
    async def moved_away(self, mailbox: int, uidvalidity: int, uids: Collection[int]) -> set[int]:
        """Give which of these UIDs are known as moved away."""
        found: set[int] = set()
        rows = self._from(models.MailboxUid).filter(mailbox=mailbox, uidvalidity=uidvalidity, moved_at__gt=EVER)
        for some in chunks(uids):
            found.update([row["uid"] for row in await rows.filter(uid__in=some).values("uid")])
        return found

    @reading
    async def first_seen(self, mailbox: int) -> datetime | None:
        """Give when the first UID of a folder was noted; None where there is none."""
        rows = await self._from(models.MailboxUid).filter(mailbox=mailbox).order_by("id").limit(1).values("fetched_at")
        return rows[0]["fetched_at"] if rows else None

    async def note_old(self, mailbox: int, uidvalidity: int, uids: Sequence[int], now: datetime) -> None:
        """Note all that lies in a folder at the first look, without fetching it, in one unit with the look itself."""
        await self._write(
            self._mine(mailbox, now),
            *_noted(mailbox, uidvalidity, [(uid, None, OLD) for uid in uids], now),
            Write(_LOOKED, (uidvalidity, max(uids, default=0), now, mailbox)),
            Write(_RECONCILED, (now, mailbox)),
        )

    async def fetched(self, mailbox: int, uidvalidity: int, noted: Sequence[Noted], now: datetime) -> Kept:
        """Store mails, their received rows and their UIDs in one unit; durable on return.

        Octets that this folder brought under another UIDVALIDITY are no mail again: only their UIDs are noted.
        """
        if not noted:
            return Kept((), 0)
        packed = await asyncio.to_thread(lambda: [pack(one.octets) if one.env else None for one in noted])
        before = await self._brought(mailbox, uidvalidity, {each.digest for each in packed if each})
        mails = [
            (one.env, each)
            for one, each in zip(noted, packed, strict=True)
            if one.env and each and each.digest not in before
        ]
        rows = [(one.uid, each.digest if each else None, one.fault) for one, each in zip(noted, packed, strict=True)]
        unit = [
            self._mine(mailbox, now),
            *chain.from_iterable(accepted(env, each) for env, each in mails),
            *_noted(mailbox, uidvalidity, rows, now),
        ]
        # As in `accept`: no two units may look for a twin of the same octets and insert.
        alone = {each.digest for _, each in mails}
        answers = await self._door.write(unit, alone=alone, tell="received")
        return Kept(_received_ids(mails, answers[1:]), sum(1 for each in packed if each and each.digest in before))

    async def looked(self, held: Held, now: datetime) -> None:
        """Note as of when all of a folder was seen, under which UIDVALIDITY, and up to which UID.

        Only now the UIDVALIDITY is known: until then whoever comes after a crash finds that it is a new one.
        """
        seen = Write(_LOOKED, (held.uidvalidity, held.last_uid, held.looked_at, held.id))
        await self._write(self._mine(held.id, now), seen)

    async def reconciled(self, mailbox: int, uidvalidity: int, gone: Collection[int], now: datetime) -> None:
        """Note that the UIDs were compared; those that somebody took away are told once."""
        await self._write(
            self._mine(mailbox, now),
            *_moved(mailbox, uidvalidity, gone, now),
            Write(_RECONCILED, (now, mailbox)),
        )

    async def settled(
        self, mailbox: int, uidvalidity: int, states: Collection[str], *, from_id: int = 0
    ) -> list[tuple[int, str]]:
        """Give the UIDs still in the folder whose mail waits for nothing, and the state of its received row.

        `from_id` leaves out received rows with lower ids.
        """
        values = (*states, from_id, mailbox, uidvalidity)
        (lines,) = await self._door.read([Read(_SETTLED.format(marks(states)), values)])
        return [(line["uid"], line["state"]) for line in lines]

    async def moved(self, mailbox: int, uidvalidity: int, uids: Collection[int], now: datetime) -> None:
        """Note that messages lie in another folder now."""
        await self._write(self._mine(mailbox, now), *_moved(mailbox, uidvalidity, uids, now))

    @reading
    async def _brought(self, mailbox: int, uidvalidity: int, digests: Collection[str]) -> set[str]:
        found: set[str] = set()
        others = self._from(models.MailboxUid).filter(mailbox=mailbox).exclude(uidvalidity=uidvalidity)
        for some in chunks(digests):
            found.update(row["digest"] for row in await others.filter(digest__in=some).values("digest"))
        return found

    def _mine(self, mailbox: int, now: datetime) -> Write:
        return Write(_MINE, (now + LEASE, mailbox, self._door.name), expect=1)


def _noted(
    mailbox: int, uidvalidity: int, rows: Sequence[tuple[int, str | None, str]], now: datetime
) -> Iterator[Write]:
    for some in chunks(rows):
        values = tuple(
            value for uid, digest, fault in some for value in (mailbox, uidvalidity, uid, digest, fault, now)
        )
        yield Write(_NOTE.format(", ".join(["(?, ?, ?, ?, ?, ?)"] * len(some))), values)


def _moved(mailbox: int, uidvalidity: int, uids: Collection[int], now: datetime) -> Iterator[Write]:
    for some in chunks(uids):
        yield Write(_MOVED.format(marks(some)), (now, mailbox, uidvalidity, *some))


def _received_ids(mails: Sequence[tuple[object, Packed]], answers: Sequence[list[tuple[int, ...]]]) -> tuple[int, ...]:
    # For each mail: octets, insert, and the id that stands for it.
    return tuple(answers[number * 3 + 2][0][0] for number in range(len(mails)))
