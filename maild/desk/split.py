"""Mails that belong elsewhere, by an operator's word: they leave their ticket and open one of their own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.command import Refused, now_standing, standing_of
from maild.desk.decision import Clocks, Decision, Told, answered, clock_lines, clocks_of, looked_at
from maild.desk.merge import Decisions, Side, before, gone_into
from maild.desk.office import Office
from maild.desk.past import MERGED_INTO, SPLIT, SPLIT_FROM, history, named, standing, undoing
from maild.mail import InboundMail
from maild.outbound.letters import NoticeLetter
from maild.sla.fold import state_of
from maild.sla.policy import Metric
from maild.sla.severity import Guess
from maild.sla.tape import RESTING
from maild.threading import subject as subjects
from maild.threading.token import Purpose
from maild.ticket import Event, Message, State, Ticket

THEIRS = frozenset({"customer", "automatic", "bulk"})
"""The kinds of a mail that is not an agent's. A reply of ours stays where it is: what answers it comes back to there."""

_CAME = frozenset({"customer_message", "message"})


@dataclass(frozen=True, slots=True)
class Opening:
    """The mail that a ticket is opened with, read again, how bad it is, and the number reserved for the ticket."""

    number: int
    mail: InboundMail
    guess: Guess


def chosen(side: Side, messages: Sequence[Message], numbers: Collection[int]) -> tuple[Message, ...] | Refused:
    """Give the messages that are to leave, the first one first, or say why they cannot."""
    ticket = side.ticket
    if ticket.merged_into is not None:
        return Refused(f"ticket {ticket.number} was merged into {ticket.merged_into}: undo that first")
    here = {message.id: message for message in messages}
    refused = next((why for number in numbers if (why := _why_not(here, ticket.number, number))), "")
    if refused:
        return Refused(refused)
    leaving = tuple(message for message in messages if message.id in set(numbers))
    if not leaving:
        return Refused("name the messages that are to leave")
    if leaving[0].kind != "customer":
        return Refused(f"message {leaving[0].id} is {leaving[0].kind} mail: a ticket begins with a customer's")
    return leaving


def _why_not(here: Mapping[int, Message], ticket: int, number: int) -> str:
    if number not in here:
        return (
            f"message {number} is none of ticket {ticket}; its own are {', '.join(str(one) for one in here) or 'none'}"
        )
    if number == next(iter(here)):
        return f"message {number} opened ticket {ticket} and stays: split off the others"
    if here[number].kind not in THEIRS:
        kind = here[number].kind
        return f"message {number} is {kind} mail and stays: only a customer's can leave, and answers to ours come back here"
    return ""


def on_split(
    side: Side, leaving: tuple[Message, ...], opening: Opening, office: Office, actor: str, now: datetime
) -> Decisions:
    """Decide that messages which were `chosen` open a ticket of their own, as of when the first of them came (R13)."""
    moved = tuple(event for event in standing(side.told.events) if _brought(event, leaving))
    stays = _left(side, leaving, moved, opening.number, office, actor, now)
    return stays, _opened(side.ticket, leaving, moved, opening, office, actor, now)


def _brought(event: Event, messages: Sequence[Message]) -> bool:
    """Say whether an event is that of one of the messages; older ones do not name it."""
    number = event.data.get("message")
    return event.what in _CAME and any(
        number == message.id or (number is None and (event.at, event.actor) == (message.at, message.sender.key))
        for message in messages
    )


def _left(
    side: Side,
    leaving: tuple[Message, ...],
    moved: tuple[Event, ...],
    number: int,
    office: Office,
    actor: str,
    now: datetime,
) -> Decision:
    told = [message.id for message in leaving]
    words = f"{actor} split off message {', '.join(str(one) for one in told)}: ticket {number}"
    data = {
        "to": number,
        "messages": told,
        "moved": [named(event) for event in moved],
        "before": before(side.ticket),
    }
    event = Event(now, actor, SPLIT, words, data)
    after, clocks = refolded(side, side.told.and_then(event), office, now)
    return Decision(because=standing_of(words, clocks), ticket=after, clocks=clocks, events=(event,))


def refolded(
    side: Side, told: Told, office: Office, now: datetime, otherwise: State | None = None
) -> tuple[Ticket, Clocks]:
    """Give a ticket and its clocks after its history was told otherwise: `told`, of which breaches count that it holds.

    It stands where its events say; where they did not say so before, `otherwise`, or where it is.
    """
    ticket, policy = side.ticket, office.policy(side.ticket.policy)
    state = otherwise or ticket.state
    if state_of(history(ticket, side.told.events), policy, now) is ticket.state:
        state = state_of(history(ticket, told.events), policy, now)
    clocks = clocks_of(office, ticket, told, now)
    after = ticket
    if state is not ticket.state:
        rested = next(clock.stopped_at for clock, _ in clocks if clock.metric is Metric.RESOLUTION)
        after = replace(
            ticket,
            state=state,
            resolved_at=ticket.resolved_at or rested if state in RESTING else None,
            closed_at=ticket.closed_at or rested if state is State.CLOSED else None,
        )
        clocks = looked_at(office, after, told, tuple(clock for clock, _ in clocks))
    return answered(after, clocks, ticket.first_response_evidence or "an earlier reply"), clocks


