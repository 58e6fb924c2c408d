"""What real servers' tests share: programs or a skip, ports, the rest of the world as a sink, and a maild of our own."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
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


# Not by chance: the tests' seed is the same in each process, and again for each test. Each process has a stretch of its own.
PORTS = itertools.count(os.getpid() * 37 % 12_000)


def free_port():
    """Give a port below those that outgoing connections take, and each time another one."""
    while True:
        port = 20_000 + next(PORTS) % 12_000
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


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


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
class Desk:
    """maild on one configuration."""

    folder: Path
    process: subprocess.Popen | None = None
    command: tuple = (sys.executable, "-m", "maild")
    inherited: tuple = ()
    ready: str = ""

    @property
    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")[-4000:]

    def start(self):
        with (self.folder / "log").open("ab") as log:
            command = [*self.command, "serve", "-c", f"{self.folder}/maild.toml"]
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, cwd=self.folder, pass_fds=self.inherited
            )
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline().decode() if ready else ""
        assert line.startswith("ready"), f"{line!r}\n{self.log}"
        self.ready = line
        return self

    @property
    def port(self):
        """The port of its SMTP door."""
        return int(re.search(r"smtp=127\.0\.0\.1:(\d+)", self.ready)[1])

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
        # A connection that was just accepted needs a task that must have begun before the server is closed.
        loop.remove_reader(server.sockets[0].fileno())
        await asyncio.sleep(0.1)
        server.close()
        others = asyncio.all_tasks(loop) - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # A connection that is closed lets go of its socket a turn of the loop later.
        await asyncio.sleep(0.1)

    asyncio.run_coroutine_threadsafe(shut(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


@pytest.fixture
def make_desk(tmp_path):
    """Make a maild of our own on a configuration; it is not started yet."""
    desks = []

    def make(config):
        (tmp_path / "maild.toml").write_text(config, "utf-8")
        desks.append(Desk(tmp_path))
        return desks[-1]

    yield make
    for desk in desks:
        desk.end()


@pytest.fixture
def make_port():
    """Give a port of 127.0.0.1 that nobody listens on."""
    return free_port


@pytest.fixture(name="listens")
def _listens():
    """Say whether somebody listens on a port."""
    return listens


@pytest.fixture(name="until")
def _until():
    """Wait until something holds, and give it."""
    return until


@pytest.fixture
def program():
    """Give a program's path, or skip and name its package."""
    return needed


@pytest.fixture
def root():
    """Skip where we are not root."""
    if os.geteuid() != 0:
        missing("a server of our own needs root")
