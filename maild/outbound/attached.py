"""Attachments of an agent's reply: whether one tells what the mail itself must not.

Text is read as its reader's program would: UTF-16, folded lines, quoted-printable, base64, a mail within a mail. Anything
else (PDF, pictures, archives) is searched as it lies, since its inside costs more to open than it may cost to send.
"""

import binascii
import re
from collections.abc import Iterator
from email import message_from_bytes

from maild.ingest.headers import unbase64
from maild.mail import Attachment
from maild.outbound.gate import clean
from maild.outbound.hide import Hiding
from maild.outbound.reading import readings

_TYPES = frozenset(
    {"application/ics", "application/json", "application/pgp-keys", "application/vcard", "application/xml"}
)
_NAMES = (".asc", ".csv", ".eml", ".htm", ".html", ".ics", ".json", ".log", ".md", ".svg", ".txt", ".vcf", ".xml")
_ARMOUR = re.compile(rb"-----BEGIN [^\r\n-]{1,60}-----\r?\n(?:[A-Za-z]+: [^\r\n]*\r?\n)*([A-Za-z0-9+/=\r\n]+)-----END ")
_MOST_DEPTH = 3
_MOST_READ = 500_000
_BESIDE = 90


def objection(file: Attachment, hide: Hiding) -> str:
    """Say in words, for the agent, why this file cannot go to a customer; "" where it can."""
    name = clean(file.name, 80)
    if not _is_text(file.content_type, file.name):
        lower = file.content.lower()
        if _tells_token(lower, hide):
            return _token_words(name)
        return _address_words(name, tuple(own for own in hide.own if own.encode() in lower), hide)
    named: tuple[str, ...] = ()
    for form in _forms(file.content, file.content_type.lower(), file.name.lower()):
        if _tells_token(form, hide):
            return _token_words(name)
        for text in _read(form):
            if hide.holds_token(text):
                return _token_words(name)
            named = named or hide.names(text)
    return _address_words(name, named, hide)


def _read(form: bytes) -> tuple[str, ...]:
    plain = form.decode("utf-8", "replace")
    # A reading of 10 MB takes a second. Who sends a log that long did not disguise what is in it.
    return readings(plain) if len(plain) < _MOST_READ else (plain.replace("%40", "@"),)


def _token_words(name: str) -> str:
    return f"the attachment {name!r} holds a reply address that is yours alone: take it out of the file"


def _address_words(name: str, named: tuple[str, ...], hide: Hiding) -> str:
    if not named:
        return ""
    if named[0] in hide.own:
        return f"your attachment {name!r} names your own address, which customers do not see: take it out of the file"
    return f"your attachment {name!r} names an agent's address ({named[0]}), which customers do not see: take it out"


def _is_text(content_type: str, name: str) -> bool:
    kind = content_type.lower()
    if kind.startswith(("text/", "message/")) or kind in _TYPES or kind.endswith(("+json", "+xml")):
        return True
    return name.lower().endswith(_NAMES)


def _tells_token(lower: bytes, hide: Hiding) -> bool:
    """Search octets (lower case) as they lie; only around our domains' names, since a pattern over all takes seconds."""
    if any(secret.encode() in lower for secret in hide.secrets):
        return True
    for domain in hide.domains:
        wanted = domain.encode()
        at = lower.find(wanted)
        while at >= 0:
            if hide.told.search(lower[max(0, at - _BESIDE) : at + len(wanted)].replace(b"%40", b"@").decode("latin-1")):
                return True
            at = lower.find(wanted, at + len(wanted))
    return False


def _forms(content: bytes, kind: str, name: str, depth: int = 0) -> Iterator[bytes]:
    """Give the octets of a text as they lie and as they are meant, in lower case."""
    plain = content.replace(b"\x00", b"")  # what is left of ASCII letters in UTF-16 and UTF-32
    yield plain.lower()
    if (unfolded := re.sub(rb"\r?\n[ \t]", b"", plain)) != plain:
        yield unfolded.lower()
    if b"=" in plain:
        yield binascii.a2b_qp(plain).lower()
    for armoured in _ARMOUR.finditer(plain):
        yield unbase64(armoured[1].partition(b"\n=")[0]).lower()
    if depth < _MOST_DEPTH and (kind.startswith("message/") or name.endswith(".eml")):
        for part in message_from_bytes(plain).walk():
            leaf = part.get_payload(decode=True)
            if isinstance(leaf, bytes):
                yield from _forms(leaf, part.get_content_type(), (part.get_filename() or "").lower(), depth + 1)
