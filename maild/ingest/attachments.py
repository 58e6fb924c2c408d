"""Attachments as data: a name that is safe to show and to save, octets, and their digest."""

import hashlib
import re
import unicodedata

from maild.ingest import caps, headers, mime
from maild.mail import Attachment

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "text/rfc822-headers": ".txt",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "application/pgp-signature": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/ms-tnef": ".dat",
}


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


def attachment(part: mime.Part, number: int, octets: bytes) -> Attachment:
    """Build the attachment of a part; where it has no name, its number and kind make one."""
    kind = part.kind.main
    name = given_name(part)
    if not name and kind in ("message/rfc822", "message/global"):
        inner = caps.split_head(octets[:20_000])
        subject = next((value for key, value in inner.fields if key.lower() == "subject"), b"")
        title = safe_name(
            headers.clean(headers.decode_words(headers.raw_text(subject))).replace("/", "-").replace("\\", "-")
        )
        name = f"{title[:100]}.eml" if title else ""
    if not name:
        name = f"part-{number}{_EXTENSIONS.get(kind, '.bin')}"
    identity = content_id(part)
    shown = part.disposition.main == "inline" or bool(
        identity
        and part.disposition.main != "attachment"
        and part.parent
        and part.parent.kind.main == "multipart/related"
    )
    return Attachment(name, kind, octets, hashlib.sha256(octets).hexdigest(), shown, identity)


def plain(name: str, kind: str, octets: bytes) -> Attachment:
    """Build an attachment that is no part of its own: a uuencoded file, or an original that could not be parsed."""
    return Attachment(safe_name(name) or "file.bin", kind, octets, hashlib.sha256(octets).hexdigest(), False, "")  # noqa: FBT003 - a field
