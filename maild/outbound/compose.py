"""From a letter to finished octets. Pure: the same letter, desk, templates and `now` give the same mail."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, assert_never
from urllib.parse import quote

from markupsafe import Markup

from maild.mail import Address, Attachment, InboundMail, Outgoing
from maild.outbound import markup, seal, wire
from maild.outbound.compose_digest import compose_digest
from maild.outbound.compose_relay import body, compose_relay, sort
from maild.outbound.compose_report import compose_report
from maild.outbound.compose_summary import compose_summary
from maild.outbound.digest_letter import DigestLetter
from maild.outbound.gate import clean
from maild.outbound.headline import escalation_subject
from maild.outbound.letters import (
    AckLetter,
    Desk,
    EscalationLetter,
    HeldLetter,
    Letter,
    NoticeLetter,
    Recipient,
    RelayLetter,
    ReportLetter,
    SummaryLetter,
    WordLetter,
)
from maild.outbound.mark import MARK
from maild.outbound.templates import Templates
from maild.outbound.wording import bare, inscribed, promised, span, tag, tagged
from maild.ticket import Ticket

MOST_ATTACHED = 10_000_000
"""Octets of attachments that go with a notification; what is beyond is listed (mail.md)."""

_MOST_LINES = 20


def compose(letter: Letter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:  # noqa: PLR0911 - one a kind
    """Write one letter. Raises GateRefusal, and jinja2.TemplateError for an operator's broken template."""
    match letter:
        case AckLetter():
            return _ack(letter, desk, templates, now)
        case NoticeLetter():
            return _notice(letter, desk, templates, now)
        case RelayLetter():
            return compose_relay(letter, desk, now)
        case EscalationLetter():
            return _escalation(letter, desk, templates, now)
        case HeldLetter():
            return _held(letter, desk, templates, now)
        case WordLetter():
            return _word(letter, desk, templates, now)
        case SummaryLetter():
            return compose_summary(letter, desk, templates, now)
        case ReportLetter():
            return compose_report(letter, desk, templates, now)
        case DigestLetter():
            return compose_digest(letter, desk, templates, now)
        case _:
            assert_never(letter)


