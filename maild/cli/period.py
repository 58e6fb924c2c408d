"""A stretch of days as commands take it: `--from` and `--to`, days of the desk's time zone, both of them in it."""

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from maild.cli.ending import Exit, fail
from maild.config import Config
from maild.desk.weekly import midnight
from maild.store.shelf import EVER

FromOption = Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, such as 2026-03-02")]
ToOption = Annotated[str, typer.Option("--to", metavar="DATE", help="The last day, today where none is given")]


def days(config: Config, since: str, until: str, now: datetime, weeks: int = 0) -> tuple[datetime, datetime]:
    """Give [since, until) as instants; without a first day so many weeks up to the last one, or all there ever was.

    Ends with 64 for what is no date, and for an end before the start.
    """
    zone = config.desk.time_zone
    last = _day("--to", until) if until else now.astimezone(ZoneInfo(zone)).date()
    first = _day("--from", since) if since else last - timedelta(weeks=weeks, days=-1) if weeks else None
    if first is not None and first > last:
        fail(Exit.USAGE, f"--from {first.isoformat()} is after --to {last.isoformat()}: the first day comes first")
    return EVER if first is None else midnight(first, zone), midnight(last + timedelta(days=1), zone)


def _day(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        fail(Exit.USAGE, f"{name}: {text!r} is no date: write it as 2026-03-02")
    if not date.min + timedelta(days=2) < found < date.max - timedelta(days=2):
        fail(Exit.USAGE, f"{name}: {text} lies beyond all calendars")
    return found
