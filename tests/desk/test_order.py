"""Commands by mail, and the change of a ticket's requester."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.desk import Decision, Refused, Requester, Told, on_command, on_mail
from maild.desk.order import WORDS, Order, attempted, orders
from maild.desk.requester import given_back
from maild.mail import Address, Origin
from maild.outbound.letters import NoticeLetter, RelayLetter, WordLetter
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose, mint
from maild.ticket import Event
from maild.trust import Standing, Trust

UNKNOWN = Trust(Standing.UNKNOWN, "", "nothing proves that the From is true")
DMARC = Trust(Standing.AUTHENTICATED, "dmarc", "dmarc=pass for staff.example")
TOKEN = Trust(Standing.TOKEN, "token", "our token came back")
ANN = Address("Ann", "ann@staff.example")
CAROL = Address("Carol", "carol@acme.example")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#requester c@x.example", [("requester", "c@x.example")]),
        ("\n\n  #Requester:  c@x.example \n\nHello", [("requester", "c@x.example")]),
        ("#requester c@x.example\n#resolve\nHello", [("requester", "c@x.example"), ("resolve", "")]),
        ("#note\n\n#resolve", [("note", "")]),
        ("#status", [("status", "")]),
        ("Hello\n#resolve", []),
        ("> #resolve", []),
        ("#1 thing", []),
        ("#resolved", []),
        ("#hashtag", []),
        ("#close-up", []),
        ("# resolve", []),
        ("", []),
    ],
)
def test_what_is_a_command(text, said):
    assert [(order.word, order.value) for order in orders(text)] == said


@pytest.mark.parametrize(
    ("text", "attempt"),
    [
        ("#requestor c@x.example", "#requestor"),
        ("#Resolved", "#Resolved"),
        ("#resolve:", "#resolve"),
        ("#internal this customer is a pain", "#internal"),
        ("##note pain", "##note"),
        ("#noteThis one is a pain", "#noteThis"),
        ("#close-up", "#close-up"),
        ("\n\n \u200b#Notiz", "#Notiz"),
        ("\uff03note", "\uff03note"),
        ("#\u00fcbergeben", "#\u00fcbergeben"),
        ("# resolve", "# resolve"),
        ("## Notes of today", "## Notes"),
        ("# Summary of the outage", ""),
        ("#1 priority", ""),
        ("# 1 priority", ""),
        ("#1234", ""),
        ("#", ""),
        ("#\nnote", ""),
        ("Hello\n#resolve", ""),
        ("> #resolve", ""),
        ("", ""),
    ],
)
def test_what_looks_like_a_command(text, attempt):
    assert attempted(text) == attempt


@given(st.text(alphabet="#requsto vl\n@.x>", max_size=80))
def test_reading_never_raises_and_ends_at_text(text):
    found = orders(text)
    assert all(order.word in WORDS for order in found)
    assert orders(f"Hello\n{text}") == ()
    assert orders(f"#undo\n{text}")[0] == Order("undo", "")


@pytest.fixture
def told(now):
    return Told((Event(now, "carol@acme.example", "opened", "x", {"severity": "normal"}),))


@pytest.fixture
def command(make_case, make_ticket, told):
    def make(text, *, sender=ANN, trust=TOKEN, purpose=Purpose.AGENT, mail=(), **ticket):
        bearer = sender.key if purpose else None
        return make_case(
            make_ticket(**ticket),
            mail={"from_": (sender,), "text": text, "new_text": text, **dict(mail)},
            trust=trust,
            placement=Placement(1042, Rung.TOKEN, "our token", bearer, purpose),
            told=told,
        )

    return make


def relayed(decision):
    return [letter for letter in decision.letters if isinstance(letter, RelayLetter)]


class TestByMail:
    @pytest.mark.parametrize(("trust", "purpose"), [(TOKEN, Purpose.AGENT), (DMARC, None)])
    def test_a_proven_agent_sets_the_requester(self, command, office, now, trust, purpose):
        case = command("#requester Dora <dora@new.example>\n\nsorry", trust=trust, purpose=purpose)
        decision = on_mail(case, office, now)
        assert decision.ticket.requester == Address("Dora", "dora@new.example")
        assert [event.what for event in decision.events] == ["requester"]
        assert decision.message.kind == "agent"
        assert decision.clocks
        (letter,) = decision.letters
        assert isinstance(letter, WordLetter)
        assert "ann made dora@new.example the requester" in letter.lines[0]
        assert "Nothing was sent to dora@new.example" in letter.lines[1]
        assert "#requester carol@acme.example" in letter.lines[2]
        assert mint(office.keys[0], 1042, "ann@staff.example", Purpose.AGENT) in letter.reply_to

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("#requester", "needs the customer's address"),
            ("#requester carol", "needs the customer's address"),
            ("#requester a@x.example b@x.example", "there are several"),
            ("#requester csm@desk.example", "address of the desk itself"),
            ("#requester bob@staff.example", "an agent's address"),
            ("#requester carol@acme.example", "is the requester of ticket 1042 already"),
            ("#requester a@x.example\n#resolve", "Only one command"),
            ("#resolve", "maild ticket resolve 1042"),
            ("#assign me", "maild ticket assign 1042 WHO"),
            ("#merge 7", "begin your reply with words of your own"),
            ("#note only for us", "#note is not understood"),
            ("#requestor a@x.example", "#requestor looks like a command, and is none"),
            ("##note she is slow", "put a line above it"),
        ],
    )
    def test_what_cannot_be_done_is_said_and_goes_nowhere(self, command, office, now, text, why):
        case = command(f"{text}\nHello Carol")
        decision = on_mail(case, office, now)
        assert decision.ticket == case.ticket
        assert decision.clocks is None
        (letter,) = decision.letters
        assert "Nothing was done" in letter.lines[0]
        assert why in " ".join(letter.lines)
        assert [event.what for event in decision.events] == ["agent_note"]

    def test_what_was_an_agent_s_own_is_taken_back_by_undo(self, command, office, now):
        case = command("#requester dora@new.example", requester=ANN, participants=("ann@staff.example",))
        (letter,) = on_mail(case, office, now).letters
        assert letter.lines[2] == "To take it back: maild ticket undo 1042"

    @pytest.mark.parametrize("text", ["#1 on our list: done", "Hello\n#resolve", "# Summary\nDone"])
    def test_text_is_relayed(self, command, office, now, text):
        (letter,) = on_mail(command(text), office, now).letters
        assert isinstance(letter, RelayLetter)

    @pytest.mark.parametrize(
        "changes",
        [
            {"trust": UNKNOWN, "purpose": None},
            {"purpose": Purpose.BOUNCE},
            {"purpose": Purpose.RELEASE},
            {"trust": DMARC, "purpose": Purpose.RELEASE},
            {"mail": {"origin": Origin.AUTOMATIC}},
            {"mail": {"to": (CAROL,), "cc": (Address("", "csm@desk.example"),)}, "trust": DMARC, "purpose": None},
        ],
    )
    def test_who_may_not_command_changes_nothing(self, command, office, now, changes):
        case = command("#requester dora@new.example", **changes)
        decision = on_mail(case, office, now)
        assert decision.ticket.requester == case.ticket.requester
        assert relayed(decision) == []

    @pytest.mark.parametrize("text", ["#requester dora@new.example", "#requestor", "# resolve"])
    def test_a_customer_s_command_is_text(self, command, office, now, text):
        case = command(text, sender=CAROL, purpose=Purpose.CUSTOMER)
        decision = on_mail(case, office, now)
        assert decision.ticket.requester.key == "carol@acme.example"
        assert decision.message.kind == "customer"
        assert {type(letter) for letter in decision.letters} == {NoticeLetter}

    @pytest.mark.parametrize(
        ("text", "purpose", "obeyed"),
        [
            ("#requester dora@new.example", Purpose.AGENT, True),
            ("#requester dora@new.example", None, True),
            ("#resolve", Purpose.AGENT, True),
            ("#resolve", None, False),
            ("#resolved", Purpose.AGENT, True),
            ("#resolved", None, False),
            ("I do not know.", Purpose.AGENT, False),
        ],
    )
    def test_an_agent_whose_own_ticket_it_is(self, command, office, now, text, purpose, obeyed):
        case = command(text, trust=DMARC, purpose=purpose, requester=ANN, participants=("ann@staff.example",))
        decision = on_mail(case, office, now)
        assert (decision.message.kind == "agent") is obeyed
        assert relayed(decision) == []


class TestRequester:
    def decide(self, office, ticket, told, now, to, actor="root"):
        return on_command(ticket, told, Requester(Address("", to)), office, actor, now)

    @pytest.mark.parametrize(
        "to", ["", "carol", "@x.example", "carol@", "a b@x.example", "a\n@x.example", f"{'a' * 250}@x.de"]
    )
    def test_what_is_no_address(self, office, make_ticket, told, now, to):
        refused = self.decide(office, make_ticket(), told, now, to)
        assert isinstance(refused, Refused)
        assert "write it as name@domain" in refused.because

    def test_the_policy_and_manager_of_the_new_customer_apply(self, office, make_ticket, told, now):
        decision = self.decide(office, make_ticket(), told, now, "Vip@acme.example")
        assert isinstance(decision, Decision)
        assert (decision.ticket.policy, decision.ticket.assignee) == ("gold", "ann")
        assert "judged by the policy gold from its start, no longer by the desk's own policy" in decision.because
        assert "ann has it, as the support manager of Vip" in decision.because
        back = self.decide(office, decision.ticket, told, now, "x@other.example")
        assert (back.ticket.policy, back.ticket.assignee) == ("", "ann")

    def test_a_manager_of_no_named_customer(self, office, make_ticket, told, now):
        office = replace(office, customers=(replace(office.customers[1], name=""),))
        decision = self.decide(office, make_ticket(), told, now, "vip@acme.example")
        assert "as the support manager of vip@acme.example" in decision.because

    @pytest.mark.parametrize(
        ("opened_by", "before", "stays"),
        [
            ("carol@acme.example", CAROL, True),
            ("ann", CAROL, False),
            ("ann@staff.example", ANN, False),
        ],
    )
    def test_who_stays_in_the_conversation(self, office, make_ticket, now, opened_by, before, stays):
        told = Told((Event(now, opened_by, "opened", "x", {"severity": "normal"}),))
        ticket = make_ticket(requester=before, participants=(before.key, "dora@new.example", "eve@new.example"))
        after = self.decide(office, ticket, told, now, "dora@new.example").ticket
        others = (before.key, "eve@new.example") if stays else ("eve@new.example",)
        assert after.participants == ("dora@new.example", *others)

    def test_one_who_wrote_later_stays_too(self, office, make_ticket, told, now):
        wrote = Event(now, "carol@acme.example", "customer_message", "x")
        told = Told((Event(now, "ann", "opened", "x", {"severity": "normal"}), wrote))
        after = self.decide(office, make_ticket(), told, now, "dora@new.example").ticket
        assert after.participants == ("dora@new.example", "carol@acme.example")

    def test_an_agent_becomes_no_customer_by_a_word(self, office, make_ticket, told, now):
        refused = self.decide(office, make_ticket(), told, now, "bob@staff.example")
        assert refused.because.startswith("bob@staff.example is an agent's address")

    @pytest.mark.parametrize(
        ("since", "why"),
        [((), ""), (("agent_note",), ""), (("agent_reply",), "words were exchanged with vip@acme.example")],
    )
    def test_it_is_taken_back_until_words_were_exchanged(self, office, make_ticket, told, now, since, why):
        ticket = make_ticket()
        decision = self.decide(office, ticket, told, now, "vip@acme.example")
        restored = given_back(decision.ticket, decision.events[0], [Event(now, "ann", what, "x") for what in since])
        assert why in restored if why else restored == ticket

    def test_it_is_not_taken_back_when_somebody_else_has_it(self, office, make_ticket, told, now):
        decision = self.decide(office, make_ticket(), told, now, "vip@acme.example")
        assert given_back(make_ticket(), decision.events[0], ()) == "its requester is carol@acme.example by now"

    def test_nobody_was_it_before(self, office, make_ticket, told, now):
        decision = self.decide(
            office, make_ticket(requester=Address("", ""), participants=()), told, now, "d@x.example"
        )
        assert "it was nobody" in decision.because
