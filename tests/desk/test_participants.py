"""Who takes part in a ticket, who gets a copy of the answers, and who never does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Copy, Refused, Told, on_command, on_failure, on_mail
from maild.desk.merge import Side
from maild.desk.participants import MOST, By, copied, has_room, is_ours, standings, unsendable
from maild.desk.undo import on_undo
from maild.mail import Address, Delivery, Origin
from maild.outbound.letters import NoticeLetter, RelayLetter, WordLetter
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.ticket import Event, Message, State
from maild.trust import Standing, Trust

CAROL, DORA, EVE = "carol@acme.example", "dora@acme.example", "eve@evil.example"
UNKNOWN = Trust(Standing.UNKNOWN, "", "nothing proves that the From is true")
TOKEN = Trust(Standing.TOKEN, "token", "our token came back")
ANN = (Address("Ann", "ann@staff.example"),)
BY_TOKEN = Placement(1042, Rung.TOKEN, "our token", "ann@staff.example", Purpose.AGENT)


def people(*addresses):
    return tuple(Address("", address) for address in addresses)


def added(now, address, by=By.AGENT, who="ann"):
    return Event(now, who, "participant_added", "x", {"address": address, "by": str(by)})


def removed(now, address):
    return Event(now, "ann", "participant_removed", "x", {"address": address})


def wrote(at, who, verified="dmarc", kind="customer", subject="checkout down", number=3):
    return Message(number, 1042, f"{number}@x", at, Address("", who), kind, verified, "x", subject, "t", "d", "b", ())


def notes(decision):
    return [note for letter in decision.letters[-1:] for note in letter.notes]


def by_word(decision):
    return {event.data["address"]: event.data["by"] for event in decision.events if event.what == "participant_added"}


def relays(decision):
    return [letter for letter in decision.letters if isinstance(letter, RelayLetter)]


OURS = (
    *("csm@desk.example", "SUPPORT@desk.example", "csm+whatever@desk.example", "plain@desk.example"),
    *("ann@staff.example", "Bob@Staff.Example", "ann+tag@staff.example"),
)


@pytest.mark.parametrize("address", OURS)
def test_the_desk_and_its_agents_never_take_part(address, office, make_case, make_ticket):
    assert is_ours(office, address)
    office = replace(office, desk=replace(office.desk, address="desk@desk.example"))
    assert is_ours(office, "Desk@desk.example")
    for ticket in (None, make_ticket()):
        decision = on_mail(make_case(ticket, mail={"cc": people(address)}), office, make_case().received.received_at)
        assert decision.ticket.participants == (CAROL,)
        assert "also_addressed" not in {event.what for event in decision.events}


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize(
    ("changes", "cc", "joins", "because"),
    [
        ({}, DORA, True, ""),
        ({"trust": TOKEN}, DORA, True, ""),
        ({}, "Dora@ACME.example", True, ""),
        ({}, EVE, False, "people of acme.example only"),
        ({}, "dora@sub.acme.example", False, "people of acme.example only"),
        ({"trust": UNKNOWN}, DORA, False, "nothing proves"),
        ({"trust": Trust(Standing.WEAK, "", "spf=pass alone")}, DORA, False, "nothing proves"),
        ({"mail": {"origin": Origin.BULK}}, DORA, False, ""),
        ({"mail": {"origin": Origin.AUTOMATIC}}, DORA, False, ""),
        ({}, "nobody", False, ""),
    ],
)
def test_whom_a_customer_brings_in(make_case, make_ticket, office, now, follows, changes, cc, joins, because):
    mail = {**changes.get("mail", {}), "cc": people(cc)}
    case = make_case(make_ticket() if follows else None, **{**changes, "mail": mail})
    decision = on_mail(case, office, now)
    assert decision.ticket.participants == ((CAROL, DORA) if joins else (CAROL,))
    assert by_word(decision) == ({DORA: "requester"} if joins else {})
    named = [event for event in decision.events if event.what == "also_addressed"]
    assert bool(named) is bool(because)
    said = [note for note in notes(decision) if note.startswith("Also addressed")]
    assert bool(said) is bool(because)
    if because:
        assert because in named[0].because
        assert named[0].data == {"addresses": [cc.lower()]}
        assert said == [f"Also addressed: {cc} (not taking part: {named[0].because.partition(': ')[2]})."]
    assert not relays(decision)


def test_a_public_provider_s_customer_brings_in_nobody(make_case, office, now):
    mail = {"from_": people("carol@gmail.com"), "cc": people("dora@gmail.com"), "to": people(CAROL)}
    decision = on_mail(make_case(mail=mail), office, now)
    assert decision.ticket.participants == ("carol@gmail.com",)
    assert notes(decision)[0].startswith(f"Also addressed: {CAROL}, dora@gmail.com (not taking part: gmail.com")


def test_a_colleague_joins_by_writing_and_brings_in_nobody(make_case, make_ticket, office, now):
    mail = {"from_": people(DORA), "cc": people("fred@acme.example", CAROL)}
    decision = on_mail(make_case(make_ticket(), mail=mail), office, now)
    assert decision.ticket.participants == (CAROL, DORA)
    assert by_word(decision) == {DORA: "writer"}
    assert "only the customer and the agents" in notes(decision)[0]


def test_a_colleague_without_proof_may_write_and_takes_nobody_s_place(make_case, make_ticket, office, now):
    decision = on_mail(make_case(make_ticket(), trust=UNKNOWN, mail={"from_": people(DORA)}), office, now)
    assert by_word(decision) == {DORA: "unproven"}
    assert decision.ticket.participants == (CAROL, DORA)


def test_whoever_writes_where_everyone_may_gets_no_copy(make_case, make_ticket, office, now):
    case = make_case(
        make_ticket(mailbox="plain@desk.example"), mailbox=office.mailboxes[1], mail={"from_": people(EVE)}
    )
    joined = on_mail(case, office, now)
    assert by_word(joined) == {EVE: "anybody"}
    after = on_mail(
        make_case(
            joined.ticket,
            trust=TOKEN,
            placement=BY_TOKEN,
            told=Told(joined.events),
            messages=(joined.message,),
            mail={"from_": ANN},
        ),
        office,
        now,
    )
    assert [letter.copy_to for letter in relays(after)] == [None]


def test_our_own_address_is_no_participant_even_as_a_writer(make_case, make_ticket, office, now):
    case = make_case(
        make_ticket(mailbox="plain@desk.example"),
        mailbox=office.mailboxes[1],
        mail={"from_": people("csm@desk.example")},
    )
    assert on_mail(case, office, now).ticket.participants == (CAROL,)


def test_an_agent_who_writes_as_a_customer_may_name_anybody(make_case, office, now):
    mail = {"from_": ANN, "cc": people(EVE)}
    assert on_mail(make_case(mail=mail), office, now).ticket.participants == ("ann@staff.example", EVE)
    unproven = on_mail(make_case(mail=mail, trust=UNKNOWN), office, now)
    assert unproven.ticket.participants == ("ann@staff.example",)


def test_there_are_ten_at_most(make_case, make_ticket, office, now):
    many = people(*(f"p{number}@acme.example" for number in range(14)))
    decision = on_mail(make_case(mail={"cc": many}), office, now)
    assert len(decision.ticket.participants) == 1 + MOST
    (note,) = (note for note in notes(decision) if "Also addressed" in note)
    assert note == (
        "Also addressed: p10@acme.example, p11@acme.example, p12@acme.example, p13@acme.example "
        "(not taking part: 10 take part already)."
    )
    full = make_case(decision.ticket, told=Told(decision.events), mail={"from_": people(DORA)})
    wrote_all_the_same = on_mail(full, office, now)
    assert wrote_all_the_same.message.kind == "customer"
    assert DORA not in wrote_all_the_same.ticket.participants


def test_a_line_names_ten_and_an_event_each_address_once(make_case, make_ticket, office, now):
    many = people(*(f"p{number}@{'long.' * 30}example" for number in range(14)))
    first = on_mail(make_case(mail={"cc": many}), office, now)
    (event,) = (event for event in first.events if event.what == "also_addressed")
    assert len(event.data["addresses"]) == 10
    assert "and 4 more" in notes(first)[0]
    again = on_mail(make_case(first.ticket, told=Told(first.events), mail={"cc": many[:10]}), office, now)
    assert "also_addressed" not in {event.what for event in again.events}
    assert "Also addressed" in notes(again)[0]


@given(st.lists(st.sampled_from(By), max_size=14))
def test_doubtful_ones_take_no_place_from_others(kinds):
    standing = {}
    for number, by in enumerate(kinds):
        if has_room(standing, by):
            standing[f"p{number}"] = by
    sure = [by for by in standing.values() if by not in {By.UNPROVEN, By.ANYBODY}]
    wanted = [by for by in kinds if by not in {By.UNPROVEN, By.ANYBODY}]
    assert len(sure) == min(len(wanted), MOST)
    assert len(standing) <= 2 * MOST


class TestReplyTo:
    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({}, False),
            ({"reply_to": people(EVE)}, True),
            ({"reply_to": people("help@acme.example")}, True),
            ({"reply_to": people("Carol@acme.example")}, False),
            ({"reply_to": people("csm+x@desk.example")}, False),
            ({"reply_to": people("nobody")}, False),
            ({"reply_to": people(EVE), "origin": Origin.BULK}, False),
            ({"reply_to": people(EVE), "from_fields": 2}, False),
        ],
    )
    def test_answers_go_to_the_customer_whatever_he_asks_for(self, make_case, office, now, changes, told):
        decision = on_mail(make_case(mail=changes), office, now)
        said = [note for note in notes(decision) if "Reply-To" in note]
        assert bool(said) is told
        if told:
            assert changes["reply_to"][0].key in said[0]
            assert "Replies go to carol@acme.example all the same" in said[0]
        messages = (wrote(now, CAROL),)
        case = make_case(decision.ticket, trust=TOKEN, placement=BY_TOKEN, messages=messages, mail={"from_": ANN})
        if decision.ticket.requester.key == CAROL and not changes.get("from_fields"):
            assert [letter.to.address for letter in relays(on_mail(case, office, now))] == [CAROL]


class TestCopies:
    @pytest.fixture
    def reply(self, make_case, make_ticket, office, now):
        def replied(*participants, messages=(), events=(), mail=None, office=office, **changes):
            ticket = make_ticket(participants=(CAROL, *participants), **changes)
            opened = Event(ticket.opened_at, CAROL, "opened", "new", {"severity": "normal"})
            case = make_case(
                ticket,
                trust=TOKEN,
                placement=BY_TOKEN,
                told=Told((opened, *events)),
                messages=messages,
                mail={"from_": ANN, **(mail or {})},
            )
            return on_mail(case, office, now + timedelta(hours=1))

        return replied

    @pytest.mark.parametrize(
        ("who", "by", "verified", "kind", "copy"),
        [
            (DORA, By.REQUESTER, None, "customer", False),
            (DORA, By.REQUESTER, "", "customer", False),
            (DORA, By.REQUESTER, "dmarc", "customer", True),
            (DORA, By.REQUESTER, "token", "customer", True),
            (DORA, By.REQUESTER, "dmarc", "unverified", False),
            (DORA, By.REQUESTER, "dmarc", "automatic", False),
            (DORA, By.WRITER, "dkim", "customer", True),
            (DORA, None, "dmarc", "customer", True),
            (DORA, None, None, "customer", False),
            (DORA, By.UNPROVEN, "", "customer", False),
            (DORA, By.UNPROVEN, "dmarc", "customer", True),
            (EVE, By.ANYBODY, "dmarc", "customer", False),
            (EVE, By.WRITER, "dmarc", "customer", False),
            (EVE, None, "dmarc", "customer", False),
            (EVE, By.AGENT, None, "customer", True),
            ("bob@staff.example", By.AGENT, "dmarc", "customer", False),
            ("csm@desk.example", By.AGENT, "dmarc", "customer", False),
            ('"odd one"@acme.example', By.AGENT, "dmarc", "customer", False),
        ],
    )
    def test_who_gets_one(self, reply, now, who, by, verified, kind, copy):
        messages = () if verified is None else (wrote(now, who, verified, kind),)
        events = (added(now, who, by),) if by else ()
        decision = reply(who, messages=messages, events=events)
        assert [letter.copy_to for letter in relays(decision)] == ([None, Address("", who)] if copy else [None])
        assert relays(decision)[0].cc == ((who,) if copy else ())

    def test_each_has_his_own_reply_to_and_return_path(self, reply, office, now):
        decision = reply(DORA, EVE, messages=(wrote(now, DORA),), events=(added(now, EVE),))
        own, *others = relays(decision)
        assert own.to == Address("Carol", CAROL)
        assert [letter.copy_to.address for letter in others] == [DORA, EVE]
        assert len({letter.key for letter in (own, *others)}) == 3
        assert {letter.message_id for letter in others} == {own.message_id}
        mailbox = office.mailboxes[0]
        for letter, reader in ((own, CAROL), (others[0], DORA), (others[1], EVE)):
            assert letter.reply_to == office.token_address(mailbox, 1042, reader, Purpose.CUSTOMER)
            assert letter.envelope_from == office.token_address(mailbox, 1042, reader, Purpose.BOUNCE)
            assert letter.cc == (DORA, EVE)
        event = decision.events[0]
        assert event.data["copied"] == [DORA, EVE]
        assert f"relayed to {CAROL}, copies to {DORA}, {EVE}" in event.because
        assert decision.ticket.first_response_at is not None

    def test_an_agent_names_more_in_his_reply(self, reply, office, now):
        cc = people("fred@partner.example", *OURS, CAROL.replace("carol", "x"), "nobody")
        decision = reply(DORA, mail={"cc": cc})
        assert decision.ticket.participants == (CAROL, DORA, "fred@partner.example", "x@acme.example")
        assert relays(decision)[0].cc == ("fred@partner.example", "x@acme.example")
        assert by_word(decision) == {"fred@partner.example": "agent", "x@acme.example": "agent"}
        assert "ann addressed" in decision.events[-1].because

    def test_whom_the_customer_named_the_agent_may_name_too(self, reply, now):
        decision = reply(DORA, mail={"cc": people(DORA)}, events=(added(now, DORA, By.REQUESTER, CAROL),))
        assert by_word(decision) == {DORA: "agent"}
        again = reply(DORA, mail={"cc": people(DORA)}, events=decision.events[-1:])
        assert (by_word(again), relays(again)[0].cc) == ({}, (DORA,))

    def test_an_eleventh_is_not_added_and_the_history_says_so(self, reply):
        many = tuple(f"p{number}@acme.example" for number in range(MOST))
        decision = reply(*many, mail={"cc": people(EVE)})
        assert decision.ticket.participants == (CAROL, *many)
        assert decision.events[-1].what == "also_addressed"
        assert "10 take part already" in decision.events[-1].because

    def test_a_direct_reply_names_participants_and_mails_nobody(self, reply):
        decision = reply(mail={"to": people(CAROL, EVE), "cc": people("csm@desk.example", "bob@staff.example")})
        assert decision.letters == ()
        assert decision.ticket.participants == (CAROL, EVE)
        assert decision.events[0].data["by"] == "direct"
        assert "copied" not in decision.events[0].data

    def test_a_word_among_colleagues_brings_in_nobody(self, make_case, make_ticket, office, now):
        mail = {"from_": ANN, "to": people("bob@staff.example"), "cc": people("csm@desk.example", EVE)}
        trust = Trust(Standing.AUTHENTICATED, "dmarc", "dmarc")
        decision = on_mail(make_case(make_ticket(), mail=mail, trust=trust), office, now)
        assert decision.ticket.participants == (CAROL,)

    def test_who_was_taken_out_is_not_copied_for_what_he_wrote_before(self, reply, now):
        later = now + timedelta(minutes=10)
        events = (added(now, DORA, By.WRITER), removed(later, DORA), added(later, DORA, By.REQUESTER))
        assert relays(reply(DORA, messages=(wrote(now, DORA),), events=events))[0].cc == ()
        again = wrote(later + timedelta(minutes=1), DORA)
        assert relays(reply(DORA, messages=(wrote(now, DORA), again), events=events))[0].cc == (DORA,)

    def test_an_address_that_tells_a_token_is_left_out(self, reply, office, now):
        teller = f"{office.agent_tokens(1042)[0]}@evil.example"
        decision = reply(teller, events=(added(now, teller),))
        assert [letter.cc for letter in relays(decision)] == [()]

    def test_the_reply_bears_the_customer_s_latest_tag(self, reply, now):
        said = (
            wrote(now, CAROL, subject="checkout down"),
            wrote(now, DORA, kind="automatic", subject="[ACME-1] Re: checkout down", number=4),
            wrote(now, EVE, kind="automatic", subject="[EVIL-1] Re: checkout down", number=5),
            wrote(now, CAROL, subject="[ACME-2] Re: checkout down [CSM #1042]", number=6),
            wrote(now, "daemon@acme.example", kind="bounce", subject="[ACME-3] failed", number=7),
        )
        assert [letter.subject for letter in relays(reply(messages=said))] == ["checkout down [ACME-2]"]
        assert [letter.subject for letter in relays(reply(messages=said[:2]))] == ["checkout down [ACME-1]"]
        assert [letter.subject for letter in relays(reply(messages=()))] == ["checkout down"]


class TestByHand:
    @pytest.fixture
    def command(self, make_ticket, office, now):
        def commanded(to, *participants, remove=False, events=()):
            ticket = make_ticket(participants=(CAROL, *participants))
            return on_command(ticket, Told(events), Copy(to, remove), office, "root", now)

        return commanded

    def test_somebody_is_let_in_and_taken_out(self, command, now):
        done = command(" Eve@evil.example ")
        assert done.ticket.participants == (CAROL, EVE)
        (event,) = done.events
        assert (event.actor, event.what) == ("root", "participant_added")
        assert (event.data["address"], event.data["by"]) == (EVE, "agent")
        assert standings(done.ticket, done.events) == {EVE: By.AGENT}
        out = command(EVE, EVE, remove=True, events=done.events)
        assert out.ticket.participants == (CAROL,)
        assert out.events[0].what == "participant_removed"
        assert done.letters == out.letters == ()

    @pytest.mark.parametrize(
        ("to", "participants", "remove", "why"),
        [
            (CAROL, (), False, "is the customer"),
            (CAROL, (), True, "is the customer"),
            ("csm+x@desk.example", (), False, "of the desk or of an agent"),
            ("bob@staff.example", (), False, "of the desk or of an agent"),
            ("nobody", (), False, "name@domain"),
            ("a b@x.example", (), False, "name@domain"),
            (DORA, (DORA,), False, "gets copies of ticket 1042 already"),
            (EVE, tuple(f"p{number}@acme.example" for number in range(MOST)), False, "10 take part"),
            (EVE, (), True, "only its customer"),
            (EVE, (DORA,), True, f"those who do: {DORA}"),
        ],
    )
    def test_what_is_refused(self, command, now, to, participants, remove, why):
        done = command(to, *participants, remove=remove, events=(added(now, DORA),))
        assert isinstance(done, Refused)
        assert why in done.because

    def test_whom_the_customer_named_gets_copies_by_a_person_s_word(self, command, now):
        done = command(DORA, DORA, events=(added(now, DORA, By.REQUESTER, CAROL),))
        assert done.ticket.participants == (CAROL, DORA)
        assert standings(done.ticket, done.events) == {DORA: By.AGENT}

    def test_what_an_operator_said_is_undone(self, command, make_ticket, office, now):
        def undo(ticket, *events):
            (decision,) = on_undo(Side(ticket, Told(events)), None, {}, office, "root", now)
            return decision

        done = command(EVE)
        taken_back = undo(done.ticket, *done.events)
        assert taken_back.ticket.participants == (CAROL,)
        out = command(EVE, EVE, remove=True, events=done.events)
        back = undo(out.ticket, *done.events, *out.events)
        assert back.ticket.participants == (CAROL, EVE)
        assert standings(back.ticket, (*done.events, *out.events, *back.events)) == {EVE: By.AGENT}
        raised = command(DORA, DORA)
        before = undo(raised.ticket, *raised.events)
        assert before.ticket.participants == (CAROL, DORA)
        assert standings(before.ticket, (*raised.events, *before.events)) == {DORA: By.WRITER}

    def test_what_came_between_is_not_undone(self, command, make_ticket, office, now):
        done, out = command(EVE), command(EVE, EVE, remove=True)
        hers = make_ticket(requester=Address("", EVE), participants=(EVE,))
        for ticket, event in ((make_ticket(), done.events[0]), (hers, done.events[0]), (done.ticket, out.events[0])):
            refused = on_undo(Side(ticket, Told((event,))), None, {}, office, "root", now)
            assert isinstance(refused, Refused)

    def test_who_was_taken_out_is_not_copied_by_an_older_word(self, command, make_ticket, now):
        done = command(EVE)
        out = command(EVE, EVE, remove=True, events=done.events)
        ticket = make_ticket(participants=(CAROL, EVE))
        assert standings(ticket, (*done.events, *out.events)) == {EVE: By.WRITER}


class TestBounces:
    REF = "r1@desk.example"

    @pytest.fixture
    def bounced(self, make_case, make_ticket, office, now):
        reply = Event(now, "ann", "agent_reply", "x", {"ref": self.REF, "by": "relay", "copied": [DORA]})
        opened = Event(now - timedelta(hours=1), CAROL, "opened", "x", {"severity": "normal"})

        def bounce(bearer, of, ref=self.REF, action="failed", days=0, mailbox="csm@desk.example", rcpt=None, null=True):
            ticket = make_ticket(state=State.OPEN, first_response_at=now, first_response_evidence="x", mailbox=mailbox)
            mail = {
                "origin": Origin.BOUNCE,
                "from_": people("mailer-daemon@acme.example"),
                "delivery": (Delivery(of, action, "5.1.1", "550 gone", ref),),
            }
            case = make_case(ticket, mail=mail, told=Told((opened, reply)))
            address = rcpt or office.token_address(office.mailboxes[0], 1042, bearer, Purpose.BOUNCE)
            at = now + timedelta(days=days, minutes=1)
            received = replace(case.received, rcpt=address, mail_from="" if null else EVE, received_at=at)
            return on_mail(replace(case, received=received), office, at)

        return bounce

    @pytest.mark.parametrize("ref", [REF, "", "0100019@email.amazonses.com"])
    @pytest.mark.parametrize("of", [DORA, "", "elsewhere@acme.example"])
    def test_a_copy_that_failed_un_counts_nothing(self, bounced, now, ref, of):
        decision = bounced(DORA, of, ref)
        assert decision.ticket.first_response_at == now
        assert [event.what for event in decision.events] == ["not_delivered"]
        assert decision.failed == (DORA,)
        (letter,) = decision.letters
        assert isinstance(letter, WordLetter)
        assert "Your reply to the customer counts" in letter.lines[0]
        assert decision.message.kind == "bounce"

    def test_the_customer_s_own_does(self, bounced):
        decision = bounced(CAROL, CAROL)
        assert decision.ticket.first_response_at is None
        assert decision.failed == (CAROL,)

    @pytest.mark.parametrize(
        "changes",
        [
            {"action": "delayed"},
            {"days": 8},
            {"bearer": EVE},
            {"rcpt": "csm@desk.example"},
            {"rcpt": "elsewhere@other.example"},
            {"mailbox": "plain@desk.example", "rcpt": "plain@desk.example", "null": False},
            {"mailbox": "plain@desk.example", "rcpt": "plain@desk.example", "ref": "other@x"},
        ],
    )
    def test_other_reports_speak_of_no_copy(self, bounced, now, changes):
        decision = bounced(**{"bearer": DORA, "of": DORA, **changes})
        assert decision.ticket.first_response_at == now
        assert decision.failed == ()

    def test_who_was_copied_and_is_the_customer_now_un_counts_his_own(self, make_case, make_ticket, office, now):
        opened = Event(now - timedelta(hours=1), CAROL, "opened", "x", {"severity": "normal"})
        copied = Event(
            now, "ann", "agent_reply", "x", {"ref": self.REF, "by": "relay", "recipient": CAROL, "copied": [DORA]}
        )
        later = Event(now, "ann", "agent_reply", "x", {"ref": "r2@x", "by": "relay", "recipient": DORA})
        ticket = make_ticket(requester=Address("", DORA), state=State.OPEN, first_response_at=now)
        for ref in ("r2@x", ""):
            mail = {"origin": Origin.BOUNCE, "delivery": (Delivery(DORA, "failed", "5.1.1", "550 gone", ref),)}
            case = make_case(ticket, mail=mail, told=Told((opened, copied, later)))
            back = office.token_address(office.mailboxes[0], 1042, DORA, Purpose.BOUNCE)
            decision = on_mail(replace(case, received=replace(case.received, rcpt=back, mail_from="")), office, now)
            assert "bounce" in {event.what for event in decision.events}

    def test_without_sub_addresses_the_report_says_whose_it_is(self, bounced, now):
        decision = bounced(DORA, "Dora@acme.example", mailbox="plain@desk.example", rcpt="plain@desk.example")
        assert (decision.failed, decision.ticket.first_response_at) == ((DORA,), now)

    def test_the_smarthost_s_refusal_of_a_copy_un_counts_nothing(self, make_ticket, office, now):
        reply = Event(now, "ann", "agent_reply", "x", {"ref": self.REF, "by": "relay", "copied": [DORA]})
        ticket = make_ticket(first_response_at=now, first_response_evidence="x")
        report = Delivery(DORA, "failed", "", "550 gone", self.REF)
        decision = on_failure(ticket, Told((reply,)), report, now, office, now)
        assert (decision.ticket.first_response_at, decision.failed) == (now, (DORA,))
        assert "550 gone" in decision.letters[0].lines[1]


class TestTakeover:
    def test_who_copies_himself_into_a_forged_mail_takes_no_part(self, make_case, make_ticket, office, now):
        ticket = make_ticket()
        forged = on_mail(make_case(ticket, trust=UNKNOWN, mail={"cc": people(EVE)}), office, now)
        assert forged.ticket.participants == (CAROL,)
        case = make_case(forged.ticket, number=1043, mail={"from_": people(EVE)}, told=Told(forged.events))
        apart = on_mail(case, office, now)
        assert apart.ticket.number == 1043
        notice = next(letter for letter in apart.letters if isinstance(letter, NoticeLetter))
        assert any("opened apart" in note for note in notice.notes)

    def test_a_failed_dmarc_names_nobody(self, make_case, make_ticket, office, now):
        failed = Trust(Standing.FAILED, "", "dmarc=fail for acme.example")
        for ticket in (None, make_ticket()):
            decision = on_mail(make_case(ticket, trust=failed, mail={"cc": people(DORA)}), office, now)
            assert decision.ticket.participants == (CAROL,)


EVERYBODY = (CAROL, DORA, EVE, "fred@acme.example", "carol@gmail.com", *OURS)
MAILS = st.tuples(
    st.sampled_from(EVERYBODY),
    st.lists(st.sampled_from(EVERYBODY) | st.integers(0, 20).map("p{}@acme.example".format), max_size=6),
    st.sampled_from([UNKNOWN, TOKEN, Trust(Standing.AUTHENTICATED, "dmarc", "x"), Trust(Standing.FAILED, "", "x")]),
    st.sampled_from([Origin.PERSON, Origin.PERSON, Origin.BULK]),
    st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(MAILS, max_size=8))
def test_whatever_comes_copies_go_to_the_proven_and_the_named_only(make_case, make_ticket, office, now, mails):
    ticket, told, messages = make_ticket(), Told(), ()
    proven, named = set(), set()
    for number, (sender, cc, trust, origin, everyone) in enumerate(mails):
        agent = office.agent_of(Address("", sender))
        case = make_case(
            replace(ticket, mailbox=office.mailboxes[everyone].address),
            number=2000 + number,
            trust=trust,
            told=told,
            messages=messages,
            placement=replace(BY_TOKEN, bearer=sender, purpose=Purpose.AGENT if agent else Purpose.CUSTOMER),
            mailbox=office.mailboxes[everyone],
            mail={"from_": people(sender), "cc": people(*cc), "origin": origin, "message_id": f"{number}@x"},
        )
        at = now + timedelta(minutes=number + 1)
        received = replace(case.received, id=number + 10, received_at=at)
        decision = on_mail(replace(case, received=received), office, at)
        if decision.ticket is None or decision.ticket.number != 1042:
            continue
        before, ticket = ticket, decision.ticket
        told = told.and_then(*decision.events)
        messages = (*messages, *((decision.message,) if decision.message else ()))
        sure = trust.proven and origin is Origin.PERSON
        proven |= {sender} if sure else set()
        named |= set(cc) if sure and agent else set()
        assert set(ticket.participants) - set(before.participants) <= {sender, *(cc if sure else ())}
        assert not any(is_ours(office, address) for address in ticket.participants)
        assert len(ticket.participants) <= 1 + 2 * MOST
        readers = set(copied(ticket, messages, told.events, office))
        assert readers <= (proven | named) & set(ticket.participants) - {CAROL}
        assert len(readers) <= MOST
        assert EVE not in readers - named
        assert {letter.to.address for letter in relays(decision)} <= {CAROL}


def test_what_cannot_be_sent_to_has_a_reason():
    assert unsendable("a@b.example") == ""
    assert "no address" in unsendable("a@b@c d")
