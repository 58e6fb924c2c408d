"""The last word of an operator on a ticket, taken back by another one. Nothing is removed: an event says so.

What was decided since, by a person, has to be taken back first. An undo is not undone: the next one takes back the
decision before it, and whoever wants a decision again gives it again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from maild.desk.ack import ACKNOWLEDGED
from maild.desk.command import Refused, now_standing
from maild.desk.copies import as_before
from maild.desk.decision import Decision, Told, clocks_of
from maild.desk.duty import rota_size
from maild.desk.merge import Decisions, Side
from maild.desk.office import Office
from maild.desk.past import LINKED, MERGED, MERGED_INTO, SPLIT, SPLIT_FROM, recorded_of, standing, undoing
from maild.desk.requester import given_back
from maild.desk.split import refolded, taken_back
from maild.sla.clock import Clock
from maild.sla.ladder import levels
from maild.threading.place import followed
from maild.ticket import Event, Message, Severity, State, Ticket

Restored = Ticket | str
"""A ticket as it was, or why it cannot be that any more."""


def _step(ticket: Ticket, event: Event, since: Sequence[Event]) -> Restored:
    if ticket.state != event.data["state"]:
        return f"it is {ticket.state} by now"
    if any(later.what == "customer_message" for later in since):
        return "its customer wrote after it"
    before = event.data["before"]
    return replace(
        ticket,
        state=State(before["state"]),
        resolved_at=_instant(before["resolved_at"]),
        closed_at=_instant(before["closed_at"]),
    )


def _assignment(ticket: Ticket, event: Event, _: Sequence[Event]) -> Restored:
    if (ticket.assignee or "") != event.data["to"]:
        return f"{ticket.assignee or 'nobody'} has it by now"
    return replace(ticket, assignee=event.data["before"]["assignee"])


def _grade(ticket: Ticket, event: Event, _: Sequence[Event]) -> Restored:
    if ticket.severity != event.data["to"]:
        return f"it is {ticket.severity} by now"
    before = event.data["before"]
    return replace(ticket, severity=Severity(before["severity"]), severity_because=tuple(before["severity_because"]))


STEPS: Mapping[str, Callable[[Ticket, Event, Sequence[Event]], Restored]] = MappingProxyType(
    {
        "status": _step,
        "assigned": _assignment,
        "unassigned": _assignment,
        ACKNOWLEDGED: _assignment,
        "set_severity": _grade,
        "requester": given_back,
        "participant_added": as_before,
        "participant_removed": as_before,
    }
)
"""How what is decided of one ticket alone is taken back, by the word of its event, with the events since."""

JOINT: Mapping[str, str] = MappingProxyType(
    {MERGED: MERGED_INTO, MERGED_INTO: MERGED, SPLIT: SPLIT_FROM, SPLIT_FROM: SPLIT, LINKED: LINKED}
)
"""What is decided of two tickets: the event of one, and that of the other."""


def last_decision(events: Iterable[Event]) -> Event | None:
    """Give the last thing that a person decided and that stands; None where there is none that could be undone.

    Such an event says how the ticket stood before it.
    """
    return next(
        (
            event
            for event in reversed(standing(events))
            if "before" in event.data and (event.what in STEPS or event.what in JOINT)
        ),
        None,
    )


def partner(events: Iterable[Event]) -> int | None:
    """Give the other ticket of the last decision, None where it was about one alone."""
    last = last_decision(events)
    return _other(last) if last is not None and last.what in JOINT else None


def _other(event: Event) -> int:
    return int(event.data["from"] if event.what in {MERGED, SPLIT_FROM} else event.data["to"])


def on_undo(
    side: Side, other: Side | None, messages: Mapping[int, Sequence[Message]], office: Office, actor: str, now: datetime
) -> Decisions | Refused:
    """Decide to take back the last decision on a ticket. `other` is its `partner`; `messages` are those of either."""
    last = last_decision(side.told.events)
    if last is None:
        return Refused(f"nobody decided anything on ticket {side.number} that could be undone")
    if other is None:
        return _alone(side, last, office, actor, now)
    if last.what == LINKED:
        return _unlinked(side, other, actor, now)
    theirs = last_decision(other.told.events)
    if theirs is None or theirs.what != JOINT[last.what] or _other(theirs) != side.number:
        said = f" ({theirs.because})" if theirs else ""
        return Refused(f"ticket {other.number} was decided on since{said}: undo that first")
    if last.what in {MERGED, MERGED_INTO}:
        into, gone = (side, other) if last.what == MERGED else (other, side)
        return _apart(into, gone, messages[into.number], office, actor, now)
    old, fresh, split = (side, other, last) if last.what == SPLIT else (other, side, theirs)
    return taken_back(old, split, fresh, messages[fresh.number], office, actor, now)


def _alone(side: Side, last: Event, office: Office, actor: str, now: datetime) -> Decisions | Refused:
    stands = standing(side.told.events)
    restored = STEPS[last.what](side.ticket, last, stands[stands.index(last) + 1 :])
    if isinstance(restored, str):
        return Refused(f"what was last decided on ticket {side.number} cannot be undone, {restored}: {last.because}")
    undone = undoing(last, actor, now)
    breached = tuple(one for one in side.told.clocks if one.breached_at is not None and one.breached_at < last.at)
    told = replace(side.told.and_then(undone), clocks=breached)
    clocks = clocks_of(office, restored, told, now)
    words = now_standing(undone.because, restored, clocks)
    return (Decision(words, ticket=restored, clocks=clocks, events=(undone,)),)


def _unlinked(side: Side, other: Side, actor: str, now: datetime) -> Decisions:
    pairs = ((min(side.number, other.number), max(side.number, other.number)),)
    found = []
    for one, to in ((side, other.number), (other, side.number)):
        event = next(
            event
            for event in reversed(standing(one.told.events))
            if event.what == LINKED and event.data.get("to") == to and "before" in event.data
        )
        undone = undoing(event, actor, now)
        found.append(
            Decision(f"{undone.because}; now: not linked", ticket=one.ticket, events=(undone,), unlinked=pairs)
        )
    return tuple(found)


def _apart(into: Side, gone: Side, messages: Sequence[Message], office: Office, actor: str, now: datetime) -> Decisions:
    """Undo a merge. Mail that came to the survivor since stays there."""
    merged, went = last_decision(into.told.events), last_decision(gone.told.events)
    assert merged is not None  # noqa: S101 - on_undo has looked
    assert went is not None  # noqa: S101 - likewise
    undone = undoing(merged, actor, now, _staying(into.number, gone.number, merged, messages))
    ticket = _as_before(into.ticket, merged)
    kept = {(metric, cycle): at for metric, cycle, at in recorded_of(merged.data["before"]["breaches"])}
    recorded = tuple(
        replace(one, breached_at=kept[one.metric, one.cycle])
        for one in into.told.clocks
        if (one.metric, one.cycle) in kept
    )
    told = replace(into.told.and_then(undone), clocks=recorded)
    otherwise = State(merged.data["before"]["state"])
    after, clocks = refolded(replace(into, ticket=ticket), told, office, now, otherwise)
    forgotten = _forgotten(into.told, merged, after, tuple(clock for clock, _ in clocks), office, now)
    clocks = clocks_of(office, after, replace(told, sent=told.sent - frozenset(forgotten)), now)
    survivor = Decision(
        because=now_standing(undone.because, after, clocks),
        ticket=_evidence(after, merged),
        clocks=clocks,
        events=(undone,),
        forgotten=forgotten,
    )
    return survivor, _again(gone, went, office, actor, now)


def _staying(into: int, gone: int, merged: Event, messages: Sequence[Message]) -> str:
    """Name the mail that came for the ticket that was merged and stays where it came, and say how to move it."""
    ids = [
        one.id
        for one in messages
        if one.at > merged.at
        and one.kind == "customer"
        and (one.sender.key in merged.data["joined"] or followed(gone) in one.placed_because)
    ]
    if not ids:
        return ""
    options = " ".join(f"--message {number}" for number in ids)
    return (
        f"message {', '.join(map(str, ids))} came since and stays here; to move it: maild ticket split {into} {options}, "
        f"then maild ticket merge the new ticket's number {gone}"
    )


def _as_before(ticket: Ticket, merged: Event) -> Ticket:
    """Take what the merge gave to the survivor, as far as nobody changed it since."""
    before = merged.data["before"]
    ours = ticket.severity == merged.data["to"]
    given = ticket.assignee == merged.data["given"]
    joined = {*merged.data["joined"]} - {ticket.requester.key}
    return replace(
        ticket,
        severity=Severity(before["severity"]) if ours else ticket.severity,
        severity_because=tuple(before["severity_because"]) if ours else ticket.severity_because,
        participants=tuple(one for one in ticket.participants if one not in joined),
        assignee=before["assignee"] if given else ticket.assignee,
    )


def _evidence(ticket: Ticket, merged: Event) -> Ticket:
    said = merged.data["before"]["first_response_evidence"]
    return replace(ticket, first_response_evidence=said) if ticket.first_response_at and said else ticket


def _forgotten(
    told: Told, merged: Event, ticket: Ticket, clocks: Sequence[Clock], office: Office, now: datetime
) -> tuple[tuple[str, int, str], ...]:
    """Give the levels that were told since, of a lateness that was the merge's: they count as not told.

    Otherwise the survivor's own would never be told.
    """
    calendar = office.policy(ticket.policy).promise(ticket.severity).calendar
    before = {(metric, cycle, level) for metric, cycle, level in merged.data["before"]["sent"]}
    reached = {
        (str(clock.metric), clock.cycle, level.name)
        for clock in clocks
        for level in levels(clock, calendar, office.ladders[clock.metric], rota_size(ticket, office))
        if level.at <= now
    }
    return tuple(sorted(told.sent - before - reached))


def _again(gone: Side, went: Event, office: Office, actor: str, now: datetime) -> Decision:
    """Bring back the ticket that was merged, as it was."""
    before = went.data["before"]
    ticket = replace(
        gone.ticket,
        state=State(before["state"]),
        resolved_at=_instant(before["resolved_at"]),
        closed_at=_instant(before["closed_at"]),
        merged_into=None,
    )
    undone = undoing(went, actor, now)
    breached = tuple(one for one in gone.told.clocks if one.breached_at is not None and one.breached_at < went.at)
    told = replace(gone.told.and_then(undone), clocks=breached)
    return Decision(undone.because, ticket=ticket, clocks=clocks_of(office, ticket, told, now), events=(undone,))


def _instant(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
