"""An agent's mail where two customers' tickets became one: it reaches the one whose mail he read, or nobody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.desk import Told, on_mail
from maild.desk.decision import clocks_of
from maild.desk.merge import Side, on_merge
from maild.mail import Address
from maild.outbound.mark import MARK
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.ticket import Event, Message, Severity
from maild.trust import Standing, Trust

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
CAROL, DAVE = Address("Carol", "carol@acme.example"), Address("Dave", "dave@bolt.example")
ANN = Address("Ann", "ann@staff.example")


@pytest.fixture
def case(make_case, make_ticket, office):
    """Ann's mail on ticket 2, which was merged into Carol's ticket 1."""

    def make(who=DAVE, rung=Rung.TOKEN, via=2, **mail):
        sides = []
        for number, requester in ((1, CAROL), (2, who)):
            ticket = make_ticket(
                number=number, requester=requester, participants=(requester.key,), root_id=office.root_id(number)
            )
            told = Told((Event(NOW, requester.key, "opened", "", {"severity": str(Severity.NORMAL)}),))
            sides.append(Side(ticket, told))
        into, gone = sides
        survivor, _ = on_merge(gone, into, office, "ann", NOW + timedelta(minutes=1))
        purpose = Purpose.AGENT if rung is Rung.TOKEN else None
        words = {"from_": (ANN,), "text": "Dear Dave.", "new_text": "Dear Dave.", "message_id": "a1@staff.example"}
        return make_case(
            survivor.ticket,
            mail={**words, **mail},
            told=Told((*into.told.events, *survivor.events)),
            placement=Placement(1, rung, "the evidence", ANN.key if purpose else None, purpose, via),
            trust=Trust(Standing.AUTHENTICATED, "dmarc", "dmarc=pass for staff.example"),
            merged=replace(gone.ticket, merged_into=1) if via else None,
        )

    return make


def test_an_answer_to_another_customer_goes_to_nobody(case, office):
    decision = on_mail(case(), office, NOW + timedelta(hours=1))
    assert [type(letter).__name__ for letter in decision.letters] == ["WordLetter"]
    (word,) = decision.letters
    assert word.agent.address == ANN.address
    assert "it answers a mail of ticket 2, whose customer is dave@bolt.example" in word.lines[0]
    assert "maild ticket undo 2" in word.lines[0]
    assert decision.clocks is None
    assert [event.what for event in decision.events] == ["agent_note"]


@pytest.mark.parametrize(("who", "via"), [(CAROL, 2), (DAVE, None)])
def test_an_answer_to_that_customer_is_relayed(case, office, who, via):
    decision = on_mail(case(who, via=via), office, NOW + timedelta(hours=1))
    (letter,) = decision.letters
    assert letter.to.key == CAROL.key
    assert decision.events[0].data["recipient"] == CAROL.key
    assert set(letter.secrets) == {*office.agent_tokens(1), *office.agent_tokens(2)}


@pytest.mark.parametrize(
    ("to", "what", "counts"),
    [
        ((DAVE,), "agent_note", False),
        ((CAROL, DAVE), "agent_reply", True),
    ],
)
def test_an_answer_that_went_to_him_directly(case, office, to, what, counts):
    decision = on_mail(case(to=to, cc=(Address("", "csm@desk.example"),)), office, NOW + timedelta(hours=1))
    assert decision.letters == ()
    assert decision.events[0].what == what
    assert ("who is not the customer of this ticket: no clock stops" in decision.because) is not counts


@pytest.mark.parametrize(
    ("rung", "who", "relayed"),
    [
        (Rung.SUBJECT_AND_QUOTE, DAVE, False),
        (Rung.SUBJECT_AND_QUOTE, CAROL, True),
        (Rung.OWN_ID, DAVE, True),
    ],
)
def test_an_answer_that_names_no_mail_of_ours(case, office, rung, who, relayed):
    decision = on_mail(case(who, rung, None), office, NOW + timedelta(hours=1))
    (letter,) = decision.letters
    assert hasattr(letter, "to") is relayed
    if not relayed:
        assert "ticket 1 has more than one customer: carol@acme.example, dave@bolt.example" in letter.lines[0]


def test_a_severity_that_was_undone_is_no_person_s_choice(make_case, make_ticket, office):
    from maild.desk import Grade, on_command  # noqa: PLC0415 - the room under test
    from maild.desk.undo import on_undo  # noqa: PLC0415 - likewise
    from maild.sla.severity import Guess  # noqa: PLC0415 - likewise

    ticket = make_ticket()
    told = Told((Event(NOW, CAROL.key, "opened", "", {"severity": "normal"}),))
    graded = on_command(ticket, told, Grade(Severity.LOW), office, "ann", NOW)
    told = told.and_then(*graded.events)
    (undone,) = on_undo(Side(graded.ticket, told), None, {}, office, "ann", NOW)
    assert undone.clocks == clocks_of(office, ticket, Told(told.events[:1]), NOW)
    told = told.and_then(*undone.events)
    worse = make_case(undone.ticket, told=told, guess=Guess(Severity.HIGH, ("it says so",)))
    assert on_mail(worse, office, NOW + timedelta(hours=1)).ticket.severity is Severity.HIGH


@pytest.mark.parametrize(
    ("writer", "told"),
    [(DAVE, True), (CAROL, False), (Address("Dora", "dora@acme.example"), False)],
)
def test_the_agents_read_whom_their_answer_does_not_reach(case, office, writer, told):
    decision = on_mail(case(from_=(writer,), text="Hm.", new_text="Hm."), office, NOW + timedelta(hours=1))
    words = "dave@bolt.example does not get your reply: tickets were merged, and it goes to carol@acme.example."
    assert decision.letters
    assert all((words in letter.notes) is told for letter in decision.letters)
    assert decision.events[0].what == "customer_message"


def test_an_answer_tells_nothing_of_the_other_customer(case, office):
    """Not by an id, nor by the tag of his ticket system, nor by his words where the agent wrote below them."""
    theirs = tuple(
        Message(
            number,
            1,
            f"{number}@{who.domain}",
            NOW,
            who,
            "customer",
            "",
            "",
            f"x [{who.name.upper()}-77]",
            words,
            "d",
            "",
            (),
        )
        for number, (who, words) in enumerate(((CAROL, "It fails."), (DAVE, "It burns here.")), start=1)
    )
    quote = f"> {MARK}\n> It fails.\n> It burns here.\n> It fails.\n\nIt is mended."
    mail = replace(case(DAVE), messages=theirs)
    mail = replace(mail, mail=replace(mail.mail, text=quote, new_text="It is mended."), merged=None)
    (letter,) = on_mail(mail, office, NOW + timedelta(hours=1)).letters
    assert (letter.in_reply_to, letter.references) == ("1@acme.example", ("1@acme.example",))
    assert "It is mended." in letter.text
    assert "burns" not in letter.text
    assert "CAROL-77" in letter.subject
    assert "DAVE-77" not in letter.subject
