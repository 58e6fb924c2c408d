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
from maild.desk.past import history
from maild.mail import Address
from maild.sla.fold import fold
from maild.store import Ledger, Record
from maild.ticket import Event, Severity, State, Ticket


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


PAST = (
    # customer, severity, day and hour, open minutes to the answer (None: none), hours to resolve (None: none), correction
    ("Acme Bank", "urgent", "2026-03-02T07:10", 12, 0.8, None),
    ("Acme Bank", "urgent", "2026-03-03T23:40", 45, 2.5, None),
    ("Acme Bank", "high", "2026-03-04T09:05", 20, 10, "normal"),
    ("Globex", "normal", "2026-03-05T13:30", 200, 20, None),
    ("Globex", "normal", "2026-03-06T15:50", 400, 30, None),
    ("Initech", "low", "2026-03-09T10:15", 300, None, None),
    ("Initech", "normal", "2026-03-10T08:20", 30, 9, "urgent"),
    ("=Umbrella <b>", "normal", "2026-03-10T11:45", None, None, None),
)
"""What `past` is about: tickets of two weeks, times in UTC."""


@pytest.fixture
def past(tmp_path):
    """Give the configuration of a ledger with two weeks behind it, whose clocks are those that its events make."""
    path = tmp_path / "maild.toml"
    names = dict.fromkeys(row[0] for row in PAST)
    customers = "".join(f'[[customer]]\ndomain = "c{at}.example"\nname = "{name}"\n' for at, name in enumerate(names))
    path.write_text(CONFIG.format(port=25) + customers, "utf-8")
    asyncio.run(_live(load(path, {}), list(names)))
    return path


async def _live(config, names):
    now = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
    ledger = await Ledger.open(config.database_url)
    for at, (customer, severity, opened, answered, resolved, corrected) in enumerate(PAST):
        start = datetime.fromisoformat(opened).replace(tzinfo=UTC)
        events = [
            Event(start, "x@y", "opened", "a new mail", {"severity": severity, "because": ['+5 systems down: "down"']})
        ]
        if answered is not None:
            events.append(Event(start + timedelta(minutes=answered), "ann", "agent_reply", "he answers", {"ref": "r"}))
        if corrected:
            data = {"from": severity, "to": corrected}
            events.append(Event(start + timedelta(minutes=25), "ann", "set_severity", "ann set it", data))
        if resolved is not None:
            events.append(Event(start + timedelta(hours=resolved), "ann", "status", "done", {"to": "resolved"}))
        events.sort(key=lambda event: event.at)
        ticket = Ticket(
            number=1001 + at,
            mailbox="csm@desk.example",
            subject="a matter",
            state=State.NEW if answered is None else State.OPEN if resolved is None else State.RESOLVED,
            severity=Severity(corrected or severity),
            severity_because=(),
            requester=Address("", f"u@c{names.index(customer)}.example"),
            participants=(),
            assignee="ann",
            opened_at=start,
            opened_by="customer",
            root_id=f"t{at}@desk.example",
            first_response_at=None if answered is None else start + timedelta(minutes=answered),
        )
        clocks = fold(history(ticket, events), config.policy, now)
        record = Record(at=now, ticket=ticket, clocks=tuple((clock, None) for clock in clocks), events=tuple(events))
        await ledger.record([record])
    await ledger.close()
