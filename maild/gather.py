"""The evidence for a decision on a mail: all that the ledger knows of it, asked before anything is decided."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from maild.desk import Case, Told
from maild.mail import InboundMail, Origin, Received
from maild.outbound.gate import MARK_HEADER
from maild.sla.severity import guess
from maild.store import Ledger
from maild.threading.place import Evidence, place, wanted_ids, wanted_tickets
from maild.ticket import Message
from maild.trust import judge
from maild.workshop import Workshop, told_of


async def gather(ledger: Ledger, shop: Workshop, received: Received, mail: InboundMail, number: int) -> Case:
    """Gather the case of a mail. `number` is reserved for a ticket that it may open."""
    office, now = shop.office, shop.now()
    mailbox, detail = office.mailbox_of(received.rcpt) or (office.mailboxes[0], "")
    mail = await _own_or_not(ledger, shop, mail)
    ids = await ledger.tickets_of_ids(wanted_ids(mail))
    numbers = {number for pairs in ids.values() for number, _ in pairs}
    numbers |= set(wanted_tickets(mail, detail, office.keys, office.desk.reference))
    tickets = await ledger.tickets_by_number(numbers)
    placement = place(mail, Evidence(ids, tickets, office.keys, office.agent_keys, detail), office.desk.reference)
    trust = judge(mail, trusted_hop=shop.trusts(received.peer), authserv_id=office.authserv_id, placement=placement)
    sender_key = mail.sender.key if mail.sender else ""
    twin = await _twin(ledger, mail, sender_key, placement.ticket)
    of_ticket = twin.ticket if twin else placement.ticket
    ticket = None if of_ticket is None else tickets.get(of_ticket) or await ledger.ticket(of_ticket)
    customer = office.customer_of(mail.sender) if mail.sender else None
    return Case(
        received=received,
        mail=mail,
        mailbox=mailbox,
        placement=placement,
        trust=trust,
        guess=await asyncio.to_thread(
            guess,
            mail.subject,
            mail.new_text,
            mail.headers,
            mail.origin,
            shop.rules,
            auto_submitted=" ".join(mail.header("Auto-Submitted")),
            tier=customer.tier if customer else "",
        ),
        ticket=ticket,
        told=await told_of(ledger, ticket.number) if ticket else Told(),
        messages=tuple(await ledger.messages(ticket.number)) if ticket else (),
        number=number,
        known=await _known(ledger, sender_key),
        acks=await _acks(ledger, sender_key, now),
        asked=await ledger.owed_since("held", sender_key, now - timedelta(hours=1)) if sender_key else 0,
        twin=twin,
    )


async def _twin(ledger: Ledger, mail: InboundMail, sender_key: str, placed: int | None) -> Message | None:
    """Find the message of which this is a second delivery. At another ticket it is a message of that one, too."""
    known = await ledger.known_message(mail.message_id, sender_key, mail.body_digest)
    found = next((pair for pair in known if placed in {None, pair[1]}), None)
    if found is None:
        return None
    return next((one for one in await ledger.messages(found[1]) if one.id == found[0]), None)


async def _own_or_not(ledger: Ledger, shop: Workshop, mail: InboundMail) -> InboundMail:
    if shop.office.desk.address in (mark.strip().lower() for mark in mail.header(MARK_HEADER)):
        return replace(mail, origin=Origin.OWN, origin_because=f"it bears our own {MARK_HEADER}")
    if not mail.message_id:
        return mail
    kinds = {kind for _, kind in (await ledger.tickets_of_ids([mail.message_id])).get(mail.message_id, ())}
    if "own" not in kinds:
        return mail
    return replace(mail, origin=Origin.OWN, origin_because=f"<{mail.message_id}> is a Message-ID that we sent")


async def _known(ledger: Ledger, sender_key: str) -> bool:
    party = await ledger.party(sender_key) if sender_key else None
    return party is not None and party.failed_at is None


async def _acks(ledger: Ledger, sender_key: str, now: datetime) -> tuple[int, int, int]:
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    return (
        await ledger.owed_since("ack", sender_key, hour) if sender_key else 0,
        await ledger.owed_since("ack", sender_key, day) if sender_key else 0,
        await ledger.owed_since("ack", "", now - timedelta(minutes=1)),
    )
