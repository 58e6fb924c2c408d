"""An agent's reply after the customer of a ticket was changed: it reaches the one whose mail he read, or nobody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.desk import Requester, Told, on_command, on_mail
from maild.desk.escalate import escalation_key
from maild.desk.merge import Side, on_merge
from maild.desk.undo import on_undo
from maild.mail import Address
from maild.outbound.letters import RelayLetter, WordLetter
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.ticket import Event, Message
from maild.trust import Standing, Trust

OPENED = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
TIM, UMA = Address("Tim", "tim@tau.example"), Address("Uma", "uma@ups.example")
ANN = Address("Ann", "ann@staff.example")


def hours(number):
    return OPENED + timedelta(hours=number)


def message(number, at, who, kind="customer"):
    return Message(number, 1, f"{number}@{who.domain}", at, who, kind, "dmarc", "", "x", "w", "d", "", ())


def level(at):
    data = {"metric": "first_response", "cycle": 1, "level": "breach"}
    return Event(at, "maild", "breach", "late", data)


MESSAGES = (
    message(1, OPENED, TIM),
    message(2, hours(4), UMA),
    replace(message(3, hours(5), ANN, "agent"), message_id=""),
)
"""Tim wrote, the ticket became Uma's at the second hour, she wrote; Ann's answer was not sent."""


@pytest.fixture
def passed(make_ticket, office):
    """The ticket that was Tim's and is Uma's, and what is told of it."""

    def make(who=TIM, number=1):
        ticket = make_ticket(number=number, requester=who, participants=(who.key,), root_id=office.root_id(number))
        told = Told((Event(OPENED, who.key, "opened", "", {"severity": "normal"}), level(hours(1))))
        done = on_command(ticket, told, Requester(UMA), office, "ann", hours(2))
        return done.ticket, Told((*told.events, *done.events, level(hours(6))))

    return make


@pytest.fixture
def reply(make_case, office):
    def make(ticket, told, names=(), references=(), **changes):
        ids = tuple(key if "@" in key else office.message_id(int(key.split(":")[1]), key) for key in names)
        mail = {
            "from_": (ANN,),
            "text": "Dear Tim, your salary is 4000.",
            "new_text": "Dear Tim, your salary is 4000.",
            "message_id": "a1@staff.example",
            "in_reply_to": ids,
            "references": references,
        }
        return make_case(
            ticket,
            mail=mail,
            told=told,
            messages=MESSAGES,
            placement=Placement(1, Rung.TOKEN, "the evidence", ANN.key, Purpose.AGENT),
            trust=Trust(Standing.AUTHENTICATED, "dmarc", "dmarc=pass for staff.example"),
            **changes,
        )

    return make


OLD, NEW = "notice:1:1:ann", "notice:1:2:ann"
ROWS = [
    ((OLD,), False),
    ((NEW,), True),
    (("notice:1:1:bob",), False),
    (("word:1:1",), False),
    (("word:1:3",), True),
    ((escalation_key(1, "first_response:1:breach", "ann", 0),), True),
    (("doubted:1:x",), False),
    ((), False),
]


@pytest.mark.parametrize(("names", "relayed"), ROWS)
def test_an_answer_is_for_whoever_was_the_customer_then(passed, reply, office, names, relayed):
    decision = on_mail(reply(*passed(), names), office, hours(7))
    (letter,) = decision.letters
    assert isinstance(letter, RelayLetter if relayed else WordLetter)
    if not relayed:
        assert decision.clocks is None
        assert "tim@tau.example" in letter.lines[0]
        assert "To write to uma@ups.example all the same, reply to this mail" in letter.lines[1]
        assert office.token_address(office.mailboxes[0], 1, ANN.address, Purpose.AGENT) == letter.reply_to


def test_a_level_from_before_is_for_the_one_before(passed, reply, office):
    ticket, told = passed()
    told = Told(told.events[:-1])
    key = escalation_key(1, "first_response:1:breach", "ann", 0)
    assert isinstance(on_mail(reply(ticket, told, (key,)), office, hours(7)).letters[0], WordLetter)


@pytest.mark.parametrize(("last", "relayed"), [(OLD, False), (NEW, True)])
def test_the_last_mail_of_ours_that_it_names_tells(passed, reply, office, last, relayed):
    ticket, told = passed()
    other = NEW if last == OLD else OLD
    references = (ticket.root_id, *(office.message_id(1, key) for key in (other, last)), "x@staff.example")
    decision = on_mail(reply(ticket, told, ("x@staff.example",), references), office, hours(7))
    assert isinstance(decision.letters[0], RelayLetter) is relayed


def test_what_an_agent_forwarded_was_for_the_customer_all_the_time(passed, reply, office):
    for who in (ANN, Address("", "")):
        assert isinstance(on_mail(reply(*passed(who), (OLD,)), office, hours(7)).letters[0], RelayLetter)


def test_the_answer_to_the_command_is_for_the_new_one(passed, reply, office):
    ticket, told = passed()
    change = replace(told.events[2], data={**told.events[2].data, "message": 1})
    told = Told((*told.events[:2], change))
    assert isinstance(on_mail(reply(ticket, told, ("order:1:1",)), office, hours(7)).letters[0], RelayLetter)


def test_after_its_undoing_it_is_as_before(passed, reply, office):
    ticket, told = passed()
    (undone,) = on_undo(Side(ticket, told), None, {}, office, "ann", hours(6))
    told = told.and_then(*undone.events)
    assert isinstance(on_mail(reply(undone.ticket, told, (OLD,)), office, hours(7)).letters[0], RelayLetter)


@pytest.mark.parametrize(("who", "relayed"), [(TIM, False), (UMA, True)])
def test_a_change_before_a_merge_is_known_after_it(passed, reply, make_ticket, office, who, relayed):
    if who == TIM:
        ticket, told = passed(number=2)
    else:
        ticket, told = make_ticket(number=2, requester=UMA), Told()
    into, before = passed()
    survivor, _ = on_merge(Side(ticket, told), Side(into, before), office, "ann", hours(6))
    case = reply(
        survivor.ticket, before.and_then(*survivor.events), ("notice:2:1:ann",), merged=replace(ticket, merged_into=1)
    )
    assert isinstance(on_mail(case, office, hours(7)).letters[0], RelayLetter) is relayed
