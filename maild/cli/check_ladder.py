"""What `maild check` says of escalation: who is told and when, and ladders and alarms that tell nobody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path

from maild.cli.doctor_alarm import judge_program
from maild.config import Config
from maild.sla.hours import add
from maild.sla.ladder import DEFAULT, NEXT_AFTER, ONCALL, Rung, percent_of
from maild.sla.policy import Metric, Promise
from maild.ticket import Severity

_ROLES = frozenset({"lead", "manager"})
_SOON = timedelta(days=6)


def told_when(config: Config, friday: datetime) -> Iterator[str]:
    """Say who is told, and when, where nobody answers a mail of the instant `friday`, in its zone, by the desk's policy."""
    ladder = config.ladders[Metric.FIRST_RESPONSE]
    yield "Who is told where nobody answers such a mail:"
    for severity in Severity:
        promise = config.policies[""].promise(severity)
        steps = sorted(((_at(rung, promise, friday), rung) for rung in ladder), key=itemgetter(0))
        words = [f"{_when(at, friday)} {' and '.join(rung.notify)}{_again(rung)}" for at, rung in steps]
        yield f"  {severity}: {', '.join(words)}"


def odd_ladders(config: Config) -> Iterator[str]:
    """Give a line for each: a breach of which nobody is told, roles that nobody has, and a `next_after` that is for nothing."""
    roles = {agent.role for agent in config.agents}
    for metric, ladder in config.ladders.items():
        if ladder == DEFAULT:
            continue
        if not any(rung.is_breach for rung in ladder):
            yield f'escalation: nobody is told that the {metric} is breached: add a rung at = "limit"'
        for rung in ladder:
            key = f'escalation (clock = "{metric}", at = "{rung.at}")'
            for word in rung.notify:
                if word in _ROLES - roles:
                    yield f"{key}.notify: no [[agent]] has the role {word}"
            if rung.next_after != NEXT_AFTER and ONCALL not in rung.notify:
                yield f"{key}.next_after: counts only where notify names {ONCALL}"


def alarm_hints(config: Config) -> Iterator[str]:
    """Say whether the alarm's program may be run by whoever asks."""
    if config.alarm.command:
        finding = judge_program(Path(config.alarm.command[0]))
        if finding.verdict != "ok":
            yield f"{finding.name}: {finding.words}"


def _at(rung: Rung, promise: Promise, start: datetime) -> datetime:
    percent = percent_of(rung.at)
    target, limit = promise.first_response
    seconds = target if percent is None else limit * percent // 100
    return add(promise.calendar, start, seconds).astimezone(start.tzinfo)


def _again(rung: Rung) -> str:
    return f" (again on {rung.daily} open day{'s'[: rung.daily > 1]} after it)" if rung.daily else ""


def _when(at: datetime, start: datetime) -> str:
    return f"{at:%a %H:%M}" if at - start < _SOON else f"{at:%a %Y-%m-%d %H:%M}"
