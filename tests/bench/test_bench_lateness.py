"""How late a clock is told: from its instant to the row in the outbox, with 100,000 tickets whose clocks run and mail that comes in.

`make bench` runs it, and prints the figures; it takes some minutes.
"""

import asyncio
import contextlib
import random
import smtplib
import sqlite3
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from maild.cli.demo_stage import Sink
from maild.config import load
from maild.config.office import office
from maild.daemon import basis_of, running
from maild.desk import Told
from maild.desk.decision import clocks_of
from maild.mail import Address
from maild.store import Ledger, Record
from maild.ticket import Event, Message, Severity, State, Ticket

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

IDLE = 100_000
"""Tickets with running clocks that want nothing in the meantime."""

SECONDS, A_SECOND, BURSTS, IN_A_BURST = 60, 20, (20, 40), 100
MAILS_A_SECOND = 5
AGENTS = 700
"""Nobody is told more than two things a minute: all of it is single mails."""

MOST = 1.0
PIECE = 500
TARGET = timedelta(hours=1)

CONFIG = """
[desk]
address = "csm@desk.example"
data_dir = "data"
[database]
url = "{url}"
[[mailbox]]
address = "csm@desk.example"
team = ["a0"]
[sla.normal]
calendar = "always"
first_response = ["1h", "2h"]
resolution = ["10d", "20d"]
[smtp]
listen = "127.0.0.1:0"
per_sender_hour = 100000
[relay]
host = "127.0.0.1"
port = {port}
"""
AGENT = '[[agent]]\nid = "a{0}"\naddress = "a{0}@staff.example"\n'


class Tickets:
    """Makes tickets whose first clock is due at an instant, a customer's message and its event with each."""

    def __init__(self, config):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        carol = Address("Carol", "carol@acme.example")
        self.ticket = Ticket(
            0, "csm@desk.example", "", State.NEW, Severity.NORMAL, (), carol, (carol.address,), None, at, "customer", ""
        )
        self.event = Event(at, carol.address, "opened", "it opens a ticket", {"severity": "normal"})
        self.clocks = clocks_of(office(config, ()), self.ticket, Told((self.event,)), at)

    def record(self, number, due):
        by = due - TARGET - self.ticket.opened_at
        at = self.ticket.opened_at + by
        ticket = replace(
            self.ticket,
            number=number,
            subject=f"Matter of order {number}",
            assignee=f"a{number % AGENTS}",
            opened_at=at,
            root_id=f"root.{number}@desk.example",
        )
        text = "The words of this matter, as its writer put them down that day in a line or two."
        message = Message(
            10_000_000 + number,
            number,
            f"m{number}@acme.example",
            at,
            ticket.requester,
            "customer",
            "",
            "it opens it",
            ticket.subject,
            text,
            "",
            f"b{number}",
            ("csm@desk.example",),
        )
        clocks = tuple(
            (
                replace(
                    clock,
                    spans=tuple((start + by, None) for start, _ in clock.spans),
                    target_at=clock.target_at + by,
                    limit_at=clock.limit_at + by,
                ),
                next_at + by,
            )
            for clock, next_at in self.clocks
        )
        return Record(at=at, ticket=ticket, messages=(message,), clocks=clocks, events=(replace(self.event, at=at),))


async def fill(ledger, tickets, dues):
    """Write a ticket for each instant; give their numbers with it."""
    numbers = await ledger.reserve("ticket", len(dues))
    pairs = list(zip(numbers, dues, strict=True))
    for start in range(0, len(pairs), PIECE):
        await ledger.record([tickets.record(number, due) for number, due in pairs[start : start + PIECE]])
    return dict(pairs)


def spread(rand, start):
    """Give the instants of a minute: so many a second, and some at one instant."""
    steady = [start + timedelta(seconds=rand.uniform(0, SECONDS)) for _ in range(SECONDS * A_SECOND)]
    return steady + [start + timedelta(seconds=second) for second in BURSTS for _ in range(IN_A_BURST)]


