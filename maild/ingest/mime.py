"""The tree of parts (RFC 2046), split on raw octets with bytes searches: any depth or number is cut off cheaply."""

import re
from binascii import Error as UuError
from binascii import a2b_qp, a2b_uu
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest

from maild.ingest import caps, cms, headers

_GUESS = re.compile(rb"(?:^|\n)--([^\s-][^\r\n]{0,69}?)[ \t]*\r?\n")
_LONGEST = 16 * 1024
"""Octets of a part's field that are read: each of hundreds of parts may have one as long as a field may be."""
_AFTER_MARK = re.compile(rb"(--)?[ \t]*(?:\r\n|\n|\r|\Z)")
_PKCS7 = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_WRAPPINGS = 3
"""RFC 2634 wraps a letter three times; nobody wraps it more often."""
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_KIND = re.compile(r"[!-.0-~]+/[!-.0-:<-~]+")
_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,200})\r?$", re.MULTILINE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")


@dataclass(slots=True)
class Part:
    """One entity of RFC 2045: its own fields, its content still encoded, and its children."""

    fields: tuple[tuple[str, bytes], ...]
    kind: headers.Value
    disposition: headers.Value
    body: bytes
    parent: "Part | None"
    children: tuple["Part", ...] = ()

    def raw(self, name: str) -> str:
        """Give the first field of that name, not decoded; "" where there is none."""
        wanted = name.lower()
        return next((headers.raw_text(value[:_LONGEST]) for key, value in self.fields if key.lower() == wanted), "")


@dataclass(slots=True)
class Tree:
    """A message cut into parts; `leaves` in the order of the octets, an S/MIME body before the letter that it holds."""

    root: Part
    leaves: tuple[Part, ...]
    defects: tuple[str, ...]


