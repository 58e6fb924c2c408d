"""A Postfix of our own, the maild behind it, and the rest of the world: a sink that keeps what it gets or refuses it.

Postfix and maild run on the blocks of docs/postfix.md; only ports and folders are others.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

PATIENCE = 60.0
"""Seconds that anything may take: the machine may be busy with other tests."""

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "postfix.md").read_text("utf-8")
BLOCK = re.compile(r"^```\w+ ([^\n]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

DESK = """
[desk]
name = "Example Support"
address = "csm@example.com"
time_zone = "Europe/Berlin"
data_dir = "data"
[[mailbox]]
address = "csm@example.com"
aliases = ["support@example.com", "csm@help.example.com"]
team = ["ann"]
[[agent]]
id = "ann"
name = "Ann Agent"
address = "ann@staff.example"
[[customer]]
domain = "acme.example"
name = "Acme"
csm = "ann"
[ack]
to = "everyone"
"""

TEST_MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = {commands}
daemon_directory = {daemons}
maillog_file = {home}/log
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.com
mydestination =
alias_maps =
alias_database =
relayhost = [127.0.0.1]:{sink}
smtp_host_lookup = native
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
transport_retry_time = 2s
address_verify_map =
smtpd_peername_lookup = no
"""

SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


def missing(what):
    """Skip, or fail where servers are required."""
    if os.environ.get("MAILD_REQUIRE_SERVERS") == "1":
        pytest.fail(what)
    pytest.skip(what)


def needed(program, package):
    """Give a program's path; without it the test skips and names the package."""
    found = shutil.which(program, path=SBIN)
    if found is None:
        missing(f"{program} is missing: apt install {package}")
    return found


def free_port():
    """Give a port below those that outgoing connections take."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
            return port


def until(true, what, detail=lambda: ""):
    """Wait until something holds, and give it."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, f"{what} did not come about in {PATIENCE} s\n{detail()}"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Kept:
    """A mail as the rest of the world got it."""

    sender: str
    rcpt: str
    octets: bytes

    @property
    def mail(self):
        return message_from_bytes(self.octets, policy=policy.default)

    @property
    def text(self):
        part = self.mail.get_body(("plain",))
        return part.get_content() if part else ""


@dataclass
class World:
    """Every server that is not ours. `refused` maps an address to the reply that its RCPT gets."""

    kept: list = field(default_factory=list)
    refused: dict = field(default_factory=dict)
    port: int = 0

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.kept += [Kept(envelope.mail_from.strip("<>"), rcpt, bytes(envelope.content)) for rcpt in envelope.rcpt_tos]
        return "250 2.0.0 kept"

    def to(self, rcpt, wanted=lambda kept: True):
        return [kept for kept in list(self.kept) if kept.rcpt == rcpt and wanted(kept)]

    def wait(self, rcpt, wanted=lambda kept: True):
        """Wait for a mail to `rcpt`, and give the newest."""
        have = lambda: [(kept.rcpt, str(kept.mail["Subject"])) for kept in self.kept]  # noqa: E731 - said only on failure
        return until(lambda: self.to(rcpt, wanted), f"a mail to {rcpt}", have)[-1]


