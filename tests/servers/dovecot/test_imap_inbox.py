"""One folder in this very process, on a clock that is moved: the comparison of the night, and when mail counts as received."""

import asyncio
import contextlib
import random
import socket
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from maild.ingest import imap, imap_worker

PATIENCE = 45.0


async def eventually(true):
    end = time.monotonic() + PATIENCE
    while not (found := await true()):
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.05)
    return found


async def put(dovecot, *args, **more):
    await asyncio.to_thread(dovecot.put, *args, **more)


def fetched(ledger, count):
    async def enough():
        rows = await ledger.received()
        return rows if len(rows) >= count else None

    return eventually(enough)


def looked(tmp_path):
    async def at():
        with contextlib.closing(sqlite3.connect(tmp_path / "maild.db")) as con:
            rows = con.execute("SELECT looked_at FROM mailbox WHERE looked_at IS NOT NULL").fetchall()
        return rows and datetime.fromisoformat(rows[0][0])

    return eventually(at)


async def test_what_differs_is_found_at_night(dovecot, ledger, clock, fetching, letter, tmp_path):
    for number in range(3):
        await put(dovecot, letter(f"Mail {number}"))
    await put(dovecot, letter("Large", text="x" * 120_000))
    async with fetching() as inbox:
        await fetched(ledger, 3)
        await looked(tmp_path)
        assert inbox.reconciled is None
    # One is taken out of the folder by somebody, and one out of the ledger by a fault of ours.
    with dovecot.client() as client:
        client.select("INBOX")
        client.uid("STORE", "1", "+FLAGS", "\\Deleted")
        client.expunge()
    with contextlib.closing(sqlite3.connect(tmp_path / "maild.db", timeout=PATIENCE)) as con:
        con.execute("DELETE FROM mailbox_uid WHERE uid = 2")
        con.commit()
    clock.ahead += timedelta(days=1)
    async with fetching() as inbox:

        async def compared():
            return inbox.reconciled

        found = await eventually(compared)
        assert (found.unknown, found.gone, [uid for uid, _ in found.not_fetched]) == ((2,), (1,), [4])
        assert (found.on_server, found.differs) == (3, True)
        clock.ahead += timedelta(days=1)
        await put(dovecot, letter("Wakes it"))

        async def again():
            return inbox.reconciled is not found and inbox.reconciled

        # Who was told once is not told again, but for what still lies there unfetched.
        later = await eventually(again)
        assert (later.unknown, later.gone, [uid for uid, _ in later.not_fetched]) == ((), (), [4])
    # What the ledger had forgotten came with octets that it knows: no mail again.
    assert len(await ledger.received()) == 4


async def test_a_mail_that_waited_was_received_while_it_waited(dovecot, ledger, clock, fetching, letter, tmp_path):
    clock.ahead -= timedelta(days=1)
    async with fetching():
        first = await looked(tmp_path)
    # The daemon is down for a day; a mail comes in the middle of it, and somebody drags an old one into the folder.
    clock.ahead += timedelta(days=1)
    waited = (clock() - timedelta(hours=6)).replace(microsecond=0)
    await put(dovecot, letter("Waited"), at=waited.timestamp())
    await put(dovecot, letter("Old"), at=(first - timedelta(days=400)).timestamp())
    async with fetching():
        old, found = await fetched(ledger, 2)
    assert found.received_at == waited
    assert timedelta() <= old.received_at - first < timedelta(minutes=1)


async def test_at_the_first_look_everything_comes_now(dovecot, ledger, clock, fetching, letter):
    await put(dovecot, letter("A year ago"), at=(clock() - timedelta(days=400)).timestamp())
    async with fetching():
        (row,) = await fetched(ledger, 1)
    assert abs(row.received_at - clock()) < timedelta(minutes=1)


async def test_many_cancels_leave_the_folder_free(dovecot, ledger, clock, fetching, letter):
    await put(dovecot, letter())
    rng = random.Random(7)
    for _ in range(25):
        async with fetching():
            await asyncio.sleep(rng.random() * 0.15)
    at = time.monotonic()
    async with fetching():
        await fetched(ledger, 1)
    assert time.monotonic() - at < PATIENCE / 3
    assert len(await ledger.received()) == 1