def _opened(
    ticket: Ticket,
    leaving: tuple[Message, ...],
    moved: tuple[Event, ...],
    opening: Opening,
    office: Office,
    actor: str,
    now: datetime,
) -> Decision:
    first = leaving[0]
    customer = office.customer_of(first.sender)
    mailbox = office.mailbox(ticket.mailbox)
    number = opening.number
    fresh = Ticket(
        number=number,
        mailbox=ticket.mailbox,
        subject=subjects.without_tag(first.subject, office.desk.reference) or "(no subject)",
        state=State.NEW,
        severity=opening.guess.severity,
        severity_because=opening.guess.because,
        requester=first.sender,
        participants=tuple(dict.fromkeys(one.sender.key for one in leaving if one.sender.key)),
        assignee=(customer.csm if customer else "") or None,
        opened_at=first.at,
        opened_by="customer",
        root_id=office.root_id(number),
        policy=(customer.policy if customer else "") or mailbox.policy,
    )
    words = f"{actor} split message {first.id} off ticket {ticket.number}"
    opened = Event(
        fresh.opened_at,
        first.sender.key or "unknown",
        "opened",
        words,
        {"severity": str(fresh.severity), "because": list(fresh.severity_because)},
    )
    came = tuple(
        replace(event, data={**event.data, "of": ticket.number}) for event in moved if not _brought(event, (first,))
    )
    split = Event(now, actor, SPLIT_FROM, words, {"from": ticket.number, "before": {}})
    events = (opened, *came, split)
    clocks = clocks_of(office, fresh, Told(events), now)
    return Decision(
        because=f"ticket {number} is opened: {standing_of(words, clocks)}",
        ticket=fresh,
        references=((fresh.root_id, number, "own"),),
        clocks=clocks,
        events=events,
        letters=_notices(fresh, first, opening.mail, ticket, clocks, office, actor),
        moved=leaving,
    )


def _notices(
    fresh: Ticket, first: Message, mail: InboundMail, of: Ticket, clocks: Clocks, office: Office, actor: str
) -> tuple[NoticeLetter, ...]:
    """Tell the team of the new ticket: each by a letter of his own, so that it can be answered by mail."""
    mailbox = office.mailbox(fresh.mailbox)
    assignee = office.agent(fresh.assignee)
    told = dict.fromkeys((*((assignee,) if assignee else ()), *office.team(mailbox)))
    letters = []
    for agent in told:
        key = f"notice:{fresh.number}:{first.id}:{agent.id}"
        letters.append(
            NoticeLetter(
                key=key,
                ticket=fresh,
                mail=mail,
                agent=agent.recipient,
                agent_id=agent.id,
                reply_to=office.token_address(mailbox, fresh.number, agent.address, Purpose.AGENT),
                envelope_from=office.token_address(mailbox, fresh.number, agent.address, Purpose.BOUNCE),
                message_id=office.message_id(fresh.number, key),
                root_id=fresh.root_id,
                verified=first.verified,
                clocks=clock_lines(clocks),
                because=fresh.severity_because,
                placed_because=first.placed_because,
                notes=(f"{actor} split it off [{office.desk.reference} #{of.number}]: answer it here.",),
                opened=True,
            )
        )
    return tuple(letters)


def taken_back(
    side: Side, split: Event, fresh: Side, messages: Sequence[Message], office: Office, actor: str, now: datetime
) -> Decisions | Refused:
    """Undo a split: its messages come back, and what comes for the ticket that was opened for them goes here, too."""
    if {message.id for message in messages} != set(split.data["messages"]) or fresh.ticket.merged_into is not None:
        return Refused(
            f"ticket {fresh.number} has gone on since it was split off: merge it into {side.number} if they are one"
        )
    undone = undoing(split, actor, now)
    recorded = tuple(one for one in side.told.clocks if one.breached_at is not None and one.breached_at < split.at)
    told = replace(side.told.and_then(undone), clocks=recorded)
    after, clocks = refolded(side, told, office, now)
    back = Decision(
        because=now_standing(undone.because, after, clocks),
        ticket=after,
        clocks=clocks,
        events=(undone,),
        moved=tuple(messages),
    )
    words = f"{actor} took the split back: its messages are in ticket {side.number} again"
    closed = gone_into(fresh, Event(now, actor, MERGED_INTO, words, {"to": side.number}), side.number, office, now)
    pair = (min(side.number, fresh.number), max(side.number, fresh.number))
    began = next(event for event in reversed(standing(fresh.told.events)) if event.what == SPLIT_FROM)
    gone = undoing(began, actor, now)
    return back, replace(closed, events=(*closed.events, gone), unlinked=(pair,))
