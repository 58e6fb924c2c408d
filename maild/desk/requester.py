"""Whose ticket it is: the change of its requester, by an operator's or an agent's word."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.decision import Told
from maild.desk.office import Office
from maild.desk.participants import unsendable
from maild.mail import Address
from maild.ticket import Event, Ticket


@dataclass(frozen=True, slots=True)
class Requester:
    """Make that address the customer of a ticket."""

    to: Address


def passed_on(
    ticket: Ticket, told: Told, to: Address, office: Office, actor: str, now: datetime
) -> tuple[Ticket, Event] | str:
    """Give the ticket with its new requester and the event of it, or why it cannot be.

    The policy is that of the new customer, and what runs is judged by it from its start. Whoever was the requester before
    stays a participant only if he wrote himself and is none of us: a wrong guess must not stay in the conversation.
    """
    if fault := unsendable(to.address):
        return f"{fault}: write it as name@domain"
    if office.mailbox_of(to.address) is not None:
        return f"{to.key} is an address of the desk itself, and nobody's who could be answered"
    before = ticket.requester
    if to.key == before.key:
        return f"{to.key} is the requester of ticket {ticket.number} already"
    if office.agent_of(to) is not None:
        return (
            f"{to.key} is an agent's address: who answers tickets is not their customer, give the address he writes for"
        )
    customer = office.customer_of(to)
    policy = (customer.policy if customer else "") or office.mailbox(ticket.mailbox).policy
    assignee = ticket.assignee or (customer.csm if customer else "") or None
    stays = _wrote(told, before) and office.agent_of(before) is None
    others = tuple(one for one in ticket.participants if one != to.key and (one != before.key or stays))
    words = [f"{actor} made {to.key} the requester; it was {before.key or 'nobody'}"]
    if policy != ticket.policy:
        words.append(f"what runs is judged by {_named(policy)} from its start, no longer by {_named(ticket.policy)}")
    if assignee != ticket.assignee:
        words.append(f"{assignee} has it, as the support manager of {customer.name or to.key if customer else to.key}")
    after = replace(ticket, requester=to, participants=(to.key, *others), policy=policy, assignee=assignee)
    was = {
        "requester": [before.name, before.address],
        "participants": list(ticket.participants),
        "assignee": ticket.assignee,
        "policy": ticket.policy,
    }
    data = {"to": to.key, "from": before.key, "before": was}
    return after, Event(now, actor, "requester", ": ".join(words), data)


def given_back(ticket: Ticket, event: Event, since: Sequence[Event]) -> Ticket | str:
    """Give the ticket back to its requester before `event`, or say why that cannot be: somebody was written to since."""
    if ticket.requester.key != event.data["to"]:
        return f"its requester is {ticket.requester.key} by now"
    if any(later.what in {"agent_reply", "customer_message"} for later in since):
        return f"words were exchanged with {ticket.requester.key} since"
    before = event.data["before"]
    name, address = before["requester"]
    return replace(
        ticket,
        requester=Address(name, address),
        participants=tuple(before["participants"]),
        assignee=before["assignee"],
        policy=before["policy"],
    )


def _wrote(told: Told, person: Address) -> bool:
    return any(event.what in {"opened", "customer_message"} and event.actor == person.key for event in told.events)


def _named(policy: str) -> str:
    return f"the policy {policy}" if policy else "the desk's own policy"
