"""The daemon's loops while an operator writes to the same ledger."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from maild.config import load
from maild.daemon import running, workshop
from maild.deciding import MOST_CONFLICTS
from maild.desk import Assign, Grade, Step, on_command
from maild.ingest.parse import parse
from maild.intake import Intake
from maild.mail import Envelope
from maild.store import Ledger
from maild.store.wake import poke
from maild.ticket import Severity, State
from maild.watch import Watch
from maild.workshop import Written, record_of, told_of

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
[smtp]
listen = "127.0.0.1:0"
[relay]
host = "127.0.0.1"
port = 1
[auth]
authserv_id = "mx.desk.example"
"""
NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)


def mail(number, answers=""):
    head = f"From: Carol <carol@acme.example>\r\nTo: csm@desk.example\r\nMessage-ID: <{number}@acme.example>\r\n"
    reply = f"In-Reply-To: <{answers}@acme.example>\r\n" if answers else ""
    return f"{head}{reply}Subject: question {number}\r\n\r\nHow does it work?\r\n".encode()


class Beside(Ledger):
    """A ledger beside which an operator is quicker: each of `words` is written just before something is recorded."""

    async def record(self, records):
        if self.words:
            await self.words.pop(0)()
        await super().record(records)


@pytest.fixture(autouse=True)
def quiet():
    """Keep the loops' log to ourselves: drawing a traceback for a terminal takes seconds."""
    structlog.configure(
        logger_factory=structlog.ReturnLoggerFactory(), processors=[structlog.processors.JSONRenderer(default=str)]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    return load(path)


class InThisProcess:
    """Parses where we stand: the workers have tests of their own."""

    async def parse(self, octets, return_path):
        return parse(octets, return_path=return_path)


@pytest.fixture
async def stage(config):
    """The loops over a ledger, and an operator with a ledger of his own on the same file."""
    async with contextlib.AsyncExitStack() as stack:
        ledger = await Beside.open(config.database_url)
        stack.push_async_callback(ledger.close)
        ledger.words, times = [], [NOW]
        operator = await Ledger.open(config.database_url, migrate=False)
        stack.push_async_callback(operator.close)
        stage = Stage(ledger, operator, await workshop(config, ledger, InThisProcess().parse, lambda: times[0]), times)
        yield stage


class Stage:
    def __init__(self, ledger, operator, shop, times):
        self.ledger, self.operator, self.shop, self.times = ledger, operator, shop, times
        self.decided = 0
        self.intake = Intake(ledger, shop, self.count)
        self.watch = Watch(ledger, shop, self.settled, self.count)

    @property
    def now(self):
        return self.times[0]

    @now.setter
    def now(self, at):
        self.times[0] = at

    def count(self):
        self.decided += 1

    async def settled(self):
        """Nothing waits."""

    async def receive(self, *octets):
        for one in octets:
            env = Envelope("carol@acme.example", ("csm@desk.example",), "smtp", "192.0.2.1", self.now)
            await self.ledger.accept([(env, one)])

    def say(self, command):
        """Give what an operator's command does to ticket 1001."""

        async def said():
            history = await self.operator.history(1001)
            decision = on_command(history.ticket, told_of(history), command, self.shop.office, "bob", self.now)
            await self.operator.record([record_of(decision, Written((), ()), None, self.now)])

        return said

    async def states(self):
        return [(line.state, line.attempts, line.fault) for line in reversed(await self.ledger.received())]

    async def events(self):
        return [event.what for event in await self.ledger.events(1001)]


async def test_a_mail_is_decided_on_again_when_an_operator_was_quicker(stage):
    await stage.receive(mail(1))
    await stage.intake.step()
    stage.now += timedelta(minutes=5)
    await stage.receive(mail(2, "1"), mail(3, "1"), mail(4))
    stage.ledger.words = [stage.say(Step.RESOLVE), stage.say(Assign("ann")), stage.say(Grade(Severity.LOW))]
    assert await stage.intake.step() == 3
    ticket = await stage.ledger.ticket(1001)
    # Resolved before the mail was decided on, so the mail opens it again, and no word of the operator is lost.
    assert (ticket.assignee, ticket.state, ticket.severity) == ("ann", State.OPEN, Severity.LOW)
    events = await stage.events()
    assert sorted(events[2:]) == sorted(
        ["status", "assigned", "set_severity", "customer_message", "customer_message", "reopened"]
    )
    assert await stage.states() == [("done", 1, "")] * 4
    assert [message.message_id for message in await stage.ledger.messages(1001)] == [
        "1@acme.example",
        "2@acme.example",
        "3@acme.example",
    ]
    assert len(await stage.ledger.tickets()) == 2


async def test_conflicts_without_end_are_a_fault(stage):
    await stage.receive(mail(1))
    await stage.intake.step()
    await stage.receive(mail(2, "1"))
    turns = [Severity.LOW, Severity.HIGH] * MOST_CONFLICTS
    stage.ledger.words = [stage.say(Grade(severity)) for severity in turns[: MOST_CONFLICTS + 1]]
    assert await stage.intake.step() == 1
    (_, (state, attempts, fault)) = await stage.states()
    assert (state, attempts) == ("waiting", 1)
    assert fault.startswith("ConflictError")
    stage.now += timedelta(seconds=10)
    assert await stage.intake.step() == 1
    assert (await stage.states())[1] == ("done", 2, "")


async def test_a_mail_that_an_operator_drops_meanwhile_stops_nothing(stage):
    await stage.receive(mail(1), mail(2))
    stage.ledger.words = [lambda: stage.operator.give_up("waiting", 1, "dropped by operator", stage.now)]
    assert await stage.intake.step() == 2
    assert [state for state, _, _ in await stage.states()] == ["dropped", "done"]
    (line,) = await stage.ledger.tickets()
    assert line.ticket.subject == "question 2"
    assert await stage.intake.step() == 0


async def test_a_clock_is_judged_again_when_an_operator_was_quicker(stage):
    await stage.receive(mail(1))
    await stage.intake.step()
    stage.now += timedelta(hours=2)
    stage.ledger.words = [stage.say(Assign("ann"))]
    assert await stage.watch.step() == [1001]
    assert "warning" not in await stage.events()
    assert await stage.watch.step() == [1001]
    assert (await stage.events())[-2:] == ["assigned", "warning"]
    assert (await stage.ledger.ticket(1001)).assignee == "ann"
    assert await stage.watch.step() == []


async def test_a_nudge_wakes_the_intake(config):
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(running(config))
        beside = await Ledger.open(config.database_url, migrate=False)
        stack.push_async_callback(beside.close)
        env = Envelope("carol@acme.example", ("csm@desk.example",), "pipe", "", datetime.now(UTC))
        # Nothing tells the daemon of this row but the nudge.
        await beside.accept([(env, mail(1))])
        while not await daemon.ledger.tickets():
            assert poke(Path(config.data_dir) / "wake")
            await asyncio.sleep(0.1)
