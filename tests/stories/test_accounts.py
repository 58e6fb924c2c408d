"""Every mail is accounted for: by SMTP, LMTP and the pipe, with the daemon killed again and again while they come.

accepted = opened + appended + quarantined + delivered again, and each mail's octets are in the ledger.
"""

import contextlib
import hashlib
import random
import smtplib
import subprocess
import sys
import threading
import time
from email import policy

import pytest
import zstandard

CAROL = "Carol Jones <carol@acme.example>"
DESK = "csm@desk.example"
MORE = """
[lmtp]
listen = "127.0.0.1:0"
[ack]
to = "authenticated"
per_address_hour = 1000
per_address_day = 1000
per_minute = 1000
"""
OPENING, ANSWERS, AGAIN, ALIASES, POISON, PIPED = 30, 15, 8, 5, 2, 4
KILLS = 6


def octets_of(write, number, subject, **more):
    mail = write(CAROL, DESK, subject, f"This is mail {number}.", **more)
    del mail["Message-ID"]
    mail["Message-ID"] = f"<m{number}@acme.example>"
    return mail.as_bytes(policy=policy.SMTP)


class Sender:
    """A mail server in front of the desk: it tries until it has its 250, and counts those."""

    def __init__(self, desk, seed):
        self.desk, self.dice = desk, random.Random(seed)
        self.confirmed = []

    def deliver(self, octets, rcpt=DESK):
        while True:
            door = self.dice.choice(("smtp", "lmtp"))
            client = smtplib.LMTP if door == "lmtp" else smtplib.SMTP
            with contextlib.suppress(OSError, smtplib.SMTPException):
                with client("127.0.0.1", self.desk.ports[door], timeout=5) as session:
                    session.sendmail("carol@acme.example", [rcpt], octets)
                self.confirmed.append((hashlib.sha256(octets).hexdigest(), rcpt))
                return
            time.sleep(0.05)

    def pipe(self, octets):
        """Give it to `maild deliver`, again while that says 75."""
        command = [
            sys.executable,
            "-m",
            "maild",
            "deliver",
            "-c",
            str(self.desk.config),
            "-r",
            DESK,
            "-f",
            "c@acme.example",
        ]
        while subprocess.run(command, input=octets, cwd=self.desk.folder, check=False, timeout=60).returncode:
            time.sleep(0.1)
        self.confirmed.append((hashlib.sha256(octets).hexdigest(), DESK))


class Post:
    """All the mail of the story, by what is to become of it."""

    def __init__(self, write):
        self.opening = [octets_of(write, number, f"question {number}") for number in range(OPENING)]
        self.answers = [
            octets_of(
                write, 100 + number, f"Re: question {number}", headers=[("In-Reply-To", f"<m{number}@acme.example>")]
            )
            for number in range(ANSWERS)
        ]
        self.poison = [octets_of(write, 200 + number, f"poison {number}") for number in range(POISON)]
        self.piped = [octets_of(write, 300 + number, f"by pipe {number}") for number in range(PIPED)]


@pytest.fixture
def desk(make_desk):
    """A desk whose template breaks over some mails."""
    desk = make_desk(MORE)
    templates = desk.folder / "templates"
    templates.mkdir()
    own = "{% if 'poison' in ticket.subject %}{{ 1 / 0 }}{% endif %}Hello\n"
    (templates / "notification.txt.j2").write_text(own, "utf-8")
    own = desk.config.read_text("utf-8").replace("[desk]", '[desk]\ntemplates_dir = "templates"')
    desk.config.write_text(own, "utf-8")
    return desk.start()


def deliver_through_kills(desk, post):
    """Give every 250 that the senders got."""
    by_wire, by_pipe, later = (Sender(desk, seed) for seed in range(3))
    wire = (*post.opening, *post.poison, *post.answers)
    threads = [
        threading.Thread(target=lambda: [by_wire.deliver(octets) for octets in wire]),
        threading.Thread(target=lambda: [by_pipe.pipe(octets) for octets in post.piped]),
    ]
    for thread in threads:
        thread.start()
    dice = random.Random(1)
    for _ in range(KILLS):
        time.sleep(0.2 + dice.random())
        desk.kill()
        desk.start()
    for thread in threads:
        thread.join()
    for octets in post.opening[:AGAIN]:
        later.deliver(octets)
    for octets in post.opening[:ALIASES]:
        later.deliver(octets, "support@desk.example")
    desk.until(lambda: desk.ask("SELECT count(*) FROM received WHERE state = 'waiting'") == [(0,)], "an empty queue")
    return [each for sender in (by_wire, by_pipe, later) for each in sender.confirmed]


def test_every_mail_is_accounted_for(desk, write):
    confirmed = deliver_through_kills(desk, Post(write))

    states = dict(desk.ask("SELECT state, count(*) FROM received GROUP BY state"))
    assert states == {"done": OPENING + ANSWERS + PIPED + ALIASES, "quarantined": POISON}
    assert desk.ask("SELECT count(*) FROM ticket") == [(OPENING + PIPED,)]
    assert desk.ask("SELECT count(*) FROM message") == [(OPENING + PIPED + ANSWERS,)]
    assert desk.ask("SELECT count(*) FROM event WHERE what = 'duplicate_delivery'") == [(ALIASES,)]
    assert len(confirmed) == (OPENING + PIPED) + ANSWERS + POISON + (ALIASES + AGAIN)

    for digest, rcpt in confirmed:
        ((packed,),) = desk.ask("SELECT zstd FROM octets WHERE digest = ?", digest)
        assert hashlib.sha256(zstandard.ZstdDecompressor().decompress(packed)).hexdigest() == digest
        assert desk.ask("SELECT count(*) FROM received WHERE digest = ? AND rcpt = ?", digest, rcpt) == [(1,)]
