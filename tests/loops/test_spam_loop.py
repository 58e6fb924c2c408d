"""From a filter's field to the list of spam, and back."""

import pytest

from maild.store import ConflictError


async def test_spam_is_listed_until_somebody_says_that_it_is_none(stage):
    async with stage() as on:
        (bad,) = await on.arrive("carol@acme.example", "You won", X_Spam_Flag="YES")
        (good,) = await on.arrive("dave@globex.example", "a question", X_Spam_Flag="NO")
        await on.intake.step()
        (line,) = await on.ledger.received("spam")
        assert (line.id, line.state, line.done_at) == (bad, "spam", on.time[0])
        assert "X-Spam-Flag: YES" in line.because
        assert await on.tickets() == [1001]
        assert {mail.rcpt for mail in await on.ledger.outbox()}.isdisjoint({"carol@acme.example"})
        with pytest.raises(ConflictError):
            await on.ledger.again("spam", good)
        received_at = line.received_at
        on.move(hours=3)
        await on.ledger.again("spam", bad)
        await on.intake.step()
        (ticket,) = [line.ticket for line in await on.ledger.tickets() if line.ticket.subject == "You won"]
        assert ticket.opened_at == received_at
        assert await on.ledger.received("spam") == []


async def test_only_a_trusted_hop_is_believed(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example", "You won", peer="192.0.2.1", X_Spam_Flag="YES")
        await on.intake.step()
        assert await on.tickets() == [1001]


async def test_spam_can_be_dropped(stage):
    async with stage() as on:
        (bad,) = await on.arrive("carol@acme.example", "You won", X_Spam="Yes")
        await on.intake.step()
        await on.ledger.give_up("spam", bad, "spam indeed", on.time[0])
        assert [line.state for line in await on.ledger.received()] == ["dropped"]


async def test_the_same_mail_again_is_not_listed_twice(stage):
    async with stage() as on:
        octets = b"From: a@acme.example\r\nSubject: x\r\nX-Spam: Yes\r\n\r\nMoney.\r\n"
        first = await on.store("a@acme.example", ["csm@desk.example"], octets)
        await on.intake.step()
        assert await on.store("a@acme.example", ["csm@desk.example"], octets) == first
        assert len(await on.ledger.received("spam")) == 1


async def test_a_mail_without_message_id_is_known_by_its_octets(stage):
    async with stage() as on:
        octets = b"Subject: x\r\n\r\nNobody sent this to several of us.\r\n"
        await on.store("", ["csm@desk.example", "csm+a@desk.example", "csm+b@desk.example"], octets)
        while await on.intake.step():
            pass
        assert await on.tickets() == [1001]
        (message,) = await on.ledger.messages(1001)
        assert message.recipients == ("csm@desk.example", "csm+a@desk.example", "csm+b@desk.example")
