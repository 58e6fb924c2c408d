"""`maild serve`: the daemon."""

import asyncio
import logging
import os
import signal
import socket
import sys

import structlog

from maild.cli.terms import ConfigOption, Exit, configuration, fail, say
from maild.config import Config
from maild.daemon import running
from maild.outbound.template_files import check_templates
from maild.store import LedgerError, LedgerInUseError

log = structlog.get_logger("maild.daemon")


def serve(config: ConfigOption = None) -> None:
    """Run the daemon until SIGTERM."""
    _log_to_stderr()
    loaded = configuration(config)
    try:
        loaded.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fail(Exit.CONFIG, f"desk.data_dir: {loaded.data_dir} cannot be made: {error.strerror}")
    faults = check_templates(loaded.templates_dir)
    if faults:
        fail(Exit.CONFIG, *(f"{loaded.path}: {fault}" for fault in faults))
    try:
        asyncio.run(_serve(loaded))
    except LedgerInUseError as error:
        fail(Exit.CONFIG, str(error))
    except LedgerError as error:
        fail(Exit.UNAVAILABLE, f"the ledger {loaded.database_url} cannot be used: {error}")
    except OSError as error:
        fail(Exit.UNAVAILABLE, f"cannot listen on {loaded.smtp.listen}: {error.strerror or error}")


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config) as daemon:
        listeners = [f"smtp={host}:{port}" for host, port in daemon.addresses]
        say(" ".join(("ready", *listeners)))
        log.info("daemon.ready", listeners=listeners)
        _notify("READY=1")
        await stop.wait()
        _notify("STOPPING=1")
    log.info("daemon.stopped")


def _notify(state: str) -> None:
    """Tell systemd (sd_notify(3)); nothing where it did not start us."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.connect("\0" + path[1:] if path.startswith("@") else path)
        sock.sendall(state.encode())


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
