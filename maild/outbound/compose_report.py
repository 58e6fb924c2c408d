"""The weekly report as a mail: plain text first, and HTML whose bars are cells of a table, so that no picture is blocked.

What strangers wrote (the names of customers) is only ever data in it.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from maild.mail import Address, Outgoing
from maild.outbound import seal, wire
from maild.outbound.gate import clean
from maild.outbound.letters import Desk, ReportLetter, Row, Section
from maild.outbound.templates import Templates

_WIDTH = 200
_LEAST = 16
"""Pixels: of the longest bar, and of the shortest part, which its number must fit into."""

_TONES: Mapping[str, str] = MappingProxyType({"good": "#1f7a8c", "bad": "#c2410c"})
_SHADES = (
    ("#ffffff", "#1c1e21"),
    ("#e3edf5", "#1c1e21"),
    ("#bcd4e6", "#1c1e21"),
    ("#86b0d1", "#1c1e21"),
    ("#3d7caf", "#ffffff"),
    ("#1f5a89", "#ffffff"),
)


def compose_report(letter: ReportLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    """Write the report: the null return path, so that no bounce of it comes back; answers go to the reader himself."""
    values = {
        "desk": desk,
        "period": letter.period,
        "text": "\n".join(clean_line(line) for line in letter.text.split("\n")),
        "sections": [_section(section) for section in letter.sections],
    }
    parts = (
        wire.text_part("plain", templates.render("report", "", values)),
        wire.text_part("html", templates.render("report", "", values, "html")),
    )
    return seal.seal(
        seal.Draft(
            key=letter.key,
            kind="report",
            ticket=0,
            envelope_from="",
            sender=Address(desk.name, desk.address),
            to=letter.to,
            reply_to=letter.to.address,
            subject=f"{desk.reference}: what was promised and kept, {letter.period}",
            message_id=letter.message_id,
            in_reply_to=letter.root_id,
            references=(letter.root_id,),
            body=wire.multipart("alternative", parts, seal.boundary(letter.message_id, "alternative")),
            extra=seal.automatic("auto-generated"),
        ),
        desk,
        now,
    )


def clean_line(line: str) -> str:
    """Take out of a line what drives a reader's program; its spaces stay, for they hold the columns."""
    return "".join(letter if letter.isprintable() else " " for letter in line)


def _section(section: Section) -> dict[str, Any]:
    most = max((sum(count for _, count in row.bar) for row in section.rows), default=0)
    busiest = max((count for row in section.rows for count in row.heat), default=0)
    return {
        "title": section.title,
        "columns": section.columns,
        "rows": [_row(row, most, busiest) for row in section.rows],
        "note": section.note,
        "nothing": section.nothing,
        "bars": most > 0,
    }


def _row(row: Row, most: int, busiest: int) -> dict[str, Any]:
    return {
        "label": clean(row.label, 100),
        "cells": [clean(cell, 100) for cell in row.cells],
        "bar": [(_TONES[tone], max(_LEAST, round(_WIDTH * count / most)), count) for tone, count in row.bar if count],
        "shades": [_SHADES[-(-count * 5 // busiest) if count else 0] for count in row.heat],
    }
