"""A forwarded mail: whose it was, and what he wrote. Attached as a message first, then the header block in the text.

Only a forward counts: a message is attached, a line announces one, or the subject says so. A reply that quotes what it
answers is none. Where several could be meant, or nobody is named by an address, `sender` is None and `because` says why.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maild.ingest import headers, quote_text
from maild.ingest import quote_marks as marks
from maild.ingest.forwarded_block import MOST_SEARCHED, Block, Line, attributions, blocks, lines_of, people
from maild.ingest.forwarded_words import announces, prefixed, without_prefix
from maild.mail import Address, Attachment, InboundMail, Origin

MESSAGES = frozenset({"message/rfc822", "message/global", "application/eml"})

_MACHINE = re.compile(
    r"(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer[-_.]?daemon|post[-_.]?master|bounces?|newsletter)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What somebody forwarded. `sender` is None where it is not certain; `because` says how he was found, or why not.

    `at` is the Date it states, None where it has none that can be read. `text` and `html` are the sender's words (html is
    None where it was forwarded in the text), `own_words` the forwarder's. `message_id` is that of the mail forwarded, ""
    where nothing tells it. `attachments` are those of the mail forwarded and the forwarder's, which nothing tells apart.
    `how` is attached or inline.
    """

    sender: Address | None
    subject: str
    at: datetime | None
    text: str
    html: str | None
    message_id: str
    attachments: tuple[Attachment, ...]
    own_words: str
    how: str
    because: str


def messages(mail: InboundMail) -> tuple[Attachment, ...]:
    """Give the attachments that are mails, as octets: one of them may be what is forwarded."""
    return tuple(file for file in mail.attachments if _is_mail(file))


def _is_mail(file: Attachment) -> bool:
    """Say whether an attachment is a mail; some programs know it by the name of the file alone."""
    return file.content_type in MESSAGES or (
        file.content_type == "application/octet-stream" and file.name.lower().endswith(".eml")
    )


def read(mail: InboundMail, attached: Sequence[InboundMail], ours: Collection[str]) -> Forwarded | None:
    """Read what a mail forwards; None where it forwards nothing. Total and linear.

    `attached` are the mails attached to it, parsed. `ours` are our own people and addresses in lower case, names too: what
    one of them wrote was forwarded before, so the mail below it is looked at.
    """
    sign = prefixed(mail.subject)
    if sign == "reply":
        return None
    in_text = _in_text(mail, sign, ours)
    if not attached:
        return in_text
    found = _attached(mail, attached, ours)
    if found.sender and in_text and in_text.sender and in_text.sender.key != found.sender.key:
        because = f"{found.sender.key} wrote the mail attached, and in the text {in_text.because}"
        return replace(found, sender=None, because=because)
    return found


def _in_text(mail: InboundMail, sign: str, ours: Collection[str]) -> Forwarded | None:
    lines = lines_of(mail.text)
    announced = _announced(lines)
    if announced is None and not sign:
        return None
    found = blocks(lines)
    if announced is None and not (found or sign == "surely"):
        return None
    if sign == "likely" and announced is None and _answers(mail, found[0]):
        return None
    return _inline(mail, lines, found, ours, announced)


def _announced(lines: Sequence[Line]) -> int | None:
    """Find the line that announces a forward: unquoted, or as the first that is quoted. Further down a reply quotes it."""
    first = next((line for line in lines if line.depth and not line.blank), None)
    begin = ((at, line) for at, line in enumerate(lines[:MOST_SEARCHED]) if not line.depth or line is first)
    return next((at for at, line in begin if announces(line.text) == "forwarded"), None)


def _answers(mail: InboundMail, block: Block) -> bool:
    """Say whether a mail goes to whom its first block names: then it is a reply, whatever two letters stand before it."""
    return any(address.key in {one.lower() for one in block.addresses} for address in (*mail.to, *mail.cc))


def _attached(mail: InboundMail, attached: Sequence[InboundMail], ours: Collection[str]) -> Forwarded:
    inner = attached[0]
    others = tuple(file for file in mail.attachments if not _is_mail(file))
    base = Forwarded(
        sender=None,
        subject=without_prefix(mail.subject),
        at=None,
        text="",
        html=None,
        message_id="",
        attachments=mail.attachments,
        own_words=quote_text.new_text(mail.text),
        how="attached",
        because="several mails are attached, and each may be meant",
    )
    if len(attached) > 1:
        return base
    whole = replace(
        base,
        subject=without_prefix(inner.subject) or base.subject,
        at=inner.date,
        text=inner.text,
        html=inner.html,
        message_id=inner.message_id,
        attachments=(*inner.attachments, *others),
    )
    sender = inner.sender
    if sender is None or not sender.domain:
        return replace(whole, because="the mail attached names no clear sender")
    if sender.key in ours:
        lines = lines_of(inner.text)
        below = _inline(inner, lines, blocks(lines), ours, _announced(lines))
        return replace(
            below,
            attachments=whole.attachments,
            own_words="\n\n".join(filter(None, (base.own_words, below.own_words))),
            # A mail of ours may be known; the id of one that only carried the customer's must not pass for hers.
            message_id="" if below.sender else inner.message_id,
            because=f"{sender.key}, one of us, wrote the mail attached; in it, {below.because}",
        )
    if inner.origin is not Origin.PERSON or _MACHINE.match(sender.address):
        return replace(whole, because=f"no person wrote the mail attached: {_machine(inner, sender)}")
    return replace(whole, sender=sender, because=f"{sender.key} wrote the mail attached")


