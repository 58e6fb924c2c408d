"""One SMTP connection: aiosmtpd's dialogue with everything that a stranger on the internet makes necessary.

aiosmtpd 1.4.6 reads commands and checks their order; this class reads the addresses and DATA itself, words the
replies (RFC 2034), and ends a connection that is too long, too quiet, too wrong or too late.
"""
# ruff: noqa: N802 - aiosmtpd finds the methods of SMTP commands by names in capitals

import asyncio
import hashlib
from collections import defaultdict
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP

from maild.ingest.accept import is_full
from maild.ingest.smtp_data import DotDecoder
from maild.ingest.smtp_limits import neighbourhood
from maild.ingest.smtp_path import NULL_PATH, read_path, with_enhanced_status
from maild.ingest.smtp_reception import Reception
from maild.mail import Envelope

log = structlog.get_logger(__name__)

CHUNK = 1024 * 1024
"""More than a stream of `line_length_limit` ever buffers, so that one read empties it."""

LINGER = 2.0
"""Seconds that a peer has for reading our last words before the connection is cut."""

COMMANDS = {"*": 100, "MAIL": 1000, "DATA": 1000, "RSET": 1000, "RCPT": 10_000}
"""How often a command may come in one connection."""

FULL = "452 4.3.1 out of storage for the moment, please try again"


