"""Header fields as people meant them: RFC 5322, 2047 and 2231, read with tolerance and in linear time."""

import re
from binascii import a2b_base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from maild.ingest import caps, charset
from maild.mail import Address

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x80-\x9f\u2028\u2029]+")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_PADDINGS = 100_000
"""More than so many times "=" are noise: nobody joins so many encoded files into one."""
_BRACKETED = re.compile(r"<([^<>]*)>")
_ID = re.compile(r"[^\s<>@,;\"()]+@[^\s<>@,;\"]+|\"[^\"<>\s]+\"@[^\s<>@]+|[^\s<>@,;:()]{16,}")
_SPACE = re.compile(r"\s+")
_NOT_IN_ID = re.compile(r"[<>\s]+")


@dataclass(frozen=True, slots=True)
class Value:
    """A structured field: its main value (lower case) and its parameters, decoded (RFC 2231)."""

    main: str
    parameters: dict[str, str]


def clean(text: str) -> str:
    """Make a decoded value safe to put on one line: controls and line ends become one space."""
    return _CONTROL.sub(" ", text).replace("\t", " ").strip()


def raw_text(octets: bytes, declared: str = "") -> str:
    """Give the letters of a raw field: UTF-8, else the charset declared for the body, else windows-1252."""
    if octets.isascii() and b"\x1b" not in octets:
        return octets.decode("ascii")
    try:
        return octets.decode("utf-8") if b"\x1b" not in octets else charset.decode(octets, "iso-2022-jp")[0]
    except UnicodeDecodeError:
        return charset.decode(octets, declared if charset.codec(declared) else "iso-8859-1")[0]


def unbase64(octets: bytes) -> bytes:
    """Decode base64, whatever stands between: foreign characters are skipped, missing padding is added."""
    clear = octets.translate(None, _NOT_BASE64)
    if clear.count(b"=") > _PADDINGS:
        clear = clear.replace(b"=", b"")
    out = bytearray()
    for piece in clear.split(b"="):
        whole = piece[:-1] if len(piece) % 4 == 1 else piece
        out += a2b_base64(whole + b"=" * (-len(whole) % 4))
    return bytes(out)


def _word_octets(encoding: str, text: str) -> bytes:
    octets = text.encode("utf-8", "surrogateescape")
    if encoding in "bB":
        return unbase64(octets)
    return _HEX.sub(lambda m: bytes([int(m.group(1), 16)]), octets.replace(b"_", b" "))


def _word_at(text: str, at: int) -> tuple[str, str, str, int] | None:
    """Read the encoded word that begins at `at`: (charset, encoding, encoded text, offset behind it)."""
    first = text.find("?", at + 2, at + 80)
    if first < 0 or text[first + 2 : first + 3] != "?" or text[first + 1] not in "bBqQ":
        return None
    end = text.find("?=", first + 3)
    # The text of a Q word may itself begin with "=", as in "?Q?=41?=".
    if end < 0:
        return None
    return text[at + 2 : first].partition("*")[0], text[first + 1], text[first + 3 : end], end + 2


def decode_words(text: str) -> str:
    """Decode the encoded words of RFC 2047 wherever they stand, joining neighbours before their letters are read."""
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: tuple[str, list[bytes]] | None = None
    at = 0
    last_end = text.rfind("?=")
    while True:
        start = text.find("=?", at)
        word = _word_at(text, start) if 0 <= start < last_end else None
        if start < 0 or start >= last_end:
            break
        if word is None:
            between, at = text[at : start + 2], start + 2
            if pending:
                out.append(charset.decode(b"".join(pending[1]), pending[0])[0])
                pending = None
            out.append(between)
            continue
        label, encoding, encoded, end = word
        between = text[at:start]
        octets = _word_octets(encoding, encoded)
        if pending and not between.strip() and pending[0].lower() == label.lower():
            pending[1].append(octets)
        else:
            if pending:
                out.append(charset.decode(b"".join(pending[1]), pending[0])[0])
                between = between if between.strip() else ""
            out.append(between)
            pending = (label, [octets])
        at = end
    if pending:
        out.append(charset.decode(b"".join(pending[1]), pending[0])[0])
    out.append(text[at:])
    return "".join(out)


