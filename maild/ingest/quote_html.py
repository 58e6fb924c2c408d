"""Quotes that HTML marks by its structure: what mail programs wrap around what somebody else wrote."""

from selectolax.lexbor import LexborHTMLParser, LexborNode

from maild.ingest import html, quote_text, signature
from maild.ingest import quote_marks as marks
from maild.ingest.quote_text import Bearing, Written

STRUCTURES = (
    ".gmail_quote, .gmail_extra > .gmail_quote, blockquote[type=cite], #OLK_SRC_BODY_SECTION, #divRplyFwdMsg, .OutlookMessageHeader,"
    " .yahoo_quoted, #yahoo_quoted, .moz-cite-prefix, .moz-forward-container, .protonmail_quote, .tutanota_quote, .zmail_extra,"
    " #appendonsend, #mailbox-conversation, .WordSection1 > blockquote, blockquote.gmail_quote, #isReplyContent, hr#stopSpelling,"
    " .ms-outlook-mobile-reference-message, #reply-intro, .AppleMailQuote, #orig-msg, .freshdesk_quote, .zendesk_quote,"
    " .k9mail > blockquote, blockquote.iosymail, .edo-reference-message, .gmail_quote_container, .superhuman-quote, #zwchr,"
    " div[name=quote], .spike-quote-hide, blockquote#replyBlockquote, #ymail_android_signature + .yahoo_quoted"
)
_SIGNATURES = (
    ".gmail_signature, .moz-signature, #Signature, #ms-outlook-mobile-signature, .protonmail_signature_block,"
    " #AppleMailSignature, .tutanota_signature, #x_Signature, #ymail_android_signature"
)
_FIRST_LINES = 4
_MOST_SIGNED = 20


def structure(tree: LexborHTMLParser) -> LexborNode | None:
    """Give the first element, in document order, that a mail program wrapped around a quote."""
    found = tree.css(STRUCTURES)
    return found[0] if found else None


def new_text(markup: str, bearing: Bearing = Bearing.ANSWERS) -> str:
    """Render what was written this time from markup."""
    return read(markup, bearing).new


def read(markup: str, bearing: Bearing = Bearing.ANSWERS) -> Written:
    """Part markup, rendered as text; nothing is taken out that would leave nothing."""
    whole = html.to_text(markup)
    tree = html.parse(markup)
    node = structure(tree)
    if node is not None and (bearing is Bearing.PASSES or _is_forward(node, whole)):
        return quote_text.read(whole, bearing)
    if node is not None and not _answered_behind(tree, node):
        cut_from(tree, node)
    signed = [words for one in tree.css(_SIGNATURES) if (words := _taken_out(one))]
    shown = html.to_text(tree)
    if not shown.strip() or signature.only_greets(shown.split("\n")) or not _is_part(shown, whole):
        return quote_text.read(whole, bearing)
    found = quote_text.read(shown, bearing)
    return Written(found.new, "\n".join(filter(None, (found.signature, *signed))))


def _taken_out(node: LexborNode) -> str:
    """Take a signature out, and give its words. What asks or is long was typed where a signature stands."""
    lines = html.to_text(f"<div>{node.html or ''}</div>").split("\n")
    if len(lines) > _MOST_SIGNED or any(line.rstrip().endswith("?") or signature.is_postscript(line) for line in lines):
        return ""
    node.decompose()
    return "\n".join(lines).strip("\n")


def _is_part(shown: str, whole: str) -> bool:
    """Tell whether lines were left out only, and none altered."""
    rest = iter(whole.split("\n"))
    return all(any(line == one for one in rest) for line in shown.split("\n") if line.strip())


def _is_forward(node: LexborNode, whole: str) -> bool:
    """Tell whether what a mail program wrapped is a forwarded mail, by its class or by the words it begins with."""
    if "moz-forward-container" in (node.attributes.get("class") or ""):
        return True
    inside = [line for line in html.to_text(f"<div>{node.html or ''}</div>").split("\n") if line.strip()]
    if any(marks.announced(line) == "forwarded" for line in inside[:_FIRST_LINES]):
        return True
    found = quote_text.boundary(whole.split("\n"))
    return found is not None and found.kind == "forwarded"


def _answered_behind(tree: LexborHTMLParser, node: LexborNode) -> bool:
    """Tell whether words stand behind a marked quote: an answer below it or between its pieces."""
    shown = html.to_text(tree).split("\n")
    last = next((n for n in range(len(shown) - 1, -1, -1) if shown[n].startswith("> ")), None)
    name = f"{node.tag} {node.attributes.get('class') or ''} {node.attributes.get('id') or ''}"
    if last is None or not ("blockquote" in name or "moz-cite-prefix" in name or "gmail_quote" in name):
        return False
    return any(line.strip() and not signature.is_device(line) for line in _unsigned(shown[last + 1 :]))


def _unsigned(lines: list[str]) -> list[str]:
    end = next((n for n, line in enumerate(lines) if signature.is_delimiter(line)), len(lines))
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
