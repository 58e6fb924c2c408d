# ruff: noqa: RUF001 - dashes as people write them
"""New text: what the writer wrote this time, without what he quotes, forwards or signs with.

Losing a customer's words is worse than leaving a quote. So a cut needs a form that mail programs write; answers
below or between the quotes are all kept, and a cut that would leave nothing is not made.
"""

import re

from maild.ingest import quote_marks as marks

_QUOTED = re.compile(r"^\s{0,3}>")
_LINK = re.compile(r"https?://|mailing list|listinfo|[\w.+-]+@lists?\b", re.IGNORECASE)
_MAX_LINES = 40_000
_SIGNATURE_LINES = 12


def new_text(text: str) -> str:
    """Give what was written this time. Where nothing can be told apart, the whole text. Idempotent but for blanks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > _MAX_LINES:
        return text.strip()
    lines = text.split("\n")
    kept = _above(_without_footer(lines))
    kept = _unsigned(kept)
    return "\n".join(line.rstrip() for line in kept).strip() or text.strip()


def _without_footer(lines: list[str]) -> list[str]:
    """Take off what a mailing list adds below everything: a rule and a few lines with its address or link."""
    for index in range(len(lines) - 1, max(-1, len(lines) - 12), -1):
        tail = [line for line in lines[index + 1 :] if line.strip()]
        if (
            not (marks.is_rule(lines[index]) or lines[index].strip() == "__")
            or not lines[index].strip().startswith("__")
            or not 0 < len(tail) <= 6
        ):
            continue
        linked = any(_LINK.search(line) for line in tail)
        if (
            linked
            and not any(marks.FROM_LINE.match(line) for line in tail)
            and any(line.strip() for line in lines[:index])
        ):
            return lines[:index]
    return lines


def quoted(line: str) -> bool:
    """Tell a line that is marked as quoted."""
    return bool(_QUOTED.match(line))


def _above(lines: list[str]) -> list[str]:
    """Cut where the quote begins; keep everything where answers stand below or between quotes."""
    at = 0
    while at < len(lines):
        found = boundary(lines, at)
        if found is None:
            return without_trailing_quote(lines)
        start, end = found
        if quoted(lines[start]):
            at = end
            continue
        if answered_below(lines, end):
            if not any(line.strip() for line in lines[:start]) or _short_greeting(lines[:start]):
                return _below(lines, start, end)
            return without_trailing_quote(lines)
        if any(line.strip() for line in lines[:start]):
            return lines[:start]
        return lines
    return without_trailing_quote(lines)


def boundary(lines: list[str], at: int = 0) -> tuple[int, int] | None:
    """Find the next line group that introduces a quote from `at` on: (first line, the line behind it)."""
    for index in range(at, len(lines)):
        line = lines[index]
        if not line.strip() or len(line) > 2000:
            continue
        if marks.is_original(line):
            start = index - 1 if index and lines[index - 1].strip() == "---" else index
            return start, index + 1
        if (used := marks.header_block(lines, index)) > 0:
            start = index
            if start and marks.is_message_of(lines[start - 1]):
                start -= 1
            while start and (marks.is_rule(lines[start - 1]) or not lines[start - 1].strip()) and index - start < 5:
                start -= 1
            ruled = any(marks.is_rule(one) or marks.is_message_of(one) for one in lines[start:index])
            return (start if ruled else index), index + used
        if (span := _attribution(lines, index)) > 0:
            return index, index + span
    return None


def _attribution(lines: list[str], index: int) -> int:
    """Give how many lines from `index` on are one attribution, wrapped or not; 0 where there is none."""
    joined = ""
    for span in range(1, 6):
        if index + span > len(lines):
            return 0
        line = lines[index + span - 1]
        if not line.strip() or (span > 1 and quoted(line) and not quoted(lines[index]) and line.strip() != ">:"):
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > 500:
            return 0
        if marks.attribution_ends(line) and marks.is_attribution(joined):
            return span if span == 1 or _begins(lines[index]) else 0
        if span == 1 and not _begins(line):
            return 0
    return 0


def _begins(line: str) -> bool:
    """Tell whether a line can be the first of a wrapped attribution: it opens with a date word, a date or an address."""
    line = line.strip().lstrip("*_-–—>\u202a\u202b\u200e\u200f ")
    return (
        bool(marks.STARTS_WHEN.match(line + " ") and re.search(r"\d", line))
        or bool(re.match(r"^\d{1,4}[-./年]", line))
        or ("<" in line and "@" in line)
        or bool(re.match(r"^(?:\w{2,12}[.,]? ){1,2}\d{1,2}", line))
    )


def answered_below(lines: list[str], at: int) -> bool:
    """Tell whether the quote that begins at `at` is marked with > and unmarked words of some weight follow it."""
    rest = lines[at:]
    first = next((n for n, line in enumerate(rest) if line.strip()), None)
    if first is None or not quoted(rest[first]):
        return False
    words = 0
    below = rest[first:]
    for index, line in enumerate(below):
        if marks.SIGNATURE.match(line):
            break
        if not line.strip() or quoted(line) or marks.is_device(line) or marks.is_rule(line):
            continue
        if _wrapped(below, index):
            continue
        words += 1
    return words > 0


def _wrapped(lines: list[str], index: int) -> bool:
    """Tell the end of an overlong quoted line, wrapped without its mark: it goes on in lower case, stuck below a quote."""
    above = lines[index - 1] if index else ""
    beneath = lines[index + 1] if index + 1 < len(lines) else ""
    stuck = quoted(above) and len(above) > 60 and (not beneath.strip() or quoted(beneath))
    return stuck and (lines[index][:1].islower() or (quoted(beneath) and len(lines[index]) < 30))


def _short_greeting(lines: list[str]) -> bool:
    written = [line for line in lines if line.strip()]
    return False if len(written) != 1 else len(written[0]) < 25 and written[0].rstrip().endswith((",", "!"))


def _below(lines: list[str], start: int, end: int) -> list[str]:
    """Give a bottom-posted answer without the one quote above it; where quotes and answers alternate, everything."""
    at = end
    while at < len(lines) and (not lines[at].strip() or quoted(lines[at])):
        at += 1
    if any(map(quoted, lines[at:])):
        return without_trailing_quote(lines)
    return [*lines[:start], *lines[at:]]


def without_trailing_quote(lines: list[str]) -> list[str]:
    """Take off a block of > lines at the very end, introduced or not, if something unquoted stands above it."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or quoted(lines[end - 1])):
        end -= 1
    return lines[:end] if end and any(line.strip() for line in lines[:end]) else lines


def _unsigned(lines: list[str]) -> list[str]:
    """Take off the signature below "-- " and the line a phone appends, as long as words remain above."""
    for index, line in enumerate(lines):
        if marks.SIGNATURE.match(line) and any(one.strip() for one in lines[:index]):
            tail = [one for one in lines[index + 1 :] if one.strip()]
            if len(tail) <= _SIGNATURE_LINES and not any(map(quoted, tail)):
                lines = lines[:index]
                break
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    while end and marks.is_device(lines[end - 1]) and any(one.strip() for one in lines[: end - 1]):
        end -= 1
        while end and not lines[end - 1].strip():
            end -= 1
    return lines[:end]
