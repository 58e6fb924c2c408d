"""What the operator's summary counts, and from when on."""

from dataclasses import replace
from datetime import timedelta

from maild.ingest.imap_plan import OLD, Noted
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.template_files import load_templates
from maild.store.owing import BY_HAND
from maild.store.record import Record
from maild.store.summing import KINDS, SUMMARY

LEASE = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def shown(heaps):
    return {heap.kind: (heap.new, heap.standing, [item.id for item in heap.items]) for heap in heaps}


async def quarantined(ledger, make, at, octets):
    ((number,),) = await ledger.accept([(make.env(received_at=at), octets)])
    await ledger.take(1, now=at)
    await ledger.quarantine(number, "ValueError: it broke", at)
    return number


async def test_an_empty_ledger_needs_nobody(ledger, now):
    assert await ledger.last_summary() is None
    none = {kind: (0, 0, []) for kind in ("quarantined", "spam", "failed", "unfetched")}
    assert shown(await ledger.heaps(None, now, 10)) == none


async def test_what_is_set_aside_is_new_once_and_stands_until_somebody_acts(ledger, make, now):
    ids = [await quarantined(ledger, make, now + HOUR * number, b"%d" % number) for number in range(4)]
    ((spam,),) = await ledger.accept([(make.env(received_at=now), b"spam")])
    await ledger.take(1, now=now)
    await ledger.record([Record(at=now, received_id=spam, because="X-Spam-Flag: YES", settled="spam")])
    first = await ledger.heaps(None, now + HOUR, 1)
    assert shown(first)["quarantined"] == (2, 4, ids[:1])
    (item,) = first[0].items
    assert (item.at, item.sender, item.rcpt) == (now, "ann@acme.example", "csm@example.com")
    assert item.fault == "ValueError: it broke"
    assert shown(first)["spam"] == (1, 1, [spam])
    assert first[1].items[0].fault == "X-Spam-Flag: YES"
    later = shown(await ledger.heaps(now + HOUR, now + HOUR * 9, 10))
    assert later["quarantined"] == (2, 4, ids[2:])
    assert later["spam"] == (0, 1, [])
    await ledger.give_up("quarantined", ids[2], BY_HAND, now)
    await ledger.again("quarantined", ids[3])
    assert shown(await ledger.heaps(now + HOUR, now + HOUR * 9, 10))["quarantined"] == (0, 2, [])


async def test_mail_of_ours_that_failed(ledger, make, now):
    await ledger.record(
        [Record(at=now, ticket=make.ticket(), outgoing=tuple(make.outgoing(key=key) for key in "abcd"))]
    )
    await ledger.record([Record(at=now, outgoing=(make.outgoing(key="s", kind=SUMMARY, ticket=0),))])
    refused, dropped, waits, sent, told = [mail.id for mail in await ledger.claim(now, 9, LEASE)]
    await ledger.failed(refused, now, "550 5.1.1 gone")
    await ledger.failed(dropped, now, BY_HAND, count=False)
    await ledger.deferred(waits, now, "451 later", count=True)
    await ledger.sent(sent, now, "250 ok")
    await ledger.failed(told, now, "550 no operator")
    heaps = await ledger.heaps(None, now, 10)
    assert shown(heaps)["failed"] == (1, 1, [refused])
    assert heaps[2].items[0].fault == "550 5.1.1 gone"
    assert shown(await ledger.heaps(now, now + HOUR, 10))["failed"] == (0, 0, [])
    await ledger.owe_again(refused, now)
    assert shown(await ledger.heaps(None, now, 10))["failed"] == (0, 0, [])


async def test_what_lies_unfetched_in_a_folder(ledger, now):
    held = await ledger.take_mailbox("csm@imap.example/INBOX", now)
    noted = [Noted(7, fault="larger than 9 octets"), Noted(8, fault=OLD)]
    await ledger.fetched(held.id, 1, noted, now)
    heaps = await ledger.heaps(None, now, 10)
    assert shown(heaps)["unfetched"] == (1, 1, [7])
    (item,) = heaps[3].items
    assert (item.rcpt, item.fault) == ("csm@imap.example/INBOX", "larger than 9 octets")
    assert shown(await ledger.heaps(now, now + HOUR, 10))["unfetched"] == (0, 0, [])


async def test_a_summary_is_owed_once_and_the_next_counts_from_it(ledger, make, now):
    record = Record(at=now, outgoing=(make.outgoing(key="summary:first", kind=SUMMARY, ticket=0),))
    await ledger.record([record])
    await ledger.record([replace(record, at=now + HOUR)])
    assert await ledger.last_summary() == now
    (line,) = await ledger.outbox()
    assert (line.kind, line.ticket) == (SUMMARY, 0)


def test_every_kind_of_mail_is_known_here():
    templates = load_templates()
    written = {compose(letter, samples.DESK, templates, samples.NOW).kind for letter in samples.letters()}
    assert written == {*KINDS, SUMMARY}
