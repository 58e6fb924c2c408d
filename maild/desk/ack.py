"""Who took a ticket over while its clocks ran, until when that holds, and what it does to their ladders.

An acknowledgement speaks of the clocks that ran when it was given. It lapses when the ticket is reopened, when another one
goes into it, when nobody has it any more, and when it is taken back; a clock that opens a new cycle is another clock, and was never spoken of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.office import Office
from maild.desk.past import MERGED, UNDONE, standing
from maild.sla.clock import Clock
from maild.sla.ladder import Hush
from maild.ticket import Event, Ticket

ACKNOWLEDGED = "taken_over"
"""The event of it; `acknowledged` is that of a customer who was told that his mail arrived."""

SILENT = "silent"
"""The key in a breach's data which says that it was told to nobody."""

_ENDED = frozenset({"resolved", "closed"})
_ENDING = frozenset({"unassigned", "reopened", "status", MERGED})


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Let the agent of the id `by` take a ticket over: the ladders of its clocks are silent from then on.

    `at` is when he said so, None for the moment at which that is decided on. `clocks` are those (metric, cycle) of which
    he speaks alone, None for all that run.
    """

    by: str
    at: datetime | None = None
    clocks: frozenset[tuple[str, int]] | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """One acknowledgement: by the agent of that id, of these clocks (metric, cycle). `lapsed_at` is None while it holds."""

    by: str
    at: datetime
    clocks: frozenset[tuple[str, int]]
    lapsed_at: datetime | None = None
    lapsed_because: str = ""


def acks(ticket: Ticket, events: Sequence[Event]) -> tuple[Ack, ...]:
    """Give the acknowledgements of a ticket in order of time, those that lapsed and those that were taken back too."""
    return acks_of(events, ticket.assignee)


def acks_of(events: Sequence[Event], assignee: str | None) -> tuple[Ack, ...]:
    """Do as `acks`, for the ticket that `assignee` has: None where nobody has it."""
    given = [event for event in events if event.what == ACKNOWLEDGED]
    if not given:
        return ()
    stands = standing(events)
    found = [_taken_back(event, events) for event in given if event not in stands]
    holding: list[Ack] = []
    ended = False
    for event in stands:
        if because := _lapse(event, ended=ended):
            found += (replace(one, lapsed_at=event.at, lapsed_because=because) for one in holding)
            holding = []
        ended = event.data.get("to") in _ENDED if event.what == "status" else ended and event.what != "reopened"
        if event.what == ACKNOWLEDGED:
            holding.append(_read(event))
    if assignee is None:
        last = max(event.at for event in events)
        holding = [replace(one, lapsed_at=last, lapsed_because="nobody has it any more") for one in holding]
    return tuple(sorted((*found, *holding), key=lambda one: one.at))


def _read(event: Event) -> Ack:
    return Ack(event.actor, event.at, frozenset((metric, cycle) for metric, cycle in event.data["clocks"]))


def _taken_back(event: Event, events: Iterable[Event]) -> Ack:
    named = event.at.isoformat()
    at = next(one.at for one in events if one.what == UNDONE and one.data == {"what": ACKNOWLEDGED, "at": named})
    return replace(_read(event), lapsed_at=at, lapsed_because="it was taken back")


def _lapse(event: Event, *, ended: bool) -> str:
    """Say why what was acknowledged before an event is so no more; "" where the event leaves it alone."""
    if event.what == "unassigned":
        return "nobody has it any more"
    if event.what == MERGED:
        return "another ticket went into it"
    opens = event.what == "reopened" or (event.what == "status" and event.data.get("to") == "open")
    return "it was reopened" if ended and opens else ""


def held(ack: Ack, assignee: str | None, office: Office) -> bool:
    """Say whether an acknowledgement holds: who gave it, or who has the ticket, is an agent still."""
    return ack.lapsed_at is None and (office.agent(ack.by) is not None or office.agent(assignee) is not None)


def ack_of(ticket: Ticket, events: Sequence[Event], clock: Clock, office: Office) -> Ack | None:
    """Give the latest acknowledgement of a clock, before any that lapsed one that holds; None where there is none."""
    found = [
        _left(one, ticket, events, office)
        for one in acks(ticket, events)
        if (str(clock.metric), clock.cycle) in one.clocks
    ]
    holding = [one for one in found if one.lapsed_at is None]
    return next(reversed(holding or found), None)


def _left(ack: Ack, ticket: Ticket, events: Sequence[Event], office: Office) -> Ack:
    if ack.lapsed_at is not None or held(ack, ticket.assignee, office):
        return ack
    because = f"{' and '.join(dict.fromkeys((ack.by, ticket.assignee or ack.by)))} left the desk"
    return replace(ack, lapsed_at=max(event.at for event in events), lapsed_because=because)


def hush_of(ticket: Ticket, events: Sequence[Event], office: Office, clock: Clock) -> Hush | None:
    """Give what the ladder of a clock must know of its acknowledgement; None where there is none."""
    ack = ack_of(ticket, events, clock, office)
    if ack is None:
        return None
    unsaid = (
        str(event.data["level"])
        for event in events
        if event.what == "breach"
        and event.data.get(SILENT)
        and (event.data["metric"], event.data["cycle"]) == (str(clock.metric), clock.cycle)
    )
    return Hush(
        because=f"acknowledged by {ack.by} at {_instant(ack.at)}",
        since=ack.at,
        warnings_only=office.ack_stops == "warnings",
        lapsed_at=ack.lapsed_at,
        unsaid=next(unsaid, ""),
    )


def acknowledged(
    ticket: Ticket, events: Sequence[Event], clocks: Iterable[Clock], word: Acknowledge, office: Office, now: datetime
) -> tuple[Ticket, Event] | str:
    """Give the ticket and the event of an agent who takes it over at `now`, or why he cannot. `clocks` are its own.

    A ticket that nobody has is his from then on; one that somebody else has stays that one's. Who acknowledged before
    him does so no more, which the event says.
    """
    if office.agent(word.by) is None:
        known = ", ".join(agent.id for agent in office.agents)
        return f"there is no agent {word.by!r} who could take it over (--as AGENT); known are {known or 'none'}"
    running = [clock for clock in clocks if clock.stopped_at is None and _speaks_of(word, clock)]
    if not running:
        return f"no clock of ticket {ticket.number} runs: there is nothing to acknowledge"
    before = [ack_of(ticket, events, clock, office) for clock in running]
    holding = [one for one in before if one is not None and one.lapsed_at is None]
    if len(holding) == len(running) and all(one.by == word.by for one in holding):
        return f"ticket {ticket.number} was acknowledged by {word.by} already, at {_instant(holding[0].at)}"
    words = [f"{word.by} acknowledged it: nobody is told of {_listed(running)}{_but(office)}"]
    words += dict.fromkeys(
        f"{one.by} had acknowledged it at {_instant(one.at)}" for one in holding if one.by != word.by
    )
    after = ticket
    if office.agent(ticket.assignee) is None:
        after = replace(ticket, assignee=word.by)
        words.append(f"nobody had it, so {word.by} has it")
    data = {
        "clocks": [[str(clock.metric), clock.cycle] for clock in running],
        "to": after.assignee,
        "before": {"assignee": ticket.assignee},
    }
    # Said before, and decided on after something else: it stands behind what would have ended it.
    at = max([word.at or now, *(event.at for event in events if event.what in _ENDING)])
    return after, Event(at, word.by, ACKNOWLEDGED, "; ".join(words), data)


def _speaks_of(word: Acknowledge, clock: Clock) -> bool:
    return word.clocks is None or (str(clock.metric), clock.cycle) in word.clocks


def _listed(clocks: Iterable[Clock]) -> str:
    return " and ".join(dict.fromkeys(str(clock.metric) for clock in clocks))


def _but(office: Office) -> str:
    return ", but of a breach that is still to come" if office.ack_stops == "warnings" else ""


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
