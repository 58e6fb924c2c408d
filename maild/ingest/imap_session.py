"""One selected folder on one connection: what is asked of the server, and how it is waited for. Blocks.

What the library does wrong is kept away here; see docs/traps.md before you simplify.
"""

import selectors
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import structlog
from imapclient import IMAPClient  # type: ignore[import-untyped]  # it ships no types

from maild.ingest.imap_account import ImapError
from maild.ingest.imap_login import READ, allow, naming_faults
from maild.ingest.imap_plan import Listed, fresh, windows

log = structlog.get_logger("maild.imap")

SEARCHED = 50_000
"""Messages one SEARCH is asked about: imaplib refuses lines above a million octets."""

UNKNOWN = datetime.max.replace(tzinfo=UTC)
"""The INTERNALDATE of a message whose server gives none that can be read: it counts as new, and as received now."""

UIDS = range(1, 2**32)
"""What a UID, or a UIDVALIDITY, can be (RFC 9051 section 9: nz-number)."""

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

    @contextmanager
    def _asking(self, octets: int = 0) -> Iterator[None]:
        allow(self._client, octets)
        with naming_faults():
            yield

    def _can(self, capability: str) -> bool:
        with self._asking():
            return bool(self._client.has_capability(capability))

    def select(self) -> None:
        """Select the folder, anew where it is selected already: its UIDVALIDITY may be another one."""
        with self._asking():
            found = self._client.select_folder(self._folder, readonly=self._readonly)
        self._count = found.get(b"EXISTS", 0)
        self.uidvalidity = found.get(b"UIDVALIDITY", 0)
        if self.uidvalidity not in UIDS:
            raise ImapError(f"{self._folder} has no UIDVALIDITY, so its mails cannot be told apart", refused=True)

    @property
    def count(self) -> int:
        """How many messages lay there when it was selected."""
        return self._count

    def all_uids(self) -> list[int]:
        """Give every UID of the folder as it was selected, ascending."""
        found: set[int] = set()
        for window in windows(self._count, SEARCHED):
            with self._asking():
                found.update(self._client.search([window]))
        return self._uids(found)

    def newer(self, last_uid: int) -> list[int]:
        """Give the UIDs above `last_uid`, ascending."""
        with self._asking():
            # A SEARCH sees the folder as it was at the end of the command before it.
            self._client.noop()
            return self._uids(fresh(self._client.search(["UID", f"{last_uid + 1}:*"]), last_uid))

    def larger(self, octets: int) -> list[int]:
        """Give the UIDs of messages above so many octets."""
        with self._asking():
            return self._uids(self._client.search(["LARGER", octets]))

    def _uids(self, found: Collection[int]) -> list[int]:
        uids = sorted(uid for uid in found if uid in UIDS)
        if len(uids) < len(found):
            log.warning("imap.no_uids", folder=self._folder, numbers=len(found) - len(uids))
        return uids

    def listed(self, uids: Sequence[int]) -> list[Listed]:
        """Give size and INTERNALDATE of messages; those that went meanwhile are left out."""
        found: list[Listed] = []
        for some in _cut(uids):
            with self._asking():
                answers = self._client.fetch(some, ["RFC822.SIZE", "INTERNALDATE"])
            for uid in some:
                answer = answers.get(uid, {})
                if b"RFC822.SIZE" in answer:
                    found.append(Listed(uid, _size(answer[b"RFC822.SIZE"]), _instant(answer.get(b"INTERNALDATE"))))
        return found

    def octets(self, uids: Sequence[int], most: int) -> dict[int, bytes | str]:
        """Give messages as they are, without marking them as read; in words why where the server refuses one.

        Those that went meanwhile are left out. Of one above `most` octets come the first `most` + 1, whatever size it
        was listed with.
        """
        try:
            with self._asking(most):
                return self._octets(uids, most)
        except ImapError as error:
            if not error.alive:
                raise
            words = str(error)
        if len(uids) == 1:
            return {uids[0]: words}
        found: dict[int, bytes | str] = {}
        for uid in uids:
            found |= self.octets([uid], most)
        return found

    def _octets(self, uids: Sequence[int], most: int) -> dict[int, bytes | str]:
        answers = self._client.fetch(list(uids), [f"BODY.PEEK[]<0.{most + 1}>"])
        found: dict[int, bytes | str] = {}
        for uid, answer in answers.items():
            for name in {b"BODY[]<0>", b"BODY[]"} & set(answer):  # the latter where a server knows no partial FETCH
                octets = answer[name]
                found[uid] = octets if isinstance(octets, bytes) and octets else "the server gives no octets"
        return found

    def move(self, uids: Collection[int], folder: str) -> None:
        """Move messages. Those that are there no more are no error, so that a move can be repeated."""
        for some in _cut(sorted(uids)):
            with self._asking():
                if self._can("MOVE"):
                    self._client.move(some, folder)
                    continue
                self._client.copy(some, folder)
                self._client.add_flags(some, [b"\\Deleted"], silent=True)
                self._client.uid_expunge(some)

    def make(self, folder: str) -> bool:
        """Make a folder unless it is there; say whether it was made."""
        with self._asking():
            if self._client.folder_exists(folder):
                return False
            self._client.create_folder(folder)
            return True

    def idle(self, wake: socket.socket, seconds: float) -> None:
        """Wait until the server says anything, `wake` can be read, or the time is over; then end IDLE.

        The library's own idle_check is not asked: after the server hung up it says "nothing" at once, for ever. Here
        the end of IDLE is waited for, and on a dead connection that is an error.
        """
        with self._asking():
            self._client.idle()
            if not _buffered(self._client):
                _readable((self._client.socket(), wake), seconds)
            self._client.idle_done()


def _size(said: object) -> int:
    """Give the size that was said, 0 where it is no number: what comes is measured anyway."""
    return said if isinstance(said, int) else 0


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
