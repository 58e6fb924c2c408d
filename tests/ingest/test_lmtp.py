"""The LMTP door (RFC 2033): a reply for each recipient, whatever happens; and the socket it listens on."""

import asyncio
import errno
import socket
import stat
import threading
import time
from datetime import UTC, datetime

import pytest

from maild.ingest.accept import Overloaded
from maild.ingest.lmtp import LmtpConnection, unix_listener
from maild.ingest.smtp import Reception, SmtpLimits, SmtpServer

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def reply(self):
        lines = []
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), 10)).decode().rstrip()
            lines.append(line)
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, *lines):
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        return [await self.reply() for _ in lines]

    async def begin(self, recipients):
        """Say LHLO and the envelope; give the reply to DATA."""
        recipients = [f"RCPT TO:<r{n}@example.com>" for n in range(recipients)]
        replies = await self.say("LHLO mx.example.com", "MAIL FROM:<bob@acme.example>", *recipients, "DATA")
        assert {reply[:3] for reply in replies[:-1]} == {"250"}
        return replies[-1]

    async def mail(self, octets, recipients):
        """Send the octets; give the replies, and make sure that there is none more."""
        self.writer.write(octets + b"\r\n.\r\nNOOP\r\n")
        replies = [await self.reply() for _ in range(recipients + 1)]
        assert replies.pop() == "250 2.0.0 OK"
        return replies

    async def close(self):
        self.writer.close()
        await asyncio.wait([asyncio.ensure_future(self.writer.wait_closed())])


class Store:
    def __init__(self):
        self.mails = []
        self.fault = None
        self.ready = asyncio.Event()
        self.ready.set()
        self.entered = asyncio.Event()

    async def accept(self, env, octets):
        self.entered.set()
        await self.ready.wait()
        if self.fault is not None:
            raise self.fault
        self.mails.append((env, octets))


@pytest.fixture
async def store():
    return Store()


@pytest.fixture
async def start(store, tmp_path):
    servers = []

    async def begin(listen=None, trusted=lambda peer: not peer, sockets=(), **limits):
        reception = Reception(
            hostname="mx.example.com",
            accept=store.accept,
            is_ours=lambda address: address.lower().endswith("@example.com"),
            trusted=trusted,
            now=lambda: NOW,
            folder=tmp_path,
            limits=SmtpLimits(**limits),
        )
        place = [] if sockets else [listen or tmp_path / "lmtp.sock"]
        server = SmtpServer(reception, place, speaks=LmtpConnection, mode=0o640, sockets=sockets)
        await server.start()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.stop(0)


@pytest.fixture
async def dial(tmp_path):
    clients = []

    async def call(server):
        if server.addresses:
            streams = await asyncio.open_connection(*server.addresses[0])
        else:
            streams = await asyncio.open_unix_connection(str(tmp_path / "lmtp.sock"))
        clients.append(Client(*streams))
        assert await clients[-1].reply() == "220 mx.example.com maild"
        return clients[-1]

    yield call
    for client in clients:
        await client.close()


@pytest.mark.parametrize("recipients", [1, 2, 50])
@pytest.mark.parametrize(
    ("octets", "fault", "expected"),
    [
        pytest.param(b"Subject: x\r\n\r\nhello", None, "250 2.0.0", id="ok"),
        pytest.param(b"hello", RuntimeError("secret"), "451 4.3.0", id="exception"),
        pytest.param(b"hello", Overloaded("secret"), "452 4.3.1", id="overloaded"),
        pytest.param(b"hello", OSError(errno.ENOSPC, "secret"), "452 4.3.1", id="disk full"),
        pytest.param(b"too big\r\n" * 500_000, None, "552 5.3.4", id="too big"),
        pytest.param(b"x" * 500_000, None, "250 2.0.0", id="long line"),
        pytest.param(b"spooled\r\n" * 200_000, None, "250 2.0.0", id="spooled"),
        pytest.param(b"bare\nline", None, "250 2.0.0", id="bare LF over a local socket"),
    ],
)
async def test_each_recipient_has_its_reply(start, dial, store, recipients, octets, fault, expected):
    client = await dial(await start(message=3_000_000))
    store.fault = fault
    assert (await client.begin(recipients)).startswith("354 ")
    replies = await client.mail(octets, recipients)
    assert [reply[: len(expected)] for reply in replies] == [expected] * recipients
    assert not any("secret" in reply for reply in replies)
    if expected.startswith("2"):
        [(env, _)] = store.mails
        assert env.rcpt_to == tuple(f"r{n}@example.com" for n in range(recipients))
        assert (env.via, env.peer) == ("lmtp", "")
    else:
        assert store.mails == []
    # The connection goes on, and a mail that fails does not count among its errors.
    store.fault = None
    assert (await client.begin(2)).startswith("354 ")
    assert [reply[:3] for reply in await client.mail(b"again", 2)] == ["250", "250"]


async def test_a_repeated_recipient_has_a_reply_for_each_time(start, dial, store):
    client = await dial(await start())
    lines = [f"RCPT TO:<{one}@example.com>" for one in ("a", "b", "A", "a")]
    replies = await client.say("LHLO x", "MAIL FROM:<>", *lines, "RCPT TO:<a@elsewhere.example>", "DATA")
    assert [reply[:9] for reply in replies[2:7]] == ["250 2.1.5"] * 4 + ["550 5.1.1"]
    assert [reply[:9] for reply in await client.mail(b"x", 4)] == ["250 2.0.0"] * 4
    assert store.mails[0][0].rcpt_to == ("a@example.com", "b@example.com")


