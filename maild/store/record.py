"""What a decision leaves behind, and the statements that write it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from maild.mail import Address, Outgoing
from maild.outbound.digest_letter import DigestItem
from maild.sla.clock import Clock
from maild.store.digesting import Written, keep, take_out
from maild.store.door import Write
from maild.store.instant import maybe_text, utc_text
from maild.store.joining import forget, link, move, unlink
from maild.store.packing import pack
from maild.store.shelf import marks
from maild.store.words import key
from maild.ticket import Event, Message, Ticket


@dataclass(frozen=True, slots=True)
class Record:
    """One decision, written as a whole or not at all. Fields left out change nothing.

    `at` is when it was decided. `received_id` is the row it settles, done or spam, for the reason `because`; a row that
    no longer waits is a conflict, and so is a `ticket` of another revision than the ledger's: somebody else wrote it after it was
    read. `clocks` replace every clock of `clock_ticket` (by default of `ticket`), each with the instant
    at which the watch loop must look at it next; None leaves them, () removes them. `references` are (Message-ID,
    ticket, own | seen | named); those known stay. `escalations` are (ticket, metric, cycle, level, because), and one that
    was told before is a conflict: nothing is mailed twice. `outgoing` whose key is known is dropped. `parties` were
    met, `failed` are addresses that mail cannot reach. `recipients_added` are (message id, further recipient).
    `elsewhere` are events of other tickets, (number, event); of mail that maild linked to it a ticket keeps `MOST_LINKED`. `moved` are messages (as they were) that leave their ticket for this one. `unlinked`
    are pairs of tickets, the lower first; `forgotten` are levels (metric, cycle, level) of this ticket that count as not told. `digested` wait for a
    digest; `digest` says which of them are told now: a conflict where another daemon took them out.
    """

    at: datetime
    because: str = ""
    received_id: int | None = None
    settled: str = "done"
    ticket: Ticket | None = None
    messages: tuple[Message, ...] = ()
    references: tuple[tuple[str, int, str], ...] = ()
    clocks: tuple[tuple[Clock, datetime | None], ...] | None = None
    clock_ticket: int | None = None
    events: tuple[Event, ...] = ()
    event_ticket: int | None = None
    escalations: tuple[tuple[int, str, int, str, str], ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    parties: tuple[Address, ...] = ()
    failed: tuple[str, ...] = ()
    recipients_added: tuple[tuple[int, str], ...] = ()
    elsewhere: tuple[tuple[int, Event], ...] = ()
    moved: tuple[Message, ...] = ()
    unlinked: tuple[tuple[int, int], ...] = ()
    forgotten: tuple[tuple[str, int, str], ...] = ()
    digested: tuple[DigestItem, ...] = ()
    digest: Written | None = None


def writes(record: Record) -> list[Write]:
    """Give the statements of one record, keys before what refers to them.

    ValueError where clocks or events name no ticket.
    """
    return list(
        chain(
            _settled(record),
            _ticket(record),
            chain.from_iterable(_message(message) for message in record.messages),
            (_recipient(message, rcpt) for message, rcpt in record.recipients_added),
            (_reference(*reference) for reference in record.references),
            _clocks(record),
            _events(record),
            (_elsewhere(ticket, event) for ticket, event in record.elsewhere),
            _joined(record),
            _taken_out(record),
            (_escalation(record.at, escalation) for escalation in record.escalations),
            (keep(item) for item in record.digested),
            chain.from_iterable(_outgoing(record.at, outgoing) for outgoing in record.outgoing),
            (_party(record.at, party) for party in record.parties),
            (_failed(record.at, address) for address in record.failed),
        )
    )


_SETTLE = "UPDATE received SET state = ?, done_at = ?, because = ?, fault = '' WHERE id = ? AND state = 'waiting'"
_KEEP = "ON CONFLICT DO NOTHING"
_MET = (
    "ON CONFLICT (address) DO UPDATE SET "
    "name = CASE WHEN excluded.name <> '' THEN excluded.name ELSE party.name END, "
    "first_seen = CASE WHEN excluded.first_seen < party.first_seen THEN excluded.first_seen ELSE party.first_seen END, "
    "last_seen = CASE WHEN excluded.last_seen > party.last_seen THEN excluded.last_seen ELSE party.last_seen END"
)


MOST_LINKED = 50
EVERY = 2**31
_ELSEWHERE = """INSERT INTO event (ticket, at, actor, what, because, data) SELECT ?, ?, ?, ?, ?, ?
WHERE (SELECT count(*) FROM event WHERE ticket = ? AND actor = ? AND what = ?) < ?"""


def _insert(table: str, row: Mapping[str, Any], more: str = "") -> Write:
    sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks(row)}) {more}"  # noqa: S608 - names are our own
    return Write(sql, tuple(row.values()))


def _settled(record: Record) -> Iterator[Write]:
    if record.received_id is not None:
        yield Write(_SETTLE, (record.settled, record.at, record.because, record.received_id), expect=1)


def _ticket(record: Record) -> Iterator[Write]:
    ticket = record.ticket
    if ticket is None:
        return
    row = {
        "number": ticket.number,
        "mailbox": ticket.mailbox,
        "subject": ticket.subject,
        "state": ticket.state.value,
        "severity": ticket.severity.value,
        "severity_because": _json(ticket.severity_because),
        "requester_name": ticket.requester.name,
        "requester_address": ticket.requester.address,
        "participants": _json(ticket.participants),
        "assignee": ticket.assignee,
        "opened_at": ticket.opened_at,
        "opened_by": ticket.opened_by,
        "root_id": ticket.root_id,
        "policy": ticket.policy,
        "resolved_at": ticket.resolved_at,
        "closed_at": ticket.closed_at,
        "first_response_at": ticket.first_response_at,
        "first_response_evidence": ticket.first_response_evidence,
        "merged_into": ticket.merged_into,
        "revision": ticket.revision + 1,
    }
    if ticket.revision:
        changes = ", ".join(f"{name} = ?" for name in row)
        sql = f"UPDATE ticket SET {changes} WHERE number = ? AND revision = ?"  # noqa: S608 - names are our own
        yield Write(sql, (*row.values(), ticket.number, ticket.revision), expect=1)
    else:
        yield _insert("ticket", row)
    yield Write("DELETE FROM participant WHERE ticket = ?", (ticket.number,))
    for address in ticket.participants:
        yield _insert("participant", {"ticket": ticket.number, "address": key(address)}, _KEEP)


def _message(message: Message) -> Iterator[Write]:
    yield _insert(
        "message",
        {
            "id": message.id,
            "ticket": message.ticket,
            "message_id": key(message.message_id),
            "at": message.at,
            "sender_name": message.sender.name,
            "sender_address": message.sender.address,
            "sender_key": key(message.sender.key),
            "kind": message.kind,
            "verified": message.verified,
            "placed_because": message.placed_because,
            "subject": message.subject,
            "text": message.text,
            "digest": message.digest or None,
            "body_digest": message.body_digest,
            "base_subject": key(message.base_subject),
            "thread_index": message.thread_index,
        },
    )
    for rcpt in message.recipients:
        yield _recipient(message.id, rcpt)


def _recipient(message: int, rcpt: str) -> Write:
    return _insert("message_recipient", {"message": message, "rcpt": key(rcpt)}, _KEEP)


def _reference(msgid: str, ticket: int, kind: str) -> Write:
    return _insert("reference", {"msgid": key(msgid), "ticket": ticket, "kind": kind}, _KEEP)


def _clocks(record: Record) -> Iterator[Write]:
    if record.clocks is None:
        return
    ticket = _of(record, record.clock_ticket, "clocks")
    yield Write("DELETE FROM clock WHERE ticket = ?", (ticket,))
    for clock, next_at in record.clocks:
        spans = [[utc_text(start), maybe_text(end)] for start, end in clock.spans]
        yield _insert(
            "clock",
            {
                "ticket": ticket,
                "metric": clock.metric.value,
                "cycle": clock.cycle,
                "calendar_name": clock.calendar_name,
                "target_seconds": clock.target_seconds,
                "limit_seconds": clock.limit_seconds,
                "started_at": clock.started_at,
                "target_at": clock.target_at,
                "limit_at": clock.limit_at,
                "state": clock.state.value,
                "stopped_at": clock.stopped_at,
                "breached_at": clock.breached_at,
                "by_reclassification": clock.by_reclassification,
                "elapsed_seconds": clock.elapsed_seconds,
                "paused_seconds": clock.paused_seconds,
                "spans": _json(spans),
                "next_at": next_at,
            },
        )


def _events(record: Record) -> Iterator[Write]:
    for event in record.events:
        ticket = _of(record, record.event_ticket, "events")
        row = {
            "ticket": ticket,
            "at": event.at,
            "actor": event.actor,
            "what": event.what,
            "because": event.because,
            "data": _json(dict(event.data)),
        }
        yield _insert("event", row)
        yield from link(ticket, event)


def _joined(record: Record) -> Iterator[Write]:
    yield from (unlink(pair) for pair in record.unlinked)
    yield from (forget(_of(record, None, "levels"), level) for level in record.forgotten)
    for message in record.moved:
        yield from move(message, _of(record, None, "messages"))


def _elsewhere(ticket: int, event: Event) -> Write:
    row = (ticket, event.at, event.actor, event.what, event.because, _json(dict(event.data)))
    # Whoever knows a ticket's number can have mail of his linked to it; what an operator does is not counted.
    most = MOST_LINKED if (event.actor, event.what) == ("maild", "linked") else EVERY
    return Write(_ELSEWHERE, (*row, ticket, event.actor, event.what, most))


def _escalation(at: datetime, told: tuple[int, str, int, str, str]) -> Write:
    ticket, metric, cycle, level, because = told
    row = {"ticket": ticket, "metric": metric, "cycle": cycle, "level": level, "at": at, "because": because}
    return _insert("escalation", row)


def _outgoing(at: datetime, mail: Outgoing) -> Iterator[Write]:
    packed = pack(mail.octets)
    yield packed.write()
    yield _insert(
        "outbox",
        {
            "key": key(mail.key),
            "kind": mail.kind,
            "ticket": mail.ticket or None,
            "envelope_from": mail.envelope_from,
            "rcpt": mail.rcpt,
            "message_id": mail.message_id,
            "digest": packed.digest,
            "not_before": mail.not_before,
            "created_at": at,
        },
        "ON CONFLICT (key) DO NOTHING",
    )


def _taken_out(record: Record) -> Iterator[Write]:
    if record.digest is not None:
        yield from take_out(record.digest)


def _party(at: datetime, party: Address) -> Write:
    return _insert("party", {"address": key(party.key), "name": party.name, "first_seen": at, "last_seen": at}, _MET)


def _failed(at: datetime, address: str) -> Write:
    row = {"address": key(address.lower()), "name": "", "first_seen": at, "last_seen": at, "failed_at": at}
    return _insert("party", row, "ON CONFLICT (address) DO UPDATE SET failed_at = excluded.failed_at")


def _of(record: Record, ticket: int | None, what: str) -> int:
    if ticket is not None:
        return ticket
    if record.ticket is None:
        raise ValueError(f"a record with {what} needs the ticket they belong to")
    return record.ticket.number


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
