from dataclasses import replace
from datetime import timedelta

import pytest

from maild.desk import Told, on_mail
from maild.desk.copies import with_copies
from maild.desk.reopening import Window
from maild.mail import Address, Attachment, Origin
from maild.outbound.letters import AckLetter, NoticeLetter, RelayLetter
from maild.sla.hours import weekdays
from maild.threading.inscription import claims, reader_of
from maild.threading.place import Near, Placement, Rung
from maild.ticket import Event, Message, State
from maild.trust import Standing, Trust


@pytest.fixture
def office(office):
    return replace(office, window=Window(7, weekdays("Europe/Berlin")))


@pytest.fixture
def ended(make_case, make_ticket, now):
    def make(state=State.CLOSED, days=1, **changes):
        since = now - timedelta(days=days)
        ticket = make_ticket(
            number=7, state=state, resolved_at=since, closed_at=since if state is State.CLOSED else None
        )
        opened = Event(ticket.opened_at, "carol@acme.example", "opened", "new", {"severity": "normal"})
        return make_case(ticket, told=Told((opened,)), **changes)

    return make


def whats(decision):
    return [event.what for event in decision.events]


def notes(decision):
    return [note for letter in decision.letters if isinstance(letter, NoticeLetter) for note in letter.notes]


@pytest.mark.parametrize(("state", "days"), [(State.RESOLVED, 400), (State.CLOSED, 0), (State.CLOSED, 9)])
def test_within_the_window_it_reopens(ended, office, now, state, days):
    decision = on_mail(ended(state, days), office, now)
    assert (decision.ticket.number, decision.ticket.state) == (7, State.OPEN)
    assert "reopened" in whats(decision)


def test_later_it_goes_on_in_a_ticket_of_its_own(ended, office, now):
    decision = on_mail(ended(days=12), office, now)
    assert (decision.ticket.number, decision.ticket.state) == (1042, State.NEW)
    assert whats(decision) == ["opened", "linked", "acknowledged"]
    assert decision.events[1].data == {"to": 7}
    ((number, there),) = decision.elsewhere
    assert (number, there.what, there.data) == (7, "continued", {"to": 1042})
    assert [type(letter) for letter in decision.letters] == [AckLetter, NoticeLetter, NoticeLetter]
    assert notes(decision)[0].startswith("Its mail continues [CSM #7], closed 12 days ago")


def test_a_desk_that_never_reopens(ended, office, now):
    office = replace(office, window=Window(0))
    assert on_mail(ended(days=0), office, now).ticket.number == 1042
    assert on_mail(ended(State.RESOLVED), office, now).ticket.number == 7


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"mail": {"origin": Origin.BULK}}, "bulk"),
        ({"trust": Trust(Standing.FAILED, "", "dmarc=fail")}, "unverified"),
    ],
)
def test_what_no_person_wrote_moves_nothing(ended, office, now, changes, kind):
    decision = on_mail(ended(days=99, **changes), office, now)
    assert (decision.ticket.number, decision.ticket.state, decision.message.kind) == (7, State.CLOSED, kind)


@pytest.mark.parametrize(("state", "days"), [(State.RESOLVED, 1), (State.CLOSED, 1), (State.CLOSED, 99)])
def test_thanks_are_filed(ended, office, now, state, days):
    decision = on_mail(ended(state, days, mail={"new_text": "Thank you, Ann!"}), office, now)
    assert (decision.ticket.state, decision.ticket.number, decision.message.kind) == (state, 7, "customer")
    assert (whats(decision), decision.clocks) == (["thanks"], None)
    assert decision.ticket.closed_at == (now - timedelta(days=days) if state is State.CLOSED else None)
    assert "maild ticket reopen 7" in notes(decision)[0]
    assert ("m1@client.example", 7, "seen") in decision.references
    assert decision.party is not None


def test_thanks_of_nobody_we_know(ended, office, now):
    case = ended(mail={"new_text": "Thanks!", "from_fields": 2}, trust=Trust(Standing.UNKNOWN, "", "x"))
    open_to_all = replace(case.ticket, mailbox=office.mailboxes[1].address)
    decision = on_mail(replace(case, mailbox=office.mailboxes[1], ticket=open_to_all), office, now)
    assert (decision.events[0].actor, decision.party) == ("unknown", None)


@pytest.mark.parametrize("state", [State.NEW, State.OPEN, State.PENDING])
def test_thanks_while_it_is_open_are_a_mail_like_any(ended, office, now, state):
    decision = on_mail(ended(state, mail={"new_text": "Thanks!"}), office, now)
    assert whats(decision) == ["customer_message"]


def test_a_word_more_than_thanks_reopens(ended, office, now):
    file = Attachment("a.txt", "text/plain", b"x", "0" * 64, inline=False, content_id="")
    for mail in ({"new_text": "Thanks, but no."}, {"new_text": "Thanks!", "attachments": (file,)}):
        assert on_mail(ended(State.RESOLVED, mail=mail), office, now).ticket.state is State.OPEN


