"""Text on its way into the ledger: no mail is refused for a character or a length."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import Address
from maild.store import Asked
from maild.store.record import Record
from maild.store.words import LONGEST_KEY, key, writable

ODD = "a\x00b\ud800c\udfffd é"
KEPT = "a�b�c�d é"


@given(st.text(st.characters(), max_size=50))
def test_what_is_kept_is_writable_and_all_else_unchanged(text):
    kept = writable(text)
    assert "\0" not in kept
    assert kept.encode().decode() == kept == writable(kept)
    assert all(
        one == other or (other == "�" and (one == "\0" or "\ud800" <= one <= "\udfff"))
        for one, other in zip(text, kept, strict=True)
    )


@given(st.text(st.characters(), max_size=2000), st.text(st.characters(), max_size=2000))
def test_keys_are_short_and_tell_texts_apart(one, two):
    assert len(key(one).encode()) <= LONGEST_KEY
    assert (key(one) == key(two)) == (writable(one) == writable(two))
    assert key(key(one)) == key(one)


async def test_odd_characters_come_back_replaced_and_are_found_as_they_were_asked_for(ledger, make, now):
    env = make.env(mail_from=ODD, rcpt_to=(ODD,), peer=ODD)
    ((id_,),) = await ledger.accept([(env, ODD.encode(errors="replace"))])
    assert await ledger.accept([(env, ODD.encode(errors="replace"))]) == [(id_,)]
    (row,) = await ledger.take(9, now=now)
    assert (row.rcpt, row.mail_from, row.peer) == (KEPT, KEPT, KEPT)
    assert await ledger.received_before(ODD, row.digest, now)
    requester = Address(ODD, ODD)
    message = make.message(
        id=id_, message_id=ODD, sender=requester, subject=ODD, text=ODD, body_digest="b", recipients=(ODD,)
    )
    await ledger.record(
        [
            Record(
                at=now,
                received_id=id_,
                because=ODD,
                ticket=make.ticket(subject=ODD, requester=requester, participants=(ODD,)),
                messages=(message,),
                references=((ODD, 1001, "own"),),
                events=(make.event(because=ODD, data={ODD: [ODD]}),),
                outgoing=(make.outgoing(key=ODD, rcpt=ODD, message_id=ODD),),
                parties=(requester,),
                failed=(ODD,),
            )
        ]
    )
    assert (await ledger.ticket(1001)).subject == KEPT
    (kept,) = await ledger.messages(1001)
    assert (kept.text, kept.subject, kept.sender.name, kept.recipients) == (KEPT, KEPT, KEPT, (KEPT,))
    known = await ledger.known_of(Asked([ODD, "none"], (), ODD, requester.key, "b", now))
    assert known.ids == {ODD: [(1001, "own")]}
    assert known.twins == ((id_, 1001),)
    assert (await ledger.known_of(Asked((), (), "", ODD, "", now))).acks[0] == 1
    (mail,) = await ledger.claim(now, 9, timedelta(1))
    await ledger.failed(mail.id, now, ODD)
    assert [line.last_reply for line in await ledger.outbox()] == [KEPT]


@pytest.mark.parametrize("letter", ["a", "é", "𝕏"])
async def test_keys_that_no_index_holds(ledger, make, now, letter):
    # Not to be compressed, as PostgreSQL does before it measures.
    long = "".join(f"{letter}{number * 7919 % 100_003:x}" for number in range(5_000))
    sender = Address("", f"{long}@acme.example")
    ((id_,),) = await ledger.accept([(make.env(rcpt_to=(long,)), b"x")])
    assert await ledger.accept([(make.env(rcpt_to=(long,)), b"x")]) == [(id_,)]
    record = Record(
        at=now,
        received_id=id_,
        ticket=make.ticket(requester=sender, participants=(sender.key,)),
        messages=(make.message(id=id_, message_id=long, sender=sender, recipients=(long,)),),
        references=((long, 1001, "seen"),),
        outgoing=(make.outgoing(key=long),),
        parties=(sender,),
    )
    await ledger.record([record])
    known = await ledger.known_of(Asked([long, long[:-1]], (), long, sender.key, "b0", now))
    assert (known.ids, known.twins, known.met) == ({long: [(1001, "seen")]}, ((id_, 1001),), True)
    assert (await ledger.ticket(1001)).requester == sender
