"""kill -9 between any two steps of a story changes nothing in what people get.

A step is each side of every commit to the ledger, and each side of every mail that is handed over. The same story is told
again and again to daemons that die at one of their steps; `MAILD_EVERY_STEP=1` takes all of them and not a few.
"""

import contextlib
import os
import re
import shutil
import smtplib
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

RUNNER = Path(__file__).with_name("killed_desk.py")
CONFIG = (
    (Path(__file__).parent / "desk.toml.in")
    .read_text("utf-8")
    .replace('team = ["ann", "bob", "eve"]', 'team = ["bob"]')
)
START = datetime(2026, 10, 22, 8, 0, tzinfo=UTC)
DESK = "csm@desk.example"
PATIENCE = 45
OWED = "SELECT message_id FROM outbox WHERE sent_at IS NULL"
STORM = 8
EVERY = os.environ.get("MAILD_EVERY_STEP") == "1"
DEATHS = 10
"""At how many of the steps the daemon dies where not all of them are asked for."""

MORE = """
[ack]
per_address_hour = 1
[[escalation]]
clock = "first_response"
at = "target"
notify = ["assignee"]
[[escalation]]
clock = "first_response"
at = "limit"
notify = ["assignee", "lead"]
[quiet]
normal = ["13:30-14:20"]
"""
DIGESTS = [
    ("ann@staff.example", f"[BREACH] {STORM - 1} tickets of CSM: {STORM - 1} breaches "),
    ("bob@staff.example", f"[BREACH] {STORM - 1} tickets of CSM: {STORM - 1} breaches "),
    ("bob@staff.example", f"{STORM} tickets of CSM: {STORM} warnings "),
]


class Killed(Exception):  # noqa: N818 - the daemon is, and the story goes on
    """The daemon died; says where."""


@dataclass
class Desk:
    """A ledger and its daemon, which is started again when it dies."""

    folder: Path
    sink: object
    deaths: list
    process: subprocess.Popen
    books: object
    port: int = 0
    steps: int = 0
    owed: frozenset = frozenset()

    def ask(self, line):
        """Say a line; give the answer. Killed where the daemon died instead."""
        self.process.stdin.write(f"{line}\n".encode())
        return self.heard()

    def heard(self):
        answer = self.process.stdout.readline().decode().strip()
        if answer.startswith("killed "):
            raise Killed(answer.removeprefix("killed "))
        assert answer, "the runner is gone"
        assert not answer.startswith("failed "), answer
        return answer

    def start(self, last):
        self.port = int(self.ask(f"start {last} {self.folder}/maild.toml").removeprefix("ready "))

    def stop(self):
        self.ask("settle")
        self.steps = int(self.ask("stop").removeprefix("stopped "))

    def through(self, step):
        """Make a step of the story, and again with the next daemon where this one dies meanwhile."""
        try:
            step()
        except Killed as killed:
            self.died(str(killed))
            step()

    def died(self, where):
        assert not self.deaths, "it died twice"
        self.deaths.append(where)
        self.owed = frozenset(msgid for (msgid,) in self.books.left(OWED))
        self.start(0)

    def until(self, hour, minute, second=0):
        at = START.replace(hour=hour - 2, minute=minute, second=second)
        self.through(lambda: self.ask(f"until {at.isoformat()}"))

    def sends(self, *mails):
        """Hand mails over, and let the daemon work. What got no 250 is sent again, as mail servers do."""
        left = list(mails)

        def step():
            try:
                while left:
                    with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as client:
                        client.sendmail(left[0]["From"], [left[0]["To"]], left[0].as_bytes())
                    left.pop(0)
            except (OSError, smtplib.SMTPException):
                self.heard()
            self.ask("settle")

        self.through(step)

    def subjects(self):
        return {int(number): subject for number, subject in self.books.left("SELECT number, subject FROM ticket")}


@dataclass
class File:
    """The ledger of a desk in its folder."""

    folder: Path
    config: str = ""

    def left(self, question):
        """Answer a question of a ledger that nobody has open, from a copy: whoever opens it itself would mend it."""
        copy = Path(tempfile.mkdtemp(dir=self.folder))
        for file in (self.folder / "data").glob("maild.db*"):
            shutil.copy(file, copy)
        with contextlib.closing(sqlite3.connect(copy / "maild.db")) as con:
            assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return con.execute(question).fetchall()


@dataclass
class Database:
    """The ledger of a desk in a database of its own."""

    server: object
    url: str

    @property
    def config(self):
        return f'[database]\nurl = "{self.url}"\n'

    @property
    def name(self):
        return self.url.rpartition("/")[2]

    def left(self, question):
        """Answer a question of a ledger once whoever had it open is gone from it."""
        until = time.monotonic() + PATIENCE
        while self.server.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.name}'") != "0":  # noqa: S608 - a test's own words
            assert time.monotonic() < until
            time.sleep(0.01)
        return [tuple(line.split("|")) for line in self.server.sql(question, self.name).splitlines()]


def msgid_of(kept):
    return str(kept.mail["Message-ID"]).strip("<>")