async def test_a_server_that_is_away_is_tried_again_and_beats(dovecot, ledger, fetching, letter):
    await asyncio.to_thread(dovecot.stop)
    async with fetching() as inbox:
        await asyncio.sleep(2.5)
        assert not inbox.pulse.late
        await asyncio.to_thread(dovecot.start)
        await put(dovecot, letter())
        await fetched(ledger, 1)


async def test_each_mail_is_moved_where_it_belongs(dovecot, ledger, fetching, letter):
    for number in range(3):
        await put(dovecot, letter(f"Mail {number}"))
    async with fetching(done_folder="Done", quarantine_folder="Aside/Today") as inbox:
        _, dropped, broken = await fetched(ledger, 3)
        now = datetime.now(UTC)
        await ledger.quarantine(broken.id, "it broke us", now)
        await ledger.give_up("waiting", dropped.id, "no mail", now)
        inbox.nudge()

        async def moved():
            return [dovecot.uids(folder) for folder in ("INBOX", "Done", "Aside/Today")] == [[3], [1], [1]]

        await eventually(moved)
        # The one that waits stays, and looking at it again changes nothing.
        await put(dovecot, letter("Another"))
        await fetched(ledger, 4)
    assert dovecot.uids() == [3, 4]


async def test_a_move_that_is_refused_stops_no_mail(dovecot, ledger, fetching, letter):
    await put(dovecot, letter())
    # Nobody may write into that folder, as with a quota or a right that is missing.
    with dovecot.client() as client:
        client.create("Done")
    folder = dovecot.home / "mail" / "csm@desk.example" / ".Done"
    folder.chmod(0o500)
    for inner in folder.iterdir():
        if inner.is_dir():
            inner.chmod(0o500)
    with structlog.testing.capture_logs() as logs:
        async with fetching(done_folder="Done") as inbox:
            (row,) = await fetched(ledger, 1)
            await ledger.give_up("waiting", row.id, "no mail", datetime.now(UTC))
            inbox.nudge()

            async def refused():
                return [line for line in logs if line["event"] == "imap.not_moved"]

            await eventually(refused)
            await put(dovecot, letter("Another"))
            await fetched(ledger, 2)
            assert not [line for line in logs if line["event"] == "imap.failed"]
    assert dovecot.uids() == [1, 2]
    for path in (folder, *folder.iterdir()):
        path.chmod(0o700)


@pytest.fixture
def make_silent():
    """Make a server that answers so many commands, and then says nothing any more."""
    listening = []

    def make(answers):
        sock = socket.create_server(("127.0.0.1", 0))
        listening.append(sock)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    each, _ = sock.accept()
                    listening.append(each)
                    each.sendall(b"* OK hello\r\n")
                    with each.makefile("rb") as lines:
                        for _ in range(answers):
                            tag = lines.readline().split()[0]
                            each.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")

        threading.Thread(target=serve, daemon=True).start()
        return sock.getsockname()[1]

    yield make
    for sock in listening:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()


@pytest.mark.parametrize("answers", [0, 1, 2])
async def test_it_stops_in_the_middle_of_a_dialogue(answers, fetching, make_silent):
    async with fetching(port=make_silent(answers)):
        await asyncio.sleep(0.5)
        at = time.monotonic()
    # A second, and what a busy machine adds.
    assert time.monotonic() - at < 5


async def test_a_worker_that_hangs_is_cut(fetching, make_silent, monkeypatch):
    monkeypatch.setattr(imap, "RENEW", 0.2)
    monkeypatch.setattr(imap_worker, "PATIENCE", 0.5)
    with structlog.testing.capture_logs() as logs:
        async with fetching(port=make_silent(2)) as inbox:

            async def failed():
                return [line for line in logs if line["event"] == "imap.failed"]

            (line, *_) = await eventually(failed)
            assert not inbox.pulse.late
    assert "keeps us waiting" in line["fault"]
