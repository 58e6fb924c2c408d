"""One mail between its 354 and its reply: decoded, counted, and spooled where it is large."""

import asyncio
import errno

from maild.ingest.smtp_data import DotDecoder
from maild.ingest.smtp_reception import Reception
from maild.ingest.smtp_spool import Spool


class Incoming:
    """Takes the chunks of DATA. What goes wrong is told by `octets`: a reply is due only at the end of data."""

    def __init__(self, reception: Reception) -> None:
        self._budget = reception.budget
        self._spool = Spool(reception.folder, reception.limits.min_free)
        self._decoder = DotDecoder(reception.limits.message)
        self._counted = 0
        self._fault: OSError | None = None

    @property
    def size(self) -> int:
        """Octets of content."""
        return self._decoder.size

    @property
    def is_too_big(self) -> bool:
        """Say whether it is larger than a mail may be."""
        return self._decoder.too_big

    @property
    def is_bare(self) -> bool:
        """Say whether a CR or LF stands alone (RFC 5321 section 2.3.8)."""
        return self._decoder.bare

    async def feed(self, chunk: bytes) -> bytes | None:
        """Take a chunk; give what follows the end of data, or None while the end is not reached."""
        rest = self._decoder.feed(chunk)
        self._spool.add(self._decoder.take())
        self._count()
        if self._decoder.discarded:
            self._forget()
        elif self._budget.is_exceeded:
            self._fault = OSError(errno.ENOBUFS, "more mail is being received than may be held in memory")
            self._forget()
        elif self._spool.is_heavy:
            try:
                await asyncio.to_thread(self._spool.flush)
            except OSError as fault:
                self._fault = fault
                self._forget()
            self._count()
        return rest

    async def octets(self) -> bytes | Spool:
        """Give the whole mail, after its end: in memory if it is small. OSError where there was no room for it."""
        if self._fault is not None:
            raise self._fault
        if self._spool.held == self.size:
            return self._spool.finish()
        octets = await asyncio.to_thread(self._spool.finish)
        self._count()
        return octets

    def close(self) -> None:
        """Give back what it took of the budget."""
        self._budget.held -= self._counted
        self._counted = 0

    def _forget(self) -> None:
        self._decoder.discard()
        self._spool = Spool(self._spool.folder)
        self._count()

    def _count(self) -> None:
        self._budget.held += self._spool.held - self._counted
        self._counted = self._spool.held
