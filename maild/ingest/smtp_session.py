"""The dialogue of SMTP (RFC 5321), with everything that a stranger on the internet makes necessary."""
# ruff: noqa: N802 - aiosmtpd finds the methods of SMTP commands by names in capitals

import hashlib
from collections.abc import Iterable
from typing import Any

import structlog

from maild.ingest.accept import is_full
from maild.ingest.smtp_incoming import Incoming
from maild.ingest.smtp_limits import neighbourhood
from maild.ingest.smtp_line import Line
from maild.ingest.smtp_path import NULL_PATH, read_path
from maild.mail import Envelope

log = structlog.get_logger(__name__)

CHUNK = 1024 * 1024
"""More than a stream of `line_length_limit` ever buffers, so that one read empties it."""

BARE = "550 5.6.0 bare CR or LF within a line: a line ends with CR LF (RFC 5321 section 2.3.8)"

FULL = "452 4.3.1 out of storage for the moment, please try again"


class Connection(Line):
    """A client of SMTP."""

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
            lines += [size, "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"]
            lines += ["STARTTLS", "HELP"] if self._offers_tls else ["HELP"]
        await self._send("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def check_helo_needed(self, helo: str = "EHLO") -> bool:
        """Refuse what comes before the greeting (RFC 5321 section 4.1.4), or without TLS where that is required."""
        assert self.session is not None  # noqa: S101 - set when the connection is made
        if not self.session.host_name:
            await self.push(f"503 5.5.1 send {helo} first")
            return True
        if self._reception.require_tls and not self.is_secured and not self._reception.trusted(self._peer):
            await self.push("530 5.7.0 STARTTLS comes first")
            return True
        return False

    async def smtp_HELP(self, arg: str) -> None:  # noqa: ARG002 - the same help for everything
        """RFC 5321 section 4.1.1.8."""
        await self.push("214 2.0.0 see RFC 5321")

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: ARG002 - the same answer for everybody
        """RFC 5321 section 3.5.3: nobody learns here who exists."""
        await self.push("252 2.5.2 send some mail, and see")

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: ARG002 - refused whatever the mechanism
        """Refused: mail comes in here, it does not go out."""
        await self.push("502 5.5.1 not implemented")

    @property
    def _offers_tls(self) -> bool:
        return not self.is_secured and self._reception.tls() is not None

    async def smtp_STARTTLS(self, arg: str) -> None:
        """RFC 3207 section 4."""
        context = None if self.is_secured else self._reception.tls()
        if context is None:
            await self.push("502 5.5.1 not implemented" if not self.is_secured else "503 5.5.1 TLS is spoken already")
        elif arg:
            await self.push("501 5.5.4 STARTTLS has no parameters")
        else:
            await self._secure(context)

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
        if address.lower() in (before := _distinct(self.envelope.rcpt_tos)):
            self.envelope.rcpt_tos.append(address)
            return "250 2.1.5 recipient ok, again"
        if len(before) >= self._limits.recipients:
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
        elif self._reception.is_full:
            await self.push(FULL)
        else:
            await self._receive(sender, tuple(envelope.rcpt_tos))

    async def _receive(self, sender: str, recipients: tuple[str, ...]) -> None:
        who = self._sender(sender)
        accepted = False
        incoming = Incoming(self._reception)
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
                rest = await incoming.feed(chunk)
            self._end_seen = True
            if self._timeout_handle is not None:
                self._timeout_handle.cancel()
            if rest:
                self._reader.feed_data(rest)
            reply = await self._reply_to(incoming, sender, recipients)
            accepted = reply.startswith("2")
            self.envelope = self._create_envelope()
            await self._answer(reply, recipients)
        finally:
            incoming.close()
            if accepted:
                self._errors = 0
            else:
                self._reception.senders.give_back(who)
        self._in_data = self._end_seen = False
        self._reset_timeout()
        if self._last_words:
            self.hang_up(self._last_words)

    async def _answer(self, reply: str, recipients: tuple[str, ...]) -> None:  # noqa: ARG002 - LMTP answers each
        """Reply to the end of data."""
        await self.push(reply)

    async def _reply_to(self, incoming: Incoming, sender: str, recipients: tuple[str, ...]) -> str:
        if incoming.is_too_big:
            return f"552 5.3.4 larger than {self._limits.message} octets"
        if incoming.is_bare and not self._reception.trusted(self._peer):
            return BARE
        try:
            return await self._store(incoming, sender, recipients)
        except Exception as error:
            if is_full(error):
                log.warning("smtp.full", via=self.via, peer=self._peer, because=str(error))
                return FULL
            log.exception("smtp.not_accepted", via=self.via, peer=self._peer)
            return "451 4.3.0 could not be stored, please try again"

    async def _store(self, incoming: Incoming, sender: str, recipients: tuple[str, ...]) -> str:
        env = Envelope(
            mail_from="" if sender == NULL_PATH else sender,
            rcpt_to=tuple(_distinct(recipients).values()),
            via=self.via,
            peer=self._peer,
            received_at=self._reception.now(),
        )
        octets = await incoming.octets()
        digest = hashlib.sha256(octets).hexdigest() if isinstance(octets, bytes) else octets.digest
        await self._reception.accept(env, octets)
        log.info(
            "smtp.accepted",
            via=self.via,
            peer=self._peer,
            tls=self.is_secured,
            digest=digest,
            size=incoming.size,
            recipients=len(env.rcpt_to),
        )
        return f"250 2.0.0 accepted {digest[:12]}"


def _distinct(addresses: Iterable[str]) -> dict[str, str]:
    """Give addresses as they were first written, by how they are compared, in order."""
    found: dict[str, str] = {}
    for address in addresses:
        found.setdefault(address.lower(), address)
    return found
