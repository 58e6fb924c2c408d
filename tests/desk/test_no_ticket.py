"""An agent's answer to a digest, a summary or a report: never a customer's mail, never a ticket, and he is told."""

import pytest

from maild.desk import on_mail
from maild.mail import Address, Origin
from maild.threading.place import Placement, Rung

ANN = Address("Ann", "ann@staff.example")


@pytest.fixture
def digest(office):
    return office.message_id(0, "digest:ann:7")


def answer(make_case, make_ticket, digest, rung=Rung.NEW, **mail):
    ticket = make_ticket() if rung is not Rung.NEW else None
    placement = Placement(ticket.number if ticket else None, rung, "the evidence")
    fields = {
        "from_": (ANN,),
        "in_reply_to": (digest,),
        "references": (digest,),
        "text": "Got it.",
        "new_text": "Got it.",
    }
    return make_case(ticket, placement=placement, mail={**fields, **mail})


@pytest.mark.parametrize("rung", [Rung.NEW, Rung.QUOTES, Rung.TAG, Rung.STORED_ID])
def test_he_is_told_that_nobody_got_it(make_case, make_ticket, digest, office, now, rung):
    decision = on_mail(answer(make_case, make_ticket, digest, rung), office, now)
    assert (decision.ticket, decision.message) == (None, None)
    (letter,) = decision.letters
    assert (letter.agent.address, letter.subject, letter.quote) == (
        "ann@staff.example",
        "your answer reached nobody",
        "Got it.",
    )
    assert letter.reply_to == "csm@desk.example"


@pytest.mark.parametrize(
    "mail", [{"subject": "Automatic reply: 8 tickets"}, {"origin": Origin.AUTOMATIC}, {"origin": Origin.BULK}], ids=str
)
def test_a_machine_is_not_answered(make_case, make_ticket, digest, office, now, mail):
    decision = on_mail(answer(make_case, make_ticket, digest, **mail), office, now)
    assert (decision.ticket, decision.letters) == (None, ())


@pytest.mark.parametrize("rung", [Rung.TOKEN, Rung.OWN_ID])
def test_what_names_a_ticket_for_certain_is_about_that_one(make_case, make_ticket, digest, office, now, rung):
    assert on_mail(answer(make_case, make_ticket, digest, rung), office, now).ticket is not None


def test_another_s_answer_and_another_mail_go_their_ways(make_case, make_ticket, digest, office, now):
    carol = {"from_": (Address("", "carol@acme.example"),)}
    assert on_mail(answer(make_case, make_ticket, digest, **carol), office, now).ticket.number == 1042
    forged = digest.replace("maild.0.", "maild.00.")
    assert on_mail(answer(make_case, make_ticket, forged), office, now).ticket is not None
    plain = answer(make_case, make_ticket, digest, in_reply_to=(), references=())
    assert on_mail(plain, office, now).ticket is not None
