"""What Outlook packs into winmail.dat: files, and the letter itself (MS-OXTNEF).

Read within bounds: every length is checked against what is there, nothing is copied twice, a mail within a mail is cut
out without recursion. What cannot be read ends the reading, and what was found before stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct

from maild.ingest import caps, charset, rtf

SIGNATURE = b"\x78\x9f\x3e\x22"
_OBJECT = Struct("<BHHI")
_U32 = Struct("<I")
_PROPERTY = Struct("<HH")
_MOST = caps.PARTS
_DEPTH = 5
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
"""IID_IMessage: the object behind it is TNEF once more."""

_BODY, _MAPI, _CODEPAGE = 0x800C, 0x9003, 0x9007
_NEW_FILE, _FILE_TITLE, _FILE_DATA, _FILE_MAPI = 0x9002, 0x8010, 0x800F, 0x9005
_SIZES = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_ENDS = "winmail.dat ends before its time"
_MANY, _NAMED = 0x1000, 0x8000


@dataclass(slots=True)
class File:
    """One file out of a winmail.dat; `name`, `kind` and `content_id` as they stand there, each may be empty."""

    name: str = ""
    kind: str = ""
    content: bytes = b""
    content_id: str = ""


@dataclass(slots=True)
class Winmail:
    """What was found: the letter as text and as markup ("" where there is none), files, and defects in words."""

    text: str = ""
    markup: str = ""
    files: list[File] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)


class _Short(Exception):  # noqa: N818 - not an error of ours: the octets end before their own lengths do
    """The octets are fewer than they say."""


def read(octets: bytes) -> Winmail:
    """Take a winmail.dat apart. Never raises."""
    found = Winmail()
    work = [(found, octets, "", 0)]
    while work:
        whole, inside, title, depth = work.pop()
        for name, nested in _message(inside, whole):
            inner = Winmail(files=found.files, defects=found.defects)
            if depth >= _DEPTH:
                found.defects.append(f"mails nested deeper than {_DEPTH} levels in winmail.dat kept as they are")
                found.files.append(File(f"{name or 'mail'}.dat", "application/ms-tnef", nested))
                continue
            work.append((inner, nested, name, depth + 1))
        if depth and whole.text:
            found.files.append(File(f"{title or 'mail'}.txt", "text/plain", whole.text.encode()))
        elif depth and whole.markup:
            found.files.append(File(f"{title or 'mail'}.html", "text/html", whole.markup.encode()))
    found.defects = list(dict.fromkeys(found.defects))
    return found


def _message(octets: bytes, whole: Winmail) -> list[tuple[str, bytes]]:
    """Read one message into `whole`; give the messages within it, by name."""
    if not octets.startswith(SIGNATURE):
        whole.defects.append("winmail.dat that is no TNEF")
        return []
    reader = _Reader(whole)
    try:
        for level, name, data in _objects(octets):
            reader.take(level, name, data)
    except _Short:
        whole.defects.append(_ENDS)
    reader.end()
    return reader.nested


def _objects(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 6
    while at + _OBJECT.size <= len(octets):
        level, name, _, length = _OBJECT.unpack_from(octets, at)
        at += _OBJECT.size
        if at + length > len(octets):
            raise _Short
        yield level, name, octets[at : at + length]
        at += length + 2


class _Reader:
    """Gathers the objects of one message."""

    def __init__(self, whole: Winmail) -> None:
        self.whole = whole
        self.codepage = "cp1252"
        self.file: File | None = None
        self.title = ""
        self.message = b""
        self.nested: list[tuple[str, bytes]] = []

    def take(self, level: int, name: int, data: bytes) -> None:
        if name == _CODEPAGE and len(data) >= 4:
            self.codepage = _codepage(_U32.unpack_from(data)[0]) or self.codepage
        elif name == _BODY:
            self.whole.text = self.whole.text or _letters(data, self.codepage)
        elif name == _MAPI and level == 1:
            self._letter(self._found(data))
        elif name == _NEW_FILE:
            self.end()
            self.file = File()
        elif self.file is not None and level == 2:
            self._part(self.file, name, data)

    def _found(self, data: bytes) -> dict[int, tuple[int, bytes]]:
        found = {}
        try:
            for number, value in _properties(data):
                found[number] = value  # noqa: PERF403 - what came before the end is kept
        except _Short:
            self.whole.defects.append(_ENDS)
        return found

    def _letter(self, found: dict[int, tuple[int, bytes]]) -> None:
        kind, octets = found.get(0x3FDE, (0, b""))
        codepage = (_codepage(_U32.unpack(octets)[0]) if kind == 3 and len(octets) == 4 else None) or self.codepage
        plain, rich, packed = (_text(found.get(name), codepage) for name in (0x1000, 0x1013, 0x1009))
        self.whole.text = plain or self.whole.text
        self.whole.markup = rich or self.whole.markup
        if packed and not (self.whole.text and self.whole.markup):
            text, markup = rtf.read(found[0x1009][1])
            self.whole.text = self.whole.text or text
            self.whole.markup = self.whole.markup or markup

    def _part(self, file: File, name: int, data: bytes) -> None:
        if name == _FILE_TITLE:
            file.name = file.name or _letters(data, self.codepage)
        elif name == _FILE_DATA:
            file.content = data
        elif name == _FILE_MAPI:
            found = self._found(data)
            names = [_text(found.get(name), self.codepage) for name in (0x3707, 0x3704, 0x3001)]
            file.name = next(filter(None, (names[0], file.name, *names)), "")
            file.kind = _text(found.get(0x370E), self.codepage)
            file.content_id = _text(found.get(0x3712), self.codepage)
            kind, inside = found.get(0x3701, (0, b""))
            if kind == 0x0D and inside.startswith(_MESSAGE):
                self.message = inside[len(_MESSAGE) :]
            elif inside:
                file.content = inside[16:] if kind == 0x0D else inside

    def end(self) -> None:
        """Put away the file that was being read."""
        if self.file is None:
            return
        if self.message:
            self.nested.append((self.file.name, self.message))
        elif len(self.whole.files) < _MOST:
            self.whole.files.append(self.file)
        else:
            self.whole.defects.append(f"files after the first {_MOST} in winmail.dat left out")
        self.file, self.message = None, b""


def _properties(data: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Give MAPI properties that have no name of their own: (number, (type, first value))."""
    if len(data) < 4:
        return
    at = 4
    for _ in range(_U32.unpack_from(data)[0]):
        if at + 4 > len(data):
            return
        kind, number = _PROPERTY.unpack_from(data, at)
        at += 4
        if number >= _NAMED:
            at = _behind_name(data, at)
        value, at = _value(data, at, kind)
        if number < _NAMED:
            yield number, (kind & ~_MANY, value)


