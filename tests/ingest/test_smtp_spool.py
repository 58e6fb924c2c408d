"""A mail on its way in: in memory, or in a file that has no name and goes by itself."""

import asyncio
import contextlib
import errno
import gc
import hashlib
import os
import threading
import weakref
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maild.ingest.accept import Acceptor, Overloaded
from maild.ingest.smtp_spool import FLUSH, IN_MEMORY, PIECE, Spool
from maild.mail import Envelope

ENV = Envelope("a@x", ("b@y",), "smtp", "192.0.2.1", datetime(2026, 1, 1, tzinfo=UTC))


def spooled(folder, size, piece=100_000):
    """Give a spool as a connection fills it, and what is in it."""
    octets = os.urandom(size)
    spool = Spool(folder)
    for at in range(0, size, piece):
        spool.add(octets[at : at + piece])
        if spool.is_heavy:
            spool.flush()
    return spool, octets


def open_files(folder):
    """Give what this process has open in a folder."""
    found = []
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(number.readlink()))
    return [name for name in found if name.startswith(str(folder))]


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY])
def test_what_is_small_makes_no_file(tmp_path, size):
    spool, octets = spooled(tmp_path, size)
    assert open_files(tmp_path) == []
    assert spool.finish() == octets
    assert (spool.size, spool.held) == (size, 0)


@pytest.mark.parametrize("size", [IN_MEMORY + 1, IN_MEMORY + FLUSH, 3 * PIECE, 5_000_001])
def test_what_is_large_is_read_again_as_often_as_one_likes(tmp_path, size):
    spool, octets = spooled(tmp_path, size)
    assert spool.held <= IN_MEMORY + 100_000
    assert spool.finish() is spool
    for _ in range(2):
        assert b"".join(spool.pieces()) == octets
    assert max(map(len, spool.pieces())) <= PIECE
    assert (spool.size, spool.digest, spool.held) == (size, hashlib.sha256(octets).hexdigest(), 0)
    assert list(tmp_path.iterdir()) == [], "it has no name"


def test_a_spool_lives_as_long_as_somebody_reads_it(tmp_path):
    spool, octets = spooled(tmp_path, 3_000_000)
    spool.finish()
    pieces = spool.pieces()
    first = next(pieces)
    del spool
    gc.collect()
    assert len(open_files(tmp_path)) == 1
    assert first + b"".join(pieces) == octets
    del pieces
    gc.collect()
    assert open_files(tmp_path) == []


def test_a_thread_that_still_writes_keeps_it(tmp_path, monkeypatch):
    """The connection that a peer drops is gone at once; the thread that writes for it comes to its end."""
    begun, go_on = threading.Event(), threading.Event()

    def room(folder):
        begun.set()
        assert go_on.wait(30)
        return 10**12

    monkeypatch.setattr("maild.ingest.smtp_spool.room", room)
    spool = Spool(tmp_path)
    spool.add(b"x" * 2_000_000)
    seen = weakref.ref(spool)
    thread = threading.Thread(target=spool.flush)
    thread.start()
    assert begun.wait(30)
    del spool
    assert len(open_files(tmp_path)) == 1
    go_on.set()
    thread.join(30)
    del thread
    gc.collect()
    assert seen() is None
    assert open_files(tmp_path) == []


def test_what_must_stay_free_stays_free(tmp_path, monkeypatch):
    monkeypatch.setattr("maild.ingest.smtp_spool.room", lambda folder: 3_000_000)
    spool = Spool(tmp_path, min_free=1_000_000)
    spool.add(b"x" * 2_000_000)
    spool.flush()
    spool.add(b"x" * 2_000_001)
    with pytest.raises(OSError, match="left free") as caught:
        spool.flush()
    assert caught.value.errno == errno.ENOSPC


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    spool = Spool(tmp_path)
    spool.add(b"x" * 2_000_000)
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr("maild.ingest.smtp_spool._nameless", lambda folder: full)
        with pytest.raises(OSError, match="No space left"):
            spool.flush()


# On its way through the group commit


async def test_the_spool_of_a_sender_who_went_away_is_still_stored(tmp_path):
    stored = []
    go_on = asyncio.Event()

    async def store(mails):
        await go_on.wait()
        stored.extend(b"".join(octets.pieces()) for _, octets in mails)

    door = Acceptor(store, lambda: None, in_flight=10)
    spool, octets = spooled(tmp_path, 3_000_000)
    caller = asyncio.create_task(door.accept(ENV, spool.finish()))
    del spool
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await door.drain()
    assert stored == [octets]
    del caller
    gc.collect()
    assert open_files(tmp_path) == []


async def test_what_lies_in_a_file_takes_no_budget_but_its_part_of_a_unit(tmp_path):
    units = []

    async def store(mails):
        await asyncio.sleep(0)
        units.append([octets if isinstance(octets, bytes) else octets.size for _, octets in mails])

    door = Acceptor(store, lambda: None, in_flight=10)
    heavy = []
    for _ in range(3):
        spool = Spool(tmp_path)
        spool.add(bytes(17 * 1024 * 1024))
        spool.flush()
        heavy.append(spool)
    waiting = [asyncio.create_task(door.accept(ENV, octets)) for octets in (*heavy, b"1234567890")]
    await asyncio.sleep(0)
    assert door.in_flight == 10
    with pytest.raises(Overloaded):
        await door.accept(ENV, b"1")
    await asyncio.gather(*waiting)
    size = 17 * 1024 * 1024
    assert units == [[size], [size], [size, b"1234567890"]]
    assert door.in_flight == 0
