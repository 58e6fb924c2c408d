"""The one gate: nothing leaves whose header is not exactly what was decided.

`clean` makes foreign text fit for a header, `wire_address` and `wire_ids` do so for addresses and Message-IDs, and
`check` reads the final octets again, with other code than wrote them, before they become a row of the outbox.
"""

import binascii
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

MARK_HEADER = "X-Maild-Loop"
"""The loop mark: every mail of ours carries it, with the desk's address for a value (RFC 3834 section 5)."""

PART_HEADERS = frozenset({"content-type", "content-transfer-encoding", "content-disposition", "content-id"})
BOUNDARY = "=_maild_"
"""How every boundary of ours begins. Neither quoted-printable nor base64 can hold `=_` (RFC 2045 section 6.7)."""

_MOST_ID = 512
_MOST_LINE = 998
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,40}\?[bqBQ]\?[^?]*\?=")
_MSGID = re.compile(r"[!-;=?-~]+\Z")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}\Z")
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
_FIELD = re.compile(rb"([!-9;-~]+):[ ]([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)\r\n")
_PART_HEAD = re.compile(rb"--" + re.escape(BOUNDARY.encode()) + rb"[0-9a-z.]+(?:--\r\n|\r\n(.*?)\r\n\r\n)", re.DOTALL)
_ONCE = ("From", "To", "Subject", "Date", "Message-ID")


class GateRefusal(ValueError):  # noqa: N818 - the gate refuses, which is a decision and no accident
    """A mail that must not leave, with the reason in words for the operator or the agent."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What composition decided, for `check`: header names in order, the one recipient, and what must not appear.

    `named` are the addresses of To and Cc in order, among them the recipient; () for him alone.

    `hidden` is true of a text that tells what must not leave (an agent's address, his token); it is asked for the envelope,
    the header block and `texts`, which are the readable parts before they were encoded.
    """

    names: tuple[str, ...]
    rcpt: str
    envelope_from: str
    hidden: Callable[[str], object] | None = None
    texts: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    def tells(self, text: str) -> bool:
        """Say whether a text holds what must not leave."""
        return self.hidden is not None and bool(self.hidden(text))


def _decode_words(text: str) -> str:
    """Decode every encoded word (RFC 2047), again while decoding reveals new ones, at most five times."""
    for _ in range(5):
        if not _ENCODED_WORD.search(text):
            break
        text = _ENCODED_WORD.sub(_decode_word, text)
    return text


def _decode_word(found: re.Match[str]) -> str:
    try:
        ((octets, charset),) = decode_header(found.group())
    except (HeaderParseError, ValueError, binascii.Error):
        return ""
    if not isinstance(octets, bytes):
        return ""
    try:
        return octets.decode(charset or "ascii", "replace")
    except (LookupError, UnicodeError):
        return octets.decode("latin-1")


def clean(text: str, limit: int = 200) -> str:
    """Make foreign text fit for one header line: encoded words decoded, controls gone, at most `limit` characters.

    C0, C1, U+2028, U+2029 and every kind of white space become one space; bidi, zero-width and other format characters,
    lone surrogates and unassigned code points vanish. What still looks like an encoded word is broken, so that no
    reader decodes it a second time.
    """
    kept: list[str] = []
    decoded = _decode_words(text[: limit * 20])
    # Printable ASCII is nearly all there is, and has nothing to be cleaned of.
    plainly = decoded.isascii() and decoded.isprintable()
    for char in () if plainly else decoded:
        kind = unicodedata.category(char)
        if kind in ("Cc", "Zl", "Zp", "Zs"):
            kept.append(" ")
        elif kind not in ("Cf", "Cs", "Cn", "Co"):
            kept.append(char)
    plain = " ".join((decoded if plainly else "".join(kept)).split()).replace("=?", "= ?")
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def wire_address(address: str) -> str:
    """Give an addr-spec in the ASCII form that MAIL, RCPT and the header take (RFC 5321 section 4.1.2, IDNA).

    Raises GateRefusal for what is none: controls, spaces, quoted local parts, a local part that needs SMTPUTF8.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.match(local):
        raise GateRefusal(f"{clean(address)!r} is no address we can send to: its local part is not plain ASCII")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError as fault:
            raise GateRefusal(f"{clean(address)!r} is no address we can send to: its domain is none") from fault
    if not _DOMAIN.match(domain) or len(domain) > 253 or ".." in domain:
        raise GateRefusal(f"{clean(address)!r} is no address we can send to: its domain is none")
    return f"{local}@{domain}"


def wire_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Keep the Message-IDs that can stand in a header as plain text, each once, in order, without brackets.

    One that looks like an encoded word is dropped: a reader might decode it.
    """
    stripped = (msgid.strip().removeprefix("<").removesuffix(">") for msgid in ids)
    fit = (msgid for msgid in stripped if len(msgid) <= _MOST_ID and "=?" not in msgid and _MSGID.match(msgid))
    return tuple(dict.fromkeys(fit))


