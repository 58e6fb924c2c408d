"""Reports that name no reply of ours, but come to the return path that only our replies to the customer bear."""

from datetime import timedelta

import pytest

from maild.desk import Told, on_mail
from maild.mail import Address, Delivery, Origin
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.ticket import Event, State

CAROL = "carol@acme.example"


def relayed(now, ref, by="relay"):
    return Event(now, "ann", "agent_reply", "x", {"ref": ref, "by": by})


@pytest.fixture
def decide(make_case, make_ticket, office, now):
    def decided(*replies, msgid="", action="failed", bearer=CAROL, purpose=Purpose.BOUNCE):
        ticket = make_ticket(state=State.OPEN, first_response_at=now, first_response_evidence="x")
        opened = Event(now - timedelta(hours=1), "carol@acme.example", "opened", "x", {"severity": "normal"})
        mail = {
            "origin": Origin.BOUNCE,
            "from_": (Address("", "mailer-daemon@acme.example"),),
            "delivery": (Delivery(CAROL, action, "5.1.1", "550 gone", msgid),),
        }
        placement = Placement(ticket.number, Rung.TOKEN, "by the token", bearer, purpose)
        case = make_case(ticket, mail=mail, told=Told((opened, *replies)), placement=placement)
        return on_mail(case, office, now + timedelta(minutes=1))

    return decided


@pytest.mark.parametrize("msgid", ["", "0100019@email.amazonses.com"])
def test_the_latest_reply_is_no_response(decide, now, msgid):
    decision = decide(relayed(now, "r1@desk.example"), relayed(now, "r2@desk.example"), msgid=msgid)
    assert [event.what for event in decision.events] == ["bounce", "report"]
    assert decision.events[0].data["ref"] == "r2@desk.example"
    assert "by the token" in decision.events[1].because
    assert [letter.subject for letter in decision.letters] == ["your reply could not be delivered"]
    assert decision.message.kind == "bounce"


def test_the_only_reply_is_no_response(decide, now):
    assert decide(relayed(now, "r1@desk.example")).ticket.first_response_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "delayed"},
        {"bearer": "ann@staff.example"},
        {"purpose": Purpose.CUSTOMER},
        {"bearer": None, "purpose": None},
    ],
)
def test_other_reports_stay_events(decide, now, changes):
    decision = decide(relayed(now, "r1@desk.example"), **changes)
    assert ([event.what for event in decision.events], decision.letters) == (["report"], ())


def test_what_was_never_relayed_cannot_come_back(decide, now):
    decision = decide(relayed(now, "r1@desk.example", by="direct"))
    assert ([event.what for event in decision.events], decision.letters) == (["report"], ())
