"""An agent forwards a customer's mail to the desk: the ticket is the customer's, if the agent is proven and the customer named.

A customer who is named by a forward did not write to the desk, so nothing is mailed to him before an agent answers. From
alone is never authority: an unproven forward opens what any mail would, the sender's own ticket, and the agent is asked.
"""

from dataclasses import replace
from datetime import datetime

from maild.desk.aside import MOST_QUESTIONS
from maild.desk.customer import notices, open_ticket
from maild.desk.decision import Case, Decision, Told, clock_lines, clocks_of, message_of
from maild.desk.office import Agent, Office
from maild.desk.participants import is_ours, unsendable
from maild.desk.reply import doubt_of
from maild.ingest.forwarded import Forwarded
from maild.ingest.quote import new_text
from maild.mail import Address, InboundMail, Origin
from maild.outbound.letters import HeldLetter, NoticeLetter, WordLetter
from maild.threading import subject as subjects
from maild.threading.token import Purpose
from maild.ticket import Event, State, Ticket

_MOST_NOTES = 12
"""Lines of the agent's own words that stand above the customer's in a notification; the octets keep everything."""

_MOST_WORDS = 4000


def on_forward(case: Case, office: Office, now: datetime) -> Decision | None:
    """Open the ticket that a forwarded mail asks for; None where the mail is no forward of an agent's."""
    agent, forwarded = office.agent_of(case.mail.sender), case.forwarded
    if agent is None or forwarded is None or case.mail.origin is not Origin.PERSON:
        return None
    forwarded = _answerable(forwarded, office)
    case = replace(case, forwarded=forwarded)
    doubt = doubt_of(case, office)
    if doubt:
        return _unproven(case, office, now, agent, forwarded, doubt)
    if forwarded.sender is None:
        return _asked(case, office, now, agent, forwarded)
    return _for_customer(case, office, now, agent, forwarded, forwarded.sender)


def _answerable(forwarded: Forwarded, office: Office) -> Forwarded:
    """Doubt a sender to whom nothing could be sent, and one of us."""
    if forwarded.sender is None:
        return forwarded
    address = forwarded.sender.address
    because = unsendable(address) or (f"{address} is an address of ours" if is_ours(office, address) else "")
    return replace(forwarded, sender=None, because=because) if because else forwarded


def _for_customer(
    case: Case, office: Office, now: datetime, agent: Agent, forwarded: Forwarded, customer: Address
) -> Decision:
    how = f"{agent.id} forwarded it ({case.trust.because}), and {forwarded.because}"
    ticket = _ticket(case, office, forwarded, customer)
    shown = replace(case, mail=_as_written(case.mail, forwarded, customer), trust=replace(case.trust, method=""))
    shown = replace(
        shown,
        base_subject=subjects.base(ticket.subject, office.desk.reference),
        placement=replace(case.placement, because=f"{case.placement.because}; {how}"),
    )
    notes = (
        "Nothing was sent to the customer, and no first-response clock runs until he writes to the desk himself.",
        *((f"Written at {forwarded.at:%Y-%m-%d %H:%M} UTC, says its Date.",) if forwarded.at else ()),
        *_said(agent, forwarded.own_words),
    )
    decision = _opened(case, shown, office, now, agent, ticket, how, notes)
    letters = tuple(
        replace(letter, forwarded_by=_name(agent)) for letter in decision.letters if isinstance(letter, NoticeLetter)
    )
    return replace(decision, message=message_of(shown, ticket.number, "customer"), letters=letters)


