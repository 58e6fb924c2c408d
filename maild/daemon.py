"""The wiring: outbound first, ingest last; stopped in reverse. Every part is one of the rooms' own."""

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from maild.alarm import Alarms, Siren
from maild.clock import utc_now
from maild.config.duration import slot
from maild.config.model import Config
from maild.config.office import office, truster
from maild.config.values import is_loopback
from maild.desk.alarm import Rule
from maild.desk.summary import Operator
from maild.desk.weekly import Weekly
from maild.doors import Passed, accepting, doors
from maild.failures import Failures
from maild.inboxes import Inboxes, inboxes
from maild.ingest import verify
from maild.ingest.workers import Parsers
from maild.intake import Intake
from maild.keyring import PURPOSE, Keyring, keys_of
from maild.outbound.outbox import Outbox
from maild.outbound.relay import Relay, Smarthost
from maild.outbound.template_files import load_templates
from maild.proof import Prover, Sums
from maild.pulse import Pulse
from maild.resolver import Resolver
from maild.sla.basis import basis
from maild.sla.keywords import default_rules
from maild.sla.severity_rules import Rules, parse_rules
from maild.store import Ledger
from maild.store.wake import Wake
from maild.summary import Summaries
from maild.watch import Watch
from maild.weekly import Reports
from maild.workshop import Read, Workshop

log = structlog.get_logger("maild.daemon")

GRACE = 5.0
"""Seconds that a mail on its way in has when we stop."""

FAREWELL = 3.0
"""Seconds that a mail on its way out has after that: whoever stops us waits for ten in all."""

LEASE = timedelta(minutes=15)
"""For how long a mail that is being sent belongs to who sends it."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running daemon: where it listens (SMTP on TCP; all), and the parts that a caller may want to watch."""

    addresses: tuple[tuple[str, int], ...]
    listeners: tuple[str, ...]
    ledger: Ledger
    intake: Intake
    watch: Watch
    outbox: Outbox
    failures: Failures
    inboxes: Inboxes
    summaries: Summaries
    reports: Reports
    alarms: Alarms

    @property
    def pulses(self) -> dict[str, Pulse]:
        """The pulse of each loop, by its name."""
        own = {"intake": self.intake.pulse, "watch": self.watch.pulse, "outbox": self.outbox.pulse}
        own |= {"summary": self.summaries.pulse, "report": self.reports.pulse, "alarm": self.alarms.pulse}
        return own | self.inboxes.pulses

    async def refit(self, config: Config) -> None:
        """Take over a changed configuration between two decisions, but for what `needs_restart` names."""
        templates = await asyncio.to_thread(load_templates, config.templates_dir)
        async with self.intake.shop.deciding():
            old = self.intake.shop
            keys = await keys_of(self.ledger, old)
            new = replace(
                old, office=office(config, keys), templates=templates, rules=rules_of(config), trusts=truster(config)
            )
            self.intake.refit(new)
            self.watch.refit(new)
            self.failures.refit(new)
            await count_again(self.ledger, config, new.now)
        self.summaries.refit(new, operator(config))
        self.reports.refit(new, weekly(config))
        self.alarms.refit(siren(config))
        self.watch.wake.set()


