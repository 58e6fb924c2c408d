"""What a writer wrote this time, and where an agent's reply is cut: the door to the rooms behind it."""

from collections.abc import Collection

from maild.ingest.cut import cut_html, cut_text
from maild.ingest.forwarded_words import prefixed
from maild.ingest.quote_html import new_text as new_text_of_html
from maild.ingest.quote_html import read as read_html
from maild.ingest.quote_text import Bearing, Written, new_text, read

__all__ = [
    "Bearing",
    "Written",
    "bearing",
    "cut_html",
    "cut_text",
    "new_text",
    "new_text_of_html",
    "read",
    "read_html",
]


def bearing(subject: str, answers: Collection[str]) -> Bearing:
    """Say what a mail bears on. `answers` are the Message-IDs of its In-Reply-To and References."""
    begins = prefixed(subject)
    if begins in {"surely", "likely"}:
        return Bearing.PASSES
    return Bearing.ANSWERS if begins == "reply" or answers else Bearing.OPENS
