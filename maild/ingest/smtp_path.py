"""The argument of MAIL and RCPT, and the words of a reply (RFC 5321 section 4.1.2, RFC 2034). Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType

LONGEST = 512
"""Octets of an address that we still take: twice what RFC 5321 section 4.5.3.1.3 promises, for long return paths."""

NULL_PATH = "<>"
"""How aiosmtpd wants the null reverse-path written: an empty string means "no MAIL yet" to it."""

_ADDRESS = r'(?:"(?:[^"\\]|\\.)*"|[^"@<>\\\s]+)(?:@[^"@<>\\\s]+)?'
_PATH = re.compile(rf"<(?:(?:@[^\s:<>]+:)?(?P<path>{_ADDRESS}))?>(?P<rest>\s.*)?\Z")
_BARE = re.compile(rf"(?P<path>{_ADDRESS})(?P<rest>\s.*)?\Z")

ENHANCED: Mapping[str, str] = MappingProxyType(
    {
        "221": "2.0.0",
        "250": "2.0.0",
        "252": "2.5.2",
        "451": "4.3.0",
        "452": "4.3.1",
        "500": "5.5.2",
        "501": "5.5.4",
        "502": "5.5.1",
        "503": "5.5.1",
        "504": "5.5.4",
        "552": "5.3.4",
        "553": "5.1.3",
        "555": "5.5.4",
    }
)
"""The enhanced status of replies that aiosmtpd words without one (RFC 3463)."""

_CODED = re.compile(r"[245]\d\d [245]\.\d{1,3}\.\d{1,3}(?: |\Z)")


def read_path(argument: str) -> tuple[str, str] | None:
    """Read `<path> parameters`: give (address, parameters), the address of the null path being `NULL_PATH`.

    A source route is ignored (RFC 5321 appendix C), missing angle brackets are forgiven. None for what is no address:
    NUL and other controls, invisible characters, octets that are no UTF-8, white space or a second @ outside quotes.
    """
    found = (_PATH if argument.startswith("<") else _BARE).match(argument)
    if found is None:
        return None
    address, rest = found["path"] or NULL_PATH, (found["rest"] or "").strip()
    if not address.isprintable() or not rest.isascii() or len(address.encode()) > LONGEST:
        return None
    return address, rest


def with_enhanced_status(reply: str) -> str:
    """Give the reply with an enhanced status code, and without any control character that it may quote."""
    clean = "".join(character if character.isprintable() else "?" for character in reply)
    status = ENHANCED.get(clean[:3])
    if status is None or clean[3:4] == "-" or _CODED.match(clean):
        return clean
    return f"{clean[:3]} {status}{clean[3:]}"
