"""The evidence for a decision on a mail: all that the ledger knows of it, asked before anything is decided."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

from maild.desk import Case, Listed, Told
from maild.desk.no_ticket import answered_at_large
from maild.desk.reopening import goes_on_in
from maild.forwarding import forwarded_by, guess_of, same_forward
from maild.ingest.forwarded import Forwarded
from maild.ingest.spam import verdict
from maild.mail import InboundMail, Origin, Received
from maild.sla.severity import Guess, guess
from maild.store import Asked, History, Known, Ledger
from maild.threading import subject as subjects
from maild.threading.likeness import place_by_likeness, traits_of
from maild.threading.near import near
from maild.threading.place import Evidence, Placement, Rung, followed, place, wanted_ids, wanted_tickets
from maild.ticket import Message
from maild.trust import judge, own_because
from maild.workshop import Workshop, told_of

P = ParamSpec("P")
T = TypeVar("T")

MOST_FOLLOWED = 10
"""How many tickets, each the continuation of the one before, are gone through for one mail."""

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
    evidence = Evidence(known.ids, known.tickets, office.keys, office.agent_keys, detail)
    placement = place(mail, evidence, office.desk.reference)
    if placement.ticket is None:
        placement = await _by_likeness(ledger, shop, received, mail, evidence) or placement
    forwarded, placement = await forwarded_by(ledger, shop, mail, known, placement)
    trusted = shop.trusts(received.peer)
    trust = judge(mail, trusted_hop=trusted, authority=office.authority, placement=placement)
    twin = next((pair for pair in known.twins if placement.ticket in {None, evidence.end(pair[1])}), None)
    of_ticket = twin[1] if twin else placement.ticket
    history = None if of_ticket is None else await ledger.history(of_ticket)
    twin_message = _message(history, twin)
    merged = known.tickets.get(placement.via) if placement.via is not None else None
    if history is not None and history.ticket.merged_into is not None:
        merged = merged or history.ticket
        history, placement = await _where_it_went(ledger, history, placement)
    by_customer = mail.origin is Origin.PERSON and office.agent_of(mail.sender) is None
    if history is not None and twin is None and by_customer:
        history, placement = await _where_it_goes_on(ledger, shop, history, placement, received)
    return Case(
        received=received,
        mail=mail,
        mailbox=mailbox,
        placement=placement,
        trust=trust,
        guess=await off_the_loop(mail, guessed, shop, mail, forwarded),
        ticket=history.ticket if history else None,
        told=told_of(history) if history else Told(),
        messages=history.messages if history else (),
        number=number,
        known=known.met and bool(sender_key),
        acks=known.acks,
        asked=known.asked,
        merged=merged,
        twin=twin_message or (same_forward(history, mail) if forwarded else None),
        base_subject=subjects.base(mail.subject, office.desk.reference),
        forwarded=forwarded,
        listed=await _listed(ledger, shop, mail),
        flags=_flags(known, mail) if placement.ticket is not None and twin is None else (),
        spam=verdict(mail.headers, office.spam_headers) if trusted and not received.no_spam else "",
    )


async def _where_it_went(ledger: Ledger, history: History, placement: Placement) -> tuple[History, Placement]:
    """Follow a ticket that was merged to the one in which it is now."""
    gone = history.ticket.number
    history = await ledger.survivor(gone) or history
    now = history.ticket.number
    if placement.ticket is None or placement.ticket == now:
        return history, placement
    because = f"{placement.because}; {followed(gone)} {now}"
    return history, replace(placement, ticket=now, because=because, via=gone)


async def _where_it_goes_on(
    ledger: Ledger, shop: Workshop, history: History, placement: Placement, received: Received
) -> tuple[History, Placement]:
    """Follow a ticket that is closed for good to the one in which its customer went on."""
    for _ in range(MOST_FOLLOWED):
        after = goes_on_in(history.ticket, history.events, shop.office.window, received.received_at)
        later = await ledger.survivor(after) if after is not None else None
        if later is None or later.ticket.number == history.ticket.number:
            break
        because = f"{placement.because}, which goes on in ticket {later.ticket.number}"
        history, placement = later, replace(placement, ticket=later.ticket.number, because=because)
    return history, placement


async def _by_likeness(
    ledger: Ledger, shop: Workshop, received: Received, mail: InboundMail, evidence: Evidence
) -> Placement | None:
    """Place a reply that names nothing we know, by what it has in common with a conversation, or say what is near it."""
    office = shop.office
    ours = {*office.agent_keys, *(own for mailbox in office.mailboxes for own in (mailbox.address, *mailbox.aliases))}
    traits = traits_of(mail, office.desk.reference, ours) if mail.origin is not Origin.BOUNCE else None
    now = received.received_at
    candidates = await ledger.candidates(traits, now) if traits else []
    if traits and (found := await off_the_loop(mail, place_by_likeness, mail, traits, candidates, now)):
        return found
    nearest = near(mail, evidence, office.desk.reference, (traits, candidates) if traits else None, now)
    return Placement(None, Rung.NEW, "it names no conversation that we know", near=nearest) if nearest else None


def guessed(shop: Workshop, mail: InboundMail, forwarded: Forwarded | None = None) -> Guess:
    """Guess how bad it is what a mail says, or what it forwards."""
    if forwarded is not None:
        return guess_of(shop, mail, forwarded)
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


def _flags(known: Known, mail: InboundMail) -> tuple[str, ...]:
    """Give the lines that the agents must read of a mail: that its Message-ID is another one's."""
    seen = sorted({ticket for ticket, kind in known.ids.get(mail.message_id, ()) if kind == "seen"})
    if not seen or known.twins:
        return ()
    return (f"A mail with the same Message-ID and another text is in ticket {seen[-1]}: this one is kept beside it.",)


def _message(history: History | None, twin: tuple[int, int] | None) -> Message | None:
    """Give the message of which this is a second delivery. At another ticket it is a message of that one, too."""
    if history is None or twin is None:
        return None
    return next((one for one in history.messages if one.id == twin[0]), None)


async def _listed(ledger: Ledger, shop: Workshop, mail: InboundMail) -> tuple[Listed, ...]:
    """Give the tickets of the digest that an agent's mail answers."""
    digest = answered_at_large(mail, shop.office) if shop.office.agent_of(mail.sender) else ""
    named = await ledger.named_by(digest) if digest else {}
    histories = await ledger.histories(named) if named else ()
    return tuple(Listed(one.ticket, told_of(one), named[one.ticket.number]) for one in histories)


def _own_or_not(known: Known, shop: Workshop, mail: InboundMail) -> InboundMail:
    office = shop.office
    ours = {office.desk.address, *(one for box in office.mailboxes for one in (box.address, *box.aliases))}
    sent = any(kind == "own" for _, kind in known.ids.get(mail.message_id, ()))
    because = own_because(mail, sent=sent, desk=office.desk.address, ours=ours)
    return replace(mail, origin=Origin.OWN, origin_because=because) if because else mail
