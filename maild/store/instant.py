"""Instants in the ledger: aware UTC, and text of a fixed width where the engine compares text."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tortoise.fields import DatetimeField


def utc(instant: datetime) -> datetime:
    """Convert to UTC; ValueError on a naive datetime, because it names no instant."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant!r} is naive: an instant needs its zone")
    return instant.astimezone(UTC)


def utc_text(instant: datetime) -> str:
    """Give `2026-03-11T09:00:00.000000+00:00`: always as wide, so that text sorts like time."""
    return utc(instant).isoformat(timespec="microseconds")


def maybe_text(instant: datetime | None) -> str | None:
    """Give `utc_text`, or None for None."""
    return None if instant is None else utc_text(instant)


def is_instant(column: str) -> bool:
    """Tell by its name whether a column of the ledger holds instants."""
    return column == "at" or column.endswith(("_at", "_until", "_before", "_seen"))


class Instant(datetime):
    """An instant on its way to the engine: SQLite takes it as `utc_text`, PostgreSQL as the datetime it is."""

    @classmethod
    def of(cls, instant: datetime) -> "Instant":
        """Convert an aware datetime; ValueError on a naive one."""
        at = utc(instant)
        return cls(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, UTC)


# sqlite3 looks adapters up by exact type, so this touches no other datetime of the process.
_adapt: Callable[[Instant], str] = utc_text
sqlite3.register_adapter(Instant, _adapt)


class InstantField(DatetimeField[Any]):
    """A column of aware UTC instants. ValueError on a naive value, in filters too."""

    def to_db_value(self, value: Any, instance: Any) -> Any:  # noqa: ARG002 - the signature is tortoise's
        """Convert on the way to the engine."""
        return None if value is None else Instant.of(value)

    def to_python_value(self, value: Any) -> Any:
        """Convert on the way back: an aware UTC datetime, of the plain class."""
        if value is None:
            return None
        return utc(datetime.fromisoformat(value) if isinstance(value, str) else value)
