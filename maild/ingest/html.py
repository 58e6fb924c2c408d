"""HTML made readable and harmless: text by selectolax at any depth, markup by nh3 without anything that calls home."""

import re
from collections.abc import Iterator

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from maild.ingest.html_cost import flatten, too_complex

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "title",
        "tr",
        "ul",
    ]
)
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "dl"])
_SILENT = frozenset(
    ["script", "style", "title", "head", "noscript", "template", "svg", "object", "applet", "iframe", "math"]
)
_BLANKS = re.compile(r"[ \t\r\n\f\u00a0]+")
_TAGS = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "address",
        "article",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "main",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
    ]
)
_ATTRIBUTES = {
    "*": {"dir", "lang", "title", "align", "class", "id"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "face", "size"},
    "td": {"colspan", "rowspan", "valign", "width", "bgcolor"},
    "th": {"colspan", "rowspan", "valign", "width", "bgcolor", "scope"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor", "summary"},
    "ol": {"start", "type"},
    "blockquote": {"type"},
}


_MARKS = frozenset(
    {"divRplyFwdMsg", "appendonsend", "OLK_SRC_BODY_SECTION", "yahoo_quoted", "isReplyContent", "mailbox-conversation"}
)


def _keep(tag: str, attribute: str, value: str) -> str | None:
    """Keep images only where they came with the mail: anything remote would tell its sender who reads."""
    if tag == "img" and attribute == "src":
        return value if value.strip().lower().startswith("cid:") else None
    if attribute == "id":
        return value if value in _MARKS else None  # the quote marks of mail programs, so that a reply can still be cut
    return value


def sanitise(markup: str) -> str:
    """Give markup without scripts, styles, forms, event handlers and remote images; cid: images stay."""
    if too_complex(markup):
        return from_text(flatten(markup))
    return nh3.clean(
        markup,
        tags=set(_TAGS),
        clean_content_tags={"script", "style", "title", "head", "noscript", "template", "iframe", "object"},
        attributes=_ATTRIBUTES,
        attribute_filter=_keep,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer",
        strip_comments=True,
    )


def parse(markup: str) -> LexborHTMLParser:
    """Read markup as browsers do. Never raises on any text."""
    return LexborHTMLParser((from_text(flatten(markup)) if too_complex(markup) else markup) or "<p></p>")


def words(node: LexborNode) -> str:
    """Give all text below a node, as it stands."""
    return (node.text_content or "") if node.is_text_node else node.text(deep=True)


def walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Give every node below `root` in document order, once on the way in (True) and elements again on the way out."""
    node: LexborNode | None = root.child
    while node is not None:
        yield node, True
        below = node.child if node.is_element_node and _tag(node) not in _SILENT else None
        if below is not None:
            node = below
            continue
        while node is not None:
            if node.is_element_node:
                yield node, False
            if (beside := node.next) is not None:
                node = beside
                break
            above = node.parent
            node = None if above is None or above.mem_id == root.mem_id else above


def _tag(node: LexborNode) -> str:
    return (node.tag or "").rpartition(":")[2].lower()


class _Lines:
    """Gathers words into lines, the way a browser lays them out."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.pre = 0
        self.quotes = 0

    def text(self, words: str) -> None:
        if self.pre:
            first, *rest = words.replace("\r", "").split("\n")
            self.line.append(first)
            for more in rest:
                self.end()
                self.line.append(more)
            return
        words = _BLANKS.sub(" ", words)
        if words and not (words[0] == " " and (not self.line or self.line[-1].endswith((" ", "\t")))):
            self.line.append(words)
        elif words.strip():
            self.line.append(words[1:])

    def end(self) -> None:
        self.lines.append("> " * min(self.quotes, 9) + "".join(self.line).rstrip())
        self.line = []

    def block(self, *, apart: bool) -> None:
        if self.line and "".join(self.line).strip():
            self.end()
        self.line = []
        if apart and self.lines and self.lines[-1].strip("> "):
            self.lines.append("> " * min(self.quotes, 9))


def to_text(markup: str | LexborHTMLParser) -> str:
    """Render markup to readable text; quoted blocks (blockquote type=cite) get "> " before their lines."""
    tree = parse(markup) if isinstance(markup, str) else markup
    root = tree.body or tree.root
    assert root is not None  # noqa: S101 - a tree always has a root; frames alone have no body
    out = _Lines()
    for node, entering in walk(root):
        if node.is_text_node:
            out.text(node.text_content or "")
        elif node.is_element_node:
            tag = _tag(node)
            if tag not in _SILENT:
                _element(out, node, tag, entering=entering)
    out.block(apart=False)
    text = "\n".join(line.rstrip() for line in out.lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _element(out: _Lines, node: LexborNode, tag: str, *, entering: bool) -> None:  # noqa: C901 - one branch a kind of element
    if tag == "br":
        if entering:
            out.end()
    elif tag in ("td", "th"):
        if not entering and out.line:
            out.line.append("\t" if not out.pre else " ")
    elif tag in _BLOCKS:
        out.block(apart=entering and tag in _PARAGRAPHS)
        if tag == "blockquote" and (node.attributes.get("type") or "") == "cite":
            out.quotes += 1 if entering else -1
        if not entering and tag in _PARAGRAPHS:
            out.block(apart=True)
        if tag == "pre":
            out.pre += 1 if entering else -1
        elif tag == "li" and entering:
            out.line.append("- ")
        elif tag == "hr" and entering:
            out.lines.append("-" * 10)
    elif tag == "img" and entering and (alt := (node.attributes.get("alt") or "").strip()):
        out.text(f"[{alt[:200]}]")


def from_text(text: str) -> str:
    """Give plain text as markup that shows it unchanged."""
    clear = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<pre>{clear}</pre>"
