"""The wiring: outbound first, ingest last; stopped in reverse. Every part is one of the rooms' own."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from maild.config.model import Config
from maild.config.office import office, truster
from maild.desk import Office
from maild.failures import Failures
from maild.ingest.accept import Acceptor
from maild.ingest.smtp import SmtpLimits, SmtpServer
from maild.ingest.workers import Parsers
from maild.intake import Intake, Workshop
from maild.outbound.outbox import Outbox
from maild.outbound.relay import Relay, Smarthost
from maild.outbound.template_files import load_templates
from maild.sla.keywords import default_rules
from maild.sla.severity_rules import parse_rules
from maild.store import Ledger
from maild.store.wake import Wake
from maild.watch import Watch

log = structlog.get_logger("maild.daemon")

GRACE = 5.0
"""Seconds that a mail on its way in has when we stop."""

FAREWELL = 3.0
"""Seconds that a mail on its way out has after that: whoever stops us waits for ten in all."""

LEASE = timedelta(minutes=15)
"""For how long a mail that is being sent belongs to who sends it."""


def utc_now() -> datetime:
    """Give the time of the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running daemon: where it listens, and the parts that a caller may want to watch."""

    addresses: tuple[tuple[str, int], ...]
    ledger: Ledger
    intake: Intake
    watch: Watch
    outbox: Outbox


@contextlib.asynccontextmanager
async def running(
    config: Config, now: Callable[[], datetime] = utc_now, relay_tls: ssl.SSLContext | None = None
) -> AsyncIterator[Daemon]:
    """Run the daemon for the length of the block. Everything that was accepted is durable before it ends."""
    ledger = await Ledger.open(config.database_url, exclusive=True)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(ledger.close)
        parsers = Parsers()
        stack.push_async_callback(parsers.close)
        shop = await workshop(config, ledger, parsers, now)
        await ledger.unclaim(now(), LEASE)
        rng = random.Random()  # noqa: S311 - spreads retries

        def changed() -> None:
            outbox.wake.set()
            watch.wake.set()

        def nudge() -> None:
            intake.nudge()
            changed()

        failures = Failures(ledger, shop, changed)
        relay = Relay(smarthost(config), relay_tls)
        outbox = Outbox(ledger, [relay], now, rng, lease=LEASE, on_failed=failures.tell)
        intake = Intake(ledger, shop, changed)
        acceptor = Acceptor(ledger.accept, intake.nudge, in_flight=config.smtp.max_bytes_in_flight)

        async def settled() -> None:
            await acceptor.drain()
            await intake.caught_up()

        watch = Watch(ledger, shop, settled, outbox.wake.set)
        smtp = smtp_server(config, shop.office, acceptor, shop.trusts, now)
        await _loops(stack, outbox, intake, watch)
        nudged = Wake.listen(config.data_dir / "wake", nudge)
        stack.callback(nudged.close)
        await smtp.start()
        stack.push_async_callback(smtp.stop, GRACE)
        stack.push_async_callback(acceptor.drain)
        yield Daemon(smtp.addresses, ledger, intake, watch, outbox)
        log.info("daemon.stopping")


async def workshop(config: Config, ledger: Ledger, parsers: Parsers, now: Callable[[], datetime]) -> Workshop:
    """Gather what decisions and letters are made with."""
    keys = tuple(await ledger.secrets("token", now=now()))
    return Workshop(
        office=office(config, keys),
        templates=load_templates(config.templates_dir),
        rules=default_rules() if config.keywords is None else parse_rules(config.keywords),
        trusts=truster(config),
        now=now,
        read=parsers.parse,
    )


def smarthost(config: Config) -> Smarthost:
    """Give the smarthost; without a word on TLS it is none on loopback and STARTTLS elsewhere."""
    relay = config.relay
    loopback = relay.host in {"localhost", "::1"} or relay.host.startswith("127.")
    return Smarthost(
        host=relay.host,
        port=relay.port,
        tls=relay.tls or ("none" if loopback else "starttls"),
        username=relay.username,
        password=config.relay_password,
        helo=config.smtp.hostname or config.domain,
    )


def smtp_server(
    config: Config, desk: Office, acceptor: Acceptor, trusts: Callable[[str], bool], now: Callable[[], datetime]
) -> SmtpServer:
    """Build the SMTP door."""
    smtp = config.smtp
    host, _, port = smtp.listen.rpartition(":")
    return SmtpServer(
        [(host.strip("[]"), int(port))],
        hostname=smtp.hostname or config.domain,
        accept=acceptor.accept,
        is_ours=lambda address: desk.mailbox_of(address) is not None,
        trusted=trusts,
        now=now,
        limits=SmtpLimits(
            message=smtp.max_message_bytes,
            recipients=smtp.max_recipients,
            per_address=smtp.max_connections_per_address,
            connections=smtp.max_connections,
            session=smtp.session_timeout,
            data_idle=smtp.data_timeout,
            sender_hourly=smtp.per_sender_hour,
            in_flight=smtp.max_bytes_in_flight,
        ),
    )


async def _loops(stack: contextlib.AsyncExitStack, outbox: Outbox, intake: Intake, watch: Watch) -> None:
    """Start the loops; at the end each is stopped and waited for, the outbox last, with a while for the mail in its hands."""
    for name, loop in (("outbox", outbox.run), ("watch", watch.run), ("intake", intake.run)):
        task = asyncio.create_task(loop(), name=name)
        stack.push_async_callback(_ended, task, outbox.stop if name == "outbox" else task.cancel)


async def _ended(task: asyncio.Task[None], stop: Callable[[], object]) -> None:
    stop()
    if not (await asyncio.wait([task], timeout=FAREWELL))[0]:
        log.warning("daemon.cut_short", loop=task.get_name())
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
