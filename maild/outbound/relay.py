"""The smarthost: one SMTP connection, kept while there is work (RFC 5321 section 3.3)."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib

from maild.outbound.gate import GateRefusal, clean, wire_address

Tls = Literal["implicit", "starttls", "none"]

PIECE = 64 * 1024
"""Octets that are written at a time."""

_OURS_TO_MEND = frozenset({421, 454, 530, 534, 535, 538})
"""Replies that speak of the connection and not of this mail (RFC 5321 section 3.8, RFC 4954 section 6, RFC 3207)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the smarthost said after the final dot."""

    code: int
    text: str


class Transient(Exception):  # noqa: N818 - the wire's word for it (RFC 5321 section 4.2.1)
    """Not now. `at_connect` means that the smarthost is at fault and not this mail; `code` is 0 without a reply."""

    def __init__(self, code: int, text: str, *, at_connect: bool) -> None:
        super().__init__(f"{code} {text}".strip())
        self.code = code
        self.text = clean(text, 500)
        self.at_connect = at_connect


class Permanent(Exception):  # noqa: N818 - likewise
    """Never: a 5yz for this sender, recipient or content."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = clean(text, 500)


@dataclass(frozen=True, slots=True)
class Smarthost:
    """Where all mail leaves through. `timeout` is for one command, `total` for a whole mail, in seconds.

    `username` is empty where none is asked for. `helo` is our own name (RFC 5321 section 4.1.1.1).
    """

    host: str
    port: int
    tls: Tls
    username: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"
    timeout: float = 60
    total: float = 300


class Relay:
    """One connection to the smarthost, opened when first needed. Not for several tasks at once.

    TLS is verified against `tls_context` (default: the system's authorities); where it fails, nothing is sent in plain
    text instead.
    """

    def __init__(self, smarthost: Smarthost, tls_context: ssl.SSLContext | None = None) -> None:
        self._host = smarthost
        self._tls_context = tls_context
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, envelope_from: str, rcpt: str, octets: bytes) -> Reply:
        """Hand one mail to the smarthost. Raises Transient or Permanent; nothing else but cancellation."""
        try:
            sender = wire_address(envelope_from) if envelope_from else ""
            recipient = wire_address(rcpt)
        except GateRefusal as refusal:
            raise Permanent(553, f"5.1.3 {refusal}") from refusal
        try:
            async with asyncio.timeout(self._host.total):
                client = await self._ready()
                return await self._transaction(client, sender, recipient, octets)
        except TimeoutError as fault:
            self._drop()
            raise Transient(0, "no answer in time", at_connect=False) from fault
        except asyncio.CancelledError:
            self._drop()
            raise

    async def close(self) -> None:
        """Say QUIT, if connected. Never raises."""
        client, self._client = self._client, None
        if client is None:
            return
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=min(self._host.timeout, 5))
        client.close()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _ready(self) -> aiosmtplib.SMTP:
        """Give a connection in its initial state: the one at hand after RSET, else a new one."""
        if self._client is not None:
            try:
                await self._client.rset()
            except (aiosmtplib.SMTPException, OSError):
                self._drop()  # it went away while it was idle, which says nothing about the next one
            else:
                return self._client
        client = aiosmtplib.SMTP(
            hostname=self._host.host,
            port=self._host.port,
            local_hostname=self._host.helo,
            timeout=self._host.timeout,
            use_tls=self._host.tls == "implicit",
            start_tls=self._host.tls == "starttls",
            tls_context=(self._tls_context or ssl.create_default_context()) if self._host.tls != "none" else None,
            username=self._host.username or None,
            password=self._host.password or None,
        )
        self._client = client
        try:
            await client.connect()
        except aiosmtplib.SMTPResponseException as fault:
            self._drop()
            raise Transient(fault.code, fault.message, at_connect=True) from fault
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            self._drop()
            raise Transient(0, f"{type(fault).__name__}: {fault}", at_connect=True) from fault
        return client

    async def _transaction(self, client: aiosmtplib.SMTP, sender: str, recipient: str, octets: bytes) -> Reply:
        try:
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            sized = [f"size={len(octets)}"] if client.supports_extension("size") else []
            await client.mail(sender, options=sized)
            await client.rcpt(recipient)
            response = await self._data(client, octets)
        except aiosmtplib.SMTPResponseException as fault:
            if fault.code in _OURS_TO_MEND:
                self._drop()
                raise Transient(fault.code, fault.message, at_connect=True) from fault
            if fault.code >= 500:
                raise Permanent(fault.code, fault.message) from fault
            raise Transient(fault.code, fault.message, at_connect=False) from fault
        except (aiosmtplib.SMTPException, OSError) as fault:
            self._drop()
            raise Transient(0, f"{type(fault).__name__}: {fault}", at_connect=False) from fault
        return Reply(response.code, clean(response.message, 500))

    async def _data(self, client: aiosmtplib.SMTP, octets: bytes) -> aiosmtplib.SMTPResponse:
        """Send the octets in pieces: aiosmtplib searches them as a whole, for seconds in which the loop stands still.

        The gate has seen that every line ends in CRLF, so only the dots are left to do (RFC 5321 section 4.5.2).
        """
        response = await client.execute_command(b"DATA")
        if response.code != aiosmtplib.SMTPStatus.start_input or client.protocol is None:
            raise aiosmtplib.SMTPDataError(response.code, response.message)
        # Listening from here on: a smarthost may refuse before it has read everything.
        listening = asyncio.create_task(client.protocol.read_response(timeout=self._host.timeout))
        try:
            for piece in stuffed(octets):
                client.protocol.write(piece)
                await asyncio.sleep(0)
                if listening.done():
                    self._drop()
                    break
            response = await listening
        finally:
            listening.cancel()
        if response.code != aiosmtplib.SMTPStatus.completed:
            raise aiosmtplib.SMTPDataError(response.code, response.message)
        return response


def stuffed(octets: bytes, size: int = PIECE) -> Iterator[bytes]:
    """Give the octets as DATA wants them (RFC 5321 section 4.5.2), in pieces of about `size`, with the dot that ends them."""
    start = 0
    while start < len(octets):
        # Each ends with a line, so that no dot at the beginning of the next is missed.
        end = octets.find(b"\r\n", start + size)
        end = len(octets) if end < 0 else end + 2
        piece = octets[start:end].replace(b"\r\n.", b"\r\n..")
        yield b"." + piece if piece.startswith(b".") else piece
        start = end
    yield b".\r\n" if octets.endswith(b"\r\n") else b"\r\n.\r\n"
