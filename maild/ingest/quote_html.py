"""Quotes that HTML marks by its structure: what mail programs wrap around what somebody else wrote."""

from selectolax.lexbor import LexborHTMLParser, LexborNode

from maild.ingest import html, quote_text
from maild.ingest import quote_marks as marks

STRUCTURES = (
    ".gmail_quote, .gmail_extra > .gmail_quote, blockquote[type=cite], #OLK_SRC_BODY_SECTION, #divRplyFwdMsg, .OutlookMessageHeader,"
    " .yahoo_quoted, #yahoo_quoted, .moz-cite-prefix, .moz-forward-container, .protonmail_quote, .tutanota_quote, .zmail_extra,"
    " #appendonsend, #mailbox-conversation, .WordSection1 > blockquote, blockquote.gmail_quote, #isReplyContent, hr#stopSpelling,"
    " .ms-outlook-mobile-reference-message, #reply-intro, .AppleMailQuote, #orig-msg, .freshdesk_quote, .zendesk_quote"
)
_SIGNATURES = ".gmail_signature, .moz-signature, #Signature, #ms-outlook-mobile-signature, .protonmail_signature_block"


def structure(tree: LexborHTMLParser) -> LexborNode | None:
    """Give the first element, in document order, that a mail program wrapped around a quote."""
    found = tree.css(STRUCTURES)
    return found[0] if found else None


def new_text(markup: str) -> str:
    """Render what was written this time from markup; nothing is taken out that would leave nothing."""
    whole = html.to_text(markup)
    tree = html.parse(markup)
    node = structure(tree)
    if node is not None and not _answered_behind(tree, node):
        cut_from(tree, node)
    for signature in tree.css(_SIGNATURES):
        if html.words(signature).strip() != html.words(tree.body or signature).strip():
            signature.decompose()
    shown = html.to_text(tree)
    return quote_text.new_text(shown) if shown.strip() else quote_text.new_text(whole)


def _answered_behind(tree: LexborHTMLParser, node: LexborNode) -> bool:
    """Tell whether words stand behind a marked quote: an answer below it or between its pieces."""
    shown = html.to_text(tree).split("\n")
    last = next((n for n in range(len(shown) - 1, -1, -1) if shown[n].startswith("> ")), None)
    name = f"{node.tag} {node.attributes.get('class') or ''} {node.attributes.get('id') or ''}"
    if last is None or not ("blockquote" in name or "moz-cite-prefix" in name or "gmail_quote" in name):
        return False
    return any(line.strip() and not marks.is_device(line) for line in _unsigned(shown[last + 1 :]))


def _unsigned(lines: list[str]) -> list[str]:
    end = next((n for n, line in enumerate(lines) if marks.SIGNATURE.match(line)), len(lines))
    return lines[:end]


def cut_from(tree: LexborHTMLParser, node: LexborNode) -> None:
    """Take out an element and everything behind it in document order."""
    current: LexborNode | None = node
    root = tree.body
    first = True
    while current is not None and root is not None and current.mem_id != root.mem_id:
        beside = current.next
        while beside is not None:
            following = beside.next
            beside.decompose()
            beside = following
        above = current.parent
        if first:
            current.decompose()
            first = False
        current = above
