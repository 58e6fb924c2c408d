"""The daemon: it starts, it stops soon with mail in flight, and it says clearly why it cannot start."""

import asyncio
import signal
import smtplib
import socket
import subprocess
import sys
import time

import pytest

from maild.cli.demo_stage import written
from maild.clock import utc_now
from maild.config import load
from maild.daemon import running, smarthost
from maild.store import Ledger

CONFIG = """
[desk]
address = "csm@desk.example"
data_dir = "data"
[[agent]]
id = "ann"
address = "ann@staff.example"
[smtp]
listen = "127.0.0.1:{listen}"
[relay]
host = "{host}"
port = {port}
{tls}
[auth]
authserv_id = "mx.demo.example"
"""


@pytest.fixture
def configured(tmp_path):
    (tmp_path / "data").mkdir()

    def put(listen=0, host="127.0.0.1", port=9, tls=""):
        path = tmp_path / "maild.toml"
        path.write_text(CONFIG.format(listen=listen, host=host, port=port, tls=tls))
        return path

    return put


@pytest.fixture
def silent():
    """Listen as a smarthost that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _serve(path):
    return subprocess.Popen(
        [sys.executable, "-m", "maild", "serve", "-c", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _submit(port, count=1):
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        for number in range(count):
            mail = written("carol@acme.example", "csm@desk.example", f"question {number}", "Hello.\n", utc_now())
            client.send_message(mail, "carol@acme.example", ["csm@desk.example"])


async def test_it_stops_within_seconds_with_mail_in_flight_and_loses_none(configured, silent):
    path = configured(port=silent)
    config = load(path, {})
    async with running(config) as daemon:
        await asyncio.to_thread(_submit, daemon.addresses[0][1], 5)
        # One client is in the middle of its mail.
        reader, writer = await asyncio.open_connection("127.0.0.1", daemon.addresses[0][1])
        await reader.readline()
        for line in (b"EHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<csm@desk.example>\r\n", b"DATA\r\n"):
            writer.write(line)
            await asyncio.sleep(0.05)
        began = time.monotonic()
    assert time.monotonic() - began < 15
    writer.close()
    ledger = await Ledger.open(config.database_url)
    try:
        rows = await ledger.received()
        assert len(rows) == 5
        assert {row.state for row in rows} <= {"waiting", "done"}
    finally:
        await ledger.close()


async def test_what_waited_is_decided_after_the_next_start(configured):
    config = load(configured(), {})
    async with running(config) as daemon:
        await asyncio.to_thread(_submit, daemon.addresses[0][1], 3)
    async with running(config) as daemon, asyncio.timeout(30):
        await daemon.intake.caught_up()
        assert len(await daemon.ledger.tickets()) == 3


def test_serve_says_ready_and_ends_with_0_on_sigterm(configured):
    with _serve(configured()) as daemon:
        try:
            ready = daemon.stdout.readline()
            assert ready.startswith("ready smtp=127.0.0.1:")
            _submit(int(ready.rpartition(":")[2]))
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(timeout=30) == 0
        finally:
            daemon.kill()
        assert '"event": "daemon.ready"' in daemon.stderr.read()


def test_a_second_daemon_on_the_same_ledger_ends_with_78(configured):
    path = configured()
    with _serve(path) as first:
        try:
            assert first.stdout.readline().startswith("ready")
            with _serve(path) as second:
                out, err = second.communicate(timeout=30)
            assert (second.returncode, out) == (78, "")
            assert "another daemon holds" in err
            assert "Traceback" not in err
        finally:
            first.kill()


def test_a_port_in_use_ends_with_69_and_names_it(configured, silent):
    with _serve(configured(listen=silent)) as daemon:
        out, err = daemon.communicate(timeout=30)
    assert (daemon.returncode, out) == (69, "")
    assert f"cannot listen on 127.0.0.1:{silent}: " in err
    assert "Traceback" not in err


def test_broken_templates_end_with_78_before_any_mail_is_taken(configured, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "ack.txt.j2").write_text("{{ nonsense }}")
    path = configured()
    path.write_text(path.read_text().replace('data_dir = "data"', 'data_dir = "data"\ntemplates_dir = "own"'))
    with _serve(path) as daemon:
        out, err = daemon.communicate(timeout=30)
    assert (daemon.returncode, out) == (78, "")
    assert "desk.templates_dir: " in err


def test_a_data_dir_in_the_place_of_a_file_ends_with_78(configured, tmp_path):
    path = configured()
    (tmp_path / "data").rmdir()
    (tmp_path / "data").write_text("")
    with _serve(path) as daemon:
        out, err = daemon.communicate(timeout=30)
    assert (daemon.returncode, out) == (78, "")
    assert "desk.data_dir: " in err


@pytest.mark.parametrize(
    ("host", "tls", "used"),
    [
        ("127.0.0.1", "", "none"),
        ("127.9.9.9", "", "none"),
        ("localhost", "", "none"),
        ("::1", "", "none"),
        ("mail.example.com", "", "starttls"),
        ("127.0.0.1.example.com", "", "starttls"),
        ("mail.example.com", 'tls = "implicit"', "implicit"),
        ("127.0.0.1", 'tls = "starttls"', "starttls"),
    ],
)
def test_mail_leaves_encrypted_unless_it_stays_here_or_somebody_says_so(configured, host, tls, used):
    found = smarthost(load(configured(host=host, tls=tls), {}))
    assert (found.host, found.tls, found.helo) == (host, used, "desk.example")
