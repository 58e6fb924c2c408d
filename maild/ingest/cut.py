"""Cutting an agent's reply at our marker: what goes to the customer never names the agent's own address.

The attribution line or header block directly above the marker names it, so both go with what follows. An agent's
client may have dropped the marker: then the quote that its program marked is cut the same way. Nothing written above
means that nothing is cut: the agent answered below.
"""

import re
from collections.abc import Iterable
from itertools import accumulate

from selectolax.lexbor import LexborHTMLParser, LexborNode

from maild.ingest import attribution, html, quote_html, quote_text
from maild.ingest import quote_marks as marks

_BLANK_NODES = frozenset({"br", "hr", "wbr"})
_LETTERS = re.compile(r"\w")
_ONLY_MARKS = re.compile(r"(?:[\s>|.\u2026]*|\s*-\s*)\Z")
_DASHES = "-\u2013\u2014 \t\r\n\xa0"
_BARRED = re.compile(r"\s{0,3}\|(?!.*\|\s*\Z)")


def _folded(text: str) -> str:
    return "".join(text.split())


def cut_text(text: str, marker: str) -> tuple[str, bool]:
    """Cut plain text at the line that holds `marker`, or else where a quote begins: (the rest, whether it was cut).

    (text, False) where nothing but quotes stands above the marker, or where there is nothing to cut at.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    wanted = _folded(marker)
    at = next((n for n, line in enumerate(lines) if wanted and wanted in _folded(line)), None)
    if at is None:
        at = _wrapped_marker(lines, wanted)
    start = _introduced(lines[:at]) if at is not None else _quote_at(lines)
    if start is None:
        return text, False
    above = "\n".join(lines[:start]).rstrip()
    written = [line for line in lines[:start] if not quote_text.quoted(line)]
    if not _LETTERS.search("\n".join(written)):
        return text, False
    return above, True


def holds(text: str, marker: str) -> bool:
    """Say whether the marker stands anywhere in a text or markup, however it was wrapped or quoted."""
    return _folded(marker) in _folded(re.sub(r"<[^<>]{0,200}>|&gt;|[>|]", "", text))


def below(text: str, marker: str, said: Iterable[str]) -> str:
    """Give what was written below or between the quote of our mail, where nothing stands above `marker`.

    Of quoted lines only those stay that stand in `said` (the customer's own words, which he may see again). Where our
    mail is quoted without quote marks nothing can be told apart, and nothing is given.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    plain = [line for line in lines if not quote_text.quoted(line)]
    if holds("\n".join(plain), marker):
        return ""
    known = {_folded(line) for one in said for line in one.splitlines()} - {""}
    first = _quote_with(lines, marker)
    rest = (*lines[: _introduced(lines[:first])], *lines[first:])
    return "\n".join(
        line for line in rest if not quote_text.quoted(line) or _folded(line.lstrip("> |")) in known
    ).strip("\n")


def unquoted(text: str) -> str:
    """Give a text without its quoted lines, marked with > or |, and without those of nothing but such marks and dots.

    A line that a bar ends, too, is a table's. "" where nothing but dashes is left: with a name below they part a signature.
    """
    kept = (line for line in text.split("\n") if not quote_text.quoted(line) and not _BARRED.match(line))
    said = "\n".join("" if _ONLY_MARKS.match(line) else line for line in kept)
    return said if said.strip(_DASHES) else ""


def _quote_with(lines: list[str], marker: str) -> int:
    """Give where the quoted lines around the marker begin: not all that is quoted above need be of the same quote."""
    wanted = _folded(marker)
    at = next((n for n, line in enumerate(lines) if wanted in _folded(line)), None)
    if at is None:
        at = _wrapped_marker(lines, wanted)
    if at is None:
        return next(index for index, line in enumerate(lines) if quote_text.quoted(line))
    while at and quote_text.quoted(lines[at - 1]):
        at -= 1
    return at


def _wrapped_marker(lines: list[str], wanted: str) -> int | None:
    """Find a marker that a client wrapped over two or three lines, quote marks between them."""
    for index, line in enumerate(lines):
        if wanted and wanted[:3] in _folded(line):
            joined = "".join(_folded(one.lstrip(" >|")) for one in lines[index : index + 4])
            if wanted in joined:
                return index
    return None


def _quote_at(lines: list[str]) -> int | None:
    """Find where the quote begins that a client marked; None where answers stand below it."""
    found = quote_text.boundary(lines, within=True)
    if found is None:
        end = len(quote_text.without_trailing_quote(lines))
        return end if end < len(lines) and any(map(quote_text.quoted, lines[end:])) else None
    return None if quote_text.answered_below(lines, found.end) else found.start


def _introduced(above: list[str]) -> int:
    """Give where what introduces the marker begins: attribution, header block, rules and blank lines above it."""
    start = len(above)
    while start:
        if _only_blank(above[start - 1 : start]):
            start -= 1
            continue
        begin = next((n for n in range(start - 1, max(-1, start - 20), -1) if _reaches(above, n, start)), None)
        if begin is None:
            break
        start = begin
    return start


def _reaches(lines: list[str], at: int, end: int) -> bool:
    """Tell whether an introduction begins at `at` and only blank lines separate it from `end`."""
    found = quote_text.boundary(lines[:end], at, within=True, surely=False)
    return found is not None and found.start == at and _only_blank(lines[found.end : end])


def _only_blank(lines: list[str]) -> bool:
    return all(not _LETTERS.search(line) or marks.is_rule(line) for line in lines)


def cut_html(markup: str, marker: str) -> tuple[str, bool]:
    """Cut HTML at the element that holds `marker`, or else at the first structural quote: (the rest, whether cut).

    With it go everything behind it in document order, and the attribution or header block before it. (markup, False)
    where nothing is written above, or where there is nothing to cut at.
    """
    tree = html.parse(markup)
    node = _marked(tree, marker) or quote_html.structure(tree) or _introduction(tree)
    if node is None or tree.body is None:
        return markup, False
    rest, inside = cut_text(html.words(node), marker) if node.is_text_node else ("", False)
    if inside:
        node.insert_before(rest)
    else:
        node = _before(node)
    quote_html.cut_from(tree, node)
    if not _LETTERS.search(html.to_text(tree)):
        return markup, False
    return tree.body.inner_html or "", True


def _marked(tree: LexborHTMLParser, marker: str) -> LexborNode | None:
    """Find the smallest element whose text holds the marker, however its letters are spread over tags."""
    wanted = _folded(marker)
    if not wanted or tree.body is None or wanted not in _folded(html.words(tree.body)):
        return None
    node = tree.body
    while True:
        inner = next((child for child in _children(node) if wanted in _folded(html.words(child))), None)
        if inner is None or not inner.is_element_node:
            return inner if inner is not None else _first_with(node, wanted)
        node = inner


def _first_with(node: LexborNode, wanted: str) -> LexborNode:
    """Give the child in which a marker begins that is spread over several."""
    children = _children(node)
    pieces = [_folded(html.words(child)) for child in children]
    at = "".join(pieces).find(wanted)
    return next(child for child, end in zip(children, accumulate(map(len, pieces)), strict=True) if end > at)


def _children(node: LexborNode) -> list[LexborNode]:
    found = []
    child = node.child
    while child is not None:
        found.append(child)
        child = child.next
    return found


def _introduction(tree: LexborHTMLParser) -> LexborNode | None:
    """Find an attribution or a header block that no structure marks: the smallest block whose text is one."""
    for node in tree.css("p, div, span, font, b"):
        text = html.words(node).strip()
        if text and len(text) < 1500 and (attribution.is_attribution(" ".join(text.split())) or _is_block(node)):
            return node
    return None


def _is_block(node: LexborNode) -> bool:
    rendered = html.to_text(f"<div>{node.html or ''}</div>").split("\n")
    lines = [line for line in rendered if line.strip()]
    return bool(lines) and marks.header_block(lines, 0) > 0


def _before(node: LexborNode) -> LexborNode:
    """Climb from the cut to the first element of what introduces it: enclosing quotes, attribution, header block."""
    best = current = node
    while True:
        previous = current.prev
        while previous is not None and _empty(previous):
            previous = previous.prev
        if previous is not None:
            if not _introduces(previous):
                break
            best = current = previous
            continue
        above = current.parent
        if above is None or above.tag in ("body", "html"):
            break
        best = current = above
    return best


def _empty(node: LexborNode) -> bool:
    if node.is_element_node:
        return (node.tag or "") in _BLANK_NODES or (not html.words(node).strip() and not node.css("img"))
    return not _LETTERS.search(html.words(node))


def _introduces(node: LexborNode) -> bool:
    text = " ".join(html.words(node).split())
    if node.is_element_node:
        names = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".lower()
        if any(
            name in names
            for name in ("gmail_attr", "moz-cite-prefix", "divrplyfwdmsg", "outlookmessageheader", "appendonsend")
        ):
            return True
        if len(text) < 2000 and _is_block(node):
            return True
    return len(text) < 500 and (attribution.is_attribution(text) or marks.is_original(text))
