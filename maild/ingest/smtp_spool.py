"""One mail on its way in: in memory while it is small, in a file without a name beyond that."""

import errno
import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

IN_MEMORY = 1024 * 1024
"""Octets up to which a mail makes no file."""

FLUSH = 256 * 1024
"""Octets that gather in memory between two writes to the file."""

PIECE = 1024 * 1024


def room(folder: Path) -> int:
    """Give the octets that may still be written to the file system of a folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class Spool:
    """Collects octets in `folder`, and gives them again. `min_free` octets are left free there: OSError (ENOSPC) below.

    The file never has a name, so a crash leaves nothing behind; it goes when nobody holds the spool any more. That may
    be later than the end of the connection: a mail that is being stored is stored though its sender hung up.
    """

    def __init__(self, folder: Path, min_free: int = 0) -> None:
        self.folder = folder
        self._min_free = min_free
        self._pending = bytearray()
        self._sha256 = hashlib.sha256()
        self._file: io.FileIO | None = None
        self.size = 0

    @property
    def held(self) -> int:
        """Octets in memory."""
        return len(self._pending)

    @property
    def is_heavy(self) -> bool:
        """Say whether it is time to `flush`."""
        return self.held > (IN_MEMORY if self._file is None else FLUSH)

    @property
    def digest(self) -> str:
        """The SHA-256 in hex of what was flushed."""
        return self._sha256.hexdigest()

    def add(self, piece: bytes) -> None:
        """Take the next octets, into memory."""
        self._pending += piece
        self.size += len(piece)

    def flush(self) -> None:
        """Write to the file what is in memory. It may block: call it in a thread, and nothing else meanwhile."""
        if self._file is None:
            self._file = _nameless(self.folder)
            weakref.finalize(self, self._file.close)
        if room(self.folder) < self._min_free + self.held:
            raise OSError(errno.ENOSPC, f"less than {self._min_free} octets would be left free", str(self.folder))
        rest = memoryview(self._pending)
        self._sha256.update(rest)
        while rest:
            rest = rest[self._file.write(rest) :]
        rest.release()
        self._pending = bytearray()

    def finish(self) -> "bytes | Spool":
        """Give the octets where they fit into memory, else the spool, flushed. It may block like `flush`."""
        if self._file is None:
            octets = bytes(self._pending)
            self._pending.clear()
            return octets
        self.flush()
        return self

    def pieces(self) -> Iterator[bytes]:
        """Read what was flushed, from its beginning, in pieces of `PIECE` octets at most."""
        at = 0
        while self._file is not None and (piece := os.pread(self._file.fileno(), PIECE, at)):
            yield piece
            at += len(piece)


def _nameless(folder: Path) -> io.FileIO:
    file = tempfile.TemporaryFile("w+b", buffering=0, dir=folder)  # noqa: SIM115 - closed when its spool goes
    assert isinstance(file, io.FileIO)  # noqa: S101 - without a buffer it is one
    return file
