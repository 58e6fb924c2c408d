"""What daemons on one PostgreSQL ledger tell one another, on a connection of its own: a pool drops listeners."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from maild.store.door import Heard
from maild.store.faults_postgres import BROKEN

log = structlog.get_logger("maild.ledger")

CHANNEL = "maild"

POLL_SECONDS = 10.0
"""How long a notification that was lost can go unnoticed."""


def telling(what: str, name: str) -> str:
    """Give the statement by which the daemon `name` tells the others `what`."""
    return f"NOTIFY {CHANNEL}, '{what} {name}'"


async def listen(connect: Callable[[], Awaitable[Any]], name: str, heard: Heard) -> None:
    """Call `heard` for ever with what others than `name` tell; connect again when cut off, and poll behind it."""

    def told(_con: Any, _pid: int, _channel: str, payload: str) -> None:
        what, _, who = payload.partition(" ")
        if who != name:
            heard(what)

    gone = asyncio.Event()
    while True:
        try:
            con = await connect()
            try:
                gone.clear()
                con.add_termination_listener(lambda _: gone.set())
                await con.add_listener(CHANNEL, told)
                while not gone.is_set():
                    # At once, too: what was said while nobody listened is lost.
                    heard("poll")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(gone.wait(), POLL_SECONDS)
                    await con.execute("SELECT 1", timeout=POLL_SECONDS)
            finally:
                con.terminate()
        except BROKEN as fault:
            log.warning("ledger.not_listening", fault=f"{type(fault).__name__}: {fault}")
            heard("poll")
            await asyncio.sleep(min(POLL_SECONDS, 1.0))
