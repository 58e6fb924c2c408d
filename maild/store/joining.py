"""The statements by which tickets are split and linked, and what both leave is taken back."""

from collections.abc import Iterator

from maild.store.door import Write
from maild.store.words import key
from maild.ticket import Event, Message

_MOVE = "UPDATE message SET ticket = ? WHERE id = ? AND ticket = ?"
_SEEN_HERE = "INSERT INTO reference (msgid, ticket, kind) VALUES (?, ?, 'seen') ON CONFLICT DO NOTHING"
_NOT_THERE = "DELETE FROM reference WHERE msgid = ? AND ticket = ? AND kind = 'seen'"
_LINK = """INSERT INTO link (ticket, other) SELECT least_of.number, ticket.number FROM ticket
JOIN ticket least_of ON least_of.number = ? WHERE ticket.number = ? ON CONFLICT DO NOTHING"""
_UNLINK = "DELETE FROM link WHERE ticket = ? AND other = ?"
_FORGET = "DELETE FROM escalation WHERE ticket = ? AND metric = ? AND cycle = ? AND level = ?"


def move(message: Message, to: int) -> Iterator[Write]:
    """Move a message, and what answers it, to another ticket. A conflict where it has left its own meanwhile."""
    yield Write(_MOVE, (to, message.id, message.ticket), expect=1)
    if message.message_id:
        yield Write(_SEEN_HERE, (key(message.message_id), to))
        yield Write(_NOT_THERE, (key(message.message_id), message.ticket))


def link(ticket: int, event: Event) -> Iterator[Write]:
    """Link two tickets, where an event says so and both are there."""
    to = event.data.get({"linked": "to", "split_from": "from"}.get(event.what, ""))
    if isinstance(to, int) and to != ticket:
        yield Write(_LINK, (min(ticket, to), max(ticket, to)))


def unlink(pair: tuple[int, int]) -> Write:
    """Link two tickets no more."""
    return Write(_UNLINK, pair)


def forget(ticket: int, level: tuple[str, int, str]) -> Write:
    """Let a level of a clock count as not told."""
    return Write(_FORGET, (ticket, *level))
