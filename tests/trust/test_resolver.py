"""Keys from the DNS, over the wire: a server on loopback that answers as the name tells it."""

import asyncio

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from maild import resolver
from maild.resolver import Resolver, UnansweredError


class Server(asyncio.DatagramProtocol):
    """Answers by the first label of the name."""

    def __init__(self):
        self.asked = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.asked += 1
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        name = question.question[0].name
        match name.labels[0]:
            case b"key":
                text = '"v=DKIM1; " "p=abc"'
                answer.answer.append(dns.rrset.from_text(name, 300, "IN", "TXT", text))
            case b"long":
                pieces = " ".join([f'"{"a" * 250}"'] * 100)
                answer.answer.append(dns.rrset.from_text(name, 300, "IN", "TXT", pieces))
            case b"gone":
                answer.set_rcode(dns.rcode.NXDOMAIN)
            case b"fails":
                answer.set_rcode(dns.rcode.SERVFAIL)
            case b"silent":
                return
        self.transport.sendto(answer.to_wire(), address)


@pytest.fixture
async def asked():
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    stub = dns.asyncresolver.Resolver(configure=False)
    stub.nameservers, stub.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    yield stub, server
    transport.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [("key.acme.example", "v=DKIM1; p=abc"), ("gone.acme.example", None), ("empty.acme.example", None)],
)
async def test_what_the_dns_says(asked, name, text):
    assert await Resolver(asked[0]).text(name) == text


async def test_no_record_is_read_without_end(asked):
    found = await Resolver(asked[0]).text("long.acme.example")
    assert found is not None
    assert len(found) == resolver.LONGEST


@pytest.mark.parametrize("name", ["fails.acme.example", "silent.acme.example"])
async def test_what_the_dns_does_not_say(monkeypatch, asked, name):
    monkeypatch.setattr(resolver, "LIFETIME", 0.5)
    with pytest.raises(UnansweredError, match=f"no answer for {name}"):
        await Resolver(asked[0]).text(name)


async def test_a_machine_without_a_dns(monkeypatch):
    def broken():
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.asyncresolver, "Resolver", broken)
    with pytest.raises(UnansweredError):
        await Resolver().text("key.acme.example")
