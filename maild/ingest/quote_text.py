# ruff: noqa: RUF001 - mail is written in many scripts
"""New text: what the writer wrote this time, without what he quotes or signs with.

Losing a customer's words is worse than leaving a quote. So a cut needs a form that mail programs write; answers
below or between the quotes are all kept, a forwarded part is no quote, and a cut that would leave nothing is not made.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from maild.ingest import attribution, signature
from maild.ingest import quote_marks as marks

_LINK = re.compile(r"mailing ?list|listinfo|mailman|unsubscribe|newsletter|[\w.+-]{1,64}@lists?\b", re.IGNORECASE)
_MOST_LINES = 5_000
_MOST_LETTERS = 2_000_000
_LONG = 2_000
_MARKS = frozenset("|)}:%+&=")
_REMAINS = 3
_WRAPPED = ">:"
"""What is left of an attribution that was wrapped before the end of its address."""

_MOST_READ = 100_000
"""Letters of lines that end as an attribution does, of which one is looked for: mails have a few such lines."""
_INLINE = re.compile(
    r"\binline\b|\bin-line\b|\bin (?:red|blue|green|bold)\b|\bsee (?:my )?(?:answers?|comments?|repl(?:y|ies)|remarks?)\b|"
    r"\b(?:answers?|comments?|repl(?:y|ies)|remarks?|responses?) (?:are )?(?:below|underneath)\b|"
    r"\b(?:antworten?|anmerkungen|kommentare) (?:\w+ )?(?:unten|im text|in rot|rot|blau)\b|\b(?:in rot|rot markiert|farbig|im text unten)\b|"
    r"\ben (?:rouge|bleu|rojo|azul)\b|\bdans le texte\b|\bréponses? ci-dessous\b|\brespuestas? (?:más )?abajo\b|\bin (?:rosso|blu)\b|"
    r"\brisposte (?:qui )?sotto\b|\bem (?:vermelho|azul)\b|\bin het (?:rood|blauw)\b|\bna czerwono\b|\bčerveně\b|\bi (?:rött|rødt)\b|\bкрасным\b|\bkırmızı\b",
    re.IGNORECASE,
)


class Bearing(Enum):
    """What a mail bears on, as its header says. What looks like an earlier mail in it is to be seen unless it answers one.

    ANSWERS: anything earlier is a quote. OPENS: it names no earlier mail, so that a block such as a form on a website
    writes is no quote, nor are marked lines that nothing introduces. PASSES: its subject says that it is forwarded.
    """

    ANSWERS = "answers"
    OPENS = "opens"
    PASSES = "passes"


_SHOWN = {
    Bearing.ANSWERS: {"forwarded"},
    Bearing.OPENS: {"forwarded", "form"},
    Bearing.PASSES: {"forwarded", "form", "block"},
}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written this time, and the signature that was left out of it ("" where none was)."""

    new: str
    signature: str


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where a quote or a forwarded part is introduced: the lines [start, end).

    `kind` is forwarded, block (announced, below a rule, or with the words of a reply), form (any other header block) or
    attribution.
    """

    start: int
    end: int
    kind: str


def new_text(text: str, bearing: Bearing = Bearing.ANSWERS) -> str:
    """Give what was written this time. Where nothing can be told apart, the whole text."""
    return read(text, bearing).new


def read(text: str, bearing: Bearing = Bearing.ANSWERS) -> Written:
    """Part a text. Total; linear; its lines are never altered, only left out. Beyond 5,000 lines nothing is left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > _MOST_LETTERS or text.count("\n") > _MOST_LINES:
        return Written(_trimmed(text.split("\n")), "")
    lines = text.split("\n")
    own, below = _parted(without_footer(lines), bearing)
    at = signature.begins(own)
    if not _filled(own[:at]):
        at = len(own)
    last = next((n for n in range(len(own), 0, -1) if own[n - 1].strip()), 0)
    between = own[max(at, last) :]
    new = _trimmed([*own[:at], *between, *below])
    return Written(new, _trimmed(own[at:])) if new else Written(_trimmed(lines), "")


def _trimmed(lines: Sequence[str]) -> str:
    """Join lines, without the blank ones at both ends."""
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return "\n".join(lines[start:end])


def _filled(lines: Sequence[str]) -> bool:
    return any(line.strip() for line in lines)


def without_footer(lines: list[str]) -> list[str]:
    """Take off what a mailing list adds below everything: a rule and a few lines with its address or link."""
    for index in range(len(lines) - 1, max(-1, len(lines) - 12), -1):
        tail = [line for line in lines[index + 1 :] if line.strip()]
        if not lines[index].strip().startswith("__") or not 0 < len(tail) <= 6:
            continue
        ruled = marks.is_rule(lines[index]) or lines[index].strip() == "__"
        linked = any(_LINK.search(line[:_LONG]) for line in tail)
        if ruled and linked and not any(marks.head_of(line) for line in tail) and _filled(lines[:index]):
            return lines[:index]
    return lines


def quoted(line: str) -> bool:
    """Tell a line that is marked as quoted."""
    return line.lstrip(" \t\xa0")[:1] == ">" and len(line) - len(line.lstrip()) <= 3


def _parted(lines: list[str], bearing: Bearing) -> tuple[list[str], list[str]]:
    """Part the writer's own lines from a forwarded part, which stays; what is quoted is in neither."""
    found = boundary(lines)
    if found is None:
        return (_without_remains(lines) if bearing is Bearing.ANSWERS else lines), []
    above = lines[: found.start]
    if found.kind in _SHOWN[bearing]:
        return above, lines[found.start :]
    if answered_below(lines, found.end):
        if not _filled(above) or _short_greeting(above):
            return _below(lines, found), []
        return without_trailing_quote(lines), []
    if not _filled(above) or _says_where(above, lines, found):
        return lines, []
    return above, []


