"""What waits for a digest: kept with the escalations that it tells, taken out with the mail that tells them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from maild.outbound.digest_letter import DigestItem, Kept, Mailed
from maild.store.door import Read, Write
from maild.store.rows import event_of
from maild.store.shelf import Shelf, marks
from maild.store.words import key
from maild.ticket import Event, Severity

DIGEST = "digest"
"""The kind of mail that a digest is."""


@dataclass(frozen=True, slots=True)
class Written:
    """The items of a person that a digest tells: those up to the id `last` which may leave by `until`; `count` of them.

    `named` are the clocks that it names: (Message-ID, ticket, metric, cycle).
    """

    agent: str
    until: datetime
    last: int
    count: int
    named: tuple[tuple[str, int, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Items of a person that wait: whether in his quiet hours, and of tickets of which severity."""

    agent: str
    quiet: bool
    severity: Severity


_COLUMNS = tuple(field.name for field in fields(DigestItem) if field.name != "id")
_KEEP = f"""INSERT INTO digest_item ({", ".join(_COLUMNS)}) VALUES ({marks(_COLUMNS)})
ON CONFLICT (key) DO NOTHING"""  # noqa: S608 - names are our own
_TAKE_OUT = "DELETE FROM digest_item WHERE agent = ? AND send_at <= ? AND id <= ?"
_NAME = "INSERT INTO digest_told (message_id, ticket, metric, cycle) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_NAMED = "SELECT ticket, metric, cycle FROM digest_told WHERE message_id = ? ORDER BY id"

_MAILED = """SELECT lower(rcpt) AS rcpt, count(*) AS mails, min(created_at) AS first_at, max(created_at) AS last_at
FROM outbox WHERE kind = ? AND lower(rcpt) IN ({}) AND created_at > ? AND created_at <= ? GROUP BY lower(rcpt)"""
_OPEN = "SELECT agent, min(send_at) AS send_at FROM digest_item WHERE agent IN ({}) AND NOT quiet GROUP BY agent"
_RIPE = """SELECT agent, min(send_at) AS send_at FROM digest_item WHERE send_at <= ?
GROUP BY agent ORDER BY min(send_at), agent"""
_HELD = """SELECT DISTINCT digest_item.agent, digest_item.quiet, ticket.severity
FROM digest_item JOIN ticket ON ticket.number = digest_item.ticket
WHERE digest_item.quiet AND digest_item.send_at > ? AND ticket.severity <> digest_item.severity
OR NOT digest_item.quiet AND digest_item.send_at > ?"""
_LET_GO = """UPDATE digest_item SET send_at = ?, severity = ?, quiet = ? WHERE agent = ? AND quiet = ? AND send_at > ?
AND ticket IN (SELECT number FROM ticket WHERE severity = ?)"""
_NEXT = "SELECT send_at FROM digest_item ORDER BY send_at LIMIT 1"
_KEPT = """SELECT digest_item.*, clock.state, clock.stopped_at, clock.breached_at, ticket.merged_into,
ticket.assignee
FROM digest_item JOIN ticket ON ticket.number = digest_item.ticket
LEFT JOIN clock ON clock.ticket = digest_item.ticket AND clock.metric = digest_item.metric AND clock.cycle = digest_item.cycle
WHERE digest_item.agent = ? AND digest_item.send_at <= ? ORDER BY digest_item.id"""
_EVENTS = """SELECT * FROM event WHERE ticket IN (SELECT ticket FROM digest_item WHERE agent = ? AND send_at <= ?)
AND what IN ('agent_reply', 'status', 'reopened', 'merged', 'split', 'unassigned', 'undone', 'taken_over') ORDER BY ticket, at, id"""


def keep(item: DigestItem) -> Write:
    """Keep an item until its digest leaves."""
    row = {name: getattr(item, name) for name in _COLUMNS}
    return Write(_KEEP, tuple((row | {"key": key(item.key), "severity": item.severity.value}).values()))


def take_out(written: Written) -> list[Write]:
    """Take out what a digest tells, all of it or nothing, and keep what it names."""
    taken = Write(_TAKE_OUT, (written.agent, written.until, written.last), expect=written.count)
    return [taken, *(Write(_NAME, (key(msgid), *clock)) for msgid, *clock in written.named)]


