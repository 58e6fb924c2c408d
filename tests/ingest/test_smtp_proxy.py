"""The PROXY protocol, versions 1 and 2: believed from our proxies alone, and asked of them."""

import asyncio
import ipaddress
import struct
from datetime import UTC, datetime

import pytest

from maild.ingest.smtp import Reception, SmtpLimits, SmtpServer
from maild.ingest.smtp_line import spoken_for

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
TALK = b"EHLO x\r\nMAIL FROM:<bob@acme.example>\r\nRCPT TO:<csm@example.com>\r\nDATA\r\nhello\r\n.\r\n"


def v1(source="192.0.2.7", family="TCP4", target="192.0.2.1"):
    return f"PROXY {family} {source} {target} 40000 25\r\n".encode()


def v2(source="192.0.2.7", *, command=1, family=None, more=b""):
    address = ipaddress.ip_address(source)
    target = ipaddress.ip_address("192.0.2.1" if address.version == 4 else "2001:db8::1")
    family = {4: 0x11, 6: 0x21}[address.version] if family is None else family
    body = address.packed + target.packed + struct.pack("!HH", 40000, 25) + more
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family, len(body)) + body


LOCAL = SIGNATURE + struct.pack("!BBH", 0x20, 0, 0)


class Store:
    def __init__(self):
        self.mails = []

    async def accept(self, env, octets):
        self.mails.append(env)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
async def start(store, tmp_path):
    servers = []

    async def begin(*, proxies=lambda peer: peer == "127.0.0.1", trusted=lambda peer: peer == "127.0.0.1", **limits):
        reception = Reception(
            hostname="mx.example.com",
            accept=store.accept,
            is_ours=lambda address: address == "csm@example.com",
            trusted=trusted,
            now=lambda: NOW,
            folder=tmp_path,
            limits=SmtpLimits(**limits),
            proxies=proxies,
        )
        server = SmtpServer(reception, [("127.0.0.1", 0)])
        await server.start()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.stop(0)


@pytest.fixture
async def speak():
    """Say all of it, and give what comes back until the other side ends."""
    writers = []

    async def said(server, octets, *, slowly=False, leave=True):
        reader, writer = await asyncio.open_connection(*server.addresses[0])
        writers.append(writer)
        for octet in octets if slowly else ():
            writer.write(bytes([octet]))
            await asyncio.sleep(0)
        if not slowly:
            writer.write(octets)
        if leave:
            writer.write(b"QUIT\r\n")
        try:
            return (await asyncio.wait_for(reader.read(), 10)).decode()
        except ConnectionResetError:
            return ""

    yield said
    for writer in writers:
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])


SAID = [
    pytest.param(v1(), "192.0.2.7", id="v1"),
    pytest.param(v1("2001:db8::7", "TCP6", "2001:db8::1"), "2001:db8::7", id="v1 IPv6"),
    pytest.param(v1("::ffff:192.0.2.7", "TCP6", "::ffff:192.0.2.1"), "::ffff:c000:207", id="v1 mapped"),
    pytest.param(b"PROXY UNKNOWN\r\n", "unknown", id="v1 unknown"),
    pytest.param(b"PROXY UNKNOWN 127.0.0.1 127.0.0.1 1 2\r\n", "unknown", id="v1 unknown with addresses"),
    pytest.param(v2(), "192.0.2.7", id="v2"),
    pytest.param(v2("2001:db8::7"), "2001:db8::7", id="v2 IPv6"),
    pytest.param(v2(more=b"\x03\x00\x04abcd"), "192.0.2.7", id="v2 with a vector"),
    pytest.param(v2(family=0), "unknown", id="v2 without a family"),
    pytest.param(LOCAL, "127.0.0.1", id="LOCAL is the proxy itself"),
    pytest.param(v2(command=0), "127.0.0.1", id="LOCAL with addresses to be ignored"),
]


@pytest.mark.parametrize("slowly", [False, True])
@pytest.mark.parametrize(("header", "peer"), SAID)
async def test_the_peer_is_whom_the_proxy_speaks_for(start, speak, store, header, peer, slowly):
    server = await start()
    assert (await speak(server, header + TALK, slowly=slowly)).count("250 2.0.0") == 1
    assert [env.peer for env in store.mails] == [peer]
    assert server._reception.per_address == {}


