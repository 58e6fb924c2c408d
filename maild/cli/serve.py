"""`maild serve`: the daemon, in the foreground, and what it tells the service manager of itself."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from itertools import chain, repeat
from typing import TextIO, cast

import structlog

from maild import notify
from maild.cli.check import template_faults
from maild.cli.ending import Exit, fail, say
from maild.cli.terms import ConfigOption, configuration
from maild.cli.voice import Voice
from maild.config import Config, ConfigError, load
from maild.config.restart import needs_restart
from maild.daemon import Daemon, running
from maild.doors import Passed
from maild.store import LedgerError, LedgerInUseError
from maild.store.ledger import shown

log = structlog.get_logger("maild.daemon")

STATUS_EVERY = 15.0
"""Seconds after which the line of `systemctl status` is written anew."""


def serve(config: ConfigOption = None) -> None:
    """Run the daemon until SIGTERM. SIGHUP reads the configuration again."""
    _log_to_stderr()
    loaded = configuration(config, secrets=True)
    try:
        loaded.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fail(Exit.CONFIG, f"desk.data_dir: {loaded.data_dir} cannot be made: {error.strerror}")
    faults = template_faults(loaded.templates_dir)
    if faults:
        fail(Exit.CONFIG, *(f"{loaded.path}: {fault}" for fault in faults))
    try:
        asyncio.run(_serve(loaded))
    except LedgerInUseError as error:
        fail(Exit.CONFIG, str(error))
    except LedgerError as error:
        fail(Exit.UNAVAILABLE, f"the ledger {shown(loaded.database_url)} cannot be used: {error}")
    except OSError as error:
        places = " or ".join(filter(None, (loaded.smtp.listen, loaded.lmtp.listen)))
        fail(Exit.UNAVAILABLE, f"cannot listen on {places}: {error.strerror or error}")


async def _serve(config: Config) -> None:
    asked: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, asked.put_nowait, number)
    async with running(config, passed=_passed()) as daemon:
        # What is here now stays: to search it for garbage again and again would hold up the loop for 80 ms at a time.
        gc.freeze()
        bulletin = _Bulletin(daemon)
        say(" ".join(("ready", *bulletin.listeners)))
        log.info("daemon.ready", listeners=bulletin.listeners)
        _tell(notify.ready(await bulletin.status()))
        async with _beside(bulletin.keep(), _feed(daemon)):
            while _all_of(asked, await asked.get()) == {signal.SIGHUP}:
                await _reload(config, bulletin)
        _tell(notify.stopping())
    log.info("daemon.stopped")


def _all_of(asked: asyncio.Queue[signal.Signals], first: signal.Signals) -> set[signal.Signals]:
    """Give everything that was asked for by now: hangups that come close upon each other are one, and an end is heard."""
    found = {first}
    while not asked.empty():
        found.add(asked.get_nowait())
    return found


class _Bulletin:
    """The line that `systemctl status` shows, with a note on the last reload where there is something to say."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.listeners = list(daemon.listeners)
        self.note = ""

    async def status(self) -> str:
        """Give the line as of now."""
        try:
            waiting, owed = await self.daemon.ledger.backlog()
        except LedgerError as error:
            log.warning("daemon.no_status", fault=str(error))
            alarm = self.daemon.alarms.note
            return f"STATUS=the ledger cannot be read: see the log{alarm and f'; {alarm}'}"
        return notify.status(
            self.listeners, waiting, owed, "; ".join(filter(None, (self.daemon.alarms.note, self.note)))
        )

    async def keep(self) -> None:
        """Tell the line for ever, whenever it changed."""
        told = ""
        while True:
            await asyncio.sleep(STATUS_EVERY)
            line = await self.status()
            if line != told:
                _tell(line)
            told = line


async def _feed(daemon: Daemon) -> None:
    """Feed the watchdog as long as every loop turns; a loop that hangs is left to it."""
    within = notify.watchdog_seconds(os.environ, os.getpid())
    while within is not None:
        late = [name for name, pulse in daemon.pulses.items() if pulse.late]
        if late:
            log.error("daemon.loop_hangs", loops=late)
        else:
            _tell(notify.WATCHDOG)
        await asyncio.sleep(within / 3)


async def _reload(started: Config, bulletin: _Bulletin) -> None:
    """Read the configuration again; where it has faults, they are logged and the old one stays."""
    _tell(notify.reloading(time.monotonic_ns()))
    faults: list[str] = []
    try:
        config = await asyncio.to_thread(load, started.path)
        faults = await asyncio.to_thread(template_faults, config.templates_dir)
        if not faults:
            await bulletin.daemon.refit(config)
    except ConfigError as error:
        faults = error.faults
    except Exception as error:  # noqa: BLE001 - the edge: whatever is wrong with a file, the daemon goes on with the old one
        faults = [f"{type(error).__name__}: {error}"]
    if faults:
        log.error("reload.refused", faults=faults)
        bulletin.note = f"reload refused, {len(faults)} fault(s) in {started.path.name}: see the log"
    else:
        waits = needs_restart(started, config)
        log.info("reload.done", needs_restart=waits)
        bulletin.note = f"needs a restart: {', '.join(waits)}" if waits else ""
    _tell(notify.ready(await bulletin.status()))


@contextlib.asynccontextmanager
async def _beside(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run `work` for the length of the block."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _passed() -> Passed:
    """Take the sockets that the service manager listens on for us: one called lmtp, all others are for SMTP.

    No worker inherits them.
    """
    sockets = [socket.socket(fileno=number) for number in notify.passed_sockets(os.environ, os.getpid())]
    for sock in sockets:
        sock.set_inheritable(False)
    names = chain(notify.names_of_sockets(os.environ), repeat(""))
    found: dict[bool, list[socket.socket]] = {True: [], False: []}
    for sock, name in zip(sockets, names, strict=False):
        found[name == "lmtp"].append(sock)
    return Passed(smtp=found[False], lmtp=found[True])


def _tell(text: str) -> None:
    try:
        notify.tell(text, os.environ)
    except OSError as error:
        log.warning("notify.failed", fault=str(error))


def _log_to_stderr() -> None:
    voice = Voice(sys.stderr)
    logging.basicConfig(level=logging.WARNING, stream=cast("TextIO", voice))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", voice)),
        cache_logger_on_first_use=False,
    )