def test_what_is_maybe_related_is_linked_both_ways_and_only_agents_hear_of_it(make_case, office, now):
    placement = Placement(None, Rung.NEW, "nothing", near=Near(7, "its subject carries the tag of that ticket"))
    decision = on_mail(make_case(placement=placement), office, now)
    assert decision.ticket.number == 1042
    assert notes(decision)[0] == "Maybe related to [CSM #7]: its subject carries the tag of that ticket."
    assert [event.data for event in decision.events if event.what == "linked"] == [{"to": 7}]
    ((number, there),) = decision.elsewhere
    assert (number, there.what, there.data) == (7, "linked", {"to": 1042})
    (ack,) = (letter for letter in decision.letters if isinstance(letter, AckLetter))
    assert "#7" not in repr(ack)


def test_a_flag_is_told(make_case, make_ticket, office, now):
    for ticket in (None, make_ticket()):
        decision = on_mail(make_case(ticket, flags=("Look twice.",)), office, now)
        assert whats(decision)[-1] == "flagged"
        assert "Look twice." in notes(decision)


class TestTwice:
    @pytest.fixture
    def again(self, make_case, make_ticket, office, now):
        def make(recipients=("csm@desk.example",), kind="customer", team=("max", "ann"), mailbox=1, **ticket):
            boxes = (office.mailboxes[0], replace(office.mailboxes[1], team=team))
            twin = Message(
                3,
                1042,
                "m1@client.example",
                now,
                Address("", "carol@acme.example"),
                kind,
                "",
                "the evidence",
                "s",
                "t",
                "d",
                "b",
                recipients,
            )
            case = make_case(make_ticket(**ticket), twin=twin, mailbox=boxes[mailbox])
            case = replace(case, received=replace(case.received, rcpt=boxes[mailbox].address))
            return on_mail(case, replace(office, mailboxes=boxes), now)

        return make

    def test_the_people_of_a_further_mailbox_hear_of_it(self, again):
        decision = again()
        assert decision.further_recipient == (3, "plain@desk.example")
        (letter,) = decision.letters
        assert letter.agent_id == "max"
        assert "csm@desk.example" in letter.notes[0]
        assert letter.placed_because == "the evidence"

    @pytest.mark.parametrize(
        "changes",
        [
            {"recipients": ("csm@desk.example", "plain@desk.example")},
            {"mailbox": 0},
            {"kind": "agent"},
            {"team": ("ann", "bob")},
            {"team": ("max",), "assignee": "max"},
        ],
    )
    def test_nobody_hears_of_it_twice(self, again, changes):
        assert again(**changes).letters == ()


@pytest.mark.parametrize("mailbox", [0, 1])
def test_our_mail_bears_a_line_where_there_are_no_sub_addresses(make_case, make_ticket, office, now, mailbox):
    box = office.mailboxes[mailbox]
    case = make_case(mailbox=box)
    (ack,) = (letter for letter in on_mail(case, office, now).letters if isinstance(letter, AckLetter))
    ann = {
        "from_": (Address("Ann", "ann@staff.example"),),
        "to": (Address("", box.address),),
        "new_text": "It is mended.",
    }
    ticket = make_ticket(mailbox=box.address)
    answer = replace(make_case(ticket, mail={**ann, "text": "It is mended."}), mailbox=box)
    (relay,) = on_mail(answer, office, now).letters
    for letter in (ack, relay):
        (claim,) = claims(letter.inscription, "CSM") or (None,)
        assert (claim is not None) is (mailbox == 1)
        assert claim is None or reader_of(claim, office.keys, ("carol@acme.example",)) == "carol@acme.example"


def test_a_copy_bears_the_line_of_who_gets_it(make_case, make_ticket, office, now):
    box = office.mailboxes[1]
    ann = {"from_": (Address("Ann", "ann@staff.example"),), "to": (Address("", box.address),), "text": "It is mended."}
    (relay,) = on_mail(replace(make_case(make_ticket(mailbox=box.address), mail=ann), mailbox=box), office, now).letters
    for letter in with_copies(relay, ("dave@acme.example",), office):
        reader = letter.copy_to.key if letter.copy_to else "carol@acme.example"
        (claim,) = claims(letter.inscription, "CSM")
        assert reader_of(claim, office.keys, ("carol@acme.example", "dave@acme.example")) == reader


def test_an_agent_s_answer_goes_out_and_the_ticket_stays_closed(ended, office, now):
    ann = {"from_": (Address("Ann", "ann@staff.example"),), "text": "One thing more.", "new_text": "One thing more."}
    for days in (1, 99):
        decision = on_mail(ended(days=days, mail=ann), office, now)
        assert (decision.ticket.number, decision.ticket.state) == (7, State.CLOSED)
        assert [type(letter) for letter in decision.letters] == [RelayLetter]