@pytest.mark.parametrize(("header", "peer"), SAID)
async def test_trust_and_limits_are_those_of_the_peer(start, speak, store, header, peer):
    server = await start(sender_hourly=1)
    bare = TALK.replace(b"hello", b"hel\nlo")
    trusted = peer == "127.0.0.1"
    assert ("550 5.6.0" in await speak(server, header + bare)) is not trusted
    assert ("250 2.0.0" in await speak(server, header + TALK)) is True
    assert ("450 4.7.1" in await speak(server, header + TALK)) is not trusted


@pytest.mark.parametrize(
    ("proxy", "claimed", "peer"),
    [
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "127.0.0.1", "unknown"),
        ("10.0.0.1", "127.8.9.1", "unknown"),
        ("10.0.0.1", "::1", "unknown"),
        ("10.0.0.1", "::ffff:7f00:1", "unknown"),
        ("10.0.0.1", "0.0.0.0", "unknown"),  # noqa: S104 - nothing is bound
        ("fe80::1%eth0", "::", "unknown"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("::1", "127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "::1", "::1"),
    ],
)
def test_the_loopback_of_another_machine_is_not_ours(proxy, claimed, peer):
    assert spoken_for(proxy, claimed) == peer


FALSE = [
    pytest.param(b"", id="nothing but SMTP"),
    pytest.param(b"EHLO x\r\n", id="a greeting"),
    pytest.param(v1(family="UDP4"), id="v1 no TCP"),
    pytest.param(v1("localhost"), id="v1 a name"),
    pytest.param(v1("999.0.2.7"), id="v1 no address"),
    pytest.param(v1("2001:db8::7"), id="v1 the other family"),
    pytest.param(v1().replace(b"\r", b""), id="v1 bare LF"),
    pytest.param(v1().replace(b" ", b"  "), id="v1 two spaces"),
    pytest.param(b"PROXY TCP4 " + b"x" * 200_000 + b"\r\n", id="v1 without an end"),
    pytest.param(b"PROXY TCP4\r\n", id="v1 too short"),
    pytest.param(SIGNATURE[:-1] + b"\r" + LOCAL[12:], id="v2 another signature"),
    pytest.param(SIGNATURE + b"\x31\x11\x00\x00", id="v2 another version"),
    pytest.param(v2(command=7), id="v2 no such command"),
    pytest.param(SIGNATURE + b"\x21\x11\x00\x04abcd", id="v2 too short"),
]


@pytest.mark.parametrize("header", FALSE)
async def test_a_proxy_that_says_it_wrong_gets_no_word(start, speak, store, header):
    server = await start()
    assert await speak(server, header + TALK) == ""
    assert store.mails == []
    assert (await speak(server, v1() + TALK)).count("250 2.0.0") == 1
    assert server._reception.per_address == {}


@pytest.mark.parametrize("header", [b"", b"PRO", b"PROXY TCP4 ", SIGNATURE, v2()[:20]])
async def test_a_proxy_that_falls_silent_is_let_go(start, speak, store, header):
    server = await start(proxy=0.1)
    assert (await speak(server, header, leave=False)).startswith("421 4.4.2")
    assert server._reception.connections == set()


@pytest.mark.parametrize("header", [v1("192.0.2.9"), v2("192.0.2.9"), LOCAL])
async def test_nobody_else_is_believed(start, speak, store, header):
    server = await start(proxies=lambda peer: False, trusted=lambda peer: False)
    words = await speak(server, header + b"\r\n" + TALK)
    assert words.startswith("220 ")
    assert "500 5.5.2" in words
    # He is who he is, whatever he says; and version 2 says QUIT to a server that expects no proxy.
    assert [env.peer for env in store.mails] == ["127.0.0.1"] * header.startswith(b"PROXY")


async def test_connections_are_counted_for_the_peer_and_not_for_the_proxy(start, speak):
    server = await start(per_address=2, connections=5)
    address = server.addresses[0]
    open_ones = []
    for n in (1, 1, 2, 3):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(v1(f"192.0.2.{n}"))
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"220 ")
        open_ones.append(writer)
    assert server._reception.per_address == {"192.0.2.1": 2, "192.0.2.2": 1, "192.0.2.3": 1}
    assert (await speak(server, v1("192.0.2.1"))).startswith("421 4.7.0 too many connections from your address")
    assert (await speak(server, v1("192.0.2.2"))).startswith("220 ")
    for writer in open_ones:
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
    async with asyncio.timeout(10):
        while server._reception.connections:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
    assert server._reception.per_address == {}
