"""A daemon that dies by SIGKILL at a step of our choice, on a clock that whoever started it sets.

It reads lines on stdin and answers each with a line on stdout. `start 17 CONFIG` starts a daemon (`ready PORT`), which dies
at its 17th step, or never for 0; then `until INSTANT` and `settle` let it do all there is to do by then (`done`), and `stop`
ends it (`stopped 105`, the steps it made). Whenever it dies instead: `killed before the commit of ...`.

A step is each side of every COMMIT to the ledger, and each side of every mail that is handed to the smarthost. The clock
stands in a file beside CONFIG, so whoever comes after a death goes on at the same instant.
"""

import asyncio
import functools
import os
import signal
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from maild import daemon as wiring
from maild import watch
from maild.config import load
from maild.ingest.parse import parse
from maild.outbound.relay import Relay
from maild.store import door_postgres
from maild.store.door import Read
from maild.store.owing import MOURNING

PATIENCE = 45.0
LEASE = timedelta(minutes=15)
"""How long the outbox claims a mail."""

OWED_NOW = """SELECT count(*) AS owed FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL
AND (not_before <= ? OR taken_by = ? OR taken_by IS NOT NULL AND not_before <= ?)"""
TOGETHER = 3
"""Tickets judged in one unit: few, so that a small storm is several."""


class Fate:
    """Counts steps, and ends this process at one of them."""

    def __init__(self, folder, last):
        self.folder, self.last, self.made = folder, last, 0

    def step(self, what):
        self.made += 1
        if self.made == self.last:
            (self.folder / "death").write_text(what, "utf-8")
            os.kill(os.getpid(), signal.SIGKILL)


def fated(fate):
    """Make every commit and every hand-over from now on a step before and a step after it."""
    _commits_of_sqlite(fate)
    _commits_of_postgres(fate)
    _hand_overs(fate)


def _commits_of_sqlite(fate):
    class Counted(sqlite3.Connection):
        unit = "a schema"

        def execute(self, sql, *params):
            if sql == "COMMIT":
                fate.step(f"before the commit of {self.unit}")
            elif sql == "BEGIN IMMEDIATE":
                self.unit = "nothing"
            elif self.in_transaction:
                self.unit = " ".join(sql.split()[:3])
            done = super().execute(sql, *params)
            if sql == "COMMIT":
                fate.step(f"after the commit of {self.unit}")
            return done

    sqlite3.connect = functools.partial(sqlite3.connect, factory=Counted)


def _commits_of_postgres(fate):
    unit = door_postgres.run_unit

    class Watched:
        def __init__(self, con, end):
            self.con, self.end = con, end

        def __getattr__(self, name):
            return getattr(self.con, name)

        async def execute(self, query, *params, **more):
            if query == self.end:
                fate.step("before a commit")
            done = await self.con.execute(query, *params, **more)
            if query == self.end:
                fate.step("after a commit")
            return done

    door_postgres.run_unit = lambda con, begin, statements, end: unit(Watched(con, end), begin, statements, end)


def _hand_overs(fate):
    send = Relay.send

    async def handed_over(relay, envelope_from, rcpt, octets):
        fate.step(f"before a mail to {rcpt}")
        reply = await send(relay, envelope_from, rcpt, octets)
        fate.step(f"after a mail to {rcpt}")
        return reply

    Relay.send = handed_over


class InThisProcess:
    """Parses where we stand: the workers have tests of their own, and take a second to start."""

    async def parse(self, octets, return_path):
        return parse(octets, return_path=return_path)

    async def warm(self):
        return

    async def close(self):
        return


class Desk:
    def __init__(self, path):
        self.config = load(path, {})
        self.clock = path.parent / "clock"
        self.at = datetime.fromisoformat(self.clock.read_text("utf-8"))

    def move(self, at):
        # Whole or not at all: another thread may die meanwhile.
        new = self.clock.with_suffix(".new")
        new.write_text(at.isoformat(), "utf-8")
        new.replace(self.clock)
        self.at = at

    async def settled(self, daemon):
        now = self.at
        async with asyncio.timeout(PATIENCE):
            await daemon.intake.caught_up()
            daemon.watch.wake.set()
            while await waits(daemon.ledger, now):  # noqa: ASYNC110 - the ledger tells nobody
                await asyncio.sleep(0.005)
            daemon.outbox.wake.set()
            while await owed_now(daemon.ledger, now):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.005)

    async def until(self, daemon, instant):
        await self.settled(daemon)
        while (at := await due_at(daemon.ledger)) is not None and at <= instant:
            self.move(max(at, self.at))
            await self.settled(daemon)
        self.move(instant)
        await self.settled(daemon)

    async def run(self, lines):
        async with wiring.running(self.config, lambda: self.at) as daemon:
            say(f"ready {daemon.addresses[0][1]}")
            while (line := await asyncio.to_thread(lines.readline)) not in {b"stop\n", b""}:
                if line.startswith(b"until "):
                    await self.until(daemon, datetime.fromisoformat(line[6:].strip().decode()))
                else:
                    await self.settled(daemon)
                say("done")


async def due_at(ledger):
    """Give when the daemon next has something to do that time alone makes it do."""
    return min(
        (at for at in (await ledger.next_watch_at(), await ledger.next_digest_at()) if at is not None), default=None
    )


async def waits(ledger, now):
    """Say whether a clock or a digest is due, also one that a dead daemon had in hand."""
    digest_at = await ledger.next_digest_at()
    return await ledger.is_due(now) or (digest_at is not None and digest_at <= now)


async def owed_now(ledger, now):
    """Count the mails that are to leave: where daemons may share a ledger, what a dead one had in hand waits for a minute."""
    ((line,),) = await ledger._door.read([Read(OWED_NOW, (now, ledger._door.name, now + LEASE - MOURNING))])
    return line["owed"]


def say(words):
    os.write(1, f"{words}\n".encode())


def lived(path, lines, last):
    """Run the daemon in this process, which ends with it."""
    structlog.configure(
        logger_factory=structlog.ReturnLoggerFactory(), processors=[structlog.processors.JSONRenderer(default=str)]
    )
    fate = Fate(path.parent, last)
    fated(fate)
    wiring.Parsers = InThisProcess
    watch.TOGETHER = TOGETHER
    asyncio.run(Desk(path).run(lines))
    say(f"stopped {fate.made}")


def main():
    lines = os.fdopen(0, "rb", buffering=0, closefd=False)
    while line := lines.readline():
        if not line.startswith(b"start "):
            continue  # it was said to a daemon that died before it heard it
        last, _, name = line.decode().strip().removeprefix("start ").partition(" ")
        path = Path(name)
        child = os.fork()
        if child == 0:
            try:
                lived(path, lines, int(last))
            except BaseException as fault:  # noqa: BLE001 - the story is told what went wrong
                say(f"failed {type(fault).__name__} {fault}".replace("\n", " "))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            say(f"killed {(path.parent / 'death').read_text('utf-8')}")


if __name__ == "__main__":
    main()
