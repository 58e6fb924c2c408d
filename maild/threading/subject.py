"""Subjects: the base subject of RFC 5256 section 2.1, widened by the prefixes of other languages, and our tag."""

import re

_PREFIXES = (
    "re|r|aw|antw|antwort|sv|vs|vb|fw|fwd|wg|tr|rv|res|ref|rif|odp|pd|ynt|ilt|atb|bls|doorst|enc|i|betr|"
    "回复|答复|回覆|转发|轉寄|返信|転送|отв|отвд|пер|на"
)
_REPLY = re.compile(rf"(?:{_PREFIXES})(?:\s?\[\d{{1,4}}\]|\s?\(\d{{1,4}}\)|\d{{1,3}})?\s?[:\uff1a]\s*", re.IGNORECASE)
_LEADER = re.compile(rf"(?:{_REPLY.pattern})+", re.IGNORECASE)
_TRAILER = re.compile(r"\s*\(fwd\)\s*\Z", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def tags(subject: str, reference: str) -> tuple[int, ...]:
    """Give the ticket numbers of every tag such as [CSM #1042] in a subject, in order, each once."""
    pattern = re.compile(rf"\[{re.escape(reference)} ?#(\d{{1,10}})\]", re.IGNORECASE)
    return tuple(dict.fromkeys(int(number) for number in pattern.findall(subject)))


def without_tag(subject: str, reference: str) -> str:
    """Take every tag of ours out of a subject."""
    return _SPACE.sub(
        " ", re.sub(rf"\[{re.escape(reference)} ?#\d{{1,10}}\]", " ", subject, flags=re.IGNORECASE)
    ).strip()


def is_reply(subject: str) -> bool:
    """Say whether a subject begins with a reply or forward prefix in any language we know."""
    return _REPLY.match(subject.lstrip()) is not None


def base(subject: str, reference: str = "") -> str:
    """Give the base subject: no prefixes, no trailing (fwd), no tag of ours, white space folded, lower case.

    Idempotent: the base of a base subject is itself.
    """
    text = _SPACE.sub(" ", without_tag(subject, reference) if reference else subject).strip()
    before = None
    while text != before:
        before = text
        text = _LEADER.sub("", _TRAILER.sub("", text)).strip()
    return text.lower()
