"""What `maild doctor` sees of a ledger in a file of SQLite's."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from maild.cli.doctor_running import STEP
from maild.cli.doctor_standing import QUESTION, Standing, judge_standing, judge_version
from maild.cli.doctor_words import amount
from maild.cli.finding import Finding
from maild.store.migrate import ADVICE, refuse_foreign, steps, version

CHECK_SECONDS = 10.0
"""How long the file is searched for damage: some 4 GB of large mails, from a warm cache."""

_OLDEST = (3, 37)
_INSTRUCTIONS = 10_000
"""Of SQLite's machine, between two looks at the time."""


def look_at_file(path: Path, now: datetime, seconds: float = CHECK_SECONDS) -> Iterator[Finding]:
    """Look at the file, which is searched for damage for `seconds`. LedgerSchemaError where it is no ledger."""
    if sqlite3.sqlite_version_info < _OLDEST:
        yield Finding("database engine", "fail", f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or later is needed")
    if not path.exists():
        yield Finding("database", "warn", f"{path} is not there yet: `maild serve` makes it")
        return
    refuse_foreign(path)
    try:
        # Read-only: SQLite itself refuses to write.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=STEP)) as con:
            yield from _look(con, path, now, seconds)
    except sqlite3.OperationalError as error:
        yield Finding("database", "fail", f"{path} cannot be read: {error}")
    except sqlite3.DatabaseError as error:
        yield Finding("database", "fail", f"{path} is damaged ({error}): {ADVICE}")


def _look(con: sqlite3.Connection, path: Path, now: datetime, seconds: float) -> Iterator[Finding]:
    have, want = version(con), len(steps())
    (mode,) = con.execute("PRAGMA journal_mode").fetchone()
    yield Finding("database", "ok", f"{path}, SQLite {sqlite3.sqlite_version}, {_size(path)}")
    yield judge_version(have, want)
    if have:
        yield judge_journal(mode)
    yield judge_damage(*_damage(con, seconds))
    if 0 < have <= want:
        yield from judge_standing(Standing.of(con.execute(QUESTION).fetchone()), now)


def _size(path: Path) -> str:
    log = path.with_name(f"{path.name}-wal")
    beside = log.stat().st_size if log.exists() else 0
    return amount(path.stat().st_size) + (f" and {amount(beside)} in its log" if beside else "")


def _damage(con: sqlite3.Connection, seconds: float) -> tuple[str, bool]:
    """Give the first damage that was found, "" for none, and whether everything was looked at."""
    until = time.monotonic() + seconds
    con.set_progress_handler(lambda: time.monotonic() >= until, _INSTRUCTIONS)
    try:
        (first,) = con.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        if time.monotonic() < until:
            raise
        return "", False
    finally:
        con.set_progress_handler(None, 0)
    return "" if first == "ok" else str(first), True


def judge_journal(mode: str) -> Finding:
    """Judge `journal_mode`: without WAL readers wait for writers."""
    if mode == "wal":
        return Finding("database journal", "ok", "WAL")
    words = f"journal_mode is {mode}: `maild serve` makes it WAL when it starts, but who changed it?"
    return Finding("database journal", "warn", words)


def judge_damage(damage: str, whole: bool) -> Finding:
    """Judge what `quick_check` said, of the whole file or of a part."""
    if damage:
        return Finding("database damage", "fail", f"{damage}: {ADVICE}")
    if not whole:
        words = 'none in the time there was; `sqlite3 -readonly FILE "PRAGMA quick_check"` looks at all of it'
        return Finding("database damage", "ok", words)
    return Finding("database damage", "ok", "none")
