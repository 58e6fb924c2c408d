"""maild beside a real Postfix, set up as docs/postfix.md says."""

import re
import socketserver
import struct
import subprocess
import threading
from base64 import b64encode
from dataclasses import dataclass, replace
from email import policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from hashlib import sha256

import pytest

CAROL = "carol@acme.example"
ANN = "ann@staff.example"
DESK = "csm@example.com"
PASS = "mx.example.com; dmarc=pass header.from=acme.example"


def written(sender, subject, text, *, to=DESK, headers=()):
    """Write a mail as a person's program does; `headers` stand first."""
    mail = EmailMessage()
    for name, value in headers:
        mail[name] = value
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail.set_content(text)
    return mail


def answered(kept, words):
    """Write the agent's reply to a notification, the whole of it quoted below."""
    before = kept.mail
    quoted = "\n".join(f"> {line}" for line in kept.text.splitlines())
    mail = written(
        ANN, f"Re: {before['Subject']}", f"{words}\n\nAnn Agent <{ANN}> wrote:\n{quoted}\n", to=str(before["Reply-To"])
    )
    mail["In-Reply-To"] = str(before["Message-ID"])
    mail["References"] = f"{before['References'] or ''} {before['Message-ID']}".strip()
    return mail


@pytest.fixture
def by_smtp(program, tmp_path):
    """Hand a mail to Postfix's own door, as a server of the internet does; give the dialogue."""
    swaks = program("swaks", "swaks")

    def sent(stage, mail, sender, rcpt, code=0):
        path = tmp_path / "swaks.eml"
        path.write_bytes(mail.as_bytes())
        command = [
            swaks,
            "--server",
            f"127.0.0.1:{stage.postfix.port}",
            "--from",
            sender,
            "--to",
            rcpt,
            "--data",
            f"@{path}",
        ]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.decode()

    return sent


def opened(stage, **more):
    """Let Carol write, and give the acknowledgement and the agent's notification."""
    stage.postfix.sendmail(written(CAROL, "checkout is down", "Nobody can pay today.\n\nCarol", **more), CAROL, DESK)
    return stage.world.wait(CAROL), stage.world.wait(ANN)


def test_a_conversation_through_postfix(stage):
    ack, notice = opened(stage)
    assert ack.sender == ""
    assert "[CSM #1001]" in str(ack.mail["Subject"])
    assert "Nobody can pay today." in notice.text
    # Both left through this Postfix, which says so.
    assert all("(Postfix)" in kept.mail.get_all("Received")[0] for kept in (ack, notice))
    token = notice.mail["Reply-To"].addresses[0].addr_spec
    assert re.fullmatch(r"csm\+[a-z2-7]{24}@example\.com", token)

    stage.postfix.sendmail(answered(notice, "Hello Carol,\n\nit is repaired."), ANN, token)
    relayed = stage.world.wait(CAROL, lambda kept: "it is repaired" in kept.text)
    assert relayed.mail["From"].addresses[0].addr_spec == DESK
    assert relayed.sender.startswith("csm+")
    assert b"ann@" not in relayed.octets.lower()
    assert b"staff.example" not in relayed.octets.lower()

    ticket = stage.desk.show(1001)
    assert ticket["state"] == "open"
    assert ticket["first_response_at"]
    assert [message["kind"] for message in ticket["messages"]] == ["customer", "agent"]

    # Her answer, too, finds its way back by the token alone.
    back = relayed.mail["Reply-To"].addresses[0].addr_spec
    stage.postfix.sendmail(
        written(CAROL, "no prefix, no references", "Thank you, but it broke again.", to=back), CAROL, back
    )
    stage.world.wait(ANN, lambda kept: "broke again" in kept.text)
    assert [one["id"] for one in stage.desk.tickets()] == [1001]


def test_a_reply_that_the_next_server_refuses_is_no_response(stage):
    _, notice = opened(stage)
    stage.world.refused[CAROL] = "550 5.1.1 <carol@acme.example>: no Carol works here any more"
    stage.postfix.sendmail(
        answered(notice, "Hello Carol, it is repaired."), ANN, notice.mail["Reply-To"].addresses[0].addr_spec
    )

    told = stage.world.wait(ANN, lambda kept: "could not be delivered" in str(kept.mail["Subject"]))
    assert "carol@acme.example" in told.text
    assert "no Carol works here any more" in told.text
    ticket = stage.desk.show(1001)
    assert ticket["state"] == "open"
    assert ticket["first_response_at"] is None
    clock = next(one for one in ticket["clocks"] if one["metric"] == "first_response")
    assert clock["state"] == "running"
    assert [message["kind"] for message in ticket["messages"]] == ["customer", "agent", "bounce"]
    assert [one["id"] for one in stage.desk.tickets()] == [1001]
    # The report came from Postfix to the reply's own return path.
    assert re.search(r"from=<>.*\n(?:.*\n)*?.*to=<csm\+[a-z2-7]{24}@example\.com>.*status=sent", stage.postfix.log)


