"""Markup that is made to cost: found cheaply before a tree is built, and read as mere words."""

import html
import re
from functools import lru_cache

_DEPTH = 2000
_ELEMENTS = 50_000
_REFERENCES = 20_000_000_000
"""References times letters of the texts they stand in: each makes nh3 copy the text so far, as does each of _STOPS."""
_STOPS = re.compile("[&\x80-\xbf]")
_OPENING = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:]{0,20})")
_TAG_BEGINS = re.compile(r"<[A-Za-z/!]")
_ATTRIBUTE = r"""[ \t\n\r\f/]*+=?[^ \t\n\r\f/>=]++(?:[ \t\n\r\f]*+=[ \t\n\r\f]*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^ \t\n\r\f>"'][^ \t\n\r\f>]*+)?+)?+"""
_TAG = re.compile(rf"<[A-Za-z][^ \t\n\r\f/>]*+(?:{_ATTRIBUTE}){{0,500}}+({_ATTRIBUTE})?")
_SELF_CLOSING = frozenset(
    [
        "p",
        "li",
        "tr",
        "td",
        "th",
        "dd",
        "dt",
        "option",
        "br",
        "hr",
        "img",
        "meta",
        "link",
        "input",
        "col",
        "area",
        "base",
        "wbr",
        "source",
        "track",
        "embed",
        "param",
    ]
)


def too_complex(markup: str) -> bool:
    """Tell whether markup is made so that its tree would cost the square of its size.

    That is: very deep, very many elements, very many attributes in one tag, or very many references in one text.
    """
    if markup.count("<") > 2 * _ELEMENTS:
        return True
    if sum((len(text) - len(_STOPS.sub("", text))) * len(text) for text in _TAG_BEGINS.split(markup)) > _REFERENCES:
        return True
    depth, looked_at = 0, 0
    for match in _OPENING.finditer(markup):
        tag = None if match.group(1) else _TAG.match(markup, match.start())
        if tag is not None:
            looked_at += tag.end() - tag.start()
            # Tags within the quoted values of others are looked at again and again.
            if tag.group(1) or looked_at > 20 * len(markup):
                return True
        if match.group(2).lower() in _SELF_CLOSING:
            continue
        depth = max(0, depth - 1) if match.group(1) else depth + 1
        if depth > _DEPTH:
            return True
    return False


@lru_cache(maxsize=1)  # the text, the harmless markup and the new words of one mail all ask
def flatten(markup: str) -> str:
    """Give the words of markup whose tree is too complex to build: every tag becomes a blank. Linear."""
    markup = re.sub(r"<(?:script|style)\b[^<>]*>[^<]*", "", markup, flags=re.IGNORECASE)
    words = html.unescape(re.sub(r"<[^<>]*>", "\n", markup))
    return re.sub(r"\s*\n\s*", "\n", words).strip()
