"""A folder on a server that lies or hangs up over one message: the others come, and the one is named."""

import asyncio
import contextlib
import random
import socket
import sqlite3
import threading
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from maild.ingest import imap_plan, imap_strikes, imap_worker
from maild.ingest.imap import Inbox
from maild.ingest.imap_account import Account
from maild.store import Ledger

PATIENCE = 45.0
MOST = 5000
BAD = 3
UIDS = [1, 2, 3, 4, 5, 6, 7]


class Server:
    """Holds one folder of small mails. `does` says what it does when BAD is asked for, in answer to `word`."""

    def __init__(self, does, word):
        self.does = does
        self.word = word
        self.sessions = 0
        self.asked = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listening.accept()
                self.sessions += 1
                threading.Thread(target=self.speak, args=(sock,), daemon=True).start()

    def speak(self, sock):
        with sock, sock.makefile("rb") as lines, contextlib.suppress(OSError):
            sock.sendall(b"* OK hello\r\n")
            for line in lines:
                tag, _, words = line.decode().strip().partition(" ")
                said = self.answer(sock, words)
                if said is None:
                    return
                sock.sendall(f"{said}{tag} OK done\r\n".encode())

    def answer(self, sock, words):
        if words.startswith("CAPABILITY"):
            return "* CAPABILITY IMAP4rev1\r\n"
        if words.startswith("EXAMINE"):
            return f"* {len(UIDS)} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"
        if words.startswith("UID SEARCH"):
            return f"* SEARCH {' '.join(map(str, UIDS))}\r\n"
        if words.startswith("UID FETCH"):
            uids = [int(uid) for uid in words.split()[2].split(",")]
            self.asked.append(uids)
            return self.fetch(sock, uids, words)
        return ""

    def fetch(self, sock, uids, words):
        said = ""
        for uid in uids:
            mail = f"Subject: {uid}\r\n\r\nHello {uid}.\r\n"
            if uid == BAD and self.word in words:
                found = self.does(sock)
                if found is None:
                    return None
                mail = found
            if "RFC822.SIZE" in words:
                said += f'* {uid} FETCH (UID {uid} RFC822.SIZE 30 INTERNALDATE "11-Mar-2026 09:00:00 +0000")\r\n'
            else:
                said += f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(mail)}}}\r\n{mail})\r\n"
        return said


@pytest.fixture
def make_server():
    servers = []

    def make(does, word="BODY.PEEK"):
        servers.append(Server(does, word))
        return servers[-1]

    yield make
    for server in servers:
        with contextlib.suppress(OSError):
            server.listening.shutdown(socket.SHUT_RDWR)
        server.listening.close()


@pytest.fixture
async def ledger(tmp_path):
    opened = await Ledger.open(f"sqlite://{tmp_path}/maild.db")
    yield opened
    await opened.close()


@pytest.fixture
def fetching(ledger):
    @contextlib.asynccontextmanager
    async def run(server):
        account = Account(
            mailbox="csm@desk.example",
            host="127.0.0.1",
            port=server.port,
            tls="none",
            ca_file=None,
            username="csm",
            auth="password",
            password="secret",
            grant=None,
            folder="INBOX",
            since="all",
            idle=False,
            poll=0.05,
            done_folder="",
            quarantine_folder="",
            most_octets=MOST,
            zone=ZoneInfo("UTC"),
        )
        inbox = Inbox(
            account,
            ledger,
            stored=lambda: None,
            bears_token=lambda _: False,
            now=lambda: datetime.now(UTC),
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


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch):
    monkeypatch.setattr(imap_plan, "_AWAY", (0.02,))


@pytest.fixture
def noted(tmp_path):
    """Wait until all UIDs are noted in a way; give the fault of each."""

    async def wait(enough):
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.closing(sqlite3.connect(tmp_path / "maild.db", timeout=PATIENCE)) as con:
                faults = dict(con.execute("SELECT uid, fault FROM mailbox_uid").fetchall())
            if enough(faults):
                return faults
            assert time.monotonic() < end, faults
            await asyncio.sleep(0.02)

    return wait


def begins(sock, literal):
    sock.sendall(f"* 9 FETCH (UID {BAD} BODY[]<0> {{{literal}}}\r\nhalf".encode())


def all_noted(faults):
    return set(faults) == set(UIDS)


GIVEN_UP = "not given: the connection ended over it in 3 sessions"


@pytest.mark.parametrize(
    ("does", "word", "fault"),
    [
        (lambda sock: begins(sock, 500), "BODY.PEEK", GIVEN_UP),
        (lambda _: None, "RFC822.SIZE", GIVEN_UP),
        (lambda sock: begins(sock, 1 << 30), "BODY.PEEK", GIVEN_UP),
        (lambda sock: begins(sock, 99999999999999), "BODY.PEEK", GIVEN_UP),
        (lambda sock: begins(sock, "9" * 5000), "BODY.PEEK", GIVEN_UP),
        (
            lambda _: "x" * (MOST + 1),
            "BODY.PEEK",
            f"too large: larger than the server said, and smtp.max_message_bytes is {MOST}",
        ),
    ],
)
async def test_one_message_holds_up_no_other(does, word, fault, make_server, fetching, noted, ledger):
    server = make_server(does, word)
    async with fetching(server):
        faults = await noted(all_noted)
    assert faults == {uid: fault if uid == BAD else "" for uid in UIDS}
    assert len(await ledger.received()) == len(UIDS) - 1


async def test_the_others_come_first(make_server, fetching, noted):
    server = make_server(lambda sock: begins(sock, 500))
    async with fetching(server):
        await noted(all_noted)
        # Two sessions broke over all of them; a third one asked for the size of the one alone, and then for itself.
        before = server.asked[: server.asked.index([UIDS[-1]])]
        assert before.count([BAD]) <= 2
        at = len(server.asked)
        await asyncio.sleep(0.3)
    assert server.asked[at:] == []  # it is left in peace, and no session broke


async def test_one_that_was_given_up_is_asked_for_again(make_server, fetching, noted, monkeypatch):
    monkeypatch.setattr(imap_strikes, "_AGAIN", (0.3,))
    well = threading.Event()
    server = make_server(lambda sock: "Subject: well\r\n\r\nHello.\r\n" if well.is_set() else begins(sock, 500))
    async with fetching(server):
        await noted(all_noted)
        well.set()
        await noted(lambda faults: not faults[BAD])


async def test_a_server_that_keeps_us_waiting_over_one_holds_up_no_other(make_server, fetching, noted, monkeypatch):
    monkeypatch.setattr(imap_worker, "PATIENCE", 0.4)
    monkeypatch.setattr("maild.ingest.imap.RENEW", 0.05)
    monkeypatch.setattr(imap_strikes, "TOGETHER", 1)
    monkeypatch.setattr(imap_strikes, "ALONE", 1)
    monkeypatch.setattr(imap_strikes, "_AGAIN", (3.0,))

    def drips(sock):
        begins(sock, 500)
        time.sleep(2)

    async with fetching(make_server(drips)):
        faults = await noted(lambda faults: all_noted(faults) and not any(faults[uid] for uid in set(UIDS) - {BAD}))
    assert faults[BAD].startswith("not given: the connection ended over it")
