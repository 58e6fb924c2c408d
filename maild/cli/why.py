"""`maild why`: the reasons behind a ticket, as the ledger has them."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from maild.cli.ending import say
from maild.cli.show import gather, taken_over, whole_seconds
from maild.cli.table import printable
from maild.cli.terms import ConfigOption, JsonOption, configuration, instant, ledger_of, one_line, ticket_number
from maild.clock import utc_now
from maild.config import Config
from maild.desk.past import history
from maild.outbound.wording import promised, span
from maild.sla.account import COUNTED, Entry, account
from maild.sla.clock import Clock
from maild.sla.fold import state_of
from maild.ticket import State

_MOST_INTERVALS = 60
_MOST_ENTRIES = 200


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
        ticket = await ledger.ticket(number)
        events = await ledger.events(number)
    assert ticket is not None  # noqa: S101 - gather has found it
    policy = config.policies.get(ticket.policy, config.policy)
    state_at = partial(state_of, history(ticket, events), policy)
    now = utc_now()
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
        "clocks": [_clock(config, clock, _entries(config, clock, state_at, now)) for clock in clocks],
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
        "acknowledged": shown["acknowledged"],
        "mailed": [{key: owed[key] for key in ("kind", "to", "state", "sent_at")} for owed in shown["outbox"]],
        "events": shown["events"],
    }
    say(one_line(value) if json else printable(_page(whole_seconds(value))))


def _entries(config: Config, clock: Clock, state_at: Callable[[datetime], State], now: datetime) -> list[Entry]:
    calendar = config.calendars.get(clock.calendar_name)
    if calendar is None:
        return []
    names = config.holiday_names.get(clock.calendar_name, {})
    return list(islice(account(clock, calendar, names, state_at, now), _MOST_ENTRIES))


def _clock(config: Config, clock: Clock, entries: list[Entry]) -> dict[str, Any]:
    return {
        "metric": clock.metric,
        "calendar": clock.calendar_name,
        "time_zone": _zone(config, clock.calendar_name),
        "state": clock.state,
        "target_seconds": clock.target_seconds,
        "limit_seconds": clock.limit_seconds,
        "target_at": instant(clock.target_at),
        "limit_at": instant(clock.limit_at),
        "intervals": [
            {"from": instant(one.start), "to": instant(one.end), "counted_seconds": one.counted_seconds}
            for one in [entry for entry in entries if entry.what == COUNTED][:_MOST_INTERVALS]
        ],
        "ledger": [
            {
                "from": instant(one.start),
                "to": instant(one.end),
                "what": one.what,
                "counted_seconds": one.counted_seconds,
                "because": one.because,
            }
            for one in entries
        ],
        "paused_seconds": clock.paused_seconds,
        "elapsed_seconds": clock.elapsed_seconds,
    }


def _zone(config: Config, calendar_name: str) -> str:
    """Give in whose wall time a calendar's account is read; one that is always open has none of its own."""
    calendar = config.calendars.get(calendar_name)
    return config.desk.time_zone if calendar is None or calendar.always else calendar.tz


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
        due = {f"{promised(clock[f'{end}_seconds'])} is due {clock[f'{end}_at']}": None for end in ("target", "limit")}
        lines.append(
            f"{clock['metric']}: {clock['state']}; {', '.join(due)} ({clock['calendar']}; below in {clock['time_zone']})"
        )
        lines += [_line(one, ZoneInfo(clock["time_zone"])) for one in clock["ledger"]]
        if clock["paused_seconds"]:
            lines.append(f"  paused for {span(clock['paused_seconds'])}")
    lines.append("told")
    lines += list(dict.fromkeys(f"  {one['at']} {one['because']}" for one in value["told"])) or ["  nobody had to be"]
    lines += [f"  {line}" for line in taken_over(value)]
    lines.append("mailed")
    lines += [
        f"  {one['kind']} to {one['to']}: {one['state']} {one['sent_at'] or ''}".rstrip() for one in value["mailed"]
    ]
    return "\n".join(lines)


def _line(entry: Mapping[str, Any], zone: ZoneInfo) -> str:
    start, end = (datetime.fromisoformat(entry[key]).astimezone(zone) for key in ("from", "to"))
    until = _time(end) if end.date() == start.date() else f"{end:%a %Y-%m-%d} {_time(end)}"
    words = f"  {start:%a %Y-%m-%d} {_time(start)} to {until} {entry['what']}"
    if entry["what"] == COUNTED:
        return f"{words} {promised(entry['counted_seconds'])}"
    return f"{words} ({entry['because']})" if entry["because"] else words


def _time(at: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