def wire_id(msgid: str) -> str:
    """Give one Message-ID of ours without brackets; raises GateRefusal where it is none."""
    kept = wire_ids((msgid,))
    if not kept or "@" not in kept[0]:
        raise GateRefusal(f"{clean(msgid)!r} is no Message-ID")
    return kept[0]


def _fields(octets: bytes) -> list[tuple[str, str]]:
    end = octets.find(b"\r\n\r\n")
    if end < 0:
        raise GateRefusal("the header block has no end")
    block = octets[: end + 2]
    fields: list[tuple[str, str]] = []
    position = 0
    while position < len(block):
        found = _FIELD.match(block, position)
        if found is None:
            raise GateRefusal("a header line is none")
        fields.append((found[1].decode("ascii"), found[2].decode("ascii")))
        position = found.end()
    return fields


def _check_octets(octets: bytes) -> None:
    if not octets.isascii() or b"\x00" in octets:
        raise GateRefusal("the octets are not 7-bit clean")
    ends = octets.count(b"\r\n")
    if ends != octets.count(b"\n") or ends != octets.count(b"\r"):
        raise GateRefusal("a bare CR or LF")
    begun = 0
    while len(octets) - begun > _MOST_LINE:
        end = octets.rfind(b"\n", begun, begun + _MOST_LINE + 2)
        if end < 0:
            raise GateRefusal(f"a line is longer than {_MOST_LINE} octets")
        begun = end + 1


def _check_parts(octets: bytes, begun: int) -> None:
    for found in _PART_HEAD.finditer(octets, begun):
        if found[1] is None:
            continue
        names = [line.partition(b":")[0].decode("ascii").lower() for line in re.split(rb"\r\n(?![ \t])", found[1])]
        if not set(names) <= PART_HEADERS or len(names) != len(set(names)):
            raise GateRefusal("a part has a header that was not decided")


def _check_readings(fields: list[tuple[str, str]], parsed: Message, decided: Decided) -> None:
    decided_names = Counter(name.lower() for name in decided.names)
    for reading, names in (("ours", [name for name, _ in fields]), ("a parser's", parsed.keys())):
        if Counter(name.lower() for name in names) != decided_names:
            raise GateRefusal(f"the header names are not those decided ({reading} reading)")
    if any(len(parsed.get_all(name, ())) != 1 for name in _ONCE):
        raise GateRefusal("not exactly one From, To, Subject, Date and Message-ID")
    named = [value for name in ("To", "Cc", "Bcc") for value in parsed.get_all(name, ())]
    wanted = decided.named or (decided.rcpt,)
    if [address for _, address in getaddresses(named)] != [*wanted] or decided.rcpt not in wanted:
        raise GateRefusal("the recipients are not those decided")
    if len(getaddresses(parsed.get_all("From", ()))) != 1:
        raise GateRefusal("From is not one mailbox")


def _check_values(fields: list[tuple[str, str]], decided: Decided) -> None:
    for name, value in fields:
        shown = _decode_words(value.replace("\r\n", ""))
        if not shown.isprintable() and any(
            unicodedata.category(char) in ("Cc", "Zl", "Zp") and char != "\t" for char in shown
        ):
            raise GateRefusal(f"{name} holds a control character once it is decoded")
        if decided.tells(shown) or decided.tells(value):
            raise GateRefusal(f"{name} tells what must not leave")


def check(octets: bytes, decided: Decided) -> None:
    """Read finished octets again and compare them with what was decided; raises GateRefusal at the first difference.

    Seen to: 7-bit clean, CRLF only, lines of 998 octets at most (RFC 5322 section 2.1.1); the multiset of header names
    in two readings; exactly one From, To, Subject, Date and Message-ID; the recipients of To, Cc and Bcc together; no
    control character in a decoded header; part headers of MIME only; the envelope's addresses.
    """
    _check_octets(octets)
    fields = _fields(octets)
    head = octets[: octets.index(b"\r\n\r\n") + 4]
    _check_readings(fields, message_from_bytes(head), decided)
    _check_values(fields, decided)
    _check_parts(octets, len(head))
    wire_address(decided.rcpt)
    if decided.envelope_from and wire_address(decided.envelope_from) != decided.envelope_from:
        raise GateRefusal("the return path is not in its wire form")
    if any(map(decided.tells, (decided.envelope_from, *decided.texts))):
        raise GateRefusal("the return path or the text tells what must not leave")