def _scan(text: str, stops: str) -> Iterable[str]:  # noqa: C901 - a scanner reads best in one piece
    """Split at `stops` outside quoted strings, comments, angle brackets and encoded words. Linear."""
    piece: list[str] = []
    at, depth, quoted, angle = 0, 0, False, False
    last_word_end, last_quote, last_angle = text.rfind("?="), text.rfind('"'), text.rfind(">")
    while at < len(text):
        char = text[at]
        if char == "\\" and (quoted or depth):
            piece.append(text[at : at + 2])
            at += 2
            continue
        if (
            char == "="
            and not quoted
            and at < last_word_end
            and text.startswith("=?", at)
            and (word := _word_at(text, at))
        ):
            piece.append(text[at : word[3]])
            at = word[3]
            continue
        if char == '"' and not depth:
            quoted = not quoted and at < last_quote
        elif not quoted:
            if char == "(":
                depth += 1
            elif char == ")" and depth:
                depth -= 1
            elif char == "<" and not depth:
                angle = at < last_angle
            elif char == ">":
                angle = False
            elif char in stops and not depth and not angle:
                yield "".join(piece)
                piece = []
                at += 1
                continue
        piece.append(char)
        at += 1
    yield "".join(piece)


def value(text: str) -> Value:
    """Read `main; name=value; name*0*=...` (RFC 2045 section 5.1, RFC 2231). Never raises."""
    pieces = []
    for piece in _scan(text, ";"):
        pieces.append(piece)
        if len(pieces) > caps.PARAMETERS:
            break
    plain: dict[str, str] = {}
    pieced: dict[str, dict[int, tuple[bool, str]]] = {}
    for piece in pieces[1:]:
        name, equals, given = piece.partition("=")
        name, given = name.strip().lower(), given.strip()
        if not equals or not name:
            continue
        given = _unquote(given)
        stem, star, rest = name.partition("*")
        if not star:
            plain.setdefault(name, given)
            continue
        number, _, _ = rest.partition("*")
        index = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 0
        pieced.setdefault(stem, {}).setdefault(index, (rest.endswith("*") or not rest, given))
    parameters = {name: decode_words(given) for name, given in plain.items()}
    for stem, numbered in pieced.items():
        parameters[stem] = _joined(numbered)
    main = _SPACE.sub("", re.sub(r"\([^()]*\)", "", pieces[0])).strip("\"'").lower()
    return Value(main, {name: clean(given) for name, given in parameters.items()})


def _unquote(text: str) -> str:
    if text[:1] == '"':
        end = text.rfind('"')
        text = text[1:end] if end > 0 else text[1:]
        return re.sub(r"\\([\\\"])", r"\1", text)
    return text


def _joined(numbered: dict[int, tuple[bool, str]]) -> str:
    label, octets, parts = "", b"", []
    for position, index in enumerate(sorted(numbered)):
        extended, text = numbered[index]
        if extended and position == 0 and text.count("'") >= 2:
            label, _, text = text.split("'", 2)
        octets = text.encode("utf-8", "surrogateescape")
        parts.append(
            re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m.group(1), 16)]), octets) if extended else octets
        )
    joined = b"".join(parts)
    return decode_words(charset.decode(joined, label or "utf-8")[0])


def comments(text: str) -> tuple[str, str]:
    """Take the comments out: (the rest, the last comment's text); nothing where one does not end."""
    if "(" not in text:
        return text, ""
    rest: list[str] = []
    comment: list[str] = []
    last, depth, quoted, at = "", 0, False, 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            (comment if depth else rest).append(text[at : at + 2])
            at += 2
            continue
        if char == '"' and not depth:
            quoted = not quoted
        if char == "(" and not quoted:
            depth += 1
            if depth == 1:
                comment = []
            else:
                comment.append(char)
        elif char == ")" and depth and not quoted:
            depth -= 1
            last = "".join(comment) if not depth else last
            if depth:
                comment.append(char)
        else:
            (comment if depth else rest).append(char)
        at += 1
    return ("".join(rest), last) if not depth else (text, "")


