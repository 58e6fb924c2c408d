"""Keys from the DNS: text records, asked for without blocking, within a time, and remembered for as long as they say."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as Stub

LIFETIME = 4.0
"""Seconds that one question may take, with all its retries."""

LONGEST = 16 * 1024
"""Letters of a record that are read: a key of 8,192 bits has less than 1,500."""

REMEMBERED = 1000


class UnansweredError(Exception):
    """The DNS said neither that there is something nor that there is nothing: ask again later."""


class Resolver:
    """Asks the servers that the system names (resolv.conf). Needs the extra `dkim`."""

    def __init__(self, stub: "Stub | None" = None) -> None:
        self._stub = stub

    async def text(self, name: str) -> str | None:
        """Give the first text record of a name, its pieces joined; None where there is none. Raises UnansweredError."""
        from dns import exception, resolver  # noqa: PLC0415 - an extra

        try:
            answer = await self._asked().resolve(f"{name}.", "TXT", search=False, lifetime=LIFETIME)
        except (resolver.NXDOMAIN, resolver.NoAnswer):
            return None
        except (exception.DNSException, OSError) as fault:
            raise UnansweredError(f"the DNS has no answer for {name}: {type(fault).__name__}") from fault
        pieces = next(iter(answer)).strings
        return b"".join(pieces)[:LONGEST].decode("utf-8", "replace")

    def _asked(self) -> "Stub":
        from dns import asyncresolver, resolver  # noqa: PLC0415 - an extra

        if self._stub is None:
            stub = asyncresolver.Resolver()
            stub.cache = resolver.LRUCache(REMEMBERED)
            self._stub = stub
        return self._stub
