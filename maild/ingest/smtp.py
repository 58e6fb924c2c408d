"""Mail comes in over SMTP (RFC 5321) or LMTP (RFC 2033): the listening side, on the loop of the daemon.

The octets are stored as they came, with only the stuffed dots taken out. No `Received` field is put before them
(RFC 5321 section 4.4 asks it of a relay and of final delivery): the envelope that it would repeat is stored beside
them, their digest stays that of what the sender sent, which makes a second delivery recognisable, and every signature
can be checked on the very octets.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence
from pathlib import Path

from maild.ingest.lmtp import unix_listener
from maild.ingest.smtp_limits import SmtpLimits
from maild.ingest.smtp_reception import GOODBYE, Reception
from maild.ingest.smtp_session import Connection

__all__ = ["Reception", "SmtpLimits", "SmtpServer"]


class SmtpServer:
    """Listens for mail and answers 250 only when `reception.accept` has returned.

    `listen` are (host, port) pairs, port 0 for any, or paths of Unix sockets, made with `mode`; `sockets` are bound
    already, and closed by `stop`. `speaks` is what a client speaks: SMTP, or LMTP.
    """

    def __init__(
        self,
        reception: Reception,
        listen: Sequence[tuple[str, int] | Path] = (),
        *,
        speaks: type[Connection] = Connection,
        sockets: Sequence[socket.socket] = (),
        mode: int = 0o600,
    ) -> None:
        self._reception = reception
        self._listen = tuple(listen)
        self._sockets = tuple(sockets)
        self._speaks = speaks
        self._mode = mode
        self._servers: list[asyncio.Server] = []
        self._made: list[Path] = []
        self.listeners: tuple[str, ...] = ()
        """Where it listens, for people to read: host:port, or the path of a Unix socket."""
        # At DEBUG it would log the bodies of mails, and INFO costs a quarter of the throughput. What proxies say is
        # logged by the connection.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        logging.getLogger("mail.debug").setLevel(logging.ERROR)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens on TCP: the (host, port) of each socket; empty before `start` and after `stop`."""
        names = [each.getsockname() for server in self._servers for each in server.sockets]
        return tuple((str(name[0]), int(name[1])) for name in names if isinstance(name, tuple))

    async def start(self) -> None:
        """Listen. Raises OSError when an address is taken, and then listens nowhere."""
        loop = asyncio.get_running_loop()
        self._reception.stopping = False
        try:
            for sock in self._sockets:
                await self._serve(sock, str(sock.getsockname()))
            for place in self._listen:
                if isinstance(place, Path):
                    sock = await asyncio.to_thread(unix_listener, place, self._mode)
                    self._made.append(place)
                    await self._serve(sock, str(place))
                else:
                    self._servers.append(await loop.create_server(self._connection, *place))
            self.listeners += tuple(
                f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.addresses
            )
        except OSError:
            self._close()
            raise

    async def stop(self, grace: float) -> None:
        """Stop listening, say 421 4.3.2 to whoever is idle, and give mails on their way in `grace` seconds."""
        reception = self._reception
        reception.stopping = True
        await self._accept_no_more()
        self._close()
        for connection in tuple(reception.connections):
            connection.leave_after_mail(GOODBYE)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_gone(), grace)
        for connection in tuple(reception.connections):
            connection.hang_up(GOODBYE)
            connection.cut()
        await self._all_gone()

    async def _accept_no_more(self) -> None:
        """Let whoever was just accepted begin: a server that is closed before that leaves him without a word."""
        loop = asyncio.get_running_loop()
        for server in self._servers:
            for sock in server.sockets:
                loop.remove_reader(sock.fileno())
        await asyncio.sleep(0)

    async def _all_gone(self) -> None:
        if self._reception.connections:
            await self._reception.empty.wait()
        if self._reception.dialogues:
            await asyncio.wait(tuple(self._reception.dialogues))

    async def _serve(self, sock: socket.socket, name: str) -> None:
        loop = asyncio.get_running_loop()
        if sock.family == socket.AF_UNIX:
            self._servers.append(await loop.create_unix_server(self._connection, sock=sock))
            self.listeners += (name,)
        else:
            self._servers.append(await loop.create_server(self._connection, sock=sock))

    def _connection(self) -> Connection:
        return self._speaks(self._reception)

    def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        for path in self._made:
            path.unlink(missing_ok=True)
        self._made.clear()
        self.listeners = ()
