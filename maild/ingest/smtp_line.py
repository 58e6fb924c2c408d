"""One connection as a line to a peer: who he is, how he comes and goes, how he is answered, and TLS.

aiosmtpd 1.4.6 reads the commands and checks their order; this class words the replies (RFC 2034), and ends a connection
that is too long, too quiet, too wrong or too late.
"""

import asyncio
import math
import socket
import ssl
from collections import defaultdict
from ipaddress import ip_address
from typing import Any

import structlog
from aiosmtpd.proxy_protocol import AF, V2_CMD, get_proxy
from aiosmtpd.smtp import SMTP

from maild.ingest.smtp_path import with_enhanced_status
from maild.ingest.smtp_reception import Reception

log = structlog.get_logger(__name__)

LINGER = 2.0
"""Seconds that a peer has for reading our last words before the connection is cut."""

HANDSHAKE = 30.0
"""Seconds that a peer has for the handshake of TLS."""

COMMANDS = {"*": 100, "MAIL": 1000, "DATA": 1000, "RSET": 1000, "RCPT": 10_000}
"""How often a command may come in one connection."""

UNKNOWN = "unknown"
"""The peer for whom a proxy speaks without saying who he is: a stranger."""


class Line(SMTP):
    """A peer from 220 to 221 or 421."""

    via = "smtp"
    line_length_limit = 64 * 1024
    command_size_limit = 2048
    # Of our own: aiosmtpd's is shared by all connections, grows with each EHLO and is emptied by each new peer.
    command_size_limits: dict[str, int] = defaultdict(lambda: 2048)  # noqa: RUF012 - so declared by aiosmtpd

    def __init__(self, reception: Reception) -> None:
        super().__init__(
            handler=None,
            data_size_limit=reception.limits.message,
            enable_SMTPUTF8=True,
            hostname=reception.hostname,
            ident="maild",
            timeout=reception.limits.command_idle,
            command_call_limit=COMMANDS,
            loop=asyncio.get_running_loop(),
        )
        self._reception = reception
        self._limits = reception.limits
        self._peer = ""
        self._counted: str | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._errors = 0
        self._in_data = False
        self._end_seen = False
        self._last_words = ""
        self._shaking_hands = False
        self._gone = False
        self._heard = self.loop.time()

    # Coming and going

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the peer in, or turn him away with a 421."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server makes no other
        peer = _peer_of(transport)
        if peer is None:
            # He left before we could ask who he is, and nobody may pass for a local socket.
            transport.set_protocol(asyncio.Protocol())
            transport.abort()
            return
        self._peer = peer
        proxied = bool(peer) and self._reception.proxies(peer)
        refusal = self._reception.refusal(self.loop.time(), peer) or (
            "" if proxied else self._reception.refusal_of(peer)
        )
        if refusal:
            log.info("smtp.refused", peer=peer, because=refusal)
            transport.set_protocol(asyncio.Protocol())
            transport.write(refusal.encode() + b"\r\n")
            transport.close()
            return
        super().connection_made(transport)
        self._timers.append(self.loop.call_later(self._limits.session, self.leave, "421 4.4.2 this took too long"))
        dialogue = self._handler_coroutine
        assert dialogue is not None  # noqa: S101 - made by the line above
        self._reception.come(self, dialogue)
        if not proxied:
            self._count(peer)
        dialogue.add_done_callback(self._dialogue_done)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the peer. A handshake that fails comes by here twice."""
        if self._gone:
            return
        self._gone = True
        for timer in self._timers:
            timer.cancel()
        self._reception.go(self, self._counted)
        super().connection_lost(error)

    def leave(self, words: str) -> None:
        """End the connection with these last words, but not between the end of DATA and its reply."""
        if self._end_seen and self.transport is not None and not self.transport.is_closing():
            self._last_words = words
        else:
            self.hang_up(words)

    def leave_after_mail(self, words: str) -> None:
        """End the connection with these last words, after the reply if a mail is on its way in."""
        if self._in_data:
            self._last_words = words
        else:
            self.hang_up(words)

    def hang_up(self, words: str) -> None:
        """End the connection now; cut it when the peer does not read the last words."""
        transport = self.transport
        if not isinstance(transport, asyncio.Transport):
            return
        if self._shaking_hands:
            # Words in the clear have no place within a handshake.
            transport.abort()
            return
        self._timers.append(self.loop.call_later(LINGER, transport.abort))
        if transport.is_closing():
            return
        log.info("smtp.hung_up", peer=self._peer, because=words)
        transport.write(words.encode() + b"\r\n")
        transport.close()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def cut(self) -> None:
        """End the connection without a word."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    @property
    def quiet_since(self) -> float:
        """The instant of the loop since which nothing was heard; infinite where a mail, or the end, is under way."""
        leaving = self.transport is None or self.transport.is_closing()
        return math.inf if self._in_data or leaving else self._heard

    def _reset_timeout(self, duration: float | None = None) -> None:
        self._heard = self.loop.time()
        super()._reset_timeout(duration)

    def _count(self, peer: str) -> None:
        self._counted = peer
        self._reception.count(peer)

    def _timeout_cb(self) -> None:
        self.leave("421 4.4.2 too quiet for too long")

    def _dialogue_done(self, dialogue: asyncio.Task[None]) -> None:
        self._reception.dialogues.discard(dialogue)
        error = None if dialogue.cancelled() else dialogue.exception()
        if error is not None and not isinstance(error, ConnectionError):
            log.error("smtp.fault", peer=self._peer, exc_info=error)
        if self.transport is not None:
            self.transport.close()

    # Proxies

    async def _handle_client(self) -> None:
        if self._counted is None and not await self._introduced():
            return
        await super()._handle_client()

    async def _introduced(self) -> bool:
        """Learn from a proxy whom it speaks for (PROXY protocol, versions 1 and 2); without that nothing is said."""
        self._reset_timeout(self._limits.proxy)
        # One that hangs up before it has said anything, as health checks do, has cancelled this.
        said = await get_proxy(self._reader)
        if not said.valid:
            log.warning("smtp.proxy_refused", proxy=self._peer, because=said.error)
            self.cut()
            return False
        if said.command != V2_CMD.LOCAL:
            known = said.family in {AF.INET, AF.INET6}
            self._peer = spoken_for(self._peer, str(said.src_addr)) if known else UNKNOWN
        refusal = self._reception.refusal_of(self._peer)
        if refusal:
            self.hang_up(refusal)
            return False
        self._count(self._peer)
        self._reset_timeout()
        return True

    # Replies

    async def push(self, status: str | bytes) -> None:
        """Send one reply, with its enhanced status; a 421 and one 5xx too many end the connection."""
        text = with_enhanced_status(status if isinstance(status, str) else status.decode())
        if text.startswith("5"):
            self._errors += 1
            if self._errors > self._limits.errors or text.startswith("502 5.5.1 Too many"):
                text = "421 4.7.0 too many errors"
        if text.startswith("421"):
            self.hang_up(text)
            return
        await self._send(text)

    async def _send(self, text: str) -> None:
        if self.transport is None or self.transport.is_closing():
            # A closed connection has its dialogue cancelled: this is where it learns of it.
            await asyncio.sleep(0)
            return
        await super().push(text)

    async def handle_exception(self, error: Exception) -> str:
        """Log a fault of ours and ask the peer to come back; it learns nothing else."""
        log.error("smtp.fault", peer=self._peer, exc_info=error)
        if self._in_data and not self._end_seen:
            # The rest of the data must never be read as commands.
            return "421 4.3.0 a fault of ours, please try again"
        return "451 4.3.0 a fault of ours, please try again"

    # TLS (RFC 3207)

    @property
    def is_secured(self) -> bool:
        """Say whether TLS is spoken."""
        return self.session is not None and self.session.ssl is not None

    async def _secure(self, context: ssl.SSLContext) -> None:
        """Answer 220, shake hands, and forget all that was said before (section 4.2).

        What a stranger slipped in behind STARTTLS, in the clear, must not be read as if it came by TLS
        (CVE-2011-0411): the buffer is looked at in the same turn of the loop in which TLS takes over.
        """
        transport = self.transport
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - since the connection was made
        if self._reader._buffer:  # type: ignore[attr-defined] # noqa: SLF001 - asyncio has no other way to ask
            self.hang_up("421 4.7.0 nothing may follow STARTTLS before its reply")
            return
        self._writer.write(b"220 2.0.0 go ahead\r\n")
        self._shaking_hands = True
        try:
            secured = await self.loop.start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE
            )
        except OSError as error:  # ssl.SSLError is one
            log.info("smtp.no_tls", peer=self._peer, because=str(error))
            secured = None
        self._shaking_hands = False
        if secured is None:
            transport.abort()
            self.connection_lost(None)
            return
        # As aiosmtpd does it; the loop calls no `connection_made` for this.
        self._reader._transport = secured  # type: ignore[attr-defined] # noqa: SLF001 - likewise
        self._writer._transport = secured  # type: ignore[attr-defined] # noqa: SLF001 - likewise
        self.transport = secured
        self.session = self._create_session()
        self.session.ssl = secured.get_extra_info("ssl_object")
        self.envelope = self._create_envelope()
        self._reset_timeout()


def spoken_for(proxy: str, claimed: str) -> str:
    """Give the peer for whom a proxy speaks: the address that it claims, but loopback is that of the proxy's machine.

    Ours is trusted by default, so from any other machine such a client is a stranger.
    """
    addresses = [ip_address(one.partition("%")[0]) for one in (proxy, claimed)]
    near, address = (getattr(one, "ipv4_mapped", None) or one for one in addresses)
    return UNKNOWN if not near.is_loopback and (address.is_loopback or address.is_unspecified) else claimed


def _peer_of(transport: asyncio.Transport) -> str | None:
    """Give the address of the other end: "" for a socket of this machine, None where it is not known."""
    sock: Any = transport.get_extra_info("socket")
    if sock.family == socket.AF_UNIX:
        return ""
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else None
