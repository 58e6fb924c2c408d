"""One selected folder on one connection: what is asked of the server, and how it is waited for. Blocks.

What the library does wrong is kept away here; see docs/traps.md before you simplify.
"""

import selectors
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from imapclient import IMAPClient  # type: ignore[import-untyped]  # it ships no types

from maild.ingest.imap_account import ImapError
from maild.ingest.imap_login import READ, naming_faults
from maild.ingest.imap_plan import Listed, fresh, windows

SEARCHED = 50_000
"""Messages one SEARCH is asked about: imaplib refuses lines above a million octets."""

UNKNOWN = datetime.max.replace(tzinfo=UTC)
"""The INTERNALDATE of a message whose server gives none that can be read: it counts as new, and as received now."""

LISTED = 500
"""UIDs in one FETCH of sizes, and in one MOVE."""


class Session:
    """A folder, selected. `readonly` examines it, so that nothing on the server changes by looking. ImapError."""

    def __init__(self, client: IMAPClient, folder: str, *, readonly: bool) -> None:
        self._client = client
        self._folder = folder
        self._readonly = readonly
        self._count = 0
        self.uidvalidity = 0

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself (RFC 2177)."""
        return self._can("IDLE")

    @property
    def can_move(self) -> bool:
        """Whether single messages can be moved: by MOVE (RFC 6851), or by UIDPLUS (RFC 4315)."""
        return self._can("MOVE") or self._can("UIDPLUS")

    def _can(self, capability: str) -> bool:
        with naming_faults():
            return bool(self._client.has_capability(capability))

    def select(self) -> None:
        """Select the folder, anew where it is selected already: its UIDVALIDITY may be another one."""
        with naming_faults():
            found = self._client.select_folder(self._folder, readonly=self._readonly)
        self._count = found.get(b"EXISTS", 0)
        self.uidvalidity = found.get(b"UIDVALIDITY", 0)
        if not self.uidvalidity:
            raise ImapError(f"{self._folder} has no UIDVALIDITY, so its mails cannot be told apart", refused=True)

    @property
    def count(self) -> int:
        """How many messages lay there when it was selected."""
        return self._count

    def all_uids(self) -> list[int]:
        """Give every UID of the folder as it was selected, ascending."""
        found: set[int] = set()
        with naming_faults():
            for window in windows(self._count, SEARCHED):
                found.update(self._client.search([window]))
        return sorted(found)

    def newer(self, last_uid: int) -> list[int]:
        """Give the UIDs above `last_uid`, ascending."""
        with naming_faults():
            # A SEARCH sees the folder as it was at the end of the command before it.
            self._client.noop()
            return fresh(self._client.search(["UID", f"{last_uid + 1}:*"]), last_uid)

    def larger(self, octets: int) -> list[int]:
        """Give the UIDs of messages above so many octets."""
        with naming_faults():
            return sorted(self._client.search(["LARGER", octets]))

    def listed(self, uids: Sequence[int]) -> list[Listed]:
        """Give size and INTERNALDATE of messages; those that went meanwhile are left out."""
        found: list[Listed] = []
        for some in _cut(uids):
            with naming_faults():
                answers = self._client.fetch(some, ["RFC822.SIZE", "INTERNALDATE"])
            for uid in some:
                answer = answers.get(uid, {})
                if b"RFC822.SIZE" in answer:
                    found.append(Listed(uid, int(answer[b"RFC822.SIZE"]), _instant(answer.get(b"INTERNALDATE"))))
        return found

    def octets(self, uids: Sequence[int]) -> dict[int, bytes | str]:
        """Give messages as they are, without marking them as read; in words why where the server refuses one.

        Those that went meanwhile are left out.
        """
        try:
            with naming_faults():
                return self._octets(uids)
        except ImapError as error:
            if not error.alive:
                raise
            words = str(error)
        if len(uids) == 1:
            return {uids[0]: words}
        found: dict[int, bytes | str] = {}
        for uid in uids:
            found |= self.octets([uid])
        return found

    def _octets(self, uids: Sequence[int]) -> dict[int, bytes | str]:
        answers = self._client.fetch(list(uids), ["BODY.PEEK[]"])
        found: dict[int, bytes | str] = {}
        for uid, answer in answers.items():
            octets = answer.get(b"BODY[]", b"")
            if b"BODY[]" in answer:
                found[uid] = octets if isinstance(octets, bytes) and octets else "the server gives no octets"
        return found

    def move(self, uids: Collection[int], folder: str) -> None:
        """Move messages. Those that are there no more are no error, so that a move can be repeated."""
        for some in _cut(sorted(uids)):
            with naming_faults():
                if self._can("MOVE"):
                    self._client.move(some, folder)
                    continue
                self._client.copy(some, folder)
                self._client.add_flags(some, [b"\\Deleted"], silent=True)
                self._client.uid_expunge(some)

    def make(self, folder: str) -> bool:
        """Make a folder unless it is there; say whether it was made."""
        with naming_faults():
            if self._client.folder_exists(folder):
                return False
            self._client.create_folder(folder)
            return True

    def idle(self, wake: socket.socket, seconds: float) -> None:
        """Wait until the server says anything, `wake` can be read, or the time is over; then end IDLE.

        The library's own idle_check is not asked: after the server hung up it says "nothing" at once, for ever. Here
        the end of IDLE is waited for, and on a dead connection that is an error.
        """
        with naming_faults():
            self._client.idle()
            if not _buffered(self._client):
                _readable((self._client.socket(), wake), seconds)
            self._client.idle_done()


def _instant(at: datetime | None) -> datetime:
    try:
        return UNKNOWN if at is None else at.astimezone(UTC)
    except OverflowError:  # the year 1, or 9999
        return UNKNOWN


def _cut(uids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(uids), LISTED):
        yield list(uids[start : start + LISTED])


def _buffered(client: IMAPClient) -> bool:
    """Say whether something came in one packet with the start of IDLE: it is read already, so no socket tells of it."""
    sock = client.socket()
    sock.settimeout(0)
    try:
        with suppress(OSError):  # nothing there, as TLS says it
            return bool(client._imap.file.peek(1))  # noqa: SLF001 - the library offers no way to ask
        return False
    finally:
        sock.settimeout(READ)


def _readable(sockets: Collection[socket.socket], seconds: float) -> None:
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ)
        selector.select(seconds)


def pause(wake: socket.socket, seconds: float) -> None:
    """Wait until `wake` can be read, or the time is over."""
    _readable((wake,), seconds)


def drain(wake: socket.socket) -> None:
    """Read all nudges."""
    with suppress(BlockingIOError):
        while wake.recv(4096):
            continue
