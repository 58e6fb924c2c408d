"""An agent's answer to a mail of ours that is about no single ticket: a digest, a summary, a report. It reaches nobody.

A digest's can be a command: `#ack`.
"""

import re
from datetime import datetime

from maild.desk.decision import Case, Decision
from maild.desk.listed import counted, in_words, take_over
from maild.desk.office import Agent, Office
from maild.desk.order import orders
from maild.desk.reply import doubt_of
from maild.ingest.automatic import speaks_of_absence
from maild.mail import InboundMail, Origin
from maild.outbound.letters import WordLetter
from maild.threading.place import Rung
from maild.threading.references import named
from maild.threading.token import read_own_id

_SURE = frozenset({Rung.REPORT, Rung.TOKEN, Rung.OWN_ID})
"""A mail that names a ticket in one of these ways is about that one, whatever else it answers."""


def on_no_ticket(case: Case, office: Office, agent: Agent, now: datetime) -> Decision | None:
    """Obey an agent's `#ack` in answer to a digest, or tell him that his answer went nowhere; None where it answers no such mail.

    Without it a likeness to the many tickets that such a mail names might send his words to a customer.
    """
    if case.placement.rung in _SURE or not (
        answered_at_large(case.mail, office) or _named_by_its_subject(case, office.desk.reference)
    ):
        return None
    because = f"{agent.id} answered a mail of ours that is about no single ticket"
    if case.mail.origin is not Origin.PERSON or speaks_of_absence(case.mail.subject):
        return Decision(f"{because}: it reaches nobody, and no person wrote it ({case.mail.origin_because})")
    doubt = doubt_of(case, office)
    said = orders(case.mail.text)
    if not doubt and case.listed and [one.word for one in said] == ["ack"]:
        taken = take_over(case, office, agent, said[0].value, now)
        subject = f"you took over {counted(taken.numbers)}" if taken.numbers else "you took nothing over"
        letter = _letter(case, office, agent, subject, tuple(in_words(taken, office.desk.reference)))
        return Decision(f"{because}, a digest: {subject}", letters=(letter,), beside=taken.decisions)
    letter = _letter(case, office, agent, "your answer reached nobody", _nowhere(case, office, doubt))
    return Decision(f"{because}: it reaches nobody, and he is told so", letters=(letter,))


def _named_by_its_subject(case: Case, reference: str) -> bool:
    """Say whether a mail answers a digest, where the answering program left out which mail it answers."""
    begins = rf"[0-9]+ tickets? of {re.escape(reference.lower())}: "
    return not named(case.mail) and re.match(begins, case.base_subject) is not None


def _nowhere(case: Case, office: Office, doubt: str) -> tuple[str, ...]:
    to_take: tuple[str, ...] = ()
    if case.listed and doubt:
        to_take = (
            f"What it names can be taken over by an answer that is proven to be yours; this one is not: {doubt}.",
        )
    elif case.listed:
        first = case.listed[0].ticket.number
        to_take = (
            "To take over all that it names, answer it with #ack on the first line, and no other command.",
            f"To take over some of it, write their numbers behind that: #ack {office.desk.reference} #{first}",
        )
    return (
        "You answered a mail of the desk that is about no single ticket. Nothing was done, and nobody got it.",
        *to_take,
        "To answer a customer or to take a ticket, reply to that ticket's own notification.",
        "On the machine of the desk: maild tickets --due lists what is due, maild show N shows one.",
    )


def _letter(case: Case, office: Office, agent: Agent, subject: str, lines: tuple[str, ...]) -> WordLetter:
    # By the mail, not by its row: one that reached us at two addresses is answered once.
    key = f"no_ticket:{agent.id}:{case.mail.message_id or case.received.id}"
    return WordLetter(
        key=key,
        ticket=None,
        agent=agent.recipient,
        subject=subject,
        lines=lines,
        quote=case.mail.new_text,
        reply_to=office.desk.address,
        envelope_from="",
        message_id=office.message_id(0, key),
        root_id=office.message_id(0, "digest"),
        in_reply_to=case.mail.message_id,
    )


def answered_at_large(mail: InboundMail, office: Office) -> str:
    """Give the Message-ID of the mail of ours about no single ticket that a mail answers; "" where it answers none."""
    answered = next(iter(named(mail)), "")
    return answered if read_own_id(answered, office.keys) == 0 else ""
