"""A signed mail through the whole daemon: over SMTP from a stranger, the DNS on the wire, the sums in a worker."""

import asyncio
import smtplib

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.rrset
import pytest

from maild.config import load
from maild.daemon import running
from maild.resolver import Resolver

CONFIG = """
[desk]
address = "csm@desk.example"
data_dir = "data"
[[agent]]
id = "ann"
address = "ann@staff.example"
[smtp]
listen = "127.0.0.1:0"
trusted = ["192.0.2.1"]
[relay]
host = "127.0.0.1"
port = 9
"""


class Server(asyncio.DatagramProtocol):
    """Knows one key."""

    def __init__(self, record):
        self.record = record

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        answer = dns.message.make_response(dns.message.from_wire(data))
        name = answer.question[0].name
        if name.to_text() == "one._domainkey.acme.example.":
            pieces = " ".join(f'"{self.record[at : at + 200]}"' for at in range(0, len(self.record), 200))
            answer.answer.append(dns.rrset.from_text(name, 300, "IN", "TXT", pieces))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


@pytest.fixture
async def daemon(monkeypatch, tmp_path, rsa):
    """A daemon that asks our DNS."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Server(rsa(2048).record), local_addr=("127.0.0.1", 0))
    stub = dns.asyncresolver.Resolver(configure=False)
    stub.nameservers, stub.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    monkeypatch.setattr("maild.daemon.Resolver", lambda: Resolver(stub))
    (tmp_path / "data").mkdir()
    (tmp_path / "maild.toml").write_text(CONFIG)
    async with running(load(tmp_path / "maild.toml", {})) as started:
        yield started
    transport.close()


def submit(port, octets):
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("carol@acme.example", ["csm@desk.example"], octets)


FORGED = b"Authentication-Results: desk.example; dmarc=pass header.from=acme.example\r\n"


@pytest.mark.parametrize(
    ("change", "method", "acknowledged"),
    [
        (bytes, "dkim", True),
        (lambda octets: octets.replace(b"Nobody can pay", b"Somebody can pay"), "", False),
        (lambda octets: FORGED + octets.replace(b"Nobody can pay", b"Somebody can pay"), "", False),
    ],
    ids=["signed", "changed after", "with a forged verdict"],
)
async def test_a_stranger_is_proven_by_his_signature_alone(daemon, sign, rsa, change, method, acknowledged):
    async with asyncio.timeout(60):
        await asyncio.to_thread(submit, daemon.addresses[0][1], change(sign(rsa(2048))))
        await daemon.intake.caught_up()
    (line,) = await daemon.ledger.tickets()
    history = await daemon.ledger.history(line.ticket.number)
    assert [message.verified for message in history.messages] == [method]
    kinds = {letter.kind for letter in await daemon.ledger.outbox()}
    assert ("ack" in kinds) is acknowledged
