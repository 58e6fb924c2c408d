"""What the ledger knows of a mail and of a ticket, each asked in one trip: the hot path of every decision."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from maild.sla.clock import Clock
from maild.store.door import Lines, Read
from maild.store.rows import clock_of, event_of, message_of, ticket_of
from maild.store.shelf import Shelf, marks
from maild.store.words import key
from maild.threading.likeness import KNOWN_FOR, Candidate, Traits
from maild.ticket import Event, Message, Ticket

T = TypeVar("T")

MOST_IDS = 1000
"""How many Message-IDs and ticket numbers of one mail are looked up: a list as long as that is no conversation."""

TRUST = ("own", "seen", "named")
"""The kinds of a reference, the strongest evidence first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a mail makes us ask for: the Message-IDs that it names, the tickets that it claims, its sender, itself.

    `address` is the sender's key, "" where there is no clear one. `now` is when the budgets are counted. `digest` is that
    of its octets, which stands for a Message-ID where there is none.
    """

    msgids: Collection[str]
    tickets: Collection[int]
    message_id: str
    address: str
    body_digest: str
    now: datetime
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of it.

    `ids` maps each known Message-ID to its (ticket, own | seen | named), own ones first; `tickets` holds every ticket
    that an id speaks for, that was asked for or holds a twin, and those into which they were merged; `twins` are (message,
    ticket) wherever this very message stands.
    `met` says that we had mail from the address or sent it some and none came back. `acks` counts acknowledgements: to
    the address in the last hour and day, to anybody in the last minute; `asked` the letters of the last hour that asked
    whether mail in its name was its own.
    """

    ids: dict[str, list[tuple[int, str]]]
    tickets: dict[int, Ticket]
    twins: tuple[tuple[int, int], ...]
    met: bool
    acks: tuple[int, int, int]
    asked: int


@dataclass(frozen=True, slots=True)
class History:
    """A ticket with all that happened to it, in order of time. `sent` are the levels told, (metric, cycle, level)."""

    ticket: Ticket
    messages: tuple[Message, ...]
    events: tuple[Event, ...]
    clocks: tuple[Clock, ...]
    sent: frozenset[tuple[str, int, str]]


_TWINS = "FROM message WHERE message_id = ? AND sender_key = ? AND body_digest = ?"
_NAMELESS = "FROM message WHERE message_id = '' AND digest = ?"
# Each of them, and those in which they are now: what a mail names may have been merged, once or more often. CROSS JOIN
# keeps SQLite from beginning with every merged ticket there is.
_TICKETS = """WITH RECURSIVE way (number) AS (
    SELECT ticket {referring} UNION SELECT number FROM ticket WHERE number IN ({numbers}) UNION SELECT ticket {twins}
    UNION SELECT ticket.merged_into FROM way CROSS JOIN ticket WHERE ticket.number = way.number)
SELECT ticket.* FROM way CROSS JOIN ticket WHERE ticket.number = way.number"""
_MET = "SELECT failed_at FROM party WHERE address = ?"
_OWED = "SELECT count(*) AS owed FROM outbox WHERE kind = ? AND lower(rcpt) = ? AND created_at >= ?"
_ACKS = "SELECT count(*) AS owed FROM outbox WHERE kind = 'ack' AND created_at >= ?"

# Only the latest of each: a subject such as "Question" has as many as there are, and their number is no evidence.
_SAME_SUBJECT = """SELECT ticket FROM message WHERE base_subject = ? AND base_subject <> '' AND at >= ?
ORDER BY at DESC LIMIT 60"""
_SAME_INDEX = """SELECT ticket FROM message WHERE thread_index = ? AND thread_index <> '' AND at >= ?
ORDER BY at DESC LIMIT 10"""
_WROTE = "SELECT ticket FROM message WHERE sender_key = ? AND at >= ? ORDER BY at DESC LIMIT 30"
# What went into one ticket is one conversation.
_WORDS = """WITH RECURSIVE way (first, number, onward) AS (
    SELECT number, number, merged_into FROM ticket WHERE number IN ({})
    UNION SELECT way.first, ticket.number, ticket.merged_into FROM way CROSS JOIN ticket WHERE ticket.number = way.onward)
SELECT way.number AS ticket, at, sender_key, base_subject, thread_index, text
FROM way CROSS JOIN message WHERE way.onward IS NULL AND message.ticket = way.first
ORDER BY at DESC, message.id DESC LIMIT 400"""

MOST_TEXTS = 50
"""Of how many of a ticket's latest messages the words are read: what is older is quoted by nobody."""

_NUMBERED = "SELECT * FROM ticket WHERE number IN ({})"
_MESSAGES = f"""SELECT id, ticket, message_id, at, sender_name, sender_address, kind, verified, placed_because, subject,
CASE WHEN age <= {MOST_TEXTS} THEN text ELSE '' END AS text, digest, body_digest, base_subject, thread_index
FROM (SELECT message.*, row_number() OVER (PARTITION BY ticket ORDER BY at DESC, id DESC) AS age
    FROM message WHERE ticket IN ({{}})) AS told
ORDER BY at, id"""  # noqa: S608 - a number of our own
_RECIPIENTS = """SELECT message, rcpt FROM message_recipient
WHERE message IN (SELECT id FROM message WHERE ticket IN ({})) ORDER BY id"""
_EVENTS = "SELECT * FROM event WHERE ticket IN ({}) ORDER BY at, id"
_CLOCKS = "SELECT * FROM clock WHERE ticket IN ({}) ORDER BY id"
_LEVELS = "SELECT ticket, metric, cycle, level FROM escalation WHERE ticket IN ({})"


