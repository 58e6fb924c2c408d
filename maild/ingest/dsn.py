"""Delivery status notifications: RFC 3464 first, then what flufl.bounce makes of older and home-made forms."""

import email
import re
from collections.abc import Iterable
from email.message import Message

from flufl.bounce import all_failures  # type: ignore[import-untyped,unused-ignore] # it ships no types

from maild.ingest import caps, headers, mime
from maild.mail import Delivery

_ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})
_OCTETS = 200_000
_RECIPIENTS = 100
# Its parsers take the square of a field's length, and each of the thirty does.
_LONG_LINE = re.compile(rb"([^\r\n]{1000})[^\r\n]+")
_LONG_FIELD = re.compile(rb"((?:\r?\n[ \t][^\r\n]*+){30})(?:\r?\n[ \t][^\r\n]*+)++")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_INNER_ID = re.compile(r"^[>\s]{0,4}Message-I[dD]:\s*(<[^<>\s]{3,400}>)", re.MULTILINE | re.IGNORECASE)


def deliveries(tree: mime.Tree, octets: bytes, text: str) -> tuple[Delivery, ...]:
    """Give what a bounce says of each recipient; empty where it names none. Never raises."""
    original = original_id(tree, text)
    found = [
        one
        for leaf in tree.leaves
        if leaf.kind.main in ("message/delivery-status", "message/global-delivery-status")
        for one in _groups(leaf, original)
    ]
    if not found:
        found = _failed_recipients(tree.root, original)
    if not found:
        found = _detected(octets, text, original)
    return tuple(dict.fromkeys(found))[:_RECIPIENTS]


def original_id(tree: mime.Tree, text: str) -> str:
    """Give the Message-ID of the mail that a report is about: from the part that holds it, else from the text."""
    for leaf in tree.leaves:
        if leaf.kind.main in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"):
            inner, _ = mime.content(leaf)
            for name, value in caps.split_head(inner[: caps.HEAD_OCTETS]).fields:
                if name.lower() == "message-id":
                    return headers.message_id(headers.raw_text(value))
    match = _INNER_ID.search(text[: caps.HEAD_OCTETS])
    return headers.message_id(match.group(1)) if match else ""


def _groups(leaf: mime.Part, original: str) -> list[Delivery]:
    body, _ = mime.content(leaf)
    found = []
    for block in re.split(rb"\r?\n[ \t]*\r?\n", body.strip()[: caps.HEAD_OCTETS])[: _RECIPIENTS + 1]:
        fields = {
            name.lower(): headers.clean(headers.decode_words(headers.raw_text(value)))
            for name, value in caps.split_head(block + b"\n\n").fields
        }
        recipient = _typed(fields.get("original-recipient", "")) or _typed(fields.get("final-recipient", ""))
        if not recipient:
            continue
        status = match.group(1) if (match := _STATUS.search(fields.get("status", ""))) else ""
        action = fields.get("action", "").split(" ")[0].lower()
        if action not in _ACTIONS:
            action = "delayed" if status.startswith("4") else "delivered" if status.startswith("2") else "failed"
        found.append(Delivery(recipient, action, status, _typed(fields.get("diagnostic-code", ""))[:1000], original))
    return found


def _typed(value: str) -> str:
    """Take off the type of a typed field, as in "rfc822; user@host" (RFC 3464 section 2.1.2)."""
    kind, semicolon, rest = value.partition(";")
    return (rest if semicolon and len(kind) < 20 else value).strip().strip("<>")


def _failed_recipients(root: mime.Part, original: str) -> list[Delivery]:
    named = headers.addresses(root.raw("X-Failed-Recipients"))
    return [Delivery(address.address, "failed", "", "", original) for address in named]


def _detected(octets: bytes, text: str, original: str) -> list[Delivery]:
    temporary, permanent = detect(octets)
    status = match.group(1) if (match := _STATUS.search(text[:20_000])) else ""
    failed = [
        Delivery(one, "failed", status if status.startswith("5") else "", "", original) for one in sorted(permanent)
    ]
    return failed + [
        Delivery(one, "delayed", status if status.startswith("4") else "", "", original)
        for one in sorted(temporary - permanent)
    ]


def detect(octets: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Ask flufl.bounce over the first octets: (recipients delayed, recipients failed), lower case."""
    try:
        short = _LONG_FIELD.sub(rb"\1", _LONG_LINE.sub(rb"\1", octets[:_OCTETS]))
        message: Message = email.message_from_bytes(short)
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - the edge to a library that runs thirty parsers over hostile text
        return frozenset(), frozenset()
    return _plain(temporary), _plain(permanent)


def _plain(found: Iterable[bytes]) -> frozenset[str]:
    return frozenset(one.decode("utf-8", "replace").strip("<> ").lower() for one in found if b"@" in one)
