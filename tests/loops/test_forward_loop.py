"""A forwarded mail, the mail itself and other forwards of it: one ticket, in whatever order and however close they come."""

from itertools import permutations

import pytest

ORIGINAL = "From: Carol <carol@acme.example>\r\nTo: {}\r\nSubject: checkout\r\nMessage-ID: <o1@acme.example>\r\n\r\n{}"
INLINE = "for us\r\n\r\n---------- Forwarded message ---------\r\nFrom: Carol <carol@acme.example>\r\nDate: Wed\r\nSubject: checkout\r\n\r\n"


def attached(sender, number, words):
    domain = sender.partition("@")[2]
    return (
        f"Authentication-Results: mx.desk.example; dmarc=pass header.from={domain}\r\nFrom: {sender}\r\nTo: csm@desk.example\r\n"
        f"Subject: please\r\nMessage-ID: <f{number}@{domain}>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\n\r\n{words}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{ORIGINAL.format(sender, 'Nobody can pay.')}\r\n--b--\r\n"
    ).encode()


def own():
    return (
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=acme.example\r\n"
        + ORIGINAL.format("csm@desk.example", "Nobody can pay. To you, too.")
    ).encode()


MAILS = {
    "carol@acme.example": own(),
    "ann@staff.example": attached("ann@staff.example", 1, "for us"),
    "bob@staff.example": attached("bob@staff.example", 2, "for us, too"),
}


@pytest.mark.parametrize("order", [*permutations(MAILS)], ids=lambda order: " ".join(one[:1] for one in order))
@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
async def test_it_is_one_ticket(stage, order, together):
    async with stage() as on:
        for sender in order:
            await on.store(sender, ("csm@desk.example",), MAILS[sender])
            if not together:
                await on.intake.step()
        while await on.intake.step():
            pass
        assert await on.tickets() == [1001]
        (line,) = await on.ledger.tickets()
        assert line.ticket.requester.address == "carol@acme.example"
        assert await on.letters("relay") == []
        kinds = sorted(message.kind for message in await on.ledger.messages(1001))
        assert kinds in (["agent", "agent", "customer"], ["agent", "customer", "customer"])


async def test_severity_is_guessed_from_the_customer_s_words(stage):
    async with stage() as on:
        urgent = "Production is down for everybody, all data is lost!"
        await on.arrive("ann@staff.example", "Fwd: checkout", text=f"{urgent}\r\n\r\n{INLINE}A small question.")
        await on.intake.step()
        await on.arrive("ann@staff.example", "Fwd: checkout", text=f"A small question.\r\n\r\n{INLINE}{urgent}")
        await on.intake.step()
        found = {line.ticket.number: str(line.ticket.severity) for line in await on.ledger.tickets()}
        assert found == {1001: "normal", 1002: "urgent"}


async def test_the_same_forward_at_two_addresses_is_one_message(stage):
    async with stage() as on:
        await on.arrive(
            "ann@staff.example", "Fwd: x", to=("csm@desk.example", "support@desk.example"), text=f"{INLINE}Help."
        )
        while await on.intake.step():
            pass
        (message,) = await on.ledger.messages(1001)
        assert message.recipients == ("csm@desk.example", "support@desk.example")
        assert await on.tickets() == [1001]


async def test_two_mails_attached_are_asked_about(stage):
    async with stage() as on:
        mail = attached("ann@staff.example", 1, "both").decode()
        part = mail[mail.index("--b\r\nContent-Type") : mail.index("--b--")]
        await on.store("ann@staff.example", ("csm@desk.example",), mail.replace("--b--", f"{part}--b--").encode())
        await on.intake.step()
        (line,) = await on.ledger.tickets()
        assert line.ticket.requester.address == "ann@staff.example"
        assert "several mails are attached" in (await on.ledger.events(1001))[0].because


async def test_a_notification_of_ours_forwarded_as_a_file_is_its_ticket_s(stage):
    async with stage() as on:
        await on.arrive("carol@acme.example")
        await on.intake.step()
        notice = (await on.letters("notification"))[0]
        mail = attached("ann@staff.example", 1, "look").decode()
        ours = mail.replace("From: Carol <carol@acme.example>", "From: csm@desk.example").replace(
            "o1@acme.example", notice.message_id
        )
        await on.store("ann@staff.example", ("csm@desk.example",), ours.encode())
        await on.intake.step()
        assert await on.tickets() == [1001]
        assert await on.letters("relay") == []
