"""Who takes part in a ticket besides its customer, and who gets a copy of what the agents answer.

To take part is to be let in: a participant's mail joins the ticket. Nobody is mailed for that. A copy goes to those whom
an agent named, and to those of the customer's own domain who wrote to the ticket themselves, with proof; never to an agent
or to an address of ours. Whoever takes part since his own ticket was merged reads nothing of another customer's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from maild.desk.decision import Case
from maild.desk.office import Agent, Office
from maild.desk.past import standing
from maild.mail import Address, InboundMail, Origin
from maild.outbound.gate import GateRefusal, wire_address
from maild.threading.admission import of_their_house
from maild.threading.providers import PUBLIC
from maild.ticket import Event, Message, Ticket

MOST = 10
"""How many may take part besides the customer. Who is over it may write where admission lets him, and is not added."""

_MOST_NAMED = 10
"""How many addresses one line names: a mail may have thousands of them."""

_MOST_LETTERS = 100

_NEVER = datetime.min.replace(tzinfo=UTC)


class By(StrEnum):
    """How somebody came to take part."""

    AGENT = "agent"
    REQUESTER = "requester"
    WRITER = "writer"
    UNPROVEN = "unproven"
    """He wrote from the customer's domain, for all we know: he takes nobody's place."""
    ANYBODY = "anybody"
    """He wrote where everyone is admitted, and is not of the customer's domain: he takes nobody's place either."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a mail makes of a ticket's participants, the events of it, and lines for the agents."""

    participants: tuple[str, ...]
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wish:
    """An address that may take part, or may not (`by` None), and why."""

    address: str
    by: By | None
    because: str


def is_ours(office: Office, address: str) -> bool:
    """Say whether an address is the desk's (aliases and sub-addresses too) or an agent's."""
    return _ours(office, frozenset(office.agent_keys), address.lower())


def _ours(office: Office, agents: frozenset[str], key: str) -> bool:
    local, _, domain = key.rpartition("@")
    theirs = key in agents or f"{local.partition('+')[0]}@{domain}" in agents
    return theirs or key == office.desk.address.lower() or office.mailbox_of(key) is not None


def by_customer(case: Case, office: Office, ticket: Ticket, at: datetime, *, agent: bool) -> Named:
    """Say who joins by a mail of the customer's side: its writer, and those whom he may name.

    `agent` says that an agent wrote it as a customer, proven: he may name anybody.
    """
    sender = case.mail.sender
    if sender is None or case.mail.origin is not Origin.PERSON:
        return Named(ticket.participants)
    others = (address for address in _others(case.mail, office) if address.key != sender.key)
    wishes = [
        *_writer(case, office, ticket, sender),
        *(_wish(case, ticket, sender, other, agent=agent) for other in others if other.key not in ticket.participants),
    ]
    return _granted(wishes, ticket, case.told.events, sender.key, at)


def by_agent(case: Case, office: Office, ticket: Ticket, agent: Agent, at: datetime) -> Named:
    """Say who joins by a proven agent's reply that reaches the customer: everybody else to whom he addressed it."""
    taking_part = standings(ticket, case.told.events)
    wishes = [
        _Wish(other.key, By.AGENT, f"{agent.id} addressed the reply to {other.key}, too")
        for other in _others(case.mail, office)
        if other.key != ticket.requester.key and taking_part.get(other.key) is not By.AGENT
    ]
    return _granted(wishes, ticket, case.told.events, agent.id, at)


def copied(ticket: Ticket, messages: Iterable[Message], events: Iterable[Event], office: Office) -> tuple[str, ...]:
    """Give the addresses that get a copy of an agent's answer, `MOST` at most."""
    history = standing(events)
    removed = {str(event.data["address"]): event.at for event in history if event.what == "participant_removed"}
    proven = {
        message.sender.key
        for message in messages
        if message.kind == "customer"
        and message.verified
        and of_their_house(message.sender, ticket)
        and message.at > removed.get(message.sender.key, _NEVER)
    }
    return tuple(
        address
        for address, by in standings(ticket, history).items()
        if (by is By.AGENT or address in proven) and not is_ours(office, address) and not unsendable(address)
    )[:MOST]


def standings(ticket: Ticket, events: Iterable[Event]) -> dict[str, By]:
    """Say how each participant but the customer came to take part, as the last word on him has it that still stands."""
    told: dict[str, By] = {}
    for event in standing(events):
        if event.what == "participant_added":
            told[str(event.data["address"])] = By(event.data["by"])
        elif event.what == "participant_removed":
            told.pop(str(event.data["address"]), None)
    return {address: told.get(address, By.WRITER) for address in ticket.participants if address != ticket.requester.key}


def known_to_customer(messages: Iterable[Message], ticket: Ticket, events: Iterable[Event]) -> tuple[Message, ...]:
    """Give what the customer's side wrote: he, his house, and whom he or an agent named.

    What another customer wrote whose ticket was merged into this one is not for his eyes: no word, no id, no subject.
    """
    named = {address for address, by in standings(ticket, events).items() if by in {By.AGENT, By.REQUESTER}}
    return tuple(
        one
        for one in messages
        if one.sender.key == ticket.requester.key or one.sender.key in named or of_their_house(one.sender, ticket)
    )


