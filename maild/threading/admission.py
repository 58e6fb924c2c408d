"""Whether a sender may join the ticket his mail was placed at. It knows nothing of headers."""

from collections.abc import Collection
from dataclasses import dataclass

from maild.mail import Address
from maild.threading.providers import PUBLIC
from maild.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether, and why."""

    admitted: bool
    because: str


def admit(sender: Address | None, ticket: Ticket, agents: Collection[str], mode: str) -> Admission:
    """Decide whether `sender` may join `ticket`. `mode` is the mailbox's admit: participants or everyone."""
    if mode == "everyone":
        return Admission(admitted=True, because="this mailbox admits everyone")
    if sender is None:
        return Admission(admitted=False, because="its sender is ambiguous")
    if sender.key in ticket.participants:
        return Admission(admitted=True, because=f"{sender.key} takes part in the ticket")
    if sender.key in agents:
        return Admission(admitted=True, because=f"{sender.key} is an agent")
    if of_their_house(sender, ticket):
        return Admission(admitted=True, because=f"{sender.domain} is the requester's own domain")
    return Admission(admitted=False, because=f"{sender.key} takes no part in the ticket")


def of_their_house(address: Address, ticket: Ticket) -> bool:
    """Say whether an address is of the requester's own domain, which is no public provider's."""
    return bool(address.domain) and address.domain == ticket.requester.domain and address.domain not in PUBLIC