@contextlib.asynccontextmanager
async def running(
    config: Config,
    now: Callable[[], datetime] = utc_now,
    relay_tls: ssl.SSLContext | None = None,
    passed: Passed = Passed(),  # noqa: B008 - frozen
) -> AsyncIterator[Daemon]:
    """Run the daemon for the length of the block. Everything that was accepted is durable before it ends.

    `passed` are sockets that listen already, instead of `smtp.listen` and `lmtp.listen`.
    """
    ledger = await Ledger.open(config.database_url, exclusive=True, copies=config.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(ledger.close)
        await _taken_over(ledger, config, now)
        parsers = Parsers()
        stack.push_async_callback(parsers.close)
        await parsers.warm()
        shop = replace(await workshop(config, ledger, parsers.parse, now), prover=prover(parsers))
        await ledger.unclaim(now(), LEASE)
        rng = random.Random()  # noqa: S311 - spreads retries

        def changed() -> None:
            outbox.wake.set()
            watch.wake.set()
            fetched.nudge()

        def nudge() -> None:
            intake.nudge()
            keyring.wake.set()
            changed()

        def refit(new: Workshop) -> None:
            intake.refit(new)
            watch.refit(new)
            failures.refit(new)

        def heard(what: str) -> None:
            {"received": intake.nudge, "decided": changed}.get(what, nudge)()

        failures = Failures(ledger, shop, changed)
        outbox = Outbox(ledger, [Relay(smarthost(config), relay_tls)], now, rng, lease=LEASE, on_failed=failures.tell)
        intake = Intake(ledger, shop, changed)
        summaries = Summaries(ledger, shop, operator(config), outbox.wake.set)
        reports = Reports(ledger, shop, weekly(config), outbox.wake.set)
        alarms = Alarms(ledger, siren(config), config.data_dir / "alarm.json", now)
        acceptor = accepting(config, ledger, intake)

        async def settled() -> None:
            await acceptor.settled()
            await intake.caught_up()

        watch = Watch(ledger, shop, settled, outbox.wake.set)
        keyring = Keyring(ledger, lambda: intake.shop, refit)
        ways_in = doors(config, acceptor, intake, now, passed)
        fetched = inboxes(config, ledger, intake, now, rng)
        await _loops(stack, outbox, intake, watch, summaries, reports, keyring, alarms)
        await stack.enter_async_context(ledger.listening(heard))
        nudged = Wake.listen(config.data_dir / "wake", nudge)
        stack.callback(nudged.close)
        await ways_in.start()
        stack.push_async_callback(ways_in.stop, GRACE)
        stack.push_async_callback(acceptor.drain)
        fetched.start()
        stack.push_async_callback(fetched.stop)
        yield Daemon(
            ways_in.smtp.addresses,
            ways_in.listeners,
            ledger,
            intake,
            watch,
            outbox,
            failures,
            fetched,
            summaries,
            reports,
            alarms,
        )
        log.info("daemon.stopping")


async def _taken_over(ledger: Ledger, config: Config, now: Callable[[], datetime]) -> None:
    if 0 < (was := ledger.migrated).before < was.after:
        log.info("ledger.migrated", before=was.before, after=was.after, copy=str(was.copy))
    await count_again(ledger, config, now)


async def workshop(config: Config, ledger: Ledger, read: Read, now: Callable[[], datetime]) -> Workshop:
    """Gather what decisions and letters are made with. `read` parses octets that came from a return path."""
    keys = tuple(await ledger.secrets(PURPOSE, now=now()))
    return Workshop(
        office=office(config, keys),
        templates=load_templates(config.templates_dir),
        rules=rules_of(config),
        trusts=truster(config),
        now=now,
        read=read,
        deciding=ledger.deciding,
    )


def basis_of(config: Config) -> str:
    """Give the digest of what deadlines are counted by."""
    desk = office(config, ())
    rotas = ((mailbox.address, desk.rota(mailbox)) for mailbox in desk.mailboxes)
    on_call = [(address, len(rota.agents)) for address, rota in rotas if rota]
    rest = (config.calendars["weekdays"], config.desk.close_after)
    agents = [agent.id for agent in desk.agents]
    return basis(config.policies, config.ladders, rest, on_call, config.desk.ack_stops, agents)


async def count_again(ledger: Ledger, config: Config, now: Callable[[], datetime]) -> None:
    """Have the watch count all deadlines again where what they follow from has changed (R16)."""
    counted_by = await asyncio.to_thread(basis_of, config)
    if await ledger.count_by(counted_by, now()):
        log.info("clocks.count_again", basis=counted_by[:12])


def prover(sums: Sums) -> Prover | None:
    """Give who looks at signatures, with the DNS of this machine; None where the libraries are not installed."""
    return Prover(Resolver().text, sums) if verify.installed() else None


def rules_of(config: Config) -> Rules:
    """Give the rules that guess a severity: the operator's, else the built-in ones."""
    return default_rules() if config.keywords is None else parse_rules(config.keywords)


def operator(config: Config) -> Operator:
    """Give who is told what needs a person."""
    told = config.operator
    return Operator(told.address, timedelta(seconds=told.summary_every), str(config.path.resolve()))


def weekly(config: Config) -> Weekly | None:
    """Give when the weekly report is sent, and to whom; None where it is not."""
    told = config.report
    return Weekly(*slot(told.weekly), told.to) if told.weekly else None


def siren(config: Config) -> Siren:
    """Give how people are told that no mail can leave."""
    alarm, desk = config.alarm, config.desk
    rule = Rule(timedelta(seconds=alarm.after), timedelta(seconds=alarm.again))
    return Siren(rule, alarm.command, config.alarm_url, desk.name, desk.address, socket.gethostname())


def smarthost(config: Config) -> Smarthost:
    """Give the smarthost; without a word on TLS it is none on loopback and STARTTLS elsewhere."""
    relay = config.relay
    return Smarthost(
        host=relay.host,
        port=relay.port,
        tls=relay.tls or ("none" if is_loopback(relay.host) else "starttls"),
        username=relay.username,
        password=config.relay_password,
        helo=config.smtp.hostname or config.domain,
    )


async def _loops(
    stack: contextlib.AsyncExitStack,
    outbox: Outbox,
    intake: Intake,
    watch: Watch,
    summaries: Summaries,
    reports: Reports,
    keyring: Keyring,
    alarms: Alarms,
) -> None:
    """Start the loops; at the end each is stopped and waited for, the outbox last, with a while for the mail in its hands."""
    loops = {"outbox": outbox.run, "summary": summaries.run, "watch": watch.run, "intake": intake.run}
    loops |= {"report": reports.run, "keyring": keyring.run, "alarm": alarms.run}
    for name, loop in loops.items():
        task = asyncio.create_task(loop(), name=name)
        stack.push_async_callback(_ended, task, outbox.stop if name == "outbox" else task.cancel)


async def _ended(task: asyncio.Task[None], stop: Callable[[], object]) -> None:
    stop()
    if not (await asyncio.wait([task], timeout=FAREWELL))[0]:
        log.warning("daemon.cut_short", loop=task.get_name())
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
