"""What the tests of the outbound room share: the shipped templates, and a sink that can be told how to answer."""

import asyncio
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from maild.outbound.template_files import load_templates
from maild.outbound.templates import Templates


@pytest.fixture(scope="session")
def templates() -> Templates:
    return load_templates()


@dataclass
class Sink:
    """An SMTP server whose answers are set by the test; `mails` is what it took."""

    port: int = 0
    mail_reply: str = "250 OK"
    rcpt_replies: dict[str, str] = field(default_factory=dict)
    data_reply: str = "250 2.0.0 taken as 4711"
    hang: bool = False
    drop: bool = False
    connections: int = 0
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def handle_EHLO(self, server, session: Session, envelope: Envelope, hostname: str, responses: list[str]):  # noqa: N802 - aiosmtpd's name
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        self.commands.append("MAIL")
        if self.mail_reply.startswith("250"):
            envelope.mail_from = address
        return self.mail_reply

    async def handle_RCPT(self, server, session, envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        reply = self.rcpt_replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_RSET(self, server, session, envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.commands.append("RSET")
        return "250 OK"

    async def handle_DATA(self, server, session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.drop:
            server.transport.abort()
            return "250 never heard"
        if self.hang:
            await asyncio.sleep(30)
        if self.data_reply.startswith("250"):
            self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), bytes(envelope.content or b"")))
        return self.data_reply


@pytest.fixture
async def serve() -> AsyncIterator[Callable]:
    """Start sinks on loopback; they end with the test."""
    servers = []

    async def start(sink: Sink, **options) -> Sink:
        def factory() -> SMTP:
            sink.connections += 1
            return SMTP(sink, hostname="sink.test", loop=asyncio.get_running_loop(), **options)

        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
        servers.append(server)
        sink.port = server.sockets[0].getsockname()[1]
        return sink

    yield start
    for server in servers:
        server.close()
    # Whoever has just hung up lets go of its socket a turn of the loop later.
    await asyncio.sleep(0)


@pytest.fixture
def sink() -> type[Sink]:
    return Sink


@pytest.fixture
def tls(tmp_path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a self-signed certificate: the server's context, and a client's that trusts it."""
    if shutil.which("openssl") is None:
        missing = "openssl is missing: apt install openssl"
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") else pytest.skip)(missing)
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *(
                "-keyout",
                str(key),
                "-out",
                str(cert),
                "-subj",
                "/CN=127.0.0.1",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ),
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


@pytest.fixture
def leaves() -> Callable[[bytes], list[bytes]]:
    """Give every decoded leaf of a mail, and its raw octets first."""

    def decode(octets: bytes) -> list[bytes]:
        parsed: Message = message_from_bytes(octets)
        return [octets, *(part.get_payload(decode=True) for part in parsed.walk() if not part.is_multipart())]

    return decode
