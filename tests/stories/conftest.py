"""The stage of the stories: the real daemon as a process of its own, a smarthost that keeps what it gets, and people who write."""

import contextlib
import hashlib
import json
import os
import re
import select
import signal
import smtplib
import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path

import pytest

PATIENCE = 45.0
"""Seconds that anything may take: the machine may be busy with other tests."""

CONFIG = (Path(__file__).parent / "desk.toml.in").read_text("utf-8")


@dataclass(frozen=True)
class Kept:
    """A mail as the smarthost got it."""

    sender: str
    rcpt: str
    octets: bytes

    @cached_property
    def mail(self):
        return message_from_bytes(self.octets, policy=policy.default)

    @cached_property
    def raw_headers(self):
        """The header fields as a program sees them that knows nothing but RFC 5322's grammar."""
        head = self.octets.partition(b"\r\n\r\n")[0].decode("ascii")
        return [line for line in head.split("\r\n") if line[:1] not in " \t"]

    @cached_property
    def subject(self):
        return str(self.mail["Subject"])

    @cached_property
    def text(self):
        part = self.mail.get_body(("plain",))
        return part.get_content() if part else ""

    @cached_property
    def html(self):
        part = self.mail.get_body(("html",))
        return part.get_content() if part else ""

    @cached_property
    def everything(self):
        """The octets, and every header, parameter and part decoded, nested messages too: all a reader can get to see."""
        seen = [self.octets.decode("latin-1")]
        for part in self.mail.walk():
            seen += [f"{name}: {value}" for name, value in part.items()]
            seen.append(part.get_filename() or "")
            payload = part.get_payload(decode=True)
            if payload:
                seen += [payload.decode("utf-8", "replace"), payload.decode("utf-16-le", "replace")]
        return "\n".join(seen).lower()


