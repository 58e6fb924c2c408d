"""What a digest says: each clock once, the most pressing first, and below them what was settled meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from maild.desk.ack import acks_of, held
from maild.desk.office import Agent, Office
from maild.mail import Address
from maild.outbound.digest_letter import DigestItem, DigestLetter, DigestLine, DigestReason, Kept, Settled
from maild.sla.clock import ClockState
from maild.ticket import Event

LATE = timedelta(seconds=60)
"""Who is told of a level later than this after it was reached is told that, too."""

_DONE = {"resolution": "resolved"}


def digest_letters(
    kept: Sequence[Kept], events: Mapping[int, Sequence[Event]], office: Office
) -> tuple[DigestLetter, ...]:
    """Write the digest of one person's items, in their order: to him, where he is gone to those who have his part.

    `events` are those of the tickets that answer, change the state, or acknowledge. The key names the first item and the
    reader, so that whoever writes it owes the same mail. Nobody at all gets it where the desk has no agent.
    """
    first = kept[0].item
    agent = office.agent(first.agent)
    lines = _lines(kept, events, office)
    reason = _reason(kept, "" if agent else first.agent)
    return tuple(
        _letter(reader, first, lines, reason, office) for reader in ((agent,) if agent else _heirs(first, office))
    )


def _heirs(item: DigestItem, office: Office) -> tuple[Agent, ...]:
    """Give who is told instead of somebody who left: who has his address now, else the leads, else everybody."""
    same = office.agent_of(Address("", item.address))
    return (same,) if same else tuple(one for one in office.agents if one.role == "lead") or office.agents


def _letter(
    reader: Agent, first: DigestItem, lines: tuple[DigestLine, ...], reason: DigestReason, office: Office
) -> DigestLetter:
    key = f"digest:{reader.id}:{first.id}"
    return DigestLetter(
        key=key,
        to=Address(reader.recipient.name, reader.address),
        time_zone=reader.time_zone,
        language=reader.recipient.language,
        lines=lines,
        reason=reason,
        reply_to=office.desk.address,
        message_id=office.message_id(0, key),
        root_id=office.message_id(0, "digest"),
    )


def _lines(kept: Sequence[Kept], events: Mapping[int, Sequence[Event]], office: Office) -> tuple[DigestLine, ...]:
    # Of one clock the last level told is the highest: the ones before it are no news beside it.
    latest = {(one.item.ticket, one.item.metric, one.item.cycle): one for one in kept}
    lines = [_line(one, events.get(one.item.ticket, ()), office) for one in latest.values()]
    highest = max(one.item.at for one in kept)
    return tuple(sorted(lines, key=lambda line: _rank(line, highest)))


def _rank(line: DigestLine, now: datetime) -> tuple[bool, bool, int, datetime, int]:
    return line.settled is not None, line.due_at > now, line.severity.rank, line.due_at, line.ticket


def _line(one: Kept, events: Sequence[Event], office: Office) -> DigestLine:
    item, owner = one.item, office.agent(one.assignee)
    return DigestLine(
        item.ticket,
        item.metric,
        item.cycle,
        item.level,
        item.severity,
        item.title,
        item.limit_seconds,
        item.due_at,
        _settled(one, events, office),
        owner.called if owner else "",
    )


def _settled(one: Kept, events: Sequence[Event], office: Office) -> Settled | None:
    item = one.item
    if one.merged_into is not None:
        return Settled(f"it went into {office.desk.reference} #{one.merged_into}")
    if not one.state or one.state == ClockState.ENDED:
        return Settled("its clock has ended", one.stopped_at)
    if one.stopped_at is not None:
        by = next((event.actor for event in events if event.at == one.stopped_at and event.actor != "maild"), "")
        return Settled(_DONE.get(item.metric, "answered"), one.stopped_at, _name(by, office))
    taken = [ack for ack in acks_of(events, one.assignee) if held(ack, one.assignee, office) and ack.at >= item.at]
    if taken and (item.metric, item.cycle) in taken[-1].clocks:
        return Settled("acknowledged", taken[-1].at, _name(taken[-1].by, office))
    if one.state == ClockState.PAUSED and not one.is_breached:
        return Settled("its clock rests until the customer writes")
    return None


def _name(actor: str, office: Office) -> str:
    agent = office.agent(actor)
    return agent.recipient.name if agent else actor


def _reason(kept: Sequence[Kept], meant_for: str) -> DigestReason:
    items = [one.item for one in kept]
    quiet = [item for item in items if item.quiet]
    together = [item for item in items if not item.quiet] or items
    late = [item.reached_at for item in items if item.at - item.reached_at > LATE]
    return DigestReason(
        first_at=min(item.at for item in together),
        last_at=max(item.at for item in together),
        together=len(items) - len(quiet),
        late_since=min(late, default=None),
        late=len(late),
        quiet=len(quiet),
        quiet_until=max((item.send_at for item in quiet), default=None),
        meant_for=meant_for,
    )