def test_a_delay_is_no_failure(make_stage, until):
    stage = make_stage(more="delay_warning_time = 1s\n")
    _, notice = opened(stage)
    stage.world.refused[CAROL] = "451 4.3.0 not now"
    token = notice.mail["Reply-To"].addresses[0].addr_spec
    stage.postfix.sendmail(answered(notice, "Hello Carol, it is repaired."), ANN, token)
    until(lambda: "sender delay notification" in stage.postfix.log, "a warning")
    stage.desk.done(3)
    ticket = stage.desk.show(1001)
    assert ticket["first_response_at"]
    assert [message["kind"] for message in ticket["messages"]] == ["customer", "agent", "bounce"]
    assert [event["what"] for event in ticket["events"]][-1] == "report"
    del stage.world.refused[CAROL]
    stage.world.wait(CAROL, lambda kept: "it is repaired" in kept.text)
    assert stage.world.to(ANN, lambda kept: "could not be delivered" in str(kept.mail["Subject"])) == []


def test_postfix_keeps_the_mail_while_maild_is_down(make_stage, until):
    stage = make_stage(start=False)
    first = written(CAROL, "one", "The first.")
    stage.postfix.sendmail(first, CAROL, DESK)
    until(
        lambda: any("refused" in one["recipients"][0].get("delay_reason", "") for one in stage.postfix.queued()),
        "a deferred mail",
    )
    stage.desk.start()
    stage.postfix.command("postqueue", "-f")
    stage.world.wait(ANN)
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stage.desk.ask("SELECT count(*), state FROM received GROUP BY state") == [(1, "done")]
    assert len(stage.world.to(CAROL)) == 1

    # In the middle of a day, too.
    stage.desk.end()
    stage.postfix.sendmail(written(CAROL, "two", "The second."), CAROL, DESK)
    until(stage.postfix.queued, "a queued mail")
    stage.desk.start()
    stage.postfix.command("postqueue", "-f")
    stage.world.wait(ANN, lambda kept: "The second." in kept.text)
    stage.desk.done(2)
    assert [one["id"] for one in stage.desk.tickets()] == [1001, 1002]


def test_an_unknown_recipient_goes_back_to_its_sender_and_not_to_maild(make_stage, by_smtp):
    stage = make_stage(main="main.cf of a domain of its own")
    stage.postfix.sendmail(
        written(CAROL, "hello?", "Is anybody there?", to="nobody@help.example.com"), CAROL, "nobody@help.example.com"
    )
    report = stage.world.wait(CAROL)
    assert report.sender == ""
    assert report.mail.get_content_type() == "multipart/report"
    assert b"550 5.1.1 no such mailbox here" in report.octets
    # Whoever is still connected is told at once.
    dialogue = by_smtp(
        stage, written("x@elsewhere.example", "hello?", "?"), "x@elsewhere.example", "nobody@help.example.com", code=24
    )
    assert "550 5.1.1" in dialogue
    assert stage.desk.ask("SELECT count(*) FROM received") == [(0,)]
    # A detail that is no token of ours is the desk's own mailbox all the same.
    stage.postfix.sendmail(written(CAROL, "to a detail", "Hello."), CAROL, "csm+unknown@help.example.com")
    stage.desk.done(1)
    assert [one["subject"] for one in stage.desk.tickets()] == ["to a detail"]


def test_fifty_mails_at_once_are_fifty_tickets(stage, program):
    source = program("smtp-source", "postfix")
    command = [
        source,
        "-s",
        "5",
        "-m",
        "50",
        "-l",
        "2000",
        "-f",
        CAROL,
        "-t",
        DESK,
        "-S",
        "load",
        f"127.0.0.1:{stage.postfix.port}",
    ]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    stage.desk.done(50)
    assert len(stage.desk.tickets()) == 50
    assert stage.postfix.log.count("relay=127.0.0.1") >= 50
    assert "status=bounced" not in stage.postfix.log


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
                        b"i", struct.pack("!I", self.server.index) + b"Authentication-Results\0" + PASS.encode() + b"\0"
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
def signed(program, tmp_path):
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
def test_a_forged_result_counts_for_nothing(make_stage, by_smtp, way):
    stage = make_stage(**way)
    by_smtp(stage, written(CAROL, "hello", "Hello.", headers=FORGED), CAROL, DESK)
    assert proof_of(stage) == ""


def test_the_result_that_a_hop_prepends_counts(make_stage, by_smtp):
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
def test_where_a_milter_writes(make_stage, milter, by_smtp, index, way, proof):
    milter.index = index
    stage = make_stage(
        **way, more=f"smtpd_milters = inet:127.0.0.1:{milter.server_address[1]}\nmilter_default_action = tempfail\n"
    )
    by_smtp(stage, written(CAROL, "hello", "Hello.", headers=FORGED[1:]), CAROL, DESK)
    assert proof_of(stage) == proof


@pytest.mark.parametrize(
    ("head", "proof"),
    [(("Authentication-Results", "Received"), "dmarc"), (("Received", "Authentication-Results"), "")],
    ids=["by the border", "by a stranger"],
)
def test_the_second_of_two_servers_lets_the_verdict_of_the_first_count(make_stage, by_smtp, head, proof):
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


def test_the_page_knows_how_to_see_whether_it_is_right(stage):
    maps = stage.postfix.command("postconf", "-h", "transport_maps").strip()
    assert re.match(r"maild:\[127\.0\.0\.1\]:\d+\n", postmap(stage, maps, DESK))
    stage.postfix.command("sendmail", "-bv", "-f", CAROL, "csm+test@example.com")
    report = stage.world.wait(CAROL)
    assert b"250 2.1.5" in report.octets
    assert stage.desk.ask("SELECT count(*) FROM received") == [(0,)]


def postmap(stage, maps, key):
    return stage.postfix.command("postmap", "-q", key, maps)