@dataclass
class Postfix:
    """A running Postfix: its folder, its port, and its commands."""

    home: Path
    port: int

    def command(self, name, *words, stdin=None, code=0):
        program = needed(name, "postfix")
        flag = "-C" if name == "sendmail" else "-c"
        done = subprocess.run(
            [program, flag, f"{self.home}/etc", *words], input=stdin, capture_output=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == code, done.stderr.decode() + self.log
        return done.stdout.decode()

    @property
    def log(self):
        path = self.home / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def sendmail(self, mail, sender, *rcpts):
        """Hand a mail in as a program on this machine does."""
        octets = mail if isinstance(mail, bytes) else mail.as_bytes(policy=policy.SMTP.clone(linesep="\n"))
        self.command("sendmail", "-i", "-f", sender, *rcpts, stdin=octets)

    def queued(self):
        return [json.loads(line) for line in self.command("postqueue", "-j").splitlines()]


@dataclass
class Desk:
    """maild on one configuration."""

    folder: Path
    process: subprocess.Popen | None = None

    @property
    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")[-4000:]

    def start(self):
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "maild", "serve", "-c", f"{self.folder}/maild.toml"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=self.folder)
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline().decode() if ready else ""
        assert line.startswith("ready"), f"{line!r}\n{self.log}"
        return self

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
        if self.process is not None:
            self.process.stdout.close()

    def run(self, *words):
        command = [sys.executable, "-m", "maild", *words, "-c", f"{self.folder}/maild.toml"]
        done = subprocess.run(command, capture_output=True, cwd=self.folder, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def show(self, number):
        return self.run("show", str(number), "--json")[0]

    def tickets(self):
        return self.run("tickets", "--json")

    def ask(self, sql):
        """Look into the ledger without the weight of a process."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/data/maild.db?mode=ro", uri=True)) as con:
            return con.execute(sql).fetchall()

    def done(self, count):
        """Wait until `count` mails were decided on."""
        decided = "SELECT count(*) FROM received WHERE state = 'done'"
        until(lambda: self.ask(decided)[0][0] >= count, f"{count} mails decided on", lambda: self.log)
        assert self.ask("SELECT id, fault FROM received WHERE state != 'done'") == []


@dataclass
class Stage:
    """All of it together."""

    postfix: Postfix
    desk: Desk
    world: World


@pytest.fixture
def world():
    """The rest of the world, listening on a thread of its own."""
    here = World()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen():
        return await loop.create_server(lambda: SMTP(here, hostname="world.example", loop=loop), "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(PATIENCE)
    here.port = server.sockets[0].getsockname()[1]
    yield here

    async def shut():
        server.close()
        others = asyncio.all_tasks(loop) - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(shut(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


@pytest.fixture
def blocks():
    """The blocks of docs/postfix.md by the words beside their fence."""
    return dict(BLOCK.findall(PAGE))


@pytest.fixture
def make_stage(world, blocks, tmp_path):
    """Start Postfix on blocks of the page and `more` lines of main.cf, and make the desk behind it."""
    with contextlib.ExitStack() as stack:

        def make(*, main="", master="master.cf", extra=(), more="", start=True):
            postfix = needed("postfix", "postfix")
            if os.geteuid() != 0:
                missing("a Postfix of our own needs root")
            # Not under tmp_path: that is closed to the user that Postfix works as.
            home = Path(tempfile.mkdtemp(prefix="maild-postfix-"))
            stack.callback(shutil.rmtree, home)
            home.chmod(0o755)
            for name in ("etc", "queue", "data"):
                (home / name).mkdir()
            shutil.chown(home / "data", "postfix")
            port, maild = free_port(), free_port()

            def here(text):
                text = text.replace("[127.0.0.1]:8025", f"[127.0.0.1]:{maild}").replace(
                    "127.0.0.1:8025", f"127.0.0.1:{maild}"
                )
                return text.replace("port = 25\n", f"port = {port}\n").replace("/etc/postfix/", f"{home}/etc/")

            known = {name: where(postfix, name) for name in ("command_directory", "daemon_directory")}
            own = TEST_MAIN.format(
                home=home, sink=world.port, commands=known["command_directory"], daemons=known["daemon_directory"]
            )
            page = blocks["main.cf"] + (blocks[main] if main else "")
            (home / "etc/main.cf").write_text(own + later_wins(here(page)) + more)
            (home / "etc/master.cf").write_text(SERVICES.format(port=port) + here(blocks[master]))
            for name in extra:
                (home / "etc" / name).write_text(here(blocks[name]))
            server = Postfix(home, port)
            server.command("postfix", "start")
            stack.callback(server.command, "postfix", "stop")
            stack.callback(lambda: print(server.log))  # noqa: T201 - pytest shows it where a test fails
            until(lambda: "daemon started" in server.log, "Postfix")
            (tmp_path / "maild.toml").write_text(DESK + here(blocks["maild.toml"]), "utf-8")
            desk = Desk(tmp_path)
            stack.callback(desk.end)
            return Stage(server, desk.start() if start else desk, world)

        yield make


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def later_wins(text):
    """Keep the last line of each setting: Postfix would do so too, but warns."""
    settings = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            settings[line.partition("=")[0].strip()] = line
    return "\n".join(settings.values()) + "\n"


def where(postfix, name):
    postconf = shutil.which("postconf", path=SBIN)
    return (
        subprocess.run([postconf, "-dh", name], capture_output=True, timeout=PATIENCE, check=True)
        .stdout.decode()
        .strip()
    )


@pytest.fixture
def stage(make_stage):
    return make_stage()


@pytest.fixture(name="until")
def _until():
    return until


@pytest.fixture
def program():
    """Give a program's path, or skip and name its package."""
    return needed


@pytest.fixture
def milters(program, blocks, tmp_path):
    """Start OpenDKIM and OpenDMARC on the page's lines, and give their ports."""
    with contextlib.ExitStack() as stack:

        def start(record):
            (tmp_path / "keys").write_text(record + "\n")
            (tmp_path / "ignored").write_text("192.0.2.1\n")
            ours = {
                "opendkim": ("-x", f"TestPublicKeys {tmp_path}/keys\nInternalHosts csl:192.0.2.1\n"),
                "opendmarc": ("-c", f"IgnoreHosts {tmp_path}/ignored\n"),
            }
            return [one(name, flag, more) for name, (flag, more) in ours.items()]

        def one(name, flag, more):
            path = program(name, name)
            port = free_port()
            config = tmp_path / f"{name}.conf"
            config.write_text(re.sub(r"inet:\d+@", f"inet:{port}@", blocks[f"{name}.conf"]) + more)
            with (tmp_path / f"{name}.log").open("wb") as log:
                process = subprocess.Popen([path, "-f", flag, f"{config}"], stdout=log, stderr=log)
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
            until(lambda: process.poll() is None and listens(port), name, (tmp_path / f"{name}.log").read_text)
            return port

        yield start
