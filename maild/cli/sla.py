"""`maild sla due` and `maild sla add`: deadlines without a database, JSON lines in and out.

One object a line comes in, one goes out for it; what cannot be answered becomes `{"id", "error"}` and the next line is
taken. Neither command opens a ledger, and without `-c` neither reads a file.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from maild.cli.ending import Exit
from maild.sla.clock import KINDS, Clock, History, SlaEvent, due
from maild.sla.fold import fold, next_cycles
from maild.sla.hours import ALWAYS, Calendar, add, between, weekdays
from maild.sla.policy import Metric, Policy, standard
from maild.sla.wall import rfc3339
from maild.ticket import Severity

KEPT_CALENDARS = 256
REMINDERS = (50, 75, 90)
DAEMON = frozenset({"daemon_down", "daemon_up"})
"""Events of a vector that move no clock: judgement is by `at`."""

app = typer.Typer(help="Deadlines without a database, and another policy over the ledger.", no_args_is_help=True)

ConfigOption = Annotated[
    Path | None, typer.Option("-c", "--config", help="Take the policy and the calendars of this file")
]


def _business() -> Calendar:
    hours = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    return Calendar.from_json({"tz": "UTC", "hours": hours})


@dataclass(frozen=True, slots=True)
class Desk:
    """What lines are answered with: a policy, and the calendars that a line may call by name."""

    policy: Policy
    calendars: dict[str, Calendar]
    seen: dict[str, Calendar] = field(default_factory=dict)

    def read(self, value: object) -> Calendar:
        """Read a calendar; one spelt as before is the same value, with its tables filled already."""
        key = json.dumps(value, sort_keys=True)
        if key not in self.seen:
            if len(self.seen) >= KEPT_CALENDARS:
                self.seen.clear()
            self.seen[key] = Calendar.from_json(value)
        return self.seen[key]

    def calendar(self, value: object, own: Mapping[str, object]) -> Calendar:
        """Give the calendar of a line: an object, or a name out of the line's own `calendars` or ours."""
        if not isinstance(value, str):
            return self.read(value)
        if value in own:
            return self.read(own[value])
        if value in self.calendars:
            return self.calendars[value]
        raise ValueError(f"there is no calendar {value!r}; known are {', '.join(sorted({*self.calendars, *own}))}")


def built_in() -> Desk:
    """Give the built-in promise and calendars; `weekdays` and `business` (09:00 to 17:00) are in UTC.

    The others are those that the published vectors call by name (calendars.json beside this module).
    """
    week = weekdays("UTC")
    spelt = json.loads(files("maild.cli").joinpath("calendars.json").read_text("utf-8"))
    published = {name: Calendar.from_json(value) for name, value in spelt.items()}
    names = {**published, "always": ALWAYS, "24x7": ALWAYS, "weekdays": week, "business": _business()}
    return Desk(standard(week, ALWAYS), names)


def configured(path: Path | None) -> Desk:
    """Give the desk of a configuration file, or the built-in one; ends the command with 78 where the file is unusable."""
    desk = built_in()
    if path is None:
        return desk
    from maild.config import ConfigError, load  # noqa: PLC0415 - the built-in desk answers without reading pydantic models

    try:
        config = load(path)
    except ConfigError as error:
        for fault in error.faults:
            typer.echo(f"{path}: {fault}", err=True)
        raise typer.Exit(Exit.CONFIG) from error
    return Desk(config.policy, {**desk.calendars, **config.calendars})


