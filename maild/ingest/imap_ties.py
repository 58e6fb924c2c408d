"""What binds a worker's thread to the loop: the ledger's methods, as this room asks for them."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from maild.ingest.imap_plan import Held, Noted, Reconciled


class Kept(Protocol):
    """What became of noted UIDs."""

    @property
    def received(self) -> tuple[int, ...]:
        """The received rows they gave."""

    @property
    def before(self) -> int:
        """How many of them brought octets that the folder had brought before."""


class Book(Protocol):
    """What is asked of the ledger: `maild.store.fetching`."""

    @property
    def shared(self) -> bool:
        """Whether other daemons may want the same folders."""

    async def take_mailbox(self, name: str, now: datetime) -> Held | None:
        """Hold a folder, or go on holding it."""

    async def leave_mailbox(self, mailbox: int) -> None:
        """Give it back."""

    async def uids(self, mailbox: int, uidvalidity: int) -> dict[int, str]:
        """Give the UIDs noted and not moved away, each with its fault."""

    async def moved_away(self, mailbox: int, uidvalidity: int, uids: Collection[int]) -> set[int]:
        """Give which of these UIDs are known as moved away."""

    async def first_seen(self, mailbox: int) -> datetime | None:
        """Give when the first UID was noted."""

    async def note_old(self, mailbox: int, uidvalidity: int, uids: Sequence[int], now: datetime) -> None:
        """Note all of a folder without fetching it."""

    async def fetched(self, mailbox: int, uidvalidity: int, noted: Sequence[Noted], now: datetime) -> Kept:
        """Store mails and their UIDs in one unit."""

    async def looked(self, held: Held, now: datetime) -> None:
        """Note that all of it was seen."""

    async def reconciled(self, mailbox: int, uidvalidity: int, gone: Collection[int], now: datetime) -> None:
        """Note that the UIDs were compared."""

    async def settled(
        self, mailbox: int, uidvalidity: int, states: Collection[str], *, from_id: int = 0
    ) -> list[tuple[int, str]]:
        """Give the UIDs whose mail waits for nothing."""

    async def moved(self, mailbox: int, uidvalidity: int, uids: Collection[int], now: datetime) -> None:
        """Note that messages lie elsewhere now."""


@dataclass(frozen=True, slots=True)
class Ties:
    """What binds a worker to the loop. `ask` runs a coroutine there and waits for it; `stored` says that mail came.

    `bears_token` says whether an address is one of ours with a token in it.
    """

    book: Book
    ask: Callable[[Coroutine[Any, Any, Any]], Any]
    stored: Callable[[], None]
    reconciled: Callable[[Reconciled], None]
    bears_token: Callable[[str], bool]
    now: Callable[[], datetime]
