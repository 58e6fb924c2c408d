"""A Postfix of our own with maild behind it, on the blocks of docs/postfix.md; only ports and folders are others."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

import pytest

PATIENCE = 60.0
COMMANDS = ("postfix", "postconf", "postqueue", "postmap", "sendmail")
DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = "\n".join((DOCS / name).read_text("utf-8") for name in ("postfix.md", "lmtp.md"))
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


@dataclass
class Postfix:
    """A running Postfix: its folder, its port, and its commands."""

    home: Path
    port: int
    programs: dict

    def command(self, name, *words, stdin=None, code=0):
        program = self.programs[name]
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
class Stage:
    """All of it together."""

    postfix: Postfix
    desk: object
    world: object


@pytest.fixture
def blocks():
    """The blocks of docs/postfix.md by the words beside their fence."""
    return dict(BLOCK.findall(PAGES))


@pytest.fixture
def make_stage(world, blocks, program, root, make_port, until, make_desk):
    """Start Postfix on blocks of the page and `more` lines of main.cf, and make the desk behind it."""
    with contextlib.ExitStack() as stack:

        def make(*, main="", master="master.cf", extra=(), more="", start=True, desk=("maild.toml",)):
            commands = {name: program(name, "postfix") for name in COMMANDS}
            # Not under tmp_path: that is closed to the user that Postfix works as.
            home = Path(tempfile.mkdtemp(prefix="maild-postfix-"))
            stack.callback(shutil.rmtree, home)
            home.chmod(0o755)
            for name in ("etc", "queue", "data", "run"):
                (home / name).mkdir()
            shutil.chown(home / "data", "postfix")
            port, maild = make_port(), make_port()

            def here(text):
                text = text.replace("[127.0.0.1]:8025", f"[127.0.0.1]:{maild}").replace(
                    "127.0.0.1:8025", f"127.0.0.1:{maild}"
                )
                text = text.replace("/run/maild", f"{home}/run/maild").replace("/etc/maild/", f"{home}/desk/")
                text = text.replace("/usr/local/bin/maild", f"{home}/maild").replace("user=maild", "user=nobody")
                return text.replace("port = 25\n", f"port = {port}\n").replace("/etc/postfix/", f"{home}/etc/")

            known = {name: where(commands["postconf"], name) for name in ("command_directory", "daemon_directory")}
            own = TEST_MAIN.format(
                home=home, sink=world.port, commands=known["command_directory"], daemons=known["daemon_directory"]
            )
            page = blocks["main.cf"] + (blocks[main] if main else "")
            (home / "etc/main.cf").write_text(own + later_wins(here(page)) + more)
            (home / "etc/master.cf").write_text(SERVICES.format(port=port) + here(blocks[master]))
            for name in extra:
                (home / "etc" / name).write_text(here(blocks[name]))
            server = Postfix(home, port, commands)
            server.command("postfix", "start")
            stack.callback(server.command, "postfix", "stop")
            stack.callback(lambda: print(server.log))  # noqa: T201 - pytest shows it where a test fails
            until(lambda: "daemon started" in server.log, "Postfix")
            one = make_desk(DESK + here("".join(blocks[name] for name in desk)))
            return Stage(server, one.start() if start else one, world)

        yield make


def later_wins(text):
    """Keep the last line of each setting: Postfix would do so too, but warns."""
    settings = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            settings[line.partition("=")[0].strip()] = line
    return "\n".join(settings.values()) + "\n"


def where(postconf, name):
    return (
        subprocess.run([postconf, "-dh", name], capture_output=True, timeout=PATIENCE, check=True)
        .stdout.decode()
        .strip()
    )


@pytest.fixture
def stage(make_stage):
    return make_stage()


def written(sender, subject, text, *, to="csm@example.com", headers=()):
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


@pytest.fixture(name="written")
def _written():
    """Write a mail as a person's program does."""
    return written


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


@pytest.fixture
def milters(program, blocks, tmp_path, make_port, until, listens):
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
            port = make_port()
            config = tmp_path / f"{name}.conf"
            config.write_text(re.sub(r"inet:\d+@", f"inet:{port}@", blocks[f"{name}.conf"]) + more)
            with (tmp_path / f"{name}.log").open("wb") as log:
                process = subprocess.Popen([path, "-f", flag, f"{config}"], stdout=log, stderr=log)
            stack.callback(process.wait, 60)
            stack.callback(process.kill)  # they keep nothing, and take seconds to end in peace
            until(lambda: process.poll() is None and listens(port), name, (tmp_path / f"{name}.log").read_text)
            return port

        yield start
