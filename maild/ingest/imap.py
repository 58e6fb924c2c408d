"""The IMAP way in: for each folder one task that holds it in the ledger, runs a worker on it, and starts again.

The worker is a thread (`imap_worker`), for the library blocks. Whatever breaks a session is logged, and the next one
begins after a pause that grows (`imap_plan.backoff`).
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog

from maild.ingest import imap_plan as plan
from maild.ingest.imap_account import Account, ImapError
from maild.ingest.imap_oauth import Tokens
from maild.ingest.imap_plan import Held, Reconciled
from maild.ingest.imap_strikes import Strikes
from maild.ingest.imap_ties import Book, Ties
from maild.ingest.imap_worker import Stopped, Worker
from maild.pulse import Pulse

log = structlog.get_logger("maild.imap")

RENEW = 10.0
"""Seconds after which a folder that other daemons may want is held anew: a third of its lease."""

ELSEWHERE = 5.0
"""Seconds after which a folder is asked for again that another daemon holds."""

NUDGE_AFTER = 0.5
"""Seconds in which nudges are gathered: a decision is seldom alone."""

GRACE = 0.5
"""Seconds that a worker has to end by itself, and as many again once its connection is cut."""

STEADY = 30.0
"""Seconds after which a session that came behind its first look lets the failures before it be forgotten."""

PATIENCE = 120.0
"""Seconds that the ledger may take to answer before the loop counts as hanging."""


class Inbox:
    """Fetches one folder. `stored` is called in the loop when mail came; `bears_token` says whose address is a token's."""

    def __init__(
        self,
        account: Account,
        book: Book,
        *,
        stored: Callable[[], None],
        bears_token: Callable[[str], bool],
        now: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._account = account
        self._book = book
        self._stored = stored
        self._bears_token = bears_token
        self._now = now
        self._rng = rng
        self._tokens = Tokens(account.grant) if account.grant else None
        self._worker: Worker | None = None
        self._nudging: asyncio.TimerHandle | None = None
        self._failures = 0
        self._steady = False
        self._strikes = Strikes()
        self._log = log.bind(mailbox=account.name)
        self.pulse = Pulse(PATIENCE)
        self.reconciled: Reconciled | None = None
        """What the latest comparison of the server with the ledger found."""

    @property
    def name(self) -> str:
        """Which folder it is: user@host/folder."""
        return self._account.name

    def nudge(self) -> None:
        """Say that mail was decided on, so that some may be moved."""
        if self._account.moves and self._worker is not None and self._nudging is None:
            self._nudging = asyncio.get_running_loop().call_later(NUDGE_AFTER, self._pass_on)

    def _pass_on(self) -> None:
        self._nudging = None
        if self._worker is not None:
            self._worker.nudge()

    async def run(self) -> None:
        """Fetch for ever; cancel it to stop, which takes a second at most."""
        held: Held | None = None
        try:
            while True:
                self.pulse.beat()
                try:
                    held = await self._book.take_mailbox(self._account.name, self._now())
                    rests = ELSEWHERE if held is None else await self._session(held)
                except Exception as fault:  # noqa: BLE001 - the loop outlives its work: what was not stored is fetched again
                    rests = self._failed(fault)
                self.pulse.beat(rests)
                await asyncio.sleep(rests)
        finally:
            if self._nudging is not None:
                self._nudging.cancel()
            if held is not None:
                with suppress(Exception):  # the lease ends by itself
                    await asyncio.wait_for(self._book.leave_mailbox(held.id), GRACE)

    def _failed(self, fault: Exception) -> float:
        self._failures += 1
        was_steady, self._steady = self._steady, False
        refused = isinstance(fault, ImapError) and fault.refused
        pause = plan.backoff(self._failures, self._rng.random(), refused=refused)
        words = str(fault) if isinstance(fault, ImapError) else f"{type(fault).__name__}: {fault}"
        if was_steady and not refused:  # Google ends each session with its token, after an hour
            self._log.info("imap.session_ended", because=words, again_in=round(pause, 1))
            return pause
        tell = self._log.error if refused else self._log.warning
        tell("imap.failed", fault=words, failures=self._failures, again_in=round(pause, 1))
        return pause

    async def _session(self, held: Held) -> float:
        """Run a worker until it ends or the folder is another daemon's; give the seconds to rest."""
        loop = asyncio.get_running_loop()
        worker = Worker(
            self._account, self._tokens, held, self._ties(loop), failures=self._failures, strikes=self._strikes
        )
        done: asyncio.Future[None] = loop.create_future()
        thread = threading.Thread(target=_run, args=(worker, loop, done), name=f"imap {held.id}", daemon=True)
        self._worker = worker
        thread.start()
        try:
            rests = await self._follow(worker, done)
        except Exception:
            self._strikes = worker.strikes.broke(worker.asked_for, time.monotonic())
            if worker.brought:  # where there is progress, nobody waits for minutes
                self._failures = min(self._failures, 1)
            raise
        else:
            self._strikes = worker.strikes
            return rests
        finally:
            self._worker = None
            await _end(worker, done)

    async def _follow(self, worker: Worker, done: asyncio.Future[None]) -> float:
        steady = time.monotonic() + STEADY
        while not done.done():
            self.pulse.beat(RENEW)
            await asyncio.wait([done], timeout=RENEW)
            if worker.arrived and time.monotonic() >= steady:
                self._failures, self._steady = 0, True
            if not done.done() and not await self._still_ours():
                self._log.warning("imap.lost_to_another_daemon")
                return ELSEWHERE
            if worker.pulse.late and not done.done():
                raise ImapError("the server keeps us waiting in the middle of a dialogue")
        done.result()
        return 0.0

    async def _still_ours(self) -> bool:
        if not self._book.shared:
            return True
        return await self._book.take_mailbox(self._account.name, self._now()) is not None

    def _ties(self, loop: asyncio.AbstractEventLoop) -> Ties:
        def ask(question: Coroutine[Any, Any, Any]) -> Any:
            try:
                answer = asyncio.run_coroutine_threadsafe(question, loop)
            except RuntimeError as error:  # the loop is closed: the daemon ended without waiting for us
                question.close()
                raise Stopped from error
            return answer.result()

        return Ties(
            book=self._book,
            ask=ask,
            stored=lambda: _soon(loop, self._stored),
            reconciled=lambda found: _soon(loop, self._compared, found),
            bears_token=self._bears_token,
            now=self._now,
        )

    def _compared(self, found: Reconciled) -> None:
        self.reconciled = found
        tell = self._log.warning if found.differs else self._log.info
        tell(
            "imap.reconciled",
            on_server=found.on_server,
            in_ledger=found.in_ledger,
            unknown=len(found.unknown),
            gone=len(found.gone),
            not_fetched=len(found.not_fetched),
        )


def _run(worker: Worker, loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
    """Be the thread: whatever ends the worker is told to the loop."""
    fault: BaseException | None = None
    try:
        worker.run()
    except Stopped:
        pass
    except Exception as error:  # noqa: BLE001 - the loop decides what it means
        fault = error
    _soon(loop, _tell, worker, done, fault)


def _tell(worker: Worker, done: asyncio.Future[None], fault: BaseException | None) -> None:
    worker.close()
    if done.done():
        return
    if fault is None:
        done.set_result(None)
    else:
        done.set_exception(fault)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(call, *args)


async def _end(worker: Worker, done: asyncio.Future[None]) -> None:
    """Stop a worker, by cutting its connection where it does not end by itself. After a second nobody waits for it."""
    worker.stop()
    until = time.monotonic() + GRACE
    for last in (worker.cut, lambda: None):
        with suppress(asyncio.CancelledError):
            await asyncio.wait([done], timeout=max(until - time.monotonic(), 0.0))
        if done.done():
            break
        last()
        until = time.monotonic() + GRACE
    if not done.cancel():
        done.exception()  # asked for once: who ended the session knows why
