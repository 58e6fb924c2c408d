import asyncio
import json
import socket
import stat
from datetime import UTC, datetime, timedelta

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from maild.cli.app import joined
from maild.cli.terms import configuration
from maild.mail import Envelope, Outgoing
from maild.outbound.compose_summary import KINDS
from maild.store import Ledger, Record

CONFIG = """
[desk]
name = "Example Support"
address = "csm@desk.example"
time_zone = "Europe/Berlin"
data_dir = "."
[[mailbox]]
address = "csm@desk.example"
team = ["ann"]
[[agent]]
id = "ann"
name = "Ann Agent"
address = "ann@staff.example"
"""
NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
BROKEN = b"Subject: \x1b[31mred\r\n\r\nbroken \xff\r\n"


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    return path


@pytest.fixture
def config(path):
    return configuration(path)


@pytest.fixture
def ask(config):
    """Ask a ledger that is opened for the one question."""

    def asking(work):
        async def asked():
            ledger = await Ledger.open(config.database_url)
            try:
                return await work(ledger)
            finally:
                await ledger.close()

        return asyncio.run(asked())

    return asking


@pytest.fixture
def desk(path, ask):
    """Three received mails: 1 waits, 2 is quarantined, 3 is done; three owed ones: 1 waits, 2 failed, 3 was sent."""

    async def write(ledger):
        for octets in (b"one", BROKEN, b"three"):
            env = Envelope("carol@acme.example", ("csm@desk.example",), "smtp", "192.0.2.1", NOW)
            await ledger.accept([(env, octets)])
        await ledger.take(9, now=NOW)
        await ledger.quarantine(2, "ValueError: it broke", NOW + timedelta(seconds=5))
        owed = tuple(
            Outgoing(f"k{number}", "ack", 0, "", "carol@acme.example", f"o{number}@desk.example", b"x", NOW)
            for number in (1, 2, 3)
        )
        await ledger.record([Record(at=NOW, received_id=3, because="kept", outgoing=owed)])
        await ledger.failed(2, NOW, "550 no")
        await ledger.sent(3, NOW, "250 ok")
        await ledger.deferred(1, NOW + timedelta(days=900), "451 later", count=True)

    ask(write)
    return path


def run(desk, *words, code=0):
    result = CliRunner().invoke(joined(), [*words, "-c", str(desk)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def states(ask):
    return {line.id: line.state for line in ask(lambda ledger: ledger.received())}


def owed(ask):
    return {line.id: line.state for line in ask(lambda ledger: ledger.outbox())}


def test_received(desk):
    found = rows(run(desk, "received", "--json"))
    assert [(row["id"], row["state"]) for row in found] == [(3, "done"), (2, "quarantined"), (1, "waiting")]
    assert found[0]["because"] == "kept"
    assert found[1] | {"digest": ""} == {
        "id": 2,
        "digest": "",
        "mail_from": "carol@acme.example",
        "rcpt": "csm@desk.example",
        "via": "smtp",
        "peer": "192.0.2.1",
        "received_at": "2026-03-11T09:00:00Z",
        "state": "quarantined",
        "attempts": 1,
        "fault": "ValueError: it broke",
        "done_at": "2026-03-11T09:00:05Z",
        "because": "",
    }
    assert [row["id"] for row in rows(run(desk, "received", "--state", "waiting", "--json"))] == [1]
    assert [line.split()[0] for line in run(desk, "received").stdout.splitlines()] == ["id", "3", "2", "1"]


def test_quarantine_list_and_show(desk):
    (row,) = rows(run(desk, "quarantine", "list", "--json"))
    assert (row["id"], row["fault"]) == (2, "ValueError: it broke")
    assert "it broke" in run(desk, "quarantine", "list").stdout
    (shown,) = rows(run(desk, "quarantine", "show", "2", "--json"))
    assert shown == row | {"size": len(BROKEN), "head": "Subject: \x1b[31mred\r\n\r\nbroken \ufffd\r\n"}
    page = run(desk, "quarantine", "show", "2").stdout
    assert "ValueError: it broke" in page
    assert "Subject: \ufffd[31mred\n\nbroken \ufffd\n" in page
    assert "\x1b" not in page


def test_quarantine_export(desk, tmp_path):
    assert run(desk, "quarantine", "export", "2").stdout_bytes == BROKEN
    file = tmp_path / "broken.eml"
    run(desk, "quarantine", "export", "2", str(file))
    assert file.read_bytes() == BROKEN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "File exists" in run(desk, "quarantine", "export", "2", str(file), code=65).stderr


@pytest.mark.parametrize(("number", "code"), [("1", 65), ("3", 65), ("99", 65)])
@pytest.mark.parametrize("command", ["show", "export", "retry", "drop"])
def test_what_is_not_quarantined(desk, ask, command, number, code):
    result = run(desk, "quarantine", command, number, code=code)
    assert f"{number} is not quarantined" in result.stderr
    assert states(ask) == {1: "waiting", 2: "quarantined", 3: "done"}


def test_quarantine_retry_makes_it_new(desk, ask):
    result = run(desk, "quarantine", "retry", "99", "2", "2", code=65)
    assert (result.stdout, result.stderr) == ("2 waits again\n", "99 is not quarantined\n")
    assert states(ask) == {1: "waiting", 2: "waiting", 3: "done"}
    assert {line.id: line.attempts for line in ask(lambda ledger: ledger.received("waiting"))} == {1: 1, 2: 0}


def test_quarantine_drop_keeps_the_octets(desk, ask):
    assert run(desk, "quarantine", "drop", "2").stdout == "2 is dropped\n"
    (line,) = ask(lambda ledger: ledger.received("dropped"))
    assert (line.id, line.because) == (2, "dropped by operator")
    assert ask(lambda ledger: ledger.octets(line.digest)) == BROKEN


def test_outbox_list(desk):
    found = rows(run(desk, "outbox", "list", "--json"))
    assert [(row["id"], row["state"], row["last_reply"]) for row in found] == [
        (1, "waiting", "451 later"),
        (2, "failed", "550 no"),
        (3, "sent", "250 ok"),
    ]
    assert found[1]["failed_at"] == "2026-03-11T09:00:00Z"
    assert len(run(desk, "outbox", "list").stdout.splitlines()) == 4


def test_outbox_retry(desk, ask):
    result = run(desk, "outbox", "retry", "1", "2", "3", "99", code=65)
    assert result.stdout == "1 goes at once\n2 goes at once\n"
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["3", "99"]
    assert owed(ask) == {1: "waiting", 2: "waiting", 3: "sent"}
    claimed = ask(lambda ledger: ledger.claim(datetime.now(UTC), 9, timedelta(minutes=1)))
    assert [mail.id for mail in claimed] == [1, 2]


def test_outbox_drop(desk, ask):
    result = run(desk, "outbox", "drop", "1", "2", code=65)
    assert result.stdout == "1 is dropped\n"
    assert "2 is not owed" in result.stderr
    (line, *_) = ask(lambda ledger: ledger.outbox())
    assert (line.state, line.last_reply, line.attempts) == ("failed", "dropped by operator", 1)


@pytest.mark.parametrize(("words", "code"), [(("quarantine", "retry", "2"), 0), (("outbox", "drop", "3"), 65)])
def test_the_daemon_is_nudged(desk, tmp_path, words, code):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "wake"))
        sock.settimeout(5)
        run(desk, *words, code=code)
        assert sock.recv(1) == b""


