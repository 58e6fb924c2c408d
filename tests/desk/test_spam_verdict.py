"""A mail that a trusted hop calls spam is listed and nothing else, but where it is part of a conversation beyond doubt."""

from dataclasses import replace

import pytest

from maild.desk import on_mail
from maild.desk.decision import Decision
from maild.mail import Address, Origin
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.trust import Standing, Trust

UNKNOWN = Trust(Standing.UNKNOWN, "", "nothing proves that the From is true")
FAILED = Trust(Standing.FAILED, "", "dmarc=fail for acme.example")
SAID = "X-Spam-Flag: YES"
ANN = {"from_": (Address("Ann", "ann@staff.example"),)}


@pytest.mark.parametrize(
    "mail",
    [
        {},
        {"origin": Origin.BULK},
        {"origin": Origin.AUTOMATIC, "headers": (("Auto-Submitted", "auto-replied"),)},
        {"origin": Origin.BOUNCE},
        ANN,
    ],
    ids=["person", "bulk", "automatic", "bounce", "agent"],
)
def test_what_opens_a_conversation_opens_none(make_case, office, now, mail):
    decision = on_mail(make_case(mail=mail, spam=SAID), office, now)
    assert decision == Decision(decision.because, spam=True)
    assert SAID in decision.because


@pytest.mark.parametrize(
    ("rung", "trust", "belongs"),
    [
        (Rung.TOKEN, UNKNOWN, True),
        (Rung.OWN_ID, UNKNOWN, True),
        (Rung.STORED_ID, None, True),
        (Rung.STORED_ID, UNKNOWN, False),
        (Rung.TAG, UNKNOWN, False),
        (Rung.TOKEN, FAILED, False),
    ],
)
def test_an_answer_to_us_is_read_all_the_same(make_case, make_ticket, office, now, rung, trust, belongs):
    ticket = make_ticket()
    case = make_case(ticket, spam=SAID, placement=Placement(ticket.number, rung, "the evidence"))
    case = case if trust is None else replace(case, trust=trust)
    decision = on_mail(case, office, now)
    assert decision.spam is not belongs
    if belongs:
        assert decision.message is not None
        assert decision.events[-1].what == "spam_overruled"
        assert SAID in decision.events[-1].because
        unflagged = on_mail(replace(case, spam=""), office, now)
        assert replace(decision, events=decision.events[:-1]) == unflagged


def test_nobody_is_asked_about_spam_in_an_agents_name(make_case, make_ticket, office, now):
    ticket = make_ticket()
    decision = on_mail(make_case(ticket, mail=ANN, trust=UNKNOWN, spam=SAID), office, now)
    assert decision.spam
    assert not decision.letters


def test_a_report_at_our_return_path_is_one(make_case, make_ticket, office, now):
    ticket = make_ticket()
    placement = Placement(ticket.number, Rung.REPORT, "it reports on our message", "ann@staff.example", Purpose.BOUNCE)
    decision = on_mail(
        make_case(ticket, mail={"origin": Origin.BOUNCE}, trust=UNKNOWN, placement=placement, spam=SAID), office, now
    )
    assert not decision.spam
    assert "spam_overruled" in [event.what for event in decision.events]
