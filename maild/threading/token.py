"""What we sign: sub-address tokens and our own Message-IDs.

A token is 15 octets in lower-case base32 (24 letters, since a local part loses its case and holds 64 octets at most,
RFC 5321 section 4.5.3.1.1): version and purpose, the ticket's number, and 80 bits of HMAC-SHA256 over
(ticket, address, purpose). It is bound to an address that it does not contain, so whoever checks it must say whom he
takes the bearer for. Keys come newest first, and an older key stays good until it is retired.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

_VERSION = 1
_MAC_OCTETS = 10
_TOKEN = re.compile(r"[a-z2-7]{24}\Z")
_OWN_ID = re.compile(r"maild\.(\d{1,10})\.([a-z2-7]{8,32})\.([a-z2-7]{16})@[^@\s]+\Z")
_MOST_TICKETS = 2**32


class Purpose(IntEnum):
    """What a token lets its bearer do."""

    AGENT = 1
    CUSTOMER = 2
    BOUNCE = 3
    RELEASE = 4


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was read: nothing is proven yet."""

    ticket: int
    purpose: Purpose
    mac: bytes


def _mac(key: bytes, *parts: str) -> bytes:
    return hmac.new(key, "\x00".join(parts).encode(), hashlib.sha256).digest()[:_MAC_OCTETS]


def _token_mac(key: bytes, ticket: int, address: str, purpose: Purpose) -> bytes:
    return _mac(key, "token", str(ticket), address.lower(), str(int(purpose)))


def _letters(octets: bytes) -> str:
    return base64.b32encode(octets).decode("ascii").rstrip("=").lower()


def mint(key: bytes, ticket: int, address: str, purpose: Purpose) -> str:
    """Make the token that binds `address` to `ticket` for `purpose`. `ticket` is below 2**32."""
    head = bytes([_VERSION << 4 | purpose]) + ticket.to_bytes(4, "big")
    return _letters(head + _token_mac(key, ticket, address, purpose))


def read(text: str) -> Token | None:
    """Read a token's letters, in any case; None where they are none."""
    letters = text.lower()
    if not _TOKEN.match(letters):
        return None
    octets = base64.b32decode(letters.upper())
    if octets[0] >> 4 != _VERSION or octets[0] & 15 not in tuple(Purpose):
        return None
    return Token(int.from_bytes(octets[1:5], "big"), Purpose(octets[0] & 15), octets[5:])


def bearer(token: Token, keys: Sequence[bytes], candidates: Iterable[str]) -> str | None:
    """Say which of the candidate addresses the token was made for; None where it was made for none of them."""
    for address in candidates:
        for key in keys:
            if hmac.compare_digest(token.mac, _token_mac(key, token.ticket, address, token.purpose)):
                return address
    return None


def nonce(*parts: str) -> str:
    """Derive a Message-ID's unique part from a key, so that the same debt always has the same Message-ID."""
    return _letters(hashlib.sha256("\x00".join(parts).encode()).digest()[:10])


def own_id(key: bytes, ticket: int, unique: str, domain: str) -> str:
    """Make a Message-ID of ours (no brackets) that names its ticket and is signed. `unique` is 8 to 32 base32 letters."""
    return f"maild.{ticket}.{unique}.{_letters(_mac(key, 'id', str(ticket), unique))}@{domain}"


def read_own_id(msgid: str, keys: Sequence[bytes]) -> int | None:
    """Give the ticket a Message-ID of ours names, None unless one of the keys signed it."""
    found = _OWN_ID.match(msgid.lower())
    if found is None:
        return None
    ticket, unique, letters = found.groups()
    mac = base64.b32decode(letters.upper())
    if int(ticket) < _MOST_TICKETS and any(hmac.compare_digest(mac, _mac(key, "id", ticket, unique)) for key in keys):
        return int(ticket)
    return None


def sub_address(mailbox: str, detail: str, separator: str) -> str:
    """Put `detail` into a mailbox's address: csm@x with abc and + becomes csm+abc@x (RFC 5233)."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}{separator}{detail}@{domain}"


def detail_of(address: str, mailbox: str, separator: str) -> str | None:
    """Give the detail of a sub-address of `mailbox`; "" for the mailbox itself, None for any other address."""
    local, _, domain = address.lower().rpartition("@")
    own_local, _, own_domain = mailbox.lower().rpartition("@")
    if domain != own_domain:
        return None
    if local == own_local:
        return ""
    if separator and local.startswith(own_local + separator):
        return local[len(own_local) + len(separator) :] or None
    return None
