"""The way in: octets for recipients, durable before the 250; then one row after another for the worker."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from operator import itemgetter

from tortoise.expressions import Q

from maild.mail import Envelope, Received
from maild.store import models
from maild.store.door import Read, Write
from maild.store.lines import ReceivedLine
from maild.store.packing import Packed, Pieces, digest_of, pack, unpack
from maild.store.shelf import EVER, FREE, LEASE, Shelf, instant, marks, reading
from maild.store.words import key

SEEN_FOR = timedelta(days=7)
"""How long the same octets for the same recipient count as the same delivery, made again."""

COURTESY = 2.0
"""Seconds that the decision on a mail waits for older ones which another daemon has in its hands."""

_GLANCE = 0.02

INLINE = 64 * 1024
"""Below so many octets a hop to a thread costs more than packing them."""

_ACCEPT = """INSERT INTO received (digest, mail_from, rcpt, rcpt_key, via, peer, received_at)
SELECT ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (
    SELECT 1 FROM received
    WHERE rcpt_key = ? AND digest = ? AND received_at > ? AND state IN ('waiting', 'done', 'spam'))"""
_ACCEPTED = "SELECT max(id) FROM received WHERE rcpt_key = ? AND digest = ? AND state IN ('waiting', 'done', 'spam')"
_TAKE = f"""WITH mine AS MATERIALIZED (
    SELECT id FROM received WHERE state = 'waiting' AND id > ? AND (retry_at IS NULL OR retry_at <= ?) AND {FREE}
    ORDER BY id LIMIT ? /*! FOR UPDATE SKIP LOCKED */)