@pytest.mark.parametrize("words", [("received",), ("quarantine", "list"), ("outbox", "list"), ("outbox", "drop", "1")])
def test_without_a_ledger(path, words):
    assert "there is no ledger" in run(path, *words, code=69).stderr


@pytest.fixture
def broken(desk, ask):
    """Two more are quarantined: 4 and 5."""

    async def write(ledger):
        for octets in (b"four", b"five"):
            env = Envelope("dave@globex.example", ("csm@desk.example",), "smtp", "192.0.2.1", NOW)
            ((number,),) = await ledger.accept([(env, octets)])
            await ledger.take(9, now=NOW)
            await ledger.quarantine(number, "ValueError: it broke", NOW)

    ask(write)
    return desk


def test_a_long_list_is_cut_and_says_so(broken):
    result = run(broken, "quarantine", "list", "--limit", "2", "--json")
    assert [row["id"] for row in rows(result)] == [5, 4]
    assert result.stderr == "and 1 older ones: --limit 3 shows all\n"
    result = run(broken, "quarantine", "list", "--limit", "3", "--json")
    assert (len(rows(result)), result.stderr) == (3, "")
    assert [row["id"] for row in rows(run(broken, "received", "--limit", "1", "--json"))] == [5]
    assert [row["id"] for row in rows(run(broken, "outbox", "list", "--limit", "1", "--json"))] == [3]
    run(broken, "received", "--limit", "0", code=2)


def test_all_of_them_are_tried_again(broken, ask):
    assert run(broken, "quarantine", "retry", "--all").stdout == "2 waits again\n4 waits again\n5 waits again\n"
    assert states(ask) == {1: "waiting", 2: "waiting", 3: "done", 4: "waiting", 5: "waiting"}
    waiting = {line.id: (line.attempts, line.fault) for line in ask(lambda ledger: ledger.received("waiting"))}
    assert waiting == {1: (3, ""), 2: (0, ""), 4: (0, ""), 5: (0, "")}
    assert run(broken, "quarantine", "retry", "--all").stdout == ""


def test_all_of_them_are_given_up_for_a_reason(broken, ask):
    assert "--because" in run(broken, "quarantine", "drop", "--all", code=64).stderr
    assert "--because" in run(broken, "quarantine", "drop", "--all", "--because", " ", code=64).stderr
    result = run(broken, "quarantine", "drop", "--all", "--because", "a bomb")
    assert result.stdout == "2 is dropped\n4 is dropped\n5 is dropped\n"
    assert {line.because for line in ask(lambda ledger: ledger.received("dropped"))} == {"dropped by operator: a bomb"}
    assert states(ask)[1] == "waiting"


@pytest.mark.parametrize("words", [("retry",), ("drop",), ("retry", "--all", "2"), ("drop", "2", "--all")])
def test_numbers_or_all_of_them(broken, ask, words):
    assert "one of the two" in run(broken, "quarantine", *words, code=64).stderr
    assert states(ask)[2] == "quarantined"


def test_one_is_given_up_for_a_reason(broken, ask):
    run(broken, "quarantine", "drop", "4", "--because", "a bomb")
    (line,) = ask(lambda ledger: ledger.received("dropped"))
    assert (line.id, line.because) == (4, "dropped by operator: a bomb")


def test_what_the_summary_tells_to_type_is_there(broken):
    known = get_command(joined()).commands
    for _, _, commands, lists in KINDS.values():
        for words in filter(None, (*commands, lists)):
            family, *more = words.split()
            assert family in known, words
            if more and not more[0].startswith("-"):
                assert more[0] in known[family].commands, words
