"""One folder in this very process, on a clock that is moved: the comparison of the night, and when mail counts as received."""

import asyncio
import contextlib
import random
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from maild.ingest.imap import Inbox
from maild.ingest.imap_account import Account
from maild.store import Ledger

PATIENCE = 45.0


@pytest.fixture
async def ledger(tmp_path):
    opened = await Ledger.open(f"sqlite://{tmp_path}/maild.db")
    yield opened
    await opened.close()


class Clock:
    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fetching(dovecot, ledger, clock):
    """Fetch for the length of a block."""

    @contextlib.asynccontextmanager
    async def run(**changes):
        values = {
            "mailbox": "csm@desk.example",
            "host": "127.0.0.1",
            "port": dovecot.port,
            "tls": "none",
            "ca_file": None,
            "username": "csm@desk.example",
            "auth": "password",
            "password": "secret",
            "grant": None,
            "folder": "INBOX",
            "since": "all",
            "idle": True,
            "poll": 1,
            "done_folder": "",
            "quarantine_folder": "",
            "most_octets": 100_000,
            "zone": ZoneInfo("Europe/Berlin"),
        }
        inbox = Inbox(
            Account(**{**values, **changes}),
            ledger,
            stored=lambda: None,
            bears_token=lambda _: False,
            now=clock,
            rng=random.Random(1),
        )
        task = asyncio.create_task(inbox.run())
        try:
            yield inbox
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return run


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
        await put(dovecot, letter("Wakes it"))

        async def compared():
            return inbox.reconciled

        found = await eventually(compared)
        assert (found.unknown, found.gone, [uid for uid, _ in found.not_fetched]) == ((2,), (1,), [4])
        assert (found.on_server, found.differs) == (4, True)
        await fetched(ledger, 4)
        clock.ahead += timedelta(days=1)
        await put(dovecot, letter("Wakes it again"))

        async def again():
            return inbox.reconciled is not found and inbox.reconciled

        # Who was told once is not told again, but for what still lies there unfetched.
        later = await eventually(again)
        assert (later.unknown, later.gone, [uid for uid, _ in later.not_fetched]) == ((), (), [4])
    assert len({row.digest for row in await ledger.received()}) == 5


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
        await ledger.drop(dropped.id, "no mail", now)
        inbox.nudge()

        async def moved():
            return [dovecot.uids(folder) for folder in ("INBOX", "Done", "Aside/Today")] == [[3], [1], [1]]

        await eventually(moved)
        # The one that waits stays, and looking at it again changes nothing.
        await put(dovecot, letter("Another"))
        await fetched(ledger, 4)
    assert dovecot.uids() == [3, 4]
