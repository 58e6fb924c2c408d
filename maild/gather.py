"""The evidence for a decision on a mail: all that the ledger knows of it, asked before anything is decided."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

from maild.desk import Case, Told
from maild.ingest.spam import verdict
from maild.mail import InboundMail, Origin, Received
from maild.outbound.gate import MARK_HEADER
from maild.sla.severity import Guess, guess
from maild.store import Asked, History, Known, Ledger
from maild.threading import subject as subjects
from maild.threading.likeness import place_by_likeness, traits_of
from maild.threading.place import Evidence, Placement, place, wanted_ids, wanted_tickets
from maild.ticket import Message
from maild.trust import judge
from maild.workshop import Workshop, told_of

P = ParamSpec("P")
T = TypeVar("T")

SMALL = 8 * 1024
"""What has less in it is decided on within a few milliseconds: less than a thread costs."""


async def off_the_loop(mail: InboundMail, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what takes as long as its mail is large: a small one at once, a large one in a thread."""
    weight = len(mail.text) + len(mail.html or "") + sum(len(one.content) for one in mail.attachments)
    return work(*args, **kwargs) if weight < SMALL else await asyncio.to_thread(work, *args, **kwargs)


async def gather(ledger: Ledger, shop: Workshop, received: Received, mail: InboundMail, number: int) -> Case:
    """Gather the case of a mail. `number` is reserved for a ticket that it may open."""
    office = shop.office
    mailbox, detail = office.mailbox_of(received.rcpt) or (office.mailboxes[0], "")
    sender_key = mail.sender.key if mail.sender else ""
    known = await ledger.known_of(
        Asked(
            msgids=wanted_ids(mail),
            tickets=wanted_tickets(mail, detail, office.keys, office.desk.reference),
            message_id=mail.message_id,
            address=sender_key,
            body_digest=mail.body_digest,
            now=shop.now(),
            digest=received.digest,
        )
    )
    mail = _own_or_not(known, shop, mail)
    placement = place(
        mail, Evidence(known.ids, known.tickets, office.keys, office.agent_keys, detail), office.desk.reference
    )
    if placement.ticket is None:
        placement = await _by_likeness(ledger, shop, received, mail) or placement
    trusted = shop.trusts(received.peer)
    trust = judge(mail, trusted_hop=trusted, authserv_id=office.authserv_id, placement=placement)
    twin = next((pair for pair in known.twins if placement.ticket in {None, pair[1]}), None)
    of_ticket = twin[1] if twin else placement.ticket
    history = None if of_ticket is None else await ledger.history(of_ticket)
    return Case(
        received=received,
        mail=mail,
        mailbox=mailbox,
        placement=placement,
        trust=trust,
        guess=await off_the_loop(mail, _guess, shop, mail),
        ticket=history.ticket if history else None,
        told=told_of(history) if history else Told(),
        messages=history.messages if history else (),
        number=number,
        known=known.met and bool(sender_key),
        acks=known.acks,
        asked=known.asked,
        twin=_message(history, twin),
        base_subject=subjects.base(mail.subject, office.desk.reference),
        spam=verdict(mail.headers, office.spam_headers) if trusted and not received.no_spam else "",
    )


async def _by_likeness(ledger: Ledger, shop: Workshop, received: Received, mail: InboundMail) -> Placement | None:
    """Place a reply that names nothing we know, by what it has in common with a conversation."""
    office = shop.office
    ours = {*office.agent_keys, *(own for mailbox in office.mailboxes for own in (mailbox.address, *mailbox.aliases))}
    traits = traits_of(mail, office.desk.reference, ours) if mail.origin is not Origin.BOUNCE else None
    if traits is None:
        return None
    now = received.received_at
    candidates = await ledger.candidates(traits, now)
    return await off_the_loop(mail, place_by_likeness, mail, traits, candidates, now)


def _guess(shop: Workshop, mail: InboundMail) -> Guess:
    customer = shop.office.customer_of(mail.sender) if mail.sender else None
    return guess(
        mail.subject,
        mail.new_text,
        mail.headers,
        mail.origin,
        shop.rules,
        auto_submitted=" ".join(mail.header("Auto-Submitted")),
        tier=customer.tier if customer else "",
    )


def _message(history: History | None, twin: tuple[int, int] | None) -> Message | None:
    """Give the message of which this is a second delivery. At another ticket it is a message of that one, too."""
    if history is None or twin is None:
        return None
    return next((one for one in history.messages if one.id == twin[0]), None)


def _own_or_not(known: Known, shop: Workshop, mail: InboundMail) -> InboundMail:
    if shop.office.desk.address in (mark.strip().lower() for mark in mail.header(MARK_HEADER)):
        return replace(mail, origin=Origin.OWN, origin_because=f"it bears our own {MARK_HEADER}")
    if "own" not in {kind for _, kind in known.ids.get(mail.message_id, ())}:
        return mail
    return replace(mail, origin=Origin.OWN, origin_because=f"<{mail.message_id}> is a Message-ID that we sent")
