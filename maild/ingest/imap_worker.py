"""One session with an IMAP server, in a thread of its own: look, fetch, store, move, wait, and again.

Octets go through the loop into the ledger before the next ones are fetched, so one batch is in memory at a time.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog
from imapclient import IMAPClient  # type: ignore[import-untyped]  # it ships no types

from maild.ingest import imap_plan as plan
from maild.ingest.imap_account import Account, ImapError
from maild.ingest.imap_envelope import envelope
from maild.ingest.imap_login import connect, log_in, shut
from maild.ingest.imap_oauth import Tokens
from maild.ingest.imap_plan import Held, Listed, Noted
from maild.ingest.imap_session import LISTED, Session, drain, pause
from maild.ingest.imap_strikes import Strikes
from maild.ingest.imap_ties import Kept, Ties
from maild.pulse import Pulse

log = structlog.get_logger("maild.imap")

IDLE_TURN = 270.0
"""Seconds of one IDLE: many servers and routers let go of what is silent for longer."""

FULL_EVERY = 1800.0
"""Seconds after which all UIDs are compared again, for a word that was lost."""

LOOKED_EVERY = 60.0
"""Seconds after which a look that found nothing is worth a write."""

PATIENCE = 600.0
"""Seconds that one step may take: a large mail over a slow line."""


class Stopped(Exception):  # noqa: N818 - it is asked for, and nobody's mistake
    """The session was told to end."""


class Worker:
    """One session. `run` blocks until it is stopped or breaks; `stop`, `cut` and `nudge` are for other threads.

    `failures` is how many sessions broke before it, one after another, and `strikes` over which UIDs they did.
    """

    def __init__(
        self,
        account: Account,
        tokens: Tokens | None,
        held: Held,
        ties: Ties,
        *,
        failures: int,
        strikes: Strikes,
    ) -> None:
        self._account = account
        self._tokens = tokens
        self._held = held
        self._ties = ties
        self._batch_octets = plan.batch_octets(failures)
        self._log = log.bind(mailbox=account.name)
        self._wake, self._nudged = socket.socketpair()
        self._wake.settimeout(0)
        self._nudged.settimeout(0)
        self._client: IMAPClient | None = None
        self._stopped = False
        self._full_at = 0.0
        self._wrote_at = 0.0
        self._lowest = 0
        self._moves = account.moves
        self.pulse = Pulse(PATIENCE)
        self.arrived = False
        """Whether a first look was completed: what breaks after that is no failure to connect."""
        self.brought = False
        """Whether mail was stored that was not there before."""
        self.strikes = strikes
        self.asked_for: tuple[int, ...] = ()
        """The UIDs that are on their way: should the session break, it was over these."""

    def nudge(self) -> None:
        """Say that there may be something to do; it ends IDLE within milliseconds."""
        with suppress(OSError):  # it is awake already, or gone
            self._nudged.send(b".")

    def stop(self) -> None:
        """Ask for the end."""
        self._stopped = True
        self.nudge()

    def cut(self) -> None:
        """Cut the connection, whatever the worker waits for."""
        self._stopped = True
        client = self._client
        if client is not None:
            with suppress(OSError, AttributeError):
                # The plain socket's: that of TLS would take its state away from under the reader.
                socket.socket.shutdown(client.socket(), socket.SHUT_RDWR)

    def close(self) -> None:
        """Close what nudges came through; `run` has ended."""
        self._wake.close()
        self._nudged.close()

    def run(self) -> None:
        """Work until stopped; `Stopped` then, ImapError where the server breaks, and whatever the ledger raises."""
        client = connect(self._account)
        self._client = client
        try:
            self._turn()
            log_in(client, self._account, self._tokens)
            self._turn()
            session = Session(client, self._account.folder, readonly=not self._account.moves)
            session.select()
            idles = self._account.idle and session.can_idle
            self._log.info("imap.connected", idle=idles, messages=session.count)
            self._prepare(session, idles=idles)
            self._full(session)
            self.arrived = True
            while True:
                self._move(session)
                self._wait(session, idles=idles)
                if self._is_full_due():
                    session.select()
                    self._full(session)
                else:
                    self._quick(session)
        finally:
            self._client = None
            shut(client)

    def _turn(self, sleeps: float = 0.0) -> None:
        if self._stopped:
            raise Stopped
        self.pulse.beat(sleeps)

    def _prepare(self, session: Session, *, idles: bool) -> None:
        if self._account.idle and not idles:
            self._log.warning("imap.no_idle", because="the server does not offer it", poll=self._account.poll)
        if self._account.moves and not session.can_move:
            self._log.warning("imap.no_move", because="the server offers neither MOVE nor UIDPLUS: mail stays in place")
            return
        for folder in {self._account.done_folder, self._account.quarantine_folder} - {""}:
            if session.make(folder):
                self._log.info("imap.folder_made", folder=folder)

    def _is_full_due(self) -> bool:
        night = plan.reconcile_due(self._held.reconciled_at, self._ties.now(), self._account.zone)
        return night or time.monotonic() >= self._full_at

    def _wait(self, session: Session, *, idles: bool) -> None:
        now = self._ties.now()
        night = (plan.next_night(now, self._account.zone) - now).total_seconds()
        seconds = min(IDLE_TURN if idles else self._account.poll, max(self._full_at - time.monotonic(), 0.0), night)
        self._turn(seconds)
        if idles:
            session.idle(self._wake, seconds)
        else:
            pause(self._wake, seconds)
        drain(self._wake)
        self._turn()

    def _full(self, session: Session) -> None:
        """Compare all UIDs with the ledger, and fetch what it does not have."""
        at, held, book = self._ties.now(), self._held, self._ties.book
        self._full_at = time.monotonic() + FULL_EVERY
        on_server = session.all_uids()
        if held.looked_at is None and self._account.since == "now":
            self._ties.ask(book.note_old(held.id, session.uidvalidity, on_server, at))
            self._saw(session.uidvalidity, on_server, at, night=True)
            self._log.info("imap.first_look", left_alone=len(on_server))
            return
        known = self._ties.ask(book.uids(held.id, session.uidvalidity))
        night = plan.reconcile_due(held.reconciled_at, at, self._account.zone)
        another = session.uidvalidity != held.uidvalidity
        wanted = plan.unknown(on_server, known, again=night)
        away = self._ties.ask(book.moved_away(held.id, session.uidvalidity, wanted))
        if another and held.looked_at is not None:
            self._log.warning("imap.recreated", uidvalidity=session.uidvalidity, before=held.uidvalidity)
        self._fetch(session, [uid for uid in wanted if uid not in away], self._oldest() if another else None)
        self._full_at = self.strikes.next_at(time.monotonic(), self._full_at)
        found = plan.compared(self._account.name, at, on_server, known, 0 if another else held.last_uid)
        self._saw(session.uidvalidity, on_server, at, night=night)
        self._ties.ask(book.looked(self._held, self._ties.now()))
        if night:
            self._ties.ask(book.reconciled(held.id, session.uidvalidity, found.gone, at))
        if night and not another:
            self._ties.reconciled(found)
        self._lowest = 0

    def _oldest(self) -> datetime | None:
        first = self._ties.ask(self._ties.book.first_seen(self._held.id))
        since, zone = self._account.since, self._account.zone
        return plan.oldest(since, zone, first_seen=first, looked_at=self._held.looked_at)

    def _saw(self, uidvalidity: int, on_server: Sequence[int], at: datetime, *, night: bool) -> None:
        before = self._held.last_uid if uidvalidity == self._held.uidvalidity else 0
        self._held = replace(
            self._held,
            uidvalidity=uidvalidity,
            last_uid=max((before, *on_server[-1:])),
            looked_at=at,
            reconciled_at=at if night else self._held.reconciled_at,
        )
        self._wrote_at = time.monotonic()

    def _quick(self, session: Session) -> None:
        """Fetch what is above the last UID."""
        at = self._ties.now()
        newer = session.newer(self._held.last_uid)
        self._fetch(session, newer, None)
        held = replace(self._held, last_uid=max((self._held.last_uid, *newer[-1:])), looked_at=at)
        self._held = held
        if newer or time.monotonic() >= self._wrote_at + LOOKED_EVERY:
            self._ties.ask(self._ties.book.looked(held, self._ties.now()))
            self._wrote_at = time.monotonic()

    def _fetch(self, session: Session, uids: Sequence[int], oldest: datetime | None) -> None:
        self.strikes = self.strikes.under(session.uidvalidity)
        given_up = self.strikes.given_up(uids, time.monotonic())
        self._note(session, [Noted(uid, fault=f"{plan.NOT_GIVEN}: {why}") for uid, why in given_up.items()])
        for some in self.strikes.portions([uid for uid in uids if uid not in given_up], LISTED):
            self._portion(session, some, oldest)

    def _portion(self, session: Session, uids: Sequence[int], oldest: datetime | None) -> None:
        self.asked_for = tuple(uids)
        listed = session.listed(uids)
        self.asked_for = ()
        self._turn()
        wanted: list[Listed] = []
        aside: list[Noted] = []
        for one in listed:
            old = oldest is not None and one.internal_at < oldest
            fault = plan.OLD if old else plan.too_large(one.size, self._account.most_octets)
            if fault:
                aside.append(Noted(one.uid, fault=fault))
            else:
                wanted.append(one)
        self._note(session, aside)
        for batch in plan.batches(wanted, self._batch_octets):
            self.asked_for = tuple(one.uid for one in batch)
            noted = self._batch(session, batch)
            self.asked_for = ()
            self._note(session, noted)
            self.strikes = self.strikes.came(one.uid for one in batch)

    def _batch(self, session: Session, batch: Sequence[Listed]) -> list[Noted]:
        given = session.octets([one.uid for one in batch], self._account.most_octets)
        self._turn()
        now = self._ties.now()
        floor = self._held.looked_at or now
        noted = []
        for one in batch:
            octets = given.get(one.uid)
            if isinstance(octets, str):
                noted.append(Noted(one.uid, fault=f"{plan.NOT_GIVEN}: {octets}"))
            elif octets is not None and len(octets) > self._account.most_octets:
                noted.append(Noted(one.uid, fault=plan.larger_than_said(self._account.most_octets)))
            elif octets is not None:
                at = plan.received_at(one.internal_at, floor=floor, now=now)
                env = envelope(octets, self._account.mailbox, self._ties.bears_token, at)
                noted.append(Noted(one.uid, env, octets))
        return noted

    def _note(self, session: Session, noted: Sequence[Noted]) -> None:
        if not noted:
            return
        kept: Kept = self._ties.ask(
            self._ties.book.fetched(self._held.id, session.uidvalidity, noted, self._ties.now())
        )
        self._turn()
        for one in noted:
            if one.fault and one.fault != plan.OLD:
                self._log.warning("imap.not_fetched", uid=one.uid, fault=one.fault)
        if kept.received:
            self.brought = True
            self._lowest = min(self._lowest or kept.received[0], *kept.received)
            self._ties.stored()
        self._log.info("imap.stored", mails=len(kept.received), before=kept.before, uids=len(noted))

    def _move(self, session: Session) -> None:
        account, held, book = self._account, self._held, self._ties.book
        if not self._moves or not session.can_move:
            return
        states = (
            *(("quarantined", "spam") if account.quarantine_folder else ()),
            *(("done", "dropped") if account.done_folder else ()),
        )
        settled = self._ties.ask(book.settled(held.id, held.uidvalidity, states, from_id=self._lowest))
        for folder, uids in plan.moves(settled, account.done_folder, account.quarantine_folder).items():
            self._turn()
            try:
                session.move(uids, folder)
            except ImapError as error:
                if not error.alive:
                    raise
                # Not again in this session: with UIDPLUS alone each attempt may leave copies behind.
                self._moves = False
                self._log.error("imap.not_moved", folder=folder, mails=len(uids), fault=str(error))
                return
            self._ties.ask(book.moved(held.id, held.uidvalidity, uids, self._ties.now()))
            self._log.info("imap.moved", mails=len(uids), folder=folder)