def _asked(case: Case, office: Office, now: datetime, agent: Agent, forwarded: Forwarded) -> Decision:
    """Open it for the agent, for the moment: nothing is lost, and he is asked whose it is."""
    how = f"{agent.id} forwarded it ({case.trust.because}), but it is not certain for whom: {forwarded.because}"
    asker = Address(agent.name, agent.address)
    ticket = _ticket(case, office, forwarded, asker)
    note = f"{_name(agent)} forwarded it, and was asked for whom: {forwarded.because}."
    decision = _opened(case, case, office, now, agent, ticket, how, (note,))
    key = f"whose:{ticket.number}:{case.received.id}"
    letter = WordLetter(
        key=key,
        ticket=ticket,
        agent=agent.recipient,
        subject=f"for whom is this? {ticket.subject}",
        lines=(
            f"You forwarded a mail to the desk, and it is not certain for whom: {forwarded.because}.",
            "For the moment the ticket is in your own name. Nothing was sent to anybody else but the team.",
            "Reply with #requester and the customer's address on the first line, as in:",
            "#requester carol@example.com",
        ),
        quote=forwarded.text or case.mail.new_text,
        reply_to=office.token_address(case.mailbox, ticket.number, agent.address, Purpose.AGENT),
        envelope_from=office.token_address(case.mailbox, ticket.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
        in_reply_to=case.mail.message_id,
    )
    return replace(decision, message=message_of(case, ticket.number, "agent"), letters=(letter, *decision.letters))


def _unproven(case: Case, office: Office, now: datetime, agent: Agent, forwarded: Forwarded, doubt: str) -> Decision:
    """Open what any mail opens, for its From and nobody else, and ask the agent; his answer may name the customer."""
    named = forwarded.sender.key if forwarded.sender else ""
    because = (
        f"it bears {agent.address}, an agent, and forwards a mail{f' of {named}' if named else ''}, but {doubt}: "
        "it was opened for nobody else, and nothing was sent to anybody it names"
    )
    note = f"It forwards a mail{f' of {named}' if named else ''}, but nothing proves that {_name(agent)} sent it ({doubt})."
    decision = open_ticket(case, office, now, (note,))
    held = Event(case.received.received_at, "maild", "held", because, {"message": case.received.id})
    decision = replace(decision, because=f"{decision.because}; {because}", events=(*decision.events, held))
    if case.asked >= MOST_QUESTIONS or decision.ticket is None:
        return decision
    key = f"held:{case.number}:{case.received.id}"
    letter = HeldLetter(
        key=key,
        ticket=decision.ticket,
        agent=agent.recipient,
        mail=case.mail,
        because=doubt,
        reply_to=office.token_address(case.mailbox, case.number, agent.address, Purpose.AGENT),
        envelope_from=office.token_address(case.mailbox, case.number, agent.address, Purpose.BOUNCE),
        message_id=office.message_id(case.number, key),
        root_id=decision.ticket.root_id,
        # Where our address has no place for a token, the answer would be as unproven as this mail.
        offer=f"#requester {named or 'carol@example.com'}" if case.mailbox.separator else "",
    )
    return replace(decision, letters=(*decision.letters, letter))


def _ticket(case: Case, office: Office, forwarded: Forwarded, requester: Address) -> Ticket:
    customer = office.customer_of(requester)
    subject = subjects.without_tag(forwarded.subject, office.desk.reference)
    return Ticket(
        number=case.number,
        mailbox=case.mailbox.address,
        subject=subject or subjects.without_tag(case.mail.subject, office.desk.reference) or "(no subject)",
        state=State.NEW,
        severity=case.guess.severity,
        severity_because=case.guess.because,
        requester=requester,
        participants=(requester.key,),
        assignee=customer.csm or None if customer else None,
        opened_at=case.received.received_at,
        opened_by="agent",
        root_id=office.root_id(case.number),
        policy=(customer.policy if customer else "") or case.mailbox.policy,
    )


def _opened(
    case: Case,
    shown: Case,
    office: Office,
    now: datetime,
    agent: Agent,
    ticket: Ticket,
    how: str,
    notes: tuple[str, ...],
) -> Decision:
    forwarded = case.forwarded
    words = forwarded.own_words[:_MOST_WORDS] if forwarded else ""
    at = ticket.opened_at
    severity = {"severity": str(ticket.severity), "because": list(ticket.severity_because)}
    events = [Event(at, agent.id, "opened", f"{case.placement.because}; {how}", severity)]
    if words:
        events.append(Event(at, agent.id, "agent_note", f"{agent.id} wrote above what he forwarded: {words}"))
    because = "nobody is acknowledged for a mail that somebody else forwarded"
    events.append(Event(now, "maild", "not_acknowledged", because))
    clocks = clocks_of(office, ticket, Told(), now)
    return Decision(
        because=f"it opens ticket {ticket.number}: {case.placement.because}; {how}",
        ticket=ticket,
        references=(*_references(case, ticket.number), (ticket.root_id, ticket.number, "own")),
        clocks=clocks,
        events=tuple(events),
        letters=notices(shown, office, ticket, clock_lines(clocks), notes, also=agent),
    )


def _references(case: Case, number: int) -> tuple[tuple[str, int, str], ...]:
    """Give the forward's own id, and as named the ids of what it forwards: the mail itself may yet come from the customer."""
    mail, forwarded = case.mail, case.forwarded
    named = (forwarded.message_id if forwarded else "", *mail.in_reply_to, *mail.references)
    seen = ((mail.message_id, number, "seen"),) if mail.message_id else ()
    return (*seen, *((one, number, "named") for one in dict.fromkeys(named) if one and one != mail.message_id))


def _as_written(mail: InboundMail, forwarded: Forwarded, customer: Address) -> InboundMail:
    """Give what was forwarded as the mail that its writer sent; its headers and digest stay those of the forward."""
    return replace(
        mail,
        message_id=forwarded.message_id,
        from_=(customer,),
        from_fields=1,
        reply_to=(),
        to=(),
        cc=(),
        subject=forwarded.subject or mail.subject,
        date=forwarded.at,
        text=forwarded.text,
        html=forwarded.html,
        new_text=new_text(forwarded.text),
        attachments=forwarded.attachments,
    )


def _said(agent: Agent, own_words: str) -> tuple[str, ...]:
    lines = [line.strip() for line in own_words.splitlines() if line.strip()]
    if not lines:
        return ()
    more = ("[...]",) if len(lines) > _MOST_NOTES else ()
    return (f"{_name(agent)} wrote above it, for colleagues only:", *lines[:_MOST_NOTES], *more)


def _name(agent: Agent) -> str:
    return agent.name or agent.id
