"""An agent's forwarded mail: for whom the ticket is opened, and who is told."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Told, on_mail
from maild.desk.decision import history
from maild.ingest.forwarded import Forwarded
from maild.mail import Address, Attachment, Origin
from maild.outbound.letters import AckLetter, HeldLetter, NoticeLetter, RelayLetter, WordLetter
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose, mint
from maild.ticket import Event, Message, State
from maild.trust import Standing, Trust

UNKNOWN = Trust(Standing.UNKNOWN, "", "nothing proves that the From is true")
FAILED = Trust(Standing.FAILED, "", "dmarc=fail for staff.example")
DMARC = Trust(Standing.AUTHENTICATED, "dmarc", "dmarc=pass for staff.example")
ANN = Address("Ann", "ann@staff.example")
CAROL = Address("Carol", "carol@acme.example")
LOG = Attachment("a.txt", "text/plain", b"x", "0" * 64, inline=False, content_id="")
FORWARDED = Forwarded(
    sender=CAROL,
    subject="checkout down",
    at=None,
    text="Nobody can pay.\n\nOn Mon, 9 Mar 2026 at 10:00, Bob <bob@staff.example> wrote:\n> older\n> words",
    html=None,
    message_id="orig@acme.example",
    attachments=(LOG,),
    own_words="Bob, please.\n\nShe is important.",
    how="inline",
    because="the header block names carol@acme.example",
)


@pytest.fixture
def forward(make_case):
    def make(ticket=None, mail=None, **changes):
        values = {
            "from_": (ANN,),
            "subject": "Fwd: checkout down",
            "text": "Bob, please.\n\nFrom: ...",
            "message_id": "f1@staff.example",
            "references": ("root@acme.example", "orig@acme.example"),
            **(mail or {}),
        }
        return make_case(ticket, **{"mail": values, "trust": DMARC, "forwarded": FORWARDED, **changes})

    return make


def whats(decision):
    return [event.what for event in decision.events]


def to_customers(decision):
    return [letter for letter in decision.letters if isinstance(letter, AckLetter | RelayLetter)]


class TestProven:
    def test_the_ticket_is_the_customer_s(self, forward, office, now):
        decision = on_mail(forward(), office, now)
        ticket = decision.ticket
        assert (ticket.requester, ticket.participants) == (CAROL, ("carol@acme.example",))
        assert (ticket.subject, ticket.state, ticket.opened_by) == ("checkout down", State.NEW, "agent")
        assert "ann forwarded it (dmarc=pass for staff.example)" in decision.because
        assert to_customers(decision) == []
        assert decision.party is None

    def test_no_first_response_is_owed_before_the_customer_writes(self, forward, office, now):
        decision = on_mail(forward(), office, now)
        assert [str(clock.metric) for clock, _ in decision.clocks] == ["resolution"]
        assert [event.kind for event in history(decision.ticket, decision.events).events] == ["agent_note"]

    def test_her_words_are_the_message_and_his_are_a_note(self, forward, office, now):
        decision = on_mail(forward(), office, now)
        message = decision.message
        assert (message.kind, message.sender, message.verified) == ("customer", CAROL, "")
        assert (message.message_id, message.text, message.base_subject) == (
            "orig@acme.example",
            "Nobody can pay.",
            "checkout down",
        )
        assert "ann forwarded it" in message.placed_because
        assert whats(decision) == ["opened", "agent_note", "not_acknowledged"]
        note = decision.events[1]
        assert (note.actor, "Bob, please." in note.because) == ("ann", True)

    def test_what_names_her_mail_will_find_it(self, forward, office, now):
        references = on_mail(forward(), office, now).references
        assert ("f1@staff.example", 1042, "seen") in references
        assert ("orig@acme.example", 1042, "named") in references
        assert ("root@acme.example", 1042, "named") in references
        nameless = forward(mail={"message_id": ""}, forwarded=replace(FORWARDED, message_id=""))
        assert {kind for _, _, kind in on_mail(nameless, office, now).references} == {"named", "own"}

    def test_the_team_is_told_and_so_is_whoever_forwarded_it(self, forward, office, now):
        letters = on_mail(forward(), office, now).letters
        assert [letter.agent_id for letter in letters] == ["ann", "bob"]
        for letter in letters:
            assert isinstance(letter, NoticeLetter)
            assert (letter.verified, letter.mail.from_, letter.mail.attachments) == ("", (CAROL,), (LOG,))
            assert (letter.forwarded_by, letter.ticket.requester) == ("Ann", CAROL)
            assert "Nothing was sent to the customer" in letter.notes[0]
            assert "ann forwarded it" in letter.placed_because
            assert letter.notes[-2:] == ("Bob, please.", "She is important.")

    def test_when_it_was_written_is_told_where_it_is_known(self, forward, office, now):
        letter = on_mail(forward(forwarded=replace(FORWARDED, at=now)), office, now).letters[0]
        assert letter.notes[1] == "Written at 2026-03-11 09:00 UTC, says its Date."

    def test_a_forwarder_outside_the_team_is_told_too(self, forward, office, now):
        office = replace(office, mailboxes=(replace(office.mailboxes[0], team=("bob",)), *office.mailboxes[1:]))
        assert [letter.agent_id for letter in on_mail(forward(), office, now).letters] == ["bob", "ann"]

    @pytest.mark.parametrize(
        ("sender", "assignee", "policy"),
        [("carol@acme.example", None, ""), ("vip@acme.example", "ann", "gold"), ("x@other.example", None, "")],
    )
    def test_policy_and_manager_are_the_customer_s(self, forward, office, now, sender, assignee, policy):
        case = forward(forwarded=replace(FORWARDED, sender=Address("", sender)))
        ticket = on_mail(case, office, now).ticket
        assert (ticket.assignee, ticket.policy) == (assignee, policy)

    def test_many_own_words_are_cut_in_the_notification(self, forward, office, now):
        words = "\n".join(f"line {number}" for number in range(40))
        letter = on_mail(forward(forwarded=replace(FORWARDED, own_words=words)), office, now).letters[0]
        assert letter.notes[-2:] == ("line 11", "[...]")

    def test_no_own_words_are_no_note(self, forward, office, now):
        decision = on_mail(forward(forwarded=replace(FORWARDED, own_words="")), office, now)
        assert whats(decision) == ["opened", "not_acknowledged"]
        assert len(decision.letters[0].notes) == 1

    @pytest.mark.parametrize(
        ("of", "subject", "shown"), [("[CSM #9]", "Fwd: x [CSM #9]", "Fwd: x"), ("", "[CSM #9]", "(no subject)")]
    )
    def test_the_subject_is_never_empty(self, forward, office, now, of, subject, shown):
        case = forward(mail={"subject": subject}, forwarded=replace(FORWARDED, subject=of))
        assert on_mail(case, office, now).ticket.subject == shown


class TestNotCertain:
    @pytest.fixture
    def case(self, forward):
        return forward(forwarded=replace(FORWARDED, sender=None, because="its header block names nobody"))

    def test_the_agent_is_asked_and_has_it_meanwhile(self, case, office, now):
        decision = on_mail(case, office, now)
        ticket = decision.ticket
        assert (ticket.requester.key, ticket.participants) == ("ann@staff.example", ("ann@staff.example",))
        assert (ticket.subject, ticket.opened_by) == ("checkout down", "agent")
        question, notice = decision.letters
        assert isinstance(question, WordLetter)
        assert question.agent.address == "ann@staff.example"
        assert "#requester" in question.lines[-1]
        assert mint(office.keys[0], 1042, "ann@staff.example", Purpose.AGENT) in question.reply_to
        assert (notice.agent_id, "was asked for whom" in notice.notes[0]) == ("bob", True)
        assert decision.message.kind == "agent"

    @pytest.mark.parametrize(
        "address", ["jürgen@bücher.example", "ann+x@staff.example", "csm+abc@desk.example", "support@desk.example"]
    )
    def test_a_sender_who_cannot_be_answered_is_asked_about(self, forward, office, now, address):
        decision = on_mail(forward(forwarded=replace(FORWARDED, sender=Address("", address))), office, now)
        assert decision.ticket.requester.key == "ann@staff.example"
        assert address in decision.because

    def test_nothing_of_the_customer_s_words_is_lost(self, case, office, now):
        assert "Nobody can pay." in on_mail(case, office, now).letters[0].quote
        bare = replace(case, forwarded=replace(case.forwarded, text=""))
        assert on_mail(bare, office, now).letters[0].quote == case.mail.new_text


class TestUnproven:
    @pytest.mark.parametrize("trust", [UNKNOWN, FAILED])
    @pytest.mark.parametrize("sender", [CAROL, None])
    def test_it_is_opened_for_nobody_it_names(self, forward, office, now, trust, sender):
        case = forward(trust=trust, forwarded=replace(FORWARDED, sender=sender))
        decision = on_mail(case, office, now)
        assert decision.ticket.requester.key == "ann@staff.example"
        assert decision.ticket.participants == ("ann@staff.example",)
        assert to_customers(decision) == []
        assert "held" in whats(decision)
        assert "it was opened for nobody else" in decision.because
        (held,) = [letter for letter in decision.letters if isinstance(letter, HeldLetter)]
        assert held.agent.address == "ann@staff.example"
        assert held.offer.startswith("#requester ")
        assert ("carol@acme.example" in held.offer) is (sender is not None)

    def test_nothing_is_offered_where_no_token_comes_back(self, forward, office, now):
        decision = on_mail(forward(trust=UNKNOWN, mailbox=office.mailboxes[1]), office, now)
        (held,) = [letter for letter in decision.letters if isinstance(letter, HeldLetter)]
        assert held.offer == ""

    def test_whoever_forges_it_does_not_flood_the_agent(self, forward, office, now):
        decision = on_mail(forward(trust=UNKNOWN, asked=10), office, now)
        assert HeldLetter not in {type(letter) for letter in decision.letters}
        assert decision.ticket is not None

    def test_a_desk_that_needs_tokens_believes_no_dmarc(self, forward, office, now):
        decision = on_mail(forward(), replace(office, agents_need="token"), now)
        assert decision.ticket.requester.key == "ann@staff.example"


addresses = st.one_of(
    st.none(),
    st.sampled_from(
        ["carol@acme.example", "vip@acme.example", "ann@staff.example", "csm@desk.example", "", "x", "a@b"]
    ),
    st.text(alphabet="a@.b>\n ", max_size=12),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    addresses,
    st.sampled_from([DMARC, UNKNOWN, FAILED]),
    st.text(max_size=60),
    st.sampled_from(["participants", "everyone"]),
)
def test_nobody_is_mailed_for_having_been_named(forward, office, now, address, trust, text, admit):
    sender = None if address is None else Address("", address)
    case = forward(trust=trust, forwarded=replace(FORWARDED, sender=sender, text=text, own_words=text))
    case = replace(case, mailbox=replace(case.mailbox, admit=admit))
    decision = on_mail(case, office, now)
    ours = {agent.address for agent in office.agents}
    for letter in decision.letters:
        told = letter.to if isinstance(letter, AckLetter) else letter.agent
        assert told.address in ours
    assert trust is DMARC or decision.ticket.requester.key == "ann@staff.example"
    assert decision.message is not None
    assert decision.message.ticket == decision.ticket.number


class TestOthers:
    def test_a_customer_s_forward_is_his_own_mail(self, forward, office, now):
        decision = on_mail(forward(mail={"from_": (CAROL,)}), office, now)
        assert (decision.ticket.requester, decision.ticket.opened_by) == (CAROL, "customer")

    @pytest.mark.parametrize("changes", [{"forwarded": None}, {"mail": {"from_": (ANN,), "origin": Origin.BULK}}])
    def test_an_agent_s_other_mail_is_as_before(self, forward, office, now, changes):
        assert on_mail(forward(**changes), office, now).ticket.requester.key == "ann@staff.example"

    def test_a_forward_of_a_known_mail_is_a_word_among_ourselves(self, forward, make_ticket, office, now):
        decision = on_mail(forward(make_ticket()), office, now)
        assert to_customers(decision) == []
        assert decision.message.kind == "agent"
        assert "forwards a mail of a ticket that is there already" in decision.because

    def test_the_relay_names_no_mail_of_an_agent_s(self, make_case, make_ticket, office, now):
        def said(number, msgid, sender):
            return Message(number, 1042, msgid, now, sender, "customer", "", "", "s", "t", "", "", ())

        placement = Placement(1042, Rung.TOKEN, "our token", "bob@staff.example", Purpose.AGENT)
        mail = {"from_": (Address("Bob", "bob@staff.example"),), "text": "Hello.", "new_text": "Hello."}
        case = make_case(make_ticket(), mail=mail, placement=placement, trust=DMARC)
        case = replace(case, told=Told((Event(now, "ann", "opened", "x", {"severity": "normal"}),)))
        asked = (said(1, "f1@staff.example", ANN), said(2, "c1@acme.example", CAROL))
        (letter,) = on_mail(replace(case, messages=asked), office, now).letters
        assert (letter.in_reply_to, letter.references) == ("c1@acme.example", ("c1@acme.example",))
        (letter,) = on_mail(replace(case, messages=asked[:1]), office, now).letters
        assert (letter.in_reply_to, letter.references) == ("", ())
