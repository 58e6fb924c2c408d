"""What an agent's mail forwards, and the ticket that knows it already: evidence for `gather`."""

import asyncio
from dataclasses import replace

from maild.ingest.forwarded import Forwarded, messages, read
from maild.ingest.quote import new_text
from maild.mail import InboundMail, Origin
from maild.sla.severity import Guess, guess
from maild.store import Asked, History, Known, Ledger
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.ticket import Message
from maild.workshop import Workshop


async def forwarded_by(
    ledger: Ledger, shop: Workshop, mail: InboundMail, known: Known, placement: Placement
) -> tuple[Forwarded | None, Placement]:
    """Read what an agent's mail forwards, None where it is no forward; and place it where what it forwards is known.

    A reply to a notification of ours forwards nothing, whatever its subject says. A mail that is attached is parsed as any
    other is, by somebody who can be killed over it.
    """
    office = shop.office
    if mail.origin is not Origin.PERSON or office.agent_of(mail.sender) is None or placement.purpose is Purpose.AGENT:
        return None, placement
    inner = [await shop.read(file.content, _NOT_NULL) for file in messages(mail)[:_MOST_READ]]
    forwarded = await asyncio.to_thread(read, mail, inner, _ours(shop))
    if forwarded is None or placement.ticket is not None:
        return forwarded, placement
    seen = {number for number, kind in known.ids.get(mail.message_id, ()) if kind == "seen"}
    if len(seen) == 1:
        return forwarded, replace(placement, ticket=seen.pop(), rung=Rung.STORED_ID, because="it was forwarded before")
    tickets = await _tickets_of(ledger, shop, forwarded.message_id)
    if len(tickets) != 1:
        return forwarded, placement
    because = f"it forwards <{forwarded.message_id}>, which is in the ticket"
    return forwarded, replace(placement, ticket=tickets.pop(), rung=Rung.STORED_ID, because=because)


_MOST_READ = 2
"""Mails attached that are parsed: with the second it is known already that the agent must be asked."""

_NOT_NULL = "unknown"
"""What stands for the return path of an attached mail, which has none: not the null one, which reports have."""


def _ours(shop: Workshop) -> frozenset[str]:
    office = shop.office
    boxes = (own.lower() for mailbox in office.mailboxes for own in (mailbox.address, *mailbox.aliases))
    names = (agent.name.casefold() for agent in office.agents if agent.name)
    return frozenset({*office.agent_keys, *boxes, *names, office.desk.address.lower()})


async def _tickets_of(ledger: Ledger, shop: Workshop, msgid: str) -> set[int]:
    if not msgid:
        return set()
    asked = Asked(msgids=(msgid,), tickets=(), message_id="", address="", body_digest="", now=shop.now(), digest="-")
    known = await ledger.known_of(asked)
    return {number for number, _ in known.ids.get(msgid, ())}


def guess_of(shop: Workshop, mail: InboundMail, forwarded: Forwarded) -> Guess:
    """Guess how bad it is by the words of whoever wrote what is forwarded."""
    customer = shop.office.customer_of(forwarded.sender) if forwarded.sender else None
    words = new_text(forwarded.text) if forwarded.text else mail.new_text
    return guess(forwarded.subject, words, (), Origin.PERSON, shop.rules, tier=customer.tier if customer else "")


def same_forward(history: History | None, mail: InboundMail) -> Message | None:
    """Give the message that this very forward became in its ticket, where it bears the customer's name."""
    if history is None or not mail.body_digest:
        return None
    return next((one for one in history.messages if one.body_digest == mail.body_digest), None)
