"""Brings a ledger to this version: numbered, reviewed SQL files, all missing ones in one transaction."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from maild.store.copying import Migrated, kept, no_copy
from maild.store.door_sqlite import begin, rollback
from maild.store.faults import LedgerSchemaError

FOLDER = Path(__file__).parent / "migrations" / "sqlite"

ADVICE = "restore a backup, see docs/operations.md"
"""What to do about a ledger that is damaged."""

_VERSION = """CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT"""
_APPLIED = "INSERT INTO schema_version VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now'))"


def steps(folder: Path = FOLDER) -> dict[int, Path]:
    """Give the migrations by number, in order; LedgerSchemaError where the numbers have a gap."""
    found = {int(path.name[:4]): path for path in sorted(folder.glob("*.sql")) if re.match(r"\d{4}_", path.name)}
    if list(found) != list(range(1, len(found) + 1)):
        raise LedgerSchemaError(f"the migrations in {folder} are not numbered 1 to {len(found)}")
    return found


def version(con: sqlite3.Connection) -> int:
    """Give the number of the last migration applied; 0 for a new file."""
    if con.execute("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'").fetchone() is None:
        return 0
    (last,) = con.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return int(last)


def refuse_foreign(path: Path) -> None:
    """Refuse (LedgerSchemaError) a database that is another program's, or a file that is none; nothing is written to it.

    A file that cannot be opened is left to whoever opens it.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
            tables = [
                name for (name,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            ]
    except sqlite3.OperationalError:
        return
    except sqlite3.DatabaseError as error:
        raise LedgerSchemaError(f"{path} is damaged, or no database ({error}): {ADVICE}") from error
    if tables and "schema_version" not in tables:
        raise LedgerSchemaError(
            f"{path} is another program's database (it holds the table {tables[0]!r}): name a file of maild's own in"
            " database.url"
        )


def check(con: sqlite3.Connection, folder: Path = FOLDER) -> Migrated:
    """Refuse (LedgerSchemaError) a ledger that is not of this version."""
    have = version(con)
    refuse(have, len(steps(folder)))
    return Migrated(have, have)


def refuse(have: int, want: int) -> None:
    """Raise LedgerSchemaError unless the ledger has the version that is wanted; it says what to do."""
    if have > want:
        raise LedgerSchemaError(
            f"the ledger has version {have}, this maild knows {want}: it was written by a later maild; install that one"
        )
    if have < want:
        raise LedgerSchemaError(f"the ledger has version {have}, this maild needs {want}: run `maild migrate`")


def migrate(con: sqlite3.Connection, copies: Path | None = None, folder: Path = FOLDER) -> Migrated:
    """Apply what is missing, after a copy in `copies` of a ledger that has content; all of it or nothing.

    Foreign keys are off meanwhile (a table that is remade must not delete its children) and are checked before the
    commit. LedgerSchemaError when they do not hold, when no copy can be made, or when the ledger is of a later version.
    """
    have, wanted = version(con), steps(folder)
    done = Migrated(have, have)
    if have < len(wanted):
        con.execute("PRAGMA foreign_keys = OFF")
        try:
            begin(con)
            # Read again under the write lock: another process may have been quicker.
            have = version(con)
            copy = _keep_copy(con, copies, have + 1) if copies and 0 < have < len(wanted) else None
            _apply(con, {number: step for number, step in wanted.items() if number > have})
            done = Migrated(have, max(have, len(wanted)), copy)
            con.execute("COMMIT")
        except BaseException:
            rollback(con)
            raise
        finally:
            con.execute("PRAGMA foreign_keys = ON")
    check(con, folder)
    return done


def _apply(con: sqlite3.Connection, missing: dict[int, Path]) -> None:
    con.execute(_VERSION)
    for number, step in missing.items():
        for statement in _statements(step.read_text(encoding="utf-8")):
            con.execute(statement)
        con.execute(_APPLIED, (number, step.stem))
    if orphans := con.execute("PRAGMA foreign_key_check").fetchall():
        raise LedgerSchemaError(
            f"after the migration {len(orphans)} rows point nowhere, first {orphans[0]}: nothing changed"
        )


def _statements(script: str) -> Iterator[str]:
    # sqlite3's executescript commits whatever is open, so the script is taken apart here.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _keep_copy(con: sqlite3.Connection, copies: Path, first: int) -> Path:
    (file,) = con.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    copy = copies / f"{Path(file).name}.before-{first:04}"
    try:
        # Beside the connection that holds the write lock, which may not do it: nobody writes meanwhile.
        with kept(copy) as part, closing(sqlite3.connect(file, isolation_level=None)) as beside:
            beside.execute("VACUUM INTO ?", (str(part),))
    except sqlite3.Error as error:
        raise no_copy(f"{copy}: {error}") from error
    return copy
