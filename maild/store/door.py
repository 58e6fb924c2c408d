"""The one door through which the ledger is written: units as data, whole or not at all, durable on return.

A unit is posted whole, so a caller that is cancelled (aiosmtpd does that when a peer hangs up) can neither stop it
half-way nor leave a lock behind. There are two doors, `door_sqlite` and `door_postgres`; both take the same statements.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Rows = list[tuple[Any, ...]]
"""What one statement gave back: its RETURNING or SELECT rows, else nothing."""

Heard = Callable[[str], None]
"""Called with "received", "decided" or "keys" when another one wrote so, with "poll" when anything may have happened."""


@dataclass(frozen=True, slots=True)
class Write:
    """One statement of a unit: `?` marks, their values (aware datetimes allowed), and the rows it must touch.

    What stands in `/*! ... */` is for PostgreSQL alone. No `?` may stand in a literal.
    """

    sql: str
    params: Sequence[Any] = ()
    expect: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One question of several that are asked in one go: a SELECT with `?` marks, and their values."""

    sql: str
    params: Sequence[Any] = ()


Lines = list[dict[str, Any]]
"""What one question gave: rows by column name, instants (by the name, see `maild.store.instant`) as aware UTC datetimes."""


class Door(Protocol):
    """What the ledger's methods ask of an engine."""

    @property
    def name(self) -> str:
        """Whose hands rows are in that were taken through this door."""

    @property
    def pooled(self) -> bool:
        """Whether reading takes a connection from a pool."""

    def naming_faults(self) -> AbstractContextManager[None]:
        """Give the driver's faults the ledger's names while reading."""

    async def write(
        self, unit: Sequence[Write], *, alone: Collection[str] = (), turn: bool = False, tell: str = ""
    ) -> list[Rows]:
        """Write all of the unit or nothing, and give each statement's rows.

        No two units run at once that share a name in `alone`. With `turn` the unit waits for its turn to decide, unless
        the caller is inside `deciding`. `tell` is what other daemons hear once it is written.

        ConflictError when a count is not the expected one or a unique key is taken; LedgerBusyError when another
        process holds a lock too long; LedgerAwayError when the server is out of reach; LedgerError for a full disk and
        the like.
        """

    async def read(self, questions: Sequence[Read]) -> list[Lines]:
        """Answer all of them from one state of the ledger, in one trip: for the hot path. Faults as in `write`."""

    def deciding(self) -> AbstractAsyncContextManager[None]:
        """Hold the turn to decide: nobody else on this ledger gathers evidence and records for the length of the block."""

    def listening(self, heard: Heard) -> AbstractAsyncContextManager[None]:
        """Call `heard` for the length of the block."""

    async def close(self) -> None:
        """Wait for the units in flight, then disconnect. Calling it again does nothing."""
