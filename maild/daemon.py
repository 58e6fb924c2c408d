"""The wiring: outbound first, ingest last; stopped in reverse. Every part is one of the rooms' own."""

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from maild.config.model import Config
from maild.config.office import office, truster
from maild.failures import Failures
from maild.ingest.accept import Acceptor
from maild.ingest.smtp import SmtpLimits, SmtpServer
from maild.ingest.workers import Parsers
from maild.intake import Intake
from maild.outbound.outbox import Outbox
from maild.outbound.relay import Relay, Smarthost
from maild.outbound.template_files import load_templates
from maild.pulse import Pulse
from maild.sla.keywords import default_rules
from maild.sla.severity_rules import Rules, parse_rules
from maild.store import Ledger
from maild.store.wake import Wake
from maild.watch import Watch
from maild.workshop import Workshop

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
    failures: Failures

    @property
    def pulses(self) -> dict[str, Pulse]:
        """The pulse of each loop, by its name."""
        return {"intake": self.intake.pulse, "watch": self.watch.pulse, "outbox": self.outbox.pulse}

    async def refit(self, config: Config) -> None:
        """Take over a changed configuration between two decisions, but for what `needs_restart` names."""
        old = self.intake.shop
        new = replace(
            old,
            office=office(config, old.office.keys),
            templates=await asyncio.to_thread(load_templates, config.templates_dir),
            rules=rules_of(config),
            trusts=truster(config),
        )
        async with old.deciding():
            self.intake.refit(new)
            self.watch.refit(new)
            self.failures.refit(new)
        self.watch.wake.set()


@contextlib.asynccontextmanager
async def running(
    config: Config,
    now: Callable[[], datetime] = utc_now,
    relay_tls: ssl.SSLContext | None = None,
    sockets: Sequence[socket.socket] = (),
) -> AsyncIterator[Daemon]:
    """Run the daemon for the length of the block. Everything that was accepted is durable before it ends.

    `sockets` that listen already are the SMTP door, instead of `smtp.listen`.
    """
    ledger = await Ledger.open(config.database_url, exclusive=True)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(ledger.close)
        parsers = Parsers()
        stack.push_async_callback(parsers.close)
        await parsers.warm()
        shop = await workshop(config, ledger, parsers, now)
        await ledger.unclaim(now(), LEASE)
        rng = random.Random()  # noqa: S311 - spreads retries

        def changed() -> None:
            outbox.wake.set()
            watch.wake.set()

        def nudge() -> None:
            intake.nudge()
            changed()

        def heard(what: str) -> None:
            {"received": intake.nudge, "decided": changed}.get(what, nudge)()

        failures = Failures(ledger, shop, changed)
        relay = Relay(smarthost(config), relay_tls)
        outbox = Outbox(ledger, [relay], now, rng, lease=LEASE, on_failed=failures.tell)
        intake = Intake(ledger, shop, changed)
        acceptor = Acceptor(ledger.accept, intake.nudge, in_flight=config.smtp.max_bytes_in_flight)

        async def settled() -> None:
            await acceptor.drain()
            await intake.caught_up()

        watch = Watch(ledger, shop, settled, outbox.wake.set)
        smtp = smtp_server(config, acceptor, intake, now, sockets)
        await _loops(stack, outbox, intake, watch)
        await stack.enter_async_context(ledger.listening(heard))
        nudged = Wake.listen(config.data_dir / "wake", nudge)
        stack.callback(nudged.close)
        await smtp.start()
        stack.push_async_callback(smtp.stop, GRACE)
        stack.push_async_callback(acceptor.drain)
        yield Daemon(smtp.addresses, ledger, intake, watch, outbox, failures)
        log.info("daemon.stopping")


async def workshop(config: Config, ledger: Ledger, parsers: Parsers, now: Callable[[], datetime]) -> Workshop:
    """Gather what decisions and letters are made with."""
    keys = tuple(await ledger.secrets("token", now=now()))
    return Workshop(
        office=office(config, keys),
        templates=load_templates(config.templates_dir),
        rules=rules_of(config),
        trusts=truster(config),
        now=now,
        read=parsers.parse,
        deciding=ledger.deciding,
    )


def rules_of(config: Config) -> Rules:
    """Give the rules that guess a severity: the operator's, else the built-in ones."""
    return default_rules() if config.keywords is None else parse_rules(config.keywords)


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
    config: Config, acceptor: Acceptor, intake: Intake, now: Callable[[], datetime], sockets: Sequence[socket.socket]
) -> SmtpServer:
    """Build the SMTP door. Whose mail it takes and whom it trusts is asked of the intake, so a reload reaches it."""
    smtp = config.smtp
    host, _, port = smtp.listen.rpartition(":")
    return SmtpServer(
        () if sockets else [(host.strip("[]"), int(port))],
        sockets=sockets,
        hostname=smtp.hostname or config.domain,
        accept=acceptor.accept,
        is_ours=lambda address: intake.shop.office.mailbox_of(address) is not None,
        trusted=lambda peer: intake.shop.trusts(peer),  # noqa: PLW0108 - a reload brings another shop
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
