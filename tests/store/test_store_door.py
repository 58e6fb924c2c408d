"""Guards: cancelled callers, other processes, kill -9."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from maild.store.door import Write
from maild.store.door_sqlite import SqliteDoor
from maild.store.faults import ConflictError, LedgerBusyError, LedgerClosedError, LedgerError
from maild.store.ledger import Ledger, path_of
from maild.store.record import Record

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from maild.mail import Envelope
from maild.store.ledger import Ledger

async def main(url, name, count):
    ledger = await Ledger.open(url)
    for n in range(count):
        env = Envelope("", (name,), "file", "", datetime(2026, 3, 11, tzinfo=UTC))
        ((id_,),) = await ledger.accept([(env, b"%d" % n)])
        print(id_, flush=True)
    await ledger.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_300_random_cancels_leave_the_ledger_usable_and_consistent(ledger, make, now):
    chance = random.Random(7)
    await ledger.record([Record(at=now, ticket=make.ticket())])

    async def caller(n):
        await ledger.reserve("x", 1)
        await ledger.accept([(make.env(), b"%d" % n)])
        await ledger.received(limit=5)
        await ledger.record([Record(at=now, event_ticket=1001, events=(make.event(), make.event()))])
        await ledger.events(1001)

    async def cancelled(n):
        task = asyncio.create_task(caller(n))
        await asyncio.sleep(chance.random() * 0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for batch in range(15):
        await asyncio.gather(*(cancelled(batch * 20 + n) for n in range(20)))
    async with asyncio.timeout(30):
        # A slow disk is no lock that was left behind.
        await asyncio.gather(*ledger._door._flying, return_exceptions=True)
    started = time.monotonic()
    await ledger.accept([(make.env(), b"last")])
    assert len(await ledger.received(limit=1)) == 1
    assert time.monotonic() - started < 1
    assert len(await ledger.events(1001)) % 2 == 0


async def test_a_cancelled_caller_does_not_cancel_the_unit_that_waits_behind_another(sqlite_ledger, make):
    slow = asyncio.create_task(sqlite_ledger._door.run(lambda con: time.sleep(0.1)))
    waiting = asyncio.create_task(sqlite_ledger.accept([(make.env(), b"x")]))
    await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await slow
    await sqlite_ledger.reserve("x", 1)
    assert await sqlite_ledger.waiting_count() == 1


async def test_close_awaits_units_in_flight_and_refuses_later_ones(url, make):
    ledger = await Ledger.open(url)
    units = [asyncio.create_task(ledger.accept([(make.env(), b"%d" % n)])) for n in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(ledger.close(), ledger.close())
    await asyncio.gather(*units)
    await ledger.close()
    with pytest.raises(LedgerClosedError):
        await ledger.accept([(make.env(), b"late")])
    again = await Ledger.open(url)
    assert await again.waiting_count() == 20
    await again.close()


async def test_a_unit_that_fails_leaves_nothing(ledger):
    insert = "INSERT INTO sequence (name, next) VALUES (?, ?)"
    for second, fault in (
        (Write(insert, ("a", 2)), ConflictError),
        (Write("UPDATE sequence SET next = 3 WHERE name = 'none'", expect=1), ConflictError),
        (Write("SELECT 1", expect=2), ConflictError),
        (Write("nonsense"), LedgerError),
        (Write(insert, ("b", "no number")), LedgerError),
    ):
        with pytest.raises(fault):
            await ledger._door.write([Write(insert, ("a", 1)), second])
    (rows,) = await ledger._door.write([Write("SELECT count(*) FROM sequence")])
    assert rows == [(0,)]


async def test_reads_never_wait_for_the_writer_and_see_what_was_committed(sqlite_ledger, make):
    await sqlite_ledger.accept([(make.env(), b"x")])
    slow = asyncio.create_task(sqlite_ledger._door.run(_hold_the_lock))
    started = time.monotonic()
    assert await sqlite_ledger.waiting_count() == 1
    assert time.monotonic() - started < 0.25
    await slow


def _hold_the_lock(con: sqlite3.Connection) -> None:
    con.execute("BEGIN IMMEDIATE")
    time.sleep(0.5)
    con.execute("COMMIT")


async def test_the_reading_connection_cannot_write(ledger):
    with pytest.raises(Exception, match=r"read-?only"):
        await ledger._context.db().execute_query("DELETE FROM sequence")


async def test_another_process_writes_while_we_are_inside_units(sqlite_ledger, sqlite_url, make):
    async def inside():
        for _ in range(4):
            await sqlite_ledger._door.run(_hold_the_lock)

    ours = asyncio.create_task(inside())
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, sqlite_url, "cli", "40", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for n in range(40):
        await sqlite_ledger.accept([(make.env(), b"%d" % n)])
    out, err = await other.communicate()
    await ours
    assert (other.returncode, err, len(out.split())) == (0, b"", 40)
    assert await sqlite_ledger.waiting_count() == 80


async def test_commands_write_while_we_are_inside_units(ledger, url, make, now, tmp_path):
    await ledger.record([Record(at=now, ticket=make.ticket())])
    broken = [ids[0] for ids in await ledger.accept([(make.env(), b"%d" % n) for n in range(3)])]
    for number in broken:
        await ledger.quarantine(number, "fault", now)
    file = tmp_path / "maild.toml"
    agent = '[[agent]]\nid = "ann"\naddress = "ann@staff.example"\n'
    file.write_text(f'[desk]\naddress = "csm@example.com"\ndata_dir = "."\n[database]\nurl = "{url}"\n{agent}')
    done = asyncio.Event()

    async def inside():
        while not done.is_set():
            async with ledger.deciding():
                if url.startswith("sqlite"):
                    await ledger._door.run(_hold_the_lock)
                else:
                    await ledger._door.write([Write("SELECT 1 FROM pg_sleep(0.5)")], turn=True)
            await asyncio.sleep(0.1)

    async def command(*words):
        other = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "maild", *map(str, words), "-c", file),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _, err = await other.communicate()
        return other.returncode, err.decode()

    ours = asyncio.create_task(inside())
    ends = await asyncio.gather(
        command("ticket", "assign", 1001, "ann"),
        command("quarantine", "retry", broken[0]),
        command("quarantine", "drop", broken[1]),
    )
    ends.append(await command("ticket", "resolve", 1001))
    done.set()
    await ours
    assert [code for code, _ in ends] == [0] * 4, ends
    assert not any("lock" in err for _, err in ends)
    ticket = await ledger.ticket(1001)
    assert (ticket.assignee, ticket.state) == ("ann", "resolved")
    assert {line.id: line.state for line in await ledger.received()} == dict(
        zip(broken, ("waiting", "dropped", "quarantined"), strict=True)
    )


async def test_a_lock_that_is_never_released_is_busy_and_the_next_unit_works(sqlite_ledger, sqlite_url, monkeypatch):
    monkeypatch.setattr("maild.store.door_sqlite.PATIENCE_SECONDS", 0.05)
    await sqlite_ledger._door.run(lambda con: con.execute("PRAGMA busy_timeout = 20"))
    holder = sqlite3.connect(path_of(sqlite_url), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerBusyError):
        await sqlite_ledger.reserve("x", 1)
    holder.execute("ROLLBACK")
    holder.close()
    assert await sqlite_ledger.reserve("x", 1) == range(1, 2)


@pytest.mark.parametrize("after", [1, 17, 60])
async def test_what_was_promised_survives_kill_9(url, after):
    command = [sys.executable, "-c", WRITER, url, "crash", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as crashing:  # noqa: ASYNC220 - nothing else runs here
        promised = [int(crashing.stdout.readline()) for _ in range(after)]
        crashing.send_signal(signal.SIGKILL)
        promised += [int(line) for line in crashing.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    ledger = await Ledger.open(url, exclusive=True)
    there = await ledger.received(limit=1_000_000)
    assert set(promised) <= {line.id for line in there}
    assert len({await ledger.octets(line.digest) for line in there}) == len(there)
    await ledger.close()


async def test_a_full_disk_is_an_error_and_no_conflict(sqlite_ledger, make, now):
    await sqlite_ledger._door.run(lambda con: con.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(LedgerError) as caught:
        await sqlite_ledger.accept([(make.env(), random.Random(1).randbytes(900_000))])
    assert not isinstance(caught.value, ConflictError)
    await sqlite_ledger._door.run(lambda con: con.execute("PRAGMA max_page_count = 1000000"))
    await sqlite_ledger.accept([(make.env(), b"x")])
    assert len(await sqlite_ledger.take(9, now=now + timedelta(days=1))) == 1


async def test_a_door_without_a_folder(tmp_path):
    with pytest.raises(LedgerError, match="unable to open"):
        await SqliteDoor.open(tmp_path / "none" / "maild.db")
