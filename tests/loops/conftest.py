"""The two loops over a real ledger, with a time that only the test moves."""

import contextlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from maild.config import load
from maild.daemon import workshop
from maild.ingest.parse import parse
from maild.intake import Intake
from maild.mail import Address, Envelope
from maild.outbound.templates import Templates
from maild.sla.clock import Clock, ClockState
from maild.sla.policy import Metric
from maild.store import Ledger, Record
from maild.ticket import Event, Severity, State, Ticket
from maild.watch import Watch
from maild.workshop import Workshop

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
SHIPPED = Path(__file__).parents[2] / "templates"
CONFIG = """
[desk]
address = "csm@desk.example"
time_zone = "Europe/Berlin"
templates_dir = "own"
[[mailbox]]
address = "csm@desk.example"
aliases = ["support@desk.example"]
[[agent]]
id = "ann"
address = "ann@staff.example"
[[agent]]
id = "bob"
address = "bob@staff.example"
role = "lead"
[smtp]
trusted = ["127.0.0.1"]
[auth]
authserv_id = "mx.desk.example"
[[escalation]]
clock = "first_response"
at = "target"
notify = ["team"]
[[escalation]]
clock = "first_response"
at = "limit"
notify = ["team"]
[[escalation]]
clock = "resolution"
at = "limit"
notify = ["lead"]
"""


@pytest.fixture(autouse=True)
def quiet():
    """Keep the loops' log to ourselves: drawing a traceback for a terminal takes seconds."""
    structlog.configure(
        logger_factory=structlog.ReturnLoggerFactory(), processors=[structlog.processors.JSONRenderer(default=str)]
    )
    yield
    structlog.reset_defaults()


class InThisProcess:
    """Parses where we stand: the workers have tests of their own."""

    async def parse(self, octets, return_path):
        return parse(octets, return_path=return_path)


@dataclass
class Stage:
    """A ledger, the loops over it, and the time they are told."""

    ledger: Ledger
    shop: Workshop
    time: list = field(default_factory=lambda: [NOW])
    settled: int = 0

    def __post_init__(self):
        self.restart()

    def restart(self):
        """Take the loops away, as a crash does, and make new ones over the same ledger."""
        self.intake = Intake(self.ledger, self.shop, lambda: None)
        self.watch = Watch(self.ledger, self.shop, self._settle, lambda: None)

    async def _settle(self):
        self.settled += 1
        while await self.intake.step():
            pass

    def move(self, **by):
        self.time[0] += timedelta(**by)

    async def arrive(
        self,
        sender,
        subject="checkout down",
        *,
        to=("csm@desk.example",),
        text="Hello.",
        msgid=None,
        peer="127.0.0.1",
        **more,
    ):
        """Store a mail, as the SMTP door does; give the received ids."""
        octets = mail_of(sender, subject, text, msgid or f"m{len(await self.ledger.received())}@client.example", **more)
        return await self.store(sender, to, octets, peer)

    async def store(self, sender, to, octets, peer="127.0.0.1"):
        env = Envelope(sender, tuple(to), "smtp", peer, self.time[0])
        return (await self.ledger.accept([(env, octets)]))[0]

    async def opened(self, *numbers):
        """Open tickets of those numbers now, by a customer's mail; their clocks are to be looked at from their target on."""
        await self.ledger.record([self._ticket(number, self.time[0]) for number in numbers])

    def _ticket(self, number, at):
        ticket = Ticket(
            number=number,
            mailbox="csm@desk.example",
            subject=f"matter {number}",
            state=State.NEW,
            severity=Severity.NORMAL,
            severity_because=(),
            requester=Address("Carol", "carol@acme.example"),
            participants=("carol@acme.example",),
            assignee=None,
            opened_at=at,
            opened_by="customer",
            root_id=self.shop.office.root_id(number),
        )
        clock = Clock(
            Metric.FIRST_RESPONSE, 1, "weekdays", 3600, 14400, ((at, None),), at + HOUR, at + 4 * HOUR,
            ClockState.RUNNING, None, None, False, None, 0,
        )  # fmt: skip
        event = Event(at, "carol@acme.example", "opened", "a test", {"severity": "normal"})
        return Record(at=at, ticket=ticket, clocks=((clock, at + HOUR),), events=(event,))

    async def tickets(self):
        return sorted(line.ticket.number for line in await self.ledger.tickets())

    async def letters(self, kind):
        return [line for line in await self.ledger.outbox() if line.kind == kind]


def mail_of(sender, subject, text, msgid, **more):
    fields = {
        "Authentication-Results": f"mx.desk.example; dmarc=pass header.from={sender.partition('@')[2]}",
        "From": sender,
        "To": "csm@desk.example",
        "Subject": subject,
        "Message-ID": f"<{msgid}>",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n{text}\r\n".encode()


@pytest.fixture
def stage(tmp_path):
    """Open a stage. `database` is where its ledger is, `more` ends the configuration.

    `templates` stand in for ours, with none to fall back on: so a mail breaks us. With `own` they are the operator's.
    """

    @contextlib.asynccontextmanager
    async def opened(database="", more="", own=False, **templates):
        (tmp_path / "own").mkdir(exist_ok=True)
        sources = {f"{name}.txt.j2": text for name, text in templates.items()}
        for name, text in sources.items() if own else ():
            (tmp_path / "own" / name).write_text(text)
        path = tmp_path / "maild.toml"
        path.write_text(CONFIG + more)
        config = load(path, {})
        ledger = await Ledger.open(database or f"sqlite://{tmp_path / 'maild.db'}")
        time = [NOW]

        shop = await workshop(config, ledger, InThisProcess().parse, lambda: time[0])
        if sources and not own:
            ours = {file.name: file.read_text("utf-8") for file in SHIPPED.iterdir()}
            shop = replace(shop, templates=Templates(ours | sources))
        try:
            yield Stage(ledger, shop, time)
        finally:
            await ledger.close()

    return opened


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    if request.param == "sqlite":
        yield ""
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url
