"""Text as the ledger keeps it, the same on both engines. No mail is refused for a character or a length."""

import hashlib
import re

LONGEST_KEY = 800
"""Octets of UTF-8. PostgreSQL refuses rows of an index beyond 2,704; three keys share one, and real ones end at 998."""

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def writable(text: str) -> str:
    """Give text that every engine keeps: NUL (PostgreSQL has none) and lone surrogates become U+FFFD.

    Mail holds both; its octets stay as they came.
    """
    if text.isascii() and "\0" not in text:
        return text
    return _UNWRITABLE.sub("\ufffd", text)


def key(text: str) -> str:
    """Give what stands for `text` in an index: itself, or its beginning and its SHA-256 where it is too long."""
    octets = writable(text).encode()
    if len(octets) <= LONGEST_KEY:
        return octets.decode()
    return f"{octets[:200].decode(errors='ignore')}...{hashlib.sha256(octets).hexdigest()}"
