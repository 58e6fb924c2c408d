"""A line that is cut at random, a folder that fills meanwhile, sessions that are stopped: every mail once."""

import asyncio
import contextlib
import random
import sqlite3
import time
from datetime import UTC, datetime

import pytest

from maild.ingest import imap_plan, imap_strikes

PATIENCE = 60.0
MAILS = 60


async def eventually(true):
    end = time.monotonic() + PATIENCE
    while not (found := await true()):
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.05)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_mail_once(seed, dovecot, ledger, fetching, make_proxy, letter, monkeypatch, tmp_path):
    # How long it waits after a failure is told elsewhere; here it is about what comes after the wait.
    monkeypatch.setattr(imap_plan, "_AWAY", (0.02,))
    monkeypatch.setattr(imap_strikes, "_AGAIN", (0.2,))
    rng = random.Random(seed)
    proxy = make_proxy(dovecot.port, [rng.choice((400, 2_000, 20_000, 90_000)) for _ in range(40)])
    octets = [letter(f"Mail {number}", text="x" * rng.randrange(40_000)) for number in range(MAILS)]
    given = iter(octets)
    while len(left := list(given)):
        given = iter(left)
        async with fetching(port=proxy.port, done_folder="Done", most_octets=10**6):
            for mail in [next(given, None) for _ in range(rng.randrange(5, 20))]:
                if mail is not None:
                    await asyncio.to_thread(dovecot.put, mail)
            await asyncio.sleep(rng.random())
    async with fetching(port=proxy.port, done_folder="Done", most_octets=10**6) as inbox:

        async def all_there():
            return await ledger.waiting_count() >= MAILS

        await eventually(all_there)
        for row in await ledger.received():
            await ledger.give_up("waiting", row.id, "decided on", datetime.now(UTC))

        async def all_moved():
            inbox.nudge()
            return dovecot.uids() == [] and dovecot.uids("Done")

        moved = await eventually(all_moved)
    assert len(moved) == MAILS
    assert proxy.connections > 5, "nothing was cut"
    rows = await ledger.received()
    assert len(rows) == len({row.digest for row in rows}) == MAILS
    with contextlib.closing(sqlite3.connect(tmp_path / "maild.db")) as con:
        noted = con.execute("SELECT count(*), count(DISTINCT uid), count(DISTINCT digest) FROM mailbox_uid").fetchall()
    assert noted == [(MAILS, MAILS, MAILS)]
