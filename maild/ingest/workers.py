"""Parsing in processes that can be killed: some octets cost minutes or gigabytes, and no `try` stops them.

The limits of `caps` come first and stop most; what gets past them meets the processor time and memory a worker may use.
Workers are started by a fork server, so that none holds a listening socket.
"""

import asyncio
import logging
import multiprocessing
import os
import resource
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import structlog
from pebble import ProcessPool

from maild.ingest import verify
from maild.ingest.parse import parse, unread
from maild.mail import InboundMail

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger("maild.parse")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one mail may cost in a worker: seconds of processor and of wall clock, octets of address space."""

    cpu_seconds: int = 10
    wall_seconds: float = 30.0
    memory: int = 2**30


def _limited(memory: int) -> None:
    # It logs the traceback of each of its detectors that a mail breaks; the mail is read all the same.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    with suppress(ValueError, OSError):  # a hardened unit may forbid it: its own MemoryMax then stands
        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _within(cpu_seconds: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    # The limit counts a process's whole life, so it is raised before each mail.
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    return work(*args, **kwargs)


def _read(octets: bytes, return_path: str) -> InboundMail:
    return parse(octets, return_path=return_path)


BROKEN = (FutureTimeout, MemoryError, OSError, EOFError, RuntimeError)
"""What comes of a worker that was killed: ProcessExpired is an OSError; one over its processor time dies of SIGXCPU."""

HEAVY = 256 * 1024
"""Octets from which a mail may cost seconds: one worker is always left to the others."""


class Parsers:
    """A few workers. `parse` is total: a mail that breaks its worker comes back unread, with the original attached."""

    def __init__(self, workers: int = 2, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._heavy = asyncio.Semaphore(max(1, workers - 1))
        # Its helpers are begun with `python -c`, which looks for modules in the working directory first: a folder of mail
        # may hold anything.
        os.environ["PYTHONSAFEPATH"] = "1"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["maild.ingest.parse"])
        self._pool = ProcessPool(max_workers=workers, initializer=_limited, initargs=(limits.memory,), context=context)

    async def parse(self, octets: bytes, return_path: str) -> InboundMail:
        """Parse one mail. Never raises but when cancelled or closed."""
        async with self._heavy if len(octets) >= HEAVY else nullcontext():
            return await self._parse(octets, return_path)

    async def _parse(self, octets: bytes, return_path: str) -> InboundMail:
        try:
            return await self._run(_read, octets, return_path)
        except BROKEN as fault:
            words = f"could not be parsed within {self._costs}: {type(fault).__name__}"
            log.warning("parse.killed", size=len(octets), fault=words)
            return unread(octets, words)

    async def signatures(self, octets: bytes, keyed: Sequence[tuple[int, str, str]]) -> tuple[str, ...]:
        """Verify DKIM signatures, as `verify.signatures` does. Never raises but when cancelled or closed."""
        async with self._heavy:
            try:
                return await self._run(verify.signatures, octets, tuple(keyed))
            except BROKEN as fault:
                return (self._unverified(octets, fault),) * len(keyed)

    async def chain(self, octets: bytes, instance: int, sealer: str, records: Mapping[str, str]) -> str:
        """Verify an ARC chain, as `verify.chain` does. Never raises but when cancelled or closed."""
        async with self._heavy:
            try:
                return await self._run(verify.chain, octets, instance, sealer, dict(records))
            except BROKEN as fault:
                return self._unverified(octets, fault)

    def _unverified(self, octets: bytes, fault: Exception) -> str:
        words = f"it could not be verified within {self._costs}: {type(fault).__name__}"
        log.warning("verify.killed", size=len(octets), fault=words)
        return words

    @property
    def _costs(self) -> str:
        return f"{self._limits.cpu_seconds} s of processor time and {self._limits.memory >> 20} MiB"

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        limits = self._limits
        future = self._pool.schedule(
            _within, args=(limits.cpu_seconds, work, *args), kwargs=kwargs, timeout=limits.wall_seconds
        )
        return await asyncio.wrap_future(future)

    async def warm(self) -> None:
        """Start the workers now, so that no mail is in our hands for as long as that takes."""
        await self.parse(b"From: us@localhost\r\nSubject: warm\r\n\r\n", "us@localhost")

    async def close(self) -> None:
        """End the workers; what they were at is given up."""
        self._pool.stop()  # type: ignore[no-untyped-call] # pebble annotates what it gives, not this
        await asyncio.to_thread(self._pool.join)
