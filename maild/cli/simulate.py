"""`maild sla simulate`: what another policy would have met and breached, from the events of the ledger."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.period import FromOption, ToOption, days
from maild.cli.table import minute, table
from maild.cli.terms import ConfigOption, JsonOption, configuration, instant, ledger_of, one_line
from maild.clock import utc_now
from maild.config import Config, ConfigError
from maild.config.load import load_policies
from maild.desk.past import history
from maild.sla.policy import Metric, Policy
from maild.sla.simulate import Count, Counts, Difference, Verdict, counts, differences, under
from maild.ticket import Severity


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many tickets were looked at, what became of their promises on record and would have, and what differs."""

    tickets: int
    was: Counts
    would: Counts
    differences: tuple[Difference, ...]


def simulate(
    policy: Annotated[
        Path, typer.Option("--policy", metavar="FILE", help="A file with other [sla.*], [policy.*] and [calendar.*]")
    ],
    since: FromOption = "",
    until: ToOption = "",
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Tell what another policy would have met and breached, for the tickets that were opened in these days."""
    loaded = configuration(config)
    try:
        policies = load_policies(loaded.path, policy)
    except ConfigError as error:
        fail(Exit.CONFIG, *(f"{error.path}: {fault}" for fault in error.faults))
    now = utc_now()
    begin, end = days(loaded, since, until, now)
    outcome = asyncio.run(_outcome(loaded, policies, begin, end, now))
    if json:
        for one in outcome.differences:
            say(one_line(_object(one)))
        say(one_line({"summary": _summary(outcome)}))
        return
    _tell(outcome)


async def _outcome(
    config: Config, policies: Mapping[str, Policy], since: datetime, until: datetime, now: datetime
) -> Outcome:
    found: list[Difference] = []
    tickets, was, then = 0, Counter[Count](), Counter[Count]()
    async with ledger_of(config) as ledger:
        async for lives in ledger.lives(since, until):
            for ticket, clocks, events in lives:
                if ticket.merged_into is not None:
                    continue
                tickets += 1
                would = under(history(ticket, events), policies.get(ticket.policy, policies[""]), now)
                found += differences(ticket.number, ticket.severity, clocks, would, now)
                was += counts(ticket.severity, clocks, now)
                then += counts(ticket.severity, would, now)
    return Outcome(tickets, was, then, tuple(found))


def _rows(outcome: Outcome) -> list[tuple[Severity, Metric]]:
    known = {key[:2] for key in (*outcome.was, *outcome.would)}
    return [(severity, metric) for severity in Severity for metric in Metric if (severity, metric) in known]


def _tell(outcome: Outcome) -> None:
    say(f"{outcome.tickets} {'ticket' if outcome.tickets == 1 else 'tickets'}; as it was, and as it would have been:")
    columns = ("promise", *(word for verdict in Verdict for word in (verdict, "then")))
    rows = [
        (
            f"{severity} {metric.replace('_', ' ')}",
            *(
                str(side.get((severity, metric, verdict), 0))
                for verdict in Verdict
                for side in (outcome.was, outcome.would)
            ),
        )
        for severity, metric in _rows(outcome)
    ]
    table(columns, rows)
    if not outcome.differences:
        say("no promise would have been judged otherwise")
        return
    say()
    say("judged otherwise (UTC):")
    for one in outcome.differences:
        cycle = f" {one.cycle}" if one.cycle > 1 else ""
        promise = f"{one.severity} {one.metric.replace('_', ' ')}{cycle}"
        say(f"  #{one.ticket}  {promise}: {one.was or 'not promised'}, would be {one.would or 'not promised'}")
        limits = f"limit {minute(one.limit_at)}, then {minute(one.would_limit_at)}"
        say(f"    {limits}; stopped {minute(one.stopped_at)}")


def _object(one: Difference) -> dict[str, Any]:
    return {
        "ticket": one.ticket,
        "severity": one.severity,
        "metric": one.metric,
        "cycle": one.cycle,
        "was": one.was,
        "would": one.would,
        "limit_at": instant(one.limit_at),
        "would_limit_at": instant(one.would_limit_at),
        "stopped_at": instant(one.stopped_at),
    }


def _summary(outcome: Outcome) -> dict[str, Any]:
    return {
        "tickets": outcome.tickets,
        "differences": len(outcome.differences),
        "promises": [
            {
                "severity": severity,
                "metric": metric,
                "was": {verdict: outcome.was.get((severity, metric, verdict), 0) for verdict in Verdict},
                "would": {verdict: outcome.would.get((severity, metric, verdict), 0) for verdict in Verdict},
            }
            for severity, metric in _rows(outcome)
        ],
    }
