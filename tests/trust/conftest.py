"""Keys that are thrown away, and mails signed with them."""

import base64
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime

import dkim
import pytest
from nacl.signing import SigningKey

from maild.ingest import verify
from maild.ingest.parse import parse
from maild.mail import Received
from maild.resolver import UnansweredError

MAIL = (
    b"From: Carol <carol@acme.example>\r\nTo: csm@desk.example\r\nSubject: checkout down\r\n"
    b"Date: Wed, 11 Mar 2026 09:00:00 +0000\r\nMessage-ID: <m1@acme.example>\r\n\r\nNobody can pay.\r\n"
)


@dataclass(frozen=True)
class Key:
    """A private key as dkimpy takes it, and the record of its public half."""

    private: bytes
    record: str
    algorithm: bytes


@pytest.fixture(scope="session")
def rsa():
    """RSA keys by their size, each made once."""
    openssl = shutil.which("openssl")
    if openssl is None:
        missing = "openssl is missing: apt install openssl"
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
    made = {}

    def of(bits):
        if bits not in made:
            private = _run(openssl, "genrsa", "-traditional", str(bits))
            public = b"".join(_run(openssl, "rsa", "-pubout", stdin=private).splitlines()[1:-1]).decode()
            made[bits] = Key(private, f"v=DKIM1; k=rsa; p={public}", b"rsa-sha256")
        return made[bits]

    return of


def _run(*words, stdin=b""):
    return subprocess.run(words, input=stdin, capture_output=True, timeout=60, check=True).stdout


@pytest.fixture(scope="session")
def ed25519():
    key = SigningKey.generate()
    public = base64.b64encode(key.verify_key.encode()).decode()
    return Key(base64.b64encode(key.encode()), f"v=DKIM1; k=ed25519; p={public}", b"ed25519-sha256")


@pytest.fixture
def sign():
    """Put a signature on top of a mail."""

    def signed(key, octets=MAIL, selector=b"one", domain=b"acme.example", **more):
        return dkim.sign(octets, selector, domain, key.private, signature_algorithm=key.algorithm, **more) + octets

    return signed


class Dns:
    """The DNS as far as it is told of; a name in `silent` has no answer."""

    def __init__(self, records=(), silent=()):
        self.records = dict(records)
        self.silent = set(silent)
        self.asked = []

    async def text(self, name):
        self.asked.append(name)
        if name in self.silent:
            raise UnansweredError(f"the DNS has no answer for {name}")
        return self.records.get(name)


class Here:
    """Sums in this process: the workers have a test of their own."""

    async def signatures(self, octets, keyed):
        return verify.signatures(octets, keyed)

    async def chain(self, octets, instance, sealer, records):
        return verify.chain(octets, instance, sealer, records)


@pytest.fixture
def make_dns():
    return Dns


@pytest.fixture
def sums():
    return Here()


@pytest.fixture
def mail_octets():
    return MAIL


@pytest.fixture
def read():
    return lambda octets: parse(octets, return_path="carol@acme.example")


@pytest.fixture
def make_received():
    def make(attempts=1, **changes):
        values = {"via": "smtp", "peer": "203.0.113.9", "received_at": datetime.now(UTC), **changes}
        return Received(
            id=7, digest="d" * 64, mail_from="carol@acme.example", rcpt="csm@desk.example", attempts=attempts, **values
        )

    return make
