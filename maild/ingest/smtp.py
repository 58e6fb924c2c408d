"""Mail comes in over SMTP (RFC 5321): the listening side, on the loop of the daemon.

The octets are stored as they came, with only the stuffed dots taken out. No `Received` field is put before them
(RFC 5321 section 4.4 asks it of a relay and of final delivery): the envelope that it would repeat is stored beside
them, their digest stays that of what the sender sent, which makes a second delivery recognisable, and every signature
can be checked on the very octets.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from maild.ingest.smtp_limits import SenderWindow, SmtpLimits
from maild.ingest.smtp_reception import GOODBYE, Reception
from maild.ingest.smtp_session import Connection
from maild.mail import Envelope

__all__ = ["SmtpLimits", "SmtpServer"]


class SmtpServer:
    """Listens for mail and answers 250 only when `accept` has returned.

    `listen` are (host, port) pairs, port 0 for any; `sockets` are bound already, and closed by `stop`. `is_ours` says whether an address is a mailbox, an alias or one
    of their sub-addresses; `trusted` whether a peer's IP address is a hop of our own. `accept` must return after a
    durable commit, and raise otherwise: `Overloaded` and a full disk are answered 452 4.3.1, all else 451 4.3.0.
    `now` gives aware UTC.
    """

    def __init__(
        self,
        listen: Sequence[tuple[str, int]],
        *,
        hostname: str,
        accept: Callable[[Envelope, bytes], Awaitable[None]],
        is_ours: Callable[[str], bool],
        trusted: Callable[[str], bool],
        now: Callable[[], datetime],
        limits: SmtpLimits = SmtpLimits(),  # noqa: B008 - frozen
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        self._listen = tuple(listen)
        self._sockets = tuple(sockets)
        self._reception = Reception(
            hostname=hostname,
            is_ours=is_ours,
            trusted=trusted,
            accept=accept,
            now=now,
            limits=limits,
            senders=SenderWindow(limits.sender_hourly),
        )
        self._servers: list[asyncio.Server] = []
        # At DEBUG it would log the bodies of mails, and INFO costs a quarter of the throughput.
        logging.getLogger("mail.log").setLevel(logging.WARNING)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens: the (host, port) of each socket; empty before `start` and after `stop`."""
        names = [each.getsockname() for server in self._servers for each in server.sockets]
        return tuple((str(name[0]), int(name[1])) for name in names)

    async def start(self) -> None:
        """Listen. Raises OSError when an address is taken, and then listens nowhere."""
        loop = asyncio.get_running_loop()
        self._reception.stopping = False
        try:
            for sock in self._sockets:
                self._servers.append(await loop.create_server(lambda: Connection(self._reception), sock=sock))
            for host, port in self._listen:
                server = await loop.create_server(lambda: Connection(self._reception), host, port)
                self._servers.append(server)
        except OSError:
            self._close()
            raise

    async def stop(self, grace: float) -> None:
        """Stop listening, say 421 4.3.2 to whoever is idle, and give mails on their way in `grace` seconds."""
        reception = self._reception
        reception.stopping = True
        self._close()
        for connection in tuple(reception.connections):
            connection.leave_after_mail(GOODBYE)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_gone(), grace)
        for connection in tuple(reception.connections):
            connection.hang_up(GOODBYE)
            connection.cut()
        await self._all_gone()

    async def _all_gone(self) -> None:
        if self._reception.connections:
            await self._reception.empty.wait()
        if self._reception.dialogues:
            await asyncio.wait(tuple(self._reception.dialogues))

    def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