class Digesting(Shelf):
    """Queries for whoever sorts escalations into mails and digests."""

    async def mailed(self, addresses: Mapping[str, str], now: datetime, window: timedelta) -> dict[str, Mailed]:
        """Give what each person was told within `window` before `now`, by id; `addresses` are their keys by id."""
        rcpts = sorted(set(addresses.values()))
        span = (now - window, now)
        mails, digests, opened = await self._door.read(
            [
                Read(_MAILED.format(marks(rcpts)), ("escalation", *rcpts, *span)),
                Read(_MAILED.format(marks(rcpts)), (DIGEST, *rcpts, *span)),
                Read(_OPEN.format(marks(addresses)), tuple(addresses)),
            ]
        )
        by_rcpt = {line["rcpt"]: line for line in mails}
        digest_at = {line["rcpt"]: line["last_at"] for line in digests}
        open_at = {line["agent"]: line["send_at"] for line in opened}
        return {
            agent: Mailed(
                mails=by_rcpt[rcpt]["mails"] if rcpt in by_rcpt else 0,
                since=by_rcpt[rcpt]["first_at"] if rcpt in by_rcpt else None,
                digest_at=digest_at.get(rcpt),
                open_at=open_at.get(agent),
            )
            for agent, rcpt in addresses.items()
        }

    async def ripe_digests(self, now: datetime) -> dict[str, datetime]:
        """Give whose digests may leave by `now`, each with the instant from which on it might have."""
        (lines,) = await self._door.read([Read(_RIPE, (now,))])
        return {line["agent"]: line["send_at"] for line in lines}

    async def held(self, now: datetime, longest: datetime) -> list[Held]:
        """Give what waits beyond `now` by quiet hours of a severity that its ticket has no more, and the rest beyond `longest`."""
        (lines,) = await self._door.read([Read(_HELD, (now, longest))])
        return [Held(line["agent"], bool(line["quiet"]), Severity(line["severity"])) for line in lines]

    async def let_go(self, held: Held, now: datetime) -> None:
        """Let what waits so leave at `now`, at the severity that its ticket has."""
        severity = held.severity.value
        await self._door.write([Write(_LET_GO, (now, severity, False, held.agent, held.quiet, now, severity))])

    async def next_digest_at(self) -> datetime | None:
        """Give the earliest instant at which a digest may leave."""
        (lines,) = await self._door.read([Read(_NEXT)])
        return lines[0]["send_at"] if lines else None

    async def named_by(self, message_id: str) -> dict[int, frozenset[tuple[str, int]]]:
        """Give the clocks (metric, cycle) that a digest of ours named, by ticket, the most pressing first."""
        (lines,) = await self._door.read([Read(_NAMED, (key(message_id),))])
        found: dict[int, set[tuple[str, int]]] = {}
        for line in lines:
            found.setdefault(line["ticket"], set()).add((line["metric"], line["cycle"]))
        return {ticket: frozenset(clocks) for ticket, clocks in found.items()}

    async def digest_of(self, agent: str, now: datetime) -> tuple[list[Kept], dict[int, list[Event]]]:
        """Give a person's items that may leave by `now`, the oldest first, and what happened to their tickets."""
        lines, happened = await self._door.read([Read(_KEPT, (agent, now)), Read(_EVENTS, (agent, now))])
        events: dict[int, list[Event]] = {}
        for line in happened:
            events.setdefault(line["ticket"], []).append(event_of(line))
        return [_kept(line) for line in lines], events


def written(kept: Collection[Kept], until: datetime, named: tuple[tuple[str, int, str, int], ...]) -> Written:
    """Name the items of one person that `digest_of` gave, and what the mails of them name."""
    last = max(kept, key=lambda one: one.item.id).item
    return Written(last.agent, until, last.id, len(kept), named)


def _kept(line: Mapping[str, Any]) -> Kept:
    row = {name: line[name] for name in (*_COLUMNS, "id")}
    return Kept(
        item=DigestItem(**row | {"severity": Severity(line["severity"]), "quiet": bool(line["quiet"])}),
        state=line["state"] or "",
        stopped_at=line["stopped_at"],
        is_breached=line["breached_at"] is not None,
        merged_into=line["merged_into"],
        assignee=line["assignee"],
    )
