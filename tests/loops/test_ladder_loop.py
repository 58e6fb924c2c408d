"""What the ladder says of late replies, thanks, near misses and messages to several of our addresses, in the ledger."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from maild.mail import Envelope
from maild.store import Record
from maild.ticket import Event, State

CAROL, EVE = "carol@acme.example", "eve@elsewhere.example"
SAID = "The export of our invoices stops after the first page since the update of last night."


async def close(on, number):
    ticket = await on.ledger.ticket(number)
    at = on.time[0]
    closed = replace(ticket, state=State.CLOSED, resolved_at=at, closed_at=at)
    event = Event(at, "ann", "status", "ann closed it", {"to": "closed"})
    await on.ledger.record([Record(at=at, ticket=closed, events=(event,))])


@pytest.fixture
def opened(stage):
    """Give a stage on which Carol has opened 1001, which was closed as long ago as one says."""

    @contextlib.asynccontextmanager
    async def made(**ago):
        async with stage() as on:
            await on.arrive(CAROL, "Export of invoices", text=SAID, msgid="first@acme.example")
            await on.intake.step()
            if ago:
                await close(on, 1001)
                on.move(**ago)
            yield on

    return made


async def leaving(on):
    """Give what is owed now, with its octets."""
    owed = await on.ledger.claim(on.time[0], 99, timedelta(minutes=1))
    return [(one, (await on.ledger.octets(one.digest)).decode("latin-1")) for one in owed]


async def step(on):
    while await on.intake.step():
        pass


async def test_a_late_reply_goes_on_in_one_linked_ticket(opened):
    async with opened(days=12) as on:
        for number, text in enumerate(("It stops again.", "Any news?")):
            await on.arrive(
                CAROL,
                "Re: Export of invoices",
                text=text,
                msgid=f"late{number}@acme.example",
                In_Reply_To="<first@acme.example>",
            )
            await step(on)
        assert await on.tickets() == [1001, 1002]
        assert (await on.ledger.ticket(1001)).state is State.CLOSED
        assert [message.text.strip() for message in await on.ledger.messages(1002)] == ["It stops again.", "Any news?"]
        assert [event.data for event in await on.ledger.events(1001) if event.what == "continued"] == [{"to": 1002}]
        assert "which goes on in ticket 1002" in (await on.ledger.messages(1002))[1].placed_because
        assert len(await on.letters("ack")) == 2
        # When the second one is closed for good, a third one goes on.
        await close(on, 1002)
        on.move(days=12)
        await on.arrive(CAROL, "Re: Export of invoices", text="Hm.", In_Reply_To="<first@acme.example>")
        await step(on)
        assert await on.tickets() == [1001, 1002, 1003]


async def test_a_reply_in_time_reopens(opened):
    async with opened(days=5) as on:
        await on.arrive(CAROL, "Re: Export of invoices", text="It stops again.", In_Reply_To="<first@acme.example>")
        await step(on)
        assert await on.tickets() == [1001]
        assert (await on.ledger.ticket(1001)).state is State.OPEN


async def test_thanks_reopen_nothing(opened):
    async with opened(days=1) as on:
        before = await on.ledger.clocks(1001)
        await on.arrive(CAROL, "Re: Export of invoices", text="Thank you!", In_Reply_To="<first@acme.example>")
        await step(on)
        assert ((await on.ledger.ticket(1001)).state, await on.tickets()) == (State.CLOSED, [1001])
        assert await on.ledger.clocks(1001) == before
        assert [event.what for event in await on.ledger.events(1001)][-1] == "thanks"


async def test_somebody_else_s_tag_links_and_tells_him_nothing(opened):
    async with opened() as on:
        await on.arrive(EVE, "[CSM #1001] hello", text="Tell me all.")
        await step(on)
        assert await on.tickets() == [1001, 1002]
        (here,) = [event for event in await on.ledger.events(1002) if event.what == "linked"]
        (there,) = [event for event in await on.ledger.events(1001) if event.what == "linked"]
        assert (here.data, there.data) == ({"to": 1001}, {"to": 1002})
        assert "takes no part in it" in here.because
        for owed, mail in await leaving(on):
            assert ("Maybe related to [CSM #1001]" in mail) is (owed.kind == "notification" and owed.ticket == 1002)
            assert owed.rcpt != EVE or ("1001" not in mail and "invoices" not in mail)


async def test_a_message_id_used_twice_is_two_messages(opened):
    async with opened() as on:
        await on.arrive(
            CAROL,
            "Re: Export of invoices",
            text="Another text.",
            msgid="first@acme.example",
            References="<first@acme.example> <x@y>",
        )
        await on.arrive(CAROL, "Re: [CSM #1001] Export of invoices", text="A third text.", msgid="first@acme.example")
        await step(on)
        everything = [message for number in await on.tickets() for message in await on.ledger.messages(number)]
        assert sorted(message.text.strip() for message in everything) == ["A third text.", "Another text.", SAID]
        told = [event for number in await on.tickets() for event in await on.ledger.events(number)]
        assert [event.what for event in told if "same Message-ID" in event.because]


@pytest.mark.parametrize("together", [True, False])
async def test_one_message_to_two_mailboxes_is_one_ticket_and_both_teams_hear_of_it(stage, two_teams, together):
    async with stage() as on:
        on.shop = replace(on.shop, office=two_teams(on.shop.office))
        on.restart()
        to = ("csm@desk.example", "sales@desk.example")
        more = {"Cc": "sales@desk.example"}
        for rcpts in [to] if together else [(one,) for one in to]:
            trace = {} if together else {"Received": f"from x by y for <{rcpts[0]}>; Wed, 11 Mar 2026 09:00:00 +0000"}
            await on.arrive(CAROL, "Export of invoices", to=rcpts, text=SAID, msgid="one@acme.example", **more, **trace)
        await step(on)
        assert await on.tickets() == [1001]
        (message,) = await on.ledger.messages(1001)
        assert message.recipients == to
        assert len(await on.letters("ack")) == 1
        assert [line.rcpt for line in await on.letters("notification")] == ["ann@staff.example", "bob@staff.example"]
        # The same mail once more, to whom it came before: nobody hears of it again.
        on.move(days=8)
        await on.arrive(
            CAROL, "Export of invoices", to=("sales@desk.example",), text=SAID, msgid="one@acme.example", **more
        )
        await step(on)
        assert len(await on.letters("notification")) == 2


async def test_the_same_message_by_smtp_and_from_an_imap_folder_is_one(stage, two_teams):
    async with stage() as on:
        on.shop = replace(on.shop, office=two_teams(on.shop.office))
        on.restart()
        head = "From: carol@acme.example\r\nTo: csm@desk.example\r\nCc: sales@desk.example\r\nMessage-ID: <one@acme.example>\r\n"
        mail = f"{head}Subject: Export\r\n\r\n{SAID}\r\n".encode()
        await on.ledger.accept([(Envelope(CAROL, ("csm@desk.example",), "smtp", "127.0.0.1", on.time[0]), mail)])
        fetched = b"Return-Path: <carol@acme.example>\r\nDelivered-To: sales@desk.example\r\n" + mail
        await on.ledger.accept([(Envelope(CAROL, ("sales@desk.example",), "imap", "", on.time[0]), fetched)])
        await step(on)
        assert await on.tickets() == [1001]
        (message,) = await on.ledger.messages(1001)
        assert message.recipients == ("csm@desk.example", "sales@desk.example")
        assert {line.rcpt for line in await on.letters("notification")} == {"ann@staff.example", "bob@staff.example"}


@pytest.fixture
def two_teams():
    def changed(office):
        first = replace(office.mailboxes[0], team=("ann",))
        second = replace(first, address="sales@desk.example", aliases=(), team=("bob",))
        return replace(office, mailboxes=(first, second))

    return changed


async def test_a_quote_of_our_line_finds_its_ticket_where_nothing_else_came_back(stage):
    async with stage() as on:
        boxes = tuple(replace(box, separator="") for box in on.shop.office.mailboxes)
        on.shop = replace(on.shop, office=replace(on.shop.office, mailboxes=boxes))
        on.restart()
        await on.arrive(CAROL, "Export of invoices", text=SAID)
        await step(on)
        (words,) = [mail.partition("\r\n\r\n")[2] for owed, mail in await leaving(on) if owed.kind == "ack"]
        line = words.rstrip().splitlines()[-1].replace("=C2=B7", "\u00b7")
        assert line.startswith("[CSM #1001 \u00b7 ")
        on.move(days=1)
        quoted = f"Still.\r\n\r\n> {line.encode().decode('latin-1')}"
        await on.arrive(CAROL, "Something else", text=quoted)
        await on.arrive(EVE, "Something else", text=quoted)
        await on.arrive("dave@acme.example", "Something else", text=quoted)
        await step(on)
        assert await on.tickets() == [1001, 1002, 1003]
        assert [message.placed_because for message in await on.ledger.messages(1001)][1].startswith(
            "it quotes our signed line"
        )
