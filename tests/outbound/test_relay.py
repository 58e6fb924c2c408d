"""The smarthost connection against a real aiosmtpd on loopback."""

import asyncio
import contextlib
import socket
import ssl

import pytest
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import strategies as st

from maild.outbound.relay import PIECE, Permanent, Relay, Smarthost, Transient, stuffed

OCTETS = b"Subject: x\r\n\r\n.dot\r\nhello\r\n"


def host(sink, **changes):
    values = {"host": "127.0.0.1", "port": sink.port, "tls": "none", "timeout": 5} | changes
    return Smarthost(**values)


async def test_it_sends_and_keeps_the_connection(serve, sink):
    server = await serve(sink())
    relay = Relay(host(server))
    for number in range(3):
        reply = await relay.send("csm+t@example.com" if number else "", "bob@acme.example", OCTETS)
        assert (reply.code, reply.text) == (250, "2.0.0 taken as 4711")
    await relay.close()
    await relay.close()
    assert server.connections == 1
    assert server.commands.count("RSET") == 2
    assert server.mails[0] == ("<>", ["bob@acme.example"], OCTETS)
    assert server.mails[1][0] == "csm+t@example.com"


async def test_a_connection_that_went_away_while_idle_is_opened_again(serve, sink):
    server = await serve(sink(), timeout=0.3)
    relay = Relay(host(server))
    await relay.send("", "bob@acme.example", OCTETS)
    await asyncio.sleep(0.6)
    await relay.send("", "bob@acme.example", OCTETS)
    await relay.close()
    assert server.connections == 2
    assert len(server.mails) == 2


@pytest.mark.parametrize(
    ("answers", "error", "at_connect", "code"),
    [
        ({"rcpt_replies": {"bob@acme.example": "550 5.1.1 no such user"}}, Permanent, None, 550),
        ({"rcpt_replies": {"bob@acme.example": "451 4.7.1 greylisted"}}, Transient, False, 451),
        ({"rcpt_replies": {"bob@acme.example": "421 4.3.2 going down"}}, Transient, True, 421),
        ({"data_reply": "554 5.7.1 spam"}, Permanent, None, 554),
        ({"data_reply": "452 4.3.1 disk full"}, Transient, False, 452),
        ({"mail_reply": "550 5.7.1 not you"}, Permanent, None, 550),
        ({"mail_reply": "530 5.7.0 authenticate first"}, Transient, True, 530),
        ({"drop": True}, Transient, False, 0),
        ({"hang": True}, Transient, False, 0),
    ],
)
async def test_refusals(serve, sink, answers, error, at_connect, code):
    server = await serve(sink(**answers))
    relay = Relay(host(server, timeout=1 if server.hang else 10))
    with pytest.raises(error) as caught:
        await relay.send("csm@example.com", "bob@acme.example", OCTETS)
    assert caught.value.code == code
    assert getattr(caught.value, "at_connect", None) == at_connect
    server.rcpt_replies, server.mail_reply, server.data_reply = {}, "250 OK", "250 OK"
    server.drop = server.hang = False
    assert (await relay.send("csm@example.com", "bob@acme.example", OCTETS)).code == 250
    await relay.close()
    assert len(server.mails) == 1


async def test_the_whole_mail_has_a_time_limit(serve, sink):
    server = await serve(sink(hang=True))
    relay = Relay(host(server, total=0.3))
    with pytest.raises(Transient, match="no answer in time"):
        await relay.send("", "bob@acme.example", OCTETS)


async def test_a_cancelled_send_leaves_no_half_used_connection(serve, sink):
    server = await serve(sink(hang=True))
    relay = Relay(host(server))
    task = asyncio.create_task(relay.send("", "bob@acme.example", OCTETS))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.hang = False
    await relay.send("", "eve@acme.example", OCTETS)
    await relay.close()
    assert [mail[1] for mail in server.mails] == [["eve@acme.example"]]


async def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        relay = Relay(Smarthost("127.0.0.1", taken.getsockname()[1], "none", timeout=2))
        with pytest.raises(Transient) as caught:
            await relay.send("", "bob@acme.example", OCTETS)
    assert caught.value.at_connect