def _machine(inner: InboundMail, sender: Address) -> str:
    return (
        inner.origin_because if inner.origin is not Origin.PERSON else f"{sender.key} is an address that nobody reads"
    )


def _inline(
    mail: InboundMail, lines: list[Line], found: Sequence[Block], ours: Collection[str], announced: int | None
) -> Forwarded:
    # What is announced and cannot be read hides its sender, and the first block below it may be anybody's words.
    if announced is not None and (not found or found[0].top > announced):
        attributed = _attributed(lines, announced)
        found = (attributed, *found) if attributed else ()
    first = found[0] if found else None
    if first is not None and _ours(first, ours):
        found = sorted((*found, *attributions(lines, first.end)), key=lambda block: block.start)
    chosen = next((block for block in found if not _ours(block, ours)), None)
    top = (len(lines) if announced is None else announced) if first is None else first.top
    whole = Forwarded(
        sender=None,
        subject=without_prefix(first.subject if first and first.subject else mail.subject),
        at=None,
        text="",
        html=None,
        message_id="",
        attachments=mail.attachments,
        own_words=_own_words(lines[:top]),
        how="inline",
        because="no header block says whose mail it was",
    )
    if first is None:
        return whole
    if chosen is None:
        return replace(whole, text=_below(lines, first)[0], because="only people of ours are named as its senders")
    text, after = _below(lines, chosen)
    direct = chosen is first
    whole = replace(
        whole,
        subject=without_prefix(chosen.subject) or whole.subject,
        at=headers.date(chosen.date),
        text=text,
        own_words="\n\n".join(filter(None, (whole.own_words, after))),
    )
    if not chosen.addresses:
        return replace(whole, because=f"its header block names {chosen.name or 'its sender'} without an address")
    sender = chosen.sender
    if sender is None:
        return replace(whole, because=f"its header block names several senders: {', '.join(chosen.addresses[:5])}")
    if _MACHINE.match(sender.address):
        return replace(whole, because=f"{sender.key} is an address that nobody reads")
    where = "the header block" if direct else "the header block below that of one of us"
    return replace(
        whole, sender=sender, message_id=_answered_id(mail) if direct else "", because=f"{where} names {sender.key}"
    )


def _ours(block: Block, ours: Collection[str]) -> bool:
    if block.addresses:
        return all(address.lower() in ours for address in block.addresses)
    return bool(block.name) and block.name.casefold() in ours


def _answered_id(mail: InboundMail) -> str:
    """Give the Message-ID of the mail that a forward was made from, as programs note it (RFC 5322 section 3.6.4)."""
    if len(mail.in_reply_to) == 1:
        return mail.in_reply_to[0]
    return mail.references[-1] if mail.references else ""


def _attributed(lines: list[Line], top: int) -> Block | None:
    """Read the line below an announcement that ends with a colon and names one address, as Yandex writes it."""
    below = next((at for at in range(top + 1, min(top + 4, len(lines))) if not lines[at].blank), None)
    if below is None or not lines[below].text.rstrip().endswith((":", "\uff1a")):
        return None
    _, addresses = people(lines[below].text)
    if len(addresses) != 1:
        return None
    return Block(below, below + 1, top, lines[below].depth, "forwarded", "", addresses, "", "")


def _below(lines: list[Line], block: Block) -> tuple[str, str]:
    """Give what stands below a block, and what the forwarder wrote below that, where the block is quoted and he is not."""
    end = len(lines)
    if block.depth:
        end = next((at for at in range(block.end, end) if not lines[at].blank and lines[at].depth < block.depth), end)
    below = lines[block.end : end]
    depth = min((line.depth for line in below if not line.blank), default=0)
    said = "\n".join(f"{'> ' * (line.depth - depth)}{line.text}" for line in below)
    return said.strip(), "\n".join(line.text for line in lines[end:] if not line.depth).strip()


def _own_words(above: list[Line]) -> str:
    end = len(above)
    while end and (above[end - 1].blank or marks.is_rule(above[end - 1].text) or above[end - 1].depth):
        end -= 1
    return "\n".join(f"{'> ' * line.depth}{line.text}" for line in above[:end]).strip()