@dataclass
class Sink:
    """A smarthost. `verdict(stage, rcpt)` gives a reply instead of 2xx; stages are connect, rcpt and data."""

    kept: list = field(default_factory=list)
    verdict: object = staticmethod(lambda stage, rcpt: "")
    came: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self):
        self.server = None
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def open(self):
        """Listen. Until then the port is ours, and whoever connects is refused."""
        sink = self

        class Door(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    converse(sink, self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        server = Server(("127.0.0.1", self.port), Door, bind_and_activate=False)
        server.socket.close()
        server.socket = self.socket
        server.server_activate()
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def close(self):
        if self.server is not None:
            self.server.shutdown()
            self.thread.join(PATIENCE)
        self.socket.close()

    def keep(self, sender, rcpts, octets):
        with self.came:
            self.kept += [Kept(sender, rcpt, octets) for rcpt in rcpts]
            self.came.notify_all()

    def to(self, rcpt, wanted=lambda kept: True):
        with self.came:
            return [kept for kept in self.kept if kept.rcpt == rcpt and wanted(kept)]

    def wait(self, rcpt, wanted=lambda kept: True, count=1):
        """Wait until `count` mails to `rcpt` are there, and give the newest."""
        until = time.monotonic() + PATIENCE
        while True:
            with self.came:
                found = [kept for kept in self.kept if kept.rcpt == rcpt and wanted(kept)]
                if len(found) >= count:
                    return found[-1]
                left = until - time.monotonic()
                if left <= 0:
                    have = [(kept.rcpt, kept.subject) for kept in self.kept]
                    raise AssertionError(f"no mail to {rcpt} within {PATIENCE} s; there are {have}")
                self.came.wait(min(left, 1))


def converse(sink, lines, out):  # noqa: C901 - one arm a verb
    """Speak SMTP as a smarthost does."""

    def say(reply):
        out.write(f"{reply}\r\n".encode())

    refusal = sink.verdict("connect", "")
    say(refusal or "220 sink")
    sender, rcpts = "", []
    while not refusal and (line := lines.readline()):
        verb, _, path = line.decode().strip().partition(":")
        address = path.partition("<")[2].partition(">")[0]
        match verb.upper().split()[0]:
            case "EHLO":
                say("250-sink\r\n250 SIZE 50000000")
            case "MAIL":
                sender, rcpts = address, []
                say("250 ok")
            case "RCPT":
                refused = sink.verdict("rcpt", address)
                rcpts += [] if refused else [address]
                say(refused or "250 ok")
            case "DATA":
                say("354 go on")
                octets = bytearray()
                while (one := lines.readline()) != b".\r\n":
                    if not one:
                        return
                    octets += one[1:] if one.startswith(b".") else one
                refused = sink.verdict("data", rcpts[0])
                if not refused:
                    sink.keep(sender, rcpts, bytes(octets))
                say(refused or "250 2.0.0 kept")
            case "QUIT":
                say("221 bye")
                return
            case _:
                say("250 ok")


@dataclass
class Desk:
    """One configuration and its ledger; the daemon on it, which can be killed and started again."""

    folder: Path
    sink: Sink
    process: subprocess.Popen | None = None
    port: int = 0
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def config(self):
        return self.folder / "maild.toml"

    @property
    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def start(self, stderr=None):
        """Start the daemon and wait until it says that it is ready. Its log goes to a file, or to `stderr`."""
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "maild", "serve", "-c", str(self.config)]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr or log, cwd=self.folder)
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline().decode() if ready else ""
        assert line.startswith("ready smtp=127.0.0.1:"), f"{line!r}\n{self.log}"
        self.ports = {name: int(port) for name, port in re.findall(r"(\w+)=127\.0\.0\.1:(\d+)", line)}
        self.port = self.ports["smtp"]
        return self

    def kill(self, number=signal.SIGKILL):
        """End the daemon by a signal; give its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def leftovers(self):
        """Give the processes that still live in our folder: the daemon's own children."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                found += [process.name] if (process / "cwd").readlink() == self.folder else []
        return found

    def run(self, *words, code=0):
        """Run a command of maild beside the daemon; give its stdout."""
        command = [sys.executable, "-m", "maild", *words, "-c", str(self.config)]
        done = subprocess.run(command, capture_output=True, cwd=self.folder, timeout=PATIENCE, check=False)
        assert done.returncode == code, done.stderr.decode()
        return done.stdout.decode()

    def show(self, number):
        return json.loads(self.run("show", str(number), "--json"))

    def tickets(self):
        return [json.loads(line) for line in self.run("tickets", "--json").splitlines()]

    def ask(self, sql, *values):
        """Look into the ledger without the weight of a process."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/data/maild.db?mode=ro", uri=True)) as con:
            return con.execute(sql, values).fetchall()

    def close_ticket(self, number):
        """Close a ticket as an operator would."""
        with contextlib.closing(sqlite3.connect(f"{self.folder}/data/maild.db", timeout=PATIENCE)) as con:
            con.execute("UPDATE ticket SET state = 'closed', closed_at = opened_at WHERE number = ?", (number,))
            con.commit()

    def until(self, true, what):
        """Wait until something holds."""
        until = time.monotonic() + PATIENCE
        while not (found := true()):
            assert time.monotonic() < until, f"{what} did not come about in {PATIENCE} s\n{self.log[-3000:]}"
            time.sleep(0.03)
        return found

    def settled(self):
        """Wait until everything that came in is decided on and everything owed has been tried."""
        waiting = "SELECT count(*) FROM received WHERE state = 'waiting'"
        self.until(lambda: self.ask(waiting) == [(0,)], "an empty queue")
        owed = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL AND last_reply = ''"
        self.until(lambda: self.ask(owed) == [(0,)], "an empty outbox")
        assert self.ask("SELECT id, fault FROM received WHERE state = 'quarantined'") == []

    def send(self, mail, sender, rcpt="csm@desk.example"):
        """Hand octets or a mail to the daemon over SMTP, as a mail server in front of it does."""
        octets = mail if isinstance(mail, bytes) else mail.as_bytes(policy=policy.SMTP)
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as client:
            client.sendmail(sender, [rcpt], octets)


@pytest.fixture
def make_sink():
    sinks = []

    def make():
        sinks.append(Sink())
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.close()


@pytest.fixture
def sink(make_sink):
    return make_sink().open()


@pytest.fixture
def make_desk(tmp_path, sink):
    """Make a desk that is not started yet. `more` is added to its configuration."""
    desks = []

    def make(more="", *, team='"ann", "bob"', csm="", smarthost=None, config=CONFIG):
        folder = tmp_path / f"desk{len(desks)}"
        folder.mkdir()
        desk = Desk(folder, smarthost or sink)
        desk.config.write_text(config.format(port=desk.sink.port, team=team, csm=csm, more=more), "utf-8")
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.end()
        desk.until(lambda desk=desk: not desk.leftovers(), "an empty house")


@pytest.fixture
def desk(make_desk):
    return make_desk().start()


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """Build a desk and its smarthost for many tests together; whoever builds them ends them."""

    @contextlib.contextmanager
    def built(more, config=CONFIG):
        sink = Sink().open()
        desk = Desk(tmp_path_factory.mktemp("house"), sink)
        desk.config.write_text(config.format(port=sink.port, team='"ann", "bob"', csm="", more=more), "utf-8")
        try:
            yield desk.start()
        finally:
            desk.end()
            desk.until(lambda: not desk.leftovers(), "an empty house")
            sink.close()

    return built


@pytest.fixture
def write():
    """Write a mail as a person's program does. `proven` is what our own hop says of its From."""
    numbers = iter(range(1_000_000))

    def written(sender, to, subject, text, *, proven=True, headers=()):
        mail = EmailMessage(policy=policy.SMTP)
        domain = sender.rpartition("@")[2].rstrip(">")
        if proven:
            mail["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={domain}"
        mail["Received"] = (
            f"from client.example by mx.desk.example; {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}"
        )
        mail["From"] = sender
        mail["To"] = to
        mail["Subject"] = subject
        unique = hashlib.sha256(f"{os.getpid()} {next(numbers)} {time.time_ns()}".encode()).hexdigest()[:20]
        mail["Message-ID"] = f"<{unique}@{domain}>"
        for name, value in headers:
            mail[name] = value
        mail.set_content(text)
        return mail

    return written


@pytest.fixture
def answer(write):
    """Write a reply as a mail program does: to Reply-To, with References, the mail before it quoted below."""

    def answered(
        kept, sender, words, *, attribution="On Wed, 11 Mar 2026 at 10:06, Ann Agent <ann@staff.example> wrote:", **more
    ):
        before = kept.mail
        quoted = "\n".join(f"> {line}" for line in kept.text.splitlines())
        subject = kept.subject if kept.subject.lower().startswith("re:") else f"Re: {kept.subject}"
        mail = write(sender, str(before["Reply-To"]), subject, f"{words}\n\n{attribution}\n{quoted}\n", **more)
        mail["In-Reply-To"] = str(before["Message-ID"])
        mail["References"] = " ".join(f"{before['References']} {before['Message-ID']}".split())
        return mail

    return answered
