"""An agent's answer to a digest, a summary or a report: never a customer's mail, never a ticket, and he is told."""

from dataclasses import replace

import pytest

from maild.desk import Listed, Told, on_mail
from maild.desk.decision import folded
from maild.desk.listed import chosen
from maild.mail import Address, Origin
from maild.outbound.letters import WordLetter
from maild.threading.place import Placement, Rung
from maild.threading.subject import base
from maild.ticket import Event
from maild.trust import Standing, Trust

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


@pytest.mark.parametrize(
    ("subject", "is_one"),
    [
        ("[BREACH] 14 tickets of CSM: 12 breaches, 2 warnings (most pressing: #1234 URGENT Acme: checkout down)", True),
        ("1 ticket of CSM: all settled meanwhile", True),
        ("[breach] 6 tickets of csm: 6 breaches", True),
        ("14 tickets of RT: 12 breaches", False),
        ("About 14 tickets of CSM: 12 breaches", False),
    ],
)
def test_a_digest_that_is_answered_without_a_reference_is_known_by_its_subject(
    make_case, make_ticket, digest, office, now, subject, is_one
):
    case = answer(make_case, make_ticket, digest, in_reply_to=(), references=(), subject=f"Re: {subject}")
    decision = on_mail(replace(case, base_subject=base(f"Re: {subject}", "CSM")), office, now)
    assert (decision.ticket is None) == is_one
    assert isinstance(decision.letters[0], WordLetter) == is_one


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


FIRST = frozenset({("first_response", 1)})


@pytest.fixture
def listed(make_ticket, office, now):
    """Make tickets that a digest named, with their clocks as the ledger has them; those in `merged` went into 1."""

    def made(*numbers, merged=()):
        found = []
        for number in numbers:
            ticket = make_ticket(number=number, merged_into=1 if number in merged else None, opened_at=now)
            told = Told((Event(now, "carol@acme.example", "opened", "new", {"severity": "normal"}),))
            found.append(Listed(ticket, Told(told.events, folded(office, ticket, told, now)), FIRST))
        return tuple(found)

    return made


@pytest.fixture
def said(make_case, make_ticket, digest, office, now):
    def decided(text, listed, **more):
        case = answer(make_case, make_ticket, digest, text=text, new_text=text)
        return on_mail(replace(case, listed=listed, **more), office, now)

    return decided


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("#ack", (1001, 1002, 1003)),
        ("#ACK on it", (1001, 1002, 1003)),
        ("#ack\n\nI am on it.", (1001, 1002, 1003)),
        ("#ack 1003, CSM #1001", (1001, 1003)),
        ("#ack #1002", (1002,)),
    ],
)
def test_he_takes_over_what_the_digest_names(said, listed, text, taken):
    decision = said(text, listed(1001, 1002, 1003))
    assert tuple(one.ticket.number for one in decision.beside) == taken
    (event, *others) = [event for one in decision.beside for event in one.events if one.ticket.number == taken[0]]
    assert (event.what, event.actor, event.data["clocks"], others) == ("taken_over", "ann", [["first_response", 1]], [])
    assert event.because.endswith("by an answer to a digest")
    assert {one.ticket.assignee for one in decision.beside} == {"ann"}
    assert (decision.ticket, decision.message, decision.events) == (None, None, ())
    (letter,) = decision.letters
    assert letter.subject == f"you took over {len(taken)} ticket{'s' * (len(taken) > 1)}"
    assert f"CSM {', '.join(f'#{number}' for number in taken)}" in letter.lines
    assert letter.key == "no_ticket:ann:m1@client.example"


def test_he_is_told_what_he_did_not_take_and_why(said, listed):
    decision = said("#ack 1001 1002 99", listed(1001, 1002, 1003, merged=(1002,)))
    assert [one.ticket.number for one in decision.beside] == [1001]
    assert decision.letters[0].lines[-2:] == (
        "Not taken over: ticket 1002 was merged into 1: decide on that one, or undo it.",
        "Not taken over: the digest that you answered does not name ticket 99.",
    )


def test_many_that_he_did_not_take_are_counted(said, listed):
    numbers = tuple(range(1001, 1014))
    decision = said("#ack", listed(*numbers, merged=numbers))
    assert decision.beside == ()
    assert (decision.letters[0].subject, decision.letters[0].lines[-1]) == ("you took nothing over", "Nor were 3 more.")


def test_a_line_of_many_numbers_is_not_cut(said, listed):
    lines = said("#ack", listed(*range(123_456_700, 123_456_800))).letters[0].lines
    assert max(map(len, lines)) < 500
    assert sum(line.count("#") for line in lines) == 100


@pytest.mark.parametrize("text", ["Got it.", "#resolve", "#ack\n#resolve", "#ack\n#ack", "I #ack it", "#acknowledged"])
def test_anything_else_takes_nothing_over_and_he_is_told_how(said, listed, text):
    decision = said(text, listed(1001, 1002))
    assert decision.beside == ()
    assert decision.letters[0].subject == "your answer reached nobody"
    assert any("#ack CSM #1001" in line for line in decision.letters[0].lines)


def test_a_summary_names_nothing_to_take_over(said):
    decision = said("#ack", ())
    assert decision.beside == ()
    assert not any("#ack" in line for line in decision.letters[0].lines)


def test_who_proves_nothing_takes_nothing_over(said, listed):
    trust = Trust(Standing.UNKNOWN, "", "nobody judged it")
    decision = said("#ack", listed(1001), trust=trust)
    assert decision.beside == ()
    (letter,) = decision.letters
    assert letter.subject == "your answer reached nobody"
    assert any("this one is not: nobody judged it" in line for line in letter.lines)


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("", set()),
        ("1 2,3;#4", {1, 2, 3, 4}),
        ("csm #7", {7}),
        ("all 3 of them", set()),
        ("#", set()),
        ("9" * 13, {10**12 - 1, 9}),
    ],
)
def test_numbers_behind_the_command(value, numbers):
    assert chosen(value, "CSM") == numbers