def _number(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise _Short
    return int(_U32.unpack_from(data, at)[0])


def _behind_name(data: bytes, at: int) -> int:
    at += 16
    if _number(data, at) == 0:
        return at + 8
    length = _number(data, at + 4)
    return at + 8 + length + -length % 4


def _value(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """Read a property's first value, and give where the next property begins."""
    count, plain = 1, kind & ~_MANY
    if kind & _MANY or plain in _VARIABLE:
        count, at = _number(data, at), at + 4
    if plain in _SIZES:
        length = count * _SIZES[plain]
        if at + length > len(data):
            raise _Short
        return data[at : at + _SIZES[plain]], at + length + -length % 4
    if plain not in _VARIABLE:
        raise _Short
    first = b""
    for index in range(count):
        length, at = _number(data, at), at + 4
        if at + length > len(data):
            raise _Short
        first = first if index else data[at : at + length]
        at += length + -length % 4
    return first, at


def _text(value: tuple[int, bytes] | None, codepage: str) -> str:
    kind, octets = value or (0, b"")
    return _letters(octets, "utf-16-le" if kind == 0x1F else codepage)


def _letters(octets: bytes, label: str) -> str:
    text = charset.decode(octets[: caps.TEXT_OCTETS], label)[0].rstrip("\x00").replace("\x00", "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _codepage(number: int) -> str | None:
    return charset.codec({65001: "utf-8", 20127: "us-ascii", 28591: "iso-8859-1"}.get(number, f"cp{number}"))
