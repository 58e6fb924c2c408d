"""An agent's words on their way to the customer: written anew, with the agent's name and without his address."""

from dataclasses import dataclass, replace
from datetime import datetime

from maild.mail import Address, Attachment, Outgoing
from maild.outbound import markup, seal, wire
from maild.outbound.attached import objection
from maild.outbound.gate import GateRefusal, clean
from maild.outbound.hide import Hiding, hiding
from maild.outbound.letters import Desk, RelayLetter
from maild.outbound.wording import inscribed, tagged

_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_SEALED = frozenset({"application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})


@dataclass(frozen=True, slots=True)
class Files:
    """The attachments of a mail, sorted: shown inside its HTML (with their new Content-ID), or beside it."""

    shown: tuple[tuple[Attachment, str], ...]
    beside: tuple[Attachment, ...]

    @property
    def new_ids(self) -> dict[str, str]:
        """Old Content-ID to new."""
        return {attachment.content_id: new for attachment, new in self.shown}


def sort(attachments: tuple[Attachment, ...], whole: str | None, kept: str | None, domain: str) -> Files:
    """Sort attachments by what the HTML shows. `whole` is the HTML as it came, `kept` what is left after cutting.

    A picture that only the part cut off showed goes with it; one that nothing shows is an attachment like any other.
    """
    known = tuple(file.content_id for file in attachments if file.content_id)
    kept_ids = markup.shown_ids(kept, known) if kept else ()
    lost_ids = set(markup.shown_ids(whole, known) if whole else ()) - set(kept_ids) if kept else set()
    shown: dict[str, tuple[Attachment, str]] = {}
    beside: list[Attachment] = []
    for file in attachments:
        if file.content_id in kept_ids:
            shown.setdefault(file.content_id, (file, f"{file.sha256[:24]}.{len(shown)}@{domain}"))
        elif not file.inline or file.content_id not in lost_ids:
            beside.append(file)
    return Files(tuple(shown.values()), tuple(beside))


def spoiled(attachments: tuple[Attachment, ...]) -> tuple[str, ...]:
    """Say in words what cannot survive that a mail is written anew, for the agent (RFC 8551, RFC 3156)."""
    types = {file.content_type.lower() for file in attachments}
    words = []
    if types & _SIGNATURES:
        words.append("your signature (S/MIME or PGP) was taken off, since the desk writes the mail anew")
    if types & _SEALED:
        words.append("your mail is encrypted or signed as a whole, and the desk cannot read it")
    return tuple(words)


def body(text: str, html: str | None, files: Files, beside: tuple[wire.Part, ...], message_id: str) -> wire.Part:
    """Build the MIME tree: mixed(alternative(text, related(html, pictures)), attachments), no level without need."""
    readable = wire.text_part("plain", text)
    if html:
        pictures = (wire.file_part(file.content_type, file.name, file.content, new) for file, new in files.shown)
        rich = wire.multipart(
            "related", (wire.text_part("html", html), *pictures), seal.boundary(message_id, "related")
        )
        readable = wire.multipart("alternative", (readable, rich), seal.boundary(message_id, "alternative"))
    return wire.multipart("mixed", (readable, *beside), seal.boundary(message_id, "mixed"))


def _cleared(letter: RelayLetter, desk: Desk) -> Hiding:
    mailboxes = (letter.mailbox, desk.address, letter.ticket.mailbox)
    ours = (letter.agent.address, *letter.hidden)
    his = tuple(address for address in ours if address.lower() != letter.to.key)
    return hiding(letter.mail, his, mailboxes, letter.secrets)


def mentionable(letter: RelayLetter, desk: Desk, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Give those of the addresses that may stand in the header of this reply: they tell nothing that must not leave."""
    hide = _cleared(letter, desk) if addresses else None
    return tuple(address for address in addresses if hide is not None and not hide.tells(address))


def _attached(files: Files, hide: Hiding) -> tuple[wire.Part, ...]:
    return tuple(
        wire.file_part(file.content_type, hide.clear_name(clean(file.name)), file.content)
        for file in files.beside
        if file.content_type.lower() not in _SIGNATURES
    )


def _examine(letter: RelayLetter, hide: Hiding) -> None:
    """Raise GateRefusal for what cannot leave whatever is done to it."""
    files = letter.mail.attachments
    if any(file.content_type.lower() in _SEALED for file in files):
        raise GateRefusal(spoiled(files)[-1])
    kept = (file for file in files if file.content_type.lower() not in _SIGNATURES)
    for reason in (objection(file, hide) for file in kept):
        if reason:
            raise GateRefusal(reason)


def compose_relay(letter: RelayLetter, desk: Desk, now: datetime) -> Outgoing:
    """Write an agent's reply for the customer.

    Raises GateRefusal for a mail without words and files, one that is encrypted, one that tells an agent's address or
    token where it cannot be taken out.
    """
    hide = _cleared(letter, desk)
    _examine(letter, hide)
    return _write(letter, desk, hide, now)


def _write(letter: RelayLetter, desk: Desk, hide: Hiding, now: datetime) -> Outgoing:
    mail, ticket = letter.mail, letter.ticket
    files = sort(mail.attachments, mail.html, letter.html, desk.domain)
    html = hide.clear(markup.sanitise(letter.html, files.new_ids)) if letter.html else None
    text = hide.clear(letter.text if letter.text.strip() else markup.plain(letter.html or ""))
    if hide.left_in(text) or (html and hide.left_in(html)):
        raise GateRefusal(
            "it names an agent's address, or a reply address that is yours alone, in pieces or disguised, so that the desk "
            "cannot take it out: take it out yourself and send it again"
        )
    beside = _attached(files, hide)
    if not text.strip() and not beside and not files.shown:
        raise GateRefusal("there is nothing in it to send to the customer")
    subject = hide.clear(tagged(letter.subject or ticket.subject, desk.reference, ticket.number, reply=True))
    sender = hide.clear(clean(letter.agent.name))
    files = Files(tuple((_renamed(file, hide), new) for file, new in files.shown), files.beside)
    text = inscribed(text, letter.inscription)
    html = f"{html}\n<p>{letter.inscription}</p>" if html and letter.inscription else html
    return seal.seal(
        seal.Draft(
            key=letter.key,
            kind="relay",
            ticket=ticket.number,
            envelope_from=letter.envelope_from,
            sender=Address(desk.name if "@" in sender or not sender else sender, letter.mailbox),
            to=letter.to,
            cc=letter.cc,
            rcpt=letter.copy_to,
            reply_to=letter.reply_to,
            subject=subject,
            message_id=letter.message_id,
            in_reply_to=letter.in_reply_to,
            references=seal.chain(letter.references, letter.root_id),
            body=body(text, html, files, beside, letter.message_id),
            hidden=hide.tells,
            texts=(text, html or ""),
        ),
        desk,
        now,
    )


def refusal(letter: RelayLetter, desk: Desk) -> str:
    """Say why this reply cannot go to the customer, in words for the agent; "" where it can.

    To be asked before a reply is decided on: what cannot be sent answers nobody and stops no clock. The files are
    searched, but not written down: what a file holds is never a reason of the gate's.
    """
    hide = _cleared(letter, desk)
    try:
        _examine(letter, hide)
        files = tuple(replace(file, content=b"") for file in letter.mail.attachments)
        _write(replace(letter, mail=replace(letter.mail, attachments=files)), desk, hide, letter.ticket.opened_at)
    except GateRefusal as reason:
        return str(reason)
    return ""


def _renamed(file: Attachment, hide: Hiding) -> Attachment:
    return replace(file, name=hide.clear_name(clean(file.name)))
