"""What a ticket's events amount to: those that still stand, its life for the clocks, what became one with it.

Events are never changed. One that was undone, and one that moved to another ticket with its message, counts no more. A
ticket that went into this one left its life in the event `merged`, so that the clocks are a fold over one ticket's events.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from maild.sla.clock import KINDS, Clock, History, SlaEvent
from maild.sla.policy import Metric
from maild.ticket import Event, Severity, Ticket

MERGED = "merged"
MERGED_INTO = "merged_into"
SPLIT = "split"
SPLIT_FROM = "split_from"
LINKED = "linked"
UNDONE = "undone"
CHANGED = "requester"


def named(event: Event) -> dict[str, Any]:
    """Name an event of a ticket, for an event that takes it out."""
    return {"what": event.what, "at": event.at.isoformat()}


def undoing(event: Event, actor: str, now: datetime, stays: str = "") -> Event:
    """Give the event that takes out `event`, whose words stand in quotes: they are true no more. `stays` is what is not undone."""
    kept = f"; not taken back: {stays}" if stays else ""
    return Event(max(now, event.at), actor, UNDONE, f'{actor} took back: "{event.because}"{kept}', named(event))


def standing(events: Iterable[Event]) -> tuple[Event, ...]:
    """Give the events that count, in order: none that was undone, and none that moved away with its message."""
    kept: list[Event] = []
    for event in events:
        if event.what == UNDONE:
            _take_out(kept, event.data)
        else:
            kept.append(event)
    for moved in [one for event in kept if event.what == SPLIT for one in event.data["moved"]]:
        _take_out(kept, moved)
    return tuple(kept)


def _take_out(kept: list[Event], name: Mapping[str, Any]) -> None:
    for at in reversed(range(len(kept))):
        if kept[at].what == name["what"] and kept[at].at == datetime.fromisoformat(name["at"]):
            del kept[at]
            return


def history(ticket: Ticket, events: Sequence[Event]) -> History:
    """Read a ticket's history for its clocks."""
    stands = standing(events)
    opened_with = next((event.data["severity"] for event in stands if event.what == "opened"), ticket.severity)
    return History(ticket.opened_at, ticket.opened_by, Severity(opened_with), tuple(_moves(stands, "")))


def _moves(events: Iterable[Event], customer: str) -> Iterator[SlaEvent]:
    """Give what moves a clock; of an agent's replies those to `customer`, all where it is ""."""
    for event in events:
        if event.what in KINDS and (event.what != "agent_reply" or customer in {"", event.data.get("recipient")}):
            move = SlaEvent(
                event.at,
                event.what,
                str(event.data.get("to", "")),
                str(event.data.get("status", "")),
                str(event.data.get("ref", "")),
            )
            yield _merged(move, event.data, customer) if event.what == MERGED else move


def _merged(move: SlaEvent, data: Mapping[str, Any], customer: str) -> SlaEvent:
    moves = tuple(_moves(left(data), customer or data["customer"]))
    opened_at = datetime.fromisoformat(data["opened_at"])
    return replace(
        move,
        other=History(opened_at, data["opened_by"], Severity(data["severity"]), moves),
        recorded=recorded_of(data["recorded"]),
    )


def left(data: Mapping[str, Any]) -> Iterator[Event]:
    """Give the events that a merged ticket left, as far as they move clocks or say whose it was."""
    for event in data["events"]:
        yield Event(datetime.fromisoformat(event["at"]), event["actor"], event["what"], "", event["data"])


def life_of(ticket: Ticket, events: Sequence[Event], clocks: Iterable[Clock]) -> dict[str, Any]:
    """Give what a ticket leaves to the one that it goes into, for the data of that event."""
    stands = standing(events)
    return {
        "from": ticket.number,
        "requester": ticket.requester.key,
        "opened_at": ticket.opened_at.isoformat(),
        "opened_by": ticket.opened_by,
        "severity": str(history(ticket, events).severity),
        "recorded": recorded(clocks),
        "events": [
            {
                "at": event.at.isoformat(),
                "actor": event.actor,
                "what": event.what,
                "data": _with_recipient(event, ticket),
            }
            for event in stands
            if event.what in KINDS or event.what == CHANGED
        ],
    }


def recorded(clocks: Iterable[Clock]) -> list[list[Any]]:
    """Write down the breaches on record."""
    return [[str(one.metric), one.cycle, one.breached_at.isoformat()] for one in clocks if one.breached_at]


def recorded_of(written: Iterable[Sequence[Any]]) -> tuple[tuple[Metric, int, datetime], ...]:
    """Read what `recorded` wrote."""
    return tuple((Metric(metric), cycle, datetime.fromisoformat(at)) for metric, cycle, at in written)


def _with_recipient(event: Event, ticket: Ticket) -> dict[str, Any]:
    told = {"recipient": ticket.requester.key} if event.what == "agent_reply" else {}
    return {**told, **event.data}


def replies(ticket: Ticket, events: Iterable[Event]) -> tuple[Event, ...]:
    """Give the agents' replies, those of tickets that went into this one too, each with its `recipient`, in order of time."""
    found: list[Event] = []
    for event in standing(events):
        if event.what == "agent_reply":
            found.append(replace(event, data=_with_recipient(event, ticket)))
        elif event.what == MERGED:
            found += replies(ticket, tuple(left(event.data)))
    return tuple(sorted(found, key=lambda event: event.at))


def family(ticket: Ticket, events: Iterable[Event]) -> dict[int, str]:
    """Give the numbers under which customers wrote to this ticket, its own and those that went into it, with each's customer."""
    return {**_joined(events), ticket.number: ticket.requester.key}


def _joined(events: Iterable[Event]) -> dict[int, str]:
    found: dict[int, str] = {}
    for event in standing(events):
        if event.what == MERGED:
            found |= {**_joined(left(event.data)), event.data["from"]: event.data["requester"]}
    return found


def kin(events: Iterable[Event]) -> tuple[int, ...]:
    """Give every ticket that was ever one with this one, undone or not: what was quoted stays quoted."""
    found: dict[int, None] = {}
    for event in events:
        if event.what == MERGED:
            found |= dict.fromkeys((event.data["from"], *kin(left(event.data))))
        elif event.what in {MERGED_INTO, SPLIT, SPLIT_FROM}:
            found |= {event.data.get("from") or event.data["to"]: None}
    return tuple(found)
