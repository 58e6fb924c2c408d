"""Octets too many for memory come to the ledger in pieces, and are the same octets."""

import hashlib
import os
from dataclasses import dataclass

import pytest


@dataclass
class Pieces:
    octets: bytes
    asked: int = 0

    @property
    def digest(self):
        return hashlib.sha256(self.octets).hexdigest()

    @property
    def size(self):
        return len(self.octets)

    def pieces(self):
        self.asked += 1
        for at in range(0, self.size, 100_000):
            yield self.octets[at : at + 100_000]


@pytest.mark.parametrize("octets", [b"", b"line\r\n" * 500_000, os.urandom(1_000_003)], ids=["empty", "text", "noise"])
async def test_pieces_are_stored_like_the_whole(ledger, make, octets):
    pieces = Pieces(octets)
    ((one,),) = await ledger.accept([(make.env(), pieces)])
    assert await ledger.octets(pieces.digest) == octets
    # The same mail, in one piece this time, is the same row.
    assert await ledger.accept([(make.env(), octets)]) == [(one,)]
    assert (await ledger.accept([(make.env(), b"other"), (make.env(), pieces)]))[1:] == [(one,)]
    assert pieces.asked == 2
