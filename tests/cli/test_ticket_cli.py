import asyncio
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner

from maild.cli.app import joined
from maild.cli.terms import configuration
from maild.cli.ticket import decide, operator
from maild.config.office import office
from maild.desk import Assign, Grade, Step, Told
from maild.desk.decision import clocks_of
from maild.sla.policy import Metric
from maild.store import ConflictError, Ledger, Record
from maild.ticket import Event, Severity, State

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
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    return path


@pytest.fixture
def config(path):
    return configuration(path)


@pytest.fixture
def desk(path, config, make_ticket):
    """A ledger with one normal ticket, 1042, opened two hours ago."""
    ticket = make_ticket(opened_at=datetime.now(UTC) - timedelta(hours=2), mailbox="csm@desk.example")
    born = Event(ticket.opened_at, "carol@acme.example", "opened", "a new mail", {"severity": "normal"})

    async def write():
        ledger = await Ledger.open(config.database_url)
        clocks = clocks_of(office(config, ()), ticket, Told((born,)), ticket.opened_at)
        await ledger.record([Record(at=ticket.opened_at, ticket=ticket, clocks=clocks, events=(born,))])
        await ledger.close()

    asyncio.run(write())
    return path


def run(desk, *words, code=0):
    result = CliRunner().invoke(joined(), [*words, "-c", str(desk)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def read(config, work):
    async def reading():
        ledger = await Ledger.open(config.database_url, migrate=False)
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(reading())


def ticket_of(config):
    return read(config, lambda ledger: ledger.ticket(1042))


def events_of(config):
    return [event.what for event in read(config, lambda ledger: ledger.events(1042))]


def test_a_ticket_is_taken_over(desk, config):
    said = run(desk, "ticket", "ack", "1042").stdout
    assert said.startswith(
        "CSM #1042: ann acknowledged it: nobody is told of first_response and resolution; nobody had it"
    )
    assert ticket_of(config).assignee == "ann"
    assert "was acknowledged by ann already" in run(desk, "ticket", "ack", "1042", code=65).stderr
    said = run(desk, "ticket", "ack", "1042", "--as", "bob").stdout
    assert "ann had acknowledged it at" in said
    assert "ann said so for bob" in said
    assert "known are ann, bob" in run(desk, "ticket", "ack", "1042", "--as", "zoe", code=65).stderr
    assert events_of(config) == ["opened", "taken_over", "taken_over"]
    shown = json.loads(run(desk, "show", "1042", "--json").stdout)
    assert [(one["by"], one["lapsed_at"]) for one in shown["acknowledged"]] == [("ann", None), ("bob", None)]
    run(desk, "ticket", "undo", "1042")
    run(desk, "ticket", "assign", "1042", "none")
    page = run(desk, "why", "1042").stdout
    assert "acknowledged by bob: first_response, resolution; no more since" in page
    assert page.count("; no more since") == 2
    assert page.count(": it was taken back") == 1


def test_a_life_by_hand(desk, config):
    said = run(desk, "ticket", "assign", "#1042", "bob").stdout
    assert said.startswith("CSM #1042: ann assigned it to bob; before, nobody had it; first_response ")
    assert said.count("\n") == 1
    assert "waits on the customer" in run(desk, "ticket", "pending", "1042").stdout
    assert "no longer waits" in run(desk, "ticket", "open", "CSM #1042").stdout
    assert "first-response clock runs on" in run(desk, "ticket", "resolve", "1042").stdout
    assert ticket_of(config).state is State.RESOLVED
    assert ticket_of(config).resolved_at is not None
    assert "ann closed it" in run(desk, "ticket", "close", "1042").stdout
    assert "does not count" in run(desk, "ticket", "reopen", "1042").stdout
    assert "assigned it to nobody" in run(desk, "ticket", "assign", "1042", "none").stdout
    ticket = ticket_of(config)
    assert (ticket.state, ticket.assignee, ticket.resolved_at, ticket.closed_at) == (State.OPEN, None, None, None)
    assert events_of(config) == ["opened", "assigned", *["status"] * 5, "unassigned"]


def test_a_severity_that_comes_too_late_is_a_breach_and_the_watch_must_look(desk, config):
    said = run(desk, "ticket", "severity", "1042", "urgent").stdout
    assert "has passed already, a breach of this moment" in said
    clocks = read(config, lambda ledger: ledger.clocks(1042))
    assert [(clock.metric, clock.by_reclassification) for clock in clocks] == [
        (Metric.FIRST_RESPONSE, True),
        (Metric.RESOLUTION, True),
    ]
    assert read(config, lambda ledger: ledger.due_tickets(datetime.now(UTC), 9)) == [1042]
    assert ticket_of(config).severity_because[0] == "ann set it to urgent; it was normal"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("reopen", "1042"), 65, "ticket 1042 is new and cannot be reopened"),
        (("severity", "1042", "normal"), 65, "ticket 1042 is normal already"),
        (("assign", "1042", "eve"), 65, "there is no agent 'eve'; known are ann, bob"),
        (("resolve", "7"), 65, "there is no ticket 7"),
        (("resolve", "seven"), 64, "'seven' is no ticket"),
    ],
)
def test_what_is_refused_changes_nothing(desk, config, words, code, said):
    result = run(desk, "ticket", *words, code=code)
    assert said in result.stderr
    assert result.stdout == ""
    assert ticket_of(config).revision == 1
    assert events_of(config) == ["opened"]


