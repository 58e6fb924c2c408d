"""To take a ticket over by mail: `#ack`, or any reply to an escalation mail."""

from dataclasses import replace
from datetime import timedelta

import pytest

from maild.desk import Told, on_due, on_mail
from maild.desk.ack import acks
from maild.desk.answering import answered_clocks
from maild.desk.escalate import escalation_key
from maild.mail import Address, Origin
from maild.outbound.letters import NoticeLetter, RelayLetter, WordLetter
from maild.outbound.mark import MARK
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.ticket import Event
from maild.trust import Standing, Trust

UNKNOWN = Trust(Standing.UNKNOWN, "", "nothing proves that the From is true")
TOKEN = Trust(Standing.TOKEN, "token", "our token came back")
BOB = Address("Bob", "bob@staff.example")
RESOLUTION = "resolution:1:target"
CAROL = Address("Carol", "carol@acme.example")


@pytest.fixture
def told(now):
    sent = frozenset({("first_response", 1, "target"), ("first_response", 1, "75%"), ("resolution", 1, "target")})
    return Told(
        (Event(now - timedelta(hours=4), "carol@acme.example", "opened", "x", {"severity": "normal"}),), (), sent
    )


@pytest.fixture
def escalation(office):
    def make(level="first_response:1:75%", agent="bob", undone=0, desk=office):
        return desk.message_id(1042, escalation_key(1042, level, agent, undone))

    return make


@pytest.fixture
def reply(make_case, make_ticket, told, now):
    def make(text, *, to="", sender=BOB, trust=TOKEN, purpose=Purpose.AGENT, mail=(), known=told, **ticket):
        given = {"opened_at": now - timedelta(hours=4), **ticket}
        return make_case(
            make_ticket(**given),
            mail={
                "from_": (sender,),
                "text": text,
                "new_text": text,
                "in_reply_to": (to,) if to else (),
                **dict(mail),
            },
            trust=trust,
            placement=Placement(1042, Rung.TOKEN, "our token", sender.key if purpose else None, purpose),
            told=known,
        )

    return make


def whats(decision):
    return [event.what for event in decision.events]


class TestAnEscalationMailIsKnown:
    @pytest.mark.parametrize("name", ["in_reply_to", "references"])
    def test_by_what_a_reply_names(self, reply, escalation, office, name):
        mail = {name: ("root@desk.example", escalation())}
        case = reply("x", mail=mail)
        assert answered_clocks(case, office, case.ticket) == {("first_response", 1)}

    def test_not_by_what_stands_further_back(self, reply, escalation, office):
        case = reply("x", mail={"references": (escalation(), "another@desk.example")})
        assert answered_clocks(case, office, case.ticket) == set()

    @pytest.mark.parametrize(
        "more",
        [{"level": "first_response:1:limit"}, {"level": "resolution:1:75%"}, {"agent": "zoe"}, {"undone": 1}],
    )
    def test_not_one_that_was_never_sent(self, reply, escalation, office, more):
        case = reply("x", to=escalation(**more))
        assert answered_clocks(case, office, case.ticket) == set()

    def test_not_a_notification(self, reply, office):
        case = reply("x", to=office.message_id(1042, "notice:1042:7:bob"))
        assert answered_clocks(case, office, case.ticket) == set()

    def test_under_an_older_key_and_after_an_undo(self, reply, escalation, office, told, now):
        again = told.and_then(Event(now, "ann", "undone", "x", {"what": "assigned", "at": now.isoformat()}))
        rotated = replace(office, keys=(b"n" * 32, *office.keys))
        for desk, undone in ((office, 1), (rotated, 1), (office, 0)):
            case = reply("x", to=escalation(undone=undone, desk=desk), known=again)
            assert answered_clocks(case, rotated, case.ticket) == {("first_response", 1)}


