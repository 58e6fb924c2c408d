"""A line with a signature in the body of our mail, `[CSM #1042 · <24 letters>]`, for where nothing else comes back.

A mail server without sub-addresses has no token in the address, relays rewrite Message-IDs, and people edit subjects; a
quote keeps the line. It is evidence of where a mail belongs, and only for whom it was written: a quote travels far, so it
proves nobody, and its letters are no sub-address token.
"""

import re
from collections.abc import Collection, Sequence

from maild.threading import token

MOST = 10
"""How many such lines of one mail are looked at."""

MOST_TEXT = 200_000
"""How far they are looked for, in characters: the newest quote comes first."""

_BOUND = "body:"


def inscription(key: bytes, reference: str, ticket: int, reader: str) -> str:
    """Write the line for `reader`, the key of an address on the customer's side."""
    letters = token.mint(key, ticket, _BOUND + reader, token.Purpose.CUSTOMER)
    return f"[{reference} #{ticket} \u00b7 {letters}]"


def claims(text: str, reference: str) -> tuple[token.Token, ...]:
    """Read the lines in a text, quoted and wrapped as they may be: nothing is proven yet."""
    text = text[:MOST_TEXT]
    if f"[{reference.lower()}" not in text.lower():
        return ()
    # The dot comes back as anything, and a wrapped quote has its marks between.
    shape = rf"\[{re.escape(reference)}\s?#(\d{{1,10}})[^\w\[\]][^\[\]]{{0,40}}?([a-z2-7]{{24}})[^\w\[\]]{{0,10}}\]"
    found = re.finditer(shape, text, re.IGNORECASE)
    read = {found[2].lower(): (int(found[1]), token.read(found[2])) for found in found}
    whole = (claimed for number, claimed in read.values() if claimed is not None and claimed.ticket == number)
    return tuple(one for one in whole if one.purpose is token.Purpose.CUSTOMER)[:MOST]


def reader_of(claimed: token.Token, keys: Sequence[bytes], candidates: Collection[str]) -> str | None:
    """Say for which of the candidates, address keys, a line was written; None where for none of them."""
    bearer = token.bearer(claimed, keys, [_BOUND + one for one in candidates])
    return None if bearer is None else bearer.removeprefix(_BOUND)