def test_without_a_ledger_it_is_unavailable(path):
    assert "there is no ledger" in run(path, "ticket", "resolve", "1042", code=69).stderr


@pytest.mark.parametrize("words", [("severity", "1042", "fatal"), ("assign", "1042"), ("undo-all", "1042")])
def test_a_wrong_call_ends_with_64(desk, words):
    command = [sys.executable, "-m", "maild", "ticket", *words, "-c", str(desk)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (64, b"")


def test_the_daemon_is_nudged(desk, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "wake"))
        sock.settimeout(5)
        run(desk, "ticket", "resolve", "1042")
        assert sock.recv(1) == b""


@pytest.mark.parametrize(
    ("sudo", "login", "name"), [("", "ann", "ann"), ("ann", "maild", "ann"), ("", "maild", "operator")]
)
def test_who_decides_is_a_person(monkeypatch, sudo, login, name):
    monkeypatch.setenv("SUDO_USER", sudo)
    monkeypatch.setenv("LOGNAME", login)
    assert operator() == name


def test_a_user_without_a_name_is_a_number(monkeypatch):
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert operator() == f"uid {os.getuid()}"


class Beaten(Ledger):
    """A ledger beside which somebody else writes to the ticket, `times` times, whenever this one is about to."""

    times = 0

    async def record(self, records):
        if self.times:
            self.times -= 1
            other = await Ledger.open(self.url, migrate=False)
            ticket = await other.ticket(1042)
            word = Event(datetime.now(UTC), "daemon", "message", f"{self.times} left")
            await other.record([Record(at=word.at, ticket=ticket, events=(word,))])
            await other.close()
        await super().record(records)


@pytest.fixture
def beaten(config):
    async def opened(times):
        ledger = await Beaten.open(config.database_url, migrate=False)
        ledger.times, ledger.url = times, config.database_url
        return ledger

    return opened


def test_what_changed_meanwhile_is_decided_on_again(desk, config, beaten):
    async def work():
        ledger = await beaten(2)
        await decide(ledger, config, 1042, Assign("bob"), "ann")
        await ledger.close()

    asyncio.run(work())
    assert ticket_of(config).assignee == "bob"
    assert events_of(config) == ["opened", "message", "message", "assigned"]


def test_after_three_conflicts_it_is_given_up(desk, config, beaten):
    async def work():
        ledger = await beaten(3)
        try:
            await decide(ledger, config, 1042, Assign("bob"), "ann")
        finally:
            await ledger.close()

    with pytest.raises(ConflictError):
        asyncio.run(work())
    assert ticket_of(config).assignee is None
    assert events_of(config) == ["opened", "message", "message", "message"]


def test_two_operators_at_once_lose_nothing(desk, config):
    async def work():
        ledgers = [await Ledger.open(config.database_url, migrate=False) for _ in range(2)]
        commands = (Assign("bob"), Grade(Severity.URGENT))
        await asyncio.gather(
            *(decide(own, config, 1042, word, "ann") for own, word in zip(ledgers, commands, strict=True))
        )
        for ledger in ledgers:
            await ledger.close()

    asyncio.run(work())
    ticket = ticket_of(config)
    assert (ticket.assignee, ticket.severity, ticket.revision) == ("bob", Severity.URGENT, 3)


def test_of_two_who_resolve_at_once_the_second_is_refused(desk, config, capsys):
    async def work():
        ledgers = [await Ledger.open(config.database_url, migrate=False) for _ in range(2)]
        ends = await asyncio.gather(
            *(decide(own, config, 1042, Step.RESOLVE, "ann") for own in ledgers), return_exceptions=True
        )
        for ledger in ledgers:
            await ledger.close()
        return ends

    ends = asyncio.run(work())
    assert [end.exit_code for end in ends if isinstance(end, typer.Exit)] == [65]
    assert "ticket 1042 is resolved already" in capsys.readouterr().err
    assert events_of(config) == ["opened", "status"]


def test_a_severity_that_is_none_is_told_with_the_four(maild):
    done = maild("ticket", "severity", "1001", "critical")
    assert (done.code, done.out) == (64, "")
    assert done.err == "'critical' is no severity: it is one of urgent, high, normal, low\n"
