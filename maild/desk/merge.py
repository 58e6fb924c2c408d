"""Two tickets that are one, or belong together, by an operator's word.

A ticket that is merged goes into another one, the survivor: it is closed, its clocks end, and whatever comes for it is
placed at the survivor. Its messages, Message-IDs and tokens stay its own, so that the merge can be undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from maild.desk.command import Refused, standing_of
from maild.desk.decision import Clocks, Decision, Told, answered, clocks_of
from maild.desk.office import Office
from maild.desk.past import LINKED, MERGED, MERGED_INTO, SPLIT, SPLIT_FROM, life_of, recorded, replies, standing
from maild.sla.tape import RESTING
from maild.ticket import Event, State, Ticket, together


@dataclass(frozen=True, slots=True)
class Side:
    """One of the tickets that a decision is about, and what the ledger tells of its time."""

    ticket: Ticket
    told: Told

    @property
    def number(self) -> int:
        """The ticket's number."""
        return self.ticket.number


Decisions = tuple[Decision, ...]
"""What is decided of several tickets, to be written in one unit; the first one's `because` says it to the operator."""


def on_merge(gone: Side, into: Side, office: Office, actor: str, now: datetime) -> Decisions | Refused:
    """Decide that `gone` goes into `into` (R13), which keeps its customer, its state and its mailbox."""
    refused = _not_to_merge(gone.ticket, into.ticket)
    if refused:
        return Refused(refused)
    ticket = into.ticket
    severity = min(ticket.severity, gone.ticket.severity, key=lambda one: one.rank)
    counted = [one for one in replies(gone.ticket, gone.told.events) if one.data["recipient"] == ticket.requester.key]
    joined = [one for one in gone.ticket.participants if one not in ticket.participants]
    assignee = ticket.assignee or gone.ticket.assignee
    event = Event(
        now,
        actor,
        MERGED,
        "",
        {
            "to": str(severity),
            "customer": ticket.requester.key,
            **life_of(gone.ticket, gone.told.events, gone.told.clocks),
            "joined": joined,
            "given": assignee,
            "before": before(
                ticket, breaches=recorded(into.told.clocks), sent=sorted(list(level) for level in into.told.sent)
            ),
        },
    )
    raised = severity is not ticket.severity
    after = replace(
        ticket,
        severity=severity,
        severity_because=gone.ticket.severity_because if raised else ticket.severity_because,
        participants=(*ticket.participants, *joined),
        assignee=assignee,
    )
    clocks = clocks_of(office, after, into.told.and_then(event), now)
    after = answered(after, clocks, f"a reply in ticket {gone.number}, which went into this one")
    after = replace(
        after, state=together(ticket.state, gone.ticket.state, answered=after.first_response_at is not None)
    )
    words = _words(gone.ticket, ticket, after, clocks, actor, counts=bool(counted))
    survivor = Decision(
        because=standing_of(f"{words}{_two_customers(gone.ticket, ticket, office)}", clocks),
        ticket=after,
        clocks=clocks,
        events=(replace(event, because=words),),
    )
    return survivor, _closed(gone, into.number, office, actor, now)


def _not_to_merge(gone: Ticket, into: Ticket) -> str:
    if gone.number == into.number:
        return f"ticket {gone.number} cannot go into itself"
    for one in (gone, into):
        if one.merged_into is not None:
            return f"ticket {one.number} was merged into {one.merged_into} already: merge with that one"
    if into.state in RESTING and gone.state not in RESTING:
        return f"ticket {into.number} is {into.state} and {gone.number} is not: reopen it first, or merge it into {gone.number}"
    return ""


def before(ticket: Ticket, **more: Any) -> dict[str, Any]:
    """Write down how a ticket stands, for whoever undoes what is decided now."""
    return {
        "state": str(ticket.state),
        "severity": str(ticket.severity),
        "severity_because": list(ticket.severity_because),
        "assignee": ticket.assignee,
        "resolved_at": _written(ticket.resolved_at),
        "closed_at": _written(ticket.closed_at),
        "first_response_evidence": ticket.first_response_evidence,
        **more,
    }


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _words(gone: Ticket, into: Ticket, after: Ticket, clocks: Clocks, actor: str, *, counts: bool) -> str:
    start = min((clock.started_at for clock, _ in clocks), default=into.opened_at)
    words = [f"{actor} merged ticket {gone.number} of {gone.requester.key or 'nobody'} into it"]
    words.append(f"its clocks count from {start:%Y-%m-%d %H:%M} UTC")
    if after.severity is not into.severity:
        words.append(f"it is {after.severity} as that one was, no longer {into.severity}")
    if gone.first_response_at is not None:
        same = f"the reply there went to {into.requester.key}, so it counts"
        words.append(same if counts else f"the reply there did not go to {into.requester.key}, so it does not count")
    late = [str(clock.metric) for clock, _ in clocks if clock.by_reclassification and clock.breached_at is not None]
    if late:
        words.append(f"by that the limit of {' and '.join(late)} has passed already")
    return "; ".join(words)


def _two_customers(gone: Ticket, into: Ticket, office: Office) -> str:
    theirs = gone.requester
    if theirs.key == into.requester.key or not theirs.domain or office.agent_of(theirs) is not None:
        return ""
    return (
        f"; {theirs.key} is not its customer: answers go to {into.requester.key or 'nobody'} only; "
        f"for copies to {theirs.key}, too: maild ticket cc {into.number} {theirs.key}"
    )


def _closed(gone: Side, into: int, office: Office, actor: str, now: datetime) -> Decision:
    words = f"{actor} merged it into ticket {into}: its clocks end, and what comes for it goes there"
    event = Event(now, actor, MERGED_INTO, words, {"to": into, "before": before(gone.ticket)})
    return gone_into(gone, event, into, office, now)


def gone_into(gone: Side, event: Event, into: int, office: Office, now: datetime) -> Decision:
    """Close a ticket whose mail goes to another one from now on."""
    ticket = replace(gone.ticket, state=State.CLOSED, closed_at=now, merged_into=into)
    clocks = clocks_of(office, ticket, gone.told.and_then(event), now)
    return Decision(because=event.because, ticket=ticket, clocks=clocks, events=(event,))


def on_link(one: Side, other: Side, actor: str, now: datetime) -> Decisions | Refused:
    """Decide that two tickets belong together: each shows the other, and nothing else changes."""
    if one.number == other.number:
        return Refused(f"ticket {one.number} cannot be linked to itself")
    for side in (one, other):
        if side.ticket.merged_into is not None:
            return Refused(f"ticket {side.number} was merged into {side.ticket.merged_into}: link that one")
    if linked(one.told.events, other.number) or linked(other.told.events, one.number):
        return Refused(f"tickets {one.number} and {other.number} are linked already")
    return tuple(
        Decision(because=event.because, ticket=side.ticket, events=(event,))
        for side, to in ((one, other.number), (other, one.number))
        for event in (Event(now, actor, LINKED, f"{actor} linked it to ticket {to}", {"to": to, "before": {}}),)
    )


def linked(events: Sequence[Event], to: int) -> bool:
    """Say whether a ticket is linked to that one, as its own events tell."""
    return any(
        event.what in {LINKED, SPLIT, SPLIT_FROM} and to in {event.data.get("to"), event.data.get("from")}
        for event in standing(events)
    )
