"""Tickets that rest until somebody says a word, and what becomes of them where nobody does.

A pending one that has a limit goes on when its customer was silent for so long (R10); a resolved one closes (R12a).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.office import Office
from maild.desk.past import MERGED, SPLIT, SPLIT_FROM, UNDONE, standing
from maild.desk.reopening import open_days_end
from maild.outbound.wording import promised
from maild.sla.hours import add
from maild.sla.policy import Promise
from maild.ticket import Event, State, Ticket

_JOINT = frozenset({MERGED, SPLIT, SPLIT_FROM})
_ASKED = frozenset({"agent_reply", "status"}) | _JOINT
_SAID = frozenset({"agent_reply", "customer_message", "thanks", "status"}) | _JOINT
"""What silence is counted from: what we asked last, and the last word of either side."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What a silence led to: the ticket as it now is, and the event. `since` is when it began."""

    since: datetime
    ticket: Ticket
    event: Event


def rest_ends_at(ticket: Ticket, events: Sequence[Event], office: Office) -> datetime | None:
    """Give the instant (UTC) at which a ticket rests no longer if nobody says a word; None where it does not rest, or for ever."""
    if ticket.merged_into is not None:
        return None
    if ticket.state is State.RESOLVED and office.close_after:
        return open_days_end(office.window.calendar, _last(ticket, events, _SAID), office.close_after)
    promise = _promise(ticket, office)
    if ticket.state is State.PENDING and promise.pending_limit is not None:
        return add(promise.calendar, _last(ticket, events, _ASKED), promise.pending_limit)
    return None


def ended_by_silence(ticket: Ticket, events: Sequence[Event], office: Office, now: datetime) -> Silence | None:
    """Decide on a ticket that has rested for as long as it may by `now`; None for any other.

    The clock of one that was pending goes on from the limit's own instant, also where we were down then (R14).
    """
    at = rest_ends_at(ticket, events, office)
    if at is None or at > now:
        return None
    if ticket.state is State.RESOLVED:
        since = _last(ticket, events, _SAID)
        days = "open day" if office.close_after == 1 else "open days"
        because = f"closed: nobody said a word for {office.close_after} {days} after {_day(since, office)}"
        after = replace(ticket, state=State.CLOSED, closed_at=now)
        return Silence(since, after, Event(now, "maild", "status", because, {"to": "closed", "state": State.CLOSED}))
    since = _last(ticket, events, _ASKED)
    limit = _promise(ticket, office).pending_limit or 0
    because = (
        f"opened again: the customer said nothing for {promised(limit)} of open time after {since:%Y-%m-%d %H:%M} UTC"
        " (pending_limit), so the resolution clock goes on"
    )
    after = replace(ticket, state=State.OPEN)
    return Silence(since, after, Event(at, "maild", "status", because, {"to": "open", "state": State.OPEN}))


def _promise(ticket: Ticket, office: Office) -> Promise:
    return office.policy(ticket.policy).promise(ticket.severity)


def _last(ticket: Ticket, events: Sequence[Event], what: frozenset[str]) -> datetime:
    """Give when the last of these was. What was taken back counts no more, but the taking back does: people are at it."""
    found = [event.at for event in standing(events) if event.what in what]
    found += [event.at for event in events if event.what == UNDONE]
    return max((*found, ticket.resolved_at or ticket.opened_at))


def _day(at: datetime, office: Office) -> str:
    return at.astimezone(office.window.zone).date().isoformat()
