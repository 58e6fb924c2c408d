"""Tables for a terminal: what must be read whole stays whole, what may be long is cut at the right."""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 240
"""Columns where no terminal says how many: a pipe or a file wraps nothing."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], long: Sequence[str] = ()) -> None:
    """Print rows, one line each. `long` are the columns that give way, cut with an ellipsis; no other does."""
    out = Table(box=None, pad_edge=False)
    for column in columns:
        out.add_column(column, no_wrap=column not in long)
    for row in rows:
        out.add_row(*(Text(printable(cell).replace("\n", " "), no_wrap=True, overflow="ellipsis") for cell in row))
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=WIDE)
    console.print(out)


def printable(text: str) -> str:
    """Take out what would drive a terminal: text in mail is a stranger's."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def minute(at: datetime | None) -> str:
    """Write an instant to the minute, in UTC; a dash for none."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
