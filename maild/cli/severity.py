"""`maild severity report`: how often people set another severity than was guessed, and which rules misled."""

import asyncio
from datetime import datetime
from typing import Any

import typer

from maild.cli.ending import say
from maild.cli.period import FromOption, ToOption, days
from maild.cli.table import table
from maild.cli.terms import ConfigOption, JsonOption, configuration, ledger_of, one_line
from maild.clock import utc_now
from maild.config import Config
from maild.daemon import rules_of
from maild.desk.precision import Grade, Judged, RuleGrade, grades, judged, rule_grades
from maild.report.figures import Tally
from maild.report.sections import share
from maild.ticket import Severity

app = typer.Typer(help="The severity guess.", no_args_is_help=True)


@app.callback()
def severity() -> None:
    """Tell of the severity guess."""


@app.command()
def report(
    since: FromOption = "",
    until: ToOption = "",
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Tell how often people set another severity than was guessed, and which rules misled."""
    loaded = configuration(config)
    begin, end = days(loaded, since, until, utc_now())
    found = asyncio.run(_judged(loaded, begin, end))
    by_severity, by_rule = grades(found), rule_grades(found, rules_of(loaded))
    if json:
        for one in (*map(_severity, by_severity), *map(_rule, by_rule)):
            say(one_line(one))
        for correction in found:
            if correction.actor:
                say(one_line(_correction(correction)))
        return
    _tell(found, by_severity, by_rule)


async def _judged(config: Config, since: datetime, until: datetime) -> list[Judged]:
    async with ledger_of(config) as ledger:
        found = [judged(ticket, events) async for lives in ledger.lives(since, until) for ticket, _, events in lives]
    return [one for one in found if one is not None]


def _tell(found: list[Judged], by_severity: tuple[Grade, ...], by_rule: tuple[RuleGrade, ...]) -> None:
    if not found:
        say("nobody has looked at a ticket of these days yet, so no guess can be judged")
        return
    corrected = sum(bool(one.actor) for one in found)
    say(f"{len(found)} guesses that somebody has looked at, {corrected} corrected")
    say()
    table(
        ("guessed", "counted", *(f"to {severity}" for severity in Severity), "right"),
        [
            (one.guess, str(one.counted), *(str(count) for _, count in one.finals), _share(one.right, one.counted))
            for one in by_severity
            if one.counted
        ],
    )
    say()
    table(
        ("points", "rule", "says", "counted", "too high", "too low", "right"),
        [
            (
                f"{one.points:+d}",
                one.name or "-",
                one.says,
                str(one.counted),
                str(one.too_high),
                str(one.too_low),
                _share(one.right, one.counted),
            )
            for one in by_rule
        ],
        long=("says",),
    )


def _share(right: int, counted: int) -> str:
    return share(Tally(right, counted - right))


def _precision(right: int, counted: int) -> float | None:
    return round(right / counted, 4) if counted else None


def _severity(one: Grade) -> dict[str, Any]:
    finals = {severity.value: count for severity, count in one.finals}
    precision = _precision(one.right, one.counted)
    return {
        "figure": "severity",
        "guessed": one.guess,
        "counted": one.counted,
        "set_to": finals,
        "precision": precision,
    }


def _rule(one: RuleGrade) -> dict[str, Any]:
    return {
        "figure": "rule",
        "rule": one.name,
        "says": one.says,
        "points": one.points,
        "counted": one.counted,
        "too_high": one.too_high,
        "too_low": one.too_low,
        "precision": _precision(one.right, one.counted),
    }


def _correction(one: Judged) -> dict[str, Any]:
    return {
        "figure": "correction",
        "ticket": one.ticket,
        "guessed": one.guess,
        "set_to": one.final,
        "actor": one.actor,
        "says": [says for _, says in one.reasons],
    }
