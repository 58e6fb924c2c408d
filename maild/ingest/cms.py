"""What an S/MIME body is, and the letter in it where it is signed only: a walk through BER, no key needed (RFC 5652).

Bounded: definite and indefinite lengths are both read without recursion, and octets that lie about themselves give
nothing.
"""

_PKCS7 = bytes.fromhex("06092a864886f70d0107")
"""The object identifier 1.2.840.113549.1.7, but for its last number: the content type (RFC 5652 section 3)."""
_AUTHENTICATED = bytes.fromhex("060b2a864886f70d0109100117")
_COMPRESSED = bytes.fromhex("060b2a864886f70d0109100109")
_KINDS = {2: "signed", 3: "encrypted", 4: "encrypted", 6: "encrypted"}
_DEPTH = 10
_PIECES = 500_000
_OCTETS, _OCTETS_IN_PIECES, _END = 0x04, 0x24, 0x00


class _Broken(Exception):  # noqa: N818 - not an error of ours: the octets are no BER
    """The octets are not what they say."""


def kind(octets: bytes) -> str:
    """Say what a CMS object is: "signed", "encrypted", "compressed", or "" where it is none that we know."""
    try:
        _, at, _ = _head(octets, 0)
        if octets.startswith(_PKCS7, at) and len(octets) > at + len(_PKCS7):
            return _KINDS.get(octets[at + len(_PKCS7)], "")
        if octets.startswith(_AUTHENTICATED, at):
            return "encrypted"
        return "compressed" if octets.startswith(_COMPRESSED, at) else ""
    except _Broken:
        return ""


def signed(octets: bytes) -> bytes | None:
    """Give the octets that were signed (RFC 5652 section 5.1), or None: no signed data, or its content is elsewhere."""
    if kind(octets) != "signed":
        return None
    try:
        at = _behind(octets, _into(octets, 0, 0x30))
        at = _into(octets, _into(octets, at, 0xA0), 0x30)
        at = _behind(octets, _behind(octets, at))  # version, digest algorithms
        at = _behind(octets, _into(octets, at, 0x30))
        return _string(octets, _into(octets, at, 0xA0))
    except _Broken:
        return None


def _head(octets: bytes, at: int) -> tuple[int, int, int]:
    """Read what stands before a value: (tag, where the value begins, where it ends or -1 for an indefinite length)."""
    if at + 2 > len(octets) or octets[at] & 31 == 31:
        raise _Broken
    tag, first, begin = octets[at], octets[at + 1], at + 2
    if first < 0x80:
        return tag, begin, begin + first
    if first == 0x80:
        return tag, begin, -1
    count = first & 0x7F
    return tag, begin + count, begin + count + int.from_bytes(octets[begin : begin + min(count, 8)], "big")


def _into(octets: bytes, at: int, wanted: int) -> int:
    tag, begin, _ = _head(octets, at)
    if tag != wanted:
        raise _Broken
    return begin


def _behind(octets: bytes, at: int) -> int:
    depth = 0
    for _ in range(_PIECES):
        tag, begin, end = _head(octets, at)
        at = begin if end < 0 else end
        depth += (end < 0) - (depth > 0 and tag == _END and begin == end)
        if not depth:
            return at
    raise _Broken


def _string(octets: bytes, at: int) -> bytes:
    """Read an octet string, in one piece or in several, which may be in pieces themselves."""
    pieces: list[bytes] = []
    ends: list[int] = []
    for _ in range(_PIECES):
        tag, begin, end = _head(octets, at)
        if tag == _OCTETS and end >= 0:
            pieces.append(octets[begin:end])
            at = end
        elif tag == _OCTETS_IN_PIECES and len(ends) < _DEPTH:
            ends.append(end)
            at = begin
        elif tag == _END and begin == end and ends and ends[-1] < 0:
            ends.pop()
            at = begin
        else:
            raise _Broken
        while ends and 0 <= ends[-1] <= at:
            ends.pop()
        if not ends:
            return b"".join(pieces)
    raise _Broken