def has_room(others: Mapping[str, By], by: By) -> bool:
    """Say whether one more fits. Who proved nothing takes no place from those who did, and finds one of ten."""
    doubtful = {By.UNPROVEN, By.ANYBODY}
    return sum(by in doubtful or other not in doubtful for other in others.values()) < MOST


def unsendable(address: str) -> str:
    """Say why no mail can be sent to an address; "" where it can."""
    try:
        wire_address(address)
    except GateRefusal as reason:
        return str(reason)
    return ""


def answers_elsewhere(case: Case, office: Office, ticket: Ticket) -> tuple[str, ...]:
    """Tell the agents that a mail asks for answers at another address (Reply-To, RFC 5322 section 3.6.2).

    They go to the customer all the same: a From can be proven, a Reply-To never, not even of the same domain.
    """
    sender = case.mail.sender
    if sender is None or case.mail.origin is not Origin.PERSON:
        return ()
    known = {sender.key, ticket.requester.key}
    wanted = [one.key for one in case.mail.reply_to if one.domain and one.key not in known]
    elsewhere = [key for key in dict.fromkeys(wanted) if not is_ours(office, key)]
    if not elsewhere:
        return ()
    return (
        f"It asks for answers at {_list(elsewhere)} (Reply-To). Replies go to {ticket.requester.key} all the same.",
    )


def _others(mail: InboundMail, office: Office) -> tuple[Address, ...]:
    """Give the people in To and Cc who are not us, each once."""
    agents = frozenset(office.agent_keys)
    named = {address.key: address for address in (*mail.to, *mail.cc) if address.domain}
    return tuple(address for key, address in named.items() if not _ours(office, agents, key))


def _writer(case: Case, office: Office, ticket: Ticket, sender: Address) -> tuple[_Wish, ...]:
    if sender.key in ticket.participants or is_ours(office, sender.key):
        return ()
    if not of_their_house(sender, ticket):
        return (_Wish(sender.key, By.ANYBODY, f"{sender.key} wrote, and everyone is admitted here"),)
    by = By.WRITER if case.trust.proven else By.UNPROVEN
    return (_Wish(sender.key, by, f"{sender.key} wrote, and {sender.domain} is the customer's own domain"),)


def _wish(case: Case, ticket: Ticket, sender: Address, other: Address, *, agent: bool) -> _Wish:
    if agent:
        return _Wish(other.key, By.AGENT, f"{sender.key}, an agent, addressed {other.key}, too")
    if not case.trust.proven:
        return _Wish(other.key, None, "nothing proves who named them")
    if sender.key != ticket.requester.key:
        return _Wish(other.key, None, "only the customer and the agents add people")
    if of_their_house(other, ticket):
        return _Wish(other.key, By.REQUESTER, f"the customer addressed {other.key}, of his own domain, too")
    if sender.domain in PUBLIC:
        return _Wish(other.key, None, f"{sender.domain} is a public provider's, and no company's")
    return _Wish(other.key, None, f"the customer adds people of {sender.domain} only")


def _granted(wishes: Iterable[_Wish], ticket: Ticket, events: Iterable[Event], actor: str, at: datetime) -> Named:
    history = tuple(events)
    taking_part = standings(ticket, history)
    added: list[Event] = []
    refused: dict[str, list[str]] = {}
    for wish in wishes:
        others = {address: by for address, by in taking_part.items() if address != wish.address}
        if wish.by is None:
            refused.setdefault(wish.because, []).append(wish.address)
        elif not has_room(others, wish.by):
            refused.setdefault(f"{MOST} take part already", []).append(wish.address)
        else:
            taking_part[wish.address] = wish.by
            added.append(
                Event(at, actor, "participant_added", wish.because, {"address": wish.address, "by": str(wish.by)})
            )
    new = (str(event.data["address"]) for event in added)
    return Named(
        participants=tuple(dict.fromkeys((*ticket.participants, *new))),
        events=(*added, *_aside(refused, history, actor, at)),
        notes=tuple(f"Also addressed: {_list(named)} (not taking part: {why})." for why, named in refused.items()),
    )


def _aside(refused: Mapping[str, list[str]], history: Iterable[Event], actor: str, at: datetime) -> tuple[Event, ...]:
    """Write down who was named and takes no part, once for each."""
    before = {str(one) for event in history if event.what == "also_addressed" for one in event.data["addresses"]}
    found = []
    for why, named in refused.items():
        new = [address for address in named if address not in before][:_MOST_NAMED]
        if new:
            words = f"{_list(named)} not taking part: {why}"
            found.append(Event(at, actor, "also_addressed", words, {"addresses": new}))
    return tuple(found)


def _list(addresses: list[str]) -> str:
    shown = ", ".join(address[:_MOST_LETTERS] for address in addresses[:_MOST_NAMED])
    more = len(addresses) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
