"""A Dovecot of our own on loopback, as a user that is not root, and a maild that fetches from it."""

import asyncio
import contextlib
import imaplib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from maild.ingest.imap import Inbox
from maild.ingest.imap_account import Account
from maild.store import Ledger

PATIENCE = 60.0
LIBRARY = Path("/usr/lib/dovecot")

CONFIG = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
auth_verbose = yes
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
mail_location = maildir:{home}/mail/%u
mail_home = {home}/mail/%u
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
mail_max_userip_connections = 100
imap_idle_notify_interval = 10 mins
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""

OAUTH2 = """
tokeninfo_url = http://127.0.0.1:{port}/info?access_token=
introspection_mode = get
username_attribute = email
active_attribute = active
active_value = yes
"""


def owner():
    """Dovecot's processes run as nobody where we are root, else as ourselves."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass
class Tokens:
    """An authorisation server: gives tokens for what it knows, and tells Dovecot whose they are."""

    user: str = "csm@desk.example"
    refresh: str = "refresh-1"
    rotates: bool = False
    lasts: int = 3600
    valid: set = field(default_factory=set)
    asked: list = field(default_factory=list)
    port: int = 0

    def answer(self, form):
        self.asked.append(form)
        if form.get("grant_type") == "refresh_token" and form.get("refresh_token") != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": "the refresh token was revoked"}
        token = f"token-{len(self.asked)}"
        self.valid.add(token)
        given = {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts}
        if self.rotates:
            self.refresh = given["refresh_token"] = f"refresh-{len(self.asked) + 1}"
        return 200, given

    def info(self, token):
        known = {"active": "yes", "email": self.user, "expires_in": 100}
        return (200, known) if token in self.valid else (401, {"error": "invalid_token"})


@pytest.fixture
def authority():
    """The authorisation server, listening."""
    here = Tokens()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.say(*here.answer({key: values[0] for key, values in form.items()}))

        def do_GET(self):
            self.say(*here.info(parse_qs(urlsplit(self.path).query).get("access_token", [""])[0]))

        def say(self, status, value):
            octets = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    here.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield here
    server.shutdown()
    thread.join(PATIENCE)
    server.server_close()


@dataclass
class Dovecot:
    """A running server. It can be killed and started again on the same ports."""

    home: Path
    port: int
    tls_port: int
    process: subprocess.Popen | None = None

    @property
    def log(self):
        path = self.home / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    @property
    def ca(self):
        return self.home / "cert.pem"

    def start(self):
        command = ["dovecot", "-F", "-c", f"{self.home}/dovecot.conf"]
        path = f"{os.environ.get('PATH', '')}:/usr/sbin"
        self.process = subprocess.Popen(
            command,
            env={"PATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **owner(),
        )
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                imaplib.IMAP4("127.0.0.1", self.port, timeout=5).shutdown()
                return self
            assert time.monotonic() < end, self.log
            assert self.process.poll() is None, self.log
            time.sleep(0.02)

    def stop(self, number=signal.SIGTERM):
        """End the server, its children too: they are a process group of their own."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.process.wait(PATIENCE)
            end = time.monotonic() + PATIENCE
            with contextlib.suppress(ProcessLookupError):
                while time.monotonic() < end:
                    os.killpg(self.process.pid, number)
                    time.sleep(0.02)
            self.process = None

    @contextlib.contextmanager
    def client(self, user="csm@desk.example"):
        """Look at the server with another library than maild's."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            client.login(user, "secret")
            yield client
        finally:
            client.shutdown()

    def put(self, mail, folder="INBOX", at=None):
        """Put a mail into a folder as a delivery does."""
        octets = mail if isinstance(mail, bytes) else mail.as_bytes(policy=SMTP)
        with self.client() as client:
            when = imaplib.Time2Internaldate(at) if at is not None else None
            status, words = client.append(folder, None, when, octets)
            assert status == "OK", words

    def fill(self, mails, folder="INBOX"):
        """Put many mails in at once, as files: that is quicker than to append them."""
        self.uids(folder)  # makes the folder
        name = "" if folder == "INBOX" else f".{folder.replace('/', '.')}"
        new = self.home / "mail" / "csm@desk.example" / name / "new"
        for number, mail in enumerate(mails):
            path = new / f"{int(time.time())}.M{number:06}P{os.getpid()}.test"
            path.write_bytes(mail.replace(b"\r\n", b"\n"))
            if os.geteuid() == 0:
                shutil.chown(path, "nobody", "nogroup")

    def uids(self, folder="INBOX"):
        with self.client() as client:
            status, _ = client.select(f'"{folder}"', readonly=True)
            if status != "OK":
                return None
            return [int(uid) for uid in client.uid("SEARCH", "ALL")[1][0].split()]

    def flags(self, folder="INBOX"):
        with self.client() as client:
            client.select(f'"{folder}"', readonly=True)
            return client.uid("FETCH", "1:*", "(FLAGS)")[1]


@pytest.fixture
def make_dovecot(program, make_port, authority):
    """Start servers that end with the test."""
    program("dovecot", "dovecot-imapd")
    openssl = program("openssl", "openssl")
    if not (LIBRARY / "imap").exists():
        program("imap", "dovecot-imapd")
    servers = []

    def make():
        home = Path(tempfile.mkdtemp(prefix="maild-dovecot-"))
        who = owner()
        words = {"user": who.get("user") or str(os.geteuid()), "group": who.get("group") or str(os.getegid())}
        server = Dovecot(home, make_port(), make_port())
        text = CONFIG.format(home=home, port=server.port, tls_port=server.tls_port, **words)
        (home / "dovecot.conf").write_text(text)
        (home / "oauth2.conf").write_text(OAUTH2.format(port=authority.port))
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        subprocess.run(
            [openssl, *made, *names, "-keyout", home / "key.pem", "-out", home / "cert.pem"],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        for folder in ("run", "state", "mail"):
            (home / folder).mkdir()
        if os.geteuid() == 0:
            for path in (home, *home.rglob("*")):
                shutil.chown(path, "nobody", "nogroup")
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop(signal.SIGKILL)
        shutil.rmtree(server.home)


@pytest.fixture
def dovecot(make_dovecot):
    return make_dovecot()


DESK = """
[desk]
name = "Example Support"
address = "csm@desk.example"
time_zone = "Europe/Berlin"
data_dir = "data"
[database]
url = "{database}"
[[mailbox]]
address = "csm@desk.example"
[[agent]]
id = "ann"
name = "Ann Agent"
address = "ann@staff.example"
[smtp]
listen = "127.0.0.1:0"
max_message_bytes = 200000
[relay]
host = "127.0.0.1"
port = {relay}
[auth]
authserv_id = "mx.desk.example"
[ack]
to = "everyone"
[[imap]]
mailbox = "csm@desk.example"
host = "{host}"
port = {port}
tls = "{tls}"
password_file = "{password_file}"
{more}
"""


@pytest.fixture
def desk_on(make_desk, world, tmp_path):
    """Make a maild that fetches from a server; it is not started yet."""

    def make(server, more="", *, tls="none", port=0, database="", host="127.0.0.1", file="imap-password"):
        (tmp_path / "imap-password").write_text("secret\n")
        database = database or f"sqlite://{tmp_path}/data/maild.db"
        port = port or (server.tls_port if tls == "implicit" else server.port)
        return make_desk(
            DESK.format(
                relay=world.port,
                host=host,
                port=port,
                tls=tls,
                more=more,
                database=database,
                password_file=file,
            )
        )

    return make


@pytest.fixture
def letter():
    """A mail as it lies in a folder; each another one."""

    def made(subject="Question", sender="carol@acme.example", text="Which columns?", **headers):
        mail = EmailMessage()
        mail["Return-Path"] = f"<{sender}>"
        mail["Delivered-To"] = "csm@desk.example"
        mail["From"] = sender
        mail["To"] = "csm@desk.example"
        mail["Subject"] = subject
        mail["Message-ID"] = f"<{time.time_ns()}.{subject.replace(' ', '.')}@acme.example>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        return mail

    return made


@dataclass
class Proxy:
    """Between maild and the server: passes octets on, and cuts the connection once it has passed so many back."""

    target: int
    cuts: list = field(default_factory=list)
    passed: int = 0
    connections: int = 0
    port: int = 0

    def serve(self, listening):
        while True:
            try:
                inner, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            budget = self.cuts.pop(0) if self.cuts else None
            outer = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, most in ((inner, outer, None), (outer, inner, budget)):
                threading.Thread(target=self.pump, args=(source, sink, most), daemon=True).start()

    def pump(self, source, sink, most):
        passed = 0
        with contextlib.suppress(OSError):
            while octets := source.recv(4096):
                if most is not None and passed + len(octets) > most:
                    sink.sendall(octets[: most - passed])
                    break
                sink.sendall(octets)
                passed += len(octets)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


@pytest.fixture
def make_proxy():
    listening = []

    def make(target, cuts):
        sock = socket.create_server(("127.0.0.1", 0))
        listening.append(sock)
        proxy = Proxy(target, list(cuts), port=sock.getsockname()[1])
        threading.Thread(target=proxy.serve, args=(sock,), daemon=True).start()
        return proxy

    yield make
    for sock in listening:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()


# One folder in this very process


@pytest.fixture
async def ledger(tmp_path):
    opened = await Ledger.open(f"sqlite://{tmp_path}/maild.db")
    yield opened
    await opened.close()


class Clock:
    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fetching(dovecot, ledger, clock):
    """Fetch for the length of a block."""

    @contextlib.asynccontextmanager
    async def run(**changes):
        values = {
            "mailbox": "csm@desk.example",
            "host": "127.0.0.1",
            "port": dovecot.port,
            "tls": "none",
            "ca_file": None,
            "username": "csm@desk.example",
            "auth": "password",
            "password": "secret",
            "grant": None,
            "folder": "INBOX",
            "since": "all",
            "idle": True,
            "poll": 1,
            "done_folder": "",
            "quarantine_folder": "",
            "most_octets": 100_000,
            "zone": ZoneInfo("Europe/Berlin"),
        }
        inbox = Inbox(
            Account(**{**values, **changes}),
            ledger,
            stored=lambda: None,
            bears_token=lambda _: False,
            now=clock,
            rng=random.Random(1),
        )
        task = asyncio.create_task(inbox.run())
        try:
            yield inbox
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return run
