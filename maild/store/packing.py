"""Octets as the ledger keeps them: named by their SHA-256, packed by Zstandard."""

import hashlib
from dataclasses import dataclass

import zstandard

from maild.store.door import Write

LEVEL = 3


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


def pack(octets: bytes) -> Packed:
    """Name and compress: about 100 MB/s, so large mails are packed outside the event loop."""
    return Packed(digest_of(octets), zstandard.ZstdCompressor(level=LEVEL).compress(octets), len(octets))


def digest_of(octets: bytes) -> str:
    """Give the SHA-256 in hex."""
    return hashlib.sha256(octets).hexdigest()


def unpack(zstd: bytes) -> bytes:
    """Give the octets back."""
    return zstandard.ZstdDecompressor().decompress(zstd)
