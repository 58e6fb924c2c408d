"""Mail for a ticket that was merged, through the loop and a real ledger: it is placed, known again and failed at the survivor."""

from datetime import timedelta

import pytest

from maild.desk.merge import Side, on_link, on_merge
from maild.desk.split import Opening, chosen, on_split
from maild.desk.undo import on_undo
from maild.failures import Failures
from maild.gather import guessed
from maild.ingest.parse import parse
from maild.store import ConflictError
from maild.workshop import record_of, told_of

CAROL, DAVE, ANN = "carol@acme.example", "dave@bolt.example", "ann@staff.example"
SAID = "The export of our invoices stops after the first page since the update of last night."


async def decide(on, decisions, mails=True):
    written = [on.shop.write(decision) for decision in decisions]
    now = on.time[0]
    await on.ledger.record(
        [record_of(decision, mails, None, now) for decision, mails in zip(decisions, written, strict=True)]
    )
    return decisions


async def side(on, number):
    history = await on.ledger.history(number)
    return Side(history.ticket, told_of(history))


async def merge(on, gone, into):
    return await decide(on, on_merge(await side(on, gone), await side(on, into), on.shop.office, "ann", on.time[0]))


async def two(on, **more):
    """Carol's ticket 1001 and Dave's 1002."""
    await on.arrive(CAROL, "Export of invoices", text=SAID, msgid="c1@x")
    await on.arrive(DAVE, "The import", text="It is slow.", msgid="d1@x", **more)
    await on.intake.step()
    assert await on.tickets() == [1001, 1002]


async def test_mail_for_what_is_gone_joins_the_survivor(stage):
    async with stage() as on:
        await two(on)
        await merge(on, 1002, 1001)
        await on.arrive(DAVE, "Re: The import", text="Still slow.", msgid="d2@x", In_Reply_To="<d1@x>")
        await on.intake.step()
        messages = await on.ledger.messages(1001)
        assert [message.message_id for message in messages] == ["c1@x", "d2@x"]
        assert "which was merged into 1001" in messages[1].placed_because
        assert await on.ledger.parts(1001) == [1002]


async def test_a_chain_of_merges_is_followed_to_its_end(stage):
    async with stage() as on:
        await two(on)
        await on.arrive("erin@cable.example", "A third", msgid="e1@x")
        await on.intake.step()
        await merge(on, 1002, 1003)
        await merge(on, 1003, 1001)
        assert await on.ledger.parts(1001) == [1002, 1003]
        assert (await on.ledger.survivor(1002)).ticket.number == 1001
        assert await on.ledger.survivor(7) is None
        await on.arrive(DAVE, "Re: The import", msgid="d2@x", References="<d1@x>")
        await on.intake.step()
        assert (await on.ledger.messages(1001))[-1].message_id == "d2@x"


@pytest.mark.parametrize("msgid", ["d1@x", ""])
async def test_the_same_mail_again_is_known_again(stage, msgid):
    async with stage() as on:
        await on.arrive(CAROL, "Export of invoices", text=SAID, msgid="c1@x")
        octets = f"From: {DAVE}\r\nTo: csm@desk.example\r\nSubject: The import\r\n"
        octets += f"Message-ID: <{msgid}>\r\n" if msgid else ""
        octets = f"{octets}\r\nIt is slow.\r\n".encode()
        await on.store(DAVE, ["csm@desk.example"], octets)
        await on.intake.step()
        await merge(on, 1002, 1001)
        await on.store(DAVE, ["support@desk.example"], octets)
        await on.intake.step()
        assert await on.tickets() == [1001, 1002]
        assert [len(await on.ledger.messages(number)) for number in (1001, 1002)] == [1, 1]
        assert (await on.ledger.messages(1002))[0].recipients == ("csm@desk.example", "support@desk.example")
        assert (await on.ledger.events(1001))[-1].what == "duplicate_delivery"
        assert (await on.ledger.ticket(1002)).merged_into == 1001


