"""Subjects: the base subject of RFC 5256 section 2.1, widened by the prefixes of other languages, and our tag."""

import re

_REPLIES = (
    "re|r|aw|antw|antwort|sv|res|ref|rif|odp|odpoveď|odg|ynt|yan|atb|ats|bls|betr|rép|rsp|vá|válasz|vast|răsp|απ|απάντ|σχετ|отв|ответ"
    "|відп|на|回复|答复|答覆|回覆|回信|返信|회신|답장|השב|رد"
)
# VS is a reply in Finnish and a forwarded mail in Danish: as evidence it counts as the weaker one.
_FORWARDS = "fw|fwd|wg|tr|rv|vb|vs|vl|enc|i|doorst|pd|i\u0307?lt|tov|πρθ|转发|轉寄|轉發|転送|전달|пер|отвд|הועבר"
_COUNT = r"(?:\s?\[\d{1,4}\]|\s?\(\d{1,4}\)|\^?\d{1,3})?\s?[:\uff1a]\s*"
_REPLY = re.compile(rf"(?:{_REPLIES}){_COUNT}", re.IGNORECASE)
_FORWARD = re.compile(rf"(?:{_FORWARDS}){_COUNT}", re.IGNORECASE)
_TRAILER = re.compile(r"\s*\(fwd\)\s*\Z", re.IGNORECASE)
# What lists and gateways put before and behind, [EXTERNAL] or [solved]; but a number there is somebody's ticket.
_BLOB = re.compile(r"\[[^\[\]#]{0,100}\]\s*")
_TRAILING_BLOB = re.compile(r"\s*\[[^\[\]#]{0,100}\]\s*\Z")
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


def is_reply(subject: str, reference: str = "") -> bool:
    """Say whether the first prefix of a subject is that of a reply, in any language we know; [lists] may stand before it."""
    text = _SPACE.sub(" ", without_tag(subject, reference) if reference else subject).strip()
    while found := _BLOB.match(text):
        text = text[found.end() :]
    return _REPLY.match(text) is not None


def base(subject: str, reference: str = "") -> str:
    """Give the base subject: no prefixes, no [list] before or behind, no trailing (fwd), no tag of ours, lower case.

    White space is folded. Idempotent: the base of a base subject is itself.
    """
    text = _SPACE.sub(" ", without_tag(subject, reference) if reference else subject).strip().lower()
    before = None
    while text != before:
        before = text
        text = _TRAILER.sub("", text).strip()
        found = _REPLY.match(text) or _FORWARD.match(text)
        text = text[found.end() :] if found else text
        text = _BLOB.sub("", text, count=1) if _BLOB.match(text) and _BLOB.sub("", text, count=1) else text
        text = _TRAILING_BLOB.sub("", text) or text
    return text.strip()
