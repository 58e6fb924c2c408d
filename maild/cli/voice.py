"""A stream for the log that never fails: what nobody can read must not cost a mail its 250."""

from contextlib import suppress
from typing import TextIO


class Voice:
    """Writes to a stream as long as that can be written: a reader that died or a full disk loses words, nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError, ValueError):
            self._stream.flush()
