"""Octets as the ledger keeps them: named by their SHA-256, packed by Zstandard."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import zstandard

from maild.store.door import Write

LEVEL = 3


class Pieces(Protocol):
    """Octets too many to hold at once: their SHA-256 in hex, their number, and themselves, as often as asked."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex."""

    @property
    def size(self) -> int:
        """Their number."""

    def pieces(self) -> Iterator[bytes]:
        """Give them in order."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Octets ready for the ledger. `digest` is SHA-256 in hex, `size` counts the octets before compression."""

    digest: str
    zstd: bytes
    size: int

    def write(self) -> Write:
        """Store them, unless they are there."""
        sql = "INSERT INTO octets (digest, zstd, size) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING"
        return Write(sql, (self.digest, self.zstd, self.size))


def pack(octets: bytes | Pieces) -> Packed:
    """Name and compress: about 100 MB/s, so large mails are packed outside the event loop."""
    if isinstance(octets, bytes):
        return Packed(digest_of(octets), zstandard.ZstdCompressor(level=LEVEL).compress(octets), len(octets))
    frame = zstandard.ZstdCompressor(level=LEVEL).compressobj(size=octets.size)
    packed = bytearray()
    for piece in octets.pieces():
        packed += frame.compress(piece)
    packed += frame.flush()
    return Packed(octets.digest, bytes(packed), octets.size)


def digest_of(octets: bytes) -> str:
    """Give the SHA-256 in hex."""
    return hashlib.sha256(octets).hexdigest()


def unpack(zstd: bytes) -> bytes:
    """Give the octets back."""
    return zstandard.ZstdDecompressor().decompress(zstd)
