"""IMAP folders in the ledger: who holds one, what was fetched of it, and that none of it is stored twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from maild.ingest.imap_plan import OLD, Noted
from maild.store import ConflictError, Ledger
from maild.store.shelf import LEASE

NAME = "csm@imap.example.com/INBOX"
LATER = timedelta(minutes=1)


@pytest.fixture
async def held(ledger, now):
    return await ledger.take_mailbox(NAME, now)


@pytest.fixture
def mails(make):
    """So many UIDs with a mail each."""

    def made(*uids, prefix=b"mail "):
        env = make.env(via="imap", peer="")
        return [Noted(uid, env, prefix + b"%d" % uid) for uid in uids]

    return made


async def test_a_folder_is_known_by_its_name(ledger, held, now):
    assert (held.uidvalidity, held.last_uid, held.looked_at, held.reconciled_at) == (0, 0, None, None)
    assert await ledger.take_mailbox(NAME, now) == held
    other = await ledger.take_mailbox("other@imap.example.com/INBOX", now)
    assert other.id != held.id


async def test_mails_and_their_uids_are_one_unit(ledger, held, mails, now):
    kept = await ledger.fetched(held.id, 7, [*mails(1, 2), Noted(3, fault="too large: 9 octets")], now)
    assert kept.before == 0
    rows = {row.id: row for row in await ledger.received()}
    assert sorted(kept.received) == sorted(rows)
    assert {(row.via, row.peer, row.state) for row in rows.values()} == {("imap", "", "waiting")}
    assert await ledger.uids(held.id, 7) == {1: "", 2: "", 3: "too large: 9 octets"}
    assert await ledger.uids(held.id, 8) == {}
    assert await ledger.first_seen(held.id) == now


async def test_nothing_is_no_unit(ledger, held, now):
    kept = await ledger.fetched(held.id, 7, [], now)
    assert (kept.received, kept.before) == ((), 0)
    assert await ledger.first_seen(held.id) is None


async def test_the_same_uid_again_changes_nothing(ledger, held, mails, now):
    first = await ledger.fetched(held.id, 7, mails(1), now)
    again = await ledger.fetched(held.id, 7, mails(1), now + LATER)
    assert again.received == first.received
    assert len(await ledger.received()) == 1
    assert await ledger.first_seen(held.id) == now


async def test_what_could_not_be_had_may_come_later(ledger, held, mails, now):
    await ledger.fetched(held.id, 7, [Noted(1, fault="not given: NO")], now)
    await ledger.fetched(held.id, 7, mails(1), now + LATER)
    assert await ledger.uids(held.id, 7) == {1: ""}
    # And what was fetched never becomes something that was not.
    await ledger.fetched(held.id, 7, [Noted(1, fault="not given: NO")], now + LATER)
    assert await ledger.uids(held.id, 7) == {1: ""}


async def test_a_new_uidvalidity_brings_no_mail_twice(ledger, held, mails, now):
    await ledger.fetched(held.id, 7, mails(1, 2), now)
    for row in await ledger.received():
        await ledger.quarantine(row.id, "broke us", now)
    # A year later, when `received` alone would take it for a new delivery.
    year = now + timedelta(days=365)
    again = [replace(one, uid=one.uid + 100, env=replace(one.env, received_at=year)) for one in mails(1, 2, 3)]
    kept = await ledger.fetched(held.id, 8, again, year)
    assert (len(kept.received), kept.before) == (1, 2)
    assert len(await ledger.received()) == 3
    assert await ledger.uids(held.id, 8) == {101: "", 102: "", 103: ""}


async def test_another_folder_with_the_same_octets_is_no_rescan(ledger, held, mails, now):
    await ledger.fetched(held.id, 7, mails(1), now)
    other = await ledger.take_mailbox("other@imap.example.com/INBOX", now)
    year = now + timedelta(days=365)
    kept = await ledger.fetched(
        other.id, 9, [replace(one, env=replace(one.env, received_at=year)) for one in mails(1)], year
    )
    assert (len(kept.received), kept.before) == (1, 0)
    assert len(await ledger.received()) == 2


async def test_what_lay_there_before_is_noted_with_the_look(ledger, held, now):
    uids = list(range(1, 1300))
    await ledger.note_old(held.id, 7, uids, now)
    seen = await ledger.take_mailbox(NAME, now)
    assert (seen.uidvalidity, seen.last_uid, seen.looked_at, seen.reconciled_at) == (7, 1299, now, now)
    assert await ledger.uids(held.id, 7) == dict.fromkeys(uids, OLD)
    assert await ledger.received() == []


async def test_an_empty_folder_is_looked_at_too(ledger, held, now):
    await ledger.note_old(held.id, 7, [], now)
    assert (await ledger.take_mailbox(NAME, now)).looked_at == now


async def test_a_look_is_noted(ledger, held, now):
    await ledger.looked(replace(held, uidvalidity=7, last_uid=12, looked_at=now), now)
    await ledger.reconciled(held.id, 7, [], now + LATER)
    seen = await ledger.take_mailbox(NAME, now)
    assert (seen.uidvalidity, seen.last_uid, seen.looked_at, seen.reconciled_at) == (7, 12, now, now + LATER)


async def test_what_somebody_took_away_is_told_once(ledger, held, mails, now):
    await ledger.fetched(held.id, 7, mails(1, 2, 3), now)
    await ledger.reconciled(held.id, 7, [2], now)
    assert await ledger.uids(held.id, 7) == {1: "", 3: ""}
    assert await ledger.moved_away(held.id, 7, [1, 2, 3, 4]) == {2}
    assert await ledger.moved_away(held.id, 8, [2]) == set()


async def test_only_what_waits_for_nothing_is_moved(ledger, held, mails, now):
    _, broken, _, dropped = (await ledger.fetched(held.id, 7, mails(1, 2, 3, 4), now)).received
    await ledger.quarantine(broken, "broke us", now)
    await ledger.give_up("waiting", dropped, "no mail", now)
    states = ("done", "dropped", "quarantined", "spam")
    assert await ledger.settled(held.id, 7, states) == [(2, "quarantined"), (4, "dropped")]
    assert await ledger.settled(held.id, 7, ("quarantined",)) == [(2, "quarantined")]
    assert await ledger.settled(held.id, 7, states, from_id=dropped) == [(4, "dropped")]
    assert await ledger.settled(held.id, 8, states) == []
    await ledger.moved(held.id, 7, [2], now)
    assert await ledger.settled(held.id, 7, states) == [(4, "dropped")]
    await ledger.moved(held.id, 7, [2, 99], now + LATER)


async def test_who_does_not_hold_a_folder_writes_nothing(ledger, held, mails, now):
    await ledger.leave_mailbox(held.id)
    for attempt in (
        ledger.fetched(held.id, 7, mails(1), now),
        ledger.note_old(held.id, 7, [1], now),
        ledger.looked(replace(held, looked_at=now), now),
        ledger.reconciled(held.id, 7, [1], now),
        ledger.moved(held.id, 7, [1], now),
    ):
        with pytest.raises(ConflictError):
            await attempt
    assert await ledger.received() == []
    assert await ledger.uids(held.id, 7) == {}


# Several daemons: on PostgreSQL


@pytest.fixture
async def rivals(postgres_url):
    one, two = await asyncio.gather(*(Ledger.open(postgres_url, exclusive=True) for _ in range(2)))
    yield one, two
    await one.close()
    await two.close()


async def test_one_daemon_holds_it_at_a_time(rivals, mails, now):
    one, two = rivals
    held = await one.take_mailbox(NAME, now)
    assert await two.take_mailbox(NAME, now + LEASE - timedelta(seconds=1)) is None
    assert await one.take_mailbox(NAME, now + LATER) == held
    assert await two.take_mailbox(NAME, now + LATER) is None
    with pytest.raises(ConflictError):
        await two.fetched(held.id, 7, mails(1), now)
    await two.leave_mailbox(held.id)
    assert await two.take_mailbox(NAME, now) is None


async def test_it_is_given_back_or_taken_from_one_that_is_silent(rivals, mails, now):
    one, two = rivals
    held = await one.take_mailbox(NAME, now)
    await one.leave_mailbox(held.id)
    assert await two.take_mailbox(NAME, now) == held
    assert await one.take_mailbox(NAME, now + LEASE) == held
    with pytest.raises(ConflictError):
        await two.fetched(held.id, 7, mails(1), now + LEASE)
    assert await one.received() == []


async def test_it_is_taken_at_once_from_one_that_ended(rivals, now):
    one, two = rivals
    held = await one.take_mailbox(NAME, now)
    await one.close()
    assert await two.take_mailbox(NAME, now + timedelta(seconds=1)) == held


async def test_two_that_ask_at_once(rivals, now):
    found = await asyncio.gather(*(ledger.take_mailbox(NAME, now) for ledger in rivals))
    assert [each is None for each in found].count(True) == 1


def test_who_shares(sqlite_ledger, postgres_ledger):
    assert (sqlite_ledger.shared, postgres_ledger.shared) == (False, True)