class TestAnyReplyToIt:
    def test_it_goes_to_the_customer_and_takes_the_ticket_over(self, reply, escalation, office, now):
        decision = on_mail(reply("We are on it.", to=escalation(RESOLUTION)), office, now)
        assert {type(letter) for letter in decision.letters} == {RelayLetter}
        assert whats(decision) == ["agent_reply", "assigned", "taken_over"]
        event = decision.events[-1]
        assert (event.actor, event.data["clocks"]) == ("bob", [["resolution", 1]])
        assert event.because.endswith("; by a reply to an escalation mail")
        assert decision.because.endswith(event.because)
        assert decision.ticket.first_response_at is not None

    def test_of_another_clock_it_says_nothing(self, reply, escalation, office, now):
        decision = on_mail(reply("We are on it.", to=escalation()), office, now)
        assert whats(decision) == ["agent_reply", "assigned"]

    def test_a_note_does_too(self, reply, escalation, office, now):
        mail = {"to": (Address("", "ann@staff.example"),), "cc": (Address("", "csm@desk.example"),)}
        trust = Trust(Standing.AUTHENTICATED, "dmarc", "dmarc=pass")
        decision = on_mail(reply("You?", to=escalation(), purpose=None, trust=trust, mail=mail), office, now)
        assert whats(decision) == ["agent_note", "taken_over"]
        assert decision.ticket.assignee == "bob"
        assert decision.events[-1].data["clocks"] == [["first_response", 1]]
        assert decision.clocks

    def test_a_reply_to_a_notification_does_not(self, reply, office, now):
        decision = on_mail(reply("We are on it.", to=office.message_id(1042, "notice:1042:7:bob")), office, now)
        assert whats(decision) == ["agent_reply", "assigned"]

    @pytest.mark.parametrize(
        "more",
        [
            {"trust": UNKNOWN, "purpose": None},
            {"mail": {"origin": Origin.AUTOMATIC, "origin_because": "Auto-Submitted: auto-replied"}},
            {"mail": {"origin": Origin.BOUNCE}},
            {"mail": {"subject": "Out of office: back on Monday"}},
            {"purpose": Purpose.BOUNCE},
            {"purpose": Purpose.RELEASE},
        ],
    )
    def test_no_machine_and_nothing_unproven(self, reply, escalation, office, now, more):
        more = {**more, "mail": {"in_reply_to": (escalation(),), **more.get("mail", {})}}
        decision = on_mail(reply("I am away until Monday.", **more), office, now)
        assert "taken_over" not in whats(decision)
        assert decision.ticket is None or decision.ticket.assignee is None

    def test_a_command_that_was_not_done_does_not(self, reply, escalation, office, now):
        assert whats(on_mail(reply("#resolve", to=escalation()), office, now)) == ["agent_note"]

    def test_one_that_was_done_does(self, reply, escalation, office, now):
        decision = on_mail(reply("#requester dora@new.example", to=escalation()), office, now)
        assert whats(decision) == ["requester", "taken_over"]

    def test_twice_is_once(self, reply, escalation, office, now, told):
        first = on_mail(reply("One.", to=escalation(RESOLUTION)), office, now)
        known = told.and_then(*first.events)
        again = on_mail(reply("Two.", to=escalation(RESOLUTION), known=known, assignee="bob"), office, now)
        assert whats(again) == ["agent_reply"]

    def test_a_customer_s_does_not(self, reply, escalation, office, now):
        decision = on_mail(reply("Hm.", to=escalation(), sender=CAROL, purpose=Purpose.CUSTOMER), office, now)
        assert "taken_over" not in whats(decision)

    def test_one_that_opens_a_ticket_of_its_own_does_not(self, reply, escalation, office, now):
        stranger = replace(
            office, agents=(*office.agents, replace(office.agents[0], id="eve", address="eve@x.example"))
        )
        case = reply("Hm.", to=escalation(), sender=Address("", "eve@x.example"), purpose=Purpose.RELEASE)
        assert "taken_over" not in whats(on_mail(case, stranger, now))


