"""The command line as a caller meets it: words in; out, err and a code back."""

import asyncio
import smtplib
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header

import pytest
import structlog

from maild.cli.app import main
from maild.cli.demo_stage import Sink, StageClock, body, send, written
from maild.config import load
from maild.daemon import running


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def maild(capsys, monkeypatch):
    """Run a command in this process."""

    def run(*words, cwd=None):
        monkeypatch.setattr(sys, "argv", ["maild", *map(str, words)])
        if cwd is not None:
            monkeypatch.chdir(cwd)
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr()
        return Done(end.value.code or 0, told.out, told.err)

    yield run
    structlog.reset_defaults()  # a command of this process may have sent its log to a stream that ends with the test


@pytest.fixture
def process():
    """Run a command as a process of its own."""

    def run(*words, **how):
        how = {"timeout": 60, "capture_output": True, "text": True, **how}
        return subprocess.run([sys.executable, "-m", "maild", *map(str, words)], check=False, **how)

    return run


CONFIG = """
[desk]
name = "Example Support"
address = "csm@desk.example"
time_zone = "Europe/Berlin"
data_dir = "."
[[mailbox]]
address = "csm@desk.example"
team = ["ann", "bob"]
[[agent]]
id = "ann"
name = "Ann Agent"
address = "ann@staff.example"
[[agent]]
id = "bob"
name = "Bob Lead"
address = "bob@staff.example"
role = "lead"
[smtp]
listen = "127.0.0.1:0"
[relay]
host = "127.0.0.1"
port = {port}
[auth]
authserv_id = "mx.demo.example"
"""
EVIL = "\x1b]0;owned\x07 red \x1b[31m \x9b31m \u202egnp.exe"


@pytest.fixture(scope="session")
def ledger(tmp_path_factory):
    """Give the configuration of a ledger that the real daemon has filled.

    1001 is urgent, was answered, and its resolution is breached; 1002 is normal, its subject and text would drive a
    terminal, and nobody answered it.
    """
    folder = tmp_path_factory.mktemp("desk")
    asyncio.run(_fill(folder))
    return folder / "maild.toml"


async def _fill(folder):
    sink = Sink(folder)
    (folder / "maild.toml").write_text(CONFIG.format(port=await sink.start()))
    clock = StageClock(datetime(2026, 3, 11, 9, 0, tzinfo=UTC))
    try:
        async with running(load(folder / "maild.toml", {}), clock.now) as daemon:
            port = daemon.addresses[0][1]
            carol, dave, ann = "carol@acme.example", "dave@globex.example", "ann@staff.example"
            outage = written(carol, "csm@desk.example", "URGENT: checkout down", "Nobody can pay.\n", clock.now())
            await send(port, carol, "csm@desk.example", outage)
            notice = await sink.wait("the notice", lambda rcpt, _: rcpt == ann)
            # The escape of the terminal travels as an encoded word, as an attacker's would.
            question = written(dave, "csm@desk.example", "x", f"How are you? {EVIL}\n", clock.now())
            del question["Subject"]
            octets = question.as_bytes().replace(
                b"\nTo:", b"\nSubject: " + Header(EVIL, "utf-8").encode().encode() + b"\nTo:"
            )
            await asyncio.to_thread(_send_octets, port, dave, octets)
            await sink.wait("the acknowledgement", lambda rcpt, _: rcpt == dave)
            clock.move(timedelta(minutes=5))
            reply = written(ann, str(notice["Reply-To"]), f"Re: {notice['Subject']}", "It is renewed.\n", clock.now())
            reply["In-Reply-To"] = str(notice["Message-ID"])
            await send(port, ann, str(notice["Reply-To"]), reply)
            await sink.wait("the reply", lambda rcpt, mail: rcpt == carol and "renewed" in body(mail))
            clock.move(timedelta(hours=2))
            daemon.watch.wake.set()
            await sink.wait(
                "the breach", lambda rcpt, mail: rcpt == "bob@staff.example" and "BREACH" in mail["Subject"]
            )
            await daemon.intake.caught_up()
    finally:
        sink.stop()


def _send_octets(port, sender, octets):
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail(sender, ["csm@desk.example"], octets)
