"""STARTTLS (RFC 3207): offered, required, renewed; and nothing that was said in the clear lives on."""

import asyncio
import os
import shutil
import smtplib
import socket
import ssl
import subprocess
from datetime import UTC, datetime

import pytest

from maild.ingest.smtp import Reception, SmtpLimits, SmtpServer
from maild.ingest.smtp_tls import Certificate

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MAIL = "MAIL FROM:<bob@acme.example>\r\nRCPT TO:<csm@example.com>\r\nDATA\r\nhello\r\n.\r\n"


@pytest.fixture(scope="session")
def make_certificate(tmp_path_factory, needed):
    """Make a certificate that signs itself, for a name; give its file and that of its key."""
    openssl = needed("openssl", "openssl")

    def make(name):
        folder = tmp_path_factory.mktemp("certificate")
        files = [folder / "fullchain.pem", folder / "privkey.pem"]
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        command += ["-out", files[0], "-keyout", files[1]]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return files

    return make


@pytest.fixture(scope="session")
def needed():
    """Give a program's path, or skip and name its package."""

    def need(program, package):
        found = shutil.which(program)
        if found is None:
            missing = f"{program} is missing: apt install {package}"
            (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
        return found

    return need


@pytest.fixture(scope="session")
def pair(make_certificate):
    return make_certificate("mx.example.com")


def client_context(pair=None):
    context = ssl.create_default_context(cafile=pair[0]) if pair else ssl.create_default_context()
    if pair is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Store:
    def __init__(self):
        self.mails = []
        self.ready = asyncio.Event()
        self.ready.set()
        self.entered = asyncio.Event()

    async def accept(self, env, octets):
        self.entered.set()
        await self.ready.wait()
        self.mails.append((env, octets))


@pytest.fixture
async def store():
    return Store()


@pytest.fixture
async def start(store, tmp_path, pair):
    servers = []

    async def begin(*, trusted=lambda peer: False, require_tls=False, certificate=pair, **limits):
        reception = Reception(
            hostname="mx.example.com",
            accept=store.accept,
            is_ours=lambda address: address == "csm@example.com",
            trusted=trusted,
            now=lambda: NOW,
            folder=tmp_path,
            limits=SmtpLimits(**limits),
            tls=Certificate(*certificate).context,
            require_tls=require_tls,
        )
        server = SmtpServer(reception, [("127.0.0.1", 0)])
        await server.start()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.stop(0)


class Client:
    """A client that may begin TLS, on streams of asyncio."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def reply(self):
        lines = []
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), 10)).decode().rstrip()
            lines.append(line)
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, text):
        self.writer.write(f"{text}\r\n".encode())
        return await self.reply()

    async def secure(self, context=None):
        assert (await self.say("STARTTLS")).startswith("220 2.0.0")
        await self.shake_hands(context)

    async def shake_hands(self, context=None):
        await asyncio.wait_for(self.writer.start_tls(context or client_context(), server_hostname="mx.example.com"), 10)
        # Python 3.11 leaves the reader on the old transport.
        self.reader._transport = self.writer.transport

    async def close(self):
        self.writer.close()
        await asyncio.wait([asyncio.ensure_future(self.writer.wait_closed())])


@pytest.fixture
async def dial():
    clients = []

    async def call(server, hello="EHLO client.example"):
        client = Client(*await asyncio.open_connection(*server.addresses[0]))
        clients.append(client)
        assert (await client.reply()).startswith("220 ")
        if hello:
            assert (await client.say(hello)).startswith("250")
        return client

    yield call
    for client in clients:
        await client.close()


async def test_smtplib_brings_a_mail_by_tls(start, store, pair):
    server = await start()

    def send():
        with smtplib.SMTP(*server.addresses[0], timeout=10, local_hostname="client.example") as client:
            client._host = "mx.example.com"
            client.ehlo()
            assert client.has_extn("starttls")
            client.starttls(context=client_context(pair))
            client.ehlo()
            assert not client.has_extn("starttls")
            assert client.sock.version() in {"TLSv1.2", "TLSv1.3"}
            client.sendmail("a@x.example", ["csm@example.com"], b"x" * 3_000_000 + b"\r\n")
            client.sendmail("a@x.example", ["csm@example.com"], b"second\r\n")

    await asyncio.to_thread(send)
    assert [octets if isinstance(octets, bytes) else octets.size for _, octets in store.mails] == [
        3_000_002,
        b"second\r\n",
    ]
    assert store.mails[0][0].peer == "127.0.0.1"


async def test_all_that_was_said_before_is_forgotten(start, dial):
    client = await dial(await start())
    assert (await client.say("MAIL FROM:<mallory@evil.example>")).startswith("250")
    await client.secure()
    # RFC 3207 section 4.2: the greeting comes again, and the envelope is gone.
    assert (await client.say("RCPT TO:<csm@example.com>")).startswith("503 5.5.1 send EHLO first")
    assert "STARTTLS" not in await client.say("EHLO client.example")
    assert (await client.say("RCPT TO:<csm@example.com>")).startswith("503 5.5.1")
    assert (await client.say("STARTTLS")).startswith("503 5.5.1")
    client.writer.write(MAIL.encode())
    assert [(await client.reply())[:3] for _ in range(4)] == ["250", "250", "354", "250"]


@pytest.mark.parametrize("injected", ["RSET\r\n", "EHLO evil\r\nMAIL FROM:<mallory@evil.example>\r\n", "x"])
async def test_what_follows_starttls_in_the_clear_is_never_obeyed(start, dial, store, injected):
    """CVE-2011-0411: a man in the middle puts commands behind the client's STARTTLS."""
    server = await start()
    client = await dial(server)
    client.writer.write(f"STARTTLS\r\n{injected}".encode())
    assert (await client.reply()).startswith("421 4.7.0")
    assert await client.reader.read() == b""
    assert store.mails == []
    assert (await (await dial(server)).say("NOOP")).startswith("250")


async def test_what_comes_between_the_reply_and_the_handshake_is_no_command(start, dial, store):
    server = await start()
    client = await dial(server)
    assert (await client.say("STARTTLS")).startswith("220")
    client.writer.write(b"NOOP\r\n" + MAIL.encode())
    # An alert of TLS, or nothing; not one word of SMTP.
    assert b"250" not in await asyncio.wait_for(client.reader.read(), 10)
    assert store.mails == []
    await gone(server)


async def gone(server):
    async with asyncio.timeout(10):
        while server._reception.connections:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
    assert server._reception.per_address == {}


@pytest.mark.parametrize("how", ["nothing", "half", "reset"])
async def test_a_handshake_that_fails_is_cleared_away(start, dial, how):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    server = await start(per_address=1)
    client = await dial(server)
    assert (await client.say("STARTTLS")).startswith("220")
    if how == "half":
        client.writer.write(b"\x16\x03\x01\x02\x00\x01")
        await client.writer.drain()
    if how == "reset":
        client.writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        client.writer.transport.abort()
    else:
        client.writer.close()
    await gone(server)
    await dial(server)
    assert complaints == []


async def test_a_handshake_that_never_begins_ends(start, dial, monkeypatch):
    monkeypatch.setattr("maild.ingest.smtp_line.HANDSHAKE", 0.1)
    server = await start()
    client = await dial(server)
    assert (await client.say("STARTTLS")).startswith("220")
    assert await asyncio.wait_for(client.reader.read(), 10) == b""
    await gone(server)


async def test_old_versions_are_refused(start, dial):
    server = await start()
    client = await dial(server)
    assert (await client.say("STARTTLS")).startswith("220")
    context = client_context()
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await client.shake_hands(context)
    await gone(server)


async def test_required_it_is_required_of_strangers(start, dial, store):
    client = await dial(await start(require_tls=True))
    for line in ("MAIL FROM:<bob@acme.example>", "RCPT TO:<csm@example.com>", "DATA"):
        assert (await client.say(line)).startswith("530 5.7.0")
    for line in ("NOOP", "RSET", "EHLO again"):
        assert (await client.say(line)).startswith("250")
    await client.secure()
    await client.say("EHLO client.example")
    assert (await client.say("MAIL FROM:<bob@acme.example>")).startswith("250")
    trusted = await dial(await start(require_tls=True, trusted=lambda peer: True))
    assert (await trusted.say("MAIL FROM:<bob@acme.example>")).startswith("250")


async def test_it_takes_no_parameter_and_needs_a_certificate(start, dial, pair):
    server = await start()
    client = await dial(server)
    assert (await client.say("STARTTLS now")).startswith("501 5.5.4")
    server._reception.tls = lambda: None
    assert (await client.say("STARTTLS")).startswith("502 5.5.1")
    assert "STARTTLS" not in await client.say("EHLO x")


async def test_a_renewed_certificate_is_taken_up(start, dial, make_certificate, tmp_path):
    one, two = make_certificate("mx.example.com"), make_certificate("mx.example.com")
    files = [tmp_path / "fullchain.pem", tmp_path / "privkey.pem"]
    put(one, files)
    server = await start(certificate=files)
    assert await works_with(server, dial, one)
    # The certificate is new, its key is not there yet: the old pair serves on.
    shutil.copy(two[0], files[0])
    assert await works_with(server, dial, one)
    shutil.copy(two[1], files[1])
    assert await works_with(server, dial, two)
    assert not await works_with(server, dial, one)
    files[1].unlink()
    assert await works_with(server, dial, two)


def put(pair, files):
    for source, target in zip(pair, files, strict=True):
        shutil.copy(source, target)


async def works_with(server, dial, pair):
    client = await dial(server)
    try:
        await client.secure(client_context(pair))
    except ssl.SSLCertVerificationError:
        return False
    return (await client.say("EHLO x")).startswith("250")


def test_files_that_make_no_certificate_are_told(tmp_path, make_certificate, pair):
    other = make_certificate("other.example")
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        Certificate(pair[0], other[1])
    with pytest.raises(FileNotFoundError):
        Certificate(tmp_path / "none.pem", pair[1])
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(ssl.SSLError):
        Certificate(tmp_path / "empty.pem", pair[1])


def test_a_key_with_a_passphrase_is_refused_without_asking(tmp_path, pair, needed):
    sealed = tmp_path / "sealed.pem"
    command = [needed("openssl", "openssl"), "ec", "-in", pair[1], "-out", sealed, "-aes128", "-passout", "pass:secret"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with pytest.raises(OSError):
        Certificate(pair[0], sealed)


# Drain and limits hold under TLS as well.


async def test_stop_says_goodbye_through_tls(start, dial, store):
    server = await start()
    idle, busy, shaking = [await dial(server) for _ in range(3)]
    for client in (idle, busy):
        await client.secure()
        await client.say("EHLO x")
    assert (await shaking.say("STARTTLS")).startswith("220")
    store.ready.clear()
    busy.writer.write(MAIL.encode())
    assert [(await busy.reply())[:3] for _ in range(3)] == ["250", "250", "354"]
    await asyncio.wait_for(store.entered.wait(), 10)
    stopping = asyncio.create_task(server.stop(10))
    assert (await idle.reply()).startswith("421 4.3.2")
    # Amid a handshake there is no way to say so.
    assert b"421" not in await asyncio.wait_for(shaking.reader.read(), 10)
    store.ready.set()
    assert (await busy.reply()).startswith("250 2.0.0")
    assert (await busy.reply()).startswith("421 4.3.2")
    await asyncio.wait_for(stopping, 10)
    assert len(store.mails) == 1


async def test_silence_and_hanging_up_end_it_under_tls_too(start, dial):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    server = await start(command_idle=2)
    client = await dial(server)
    await client.secure()
    assert (await client.reply()).startswith("421 4.4.2")
    assert await client.reader.read() == b""
    for end in ("close", "abort"):
        client = await dial(server)
        await client.secure()
        await client.say("EHLO x")
        client.writer.write(b"MAIL FROM:<bob@acme.example>\r\nRCPT TO:<csm@example.com>\r\nDATA\r\nhalf")
        await client.writer.drain()
        client.writer.transport.abort() if end == "abort" else client.writer.close()
    await gone(server)
    assert complaints == []
