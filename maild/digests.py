"""Escalations between the judgement and the mail: which are told at once, which in a digest, and when that one leaves."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

import structlog

from maild.desk import Decision
from maild.desk.digest import WINDOW, mails_of, sort_out
from maild.desk.digest_mail import digest_letters
from maild.desk.duty import quiet_until
from maild.mail import Address, Outgoing
from maild.outbound.compose import compose
from maild.outbound.digest_letter import DigestLetter, Kept
from maild.outbound.gate import GateRefusal, wire_address
from maild.store import ConflictError, Ledger, Record
from maild.store.digesting import written
from maild.ticket import Event
from maild.workshop import Workshop

log = structlog.get_logger("maild.digests")

AGAIN = timedelta(seconds=1)
"""After this a digest is looked at again that waits for what another daemon judges."""


class Digests:
    """Sorts escalations out and writes digests. `owed` is called when one is written."""

    def __init__(self, ledger: Ledger, shop: Workshop, owed: Callable[[], None]) -> None:
        self._ledger = ledger
        self._shop = shop
        self._on_owed = owed

    def refit(self, shop: Workshop) -> None:
        """Work with these from now on; call it where nobody is deciding."""
        self._shop = shop

    async def sorted_out(
        self, decisions: Sequence[Decision], ahead: Counter[str], now: datetime
    ) -> tuple[Decision, ...]:
        """Leave each escalation of a unit a mail, or let it wait for a digest; call it where nobody else decides.

        `ahead` counts, by reader, the mails that are due now and judged after this unit.
        """
        office = self._shop.office
        owed = sum((mails_of(decision, office) for decision in decisions), Counter[str]())
        readers = {reader: agent.address for reader in owed if (agent := office.agent(reader))}
        mailed = await self._ledger.mailed(_rcpts(readers), now, WINDOW) if readers else {}
        return sort_out(decisions, mailed, ahead, office, now)

    async def next_at(self) -> datetime | None:
        """Give when a digest wants to be looked at next; one that waits for others' work a moment from now."""
        at, now = await self._ledger.next_digest_at(), self._shop.now()
        return now + AGAIN if at is not None and at <= now else at

    async def close(self) -> None:
        """Write the digests that may leave: where nothing more is due now, or after `WINDOW` at the latest."""
        now = self._shop.now()
        await self._let_go(now)
        ripe = await self._ledger.ripe_digests(now)
        if ripe and await self._ledger.is_due(now):
            ripe = {agent: since for agent, since in ripe.items() if since <= now - WINDOW}
        for agent in ripe:
            async with self._shop.deciding():
                await self._close(agent)

    async def _let_go(self, now: datetime) -> None:
        """Let leave what would be told too late: of a ticket whose severity wakes people by now, or by a clock set back."""
        office = self._shop.office
        for held in await self._ledger.held(now, now + WINDOW):
            agent = office.agent(held.agent)
            if not (held.quiet and agent and quiet_until(agent, held.severity, office, now)):
                await self._ledger.let_go(held, now)

    async def _close(self, agent: str) -> None:
        now = self._shop.now()
        kept, events = await self._ledger.digest_of(agent, now)
        if not kept:
            return
        try:
            letters = digest_letters(kept, events, self._shop.office)
            mails, refused = await asyncio.to_thread(self._composed, letters, now)
        except Exception:  # one person's digest that cannot be written holds up no other's; it is still owed
            log.exception("digest.not_written", agent=agent)
            return
        named = _named(letters, mails)
        unsaid = _not_sent(kept, refused or "the desk has no agent", now) if not mails else ()
        try:
            await self._ledger.record(
                [Record(at=now, outgoing=tuple(mails), elsewhere=unsaid, digest=written(kept, now, named))]
            )
        except ConflictError as conflict:
            log.info("digest.conflict", agent=agent, because=str(conflict))
            return
        log.info("digest.owed", agent=agent, escalations=len(kept), mails=len(mails), because=refused)
        self._on_owed()

    def _composed(self, letters: Sequence[DigestLetter], now: datetime) -> tuple[list[Outgoing], str]:
        mails, refused = [], ""
        for letter in letters:
            try:
                mails.append(compose(letter, self._shop.office.desk, self._shop.templates, now))
            except GateRefusal as refusal:
                refused = f"{letter.key}: {refusal}"
        return mails, refused


def _rcpts(addresses: dict[str, str]) -> dict[str, str]:
    """Give by which recipients the outbox knows people; one whom no mail can reach is known by none."""
    return {reader: _rcpt(address) for reader, address in addresses.items()}


def _rcpt(address: str) -> str:
    try:
        return wire_address(address).lower()
    except GateRefusal:
        return Address("", address).key


def _named(letters: Sequence[DigestLetter], mails: Sequence[Outgoing]) -> tuple[tuple[str, int, str, int], ...]:
    owed = {mail.message_id for mail in mails}
    return tuple(
        (letter.message_id, line.ticket, line.metric, line.cycle)
        for letter in letters
        if letter.message_id in owed
        for line in letter.named
    )


def _not_sent(kept: Collection[Kept], because: str, now: datetime) -> tuple[tuple[int, Event], ...]:
    tickets = dict.fromkeys(one.item.ticket for one in kept)
    return tuple((ticket, Event(now, "maild", "not_sent", because)) for ticket in tickets)
