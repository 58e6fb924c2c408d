"""The machine's clock: where time enters. Whatever decides is given it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the time of the machine, in UTC."""
    return datetime.now(UTC)