class Evidence(Shelf):
    """Methods for whoever decides."""

    async def known_of(self, asked: Asked) -> Known:
        """Give what is known of a mail."""
        msgids = _padded([key(msgid) for msgid in asked.msgids][:MOST_IDS])
        numbers = _padded(list(asked.tickets)[:MOST_IDS])
        address, hour = key(asked.address), asked.now - timedelta(hours=1)
        referring = f"FROM reference WHERE msgid IN ({marks(msgids)})"
        twins_of, twin = (
            (_TWINS, (key(asked.message_id), address, asked.body_digest))
            if asked.message_id
            else (_NAMELESS, (asked.digest,))
        )
        ids, tickets, twins, met, acks_hour, acks_day, acks_all, held = await self._door.read(
            [
                Read(f"SELECT msgid, ticket, kind {referring} ORDER BY id", msgids),
                Read(
                    _TICKETS.format(referring=referring, numbers=marks(numbers), twins=twins_of),
                    (*msgids, *numbers, *twin),
                ),
                Read(f"SELECT id, ticket {twins_of} ORDER BY id", twin),
                Read(_MET, (address,)),
                Read(_OWED, ("ack", address, hour)),
                Read(_OWED, ("ack", address, asked.now - timedelta(days=1))),
                Read(_ACKS, (asked.now - timedelta(minutes=1),)),
                Read(_OWED, ("held", address, hour)),
            ]
        )
        return Known(
            ids=_by_id(asked.msgids, ids),
            tickets={line["number"]: ticket_of(line) for line in tickets},
            twins=tuple((line["id"], line["ticket"]) for line in twins),
            met=bool(met) and met[0]["failed_at"] is None,
            acks=(_count(acks_hour), _count(acks_day), _count(acks_all)),
            asked=_count(held),
        )

    async def candidates(self, traits: Traits, now: datetime) -> list[Candidate]:
        """Give the conversations of the last weeks with which a mail may have something in common, the newest first."""
        since = now - KNOWN_FOR
        found = await self._door.read(
            [
                Read(_SAME_SUBJECT, (key(traits.base_subject), since)),
                Read(_SAME_INDEX, (traits.thread_index, since)),
                *(Read(_WROTE, (key(person), since)) for person in traits.people),
            ]
        )
        numbers = {line["ticket"]: None for lines in found for line in lines}
        if not numbers:
            return []
        (lines,) = await self._door.read([Read(_WORDS.format(marks(numbers)), tuple(numbers))])
        return _candidates(lines)

    async def history(self, number: int) -> History | None:
        """Give a ticket and its history; None where there is no such ticket."""
        return next(iter(await self.histories([number])), None)

    async def histories(self, numbers: Collection[int]) -> list[History]:
        """Give the histories of those tickets that there are, in the order in which they were asked for.

        Of a long one only the latest messages bear their text.
        """
        asked = _padded(list(dict.fromkeys(numbers)))
        statements = (_NUMBERED, _MESSAGES, _RECIPIENTS, _EVENTS, _CLOCKS, _LEVELS)
        tickets, messages, recipients, events, clocks, levels = await self._door.read(
            [Read(statement.format(marks(asked)), asked) for statement in statements]
        )
        told: dict[int, list[str]] = {line["id"]: [] for line in messages}
        for line in recipients:
            told[line["message"]].append(line["rcpt"])
        of_ticket = {line["number"]: ticket_of(line) for line in tickets}
        messages_of = _grouped((line["ticket"], message_of(line, told[line["id"]])) for line in messages)
        events_of = _grouped((line["ticket"], event_of(line)) for line in events)
        clocks_of = _grouped((line["ticket"], clock_of(line)) for line in clocks)
        sent = _grouped((line["ticket"], (line["metric"], line["cycle"], line["level"])) for line in levels)
        return [
            History(
                ticket=of_ticket[number],
                messages=tuple(messages_of.get(number, ())),
                events=tuple(events_of.get(number, ())),
                clocks=tuple(clocks_of.get(number, ())),
                sent=frozenset(sent.get(number, ())),
            )
            for number in asked
            if number in of_ticket
        ]


def _grouped(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for number, value in pairs:
        found.setdefault(number, []).append(value)
    return found


def _padded(values: Sequence[Any]) -> list[Any]:
    """Fill a list up to a power of two, so that few statements are prepared; nothing equals NULL, and no list is empty."""
    return [*values, *[None] * ((1 << len(values).bit_length()) - len(values))]


def _by_id(msgids: Collection[str], lines: Lines) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for line in lines:
        found.setdefault(line["msgid"], []).append((line["ticket"], line["kind"]))
    for places in found.values():
        # own, seen, named is no order of the alphabet; it is that of trust.
        places.sort(key=lambda place: TRUST.index(place[1]))
    return {msgid: found[key(msgid)] for msgid in msgids if key(msgid) in found}


def _candidates(lines: Lines) -> list[Candidate]:
    by_ticket: dict[int, Lines] = {}
    for line in lines:
        by_ticket.setdefault(line["ticket"], []).append(line)
    return [
        Candidate(
            ticket=number,
            last_at=mails[0]["at"],
            subjects=frozenset(mail["base_subject"] for mail in mails),
            indexes=frozenset(mail["thread_index"] for mail in mails),
            writers=frozenset(mail["sender_key"] for mail in mails),
            texts=tuple(mail["text"] for mail in mails),
        )
        for number, mails in by_ticket.items()
    ]


def _count(lines: Lines) -> int:
    return int(lines[0]["owed"])
