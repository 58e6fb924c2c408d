"""Whose Authentication-Results count behind a real Postfix: those of its milters, wherever they write, and no stranger's."""

import socketserver
import struct
import subprocess
import threading
from base64 import b64encode
from dataclasses import dataclass, replace
from email import policy
from hashlib import sha256

import pytest

CAROL = "carol@acme.example"
DESK = "csm@example.com"
PASS = "mx.example.com; dmarc=pass header.from=acme.example"


class Milter(socketserver.StreamRequestHandler):
    """A milter that inserts one Authentication-Results field where `server.index` says."""

    def handle(self):
        while len(head := self.rfile.read(4)) == 4:
            packet = self.rfile.read(struct.unpack("!I", head)[0])
            match packet[:1]:
                case b"O":
                    self.say(b"O", struct.pack("!III", 6, 0x1F, 0))
                case b"E":
                    self.say(
                        b"i",
                        struct.pack("!I", self.server.index)
                        + b"Authentication-Results\0"
                        + self.server.says.encode()
                        + b"\0",
                    )
                    self.say(b"c")
                case b"D" | b"A":
                    pass
                case b"Q":
                    return
                case _:
                    self.say(b"c")

    def say(self, code, data=b""):
        self.wfile.write(struct.pack("!I", len(data) + 1) + code + data)


