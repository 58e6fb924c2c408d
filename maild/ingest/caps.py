"""Cheap limits on raw octets, applied before anything expensive looks at them.

A header of 100 kB can cost a parser half a minute; these limits cost one linear scan. What they cut away is named in
words, and the original octets stay untouched in the ledger.
"""

import re
from dataclasses import dataclass

HEAD_OCTETS = 256 * 1024
FIELD_OCTETS = 64 * 1024
FIELDS = 1000
LEVELS = 100
PARTS = 500
TEXT_OCTETS = 4 * 1024 * 1024
PARAMETERS = 100

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_MBOX_LINE = re.compile(rb">?From ")
_END = re.compile(rb"\r?\n(?:\r?\n|\Z)|\r\r(?!\n)")
_BLANK = re.compile(rb"(?:[ \t]*\r?\n){1,50}")


@dataclass(frozen=True, slots=True)
class Head:
    """A header block in raw octets, unfolded, and the offset at which the body begins."""

    fields: tuple[tuple[str, bytes], ...]
    body_at: int
    defects: tuple[str, ...]


def is_field(line: bytes) -> bool:
    """Tell whether a line begins a header field (RFC 5322 section 2.2)."""
    return _FIELD.match(line) is not None


def split_head(octets: bytes, start: int = 0) -> Head:
    """Find the header block that begins at `start`, within the limits of this module. Never raises."""
    blank = _BLANK.match(octets, start)
    if blank and is_field(octets[blank.end() : blank.end() + 300]):
        start = blank.end()
    elif octets[start : start + 1] in (b"\n", b"\r"):
        return Head((), start + (2 if octets[start : start + 2] == b"\r\n" else 1), ())
    end = _END.search(octets, start)
    stop, body_at = (end.start(), end.end()) if end else (len(octets), len(octets))
    defects: list[str] = []
    if stop - start > HEAD_OCTETS:
        defects.append(f"header block of {stop - start} octets cut at {HEAD_OCTETS}")
        stop = start + HEAD_OCTETS
    return _fields(octets, start, stop, body_at, defects)


def _fields(octets: bytes, start: int, stop: int, body_at: int, defects: list[str]) -> Head:
    lines = octets[start:stop].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    found: list[tuple[str, list[bytes]]] = []
    junk = -1
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t"):
            if found:
                found[-1][1].append(line)
        elif match := _FIELD.match(line):
            if len(found) == FIELDS:
                defects.append(f"header fields after the first {FIELDS} left out")
                break
            found.append((match.group(1).decode("ascii"), [line[match.end() :]]))
        elif not line or (_MBOX_LINE.match(line) and number == 0):
            continue
        elif not any(map(is_field, lines[number + 1 : number + 50])):
            junk = number
            break
        elif found:
            # Seen in practice: long fields folded without the leading blank.
            defects.append("a line of the header block has no colon")
            found[-1][1].append(b" " + line)
    if junk >= 0:
        defects.append("no empty line between the header block and the body")
        body_at = _offset(octets, start, junk)
    return Head(tuple((name, _join(name, raw, defects)) for name, raw in found), body_at, tuple(dict.fromkeys(defects)))


def _offset(octets: bytes, at: int, lines: int) -> int:
    for match in re.finditer(rb"\r\n|\n|\r", octets[at : at + HEAD_OCTETS]):
        if lines == 0:
            break
        lines -= 1
        if lines == 0:
            return at + match.end()
    return at


def _join(name: str, raw: list[bytes], defects: list[str]) -> bytes:
    value = b"".join(raw).strip(b" \t")
    if len(value) > FIELD_OCTETS:
        defects.append(f"header {name[:40]} of {len(value)} octets cut at {FIELD_OCTETS}")
        value = value[:FIELD_OCTETS]
    return value
