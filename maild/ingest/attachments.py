"""Attachments as data: a name that is safe to show and to save, octets, and their digest."""

import hashlib
import re
import unicodedata

from maild.ingest import caps, headers, mime
from maild.mail import Attachment

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_EXTENSIONS = {
    "text/plain": ".txt",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "message/feedback-report": ".txt",
    "text/rfc822-headers": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
}
_KINDS = {ending: kind for kind, ending in reversed(_EXTENSIONS.items())}
_NAMES = {
    "application/pgp-encrypted": "version.asc",
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/ms-tnef": "winmail.dat",
    "application/vnd.ms-tnef": "winmail.dat",
}
"""Names that mail programs know these parts by."""


def safe_name(name: str) -> str:
    """Give a file name without path, controls, bidi marks or leading dots, at most 200 letters; may be empty."""
    name = _UNSAFE.sub("", unicodedata.normalize("NFC", name))
    name = re.split(r"[/\\]", name)[-1] if not re.search(r"[/\\]\s*$", name) else ""
    name = name.strip().lstrip(".").strip() if name.strip(". ") else ""
    if len(name) > 200:
        stem, dot, extension = name.rpartition(".")
        name = stem[: 199 - len(extension)] + dot + extension if dot and len(extension) < 20 else name[:200]
    return name


def given_name(part: mime.Part) -> str:
    """Give the safe name that a part's own headers state, or ""."""
    return safe_name(part.disposition.parameters.get("filename") or part.kind.parameters.get("name") or "")


def content_id(part: mime.Part) -> str:
    """Give the part's Content-ID without brackets, or ""."""
    return headers.clean(part.raw("Content-ID")).strip("<> ")


def name(part: mime.Part, number: int, octets: bytes = b"") -> str:
    """Give a safe name that is never empty: the part's own, or one made of what it is, its title or its number."""
    kind = part.kind.main
    if given := given_name(part):
        return given
    if kind in ("message/rfc822", "message/global"):
        inner = caps.split_head(octets[:20_000])
        subject = next((value for key, value in inner.fields if key.lower() == "subject"), b"")
        words = headers.clean(headers.decode_words(headers.raw_text(subject))).replace("/", "-").replace("\\", "-")
        if title := safe_name(words):
            return f"{title[:100]}.eml"
    if part.parent is not None and part.parent.kind.main == "multipart/encrypted" and kind not in _NAMES:
        return "encrypted.asc"
    return _NAMES.get(kind) or f"part-{number}{_EXTENSIONS.get(kind, '.bin')}"


def attachment(part: mime.Part, number: int, octets: bytes) -> Attachment:
    """Build the attachment of a part; where it has no name, its number and kind make one."""
    identity = content_id(part)
    shown = part.disposition.main == "inline" or bool(
        identity
        and part.disposition.main != "attachment"
        and part.parent
        and part.parent.kind.main == "multipart/related"
    )
    digest = hashlib.sha256(octets).hexdigest()
    kind = "application/pkcs7-mime" if mime.is_pkcs7(part) else part.kind.main
    return Attachment(name(part, number, octets), kind, octets, digest, shown, identity)


def plain(title: str, kind: str, octets: bytes, identity: str = "") -> Attachment:
    """Build an attachment that is no part of its own: uuencoded, out of a winmail.dat, or an original.

    A `kind` that is no media type is told by the name's ending.
    """
    safe = safe_name(title) or "file.bin"
    if not re.fullmatch(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", kind, re.ASCII):
        kind = _KINDS.get("." + safe.rpartition(".")[2].lower(), "application/octet-stream")
    identity = headers.clean(identity).strip("<> ")
    return Attachment(safe, kind.lower(), octets, hashlib.sha256(octets).hexdigest(), False, identity)  # noqa: FBT003 - a field
