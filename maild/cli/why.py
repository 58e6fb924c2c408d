"""`maild why`: the reasons behind a ticket, as the ledger has them."""

import asyncio
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import typer

from maild.cli.show import gather, whole_seconds
from maild.cli.table import printable
from maild.cli.terms import ConfigOption, JsonOption, configuration, instant, ledger_of, one_line, say, ticket_number
from maild.config import Config
from maild.daemon import utc_now
from maild.outbound.wording import span
from maild.sla.clock import Clock
from maild.sla.hours import Calendar, between, open_spans

_MOST_INTERVALS = 60


def why(
    number: Annotated[str, typer.Argument(metavar="N", help="The ticket's number")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say why: where each message was placed, how the severity came about, what each clock counted, who was told."""
    asyncio.run(_why(configuration(config), ticket_number(number), json))


async def _why(config: Config, number: int, json: bool) -> None:
    async with ledger_of(config) as ledger:
        shown = await gather(config, ledger, number)
        clocks = await ledger.clocks(number)
        told = await ledger.escalations(number)
    value = {
        "id": shown["id"],
        "reference": shown["reference"],
        "placed": [
            {key: message[key] for key in ("id", "at", "from", "kind", "verified", "placed_because")}
            for message in shown["messages"]
        ],
        "severity": shown["severity"],
        "severity_because": shown["severity_because"],
        "first_response_at": shown["first_response_at"],
        "first_response_evidence": shown["first_response_evidence"],
        "clocks": [_clock(config, clock, utc_now()) for clock in clocks],
        "told": [
            {
                "metric": line.metric,
                "cycle": line.cycle,
                "level": line.level,
                "at": instant(line.at),
                "because": line.because,
            }
            for line in told
        ],
        "mailed": [{key: owed[key] for key in ("kind", "to", "state")} for owed in shown["outbox"]],
        "events": shown["events"],
    }
    say(one_line(value) if json else printable(_page(whole_seconds(value))))


def _clock(config: Config, clock: Clock, now: datetime) -> dict[str, Any]:
    calendar = config.calendars.get(clock.calendar_name)
    intervals: list[dict[str, Any]] = []
    for start, end in clock.spans:
        intervals += _intervals(calendar, start, end or max(start, clock.limit_at or now))
    return {
        "metric": clock.metric,
        "calendar": clock.calendar_name,
        "state": clock.state,
        "target_seconds": clock.target_seconds,
        "limit_seconds": clock.limit_seconds,
        "target_at": instant(clock.target_at),
        "limit_at": instant(clock.limit_at),
        "intervals": intervals[:_MOST_INTERVALS],
        "paused_seconds": clock.paused_seconds,
        "elapsed_seconds": clock.elapsed_seconds,
    }


def _intervals(calendar: Calendar | None, start: datetime, end: datetime) -> list[dict[str, Any]]:
    if calendar is None:
        return []
    opens = islice(open_spans(calendar, start, end), _MOST_INTERVALS)
    return [
        {"from": instant(opened), "to": instant(closed), "counted_seconds": between(calendar, opened, closed)}
        for opened, closed in opens
    ]


def _page(value: dict[str, Any]) -> str:
    lines = [value["reference"], "placed"]
    lines += [
        f"  message {one['id']} from {one['from']}, {one['kind']}: {one['placed_because']}" for one in value["placed"]
    ]
    lines += [f"severity {value['severity']}", *(f"  {because}" for because in value["severity_because"])]
    lines.append(f"first response {value['first_response_at'] or 'not yet'}")
    if value["first_response_evidence"]:
        lines.append(f"  {value['first_response_evidence']}")
    for clock in value["clocks"]:
        due = {f"{span(clock[f'{end}_seconds'])} is due {clock[f'{end}_at']}": None for end in ("target", "limit")}
        lines.append(f"{clock['metric']}: {clock['state']}; {', '.join(due)} ({clock['calendar']})")
        lines += [
            f"  {one['from']} to {one['to']} counted {span(one['counted_seconds'])}" for one in clock["intervals"]
        ]
        if clock["paused_seconds"]:
            lines.append(f"  paused for {span(clock['paused_seconds'])}")
    lines.append("told")
    lines += list(dict.fromkeys(f"  {one['at']} {one['because']}" for one in value["told"])) or ["  nobody had to be"]
    lines.append("mailed")
    lines += [f"  {one['kind']} to {one['to']}: {one['state']}" for one in value["mailed"]]
    return "\n".join(lines)
