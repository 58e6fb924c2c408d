"""The copy that is kept before an upgrade: whole and on the disk, or not there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from maild.store.faults import LedgerSchemaError

ADVICE = "make a backup yourself, then run `maild migrate --no-copy`"
"""What to do where no copy can be made."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which version to which a ledger was brought (0 is a new one, equal is untouched), and where its copy lies."""

    before: int
    after: int
    copy: Path | None = None


@contextmanager
def kept(copy: Path) -> Iterator[Path]:
    """Give an empty file to fill, readable by its owner only. At the end of the block it takes the name of the copy.

    An older copy stays until then. What attempts that were cut short left behind is removed, so nobody else may be at
    it. LedgerSchemaError where the folder takes no file; where the block fails, its file is removed.
    """
    try:
        for left in copy.parent.glob(f"{copy.name}.*.part"):
            left.unlink(missing_ok=True)
        number, name = tempfile.mkstemp(".part", f"{copy.name}.", copy.parent)
        os.close(number)
    except OSError as error:
        raise no_copy(f"{copy.parent}: {error.strerror}") from error
    part = Path(name)
    try:
        yield part
        _flush(part)
        part.replace(copy)
        _flush(copy.parent)
    except OSError as error:
        raise no_copy(f"{copy}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def no_copy(why: str) -> LedgerSchemaError:
    """Give the fault of an upgrade that was not begun, for there is no copy to go back to."""
    return LedgerSchemaError(f"nothing was changed, for no copy could be made first ({why}): {ADVICE}")


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
