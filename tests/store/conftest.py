import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maild.mail import Address, Envelope, Outgoing
from maild.sla.clock import Clock, ClockState
from maild.sla.policy import Metric
from maild.store import migrate_postgres
from maild.store.ledger import Ledger
from maild.ticket import Event, Message, Severity, State, Ticket

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def template(postgres):
    """A database with the schema, to be copied: that is quicker than to migrate."""
    schema = (Path(migrate_postgres.FOLDER) / "0001_ledger.sql").read_text("utf-8")
    postgres.sql("CREATE DATABASE template_ledger TEMPLATE template0")
    postgres.sql(schema, "template_ledger")
    postgres.sql(migrate_postgres._VERSION, "template_ledger")
    postgres.sql("INSERT INTO schema_version VALUES (1, '0001_ledger')", "template_ledger")
    return "template_ledger"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/maild.db"


@pytest.fixture
def postgres_url(postgres, template) -> Iterator[str]:
    with postgres.database(template) as url:
        yield url


@pytest.fixture
def empty_url(postgres) -> Iterator[str]:
    """A PostgreSQL database without a schema."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """What holds for the ledger holds on both engines."""
    return request.getfixturevalue(f"{request.param}_url")


async def _opened(url: str) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(url)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Ledger]:
    async for opened in _opened(url):
        yield opened


@pytest.fixture
async def sqlite_ledger(sqlite_url: str) -> AsyncIterator[Ledger]:
    async for opened in _opened(sqlite_url):
        yield opened


@pytest.fixture
async def postgres_ledger(postgres_url: str) -> AsyncIterator[Ledger]:
    async for opened in _opened(postgres_url):
        yield opened


@pytest.fixture
def make() -> SimpleNamespace:
    """Values with sensible defaults; any field can be given."""
    return SimpleNamespace(
        env=_maker(Envelope("ann@acme.example", ("csm@example.com",), "smtp", "192.0.2.1", NOW)),
        ticket=_maker(
            Ticket(
                number=1001,
                mailbox="csm@example.com",
                subject="Checkout é down",
                state=State.NEW,
                severity=Severity.URGENT,
                severity_because=("says “down”", "says production"),
                requester=Address("Ann A.", "Ann@acme.example"),
                participants=("ann@acme.example", "bob@acme.example"),
                assignee=None,
                opened_at=NOW,
                opened_by="customer",
                root_id="t1001@example.com",
            )
        ),
        message=_maker(
            Message(
                id=1,
                ticket=1001,
                message_id="a@acme.example",
                at=NOW,
                sender=Address("Ann A.", "Ann@acme.example"),
                kind="customer",
                verified="dmarc",
                placed_because="no reference is known",
                subject="Checkout é down",
                text="it is\tdown",
                digest="",
                body_digest="b0",
                recipients=("csm@example.com", "support@example.com"),
            )
        ),
        clock=_maker(
            Clock(
                metric=Metric.FIRST_RESPONSE,
                cycle=1,
                calendar_name="always",
                target_seconds=900,
                limit_seconds=1800,
                spans=((NOW, NOW + timedelta(seconds=5, microseconds=1)), (NOW + timedelta(hours=1), None)),
                target_at=NOW + timedelta(minutes=15),
                limit_at=NOW + timedelta(minutes=30),
                state=ClockState.RUNNING,
                stopped_at=None,
                breached_at=None,
                by_reclassification=True,
                elapsed_seconds=None,
                paused_seconds=7,
            )
        ),
        event=_maker(Event(NOW, "maild", "opened", "a new mail", {"n": [1, {"x": None}], "é": "ü"})),
        outgoing=_outgoing,
    )


def _maker(default: Any) -> Callable[..., Any]:
    return lambda **fields: replace(default, **fields)


_keys = itertools.count()


def _outgoing(**fields: Any) -> Outgoing:
    mail = Outgoing(
        f"k{next(_keys)}", "ack", 1001, "", "ann@acme.example", "o1@example.com", b"Subject: x\r\n\r\ny", NOW
    )
    return replace(mail, **fields)
