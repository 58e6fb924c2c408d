"""What a text says to whoever reads it: tags, entities, percent signs and invisible characters undone."""

import html
import re
import unicodedata
from urllib.parse import unquote

FORMAT = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
"""Characters that nobody sees, as the inside of a character class: Unicode's default ignorables."""

_FORMAT = re.compile(f"[{FORMAT}]")
_TAG = re.compile(r"<[^<>]*>")
_INLINE = re.compile(
    r"</?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|q|ruby|s|samp|small|span|strike"
    r"|strong|sub|sup|time|tt|u|var|wbr)\b[^<>]*>",
    re.IGNORECASE,
)
_MOST_TIMES = 5


def reading(text: str) -> str:
    """Give a text as a program reads it in the end: entities and percent signs decoded, NFKC, lower case."""
    plain = html.unescape(text) if "&" in text else text
    for _ in range(_MOST_TIMES):
        if "%" not in plain:
            break
        plain = unquote(plain)
    if not plain.isascii():
        plain = _FORMAT.sub("", unicodedata.normalize("NFKC", plain))
    return plain.lower()


def readings(text: str) -> tuple[str, ...]:
    """Give every reading of a text that may be HTML: with its tags, without the inline ones, without any."""
    if "<" not in text:
        return (reading(text),)
    return (
        reading(text),
        reading(_TAG.sub("\n", _INLINE.sub("", text))),
        reading(_TAG.sub("", text)),
    )