class Eye:
    """Looks into the outbox all the time, over a connection of its own, and writes down when it saw which ticket's row."""

    SQL = "SELECT id, ticket FROM outbox WHERE kind = 'escalation' AND id > {0} ORDER BY id"

    def __init__(self, url):
        self.url, self.seen, self.over = url, {}, threading.Event()
        self.thread = threading.Thread(target=self.look_sqlite if url.startswith("sqlite") else self.look_postgres)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *fault):
        self.over.set()
        self.thread.join()

    def note(self, rows, last):
        at = time.time()
        for _, ticket in rows:
            self.seen.setdefault(ticket, at)
        return rows[-1][0] if rows else last

    def look_sqlite(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.url.removeprefix('sqlite://')}?mode=ro", uri=True)) as con:
            last = 0
            while not self.over.wait(0.01):
                last = self.note(con.execute(self.SQL.format("?"), (last,)).fetchall(), last)

    def look_postgres(self):
        async def look():
            con = await asyncpg.connect(self.url)
            last = 0
            while not self.over.is_set():
                last = self.note(await con.fetch(self.SQL.format("$1"), last), last)
                await asyncio.sleep(0.01)
            await con.close()

        asyncio.run(look())


def write(port, until, sent):
    """Send mail as customers do, so many a second."""
    number = 0
    while (now := time.monotonic()) < until:
        number += 1
        head = f"From: u{number}@c{number}.example\r\nTo: csm@desk.example\r\nMessage-ID: <n{number}@c.example>\r\n"
        mail = f"{head}Subject: Something new {number}\r\n\r\nHow do I do that, {number}?\r\n".encode()
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.sendmail(f"u{number}@c{number}.example", ["csm@desk.example"], mail)
        sent.append(number)
        time.sleep(max(0.0, now + 1 / MAILS_A_SECOND - time.monotonic()))


async def test_a_clock_is_told_within_a_second_among_a_hundred_thousand(url, tmp_path, capsys):
    rand = random.Random(100)
    (tmp_path / "data").mkdir()
    sink = Sink(tmp_path / "data")
    config_file = tmp_path / "maild.toml"
    agents = "".join(map(AGENT.format, range(AGENTS)))
    config_file.write_text(CONFIG.format(url=url, port=await sink.start()) + agents, "utf-8")
    config = load(config_file, {})
    tickets = Tickets(config)
    ledger = await Ledger.open(url)
    begun = time.monotonic()
    try:
        await ledger.count_by(basis_of(config), datetime.now(UTC))
        later = datetime.now(UTC) + timedelta(hours=1)
        await fill(ledger, tickets, [later + timedelta(seconds=rand.uniform(0, 3000)) for _ in range(IDLE)])
        filled = time.monotonic() - begun
        start = datetime.now(UTC) + timedelta(seconds=20)
        due = await fill(ledger, tickets, spread(rand, start))
        # A server does this by itself within a minute.
        if url.startswith("postgres"):
            con = await asyncpg.connect(url)
            await con.execute("ANALYZE")
            await con.close()
    finally:
        await ledger.close()
    sent = []
    async with running(config) as daemon:
        assert datetime.now(UTC) < start, "the machine is too slow for this"
        with Eye(url) as eye:
            await asyncio.sleep((start - datetime.now(UTC)).total_seconds())
            until = time.monotonic() + SECONDS
            await asyncio.to_thread(write, daemon.addresses[0][1], until, sent)
            async with asyncio.timeout(120):
                while len(eye.seen) < len(due):  # noqa: ASYNC110 - the ledger tells nobody
                    await asyncio.sleep(0.1)
    sink.stop()
    late = {number: eye.seen[number] - at.timestamp() for number, at in due.items()}
    at_once = {at for at, count in Counter(due.values()).items() if count > 1}
    whole, few, many = (
        figures([late[number] for number, at in due.items() if (at in at_once) in which])
        for which in ((True, False), (False,), (True,))
    )
    engine = url.partition(":")[0]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{engine}: {len(due)} clocks told among {IDLE}, {len(sent)} mails meanwhile (filled in {filled:.0f} s)\n"
            f"late: {whole}; those one by one: {few}; {IN_A_BURST} at once: {many}\n"
        )
    assert min(late.values()) >= 0
    assert statistics.quantiles(late.values(), n=100)[98] < MOST


def figures(late):
    cuts = statistics.quantiles(late, n=100)
    return f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, at most {max(late) * 1000:.0f} ms"
