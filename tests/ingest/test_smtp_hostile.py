"""The SMTP door against the rude, the slow and the many; and how it closes."""

import asyncio
import contextlib
import random
import socket
import struct
import tracemalloc
from datetime import UTC, datetime

import pytest

from maild.ingest.accept import Acceptor
from maild.ingest.smtp import Reception, SmtpLimits, SmtpServer
from maild.ingest.smtp_limits import Budget

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MAIL = b"MAIL FROM:<bob@acme.example>\r\nRCPT TO:<csm@example.com>\r\n"
DATA = b"EHLO client.example\r\n" + MAIL + b"DATA\r\n"


class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def line(self):
        return (await asyncio.wait_for(self.reader.readline(), 10)).decode().rstrip()

    async def final(self):
        while (line := await self.line())[3:4] == "-":
            pass
        return line

    async def send(self, octets, replies=1):
        self.writer.write(octets)
        return [await self.final() for _ in range(replies)][-1]

    async def in_data(self):
        assert (await self.send(DATA, 4)).startswith("354")

    async def ended(self):
        return await asyncio.wait_for(self.reader.read(), 10) == b""

    async def close(self):
        self.writer.close()
        await asyncio.wait([asyncio.ensure_future(self.writer.wait_closed())])


async def until(happened):
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 - the server under test has no event for it
            await asyncio.sleep(0.005)


class Mails:
    """A store of which the test says when it is ready."""

    def __init__(self):
        self.mails = []
        self.ready = asyncio.Event()
        self.ready.set()
        self.entered = asyncio.Event()

    async def accept(self, env, octets):
        self.entered.set()
        await self.ready.wait()
        self.mails.append(octets if isinstance(octets, bytes) else b"".join(octets.pieces()))


@pytest.fixture
async def mails():
    return Mails()


@pytest.fixture
async def start(mails, tmp_path):
    servers = []

    async def begin(accept=mails.accept, trusted=lambda peer: False, in_flight=10**8, **limits):
        reception = Reception(
            hostname="mx.example.com",
            accept=accept,
            is_ours=lambda address: address.endswith("@example.com"),
            trusted=trusted,
            now=lambda: NOW,
            folder=tmp_path,
            limits=SmtpLimits(**limits),
            budget=Budget(in_flight),
        )
        server = SmtpServer(reception, [("127.0.0.1", 0)])
        await server.start()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.stop(0)


@pytest.fixture
async def dial():
    clients = []

    async def call(server, greeting="220"):
        client = Client(*await asyncio.open_connection(*server.addresses[0]))
        clients.append(client)
        assert (await client.line()).startswith(greeting)
        return client

    yield call
    for client in clients:
        await client.close()


async def test_three_hundred_hang_ups(start, dial):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    stored = []

    async def commit(batch):
        await asyncio.sleep(0.001)
        stored.extend(batch)

    door = Acceptor(commit, lambda: None)
    server = await start(accept=door.accept, sender_hourly=10_000)
    dice = random.Random(42)
    script = DATA + b"a line\r\n" * 3000 + b".\r\n" + MAIL + b"DATA\r\nmore\r\n.\r\n"
    cuts = [*range(len(DATA) - 10, len(DATA) + 10), *range(len(script) - 20, len(script) + 1)]
    for n in range(300):
        reader, writer = await asyncio.open_connection(*server.addresses[0])
        writer.write(script[: dice.choice(cuts) if n % 2 else dice.randrange(len(script))])
        if n % 3:
            await asyncio.sleep(dice.random() * 0.003)
        if n % 5 == 0:
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 5)
        elif n % 5 == 1:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()
    async with asyncio.timeout(1):
        client = await dial(server)
        await client.in_data()
        assert (await client.send(b"last\r\n.\r\n")).startswith("250 2.0.0")
    await door.drain()
    assert stored[-1][1] == b"last\r\n"
    assert door.in_flight == 0
    await until(lambda: len(server._reception.connections) == 1)
    assert server._reception.budget.held == 0
    assert server._reception.per_address == {"127.0.0.1": 1}
    assert complaints == []


