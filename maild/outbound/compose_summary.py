"""The operator's summary as a mail. What strangers wrote (addresses, the words of a fault) is only ever data in it."""

import shlex
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from maild.mail import Address, Outgoing
from maild.outbound import seal, wire
from maild.outbound.gate import clean
from maild.outbound.letters import Desk, Heap, SummaryLetter
from maild.outbound.templates import Templates
from maild.outbound.wording import span

KINDS: Mapping[str, tuple[str, str, tuple[str, ...], str]] = MappingProxyType(
    {
        "quarantined": (
            "quarantined",
            "Mail that broke us, set aside with its fault",
            ("quarantine show {id}", "quarantine retry {id}", "quarantine drop {id}"),
            "quarantine list",
        ),
        "spam": (
            "called spam",
            "Mail that a filter of yours calls spam, held without a ticket",
            ("spam show {id}", "spam release {id}", "spam drop {id}"),
            "spam list",
        ),
        "failed": (
            "not delivered",
            "Mail of ours that is given up",
            ("outbox retry {id}",),
            "outbox list",
        ),
        "unfetched": ("not fetched", "Mail that lies in an IMAP folder and could not be taken over", (), ""),
    }
)
"""For each kind of heap: a word for the subject, a heading, the commands for one of it, and the one that lists it."""


def compose_summary(letter: SummaryLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    """Write the summary: the null return path, so that no bounce of it comes back; answers go to the operator himself."""
    values = {
        "desk": desk,
        "heaps": [_heap(heap, letter.config, now) for heap in letter.heaps],
        "until": letter.until,
        "zone": desk.time_zone,
    }
    counts = ", ".join(f"{heap.new} {KINDS[heap.kind][0]}" for heap in letter.heaps)
    return seal.seal(
        seal.Draft(
            key=letter.key,
            kind="summary",
            ticket=0,
            envelope_from="",
            sender=Address(desk.name, desk.address),
            to=letter.to,
            reply_to=letter.to.address,
            subject=f"{desk.reference}: mail that needs a person: {counts}",
            message_id=letter.message_id,
            in_reply_to=letter.root_id,
            references=(letter.root_id,),
            body=wire.text_part("plain", templates.render("summary", "", values)),
            extra=seal.automatic("auto-generated"),
        ),
        desk,
        now,
    )


def _heap(heap: Heap, config: str, now: datetime) -> dict[str, Any]:
    _, title, commands, lists = KINDS[heap.kind]
    return {
        "title": title,
        "new": heap.new,
        "standing": heap.standing,
        "beyond": heap.new - len(heap.items),
        "list": _command(lists, config) if lists else "",
        "rows": [
            {
                "id": item.id,
                "sender": clean(item.sender, 254) or "<>",
                "rcpt": clean(item.rcpt, 254),
                "fault": clean(item.fault, 200),
                "age": span((now - item.at).total_seconds()),
                "commands": [_command(command.format(id=item.id), config) for command in commands],
            }
            for item in heap.items
        ],
    }


def _command(words: str, config: str) -> str:
    return f"maild {words} -c {shlex.quote(clean(config, 1000))}"
