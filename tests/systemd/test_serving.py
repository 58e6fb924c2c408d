"""The real process, told on as systemd would: ready, status, watchdog, reload, stop; and a loop that hangs is noticed."""

import asyncio
import contextlib
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time

import pytest

from maild.cli.serve import _feed
from maild.config import load
from maild.daemon import running

PATIENCE = 45.0

CONFIG = """
[desk]
name = "Example Support"
address = "csm@desk.example"
data_dir = "data"
[[mailbox]]
address = "csm@desk.example"
aliases = []
[[agent]]
id = "ann"
address = "ann@staff.example"
[smtp]
listen = "127.0.0.1:0"
[relay]
port = 9
"""

PASSING = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.execvpe(sys.argv[2], sys.argv[2:], {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})
"""
"""Hands a socket over as systemd does: as descriptor 3, to the process that it names."""


class Manager:
    """Starts the daemon as systemd does, and hears what it tells."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "maild.toml"
        self.config.write_text(CONFIG, "utf-8")
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.bind(str(folder / "notify"))
        self.process = None

    @property
    def command(self):
        return [sys.executable, "-m", "maild", "serve", "-c", str(self.config)]

    def start(self, command=None, pass_fds=(), **environment):
        env = {**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify"), **environment}
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command or self.command, stdout=log, stderr=log, env=env, pass_fds=pass_fds)

    def hear(self, wanted):
        """Give the next word that begins so, with its fields; others are passed over."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            self.ear.settimeout(left)
            with contextlib.suppress(TimeoutError):
                fields = dict(line.split("=", 1) for line in self.ear.recv(4096).decode().split("\n"))
                if wanted in fields:
                    return fields
        raise AssertionError(f"no {wanted} in {PATIENCE} s: {self.log}")

    @property
    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def reload(self, text):
        """Change the configuration and say so; give the status after it."""
        self.config.write_text(text, "utf-8")
        before = time.monotonic_ns() // 1000
        self.process.send_signal(signal.SIGHUP)
        assert before <= int(self.hear("RELOADING")["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        fields = self.hear("READY")
        return fields["STATUS"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.hear("STOPPING")["WATCHDOG"] == "1"
        assert self.process.wait(PATIENCE) == 0, self.log

    def end(self):
        self.ear.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.end()


def port_of(status):
    return int(status.partition("smtp=127.0.0.1:")[2].partition(";")[0])


def reply_to_rcpt(port, address):
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.ehlo()
        client.mail("carol@acme.example")
        return client.rcpt(address)[0]


def test_ready_fed_and_stopped(manager):
    began = time.monotonic()
    manager.start(WATCHDOG_USEC="900000")
    status = manager.hear("READY")["STATUS"]
    assert status.endswith("; 0 waiting, 0 owed")
    assert reply_to_rcpt(port_of(status), "csm@desk.example") == 250
    for _ in range(12):
        manager.hear("WATCHDOG")
    assert time.monotonic() - began > 11 * 0.3
    manager.stop()
    assert "Traceback" not in manager.log


def test_nobody_watches(manager):
    manager.start(WATCHDOG_USEC="300000", WATCHDOG_PID="1")
    manager.hear("READY")
    manager.ear.settimeout(1)
    with contextlib.suppress(TimeoutError):
        while True:
            assert b"WATCHDOG" not in manager.ear.recv(4096)
    manager.stop()


def test_a_reload_takes_over_the_office_and_names_what_waits(manager):
    manager.start()
    port = port_of(manager.hear("READY")["STATUS"])
    assert reply_to_rcpt(port, "help@desk.example") == 550
    wider = CONFIG.replace("aliases = []", 'aliases = ["help@desk.example"]')
    assert manager.reload(wider).endswith("owed")
    assert reply_to_rcpt(port, "help@desk.example") == 250
    status = manager.reload(wider.replace("port = 9", "port = 10").replace("127.0.0.1:0", "127.0.0.1:1"))
    assert status.endswith("; needs a restart: relay.port, smtp.listen")
    assert port_of(status) == port
    deliver(port, b"From: carol@acme.example\r\nSubject: x\r\n\r\nx\r\n")
    end = time.monotonic() + PATIENCE
    while "; 0 waiting, 1 owed" not in manager.reload(wider):  # what Ann is told, and nobody takes
        assert time.monotonic() < end, manager.log
    assert manager.reload(wider).endswith("owed")
    manager.stop()


@pytest.mark.parametrize(
    "broken",
    [
        "[desk\n",
        CONFIG.replace("aliases", "alias"),
        CONFIG.replace('data_dir = "data"', 'data_dir = "data"\ntemplates_dir = "nowhere"'),
    ],
)
def test_a_broken_configuration_changes_nothing(manager, broken):
    manager.start()
    port = port_of(manager.hear("READY")["STATUS"])
    assert "reload refused, 1 fault(s) in maild.toml: see the log" in manager.reload(broken)
    (line,) = [json.loads(line) for line in manager.log.splitlines() if "reload.refused" in line]
    assert len(line["faults"]) == 1
    assert reply_to_rcpt(port, "csm@desk.example") == 250
    assert manager.reload(CONFIG).endswith("owed")
    manager.stop()


def test_hangups_close_upon_each_other(manager):
    manager.start()
    manager.hear("READY")
    for _ in range(3):
        manager.process.send_signal(signal.SIGHUP)
    manager.hear("RELOADING")
    manager.hear("READY")
    assert "Traceback" not in manager.log
    manager.stop()


def test_an_end_is_heard_among_many_hangups(manager):
    manager.start()
    manager.hear("READY")
    for _ in range(300):
        manager.process.send_signal(signal.SIGHUP)
    manager.process.send_signal(signal.SIGTERM)
    assert manager.process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("broken", "name"), [("x = " + "9" * 4400, "maild.toml"), ("x = " + "[" * 5000, "keywords.toml")]
)
def test_no_file_ends_it(manager, broken, name):
    manager.start()
    port = port_of(manager.hear("READY")["STATUS"])
    keywords = '\n[severity]\nkeywords_file = "keywords.toml"\n'
    (manager.folder / "keywords.toml").write_text(broken if name == "keywords.toml" else "", "utf-8")
    assert "reload refused" in manager.reload(broken if name == "maild.toml" else CONFIG + keywords)
    assert reply_to_rcpt(port, "csm@desk.example") == 250
    manager.stop()


def test_systemd_listens_for_it(manager):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        command = [sys.executable, "-c", PASSING, str(door.fileno()), *manager.command]
        manager.start(command, pass_fds=[door.fileno()])
        assert port_of(manager.hear("READY")["STATUS"]) == port
        assert reply_to_rcpt(port, "csm@desk.example") == 250
        manager.stop()


def test_a_notify_socket_that_is_gone_is_only_logged(manager):
    manager.start(NOTIFY_SOCKET=str(manager.folder / "gone"))
    end = time.monotonic() + PATIENCE
    while "notify.failed" not in manager.log:
        assert time.monotonic() < end, manager.log
        time.sleep(0.05)
    manager.process.send_signal(signal.SIGTERM)
    assert manager.process.wait(PATIENCE) == 0


async def test_a_loop_that_hangs_is_not_fed_for_and_one_that_sleeps_is(manager, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(manager.folder / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    (manager.folder / "data").mkdir()
    manager.ear.setblocking(False)
    async with running(load(manager.config)) as daemon:
        for pulse in daemon.pulses.values():
            pulse.patience = 0.3
        daemon.watch.wake.set()
        daemon.outbox.wake.set()
        daemon.intake.nudge()
        feeding = asyncio.create_task(_feed(daemon))
        await until(lambda: not late(daemon))
        await asyncio.sleep(1)
        assert late(daemon) == []
        assert fed(manager)
        # A decision that never comes to its end.
        async with daemon.intake.shop.deciding():
            mail = b"From: carol@acme.example\r\nSubject: x\r\n\r\nx\r\n"
            await asyncio.to_thread(deliver, daemon.addresses[0][1], mail)
            await until(lambda: late(daemon) == ["intake"])
            fed(manager)
            await asyncio.sleep(0.5)
            assert not fed(manager)
        await until(lambda: fed(manager))
        assert late(daemon) == []
        feeding.cancel()


def late(daemon):
    return [name for name, pulse in daemon.pulses.items() if pulse.late]


def fed(manager):
    """Count how often the watchdog was fed since the last time."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            count += manager.ear.recv(4096) == b"WATCHDOG=1"
    return count


def deliver(port, mail):
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.sendmail("carol@acme.example", ["csm@desk.example"], mail)


async def until(true):
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(0.05)