class TestByTheWord:
    def test_nothing_is_mailed(self, reply, office, now):
        decision = on_mail(reply("#ack"), office, now)
        assert decision.letters == ()
        (event,) = decision.events
        assert (event.what, event.actor, event.data["message"]) == ("taken_over", "bob", 7)
        assert decision.ticket.assignee == "bob"
        assert decision.message.kind == "agent"
        assert decision.clocks

    def test_nobody_is_told_from_then_on(self, reply, office, now, told):
        decision = on_mail(reply("#ack"), office, now)
        known = Told((*told.events, *decision.events), tuple(clock for clock, _ in decision.clocks), told.sent)
        assert on_due(decision.ticket, known, (), office, now + timedelta(hours=9)).letters == ()

    @pytest.mark.parametrize("text", ["#ack on it", "#ACK: on it", "\n #ack  on it\n\n", "#ack \u202eon\x1bit"])
    def test_a_remark_on_its_line_is_a_note(self, reply, office, now, text):
        decision = on_mail(reply(text), office, now)
        assert decision.letters == ()
        assert whats(decision) == ["taken_over", "agent_note"]
        assert decision.events[1].because == "bob remarked, for the desk alone: on it"

    def test_words_below_are_a_note_and_their_writer_is_told_so(self, reply, office, now):
        decision = on_mail(reply("#ack\n\nlooking into it\nnow"), office, now)
        assert decision.events[1].because.endswith("for the desk alone: looking into it now")
        (letter,) = decision.letters
        assert isinstance(letter, WordLetter)
        assert letter.agent.address == "bob@staff.example"
        assert "nothing was sent to carol@acme.example" in letter.lines[1]

    def test_a_quote_of_ours_below_is_nobody_s_word(self, reply, office, now):
        decision = on_mail(reply(f"#ack\n\n{MARK}\nBREACH: late"), office, now)
        assert whats(decision) == ["taken_over"]
        assert decision.letters == ()

    def test_once_more_is_kept_and_not_answered(self, reply, office, now, told):
        first = on_mail(reply("#ack"), office, now)
        again = on_mail(reply("#ack", known=told.and_then(*first.events), assignee="bob"), office, now)
        assert again.letters == ()
        assert whats(again) == ["agent_note"]
        assert "acknowledged by bob already" in again.because

    def test_where_nothing_runs_he_is_told(self, reply, office, now, told):
        ended = told.and_then(
            Event(now, "ann", "agent_reply", "x", {"recipient": "carol@acme.example"}),
            Event(now, "ann", "status", "x", {"to": "resolved"}),
        )
        decision = on_mail(reply("#ack", known=ended), office, now)
        assert whats(decision) == ["agent_note"]
        assert "no clock of ticket 1042 runs" in decision.letters[0].lines[1]

    def test_with_another_command_neither_is_done(self, reply, office, now):
        decision = on_mail(reply("#ack\n#resolve"), office, now)
        assert whats(decision) == ["agent_note"]
        assert "Only one command" in decision.letters[0].lines[1]

    def test_a_customer_s_is_his_text(self, reply, office, now):
        decision = on_mail(reply("#ack", sender=CAROL, purpose=Purpose.CUSTOMER), office, now)
        assert {type(letter) for letter in decision.letters} == {NoticeLetter}
        assert decision.message.kind == "customer"
        assert acks(decision.ticket, decision.events) == ()

    def test_a_forged_one_is_held(self, reply, office, now):
        decision = on_mail(reply("#ack", trust=UNKNOWN, purpose=None), office, now)
        assert whats(decision) == ["held"]
        assert decision.ticket.assignee is None

    def test_an_agent_s_own_ticket_is_his_as_a_customer(self, reply, office, now):
        trust = Trust(Standing.AUTHENTICATED, "dmarc", "dmarc=pass")
        case = reply("#ack", trust=trust, purpose=None, requester=BOB, participants=(BOB.key,))
        assert on_mail(case, office, now).message.kind == "customer"