class Connection(SMTP):
    """A peer from 220 to 221 or 421."""

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
        self._timers: list[asyncio.TimerHandle] = []
        self._errors = 0
        self._in_data = False
        self._end_seen = False
        self._last_words = ""

    # Coming and going

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the peer in, or turn it away with a 421."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server makes no other
        peername = transport.get_extra_info("peername")
        self._peer = str(peername[0]) if peername else ""
        refusal = self._reception.refusal(self._peer)
        if refusal:
            log.info("smtp.refused", peer=self._peer, because=refusal)
            transport.set_protocol(asyncio.Protocol())
            transport.write(refusal.encode() + b"\r\n")
            transport.close()
            return
        super().connection_made(transport)
        self._timers.append(self.loop.call_later(self._limits.session, self.leave, "421 4.4.2 this took too long"))
        dialogue = self._handler_coroutine
        assert dialogue is not None  # noqa: S101 - made by the line above
        self._reception.come(self, self._peer, dialogue)
        dialogue.add_done_callback(self._dialogue_done)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the peer."""
        for timer in self._timers:
            timer.cancel()
        self._reception.go(self, self._peer)
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

    def _timeout_cb(self) -> None:
        self.leave("421 4.4.2 too quiet for too long")

    def _dialogue_done(self, dialogue: asyncio.Task[None]) -> None:
        self._reception.dialogues.discard(dialogue)
        error = None if dialogue.cancelled() else dialogue.exception()
        if error is not None and not isinstance(error, ConnectionError):
            log.error("smtp.fault", peer=self._peer, exc_info=error)
        if self.transport is not None:
            self.transport.close()

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

    # Commands

    async def smtp_HELO(self, hostname: str) -> None:
        """RFC 5321 section 4.1.1.1."""
        await self._greet(hostname, extended=False)

    async def smtp_EHLO(self, hostname: str) -> None:
        """RFC 5321 section 4.1.1.1, with RFC 1870, 2034, 2920, 6152 and 6531."""
        await self._greet(hostname, extended=True)

    async def _greet(self, hostname: str, *, extended: bool) -> None:
        if not hostname:
            await self.push("501 5.5.4 your name is missing")
            return
        assert self.session is not None  # noqa: S101 - set when the connection is made
        self.envelope = self._create_envelope()
        self.session.extended_smtp = extended
        self.session.host_name = hostname
        lines = [self.hostname]
        if extended:
            size = f"SIZE {self._limits.message}"
            lines += [size, "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES", "HELP"]
        await self._send("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def smtp_HELP(self, arg: str) -> None:  # noqa: ARG002 - the same help for everything
        """RFC 5321 section 4.1.1.8."""
        await self.push("214 2.0.0 see RFC 5321")

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: ARG002 - the same answer for everybody
        """RFC 5321 section 3.5.3: nobody learns here who exists."""
        await self.push("252 2.5.2 send some mail, and see")

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: ARG002 - refused whatever the mechanism
        """Refused: mail comes in here, it does not go out."""
        await self.push("502 5.5.1 not implemented")

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: ARG002 - refused in any form
        """Refused, as it is not offered."""
        await self.push("502 5.5.1 not implemented")

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        return read_path(arg) or (None, None) if arg else ("", "")

    async def _call_handler_hook(self, command: str, *args: Any) -> Any:
        if command == "MAIL":
            return self._on_mail(*args)
        if command == "RCPT":
            return self._on_rcpt(*args)
        return await super()._call_handler_hook(command, *args)

    def _on_mail(self, address: str, options: list[str]) -> str:
        assert self.envelope is not None  # noqa: S101 - set when the connection is made
        if not self._may_send(address):
            return "450 4.7.1 too many mails from this sender within an hour"
        self.envelope.mail_from = address
        self.envelope.mail_options.extend(options)
        return "250 2.1.0 sender ok"

    def _on_rcpt(self, address: str, options: list[str]) -> str:
        assert self.envelope is not None  # noqa: S101 - set when the connection is made
        if address == NULL_PATH:
            return "553 5.1.3 no recipient"
        if not self._reception.is_ours(address):
            return "550 5.1.1 no such mailbox here"
        if address.lower() in (each.lower() for each in self.envelope.rcpt_tos):
            return "250 2.1.5 recipient ok, again"
        if len(self.envelope.rcpt_tos) >= self._limits.recipients:
            return "452 4.5.3 too many recipients"
        self.envelope.rcpt_tos.append(address)
        self.envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient ok"

    def _sender(self, address: str) -> str:
        # Everybody's bounces have the null path: they count by the hop that brings them.
        return neighbourhood(self._peer) if address == NULL_PATH else address

    def _may_send(self, address: str) -> bool:
        return self._reception.exempt(self._peer) or self._reception.senders.allows(
            self._sender(address), self.loop.time()
        )

    async def smtp_DATA(self, arg: str) -> None:
        """RFC 5321 section 4.1.1.4, in chunks instead of lines."""
        envelope = self.envelope
        if await self.check_helo_needed():
            return
        assert envelope is not None  # noqa: S101 - set when the connection is made
        sender = envelope.mail_from
        if not envelope.rcpt_tos or not sender:
            await self.push("503 5.5.1 need RCPT first")
        elif arg:
            await self.push("501 5.5.4 DATA has no parameters")
        elif not self._may_send(sender):
            await self.push("450 4.7.1 too many mails from this sender within an hour")
        elif self._reception.octets >= self._limits.in_flight:
            await self.push(FULL)
        else:
            await self._receive(sender, tuple(envelope.rcpt_tos))

    async def _receive(self, sender: str, recipients: tuple[str, ...]) -> None:
        decoder = DotDecoder(self._limits.message)
        who = self._sender(sender)
        accepted = False
        held = 0
        self._in_data = True
        self._reception.senders.take(who, self.loop.time())
        try:
            await self.push("354 end data with <CR><LF>.<CR><LF>")
            rest = None
            while rest is None:
                self._reset_timeout(self._limits.data_idle)
                chunk = await self._reader.read(CHUNK)
                if not chunk:
                    raise ConnectionResetError("hung up in DATA")
                rest = decoder.feed(chunk)
                self._reception.octets += decoder.held - held
                held = decoder.held
                if self._reception.octets > self._limits.in_flight:
                    decoder.discard()
            self._end_seen = True
            if self._timeout_handle is not None:
                self._timeout_handle.cancel()
            if rest:
                self._reader.feed_data(rest)
            reply = await self._reply_to(decoder, sender, recipients)
            accepted = reply.startswith("2")
            self.envelope = self._create_envelope()
            await self.push(reply)
        finally:
            self._reception.octets -= held
            if accepted:
                self._errors = 0
            else:
                self._reception.senders.give_back(who)
        self._in_data = self._end_seen = False
        self._reset_timeout()
        if self._last_words:
            self.hang_up(self._last_words)

    async def _reply_to(self, decoder: DotDecoder, sender: str, recipients: tuple[str, ...]) -> str:
        if decoder.too_big:
            return f"552 5.3.4 larger than {self._limits.message} octets"
        if decoder.discarded:
            return FULL
        try:
            return await self._store(decoder.take(), sender, recipients)
        except Exception as error:
            if is_full(error):
                log.warning("smtp.full", peer=self._peer, because=str(error))
                return FULL
            log.exception("smtp.not_accepted", peer=self._peer)
            return "451 4.3.0 could not be stored, please try again"

    async def _store(self, octets: bytes, sender: str, recipients: tuple[str, ...]) -> str:
        env = Envelope(
            mail_from="" if sender == NULL_PATH else sender,
            rcpt_to=recipients,
            via="smtp",
            peer=self._peer,
            received_at=self._reception.now(),
        )
        digest = hashlib.sha256(octets).hexdigest()
        await self._reception.accept(env, octets)
        log.info("smtp.accepted", peer=self._peer, digest=digest, size=len(octets), recipients=len(env.rcpt_to))
        return f"250 2.0.0 accepted {digest[:12]}"