# Possessive, and matched to its end where it has none: looked for anew at each of its quotes it would cost their square.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)("?)', re.DOTALL)


def _unquoted(found: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", found[1]) if found[2] else found[0]


def _name(text: str) -> str:
    text = text.strip()
    text = _QUOTED.sub(_unquoted, text)
    text = decode_words(text)
    return clean(_SPACE.sub(" ", text)).strip("\"' ")


def _mailbox(text: str, *, again: bool = True) -> Address | None:  # noqa: PLR0911 - one return a form seen in practice
    opened = text.rfind("<")
    if opened >= 0:
        closed = text.find(">", opened)
        inner = text[opened + 1 : closed if closed >= 0 else len(text)]
        address = _SPACE.sub("", comments(inner)[0])
        if address.startswith("@") and ":" in address:  # RFC 5322 section 4.4: an obsolete route
            address = address.partition(":")[2]
        address = re.sub(r"^mailto:", "", address, flags=re.IGNORECASE)
        outer, comment = comments(text[:opened])
        name = _name(outer) or _name(comment)
        if not name and closed >= 0:
            name = _name(comments(text[closed + 1 :])[1])
        if "@" in address or not again:
            return Address(name, clean(decode_words(address))) if address else None
        if address and name and "@" in name and " " not in name:
            return Address("", name)
        return Address(name, clean(address)) if address else None
    rest, comment = comments(text)
    bare = rest.strip().strip("'")
    if again and "=?" in bare and (decoded := decode_words(bare)) != bare:
        return _mailbox(decoded, again=False)
    if "@" not in bare:
        return None
    words = bare.split()
    if len(words) > 1 and not bare.startswith('"'):
        # Seen in practice: a name and an address without brackets.
        at = next((w for w in reversed(words) if "@" in w), "")
        name = " ".join(w for w in words if w is not at)
        return Address(_name(name), clean(at.strip("[]()<>,;")))
    return Address(_name(comment), clean(bare.replace(" ", "")))


def addresses(text: str) -> tuple[Address, ...]:
    """Give the mailboxes of an address list, groups opened up; what names no mailbox is left out (RFC 5322 3.4)."""
    found: list[Address] = []
    for piece in _scan(text, ",;"):
        inner = piece.strip()
        head, colon, tail = inner.partition(":")
        if colon and "@" not in head and "<" not in head and '"' not in head and "=?" not in head:
            inner = tail.strip()
        if inner and (mailbox := _mailbox(inner)) is not None:
            found.append(mailbox)
    return tuple(found)


def bare_id(text: str) -> str:
    """Give an id as ids are compared: without brackets, blanks and controls."""
    return _NOT_IN_ID.sub("", clean(text))


def message_ids(text: str) -> tuple[str, ...]:
    """Give the Message-IDs of a field, without brackets, each once, in order; junk in the brackets is none."""
    inner = [
        _SPACE.sub("", piece) if "@" in piece and piece.count(" ") == 0 else piece.strip()
        for piece in _BRACKETED.findall(text)
    ]
    if not inner and len(words := text.split()) == 1:
        inner = [words[0].strip("<>")]
    return tuple(dict.fromkeys(bare_id(one) for one in inner if _ID.fullmatch(one)))


def message_id(text: str) -> str:
    """Give the one Message-ID of a Message-ID field; whatever stands alone in brackets counts here."""
    if ids := message_ids(text):
        return ids[0]
    bare = text.strip().strip("<>").strip()
    return bare_id(bare) if bare and not _SPACE.search(bare) and len(bare) < 1000 else ""


def date(text: str) -> datetime | None:
    """Give the instant of a Date field in UTC, or None where it names none. A missing zone is UTC."""
    try:
        found = parsedate_to_datetime(text[:200])
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