def instant(value: object, name: str) -> datetime:
    """Read an RFC 3339 instant as UTC; ValueError without an offset."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be an instant such as 2026-03-11T10:00:00Z, not {value!r}")  # noqa: TRY004 - one class for a bad line
    try:
        found = datetime.fromisoformat(value)
        if found.utcoffset() is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} is no instant: {value!r}") from error
    raise ValueError(f"{name} has no time zone: {value!r}; write 2026-03-11T10:00:00Z")


def spelt(value: datetime | None) -> str | None:
    """Write an instant with Z; None stays None."""
    return None if value is None else rfc3339(value)


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, not {value!r}")  # noqa: TRY004 - one class for a bad line
    return value


def _events(value: object) -> tuple[SlaEvent, ...]:
    if not isinstance(value, list):
        raise ValueError(f"events must be a list, not {value!r}")  # noqa: TRY004 - one class for a bad line
    events = []
    for item in value:
        event = _mapping(item, "an event")
        kind = str(event.get("type"))
        if kind in DAEMON:
            continue
        if kind not in KINDS:
            raise ValueError(f"there is no event {kind!r}; known are {', '.join(sorted(KINDS | DAEMON))}")
        to, status, ref = (str(event.get(key) or "") for key in ("to", "status", "ref"))
        events.append(SlaEvent(instant(event.get("at"), "the event's at"), kind, to, status, ref))
    return tuple(events)


def clock_object(clock: Clock, calendar: Calendar, *, judged: bool) -> dict[str, object]:
    """Give a clock as a vector expects it; `judged` adds what stands recorded."""
    out: dict[str, object] = {}
    if clock.paused:
        out["paused"] = True
    else:
        out["target_at"] = spelt(clock.target_at)
        out["breach_at"] = spelt(clock.limit_at)
        for percent in REMINDERS:
            out[f"remind_{percent}_at"] = spelt(due(calendar, clock.course, clock.limit_seconds, percent))
    if judged:
        if clock.stopped_at is not None:
            out["met_at"] = spelt(clock.stopped_at)
            out["elapsed_seconds"] = clock.elapsed_seconds
        out["recorded_breach_at"] = spelt(clock.breached_at)
        out["state"] = clock.state.value
    return out


def answer_due(desk: Desk, line: Mapping[str, Any]) -> dict[str, object]:
    """Answer one vector: its clocks at `as_of`, or (without one) its deadlines after all of its events."""
    own = _mapping(line.get("calendars") or {}, "calendars")
    policy = desk.policy
    if line.get("calendar") is not None:
        policy = policy.on("the calendar of this line", desk.calendar(line["calendar"], own))
    opened_by = line.get("opened_by") or "customer"
    if opened_by not in ("customer", "agent"):
        raise ValueError(f"opened_by must be customer or agent, not {opened_by!r}")
    opened_at = instant(line.get("created_at"), "created_at")
    history = History(
        opened_at, opened_by, Severity(line.get("severity", Severity.NORMAL)), _events(line.get("events") or [])
    )
    judged = line.get("as_of") is not None
    last = max((event.at for event in history.events), default=opened_at)
    now = instant(line["as_of"], "as_of") if judged else last
    out: dict[str, object] = {"id": line.get("id"), "first_response": None}
    for clock in fold(history, policy, now):
        if clock.metric is not Metric.NEXT_RESPONSE:
            out[clock.metric.value] = clock_object(clock, policy.calendar(clock.calendar_name), judged=judged)
    cycles = next_cycles(history, policy, now)
    if cycles:
        out["next_response_cycles"] = [
            {"start": spelt(cycle.start)} | ({"met_at": spelt(cycle.met_at)} if cycle.met_at else {})
            for cycle in cycles
        ]
    return out


def answer_add(desk: Desk, line: Mapping[str, Any]) -> dict[str, object]:
    """Answer one sum: `start` and `seconds` give `end`, `start` and `end` give `seconds` of open time between."""
    own = _mapping(line.get("calendars") or {}, "calendars")
    calendar = desk.calendar(line.get("calendar"), own)
    start = instant(line.get("start"), "start")
    if ("seconds" in line) == ("end" in line):
        raise ValueError("either seconds or end is wanted")
    if "end" in line:
        return {"id": line.get("id"), "seconds": between(calendar, start, instant(line["end"], "end"))}
    seconds = line["seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        raise ValueError(f"seconds must be a whole number, 0 or more, not {seconds!r}")
    return {"id": line.get("id"), "end": spelt(add(calendar, start, seconds))}


def _parts(desk: Desk, line: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the questions of one line: itself, or the vectors of a whole file; `calendars` alone name some for later."""
    if "vectors" not in line and ("calendars" not in line or "calendar" in line or "created_at" in line):
        yield line
        return
    for name, value in _mapping(line.get("calendars") or {}, "calendars").items():
        try:
            desk.calendars[name] = desk.read(value)
        except ValueError as error:
            raise ValueError(f"calendar {name!r}: {error}") from error
    vectors = line.get("vectors") or []
    if not isinstance(vectors, list):
        raise ValueError("vectors must be a list")  # noqa: TRY004 - one class for a bad line
    for vector in vectors:
        yield vector if isinstance(vector, dict) else {"error": vector}


def answers(
    desk: Desk, answer: Callable[[Desk, Mapping[str, Any]], dict[str, object]], lines: Iterable[bytes]
) -> Iterator[dict[str, object]]:
    """Answer every line in order; a fault is an answer, never the end."""
    for text in lines:
        if not text.strip():
            continue
        try:
            line = _mapping(json.loads(text), "a line")
            questions = list(_parts(desk, line))
        except (ValueError, RecursionError) as error:
            yield {"id": None, "error": str(error)}
            continue
        for question in questions:
            try:
                yield answer(desk, question)
            except (ValueError, RecursionError) as error:
                yield {"id": question.get("id"), "error": str(error)}


def _run(desk: Desk, answer: Callable[[Desk, Mapping[str, Any]], dict[str, object]]) -> None:
    for each in answers(desk, answer, sys.stdin.buffer):
        typer.echo(json.dumps(each))


@app.command("due")
def due_command(config: ConfigOption = None) -> None:
    """Deadlines and states of tickets, one vector a line.

    A line has id, calendar (a name or an object), severity, created_at, opened_by, events and as_of. A line with
    calendars alone names some for the lines after it; one with calendars and vectors is a whole file of them.
    """
    _run(configured(config), answer_due)


@app.command("add")
def add_command(config: ConfigOption = None) -> None:
    """Add in open time, one sum a line: calendar, start and seconds give end; calendar, start and end give seconds."""
    _run(configured(config), answer_add)