async def test_two_that_are_one_are_one_conversation_for_a_reply_without_headers(stage):
    async with stage() as on:
        await two(on)
        await on.arrive("erin@acme.example", "Export of invoices", text="A question of mine.", msgid="e1@x")
        await on.intake.step()
        await merge(on, 1003, 1001)
        on.move(hours=1)
        await on.arrive("erin@acme.example", "Re: Export of invoices", text=f"Same here.\r\n\r\n> {SAID}", msgid="e2@x")
        await on.intake.step()
        assert await on.tickets() == [1001, 1002, 1003]
        assert (await on.ledger.messages(1001))[-1].message_id == "e2@x"


async def test_an_agent_who_names_nothing_is_asked_whom_he_means(stage):
    async with stage() as on:
        await two(on)
        await merge(on, 1002, 1001)
        await on.arrive(ANN, "Re: The import", text="Dear Dave.\r\n\r\n> It is slow since the update of last night.")
        await on.arrive(ANN, "Re: Export of invoices", text=f"Dear Carol.\r\n\r\n> {SAID}")
        await on.intake.step()
        assert not await on.letters("relay")
        assert "has more than one customer" in (await on.ledger.events(1001))[-1].because


async def reply(on, number, sender=ANN):
    """Answer the notification of a ticket; give the relayed mail."""
    (notice,) = [line for line in await on.letters("notification") if line.ticket == number and line.rcpt == ANN][:1]
    mail = parse(await on.ledger.octets((await on.ledger.claim(on.time[0], 99, timedelta(0)))[0].digest))
    assert mail is not None
    office = on.shop.office
    to = office.token_address(office.mailboxes[0], number, ANN, 1)
    await on.arrive(
        sender, f"Re: {notice.message_id}", to=(to,), text="It is mended.", In_Reply_To=f"<{notice.message_id}>"
    )
    await on.intake.step()
    return (await on.letters("relay"))[-1]


async def test_what_the_smarthost_refuses_of_the_gone_one_is_told_at_the_survivor(stage):
    async with stage() as on:
        await two(on)
        await on.arrive(CAROL, "Another export", text="It stops.", msgid="c9@x")
        await on.intake.step()
        relayed = await reply(on, 1003)
        assert relayed.ticket == 1003
        on.move(minutes=5)
        await merge(on, 1003, 1001)
        assert (await on.ledger.ticket(1001)).first_response_at is not None
        await Failures(on.ledger, on.shop, lambda: None).tell(relayed, "550 no such user")
        survivor = await on.ledger.ticket(1001)
        assert survivor.first_response_at is None
        assert "bounce" in [event.what for event in await on.ledger.events(1001)]
        assert "bounce" not in [event.what for event in await on.ledger.events(1003)]
        assert (await on.ledger.ticket(1003)).state == "closed"


async def test_a_bounce_of_a_reply_in_the_gone_one_uncounts_it_at_the_survivor(stage):
    async with stage() as on:
        await two(on)
        await on.arrive(CAROL, "Another export", text="It stops.", msgid="c9@x")
        await on.intake.step()
        relayed = await reply(on, 1003)
        on.move(minutes=5)
        await merge(on, 1003, 1001)
        office = on.shop.office
        back = office.token_address(office.mailboxes[0], 1003, CAROL, 3)
        await on.store("", [back], bounce(CAROL, relayed.message_id))
        await on.intake.step()
        assert (await on.ledger.ticket(1001)).first_response_at is None
        assert (await on.ledger.messages(1001))[-1].kind == "bounce"