@pytest.fixture
def milter():
    """A milter that finds everybody to be who he says he is."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        says = PASS

    with Server(("127.0.0.1", 0), Milter) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


@dataclass(frozen=True)
class Signed:
    """A mail with a DKIM signature, and the line of the DNS that proves it."""

    octets: bytes
    record: str

    def as_bytes(self):
        return self.octets


@pytest.fixture
def signed(program, tmp_path, written):
    """Let acme.example sign a mail (RFC 6376, simple/simple)."""
    openssl = program("openssl", "openssl")

    def run(*words, stdin=b""):
        return subprocess.run([openssl, *words], input=stdin, capture_output=True, timeout=60, check=True).stdout

    key = tmp_path / "key.pem"
    key.write_bytes(run("genrsa", "2048"))
    public = "".join(run("rsa", "-in", f"{key}", "-pubout").decode().splitlines()[1:-1])
    head, _, body = written(CAROL, "hello", "Hello.").as_bytes(policy=policy.SMTP).partition(b"\r\n\r\n")
    names = "from:to:subject:date:message-id"
    lines = {line.partition(b":")[0].lower(): line for line in head.split(b"\r\n")}
    digest = b64encode(sha256(body).digest()).decode()
    field = f"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=acme.example; s=one; h={names}; bh={digest}; b="
    covered = b"".join(lines[name.encode()] + b"\r\n" for name in names.split(":")) + field.encode()
    signature = b64encode(run("dgst", "-sha256", "-sign", f"{key}", stdin=covered)).decode()
    return Signed(
        f"{field}{signature}\r\n".encode() + head + b"\r\n\r\n" + body,
        f"one._domainkey.acme.example v=DKIM1; k=rsa; p={public}",
    )


FORGED = (("Authentication-Results", PASS), ("authentication-results", f"(x) {PASS}"))
"""What a sender may write at the head of his mail."""


def proof_of(stage):
    stage.desk.done(1)
    return stage.desk.ask("SELECT verified FROM message")[0][0]


WAYS = [
    pytest.param({}, id="above"),
    pytest.param(
        {
            "main": "main.cf where milters write below",
            "master": "master.cf where milters write below",
            "extra": ("maild_header_checks", "maild_smtp_header_checks"),
        },
        id="below",
    ),
]
"""The page's two set-ups: for milters that write above Postfix's own Received, and for those that write below."""


@pytest.mark.parametrize("way", WAYS)
def test_a_forged_result_counts_for_nothing(make_stage, by_smtp, way, written):
    stage = make_stage(**way)
    by_smtp(stage, written(CAROL, "hello", "Hello.", headers=FORGED), CAROL, DESK)
    assert proof_of(stage) == ""


def test_the_result_that_a_hop_prepends_counts(make_stage, by_smtp, written):
    prepend = f"inline:{{ {{ 127.0.0.1 = PREPEND Authentication-Results: {PASS} }} }}"
    stage = make_stage(
        more=f"smtpd_recipient_restrictions = check_client_access {prepend}, permit_mynetworks, reject\n"
    )
    by_smtp(stage, written(CAROL, "hello", "Hello."), CAROL, DESK)
    assert proof_of(stage) == "dmarc"


ABOVE, BELOW = (way.values[0] for way in WAYS)


@pytest.mark.parametrize(
    ("index", "way", "proof"),
    [(0, ABOVE, "dmarc"), (1, ABOVE, ""), (1, BELOW, "dmarc"), (0, BELOW, "dmarc")],
    ids=["0 above", "1 above", "1 below", "0 below"],
)
def test_where_a_milter_writes(make_stage, milter, by_smtp, index, way, proof, written):
    milter.index = index
    stage = make_stage(
        **way, more=f"smtpd_milters = inet:127.0.0.1:{milter.server_address[1]}\nmilter_default_action = tempfail\n"
    )
    by_smtp(stage, written(CAROL, "hello", "Hello.", headers=FORGED[1:]), CAROL, DESK)
    assert proof_of(stage) == proof


@pytest.mark.parametrize(("says", "proof"), [(PASS, "dmarc"), ("mx.example.com; dmarc=none", "")])
def test_as_many_fields_count_as_are_written_below(make_stage, milter, by_smtp, written, says, proof):
    milter.index, milter.says = 1, says
    stage = make_stage(
        desk=("maild.toml", "maild.toml where milters write below"),
        more=f"smtpd_milters = inet:127.0.0.1:{milter.server_address[1]}\nmilter_default_action = tempfail\n",
    )
    by_smtp(stage, written(CAROL, "hello", "Hello.", headers=FORGED), CAROL, DESK)
    assert proof_of(stage) == proof


@pytest.mark.parametrize(
    ("first", "proof"), [("192.0.2.5", ""), ("127.0.0.1", "dmarc")], ids=["a stranger", "the first"]
)
def test_the_received_of_the_second_of_two_servers_is_passed_over(make_stage, by_smtp, blocks, written, first, proof):
    name = "maild.toml behind two servers"
    blocks[name] = blocks[name].replace("mx2.example.com", "mx.example.com").replace("192.0.2.5", first)
    stage = make_stage(desk=("maild.toml", name))
    received = (
        "from client.acme.example (unknown [198.51.100.7]) by border.example.com; Wed, 11 Mar 2026 09:00:00 +0000"
    )
    mail = written(CAROL, "hello", "Hello.", headers=[("Authentication-Results", PASS), ("Received", received)])
    by_smtp(stage, mail, CAROL, DESK)
    assert proof_of(stage) == proof


@pytest.mark.parametrize(
    ("head", "proof"),
    [(("Authentication-Results", "Received"), "dmarc"), (("Received", "Authentication-Results"), "")],
    ids=["by the border", "by a stranger"],
)
def test_the_second_of_two_servers_lets_the_verdict_of_the_first_count(make_stage, by_smtp, head, proof, written):
    received = "from client.acme.example by border.example.com; Wed, 11 Mar 2026 09:00:00 +0000"
    values = {"Authentication-Results": PASS, "Received": received}
    stage = make_stage(master="master.cf where milters write below", extra=("maild_smtp_header_checks",))
    mail = written(CAROL, "hello", "Hello.", headers=[(name, values[name]) for name in head])
    by_smtp(stage, mail, CAROL, DESK)
    assert proof_of(stage) == proof


@pytest.mark.parametrize(("damage", "proof"), [(b"Hello.", "dkim"), (b"Hullo.", "")], ids=["signed", "changed after"])
def test_opendkim_and_opendmarc_as_the_page_has_them(make_stage, milters, by_smtp, blocks, signed, damage, proof):
    ports = milters(signed.record)
    block = blocks["main.cf for milters"].replace("8891", str(ports[0])).replace("8893", str(ports[1]))
    stage = make_stage(more=block)
    by_smtp(stage, replace(signed, octets=signed.octets.replace(b"Hello.", damage)), CAROL, DESK)
    assert proof_of(stage) == proof