async def test_lhlo_and_nothing_else_greets(start, dial):
    client = await dial(await start(message=99_999))
    said = await client.say("EHLO x", "HELO x", "MAIL FROM:<>", "LHLO", "LHLO x", "STARTTLS", "AUTH PLAIN x", "DATA")
    assert [reply[:9] for reply in said[:4]] == ["500 5.5.1", "500 5.5.1", "503 5.5.1", "501 5.5.4"]
    assert said[4].split("\n") == [
        "250-mx.example.com",
        "250-SIZE 99999",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-PIPELINING",
        "250-ENHANCEDSTATUSCODES",
        "250 HELP",
    ]
    assert [reply[:9] for reply in said[5:]] == ["502 5.5.1", "502 5.5.1", "503 5.5.1"]


async def test_without_a_recipient_there_is_no_data(start, dial):
    client = await dial(await start())
    said = await client.say("LHLO x", "MAIL FROM:<>", "RCPT TO:<a@elsewhere.example>", "DATA", "RSET", "QUIT")
    assert [reply[:9] for reply in said[2:]] == ["550 5.1.1", "503 5.5.1", "250 2.0.0", "221 2.0.0"]


async def test_mails_in_one_write(start, dial, store):
    client = await dial(await start())
    one = "MAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    client.writer.write(("LHLO x\r\n" + "".join(f"{one}{n}\r\n.\r\n" for n in range(20)) + "QUIT\r\n").encode())
    replies = [await client.reply() for _ in range(1 + 20 * 6 + 1)]
    assert [reply[:3] for reply in replies] == ["250", *(["250", "250", "250", "354", "250", "250"] * 20), "221"]
    assert [octets for _, octets in store.mails] == [b"%d\r\n" % n for n in range(20)]


async def test_over_tcp_the_peer_is_known_and_a_stranger_is_one(start, dial, store):
    server = await start(("127.0.0.1", 0), sender_hourly=1)
    client = await dial(server)
    await client.begin(2)
    assert [reply[:9] for reply in await client.mail(b"bare\nline", 2)] == ["550 5.6.0"] * 2
    await client.begin(2)
    assert [reply[:3] for reply in await client.mail(b"line", 2)] == ["250"] * 2
    assert store.mails[0][0].peer == "127.0.0.1"
    assert (await client.say("MAIL FROM:<bob@acme.example>"))[0].startswith("450 4.7.1")
    assert server.listeners == (f"127.0.0.1:{server.addresses[0][1]}",)


async def test_it_is_drained_like_any_other(start, dial, store, tmp_path):
    server = await start()
    idle, busy = await dial(server), await dial(server)
    await busy.begin(3)
    store.ready.clear()
    busy.writer.write(b"x\r\n.\r\n")
    await asyncio.wait_for(store.entered.wait(), 10)
    stopping = asyncio.create_task(server.stop(10))
    assert (await idle.reply()).startswith("421 4.3.2")
    assert not (tmp_path / "lmtp.sock").exists()
    store.ready.set()
    assert [(await busy.reply())[:9] for _ in range(4)] == ["250 2.0.0"] * 3 + ["421 4.3.2"]
    await asyncio.wait_for(stopping, 10)
    assert len(store.mails) == 1


# The socket


async def test_the_socket_has_the_mode_asked_for_and_goes_with_the_daemon(start, tmp_path):
    server = await start()
    path = tmp_path / "lmtp.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert server.listeners == (str(path),)
    assert [one.name for one in tmp_path.iterdir()] == ["lmtp.sock"]
    await server.stop(0)
    assert list(tmp_path.iterdir()) == []


async def test_a_dead_daemons_socket_is_replaced_and_a_live_ones_is_not(start, dial, tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "lmtp.sock"))
    server = await start()
    client = await dial(server)
    with pytest.raises(OSError, match="another daemon listens there"):
        await start()
    assert (await client.say("NOOP"))[0].startswith("250")
    await dial(server)


def test_something_else_is_never_replaced(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(OSError, match="no socket"):
        unix_listener(path, 0o600)
    assert path.read_text() == "data"


def test_what_cannot_be_made_leaves_nothing(tmp_path):
    folder = tmp_path / "gone"
    with pytest.raises(FileNotFoundError):
        unix_listener(folder / "lmtp.sock", 0o600)
    (tmp_path / "lmtp.sock").symlink_to(folder)
    unix_listener(tmp_path / "lmtp.sock", 0o600).close()
    assert [one.name for one in tmp_path.iterdir()] == ["lmtp.sock"]
    assert not (tmp_path / "lmtp.sock").is_symlink()


def test_it_stands_there_only_when_it_answers(tmp_path):
    path = tmp_path / "lmtp.sock"
    refused = []

    def knock():
        until = time.monotonic() + 10
        while not path.exists() and time.monotonic() < until:
            pass
        with socket.socket(socket.AF_UNIX) as one:
            refused.append(one.connect_ex(str(path)))

    thread = threading.Thread(target=knock)
    thread.start()
    with unix_listener(path, 0o600):
        thread.join(10)
    assert refused == [0]


async def test_a_socket_that_is_passed_is_served(start, dial, tmp_path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(tmp_path / "lmtp.sock"))
    sock.listen()
    server = await start(sockets=[sock])
    assert server.listeners == (str(tmp_path / "lmtp.sock"),)
    client = await dial(server)
    await client.begin(2)
    assert [reply[:3] for reply in await client.mail(b"x", 2)] == ["250"] * 2
    await server.stop(0)
    assert (tmp_path / "lmtp.sock").exists(), "it is not ours to take away"
