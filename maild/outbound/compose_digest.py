"""A digest of escalations as a mail. What strangers wrote (the titles) is only ever data in it."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from maild.mail import Address, Outgoing
from maild.outbound import seal, wire
from maild.outbound.digest_letter import MOST_LINES, DigestLetter, DigestLine
from maild.outbound.gate import clean
from maild.outbound.headline import marked, measured, named
from maild.outbound.letters import Desk
from maild.outbound.templates import Templates

_WIDTH = 78


def compose_digest(letter: DigestLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    """Write the digest: the null return path, so that no bounce of it comes back; an answer comes to the desk."""
    waiting, shown = letter.waiting, letter.named
    settled = [line for line in letter.lines if line.settled is not None]
    also = settled[: MOST_LINES - len(shown)]
    values: dict[str, Any] = {
        "desk": desk,
        "counts": _counts(letter.lines, now),
        "now": now,
        "zone": letter.time_zone or desk.time_zone,
        "reason": replace(letter.reason, meant_for=clean(letter.reason.meant_for, 80)),
        "waiting": len(waiting),
        "rows": [_row(line, desk, now) for line in shown],
        "beyond": len(waiting) - len(shown),
        "settled": [_row(line, desk, now) for line in also],
        "settled_beyond": len(settled) - len(also),
        "first": (waiting or tuple(settled))[0].ticket,
    }
    return seal.seal(
        seal.Draft(
            key=letter.key,
            kind="digest",
            ticket=0,
            envelope_from="",
            sender=Address(desk.name, desk.address),
            to=letter.to,
            reply_to=letter.reply_to,
            subject=digest_subject(letter, desk, now),
            message_id=letter.message_id,
            in_reply_to=letter.root_id,
            references=(letter.root_id,),
            body=wire.text_part("plain", templates.render("digest", letter.language, values)),
            extra=seal.automatic("auto-generated"),
        ),
        desk,
        now,
    )


def digest_subject(letter: DigestLetter, desk: Desk, now: datetime) -> str:
    """Make a subject that sorts on a phone: BREACH where one that waits is at its limit, how many, the most pressing."""
    waiting = letter.waiting
    tickets = _tickets(len({line.ticket for line in letter.lines}))
    if not waiting:
        return f"{tickets} of {desk.reference}: all settled meanwhile"
    first = waiting[0]
    mark = "[BREACH] " if any(now >= line.due_at for line in waiting) else ""
    pressing = named(first.ticket, first.severity, clean(first.title))
    return f"{mark}{tickets} of {desk.reference}: {_counts(letter.lines, now)} (most pressing: {pressing})"


def _tickets(count: int) -> str:
    return f"{count} ticket{'s' * (count != 1)}"


def _counts(lines: Sequence[DigestLine], now: datetime) -> str:
    """Count tickets, each once, by the worst that is open of it."""
    waiting = [line for line in lines if line.settled is None]
    breached = {line.ticket for line in waiting if now >= line.due_at}
    warned = {line.ticket for line in waiting} - breached
    settled = {line.ticket for line in lines} - breached - warned
    words = (
        (len(breached), "breach", "breaches"),
        (len(warned), "warning", "warnings"),
        (len(settled), "settled meanwhile", "settled meanwhile"),
    )
    return ", ".join(f"{count} {one if count == 1 else more}" for count, one, more in words if count)


def _row(line: DigestLine, desk: Desk, now: datetime) -> dict[str, Any]:
    name = f"{desk.reference} {named(line.ticket, line.severity, clean(line.title))}"
    if line.settled is not None:
        settled = replace(line.settled, who=clean(line.settled.who, 80))
        return {"text": _wrapped(f"{name}: {line.metric.replace('_', ' ')}"), "settled": settled}
    level = marked(line.level, line.metric, line.due_at, now)
    words = f"[{level}] {name} ({measured(line.limit_seconds, line.due_at, now)})"
    return {"text": _wrapped(words), "due_at": line.due_at, "owner": clean(line.owner, 80)}


def _wrapped(line: str) -> str:
    return textwrap.fill(line, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