async def test_bare_line_ends_cost_what_they_weigh(start, dial, mails):
    size = 8 * 1024 * 1024

    async def weigh(env, octets):
        mails.mails.append(octets.size)

    client = await dial(await start(accept=weigh))
    await client.in_data()
    block = b"\r\n" * 32 * 1024
    tracemalloc.start()
    try:
        for _ in range(size // len(block)):
            client.writer.write(block)
            await client.writer.drain()
        assert (await client.send(b".\r\n")).startswith("250 2.0.0")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert mails.mails == [size]
    assert peak < size


async def test_octets_in_flight_are_bounded(start, dial, mails):
    server = await start(in_flight=100_000)
    first = await dial(server)
    await first.in_data()
    first.writer.write(b"a" * 90_000)
    await until(lambda: server._reception.budget.held >= 90_000)
    second = await dial(server)
    await second.in_data()
    assert (await second.send(b"b" * 20_000 + b"\r\n.\r\n")).startswith("452 4.3.1")
    first.writer.write(b"a" * 9_000)
    await until(lambda: server._reception.budget.held >= 99_000)
    mails.ready.clear()
    first.writer.write(b"a" * 998 + b"\r\n.\r\n")
    await mails.entered.wait()
    assert (await second.send(MAIL + b"DATA\r\n", 3)).startswith("452 4.3.1")
    mails.ready.set()
    assert (await first.final()).startswith("250 2.0.0")
    assert server._reception.budget.held == 0
    assert (await second.send(b"DATA\r\n")).startswith("354")
    assert (await second.send(b".\r\n")).startswith("250 2.0.0")


async def test_mails_over_the_limit_of_memory_wait_in_files(start, dial, mails):
    server = await start(in_flight=6_000_000)
    clients = [await dial(server) for _ in range(4)]
    for client in clients:
        await client.in_data()
    for _ in range(20):
        for client in clients:
            client.writer.write(b"x" * 250_000)
            await client.writer.drain()
    for client in clients:
        assert (await client.send(b"\r\n.\r\n")).startswith("250 2.0.0")
    assert [len(mail) for mail in mails.mails] == [5_000_002] * 4
    assert server._reception.budget.held == 0


async def test_a_short_disk_is_told_before_the_mail_or_at_its_end(start, dial, mails, tmp_path, monkeypatch):
    free = [10_000_000]
    for module in ("smtp_spool", "smtp_reception"):
        monkeypatch.setattr(f"maild.ingest.{module}.room", lambda folder: free[0])
    server = await start(min_free=5_000_000)
    client = await dial(server)
    await client.in_data()
    client.writer.write(b"x" * 2_000_000)
    await client.writer.drain()
    free[0] = 5_100_000
    assert (await client.send(b"x" * 2_000_000 + b"\r\n.\r\n")).startswith("452 4.3.1")
    free[0] = 4_999_999
    assert (await client.send(MAIL + b"DATA\r\n", 3)).startswith("452 4.3.1")
    free[0] = 5_000_000
    assert (await client.send(b"DATA\r\n")).startswith("354")
    assert (await client.send(b"small\r\n.\r\n")).startswith("250 2.0.0")
    assert server._reception.budget.held == 0
    assert mails.mails == [b"small\r\n"]


async def test_a_folder_that_is_gone_asks_to_come_back(start, dial, mails, tmp_path):
    server = await start()
    client = await dial(server)
    server._reception.folder = tmp_path / "gone"
    assert (await client.send(DATA, 4)).startswith("451 4.3.0")
    server._reception.folder = tmp_path
    assert (await client.send(b"DATA\r\n")).startswith("354")
    server._reception.folder = tmp_path / "gone"
    assert (await client.send(b"x" * 2_000_000 + b"\r\n.\r\n")).startswith("250 2.0.0"), "a mail keeps its folder"


async def test_a_peer_that_nobody_can_name_is_cut(start, dial, monkeypatch):
    server = await start(trusted=lambda peer: not peer)
    monkeypatch.setattr("maild.ingest.smtp_line._peer_of", lambda transport: None)
    reader, writer = await asyncio.open_connection(*server.addresses[0])
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
    assert server._reception.connections == set()
    monkeypatch.undo()
    await dial(server)


async def test_connections_of_one_address(start, dial):
    server = await start(per_address=2)
    one = await dial(server)
    await dial(server)
    refused = await dial(server, "421 4.7.0")
    assert await refused.ended()
    await one.send(b"QUIT\r\n")
    assert await one.ended()
    await dial(server)


async def test_trusted_hops_are_spared_what_an_address_may(start, dial):
    server = await start(per_address=1, sender_hourly=1, connections=3, trusted=lambda peer: peer == "127.0.0.1")
    clients = [await dial(server) for _ in range(3)]
    for client in clients:
        await client.in_data()
        assert (await client.send(b".\r\n")).startswith("250 2.0.0")
    assert await (await dial(server, "421 4.7.0")).ended()


async def test_strangers_who_keep_every_place_busy_do_not_shut_out_a_hop_of_ours(start, dial):
    ours = []
    server = await start(per_address=99, connections=10, trusted=lambda peer: bool(ours))
    strangers = [await dial(server) for _ in range(10)]
    for stranger in strangers:
        await stranger.in_data()
    assert await (await dial(server, "421 4.7.0")).ended()
    ours.append(True)
    hop = await dial(server)
    await hop.in_data()
    assert (await hop.send(b".\r\n")).startswith("250 2.0.0")
    assert await (await dial(server, "421 4.7.0")).ended(), "the places beyond have an end, too"


async def test_whoever_is_silent_makes_room_for_others(start, dial, mails):
    server = await start(connections=3, crowded=2)
    quiet, busy, receiving = [await dial(server) for _ in range(3)]
    await receiving.in_data()
    assert await (await dial(server, "421 4.7.0")).ended(), "nobody was silent for long enough"
    await asyncio.sleep(2.2)
    await busy.send(b"NOOP\r\n")
    newcomer = await dial(server)
    assert (await quiet.line()).startswith("421 4.4.2")
    assert await quiet.ended()
    assert await (await dial(server, "421 4.7.0")).ended()
    assert (await receiving.send(b".\r\n")).startswith("250 2.0.0")
    for client in (newcomer, busy):
        assert (await client.send(b"NOOP\r\n")).startswith("250")


async def test_recipients_are_counted(start, dial, mails):
    client = await dial(await start(recipients=3, errors=5))
    await client.send(b"EHLO x\r\nMAIL FROM:<>\r\n", 2)
    replies = [await client.send(b"RCPT TO:<r%d@example.com>\r\n" % n) for n in range(30)]
    assert [reply[:9] for reply in replies] == ["250 2.1.5"] * 3 + ["452 4.5.3"] * 27
    assert (await client.send(b"DATA\r\n")).startswith("354")
    assert (await client.send(b".\r\n")).startswith("250 2.0.0")


async def test_a_sender_has_so_many_mails_an_hour(start, dial, mails):
    server = await start(sender_hourly=2)
    client = await dial(server)
    for _ in range(2):
        await client.in_data()
        assert (await client.send(b".\r\n")).startswith("250 2.0.0")
    assert (await client.send(b"MAIL FROM:<BOB@acme.example>\r\n")).startswith("450 4.7.1")
    assert (await client.send(b"MAIL FROM:<amy@acme.example>\r\n")).startswith("250 2.1.0")


async def test_two_connections_do_not_get_past_the_hour(start, dial, mails):
    server = await start(sender_hourly=1)
    first, second = await dial(server), await dial(server)
    await second.send(b"EHLO x\r\n" + MAIL, 3)
    await first.in_data()
    assert (await second.send(b"DATA\r\n")).startswith("450 4.7.1")
    await first.close()
    await until(lambda: len(server._reception.connections) == 1)
    assert (await second.send(b"DATA\r\n")).startswith("354"), "a mail that was not accepted does not count"


async def test_too_many_errors(start, dial):
    client = await dial(await start(errors=3))
    await client.send(b"EHLO x\r\nMAIL FROM:<>\r\n", 2)
    replies = [await client.send(b"RCPT TO:<x@other.example>\r\n") for _ in range(4)]
    assert [reply[:9] for reply in replies] == ["550 5.1.1"] * 3 + ["421 4.7.0"]
    assert await client.ended()


@pytest.mark.parametrize("command", [b"NOOP\r\n", b"WIBBLE\r\n", b"\r\n", b"N\xff\r\n"])
async def test_too_many_commands(start, dial, command):
    client = await dial(await start())
    client.writer.write(command * 150)
    replies = []
    while line := await client.line():
        replies.append(line)
    assert replies[-1].startswith("421 4.7.0")
    assert len(replies) <= 101


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"data_idle": 0.1}, DATA + b"half a mail"),
        ({"command_idle": 0.1}, b"EHLO x\r\n"),
        ({"session": 0.1}, DATA),
    ],
)
async def test_silence_ends(start, dial, mails, limits, said):
    client = await dial(await start(**limits))
    client.writer.write(said)
    lines = []
    while line := await client.line():
        lines.append(line)
    assert lines[-1].startswith("421 4.4.2")
    assert mails.mails == []


