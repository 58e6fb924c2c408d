"""An agent's answer to a mail of ours that is about no single ticket: a digest, a summary, a report. It reaches nobody."""

from maild.desk.decision import Case, Decision
from maild.desk.office import Agent, Office
from maild.ingest.automatic import speaks_of_absence
from maild.mail import Origin
from maild.outbound.letters import WordLetter
from maild.threading.place import Rung
from maild.threading.references import named
from maild.threading.token import read_own_id

_SURE = frozenset({Rung.REPORT, Rung.TOKEN, Rung.OWN_ID})
"""A mail that names a ticket in one of these ways is about that one, whatever else it answers."""


def on_no_ticket(case: Case, office: Office, agent: Agent) -> Decision | None:
    """Tell an agent that his answer went nowhere; None where it answers no such mail.

    Without it a likeness to the many tickets that such a mail names might send his words to a customer.
    """
    if case.placement.rung in _SURE or not _answers_such(case, office):
        return None
    because = f"{agent.id} answered a mail of ours that is about no single ticket: it reaches nobody"
    if case.mail.origin is not Origin.PERSON or speaks_of_absence(case.mail.subject):
        return Decision(f"{because}, and no person wrote it ({case.mail.origin_because})")
    # By the mail, not by its row: one that reached us at two addresses is answered once.
    key = f"no_ticket:{agent.id}:{case.mail.message_id or case.received.id}"
    letter = WordLetter(
        key=key,
        ticket=None,
        agent=agent.recipient,
        subject="your answer reached nobody",
        lines=(
            "You answered a mail of the desk that is about no single ticket. Nothing was done, and nobody got it.",
            "To answer a customer or to take a ticket, reply to that ticket's own notification.",
            "On the machine of the desk: maild tickets --due lists what is due, maild show N shows one.",
        ),
        quote=case.mail.new_text,
        reply_to=office.desk.address,
        envelope_from="",
        message_id=office.message_id(0, key),
        root_id=office.message_id(0, "digest"),
        in_reply_to=case.mail.message_id,
    )
    return Decision(f"{because}, and he is told so", letters=(letter,))


def _answers_such(case: Case, office: Office) -> bool:
    answered = next(iter(named(case.mail)), "")
    return read_own_id(answered, office.keys) == 0
