"""How a mail is written down: header fields and MIME parts, octet for octet, with nothing left to chance.

The standard library's generator turns long Message-IDs into encoded words, decodes and re-encodes hostile subjects, and
draws boundaries at random. Here the same letter gives the same octets, all of them 7-bit.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import quote

from maild.outbound.gate import BOUNDARY, clean, wire_address, wire_ids

_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}\Z")
_WORD_OCTETS = 42
_HIGH = bytes(range(127, 256))
_CONTAINERS = ("multipart/", "message/")


@dataclass(frozen=True, slots=True)
class Part:
    """A MIME entity (RFC 2045): its own header lines, without line ends, and its encoded body, ending in CRLF."""

    head: tuple[str, ...]
    body: bytes

    @property
    def head_octets(self) -> bytes:
        """The header lines and the empty line behind them."""
        return "\r\n".join((*self.head, "", "")).encode("ascii")


def _encoded_words(text: str) -> str:
    """Write text as encoded words of UTF-8 in base64, each at most 75 characters and whole (RFC 2047 section 2)."""
    words: list[bytes] = [b""]
    for char in text:
        octets = char.encode()
        if len(words[-1]) + len(octets) > _WORD_OCTETS:
            words.append(b"")
        words[-1] += octets
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)


def _folded(text: str, indent: int) -> str:
    """Fold plain ASCII at its spaces near 78 columns (RFC 5322 section 2.2.3)."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        room = 76 - (indent if not lines else 1)
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join((*lines, line))


def text_field(name: str, text: str, limit: int = 200) -> tuple[str, str]:
    """Make an unstructured field (RFC 5322 section 2.2.1) of any text."""
    plain = clean(text, limit)
    long_word = any(len(word) > 60 for word in plain.split(" "))
    return name, _folded(plain, len(name) + 2) if plain.isascii() and not long_word else _encoded_words(plain)


def mailbox_field(name: str, display: str, address: str) -> tuple[str, str]:
    """Make a field of one mailbox (RFC 5322 section 3.4). Raises GateRefusal for an address that is none."""
    plain = clean(display, 100)
    spec = wire_address(address)
    if not plain:
        return name, spec
    if plain.isascii() and len(plain) <= 60:
        return name, '"{}" <{}>'.format(plain.replace("\\", "").replace('"', "'"), spec)
    return name, f"{_encoded_words(plain)}\r\n <{spec}>"


def addresses_field(name: str, addresses: tuple[str, ...]) -> tuple[str, str]:
    """Make a field of several addresses without names, one a line. Raises GateRefusal for one that is none."""
    return name, ",\r\n ".join(wire_address(address) for address in addresses)


def ids_field(name: str, ids: tuple[str, ...]) -> tuple[str, str]:
    """Make a field of Message-IDs (RFC 5322 section 3.6.4): plain text, one a line, never an encoded word."""
    return name, "\r\n ".join(f"<{msgid}>" for msgid in wire_ids(ids))


def _base64(content: bytes) -> bytes:
    text = base64.b64encode(content)
    return b"".join(text[start : start + 76] + b"\r\n" for start in range(0, len(text), 76)) or b"\r\n"


def text_part(subtype: str, text: str) -> Part:
    """Make a text part in UTF-8, quoted-printable, or base64 where that is shorter (RFC 2045 section 6)."""
    octets = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    octets = octets.replace(b"\x00", b"").rstrip(b"\n").replace(b"\n", b"\r\n") + b"\r\n"
    scripted = 6 * (len(octets) - len(octets.translate(None, _HIGH))) > len(octets)
    body = _base64(octets) if scripted else binascii.b2a_qp(octets, istext=True)
    encoding = "base64" if scripted else "quoted-printable"
    return Part((f"Content-Type: text/{subtype}; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"), body)


def file_name(name: str) -> str:
    """Give a file name that is no path: what stands after the last slash or backslash, without leading dots."""
    plain = re.sub(r'[<>:"|?*]', "_", re.split(r"[/\\]", clean(name, 1000))[-1]).lstrip(". ")
    while len(plain.encode()) > 180:
        plain = plain[:40] + plain[41:]
    return plain or "attachment"


def file_part(content_type: str, name: str, content: bytes, content_id: str = "") -> Part:
    """Make an attachment, or an inline image where it has a `content_id` (RFC 2183, RFC 2231, RFC 2392).

    A container type (multipart, message) may not be in base64 (RFC 2045 section 6.4): it travels as octets.
    """
    plain = content_type.lower()
    if not _TOKEN.match(plain) or plain.startswith(_CONTAINERS):
        plain = "application/octet-stream"
    shown = file_name(name)
    label = f'filename="{shown}"' if shown.isascii() else f"filename*=utf-8''{quote(shown, safe='')}"
    kind = "inline" if content_id else "attachment"
    head = [f"Content-Type: {plain}", "Content-Transfer-Encoding: base64", f"Content-Disposition: {kind};\r\n {label}"]
    if content_id:
        head.append(f"Content-ID: <{content_id}>")
    return Part(tuple(head), _base64(content))


def multipart(subtype: str, parts: tuple[Part, ...], boundary: str) -> Part:
    """Join parts (RFC 2046 section 5.1). `boundary` is unique in the mail; a part alone stays as it is."""
    if len(parts) == 1:
        return parts[0]
    line = f"{BOUNDARY}{boundary}"
    pieces = [piece for part in parts for piece in (f"--{line}\r\n".encode(), part.head_octets, part.body)]
    # One join: what is attached may have 20 MB, and each further + copies it.
    body = b"".join((*pieces, f"--{line}--\r\n".encode()))
    return Part((f'Content-Type: multipart/{subtype};\r\n boundary="{line}"',), body)


def message(fields: tuple[tuple[str, str], ...], body: Part) -> bytes:
    """Join header fields and a body to a whole message (RFC 5322)."""
    lines = [f"{name}: {value}" for name, value in fields]
    head = "\r\n".join((*lines, "MIME-Version: 1.0", "")).encode("ascii")
    return b"".join((head, body.head_octets, body.body))


def names(fields: tuple[tuple[str, str], ...], body: Part) -> tuple[str, ...]:
    """Give the names of the fields that `message` writes, for the gate to compare."""
    return (*(name for name, _ in fields), "MIME-Version", *(line.partition(":")[0] for line in body.head))
