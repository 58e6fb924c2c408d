"""What an agent's mail may mean where two customers' tickets became one: his words must reach the one he read, or nobody."""

from maild.desk.decision import Case
from maild.desk.office import Office
from maild.desk.past import family, kin
from maild.threading.place import Rung
from maild.ticket import Ticket

_BY_LIKENESS = frozenset(
    {
        Rung.THREAD_INDEX,
        Rung.SUBJECT_AND_QUOTE,
        Rung.QUOTES,
        Rung.SUBJECT_AND_SENDER,
        Rung.SUBJECT_AND_COMPANY,
    }
)


def for_another(case: Case, ticket: Ticket) -> str:
    """Say why an agent's answer may be meant for the customer of a ticket that went into this one; "" where it is not."""
    customer = ticket.requester.key
    gone = case.merged
    if gone is not None and gone.requester.key != customer:
        return (
            f"it answers a mail of ticket {gone.number}, whose customer is {gone.requester.key}; that ticket was merged "
            f"into {ticket.number}, and its customer, {customer}, must not get it. To reach {gone.requester.key}, write "
            f"to that address, or undo the merge: maild ticket undo {gone.number}"
        )
    others = {one for one in family(ticket, case.told.events).values() if one != customer}
    if others and case.placement.rung in _BY_LIKENESS:
        return (
            f"it names no mail of ours, and ticket {ticket.number} has more than one customer: "
            f"{', '.join(sorted({customer, *others}))}"
        )
    return ""


def written_to(case: Case, ticket: Ticket) -> str:
    """Give the customer of a ticket that went into this one, where the agent wrote to him directly; "" where he did not."""
    gone = case.merged
    if gone is None or gone.requester.key == ticket.requester.key:
        return ""
    to = {address.key for address in (*case.mail.to, *case.mail.cc)}
    return gone.requester.key if gone.requester.key in to and ticket.requester.key not in to else ""


def secrets(case: Case, office: Office, ticket: Ticket) -> tuple[str, ...]:
    """Give every agent's token that an answer may quote: this ticket's, and those of all that were ever one with it."""
    numbers = dict.fromkeys((ticket.number, *kin(case.told.events)))
    return tuple(token for number in numbers for token in office.agent_tokens(number, ticket.requester.key))
