"""Foreign HTML on its way out: sanitised again, no picture loaded from elsewhere, and its text where it has none."""

import re
from collections.abc import Mapping

import nh3
from selectolax.lexbor import LexborHTMLParser

# Seen in practice: webmail puts <wbr> inside quoted addresses, where it would hide them from whoever looks for them.
_TAGS = frozenset(nh3.ALLOWED_TAGS) - {"map", "area", "wbr"}
_BLOCK = frozenset({"p", "div", "tr", "ul", "ol", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"})
_SKIP = ("script", "style", "head", "title", "template", "noscript")
_LINES = re.compile(r"\n{3,}")


def _new_ids(source: str, content_ids: Mapping[str, str]) -> str | None:
    old = source[4:] if source[:4].lower() == "cid:" else ""
    return f"cid:{content_ids[old]}" if old in content_ids else None


def sanitise(html: str, content_ids: Mapping[str, str]) -> str:
    """Keep the harmless part of HTML; pictures only those named in `content_ids`, by their new Content-ID.

    Nothing in the result makes a reader fetch anything: no remote image, no style, no script, no form.
    """

    def only_ours(element: str, attribute: str, value: str) -> str | None:
        return _new_ids(value, content_ids) if (element, attribute) == ("img", "src") else value

    return nh3.clean(
        html,
        tags=set(_TAGS),
        attribute_filter=only_ours,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
    )


def shown_ids(html: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Say which of the known Content-IDs the HTML shows as pictures."""
    if not known:
        return ()
    sources = {node.attributes.get("src") or "" for node in LexborHTMLParser(html).css("img[src]")}
    return tuple(content_id for content_id in known if f"cid:{content_id}" in sources)


def plain(html: str) -> str:
    """Render HTML to text: blocks and <br> end lines, list items get a dash, links keep their address beside them."""
    tree = LexborHTMLParser(html)
    tree.strip_tags(list(_SKIP))
    for node in tree.css("a[href]"):
        target, label = node.attributes.get("href") or "", node.text().strip()
        if target.startswith(("http://", "https://")) and target != label:
            node.insert_after(f" <{target}>")
    for node in tree.css("*"):
        if node.tag == "br":
            node.insert_after("\n")
        elif node.tag == "li":
            node.insert_before("\n- ")
        elif node.tag in _BLOCK:
            node.insert_before("\n")
            node.insert_after("\n")
    lines = (
        " ".join(line.split()) for line in (tree.root.text() if tree.root else "").replace("\xa0", " ").split("\n")
    )
    return _LINES.sub("\n\n", "\n".join(lines)).strip()