def written(who, to, subject, text, number, before=None):
    mail = EmailMessage(policy=policy.SMTP)
    mail["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={who.partition('@')[2]}"
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = who, to, subject, f"<{number}@client.example>"
    if before is not None:
        mail["In-Reply-To"] = mail["References"] = str(before["Message-ID"])
    mail.set_content(text)
    return mail


def answered(desk, who, subject, words):
    (kept,) = {one.octets: one for one in desk.sink.to(who, lambda kept: subject in kept.subject)}.values()
    return written(
        who, str(kept.mail["Reply-To"]), f"Re: {kept.subject}", words, f"answer.{subject.split()[-1]}", kept.mail
    )


def story(desk):
    """Ten questions at once. One is answered in time, one late on its target; eight miss it together, and Bob takes one of them.

    The others run out while everybody has a nap.
    """
    carol, dave = "carol@acme.example", "dave@globex.example"
    desk.sends(
        written(carol, DESK, "Login", "How?", 1),
        written(dave, DESK, "Export", "Where?", 2),
        *(written(carol, DESK, f"Matter {number}", "What?", f"m{number}") for number in range(STORM)),
    )
    desk.until(10, 30)
    desk.sends(answered(desk, "bob@staff.example", "Login", "With your number."))
    desk.until(11, 10)
    desk.sends(
        answered(desk, "eve@staff.example", "] Export", "In the menu."),
        answered(desk, "bob@staff.example", "] Matter 0", "#ack"),
    )
    desk.until(14, 30)
    desk.until(14, 32)


def told_of(desk):
    """Count what people got, in words that do not hang on which ticket got which number. The same octets are one mail."""
    subjects = desk.subjects()
    mails = Counter()
    for kept in {(kept.rcpt, kept.octets): kept for kept in desk.sink.kept}.values():
        words = f"{kept.subject}\n{kept.mail['Date']}\n{kept.text}"
        words = re.sub(r"csm\+\w+@|(?<=\u00b7 )\S+(?=\])", "", words.replace("%23", "#"))
        words = re.sub(r"\b10\d\d\b", lambda found: f"({subjects[int(found[0])]})", words)
        mails[kept.rcpt, words] += 1
    return mails


class Runner:
    """A process that has everything at hand that daemons are made of, and makes one when it is told so."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        return self.process

    def __exit__(self, *fault):
        # Its daemon, too, reads that nothing more is said.
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


@pytest.fixture(params=["sqlite", "postgres"])
def books(request):
    """Give the ledger of a desk in that folder; a copy of `seed`, where that is not None."""
    if request.param == "sqlite":
        yield lambda folder, seed: File(folder)
        return
    server = request.getfixturevalue("postgres")
    with contextlib.ExitStack() as databases:
        yield lambda folder, seed: Database(
            server, databases.enter_context(server.database(seed.name if seed else "template0"))
        )


@pytest.fixture
def tell(tmp_path, make_sink, books):
    """Tell the story to daemons of a runner that die at a step, 0 for none; give the desk at its end."""
    seeds = []

    def made(process, name):
        folder = tmp_path / name
        folder.mkdir()
        sink = make_sink().open()
        ledger = books(folder, seeds[0].books if seeds else None)
        words = CONFIG.format(port=sink.port, more=MORE + ledger.config, eve="")
        (folder / "maild.toml").write_text(words, "utf-8")
        (folder / "clock").write_text(START.isoformat(), "utf-8")
        return Desk(folder, sink, [], process, ledger)

    def told(process, last=0):
        if not seeds:
            # One ledger for all: the same keys sign the same mails.
            first = made(process, "seed")
            (first.folder / "data").mkdir()
            first.start(0)
            first.ask("stop")
            first.books.left(OWED)
            seeds.append(first)
        desk = made(process, f"killed{last}")
        shutil.copytree(seeds[0].folder / "data", desk.folder / "data")
        try:
            desk.start(last)
        except Killed as killed:
            desk.died(str(killed))
        story(desk)
        desk.through(desk.stop)
        return desk

    return told


def told_the_same(whole, desk):
    """Say what a daemon that died told otherwise than one that did not; "" where nothing."""
    (died,) = desk.deaths or ("never",)
    expected, told = told_of(whole), told_of(desk)
    faults = [f"missing: {mail}" for mail in (expected - told).elements()]
    faults += [f"too many: {mail}" for mail in (told - expected).elements()]
    left = Counter((kept.rcpt, msgid_of(kept)) for kept in desk.sink.kept)
    twice = {msgid: count for (_, msgid), count in left.items() if count > 1}
    # Only where the kill fell between the smarthost's 250 and its record.
    if set(twice) - desk.owed or set(twice.values()) - {2} or len(twice) > 1:
        faults.append(f"left more than once: {twice}")
    if died.startswith("after a mail") and len(twice) != 1:
        faults.append("the mail that it had handed over did not leave again")
    if len({msgid for _, msgid in left}) != len({kept.octets for kept in desk.sink.kept}):
        faults.append("a mail that left again has other octets")
    return "\n".join([f"killed {died}:", *faults]) if faults else ""


@pytest.mark.timeout(3600 if EVERY else 120)
def test_killed_between_any_two_steps_it_tells_the_same(tell):
    with Runner() as one, Runner() as other:
        whole = tell(one)
        assert set(told_of(whole).values()) == {1}
        assert not whole.deaths
        digests = [
            (kept.rcpt, kept.subject.partition("(")[0]) for kept in whole.sink.kept if "tickets of" in kept.subject
        ]
        assert sorted(digests) == sorted(DIGESTS)
        deaths = range(1, whole.steps + 1) if EVERY else [whole.steps * one // DEATHS for one in range(1, DEATHS + 1)]

        def half(runner, first):
            return [tell(runner, last) for last in deaths[first::2]]

        with ThreadPoolExecutor(2) as halves:
            desks = [desk for half in halves.map(half, (one, other), (0, 1)) for desk in half]
    faults = [fault for desk in desks if (fault := told_the_same(whole, desk))]
    assert not faults, "\n".join(faults)
    # A busy machine does more in one unit, so the story has fewer steps, and the last deaths do not come.
    assert sum(len(desk.deaths) for desk in desks) >= len(desks) * 0.6
