"""Commands that an agent writes on the first line of a reply. Obeyed by mail: `#ack` and `#requester ADDRESS`.

Atomic: whatever looks like a command and is not understood means that nothing is done and nothing is sent to the customer.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.ack import Acknowledge, acks
from maild.desk.answering import answering
from maild.desk.command import Refused, on_command
from maild.desk.decision import Case, Decision, message_of, references_of
from maild.desk.office import Agent, Office
from maild.desk.reply import doubt_of
from maild.desk.requester import Requester
from maild.ingest.cut import cut_text
from maild.ingest.forwarded_block import people
from maild.mail import Address, Origin
from maild.outbound.gate import clean
from maild.outbound.letters import WordLetter
from maild.outbound.mark import MARK
from maild.outbound.reading import FORMAT
from maild.threading.token import Purpose
from maild.ticket import Event, Ticket

WORDS = (
    *("note", "resolve", "close", "reopen", "pending", "assign", "severity", "requester", "cc", "merge", "split"),
    *("link", "tag", "spam", "status", "undo", "help", "ack"),
)
"""Every command of the design."""

OBEYED = ("ack", "requester")
"""Those that are obeyed by mail."""


_FAR = 10_000
_MOST_LETTERS = 40
_MOST_REMARK = 500
_LINE = re.compile(r"#([a-z]{2,12})(?![\w-])[ \t\xa0]*:?(.*)", re.IGNORECASE)
_UNSEEN = re.compile(f"[{FORMAT}]")
_ATTEMPT = re.compile(r"\s*([#\uff03]+)([ \t\xa0]*)([^\W\d_][\w-]*)")
_BY_HAND = {
    "resolve": "resolve {}",
    "close": "close {}",
    "reopen": "reopen {}",
    "pending": "pending {}",
    "assign": "assign {} WHO",
    "severity": "severity {} SEVERITY",
    "requester": "requester {} ADDRESS",
    "cc": "cc {} ADDRESS",
}
"""How the command line does what a command says."""


@dataclass(frozen=True, slots=True)
class Order:
    """One command as it was written: its word in lower case, without #, and what stands behind it."""

    word: str
    value: str


def orders(text: str) -> tuple[Order, ...]:
    """Read the commands on the first lines of a text, ended by the first line that is none; () where it begins with text."""
    found: list[Order] = []
    for line in text.lstrip().splitlines():
        read = _LINE.match(line.strip())
        if read is None or read[1].lower() not in WORDS:
            break
        found.append(Order(read[1].lower(), read[2].strip()))
    return tuple(found)


def attempted(text: str) -> str:
    """Give the #word of a first line that looks like a command, understood or not; "" where it is text.

    Letters directly after # are a word that was meant for the desk, however it is spelt. After a blank, as in a heading,
    only what begins like a command is one. Digits (#1, #1234) are text, and so is what stands below another line.
    """
    read = _ATTEMPT.match(_UNSEEN.sub("", text[:_FAR]))
    if read is None or (read[2] and not read[3].lower().startswith(WORDS)):
        return ""
    return read[0].strip()[:_MOST_LETTERS]


def on_order(case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent) -> Decision | None:
    """Obey an agent's commands, or say why not; None where his mail is none: unproven, by no person, or text."""
    attempt, said = attempted(case.mail.text), orders(case.mail.text)
    if not attempt or not _commands(case, office, ticket, agent, said[0] if said else Order(attempt, "")):
        return None
    if not said:
        return _refused(case, office, ticket, agent, _not_understood(attempt))
    if len(said) > 1 or said[0].word not in OBEYED:
        return _refused(case, office, ticket, agent, _not_by_mail(said, ticket))
    if said[0].word == "ack":
        return _acknowledged(case, office, now, ticket, agent, said[0].value)
    return _passed_on(case, office, now, ticket, agent, said[0].value)


def _acknowledged(case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent, value: str) -> Decision:
    """Let him take the ticket over. What he wrote besides is a remark for the desk, and goes to no customer.

    It is answered only where he may be mistaken: words below the command may have been meant for the customer, and of a
    ticket that was answered and resolved there is nothing to take over. That what he did is done he need not be told.
    """
    below = _below(case.mail.new_text)
    remark = " ".join(filter(None, (value, *below.split())))
    word = Acknowledge(agent.id, case.received.received_at)
    done = on_command(ticket, case.told, word, office, agent.id, now)
    if isinstance(done, Refused) and not _holds(case, ticket, agent):
        return _refused(case, office, ticket, agent, (f"{done.because}.",))
    brought = {"message": case.received.id}
    if isinstance(done, Refused):
        done = Decision(done.because, ticket=ticket)
        remark = remark or f"once more: {done.because}"
    events = tuple(replace(event, data={**event.data, **brought}) for event in done.events)
    if remark:
        note = f"{agent.id} remarked, for the desk alone: {clean(remark, _MOST_REMARK)}"
        events = (*events, Event(case.received.received_at, agent.id, "agent_note", note, brought))
    lines = (
        f"{done.because}.",
        f"What you wrote below #ack is a note with the ticket: nothing was sent to {ticket.requester.key or 'anybody'}.",
        "To write to the customer, reply to this mail without the command.",
    )
    return replace(
        done,
        events=events,
        message=message_of(case, ticket.number, "agent"),
        references=references_of(case, ticket.number),
        letters=(_letter(case, office, done.ticket or ticket, agent, "acknowledged", lines),) if below else (),
    )