def boundary(lines: list[str], at: int = 0, *, within: bool = False, surely: bool = True) -> Boundary | None:
    """Find the next lines from `at` on that introduce a quote or a forwarded part.

    What is quoted introduces nothing but a forwarded part, and a header block that the writer leads up to introduces
    nothing: unless `within`. `surely`: an attribution that a person may have written counts only above a marked quote.
    """
    read = 0
    for index in range(at, len(lines)):
        line = lines[index]
        if not line or len(line) > _LONG:
            continue
        kind = marks.announced(line)
        if not within and quoted(line) and line.strip() != _WRAPPED:
            if kind == "forwarded":
                return Boundary(index, index + 1, kind)
            continue
        if kind:
            start = index - 1 if index > at and lines[index - 1].strip() == "---" else index
            return Boundary(start, index + 1, "forwarded" if kind == "forwarded" else "block")
        if marks.head_of(line) is not None and (used := marks.header_block(lines, index)) > 0:
            start = _ruled(lines, index, at)
            if start < index or within or not _presented(lines, index):
                plain = start == index and not any(map(marks.says_sent, lines[index : index + used]))
                return Boundary(start, index + used, "form" if plain else "block")
        if read < _MOST_READ and attribution.closes(line):
            read += len(line)
            start, weight = attribution.before(lines, index)
            if start >= at and (
                weight == attribution.STRONG or (weight and (not surely or _quote_follows(lines, index)))
            ):
                return Boundary(start, index + 1, "attribution")
    return None


def _ruled(lines: Sequence[str], index: int, at: int) -> int:
    """Give where the rule above a header block is, `index` where none is."""
    start = index
    while start > at and index - start < 5:
        above = lines[start - 1]
        if not (marks.is_message_of(above) or marks.is_rule(above) or not above.strip()):
            break
        start -= 1
    ruled = any(marks.is_rule(one) or marks.is_message_of(one) for one in lines[start:index])
    return start if ruled else index


def _presented(lines: Sequence[str], index: int) -> bool:
    """Tell whether the writer himself leads up to what comes, with a colon: then it is part of what he says."""
    above = next((line for line in reversed(lines[max(0, index - 4) : index]) if line.strip()), "")
    return above.rstrip().endswith((":", "\uff1a")) and marks.head_of(above) is None


def _quote_follows(lines: Sequence[str], index: int) -> bool:
    following = next((line for line in lines[index + 1 : index + 4] if line.strip()), "")
    return quoted(following)


def _says_where(above: Sequence[str], lines: Sequence[str], found: Boundary) -> bool:
    """Tell whether the writer says that he answers within an old mail that bears no marks: then all of it is kept."""
    if any(map(quoted, lines[found.end :])):
        return False
    return any(_INLINE.search(line[:_LONG]) for line in above[-40:])


def answered_below(lines: Sequence[str], at: int) -> bool:
    """Tell whether the quote that begins at `at` is marked, with > or what else some use, and unmarked words follow it."""
    first = next((n for n in range(at, len(lines)) if lines[n].strip()), None)
    if first is None:
        return False
    mark = lines[first].lstrip()[0]
    if not quoted(lines[first]) and (mark not in _MARKS or lines[first].lstrip()[1:2] not in {"", " "}):
        return False
    for index in range(first, len(lines)):
        line = lines[index]
        if signature.is_delimiter(line):
            return False
        if not line.strip() or line.lstrip().startswith(mark) or signature.is_device(line) or marks.is_rule(line):
            continue
        if not _wrapped(lines, index):
            return True
    return False


def _wrapped(lines: Sequence[str], index: int) -> bool:
    """Tell the end of an overlong quoted line, wrapped without its mark: it goes on in lower case, stuck below a quote."""
    above = lines[index - 1]
    beneath = lines[index + 1] if index + 1 < len(lines) else ""
    stuck = quoted(above) and len(above) > 60 and (not beneath.strip() or quoted(beneath))
    return stuck and (lines[index][:1].islower() or (quoted(beneath) and len(lines[index]) < 30))


def _short_greeting(lines: Sequence[str]) -> bool:
    written = [line for line in lines if line.strip()]
    return False if len(written) != 1 else len(written[0]) < 25 and written[0].rstrip().endswith((",", "!"))


def _below(lines: list[str], found: Boundary) -> list[str]:
    """Give a bottom-posted answer without the one quote above it; where quotes and answers alternate, everything."""
    at = found.end
    while at < len(lines) and (not lines[at].strip() or quoted(lines[at])):
        at += 1
    if any(map(quoted, lines[at:])):
        return without_trailing_quote(lines)
    return [*lines[: found.start], *lines[at:]]


def _without_remains(lines: list[str]) -> list[str]:
    """Take off marked lines at the end: below an attribution with marks, or three and more, apart from what is said."""
    kept = without_trailing_quote(lines)
    marked = [line for line in lines[len(kept) :] if line.strip()]
    if any(attribution.before(marked, at)[1] for at in range(min(3, len(marked)))):
        return kept
    apart = len(kept) < len(lines) and not lines[len(kept)].strip()
    return kept if apart and len(marked) >= _REMAINS else lines


def without_trailing_quote(lines: list[str]) -> list[str]:
    """Take off a block of > lines at the very end, unless the writer leads up to it or nothing unquoted stands above it."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or quoted(lines[end - 1])):
        end -= 1
    if not end or _presented(lines, end):
        return lines
    return lines[:end]
