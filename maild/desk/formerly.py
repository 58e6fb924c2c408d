"""What an agent's mail may mean where a ticket's customer was changed: what was written for the one before goes to nobody.

Which of our mails an agent answers is told by the ids he names, and ours are always the same for the same mail. So each
of them has its time, and at each time the ticket had its customer. Who replies to a mail that bears no time that way,
or names none, is asked: his reply to that question is meant for the customer there is.
"""

from collections.abc import Iterator
from datetime import datetime

from maild.desk.decision import Case
from maild.desk.escalate import escalation_key
from maild.desk.office import Office
from maild.desk.past import CHANGED, MERGED, UNDONE, left, standing
from maild.mail import Address
from maild.threading import token
from maild.ticket import Event, Ticket


def for_former(case: Case, office: Office, ticket: Ticket) -> str:
    """Say why an agent's answer may be meant for somebody who was the ticket's customer; "" where it is not.

    An agent who was it stands for whom he forwarded: what answers that time is for the customer whom he named.
    """
    customer, changes = ticket.requester.key, _changes(case)
    before = {str(event.data["from"]) for event in changes}
    others = sorted(one for one in before - {customer} if one and office.agent_of(Address("", one)) is None)
    if not others:
        return ""
    times = dict(_times(case, office, ticket, changes))
    named = (*case.mail.in_reply_to, *reversed(case.mail.references))
    known = (one for one in named if one in times or (one != ticket.root_id and _is_ours(one, office)))
    answered = next(known, "")
    at = times.get(answered)
    if at is None:
        return (
            f"the customer of ticket {ticket.number} was changed, and nothing tells whether it was written for "
            f"{customer} or for {', '.join(others)}"
        )
    then = next((str(event.data["from"]) for event in changes if event.at > at), customer)
    if then not in others:
        return ""
    return (
        f"it answers a mail of the time when {then} was the customer of ticket {ticket.number}; "
        f"now that is {customer}, who must not get what is meant for {then}"
    )


def _changes(case: Case) -> tuple[Event, ...]:
    """Give the changes of the customer that stand: for an answer to a ticket that went into this one, that one's before."""
    stands = standing(case.told.events)
    gone = case.merged.number if case.merged else None
    went = next((event for event in stands if event.what == MERGED and event.data["from"] == gone), None)
    ours = tuple(event for event in stands if event.what == CHANGED and (went is None or event.at >= went.at))
    return (*(event for event in left(went.data) if event.what == CHANGED), *ours) if went else ours


def _is_ours(msgid: str, office: Office) -> bool:
    return token.read_own_id(msgid, office.keys) is not None


def _times(case: Case, office: Office, ticket: Ticket, changes: tuple[Event, ...]) -> Iterator[tuple[str, datetime]]:
    """Give the ids that an agent's reply to this ticket may name, each with its time."""
    numbers = (ticket.number, *((case.merged.number,) if case.merged else ()))
    agents = tuple(agent.id for agent in office.agents)
    for number in numbers:
        for message in case.messages:
            if message.message_id:
                yield message.message_id, message.at
            keys = (f"notice:{number}:{message.id}:{agent}" for agent in agents)
            for key in (*keys, *(f"{kind}:{number}:{message.id}" for kind in ("word", "order", "held", "whose"))):
                yield office.message_id(number, key), message.at
        undone = 0
        for event in case.told.events:
            undone += event.what == UNDONE
            if event.what in {"warning", "breach"}:
                metric, cycle, level = (event.data.get(name) for name in ("metric", "cycle", "level"))
                for agent in agents:
                    key = escalation_key(number, f"{metric}:{cycle}:{level}", agent, undone)
                    yield office.message_id(number, key), event.at
    # The answer to a command is written after it, whenever the command came in.
    for event in changes:
        if "message" in event.data:
            yield office.message_id(ticket.number, f"order:{ticket.number}:{event.data['message']}"), event.at