def _holds(case: Case, ticket: Ticket, agent: Agent) -> bool:
    return any(one.by == agent.id and one.lapsed_at is None for one in acks(ticket, case.told.events))


def _below(text: str) -> str:
    """Give what stands below the first line, without our mail that follows it."""
    own, _ = cut_text(text, MARK)
    return own.strip().partition("\n")[2].strip()


def _passed_on(case: Case, office: Office, now: datetime, ticket: Ticket, agent: Agent, value: str) -> Decision:
    to = _address(value)
    if isinstance(to, str):
        return _refused(case, office, ticket, agent, (to,))
    done = on_command(ticket, case.told, Requester(to), office, agent.id, now)
    if isinstance(done, Refused):
        return _refused(case, office, ticket, agent, (f"{done.because}.",))
    after = done.ticket or ticket
    lines = (
        f"Done: {done.because}.",
        f"Nothing was sent to {to.key}. Your reply to this mail, or to a notification of the ticket, goes there.",
        f"To take it back: maild ticket undo {ticket.number}"
        if office.agent_of(ticket.requester) is not None or not ticket.requester.domain
        else f"To take it back, write #requester {ticket.requester.key} on the first line of a reply.",
    )
    letter = _letter(case, office, after, agent, f"the requester is {to.key}", lines)
    decision = replace(
        done,
        events=tuple(replace(event, data={**event.data, "message": case.received.id}) for event in done.events),
        message=message_of(case, ticket.number, "agent"),
        references=references_of(case, ticket.number),
        letters=(letter,),
    )
    return answering(case, office, now, agent, decision)


def _commands(case: Case, office: Office, ticket: Ticket, agent: Agent, first: Order) -> bool:
    """Say whether a mail may command: an agent's, proven, not to the customer, nor one he writes as a customer himself."""
    if case.mail.origin is not Origin.PERSON or doubt_of(case, office):
        return False
    if case.placement.purpose in {Purpose.BOUNCE, Purpose.RELEASE}:
        return False
    if ticket.requester.key == agent.address.lower():
        return case.placement.purpose is Purpose.AGENT or first.word == "requester"
    return ticket.requester.key not in {address.key for address in (*case.mail.to, *case.mail.cc)}


def _address(value: str) -> Address | str:
    name, addresses = people(value)
    if len(addresses) == 1:
        return Address(name, addresses[0])
    if addresses:
        return f"#requester takes one address, and there are several: {', '.join(addresses[:5])}."
    return "#requester needs the customer's address behind it, as in: #requester carol@example.com"


def _not_by_mail(said: tuple[Order, ...], ticket: Ticket) -> tuple[str, ...]:
    if len(said) > 1:
        return ("Only one command is understood in a mail: write each in a mail of its own.",)
    (order,) = said
    by_hand = _BY_HAND.get(order.word)
    return (
        f"#{order.word} is not understood by mail yet.",
        f"On the machine of the desk: maild ticket {by_hand.format(ticket.number)}"
        if by_hand
        else f"To write to the customer, begin your reply with words of your own, not with #{order.word}.",
    )


def _not_understood(attempt: str) -> tuple[str, ...]:
    return (
        f"{attempt} looks like a command, and is none. Understood by mail, on the first line: #ack, #requester ADDRESS.",
        "If it is text for the customer, put a line above it, as in: Hello. Then send it again.",
    )


def _refused(case: Case, office: Office, ticket: Ticket, agent: Agent, why: tuple[str, ...]) -> Decision:
    because = f"{agent.id} wrote a command that was not done, and nothing was sent: {why[0]}"
    lines = ("Nothing was done, and nothing was sent to the customer.", *why)
    return Decision(
        because,
        ticket=ticket,
        message=message_of(case, ticket.number, "agent"),
        references=references_of(case, ticket.number),
        events=(Event(case.received.received_at, agent.id, "agent_note", because, {"message": case.received.id}),),
        letters=(_letter(case, office, ticket, agent, "your command was not done", lines),),
    )


def _letter(
    case: Case, office: Office, ticket: Ticket, agent: Agent, subject: str, lines: tuple[str, ...]
) -> WordLetter:
    key = f"order:{ticket.number}:{case.received.id}"
    mailbox = office.mailbox(ticket.mailbox)
    return WordLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        subject=subject,
        lines=lines,
        quote=case.mail.new_text,
        reply_to=office.token_address(mailbox, ticket.number, agent.address, Purpose.AGENT),
        envelope_from=office.token_address(mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
        in_reply_to=case.mail.message_id,
    )
