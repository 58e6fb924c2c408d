"""Our own look at signatures on the way from `received` to the ledger: a silent DNS delays a mail and loses none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from maild.proof import TRIES, Prover
from maild.resolver import UnansweredError

SIGNED = "v=1; a=rsa-sha256; d=acme.example; s=one; h=from:subject; bh=YQ==; b=YQ=="
NAME = "one._domainkey.acme.example"


class Dns:
    """A DNS that answers nothing until it is told to."""

    def __init__(self):
        self.asked = []
        self.answers = False

    async def text(self, name):
        self.asked.append(name)
        if not self.answers:
            raise UnansweredError(f"the DNS has no answer for {name}")
        return "v=DKIM1; p=abc"


class Holds:
    """Finds that every signature holds: the sums have tests of their own."""

    async def signatures(self, octets, keyed):
        return ("",) * len(keyed)


@pytest.fixture
def dns():
    return Dns()


@pytest.fixture
def looking(stage, dns):
    """A stage whose intake looks at signatures."""

    async def arranged(arranged):
        shop = replace(arranged.shop, prover=Prover(dns.text, Holds()))
        shop = replace(shop, office=replace(shop.office, authority=replace(shop.office.authority, dkim=True)))
        arranged.shop = shop
        arranged.restart()
        return arranged

    return arranged


async def settle(stage):
    while await stage.intake.step():
        pass


async def verified(stage):
    (line,) = await stage.ledger.tickets()
    history = await stage.ledger.history(line.ticket.number)
    return history.messages[0].verified


STRANGER = {"peer": "203.0.113.9", "DKIM_Signature": SIGNED}


async def test_a_mail_over_a_strangers_hop_is_proven_by_its_signature(stage, looking, dns):
    dns.answers = True
    async with stage() as opened:
        desk = await looking(opened)
        await desk.arrive("carol@acme.example", **STRANGER)
        await settle(desk)
        assert await verified(desk) == "dkim"
        assert dns.asked == [NAME]


async def test_a_silent_dns_delays_a_mail_and_no_other(stage, looking, dns):
    async with stage() as opened:
        desk = await looking(opened)
        await desk.arrive("carol@acme.example", **STRANGER)
        await desk.arrive("dave@other.example", "printer", text="It burns.")
        await settle(desk)
        assert [line.ticket.subject for line in await desk.ledger.tickets()] == ["printer"]
        (waiting,) = [row for row in await desk.ledger.received() if row.state == "waiting"]
        assert waiting.fault == f"the DNS has no answer for {NAME}"
        dns.answers = True
        desk.move(minutes=1)
        await settle(desk)
        found = {line.ticket.subject for line in await desk.ledger.tickets()}
        assert found == {"printer", "checkout down"}


async def test_a_dns_that_stays_silent_ends_as_unknown_and_never_in_quarantine(stage, looking, dns):
    async with stage() as opened:
        desk = await looking(opened)
        await desk.arrive("carol@acme.example", **STRANGER)
        for _ in range(TRIES):
            await settle(desk)
            desk.move(minutes=5)
        assert await verified(desk) == ""
        assert len(dns.asked) == TRIES
        assert [row.state for row in await desk.ledger.received()] == ["done"]


async def test_what_a_trusted_hop_judged_is_not_looked_at(stage, looking, dns):
    async with stage() as opened:
        desk = await looking(opened)
        await desk.arrive("carol@acme.example", DKIM_Signature=SIGNED)
        await settle(desk)
        assert await verified(desk) == "dmarc"
        assert dns.asked == []


async def test_nobody_looks_where_nobody_was_appointed(stage):
    async with stage() as desk:
        await desk.arrive("carol@acme.example", **STRANGER)
        await settle(desk)
        assert await verified(desk) == ""


FIELDS = {
    "X_Maild_Ticket": "1",
    "X_Maild_State": "closed",
    "X_Maild_Severity": "urgent",
    "X_Maild_Loop": "csm@desk.example",
}


async def test_marks_of_ours_in_a_customers_mail_change_nothing_and_go_nowhere(stage):
    async with stage() as desk:
        await desk.arrive("carol@acme.example", "printer", text="It makes odd sounds.", **FIELDS)
        await settle(desk)
        (line,) = await desk.ledger.tickets()
        assert (str(line.ticket.state), str(line.ticket.severity)) == ("new", "normal")
        owed = await desk.ledger.claim(desk.time[0], 100, timedelta(minutes=1))
        assert {letter.kind for letter in owed} == {"ack", "notification"}
        for letter in owed:
            head = (await desk.ledger.octets(letter.digest)).partition(b"\r\n\r\n")[0].lower()
            assert head.count(b"x-maild-loop") == 1
            assert b"x-maild-state: closed" not in head
            assert b"x-maild-severity: urgent" not in head


async def test_a_reply_that_copies_our_mark_is_read(stage):
    async with stage() as desk:
        await desk.arrive("carol@acme.example", msgid="m1@acme.example")
        await settle(desk)
        copied = {"X_Maild_Loop": "csm@desk.example", "In_Reply_To": "<m1@acme.example>"}
        await desk.arrive(
            "carol@acme.example", "Re: checkout down", text="Any news?", msgid="m2@acme.example", **copied
        )
        await settle(desk)
        (line,) = await desk.ledger.tickets()
        history = await desk.ledger.history(line.ticket.number)
        assert [message.kind for message in history.messages] == ["customer", "customer"]