async def test_a_session_ends_though_it_never_is_silent(start, dial, mails):
    client = await dial(await start(session=0.3, data_idle=5))
    await client.in_data()

    async def drip():
        while True:
            client.writer.write(b"drip\r\n")
            await client.writer.drain()
            await asyncio.sleep(0.02)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(drip(), 5)
    assert mails.mails == []


async def test_a_slow_store_is_not_silence_of_the_peer(start, dial, mails):
    client = await dial(await start(session=0.1, data_idle=0.1, command_idle=0.1))
    mails.ready.clear()
    await client.in_data()
    client.writer.write(b".\r\n")
    await asyncio.sleep(0.3)
    mails.ready.set()
    assert (await client.final()).startswith("250 2.0.0")
    assert (await client.final()).startswith("421 4.4.2")
    assert await client.ended()


async def test_the_clock_of_data_stops_at_its_end(start, dial, mails):
    client = await dial(await start(data_idle=0.1))
    mails.ready.clear()
    await client.in_data()
    client.writer.write(b".\r\n")
    await asyncio.sleep(0.3)
    mails.ready.set()
    assert (await client.final()).startswith("250 2.0.0")
    assert (await client.send(b"NOOP\r\n")).startswith("250 2.0.0")


async def test_an_accepted_mail_forgives_errors(start, dial):
    client = await dial(await start(errors=3))
    await client.send(b"EHLO x\r\n")
    for _ in range(3):
        await client.send(b"MAIL FROM:<>\r\n" + b"RCPT TO:<x@other.example>\r\n" * 3, 4)
        assert (await client.send(b"RCPT TO:<csm@example.com>\r\nDATA\r\n", 2)).startswith("354")
        assert (await client.send(b".\r\n")).startswith("250 2.0.0")