async def test_a_bounce_that_names_no_mail_is_one_of_the_latest_reply_to_that_customer(stage):
    async with stage() as on:
        await two(on)
        relayed = await reply(on, 1002)
        on.move(minutes=5)
        await merge(on, 1002, 1001)
        await reply(on, 1001)
        office = on.shop.office
        back = office.token_address(office.mailboxes[0], 1002, DAVE, 3)
        await on.store("", [back], bounce(DAVE, "unknown@relay.example"))
        await on.intake.step()
        (bounced,) = [event for event in await on.ledger.events(1001) if event.what == "bounce"]
        assert bounced.data["ref"] == relayed.message_id
        assert f"did not reach {DAVE}" in bounced.because
        assert (await on.ledger.ticket(1001)).first_response_at is not None


def bounce(recipient, msgid):
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: x@desk.example\r\nSubject: failed\r\nMessage-ID: <b@mx.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nNo.\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{msgid}>\r\n\r\n--b--\r\n"
    ).encode()


async def test_a_clock_of_the_gone_one_never_comes_due(stage):
    async with stage() as on:
        await two(on)
        await merge(on, 1002, 1001)
        on.move(days=9)
        while await on.watch.step():
            pass
        assert {line.ticket for line in await on.letters("escalation")} == {1001}
        assert await on.ledger.escalations(1002) == []


async def test_a_level_told_of_the_merge_alone_is_told_again_after_its_undoing(stage):
    async with stage() as on:
        await on.arrive(DAVE, "The import", msgid="d1@x")
        await on.intake.step()
        on.move(hours=3)
        await on.arrive(CAROL, "Export of invoices", text=SAID, msgid="c1@x")
        await on.intake.step()
        on.move(minutes=90)
        await merge(on, 1001, 1002)
        await on.watch.step()
        on.move(minutes=1)
        one, other = await on.ledger.history(1002), await on.ledger.history(1001)
        messages = {1001: other.messages, 1002: one.messages}
        undone = on_undo(await side(on, 1002), await side(on, 1001), messages, on.shop.office, "ann", on.time[0])
        await decide(on, undone)
        # The target is past even so; it was told with the limit, and once is enough.
        assert [line.level for line in await on.ledger.escalations(1002)] == ["target"]
        told = {line.key for line in await on.letters("escalation") if line.ticket == 1002}
        assert told
        on.move(days=1)
        while await on.watch.step():
            pass
        levels = {line.level for line in await on.ledger.escalations(1002)}
        assert "limit" in levels
        again = {line.key for line in await on.letters("escalation") if line.ticket == 1002} - told
        assert {key.rpartition(":")[0] for key in again} >= {key for key in told if ":limit:" in key}


async def test_a_split_and_a_reply_to_what_was_split(stage):
    async with stage() as on:
        await two(on)
        on.move(minutes=1)
        await on.arrive(CAROL, "Re: Export", text="And the invoice is wrong.", msgid="c2@x", In_Reply_To="<c1@x>")
        await on.intake.step()
        history = await on.ledger.history(1001)
        one = Side(history.ticket, told_of(history))
        leaving = chosen(one, history.messages, (3,))
        (number,) = await on.ledger.reserve("ticket", 1)
        mail = parse(await on.ledger.octets(leaving[0].digest))
        opening = Opening(number, mail, guessed(on.shop, mail))
        decisions = on_split(one, leaving, opening, on.shop.office, "ann", on.time[0])
        await decide(on, decisions)
        assert [message.id for message in await on.ledger.messages(number)] == [3]
        assert await on.ledger.linked(number) == [1001]
        assert (await on.ledger.ticket(number)).opened_at == leaving[0].at
        with pytest.raises(ConflictError):  # what left once cannot leave again
            await decide(on, decisions)
        await on.arrive(
            "erin@acme.example", "Re: Export", msgid="e1@x", In_Reply_To="<c2@x>", References="<c1@x> <c2@x>"
        )
        await on.intake.step()
        assert [message.message_id for message in await on.ledger.messages(number)] == ["c2@x", "e1@x"]
        assert on_link(await side(on, number), await side(on, 1001), "ann", on.time[0]).because.endswith(
            "linked already"
        )
