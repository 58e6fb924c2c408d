"""The header blocks that mail programs put above a mail they forward or quote, found in plain text. Linear, never raises."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maild.ingest.forwarded_words import LABELS, Label, announces, label_of
from maild.mail import Address

_MARKS = re.compile(r"[ \t\xa0]{0,3}(?:[>|][ \t]?)*")
_ADDRESS = re.compile(r"[\w.+=~'&#%/-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_LONGEST_LINE = 2000
_MOST_LINES = 60
MOST_SEARCHED = 10_000
"""Lines in which a forwarded mail must begin."""

_MOST_BLOCKS = 50
_ABOVE = 6
"""How many lines above a block its announcement may stand, blank ones included."""

_BESIDE = re.compile(
    rf"\s(?=[*_]?(?:{'|'.join(re.escape(word) for word, kind in LABELS.items() if kind in {Label.TO, Label.DATE, Label.SUBJECT} and len(word) > 1)})\s?[:\uff1a][*_]?\s)",
    re.IGNORECASE,
)
"""Where a block on one line goes on: Yahoo writes From, To, Sent and Subject beside each other."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its quote marks; `depth` counts them."""

    text: str
    depth: int

    @property
    def blank(self) -> bool:
        """Whether nothing stands there."""
        return not self.text.strip()


@dataclass(frozen=True, slots=True)
class Block:
    """A header block: the lines [start, end), its announcement's line (`start` where there is none), and what it says.

    `addresses` are the different ones of its From, `name` the words beside them. `announced` is "forwarded", "original" or "".
    """

    start: int
    end: int
    top: int
    depth: int
    announced: str
    name: str
    addresses: tuple[str, ...]
    subject: str
    date: str

    @property
    def sender(self) -> Address | None:
        """The one sender, None where it names no address or several."""
        return Address(self.name, self.addresses[0]) if len(self.addresses) == 1 else None


def lines_of(text: str) -> list[Line]:
    """Split a text into lines, the quote marks counted and taken off."""
    found = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        marks = _MARKS.match(line)
        end = marks.end() if marks else 0
        depth = line.count(">", 0, end) + line.count("|", 0, end)
        found.append(Line(line[end:] if depth else line, depth))
    return found


def blocks(lines: Sequence[Line]) -> tuple[Block, ...]:
    """Find the header blocks, from the top. Those of replies look the same: whether a mail is a forward, others say."""
    found: list[Block] = []
    at = 0
    while at < min(len(lines), MOST_SEARCHED) and len(found) < _MOST_BLOCKS:
        block = _block(lines, at, found[-1].end if found else 0)
        if block is not None:
            found.append(block)
        at = block.end if block else at + 1
    return tuple(found)


def attributions(lines: Sequence[Line], start: int) -> tuple[Block, ...]:
    """Find lines such as `On 11 March Carol <c@x.example> wrote:` above a deeper quote, in any language, wrapped or not."""
    found: list[Block] = []
    for at in range(start, min(len(lines), MOST_SEARCHED) - 1):
        line = lines[at]
        if not line.text.rstrip().endswith((":", "\uff1a")) or len(line.text) > _LONGEST_LINE:
            continue
        below = next((one for one in lines[at + 1 : at + 3] if not one.blank), line)
        if below.depth <= line.depth or len(found) == _MOST_BLOCKS:
            continue
        wrapped = at > start and "@" not in line.text and lines[at - 1].depth == line.depth
        words = f"{lines[at - 1].text[:_LONGEST_LINE]} {line.text}" if wrapped else line.text
        _, addresses = people(words)
        if len(addresses) == 1 and any(letter.isdigit() for letter in words):
            found.append(Block(at, at + 1, at, below.depth, "", "", addresses, "", ""))
    return tuple(found)


def people(value: str) -> tuple[str, tuple[str, ...]]:
    """Read who a From line names: the name, and every address of it once (mailto: and brackets of all kinds beside it)."""
    value = value[:1000]
    found: dict[str, str] = {}
    for one in _ADDRESS.findall(value):
        plain = re.sub(r"\A(?:mailto|e-?mail)[:=]", "", one, flags=re.IGNORECASE).strip("'.")
        if not plain.startswith("@"):
            found.setdefault(plain.lower(), plain)
    name = re.split(r"[<\[(]", value, maxsplit=1)[0]
    name = " ".join(name.strip(" \t*_\"'\u201c\u201d\u201e\xa0,;").split())
    return ("" if "@" in name else name[:200]), tuple(found.values())


def _block(lines: Sequence[Line], at: int, since: int) -> Block | None:
    if label_of(lines[at].text) is None:
        return None
    said, end = _read(lines, at)
    if Label.FROM not in said:
        return None
    top, announced = _announcement(lines, at, since)
    others = len({Label.DATE, Label.SUBJECT, Label.TO} & said.keys())
    if others < (1 if announced else 2):
        return None
    name, addresses = people(said[Label.FROM])
    date, subject = said.get(Label.DATE, ""), said.get(Label.SUBJECT, "")
    return Block(at, end, top, lines[at].depth, announced, name, addresses, subject, date)


def _announcement(lines: Sequence[Line], at: int, since: int) -> tuple[int, str]:
    for above in range(at - 1, max(since, at - _ABOVE) - 1, -1):
        if announced := announces(lines[above].text):
            return above, announced
    return at, ""


def _read(lines: Sequence[Line], at: int) -> tuple[dict[Label, str], int]:
    """Give what the lines from `at` on say, and the line behind them."""
    said: dict[Label, str] = {}
    depth, end, latest = lines[at].depth, at, Label.OTHER
    for index in range(at, min(at + _MOST_LINES, len(lines))):
        line = lines[index]
        if line.blank:
            if index - end >= 1:
                break
            continue
        if line.depth != depth or len(line.text) > _LONGEST_LINE:
            break
        fields = [label_of(part) for part in _parts(line.text)]
        if fields[0] is None:
            if index != end or not _goes_on(lines, index, latest, said):
                break
            said[latest] = f"{said[latest]} {line.text.strip(' *_')}".strip()
            end = index + 1
            continue
        if fields[0][0] in said and fields[0][0] is not Label.OTHER:
            break
        for kind, value in filter(None, fields):
            said.setdefault(kind, value)
            latest = kind
        end = index + 1
    return said, end


def _parts(line: str) -> list[str]:
    found = label_of(line)
    return _BESIDE.split(line) if found is not None and found[0] is Label.FROM and "@" in found[1] else [line]


def _goes_on(lines: Sequence[Line], index: int, latest: Label, said: dict[Label, str]) -> bool:
    """Say whether a line without a label continues the one before it, which a program wrapped."""
    line, before = lines[index].text, said[latest]
    if not before or line[:1] in " \t":
        return True
    if latest is Label.FROM:
        return "@" not in before and "@" in line
    if latest in {Label.TO, Label.OTHER} and (before.endswith((",", ";")) or "@" in line):
        return True
    below = label_of(lines[index + 1].text) if index + 1 < len(lines) else None
    return below is not None and below[0] not in said
