"""Values that several rooms' tests build on."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from maild.mail import Address, InboundMail, Origin
from maild.ticket import Severity, State, Ticket

settings.register_profile("maild", deadline=None, max_examples=60)
settings.load_profile("maild")

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)

HERE = Path(__file__).parent
UNCOUNTED = frozenset({"bench", "corpora", "loops", "servers", "store", "stories"})
"""Folders whose tests show the whole at work. The coverage of the pure rooms must not rest on them, and counting doubles their time."""


def _closing(close):
    def hang_up_and_close(loop):
        """Cut what still talks when a loop ends: whichever test collects it later would be blamed."""
        if not loop.is_closed() and not loop.is_running():
            for transport in list(loop._transports.values()):
                transport.abort()
            # The first turn closes what was cut, and a task that was told of it has the second.
            for _ in range(2):
                loop.run_until_complete(asyncio.sleep(0))
        close(loop)

    return hang_up_and_close


asyncio.SelectorEventLoop.close = _closing(asyncio.SelectorEventLoop.close)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.relative_to(HERE).parts[0] in UNCOUNTED:
            item.add_marker("no_cover")


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def make_mail():
    def make(**changes):
        values = {
            "message_id": "m1@client.example",
            "in_reply_to": (),
            "references": (),
            "from_": (Address("Carol", "carol@acme.example"),),
            "from_fields": 1,
            "reply_to": (),
            "to": (Address("", "csm@desk.example"),),
            "cc": (),
            "subject": "checkout down",
            "date": None,
            "text": "Nobody can pay.",
            "html": None,
            "new_text": "Nobody can pay.",
            "attachments": (),
            "headers": (),
            "body_digest": "b1",
            "size": 100,
            "origin": Origin.PERSON,
            "origin_because": "nothing says otherwise",
            "delivery": (),
            "defects": (),
        }
        return InboundMail(**{**values, **changes})

    return make


@pytest.fixture
def make_ticket():
    def make(**changes):
        values = {
            "number": 1042,
            "mailbox": "csm@desk.example",
            "subject": "checkout down",
            "state": State.NEW,
            "severity": Severity.NORMAL,
            "severity_because": (),
            "requester": Address("Carol", "carol@acme.example"),
            "participants": ("carol@acme.example",),
            "assignee": None,
            "opened_at": NOW,
            "opened_by": "customer",
            "root_id": "root@desk.example",
        }
        return Ticket(**{**values, **changes})

    return make


@dataclass
class Postgres:
    """A server of our own on loopback, as a user that is not root. It can be stopped and started again."""

    folder: Path
    binaries: Path
    port: int = 0
    process: subprocess.Popen | None = None
    numbers: itertools.count = field(default_factory=itertools.count)

    def run(self, program, *words):
        command = [self.binaries / program, *words]
        return subprocess.run(command, capture_output=True, check=True, cwd=self.folder, text=True, **nobody()).stdout

    def start(self):
        if not self.port:
            self.run(
                "initdb", "--no-sync", "-D", "data", "-U", "maild", "--auth=trust", "--encoding=UTF8", "--locale=C"
            )
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=32MB",
            "max_connections=200",
        ]
        words = [word for setting in settings for word in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", "data", *words], stderr=log, stdout=log, cwd=self.folder, **nobody()
            )
        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.sql("SELECT 1")
                return self
            running = time.monotonic() < until and self.process.poll() is None
            assert running, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, number=signal.SIGINT):
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def sql(self, statement, database="postgres"):
        """Run a statement; give its rows as text, columns between bars."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "maild", "-d", database]
        return self.run("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", *where, "-c", statement).strip()

    def cut(self, database, query="."):
        """Cut the connections to a database whose last statement matches."""
        where = f"WHERE datname = '{database}' AND query ~ '{query}'"
        assert self.sql(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity {where}") != "0"  # noqa: S608 - a test's own words

    def url(self, database):
        return f"postgres://maild@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self, template="template0"):
        """Make a database, give its URL, and drop it."""
        name = f"t{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            if self.process is not None:
                self.sql(f"DROP DATABASE {name} WITH (FORCE)")


def nobody():
    """PostgreSQL refuses to run as root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def found(program):
    """Give the folder of a server's programs, the newest; distributions keep PostgreSQL's off the PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    on_path = shutil.which(program)
    places = [*([Path(on_path).resolve().parent] if on_path else []), *places]
    return next((place for place in reversed(places) if (place / program).exists()), None)


@pytest.fixture(scope="session")
def make_postgres():
    """Start servers that end with the tests; one line where there is none to start."""
    binaries = found("initdb")
    if binaries is None:
        missing = "PostgreSQL is missing: apt install postgresql"
        (pytest.fail if os.environ.get("MAILD_REQUIRE_SERVERS") == "1" else pytest.skip)(missing)
    servers = []

    def make():
        folder = Path(tempfile.mkdtemp(prefix="maild-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        servers.append(Postgres(folder, binaries))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(server.folder)


@pytest.fixture(scope="session")
def postgres(make_postgres):
    """The server of this process of tests."""
    return make_postgres()