def _ack(letter: AckLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    ticket = letter.ticket
    values = {
        "desk": desk,
        "number": ticket.number,
        "tag": tag(desk.reference, ticket.number),
        "severity": str(ticket.severity),
        "answer_by": letter.answer_by,
        "zone": letter.time_zone or desk.time_zone,
    }
    subject = tagged(ticket.subject, desk.reference, ticket.number, reply=True)
    if not letter.echo_subject:
        subject = f"{values['tag']} {templates.render('ack-subject', letter.language, values)}"
    return seal.seal(
        seal.Draft(
            key=letter.key,
            kind="ack",
            ticket=ticket.number,
            envelope_from="",
            sender=Address(desk.name, letter.mailbox),
            to=Address("", letter.to.address),
            reply_to=letter.reply_to,
            subject=subject,
            message_id=letter.message_id,
            in_reply_to=letter.in_reply_to,
            references=seal.chain(letter.references, letter.root_id),
            body=wire.text_part(
                "plain", inscribed(templates.render("ack", letter.language, values), letter.inscription)
            ),
            extra=seal.automatic("auto-replied"),
        ),
        desk,
        now,
    )


def _who(mail: InboundMail) -> Address:
    """Name the writer for a person: his name, else his address; the first of several, or nobody."""
    first = mail.from_[0] if mail.from_ else Address("", "")
    return Address(clean(first.name, 80) or clean(first.address, 80) or "somebody", clean(first.address, 254))


def _attachable(files: Iterable[Attachment]) -> tuple[tuple[Attachment, ...], tuple[Attachment, ...]]:
    """Part files into those that fit into one notification, in their order, and those that do not."""
    room = MOST_ATTACHED
    fitting: list[Attachment] = []
    beyond: list[Attachment] = []
    for file in files:
        fits = len(file.content) <= room
        (fitting if fits else beyond).append(file)
        room -= len(file.content) if fits else 0
    return tuple(fitting), tuple(beyond)


def _commands(desk: Desk, reply_to: str, subject: str) -> tuple[tuple[str, str, str], ...]:
    """Give the commands that fit into a footer: the line to write, what it means, and a mailto: link (RFC 6068)."""
    lines = (
        ("#ack", "you take it"),
        ("#resolve", "the matter is settled"),
        ("#pending", "waiting on the customer"),
        ("#assign me", "you take it"),
        ("#requester ADDRESS", "whose ticket it is"),
        ("#status", "where it stands"),
    )
    link = f"mailto:{reply_to}?subject={quote(subject)}&body="
    return tuple(
        (line, meaning, link + quote(line.removesuffix("ADDRESS")))
        for line, meaning in lines
        if line.split()[0] in desk.commands
    )


def _notice(letter: NoticeLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    ticket, mail, agent = letter.ticket, letter.mail, letter.agent
    subject = tagged(ticket.subject, desk.reference, ticket.number, reply=False)
    fitting, beyond = _attachable(mail.attachments)
    files = sort(fitting, mail.html, mail.html, desk.domain)
    who = _who(mail)
    values: dict[str, Any] = {
        **_frame(desk, agent, ticket, letter.reply_to),
        "who": who,
        "verified": letter.verified,
        "because": [clean(reason, 300) for reason in letter.because],
        "clocks": letter.clocks,
        "placed_because": clean(letter.placed_because, 300),
        "opened": letter.opened,
        "forwarded_by": clean(letter.forwarded_by, 80),
        "warnings": [clean(warning, 500) for warning in letter.warnings],
        "notes": [clean(note, 500) for note in (*mail.marks, *letter.notes)],
        "subject": clean(mail.subject),
        "text": mail.text.strip(),
        "files": [(clean(file.name), len(file.content)) for file in fitting],
        "files_beyond": [(clean(file.name), len(file.content)) for file in beyond],
        "commands": _commands(desk, letter.reply_to, subject),
    }
    text = f"{MARK}\n\n{templates.render('notification', agent.language, values)}"
    html = None
    if mail.html:
        safe = markup.sanitise(mail.html, files.new_ids)
        rich = templates.render("notification", agent.language, {**values, "html": Markup(safe)}, "html")  # noqa: S704 - nh3 made it
        html = f"<p>{MARK}</p>\n{rich}"
    beside = tuple(wire.file_part(file.content_type, file.name, file.content) for file in files.beside)
    return seal.seal(
        seal.Draft(
            key=letter.key,
            kind="notification",
            ticket=ticket.number,
            envelope_from=letter.envelope_from,
            sender=Address(f"{who.name} via {desk.name}", ticket.mailbox),
            to=Address(agent.name, agent.address),
            reply_to=letter.reply_to,
            subject=subject,
            message_id=letter.message_id,
            in_reply_to=letter.root_id,
            references=(letter.root_id,),
            body=body(text, html, files, beside, letter.message_id),
            extra=(*seal.automatic("auto-generated"), *_state(ticket)),
        ),
        desk,
        now,
    )


def _frame(desk: Desk, agent: Recipient, ticket: Ticket | None, reply_to: str) -> dict[str, Any]:
    """Give what every mail to one of our own people may name."""
    return {
        "desk": desk,
        "agent": agent,
        "ticket": ticket,
        "tag": tag(desk.reference, ticket.number) if ticket else "",
        "title": bare(ticket.subject, desk.reference) if ticket else "",
        "severity": str(ticket.severity) if ticket else "",
        "state": str(ticket.state) if ticket else "",
        "requester": Address(clean(ticket.requester.name), clean(ticket.requester.address)) if ticket else None,
        "zone": agent.time_zone or desk.time_zone,
        "reply_to": reply_to,
    }


def _state(ticket: Ticket | None) -> tuple[tuple[str, str], ...]:
    if ticket is None:
        return ()
    return (
        ("X-Maild-Ticket", str(ticket.number)),
        ("X-Maild-Severity", str(ticket.severity)),
        ("X-Maild-State", str(ticket.state)),
    )


def _first_lines(text: str) -> tuple[str, bool]:
    lines = text.strip().splitlines()
    return "\n".join(lines[:_MOST_LINES]), len(lines) > _MOST_LINES


def _escalation(letter: EscalationLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    text, cut = _first_lines(letter.last_text)
    values = {
        **_frame(desk, letter.agent, letter.ticket, letter.reply_to),
        "metric": letter.metric.replace("_", " "),
        "level": letter.level,
        "breached": now >= letter.limit_at,
        "late": now >= letter.target_at,
        "overdue": span((now - letter.limit_at).total_seconds()),
        "past_target": span((now - letter.target_at).total_seconds()),
        "limit": promised(letter.limit_seconds),
        "target_at": letter.target_at,
        "limit_at": letter.limit_at,
        "owner": clean(letter.owner),
        "customer": clean(letter.customer),
        "because": [clean(reason, 300) for reason in letter.ticket.severity_because],
        "clocks": letter.clocks,
        "notes": [clean(note, 500) for note in letter.notes],
        "next_at": letter.next_at,
        "next_who": ", ".join(clean(name) for name in letter.next_who),
        "last_from": clean(letter.last_from),
        "last_at": letter.last_at,
        "text": text,
        "cut": cut,
    }
    rendered = templates.render("escalation", letter.agent.language, values)
    subject = escalation_subject(letter, desk, now)
    return seal.seal(_to_agent(letter, "escalation", subject, f"{MARK}\n\n{rendered}", desk), desk, now)


def _held(letter: HeldLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    lines, cut = _first_lines(letter.mail.new_text or letter.mail.text)
    values = {
        **_frame(desk, letter.agent, letter.ticket, letter.reply_to),
        "subject": clean(letter.mail.subject),
        "because": clean(letter.because, 500),
        "offer": clean(letter.offer),
        "text": lines,
        "cut": cut,
    }
    rendered = templates.render("held", letter.agent.language, values)
    head = f"{tag(desk.reference, letter.ticket.number)} " if letter.ticket else ""
    subject = f"{head}Was this you? {clean(bare(letter.mail.subject, desk.reference), 120)}"
    # No marker above it: an answer to this mail reaches nobody.
    return seal.seal(_to_agent(letter, "held", subject, rendered, desk), desk, now)


def _word(letter: WordLetter, desk: Desk, templates: Templates, now: datetime) -> Outgoing:
    quote_, cut = _first_lines(letter.quote)
    values = {
        **_frame(desk, letter.agent, letter.ticket, letter.reply_to),
        "lines": [clean(line, 500) for line in letter.lines],
        "text": quote_,
        "cut": cut,
    }
    rendered = templates.render("word", letter.agent.language, values)
    head = f"{tag(desk.reference, letter.ticket.number)} " if letter.ticket else ""
    subject = f"{head}{clean(letter.subject)}"
    text = f"{MARK}\n\n{rendered}" if letter.ticket else rendered
    return seal.seal(_to_agent(letter, "notification", subject, text, desk), desk, now)


def _to_agent(
    letter: EscalationLetter | HeldLetter | WordLetter, kind: str, subject: str, text: str, desk: Desk
) -> seal.Draft:
    ticket = letter.ticket
    return seal.Draft(
        key=letter.key,
        kind=kind,
        ticket=ticket.number if ticket else 0,
        envelope_from=letter.envelope_from,
        sender=Address(desk.name, ticket.mailbox if ticket else desk.address),
        to=Address(letter.agent.name, letter.agent.address),
        reply_to=letter.reply_to,
        subject=subject,
        message_id=letter.message_id,
        in_reply_to=letter.in_reply_to if isinstance(letter, WordLetter) and letter.in_reply_to else letter.root_id,
        references=(letter.root_id,),
        body=wire.text_part("plain", text),
        extra=(*seal.automatic("auto-generated"), *_state(ticket)),
    )