async def test_a_banner_that_refuses(serve, sink):
    async def refuse(reader, writer):
        writer.write(b"554 5.3.2 go away\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        relay = Relay(Smarthost("127.0.0.1", server.sockets[0].getsockname()[1], "none", timeout=2))
        with pytest.raises(Transient) as caught:
            await relay.send("", "bob@acme.example", OCTETS)
    assert (caught.value.code, caught.value.at_connect) == (554, True)


@pytest.mark.parametrize("bad", ["a b@x.y", "a@x.y\r\nRCPT TO:<evil@x>", "a\x00@x.y", "ä@x.y", "bob"])
async def test_a_hostile_address_reaches_no_wire(serve, sink, bad):
    server = await serve(sink())
    relay = Relay(host(server))
    with pytest.raises(Permanent, match="553"):
        await relay.send("", bad, OCTETS)
    with pytest.raises(Permanent, match="553"):
        await relay.send(bad, "bob@acme.example", OCTETS)
    assert server.connections == 0


async def test_starttls_is_verified(serve, sink, tls):
    server_context, trusting = tls
    server = await serve(sink(), tls_context=server_context)
    good = Relay(host(server, tls="starttls"), trusting)
    assert (await good.send("", "bob@acme.example", OCTETS)).code == 250
    await good.close()
    with pytest.raises(Transient, match="certificate") as caught:
        await Relay(host(server, tls="starttls")).send("", "bob@acme.example", OCTETS)
    assert caught.value.at_connect
    assert len(server.mails) == 1


async def test_no_tls_where_tls_was_asked_for_is_an_error(serve, sink):
    server = await serve(sink())
    with pytest.raises(Transient) as caught:
        await Relay(host(server, tls="starttls"), ssl.create_default_context()).send("", "bob@acme.example", OCTETS)
    assert caught.value.at_connect
    assert server.mails == []


async def test_a_login_that_fails_is_the_smarthosts_matter(serve, sink):
    def never(*_):
        return AuthResult(success=False, handled=False)

    server = await serve(sink(), authenticator=never, auth_require_tls=False)
    with pytest.raises(Transient) as caught:
        await Relay(host(server, username="csm", password="wrong")).send("", "bob@acme.example", OCTETS)
    assert caught.value.at_connect
    assert server.mails == []


def test_the_password_is_not_shown():
    assert "s3cret" not in repr(Smarthost("h", 25, "none", "u", "s3cret"))


@pytest.mark.parametrize(
    "octets",
    [
        b"A: b\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n",
        b"A: b\r\n\r\n" + b"." * 70 + b"\r\n",
        b"A: b\r\n\r\n" + (b"." + b"x" * 75 + b"\r\n") * 3000,
        b"A: b\r\n\r\n" + b".\r\n" * 40_000,
    ],
)
async def test_dots_arrive_as_they_were(serve, sink, octets):
    server = await serve(sink())
    relay = Relay(host(server))
    await relay.send("csm@example.com", "carol@acme.example", octets)
    await relay.close()
    assert server.mails == [("csm@example.com", ["carol@acme.example"], octets)]


@given(
    st.lists(st.sampled_from([b".", b"..", b"", b"a", b"a.", b"x" * 998]), min_size=1, max_size=300),
    st.integers(1, 3000),
)
def test_stuffing_is_undone_by_taking_a_dot_from_each_line(lines, piece):
    octets = b"".join(line + b"\r\n" for line in lines)
    sent = b"".join(stuffed(octets, piece))
    assert sent.endswith(b".\r\n")
    assert b"".join(line.removeprefix(b".") + b"\r\n" for line in sent[:-3].split(b"\r\n")[:-1]) == octets


async def test_a_smarthost_may_refuse_before_it_has_read_everything():
    gone = asyncio.Event()

    async def impatient(reader, writer):
        writer.write(b"220 sink\r\n")
        while (line := (await reader.readline()).upper()) and not line.startswith(b"DATA"):
            writer.write(b"250 OK\r\n")
        writer.write(b"354 go on\r\n")
        await reader.readexactly(PIECE)
        writer.write(b"552 5.3.4 that is enough\r\n")
        await writer.drain()
        with contextlib.suppress(ConnectionError):
            await reader.read()
            writer.close()
            await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(impatient, "127.0.0.1", 0)
    async with server:
        relay = Relay(Smarthost("127.0.0.1", server.sockets[0].getsockname()[1], "none", timeout=10))
        with pytest.raises(Permanent, match="that is enough"):
            await relay.send("csm@example.com", "carol@acme.example", b"A: b\r\n\r\n" + b"x" * 70 + b"\r\n" * 10**7)
        await relay.close()
        await gone.wait()