UPDATE received SET attempts = attempts + 1, taken_by = ?, taken_until = ? WHERE id IN (SELECT id FROM mine)
RETURNING id, digest, mail_from, rcpt, via, peer, received_at, attempts, no_spam"""  # noqa: S608 - our own text
_RELEASE = """UPDATE received SET attempts = attempts - 1, taken_by = NULL, taken_until = NULL
WHERE state = 'waiting' AND attempts > 0 AND id IN ({})"""
_LATER = """UPDATE received SET retry_at = ?, fault = ?, taken_by = NULL, taken_until = NULL
WHERE id = ? AND state = 'waiting'"""
_LEAVE = "UPDATE received SET taken_by = NULL, taken_until = NULL WHERE state = 'waiting' AND taken_by = ?"
_QUARANTINE = "UPDATE received SET state = 'quarantined', fault = ?, done_at = ? WHERE id = ? AND state = 'waiting'"
_OCTETS = "SELECT zstd, size FROM octets WHERE digest = ?"
_SIZES = "SELECT digest, size FROM octets WHERE digest IN ({})"


class Accepting(Shelf):
    """Methods over `octets` and `received`."""

    async def accept(self, batch: Sequence[tuple[Envelope, bytes | Pieces]]) -> list[tuple[int, ...]]:
        """Store mails in one unit and give the received ids of each, one for each recipient; durable on return.

        The same octets for the same recipient within 7 days give the id they have, unless quarantined or dropped.
        """
        if not batch:
            return []
        if sum(len(octets) if isinstance(octets, bytes) else octets.size for _, octets in batch) <= INLINE:
            packed = [pack(octets) for _, octets in batch]
        else:
            packed = await asyncio.to_thread(lambda: [pack(octets) for _, octets in batch])
        unit: list[Write] = []
        for (env, _), octets in zip(batch, packed, strict=True):
            unit.extend(accepted(env, octets))
        # Looking for a twin and inserting is two steps, so no two units may do that with the same octets.
        alone = {octets.digest for octets in packed}
        answers = iter(await self._door.write(unit, alone=alone, tell="received"))
        return [_ids(env, answers) for env, _ in batch]

    @reading
    async def received_before(self, rcpt: str, digest: str, now: datetime) -> bool:
        """Tell whether these octets came for this recipient within 7 days and were not quarantined or dropped."""
        seen = self._from(models.Received).filter(
            rcpt_key=rcpt.lower(), digest=digest, received_at__gt=now - SEEN_FOR, state__in=("waiting", "done")
        )
        return await seen.exists()

    async def take(self, limit: int, *, now: datetime, after: int = 0) -> list[Received]:
        """Give the oldest waiting rows in order of id; the attempt is counted, durably, before the work begins.

        `after` leaves out ids up to it, so that a worker can fetch more while it still holds some. Rows put off by
        `retry_later` come when `now` has reached them. Another daemon gets what is taken here when it was put off, or
        when this one has ended without a word, `LEASE` after `now`; this one gets it again whenever it asks.
        """
        me = self._door.name
        (rows,) = await self._write(Write(_TAKE, (after, now, me, now, limit, me, now + LEASE)))
        rows.sort(key=itemgetter(0))
        return [
            Received(
                id=row[0],
                digest=row[1],
                mail_from=row[2],
                rcpt=row[3],
                via=row[4],
                peer=row[5],
                received_at=instant(row[6]),
                attempts=row[7],
                no_spam=bool(row[8]),
            )
            for row in rows
        ]

    async def in_order(self, first: int, now: datetime) -> None:
        """Wait until no row older than `first` is in another daemon's hands, at most `COURTESY`.

        Mails of one conversation that came in through two daemons are decided on in order of receipt.
        """
        if not self._door.pooled:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(COURTESY):
                while await self._older_elsewhere(first, now):  # noqa: ASYNC110 - the other process sets no event here
                    await asyncio.sleep(_GLANCE)

    @reading
    async def _older_elsewhere(self, first: int, now: datetime) -> bool:
        waiting = self._from(models.Received).filter(state="waiting", id__lt=first, taken_until__gt=now)
        others = waiting.exclude(taken_by=self._door.name)
        return await others.filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now)).exists()

    async def release(self, ids: Collection[int]) -> None:
        """Give rows back untouched (a shutdown came first): the attempt does not count."""
        if ids:
            await self._write(Write(_RELEASE.format(marks(ids)), tuple(ids)))

    async def leave(self) -> None:
        """Let other daemons have at once what this one has taken; the attempts count."""
        await self._write(Write(_LEAVE, (self._door.name,)))

    async def retry_later(self, received_id: int, fault: str, at: datetime) -> None:
        """Put a row off until `at`, for a fault that may pass; ConflictError where it no longer waits."""
        await self._write(Write(_LATER, (at, fault, received_id), expect=1))

    async def quarantine(self, received_id: int, fault: str, now: datetime) -> None:
        """Set aside a mail that breaks us, with its fault; ConflictError where it no longer waits."""
        await self._write(Write(_QUARANTINE, (fault, now, received_id), expect=1))

    @reading
    async def waiting_count(self) -> int:
        """Count the rows that wait."""
        return await self._from(models.Received).filter(state="waiting").count()

    async def oldest_waiting(self, now: datetime) -> int | None:
        """Give the lowest id that waits and may be taken at `now`."""
        return await self._waiting(now, "id")

    async def newest_waiting(self, now: datetime) -> int | None:
        """Give the highest id that waits and may be taken at `now`."""
        return await self._waiting(now, "-id")

    @reading
    async def _waiting(self, now: datetime, order: str) -> int | None:
        ready = self._from(models.Received).filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now), state="waiting")
        rows = await ready.order_by(order).limit(1).values("id")
        return rows[0]["id"] if rows else None

    @reading
    async def next_retry_at(self) -> datetime | None:
        """Give the earliest instant at which a row that was put off may be taken."""
        waiting = self._from(models.Received).filter(state="waiting", retry_at__gt=EVER)
        rows = await waiting.order_by("retry_at").limit(1).values("retry_at")
        return rows[0]["retry_at"] if rows else None

    @reading
    async def received(self, state: str | None = None, limit: int = 1000) -> list[ReceivedLine]:
        """List rows, the newest first."""
        rows = self._from(models.Received)
        if state is not None:
            rows = rows.filter(state=state)
        return [ReceivedLine(**row) for row in await rows.order_by("-id").limit(limit).values(*ReceivedLine.__slots__)]

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Give how large stored mails are, in octets."""
        (lines,) = await self._door.read([Read(_SIZES.format(marks(digests)), tuple(digests))])
        return {line["digest"]: line["size"] for line in lines}

    async def octets(self, digest: str) -> bytes:
        """Give stored octets; KeyError where the ledger has none of that digest, ValueError where they are damaged."""
        (lines,) = await self._door.read([Read(_OCTETS, (digest,))])
        if not lines:
            raise KeyError(digest)
        packed = lines[0]["zstd"]
        if lines[0]["size"] <= INLINE:
            return _unpacked(digest, packed)
        return await asyncio.to_thread(_unpacked, digest, packed)


def _unpacked(digest: str, packed: bytes) -> bytes:
    octets = unpack(packed)
    if digest_of(octets) != digest:
        raise ValueError(f"the octets {digest} are damaged")
    return octets


def accepted(env: Envelope, packed: Packed) -> Iterator[Write]:
    """Give the statements that store octets for their recipients: one for the octets, two for each recipient."""
    yield packed.write()
    for rcpt in env.rcpt_to:
        rcpt_key = key(rcpt.lower())
        row = (packed.digest, env.mail_from, rcpt, rcpt_key, env.via, env.peer, env.received_at)
        yield Write(_ACCEPT, (*row, rcpt_key, packed.digest, env.received_at - SEEN_FOR))
        yield Write(_ACCEPTED, (rcpt_key, packed.digest))


def _ids(env: Envelope, answers: Iterator[list[tuple[int, ...]]]) -> tuple[int, ...]:
    next(answers)
    ids = []
    for _ in env.rcpt_to:
        next(answers)
        ids.append(next(answers)[0][0])
    return tuple(ids)