async def test_a_half_closed_connection_is_closed(start, dial):
    server = await start()
    for said in (b"", b"EHLO x\r\n", DATA + b"half"):
        client = await dial(server)
        client.writer.write(said)
        client.writer.write_eof()
        async with asyncio.timeout(2):
            await client.reader.read()
    await until(lambda: not server._reception.connections)


async def test_a_peer_that_reads_nothing_is_cut(start, monkeypatch):
    monkeypatch.setattr("maild.ingest.smtp_line.LINGER", 0.1)
    server = await start(command_idle=0.3)
    # Accepted sockets inherit the small buffer, so that unread replies soon stay with the server.
    server._servers[0].sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, server.addresses[0])
        babble = b"EHLO x\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<csm@example.com>\r\n" * 9000
        talking = asyncio.create_task(loop.sock_sendall(deaf, babble))
        await until(lambda: server._reception.connections)
        [connection] = server._reception.connections
        await until(lambda: connection.transport is None or connection.transport.is_closing())
        assert connection.transport is not None
        assert connection.transport.get_write_buffer_size() > 0
        await until(lambda: not server._reception.connections)
        talking.cancel()
        await asyncio.wait([talking])


async def test_stop_lets_mail_in_and_nothing_else(start, dial, mails):
    server = await start()
    address = server.addresses[0]
    idle, receiving, storing = [await dial(server) for _ in range(3)]
    await receiving.in_data()
    await storing.in_data()
    mails.ready.clear()
    storing.writer.write(b"stored\r\n.\r\n")
    await mails.entered.wait()
    stopping = asyncio.create_task(server.stop(5))
    assert (await idle.final()).startswith("421 4.3.2")
    assert await idle.ended()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    receiving.writer.write(b"received\r\n.\r\nNOOP\r\n")
    await asyncio.sleep(0.05)
    assert not stopping.done()
    mails.ready.set()
    for client in (receiving, storing):
        assert (await client.final()).startswith("250 2.0.0")
        assert (await client.final()).startswith("421 4.3.2")
        assert await client.ended()
    await asyncio.wait_for(stopping, 1)
    assert sorted(mails.mails) == [b"received\r\n", b"stored\r\n"]
    assert server.addresses == ()


