"""`maild tickets` and `maild show`: what the ledger holds, for people and for scripts."""

import asyncio
import re
from typing import Annotated, Any

import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.table import minute, printable, table
from maild.cli.terms import ConfigOption, JsonOption, configuration, instant, ledger_of, one_line, ticket_number
from maild.config import Config
from maild.config.office import office
from maild.desk.ack import Ack, acks
from maild.desk.participants import copied
from maild.sla.clock import Clock
from maild.store import Ledger
from maild.store.lines import OutboxLine, TicketLine
from maild.ticket import Event, Message, Severity, State, Ticket

_FRACTION = re.compile(r"(?<=\d\d:\d\d:\d\d)\.\d+(?=Z|\+00:00)")


def tickets(
    state: Annotated[State | None, typer.Option(help="Only tickets in this state")] = None,
    severity: Annotated[Severity | None, typer.Option(help="Only tickets of this severity")] = None,
    due: Annotated[bool, typer.Option("--due", help="Only tickets with a clock that runs")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List tickets, the most pressing first."""
    asyncio.run(_tickets(configuration(config), state, severity, due, json))


async def _tickets(config: Config, state: State | None, severity: Severity | None, due: bool, json: bool) -> None:
    async with ledger_of(config) as ledger:
        lines = await ledger.tickets(state, severity, due_only=due)
    if json:
        for line in lines:
            say(one_line(_line(config, line)))
        return
    rows = (
        (
            f"#{line.ticket.number}",
            line.ticket.severity,
            _where(line.ticket.state, line.ticket.merged_into),
            minute(line.due_at),
            line.ticket.assignee or "nobody",
            line.ticket.requester.name or line.ticket.requester.address,
            line.ticket.subject,
        )
        for line in lines
    )
    columns = ("ticket", "severity", "state", "due (UTC)", "owner", "customer", "subject")
    table(columns, rows, long=("owner", "customer", "subject"))


def _where(state: str, merged_into: int | None) -> str:
    return state if merged_into is None else f"in #{merged_into}"


def _line(config: Config, line: TicketLine) -> dict[str, Any]:
    ticket = line.ticket
    return {
        "id": ticket.number,
        "reference": reference(config, ticket.number),
        "subject": ticket.subject,
        "state": ticket.state,
        "severity": ticket.severity,
        "requester": ticket.requester.address,
        "assignee": ticket.assignee,
        "opened_at": instant(ticket.opened_at),
        "merged_into": ticket.merged_into,
        "due_at": instant(line.due_at),
        "due_metric": line.due_metric,
    }


def reference(config: Config, number: int) -> str:
    """Give a ticket's name as subjects carry it, without brackets."""
    return f"{config.desk.reference} #{number}"


def show(
    number: Annotated[str, typer.Argument(metavar="N", help="The ticket's number")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one ticket: fields, clocks, messages, events, and what was mailed."""
    asyncio.run(_show(configuration(config), ticket_number(number), json))


async def _show(config: Config, number: int, json: bool) -> None:
    async with ledger_of(config) as ledger:
        value = await gather(config, ledger, number)
    if json:
        say(one_line(value))
    else:
        say(printable(page_of(whole_seconds(value))))


async def gather(config: Config, ledger: Ledger, number: int) -> dict[str, Any]:
    """Give all of a ticket in the shape of the contract; ends with 65 where there is no such ticket."""
    ticket = await ledger.ticket(number)
    if ticket is None:
        fail(Exit.DATA, f"there is no ticket {number}")
    messages, events = await ledger.messages(number), await ledger.events(number)
    parts = await ledger.parts(number)
    of_parts = [message for part in parts for message in await ledger.messages(part)]
    return {
        **_fields(config, ticket),
        "copied": list(copied(ticket, messages, events, office(config, ()))),
        "clocks": [_clock(clock) for clock in await ledger.clocks(number)],
        "acknowledged": [_ack(one) for one in acks(ticket, events)],
        "merged": parts,
        "links": await ledger.linked(number),
        "messages": [_message(message) for message in sorted((*messages, *of_parts), key=lambda one: (one.at, one.id))],
        "events": [_event(event) for event in events],
        "outbox": [_owed(line) for line in await ledger.outbox(number)],
    }


def _fields(config: Config, ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.number,
        "reference": reference(config, ticket.number),
        "subject": ticket.subject,
        "state": ticket.state,
        "severity": ticket.severity,
        "severity_because": list(ticket.severity_because),
        "requester": ticket.requester.address,
        "requester_name": ticket.requester.name,
        "participants": list(ticket.participants),
        "assignee": ticket.assignee,
        "mailbox": ticket.mailbox,
        "policy": ticket.policy,
        "opened_at": instant(ticket.opened_at),
        "opened_by": ticket.opened_by,
        "first_response_at": instant(ticket.first_response_at),
        "first_response_evidence": ticket.first_response_evidence or None,
        "resolved_at": instant(ticket.resolved_at),
        "closed_at": instant(ticket.closed_at),
        "merged_into": ticket.merged_into,
    }


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "metric": clock.metric,
        "cycle": clock.cycle,
        "calendar": clock.calendar_name,
        "target_at": instant(clock.target_at),
        "limit_at": instant(clock.limit_at),
        "state": clock.state,
        "started_at": instant(clock.started_at),
        "stopped_at": instant(clock.stopped_at),
        "breached_at": instant(clock.breached_at),
        "by_reclassification": clock.by_reclassification,
        "elapsed_seconds": clock.elapsed_seconds,
        "paused_seconds": clock.paused_seconds,
    }


def _ack(ack: Ack) -> dict[str, Any]:
    return {
        "by": ack.by,
        "at": instant(ack.at),
        "clocks": [{"metric": metric, "cycle": cycle} for metric, cycle in sorted(ack.clocks)],
        "lapsed_at": instant(ack.lapsed_at),
        "lapsed_because": ack.lapsed_because or None,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "ticket": message.ticket,
        "message_id": message.message_id,
        "at": instant(message.at),
        "from": message.sender.address,
        "from_name": message.sender.name,
        "kind": message.kind,
        "verified": message.verified or None,
        "placed_because": message.placed_because,
        "subject": message.subject,
        "text": message.text,
        "recipients": list(message.recipients),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": instant(event.at),
        "actor": event.actor,
        "what": event.what,
        "because": event.because,
        "data": dict(event.data),
    }


def _owed(line: OutboxLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "to": line.rcpt,
        "message_id": line.message_id,
        "state": line.state,
        "attempts": line.attempts,
        "last_reply": line.last_reply or None,
        "sent_at": instant(line.sent_at),
    }


def whole_seconds(value: Any) -> Any:
    """Give a value of `gather` for people to read: its instants without fractions of a second, mail as it is."""
    if isinstance(value, dict):
        return {key: inner if key in {"text", "subject"} else whole_seconds(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole_seconds(inner) for inner in value]
    return _FRACTION.sub("", value) if isinstance(value, str) else value


def taken_over(value: dict[str, Any]) -> list[str]:
    """Say who acknowledged a ticket, in a line for each."""
    lines = []
    for one in value["acknowledged"]:
        names = ", ".join(dict.fromkeys(clock["metric"] for clock in one["clocks"]))
        over = f"; no more since {one['lapsed_at']}: {one['lapsed_because']}" if one["lapsed_at"] else ""
        lines.append(f"{one['at']} acknowledged by {one['by']}: {names}{over}")
    return lines


def _taking_part(value: dict[str, Any]) -> list[tuple[str, str]]:
    others = (one for one in value["participants"] if one != value["requester"].lower())
    return [(one, ", gets a copy of every answer" if one in value["copied"] else "") for one in others]


def _numbers(numbers: list[int]) -> str:
    return ", ".join(f"#{number}" for number in numbers)


def page_of(value: dict[str, Any]) -> str:
    """Write what `gather` gave for people."""
    name, address = value["requester_name"], value["requester"]
    lines = [
        f"{value['reference']}  {value['severity'].upper()}  {value['state']}  {value['subject']}",
        *([f"  went into #{value['merged_into']}: what comes for it goes there"] if value["merged_into"] else []),
        *([f"  with it   {_numbers(value['merged'])}, merged into it"] if value["merged"] else []),
        *([f"  see also  {_numbers(value['links'])}"] if value["links"] else []),
        f"  customer  {f'{name} <{address}>' if name else address}",
        *(f"  with      {one}{copy}" for one, copy in _taking_part(value)),
        f"  owner     {value['assignee'] or 'nobody'}",
        f"  opened    {value['opened_at']}",
        f"  answered  {value['first_response_at'] or 'not yet'}",
        *(f"  taken     {line}" for line in taken_over(value)),
        *(f"  severity  {because}" for because in value["severity_because"]),
        "clocks",
    ]
    for clock in value["clocks"]:
        until = (
            f"target {clock['target_at']}, limit {clock['limit_at']}"
            if clock["limit_at"]
            else "no deadline while it rests"
        )
        stop = f", stopped {clock['stopped_at']}" if clock["stopped_at"] else ""
        breach = f", BREACHED {clock['breached_at']}" if clock["breached_at"] else ""
        lines.append(f"  {clock['metric']:<15} {clock['state']:<9} {until}{stop}{breach} ({clock['calendar']})")
    lines.append("messages")
    for message in value["messages"]:
        of = "" if message["ticket"] == value["id"] else f"  of #{message['ticket']}"
        lines.append(
            f"  {message['at']}  {message['kind']}  {message['from']}  message {message['id']}{of}"
            f"  ({message['placed_because']})"
        )
        lines += [f"    | {line}" for line in message["text"].splitlines()[:20]]
    lines.append("events")
    lines += [f"  {event['at']}  {event['what']}  by {event['actor']}: {event['because']}" for event in value["events"]]
    lines.append("mail sent and owed")
    lines += [
        f"  {owed['kind']:<13} {owed['state']:<8} {owed['to']}  {owed['last_reply'] or ''}".rstrip()
        for owed in value["outbox"]
    ]
    return "\n".join(lines)