def _part(fields: tuple[tuple[str, bytes], ...], body: bytes, parent: Part | None, default: str) -> Part:
    part = Part(fields, headers.Value(default, {}), headers.Value("", {}), body, parent)
    kind = headers.value(part.raw("Content-Type"))
    if _KIND.fullmatch(kind.main):
        part.kind = kind
    elif kind.main in ("text", "plain", "html"):
        part.kind = headers.Value("text/html" if kind.main == "html" else "text/plain", kind.parameters)
    elif kind.parameters:
        part.kind = headers.Value(default, kind.parameters)
    part.disposition = headers.value(part.raw("Content-Disposition"))
    return part


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line that is a boundary: where it begins, where the octets behind it begin, whether it is the last one."""

    start: int
    end: int
    last: bool


def _marks(body: bytes, delimiter: bytes) -> Iterator[_Mark]:
    # A search for the plain octets first: a pattern alone would look at every octet of the body at every level.
    at = body.find(delimiter)
    while at >= 0:
        after = at + 1
        if (at == 0 or body[at - 1] in b"\r\n") and (rest := _AFTER_MARK.match(body, at + len(delimiter))):
            yield _Mark(at, rest.end(), bool(rest.group(1)))
            after = rest.end()
        at = body.find(delimiter, after)


def split(body: bytes, boundary: str) -> tuple[list[bytes], bool]:
    """Cut a multipart body at its boundary (RFC 2046 section 5.1.1): (the parts, whether it was closed)."""
    delimiter = b"--" + boundary.rstrip().encode("utf-8", "surrogateescape")
    pieces, begun, closed = [], -1, False
    marks = list(islice(_marks(body, delimiter), caps.PARTS * 2))
    for mark, following in zip_longest(marks, marks[1:]):
        if mark.last and following is not None and following.last:
            continue  # seen in practice: an inner boundary that looks like the end of the outer one
        if begun >= 0:
            pieces.append(_chop(body[begun : mark.start]))
        begun = -1 if mark.last else mark.end
        closed = mark.last
    if begun >= 0:
        pieces.append(body[begun:])
    return pieces, closed


def _chop(octets: bytes) -> bytes:
    """Take off the line end that belongs to the boundary."""
    if octets.endswith(b"\r\n"):
        return octets[:-2]
    return octets[:-1] if octets.endswith((b"\n", b"\r")) else octets


def tree(fields: tuple[tuple[str, bytes], ...], body: bytes) -> Tree:
    """Cut a message into its parts, within the limits. Never raises, never recurses."""
    root = _part(fields, body, None, "text/plain")
    defects: list[str] = []
    leaves: list[Part] = []
    work = [(root, 0)]
    parts = 1
    while work:
        part, level = work.pop()
        if not part.kind.main.startswith("multipart/"):
            leaves.append(part)
            if is_pkcs7(part) and (entity := _signed_entity(part)) is not None:
                part.children = (_child(entity, part, "text/plain"),)
                work.append((part.children[0], level + 1))
            continue
        if level >= caps.LEVELS:
            defects.append(f"MIME parts nested deeper than {caps.LEVELS} levels kept as one attachment")
            part.kind = headers.Value("application/octet-stream", {})
            leaves.append(part)
            continue
        pieces = _pieces(part, defects)
        if not pieces:
            part.kind = headers.Value("text/plain", part.kind.parameters)
            leaves.append(part)
            continue
        if parts + len(pieces) > caps.PARTS:
            defects.append(f"MIME parts after the first {caps.PARTS} left out")
            pieces = pieces[: max(0, caps.PARTS - parts)]
        parts += len(pieces)
        default = "message/rfc822" if part.kind.main == "multipart/digest" else "text/plain"
        part.body = b""  # else every level of a deep tree keeps its own copy
        part.children = tuple(_child(piece, part, default) for piece in pieces)
        work.extend((child, level + 1) for child in reversed(part.children))
    return Tree(root, tuple(leaves), tuple(dict.fromkeys(defects)))


def is_pkcs7(part: Part) -> bool:
    """Tell an S/MIME body (RFC 8551 section 3.2), by its type, or by its name where its type says nothing."""
    name = part.disposition.parameters.get("filename") or part.kind.parameters.get("name") or ""
    return part.kind.main in _PKCS7 or (part.kind.main == "application/octet-stream" and name.lower().endswith(".p7m"))


def _signed_entity(part: Part) -> bytes | None:
    """Give the MIME entity within an S/MIME body that is signed only, or None."""
    wrappings, above = 0, part.parent
    while above is not None:
        wrappings += is_pkcs7(above)
        above = above.parent
    return cms.signed(content(part)[0]) if wrappings < _WRAPPINGS else None


def _pieces(part: Part, defects: list[str]) -> list[bytes]:
    boundary = part.kind.parameters.get("boundary", "")
    pieces, closed = split(part.body, boundary) if boundary else ([], False)
    if not pieces and (guess := _GUESS.search(part.body[:20_000])):
        pieces, closed = split(part.body, headers.raw_text(guess.group(1)))
        closed = closed or len(pieces) > 1
        if not closed:
            pieces = []
        defects.append(
            "multipart with a boundary that its header does not name" if pieces else "multipart without its boundary"
        )
    elif not pieces:
        defects.append("multipart without its boundary")
    elif not closed:
        defects.append("multipart that is not closed")
    return pieces


def _child(octets: bytes, parent: Part, default: str) -> Part:
    first = octets[:500].lstrip(b" \t\r\n") if octets[:1] not in (b"\r", b"\n") else b""
    if not first or not caps.is_field(first):
        blank = octets[:1] in (b"\r", b"\n")
        skip = (2 if octets[:2] == b"\r\n" else 1) if blank else 0
        return _part((), octets[skip:], parent, default)
    head = caps.split_head(octets)
    return _part(head.fields, octets[head.body_at :], parent, default)


def content(part: Part) -> tuple[bytes, str]:
    """Undo the Content-Transfer-Encoding of a part (RFC 2045 section 6): (octets, a defect in words or "")."""
    encoding = (
        re.sub(r"\([^)]*\)", "", part.raw("Content-Transfer-Encoding")[:200]).strip(" \t;\"'").lower().split(" ")[0]
    )
    if encoding == "base64":
        sample = part.body[:4000]
        # Seen in practice: plain text that only claims to be base64.
        foreign = len(_NOT_BASE64.findall(sample))
        if part.kind.main.startswith("text/") and sample and (foreign * 50 > len(sample) or _wordy(sample)):
            if not _readable(decoded := headers.unbase64(part.body)):
                return part.body, "text declared as base64 is none"
            return decoded, "foreign characters in base64"
        return headers.unbase64(part.body), "foreign characters in base64" if foreign else ""
    if encoding in ("quoted-printable", "quotedprintable", "qp"):
        return a2b_qp(part.body), ""
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue") and (found := uu(part.body)):
        return found[1], ""
    known = ("", "7bit", "8bit", "binary", "7-bit", "8-bit")
    return part.body, "" if encoding in known or encoding.startswith(
        ("x-uu", "uu")
    ) else f"unknown transfer encoding {encoding[:30]!r}"


def _readable(octets: bytes) -> bool:
    """Tell text from what decoding makes of prose: UTF-8, and no controls in it."""
    try:
        return bool(octets) and not _CONTROLS.search(octets.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _wordy(sample: bytes) -> bool:
    """Tell prose from base64: several blanks within one line."""
    return any(line.strip().count(b" ") > 3 for line in sample.split(b"\n")[:5])


def uu(octets: bytes) -> tuple[str, bytes, int, int] | None:
    """Find one uuencoded file in text: (name, octets, where it begins, where it ends)."""
    begin = _UU_BEGIN.search(octets)
    if begin is None:
        return None
    out: list[bytes] = []
    at = begin.end() + 1
    while at < len(octets):
        end = octets.find(b"\n", at)
        end = len(octets) if end < 0 else end
        line = octets[at:end].rstrip(b"\r")
        at = end + 1
        if line.strip() == b"end":
            return headers.raw_text(begin.group(1)), b"".join(out), begin.start(), at
        try:
            out.append(a2b_uu(line))
        except UuError:
            # Seen in practice: encoders that pad the last group with garbage.
            short = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
            try:
                out.append(a2b_uu(line[:short]))
            except UuError:
                return None
    return None
