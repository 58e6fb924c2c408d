"""`maild report`: what was promised and kept, out of the ledger, for people, scripts, spreadsheets and browsers."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from maild.cli.ending import Exit, fail, remark, say
from maild.cli.period import FromOption, ToOption, days
from maild.cli.table import printable
from maild.cli.terms import ConfigOption, JsonOption, configuration, ledger_of, one_line
from maild.clock import utc_now
from maild.config import Config
from maild.config.office import office
from maild.desk.weekly import corrections, life
from maild.report.figures import Report
from maild.report.figures import report as work_out
from maild.report.objects import objects, table
from maild.report.page import page
from maild.report.sections import lines_of, period, sections

WEEKS = 4
"""What is told of where no first day is given."""


def report(
    since: FromOption = "",
    until: ToOption = "",
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="One table for a spreadsheet")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page for a browser or a printer")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Tell what was promised and kept: met and missed, how soon customers were answered, when they write."""
    if json + csv + (html is not None) > 1:
        fail(Exit.USAGE, "--json, --csv and --html: ask for one of them")
    loaded = configuration(config)
    begin, end = days(loaded, since, until, utc_now(), WEEKS)
    figures = asyncio.run(_figures(loaded, begin, end))
    if json:
        for one in objects(figures):
            say(one_line(one))
    elif csv:
        say(table(figures).rstrip("\r\n").replace("\r\n", "\n"))
    elif html is not None:
        _write(html, page(figures, loaded.desk.name))
    else:
        say(printable(f"{loaded.desk.name}: {period(figures)}"))
        for line in lines_of(sections(figures)):
            say(printable(line))


async def _figures(config: Config, since: datetime, until: datetime) -> Report:
    desk = office(config, ())
    async with ledger_of(config) as ledger:
        told = await ledger.happened(since, until)
        histories = await ledger.histories_of(await ledger.regraded(since, until))
    return work_out(
        [life(ticket, clocks, desk) for ticket, clocks in told],
        [change for number, events in histories.items() for change in corrections(number, events)],
        since,
        until,
        config.desk.time_zone,
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        fail(Exit.USAGE, f"{path} cannot be written: {error.strerror}")
    remark(f"{path} is written")