async def test_stop_does_not_wait_longer_than_its_grace(start, dial, mails):
    server = await start()
    client = await dial(server)
    await client.in_data()
    client.writer.write(b"never ends")
    async with asyncio.timeout(2):
        await server.stop(0.1)
    assert (await client.final()).startswith("421 4.3.2")
    assert await client.ended()
    assert mails.mails == []
    await server.start()
    await dial(server)


SMUGGLED = [
    b"\n.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n\r.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n\0.\r\n",
]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("ending", SMUGGLED)
async def test_no_second_mail_is_smuggled_in(start, dial, mails, ending, trusted):
    client = await dial(await start(trusted=lambda peer: trusted))
    await client.in_data()
    evil = b"one" + ending + MAIL + b"DATA\r\nevil\r\n"
    for octet in evil:
        client.writer.write(bytes([octet]))
        await asyncio.sleep(0)
    lone = b"\0" not in ending
    assert (await client.send(b".\r\n")).startswith("250 2.0.0" if trusted or not lone else "550 5.6.0")
    assert (await client.send(b"NOOP\r\n")).startswith("250 2.0.0 OK")
    assert [mail.endswith(b"DATA\r\nevil\r\n") for mail in mails.mails] == [True] * (trusted or not lone)


async def test_mails_survive_any_cutting_of_the_stream(start, dial, mails):
    client = await dial(await start(trusted=lambda peer: True))
    await client.send(b"EHLO x\r\n")
    dice = random.Random(3)
    bodies = [
        b"".join(dice.choices([b".", b"\r\n", b"..\r\n", b"text", b"\r", b"\n"], k=30)) + b"\r\n" for _ in range(60)
    ]
    stuffed = [
        b"\r\n".join(b"." + line if line[:1] == b"." else line for line in body.split(b"\r\n")) for body in bodies
    ]
    stream = b"".join(MAIL + b"DATA\r\n" + body + b".\r\n" for body in stuffed)
    while stream:
        size = dice.choice([1, 2, 3, 5, 8, 40, 400])
        client.writer.write(stream[:size])
        stream = stream[size:]
        await asyncio.sleep(0)
    replies = [await client.final() for _ in range(4 * len(bodies))]
    assert [reply[:3] for reply in replies] == ["250", "250", "354", "250"] * len(bodies)
    assert mails.mails == bodies


async def test_trusted_hops_are_limited_where_the_operator_says_so(start, dial):
    server = await start(per_address=1, trusted=lambda peer: True, trusted_exempt=False)
    await dial(server)
    assert await (await dial(server, "421 4.7.0")).ended()


async def test_new_peers_are_turned_away_while_it_stops(start, dial):
    server = await start()
    server._reception.stopping = True
    assert await (await dial(server, "421 4.3.2")).ended()


async def test_a_store_that_is_cancelled_acknowledges_nothing(start, dial):
    async def cancelled(env, octets):
        raise asyncio.CancelledError

    server = await start(accept=cancelled)
    client = await dial(server)
    await client.in_data()
    client.writer.write(b"x\r\n.\r\n")
    assert await client.ended()
    assert (await (await dial(server)).send(b"EHLO x\r\n")).startswith("250")
