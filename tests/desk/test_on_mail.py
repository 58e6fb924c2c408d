from dataclasses import replace
from datetime import timedelta

import pytest

from maild.desk import Told, on_failure, on_mail
from maild.mail import Address, Attachment, Delivery, Origin
from maild.outbound.letters import AckLetter, HeldLetter, NoticeLetter, RelayLetter, WordLetter
from maild.outbound.mark import MARK
from maild.sla.clock import ClockState
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.ticket import Event, Message, Severity, State
from maild.trust import Standing, Trust

UNKNOWN = Trust(Standing.UNKNOWN, "", "nothing proves that the From is true")
FAILED = Trust(Standing.FAILED, "", "dmarc=fail for acme.example")
TOKEN = Trust(Standing.TOKEN, "token", "our token came back")
ANN = {"from_": (Address("Ann", "ann@staff.example"),)}
BY_ID = Placement(1042, Rung.STORED_ID, "it answers")
BY_TOKEN = Placement(1042, Rung.TOKEN, "our token", "ann@staff.example", Purpose.AGENT)


def kinds(decision):
    return [type(letter) for letter in decision.letters]


def whats(decision):
    return [event.what for event in decision.events]


def opened(ticket):
    return Event(ticket.opened_at, "carol@acme.example", "opened", "new", {"severity": "normal"})


def an_attachment():
    return Attachment("a.txt", "text/plain", b"x", "0" * 64, inline=False, content_id="")


class TestOpening:
    def test_a_customer_s_mail_opens_a_ticket_with_running_clocks(self, make_case, office, now):
        decision = on_mail(make_case(), office, now)
        ticket = decision.ticket
        assert (ticket.number, ticket.state, ticket.requester.address) == (1042, State.NEW, "carol@acme.example")
        assert ticket.participants == ("carol@acme.example",)
        assert [clock.state for clock, _ in decision.clocks] == [ClockState.RUNNING] * 2
        assert all(next_at > now for _, next_at in decision.clocks)
        assert kinds(decision) == [AckLetter, NoticeLetter, NoticeLetter]
        assert whats(decision) == ["opened", "acknowledged"]
        assert ("m1@client.example", 1042, "seen") in decision.references
        assert "opens ticket 1042" in decision.because

    def test_the_acknowledgement_promises_the_limit(self, make_case, office, now):
        (ack, *_), clocks = on_mail(make_case(), office, now).letters, on_mail(make_case(), office, now).clocks
        assert ack.answer_by == clocks[0][0].limit_at
        assert ack.echo_subject

    @pytest.mark.parametrize(
        ("changes", "to", "acked"),
        [
            ({}, "authenticated", True),
            ({"trust": UNKNOWN}, "authenticated", False),
            ({"trust": UNKNOWN, "known": True}, "authenticated", False),
            ({"trust": UNKNOWN}, "known", False),
            ({"trust": UNKNOWN, "known": True}, "known", True),
            ({"trust": UNKNOWN}, "everyone", True),
            ({"trust": FAILED, "known": True}, "everyone", False),
            ({"mail": {"origin": Origin.BULK}}, "everyone", False),
            (
                {"mail": {"origin": Origin.AUTOMATIC, "headers": (("Auto-Submitted", "auto-generated"),)}},
                "everyone",
                False,
            ),
            ({"mail": {"from_fields": 2}}, "everyone", False),
            ({"acks": (3, 3, 0)}, "everyone", False),
            ({"acks": (0, 10, 0)}, "everyone", False),
            ({"acks": (0, 0, 60)}, "everyone", False),
        ],
    )
    def test_who_is_acknowledged(self, make_case, office, now, changes, to, acked):
        office = replace(office, ack=replace(office.ack, to=to))
        decision = on_mail(make_case(**changes), office, now)
        assert (AckLetter in kinds(decision)) is acked
        assert whats(decision)[-1] == ("acknowledged" if acked else "not_acknowledged")
        if not acked:
            notice = next(letter for letter in decision.letters if isinstance(letter, NoticeLetter))
            assert "No acknowledgement" in notice.notes[-1]

    def test_an_address_of_ours_is_not_acknowledged(self, make_case, office, now):
        decision = on_mail(make_case(mail={"from_": (Address("", "csm+x@desk.example"),)}), office, now)
        assert AckLetter not in kinds(decision)
        assert "address of the desk itself" in decision.events[-1].because

    def test_a_mail_from_the_null_reverse_path_is_not_acknowledged(self, make_case, office, now):
        case = make_case()
        decision = on_mail(replace(case, received=replace(case.received, mail_from="")), office, now)
        assert AckLetter not in kinds(decision)

    def test_the_merely_known_do_not_get_their_subject_back(self, make_case, office, now):
        (ack, *_) = on_mail(make_case(trust=UNKNOWN, known=True), office, now).letters
        assert not ack.echo_subject

    def test_a_customer_with_a_manager_and_a_policy(self, make_case, office, now):
        decision = on_mail(make_case(mail={"from_": (Address("", "vip@acme.example"),)}), office, now)
        assert (decision.ticket.assignee, decision.ticket.policy) == ("ann", "gold")

    def test_an_assignee_outside_the_team_is_told_too(self, make_case, office, now):
        office = replace(office, customers=(replace(office.customers[0], csm="max"),))
        told = [
            letter.agent_id for letter in on_mail(make_case(), office, now).letters if isinstance(letter, NoticeLetter)
        ]
        assert told == ["max", "ann", "bob"]

    def test_each_agent_s_reply_to_is_his_own(self, make_case, office, now):
        notices = [letter for letter in on_mail(make_case(), office, now).letters if isinstance(letter, NoticeLetter)]
        assert len({letter.reply_to for letter in notices}) == len({letter.message_id for letter in notices}) == 2

    def test_an_ambiguous_sender_opens_a_ticket_without_rights(self, make_case, office, now):
        mail = {"from_": (Address("", "a@x.example"), Address("", "b@x.example"))}
        ticket = on_mail(make_case(mail=mail, trust=UNKNOWN), office, now).ticket
        assert (ticket.requester.address, ticket.participants) == ("a@x.example", ())

    def test_a_mail_without_from_is_its_envelope_s(self, make_case, office, now):
        decision = on_mail(make_case(mail={"from_": (), "from_fields": 0}, trust=UNKNOWN), office, now)
        assert decision.ticket.requester.address == "carol@acme.example"
        assert decision.party is None

    def test_an_agent_who_writes_as_a_customer_is_not_notified_of_himself(self, make_case, office, now):
        decision = on_mail(make_case(mail=ANN), office, now)
        assert decision.ticket.requester.address == "ann@staff.example"
        assert [letter.agent_id for letter in decision.letters if isinstance(letter, NoticeLetter)] == ["bob"]

    def test_an_empty_subject_gets_words(self, make_case, office, now):
        assert on_mail(make_case(mail={"subject": "[CSM #9]"}), office, now).ticket.subject == "(no subject)"

    @pytest.mark.parametrize(
        ("headers", "opens"),
        [
            ({"Auto-Submitted": "auto-generated"}, True),
            ({"Auto-Submitted": "auto-replied"}, False),
            ({"Auto-Submitted": "auto-notified"}, True),
            ({"X-Auto-Response-Suppress": "All"}, True),
            ({"X-Autoreply": "yes"}, False),
            ({"X-Autoreply": "no"}, True),
            ({"Precedence": "auto_reply"}, False),
            ({"Content-Type": "multipart/report; report-type=disposition-notification"}, False),
            ({}, True),
        ],
    )
    def test_an_alarm_is_a_ticket_and_an_absence_is_not(self, make_case, office, now, headers, opens):
        case = make_case(mail={"origin": Origin.AUTOMATIC, "headers": tuple(headers.items())})
        decision = on_mail(replace(case, received=replace(case.received, mail_from="")), office, now)
        assert (decision.ticket is not None) is opens
        assert AckLetter not in kinds(decision)

    @pytest.mark.parametrize(
        ("subject", "content_type", "opens"),
        [("Automatic reply: x", "x/y", False), ("x", "message/disposition-notification", False), ("x", "x/y", True)],
    )
    def test_other_signs_of_an_answer(self, make_case, office, now, subject, content_type, opens):
        receipt = replace(an_attachment(), content_type=content_type)
        case = make_case(mail={"origin": Origin.AUTOMATIC, "subject": subject, "attachments": (receipt,)})
        case = replace(case, received=replace(case.received, mail_from=""))
        assert (on_mail(case, office, now).ticket is not None) is opens


class TestFollowing:
    @pytest.mark.parametrize(
        ("state", "after"),
        [
            (State.NEW, State.NEW),
            (State.OPEN, State.OPEN),
            (State.PENDING, State.OPEN),
            (State.RESOLVED, State.OPEN),
            (State.CLOSED, State.OPEN),
        ],
    )
    def test_the_customer_writes_again(self, make_case, make_ticket, office, now, state, after):
        ticket = make_ticket(state=state, resolved_at=now if state in {State.RESOLVED, State.CLOSED} else None)
        decision = on_mail(make_case(ticket, told=Told((opened(ticket),))), office, now + timedelta(hours=1))
        assert decision.ticket.state is after
        assert decision.ticket.resolved_at is None
        assert ("reopened" in whats(decision)) is (state in {State.RESOLVED, State.CLOSED})
        assert kinds(decision) == [NoticeLetter] * 2
        assert decision.message.kind == "customer"

    def test_a_mail_that_is_decided_after_a_later_resolution_reopens_it_for_the_clocks_too(
        self, make_case, make_ticket, office, now
    ):
        ticket = make_ticket(state=State.RESOLVED, resolved_at=now + timedelta(minutes=5))
        resolved = Event(now + timedelta(minutes=5), "ann", "status", "x", {"to": "resolved"})
        decision = on_mail(make_case(ticket, told=Told((opened(ticket), resolved))), office, now + timedelta(minutes=6))
        assert decision.ticket.state is State.OPEN
        assert [clock.stopped_at for clock, _ in decision.clocks] == [None, None]

    def test_only_the_owner_hears_of_the_next_mail(self, make_case, make_ticket, office, now):
        ticket = make_ticket(assignee="bob", state=State.OPEN)
        decision = on_mail(make_case(ticket), office, now)
        assert [letter.agent_id for letter in decision.letters] == ["bob"]

    def test_a_colleague_of_the_customer_joins(self, make_case, make_ticket, office, now):
        decision = on_mail(make_case(make_ticket(), mail={"from_": (Address("", "Dora@acme.example"),)}), office, now)
        assert decision.ticket.participants == ("carol@acme.example", "dora@acme.example")

    def test_a_forged_customer_moves_nothing(self, make_case, make_ticket, office, now):
        ticket = make_ticket(state=State.RESOLVED, resolved_at=now)
        decision = on_mail(make_case(ticket, trust=FAILED), office, now)
        assert (decision.ticket, whats(decision), decision.message.kind) == (ticket, ["held"], "unverified")
        assert "forged" in decision.letters[0].notes[0]

    @pytest.mark.parametrize(("trust", "remembered"), [(UNKNOWN, False), (TOKEN, True)])
    def test_only_who_is_proven_gets_a_history(self, make_case, make_ticket, office, now, trust, remembered):
        for ticket in (None, make_ticket()):
            assert (on_mail(make_case(ticket, trust=trust), office, now).party is not None) is remembered

    def test_bulk_mail_moves_nothing(self, make_case, make_ticket, office, now):
        decision = on_mail(make_case(make_ticket(state=State.PENDING), mail={"origin": Origin.BULK}), office, now)
        assert (decision.ticket.state, whats(decision), decision.message.kind) == (State.PENDING, ["message"], "bulk")

    @pytest.mark.parametrize("mail", [{"from_": (Address("", "eve@evil.example"),)}, {"from_fields": 2}])
    def test_a_stranger_is_kept_apart(self, make_case, make_ticket, office, now, mail):
        decision = on_mail(make_case(make_ticket(number=1001), mail=mail, number=1042), office, now)
        assert decision.ticket.number == 1042
        assert "linked" in whats(decision)
        notice = next(letter for letter in decision.letters if isinstance(letter, NoticeLetter))
        assert "#1001" in notice.notes[0]

    def test_an_ambiguous_sender_may_join_where_everyone_may(self, make_case, make_ticket, office, now):
        for origin in (Origin.PERSON, Origin.BULK):
            ticket = make_ticket(mailbox="plain@desk.example")
            case = make_case(ticket, mail={"from_fields": 2, "origin": origin}, mailbox=office.mailboxes[1])
            decision = on_mail(case, office, now)
            assert decision.ticket.number == 1042
            assert decision.events[0].actor == "unknown"

    @pytest.mark.parametrize(("box", "other", "joins"), [(0, 1, False), (1, 0, True)])
    def test_its_own_mailbox_says_who_may_join_a_ticket(self, make_case, make_ticket, office, now, box, other, joins):
        """Whoever may write everywhere in one mailbox must not come into another one's tickets that way."""
        ticket = make_ticket(number=7, mailbox=office.mailboxes[box].address)
        stranger = {"from_": (Address("", "eve@evil.example"),)}
        decision = on_mail(make_case(ticket, mail=stranger, mailbox=office.mailboxes[other]), office, now)
        assert (decision.ticket.number == 7) is joins

    @pytest.mark.parametrize(
        ("guessed", "chosen_by", "after"),
        [
            (Severity.URGENT, None, Severity.URGENT),
            (Severity.LOW, None, Severity.NORMAL),
            (Severity.URGENT, "ann", Severity.NORMAL),
            (Severity.URGENT, "maild", Severity.URGENT),
        ],
    )
    def test_new_words_may_raise_the_severity(self, make_case, make_ticket, office, now, guessed, chosen_by, after):
        ticket = make_ticket()
        chosen = (Event(now, chosen_by, "set_severity", "x", {"to": "normal"}),) if chosen_by else ()
        case = make_case(ticket, told=Told((opened(ticket), *chosen)))
        decision = on_mail(replace(case, guess=replace(case.guess, severity=guessed)), office, now)
        assert decision.ticket.severity is after
        assert ("set_severity" in whats(decision)) is (after is Severity.URGENT)
        assert decision.clocks[0][0].limit_seconds == (1800 if after is Severity.URGENT else 4 * 3600)


class TestReplying:
    @pytest.fixture
    def case(self, make_case, make_ticket):
        ticket = make_ticket()
        first = Message(
            3,
            1042,
            "c1@acme.example",
            ticket.opened_at,
            ticket.requester,
            "customer",
            "",
            "new",
            "s",
            "t",
            "d",
            "b",
            (),
        )

        def make(ticket=ticket, **changes):
            values = {
                "mail": ANN,
                "trust": TOKEN,
                "placement": BY_TOKEN,
                "told": Told((opened(ticket),)),
                "messages": (first,),
            }
            return make_case(ticket, **{**values, **changes, "mail": {**ANN, **changes.get("mail", {})}})

        return make

    def test_a_proven_reply_goes_to_the_customer_and_stops_the_clock(self, case, office, now):
        decision = on_mail(case(), office, now)
        (letter,) = decision.letters
        assert isinstance(letter, RelayLetter)
        assert letter.to.address == "carol@acme.example"
        assert (letter.in_reply_to, letter.references) == ("c1@acme.example", ("c1@acme.example",))
        assert decision.ticket.first_response_at == now
        assert "by ann" in decision.ticket.first_response_evidence
        assert (decision.ticket.state, decision.ticket.assignee) == (State.OPEN, "ann")
        assert whats(decision) == ["agent_reply", "assigned"]
        assert decision.clocks[0][0].state is ClockState.MET

    def test_a_second_reply_is_no_first_response(self, case, make_ticket, office, now):
        ticket = make_ticket(
            state=State.OPEN, assignee="bob", first_response_at=now, first_response_evidence="message 1"
        )
        told = Told((opened(ticket), Event(now, "bob", "agent_reply", "x", {"ref": "r@x"})))
        decision = on_mail(case(ticket, told=told), office, now + timedelta(hours=1))
        assert decision.ticket.first_response_evidence == "message 1"
        assert whats(decision) == ["agent_reply"]

    def test_a_reply_before_any_customer_mail_names_none(self, case, office, now):
        (letter,) = on_mail(case(messages=()), office, now).letters
        assert letter.in_reply_to == ""

    @pytest.mark.parametrize(
        ("changes", "need"),
        [
            ({"trust": UNKNOWN}, "dmarc-or-token"),
            ({"trust": FAILED}, "dmarc-or-token"),
            ({"trust": Trust(Standing.WEAK, "", "spf alone")}, "dmarc-or-token"),
            ({"trust": Trust(Standing.AUTHENTICATED, "dmarc", "dmarc"), "placement": BY_ID}, "token"),
            (
                {
                    "trust": Trust(Standing.AUTHENTICATED, "dmarc", "dmarc"),
                    "placement": replace(BY_TOKEN, bearer="bob@staff.example"),
                },
                "token",
            ),
            ({"placement": replace(BY_TOKEN, purpose=Purpose.CUSTOMER)}, "dmarc-or-token"),
        ],
    )
    def test_without_proof_nothing_happens_but_a_question(self, case, office, now, changes, need):
        decision = on_mail(case(**changes), replace(office, agents_need=need), now)
        (letter,) = decision.letters
        assert isinstance(letter, HeldLetter)
        assert letter.agent.address == "ann@staff.example"
        assert (decision.message.kind, whats(decision)) == ("unverified", ["held"])
        assert decision.ticket.first_response_at is None
        assert decision.clocks is None

    def test_a_domain_s_word_is_enough_by_default(self, case, office, now):
        decision = on_mail(case(trust=Trust(Standing.AUTHENTICATED, "dmarc", "dmarc")), office, now)
        assert kinds(decision) == [RelayLetter]

    def test_who_needs_the_token_may_be_authenticated_as_well(self, case, office, now):
        mail = case(trust=Trust(Standing.AUTHENTICATED, "dmarc", "dmarc"))
        assert kinds(on_mail(mail, replace(office, agents_need="token"), now)) == [RelayLetter]

    def test_questions_are_asked_for_each_mail_but_not_without_end(self, case, office, now):
        assert kinds(on_mail(case(trust=UNKNOWN, asked=9), office, now)) == [HeldLetter]
        flooded = on_mail(case(trust=UNKNOWN, asked=10), office, now)
        assert (kinds(flooded), whats(flooded)) == ([], ["held"])

    @pytest.mark.parametrize("purpose", [Purpose.BOUNCE, Purpose.RELEASE])
    @pytest.mark.parametrize("trust", [UNKNOWN, Trust(Standing.AUTHENTICATED, "dmarc", "dmarc")])
    def test_an_answer_to_what_wants_none_goes_nowhere(self, case, office, now, purpose, trust):
        decision = on_mail(case(placement=replace(BY_TOKEN, purpose=purpose), trust=trust), office, now)
        assert (decision.letters, whats(decision), decision.ticket.first_response_at) == ((), ["agent_note"], None)

    @pytest.mark.parametrize("subject", ["Automatic reply: x", "Out of Office: x", "Abwesenheitsnotiz: x"])
    def test_an_agent_s_absence_is_no_response(self, case, office, now, subject):
        assert on_mail(case(mail={"subject": subject}), office, now).letters == ()

    def test_a_word_about_holidays_is_one(self, case, office, now):
        assert kinds(on_mail(case(mail={"subject": "Re: Vacation booking: out of office"}), office, now)) == [
            RelayLetter
        ]

    @pytest.mark.parametrize(
        ("to", "cc", "purpose", "relayed"),
        [
            ("csm@desk.example", (), None, True),
            ("bob@staff.example", ("csm@desk.example",), None, False),
            ("vendor@other.example", ("csm@desk.example",), None, False),
            ("bob@staff.example", (), Purpose.AGENT, True),
        ],
    )
    def test_a_word_among_colleagues_stays_among_them(self, case, office, now, to, cc, purpose, relayed):
        mail = {"to": (Address("", to),), "cc": tuple(Address("", one) for one in cc)}
        placement = BY_TOKEN if purpose else BY_ID
        trust = Trust(Standing.AUTHENTICATED, "dmarc", "dmarc")
        decision = on_mail(case(mail=mail, placement=placement, trust=trust), office, now)
        assert kinds(decision) == ([RelayLetter] if relayed else [WordLetter])
        assert (decision.ticket.first_response_at is not None) is relayed

    MARKED = f"> {MARK}\n>\n> Carol wrote to us.\n> Severity: normal\n> Nobody can pay.\n"

    @pytest.mark.parametrize(
        ("text", "html", "said"),
        [
            (f"On Monday, Ann <ann@staff.example> wrote:\n{MARKED}", None, None),
            (f"On Monday, Ann <ann@staff.example> wrote:\n{MARKED}\n-- \nAnn\n", None, None),
            (f"{MARKED}\nSent from my iPhone\n", None, None),
            (
                f"-----Original Message-----\nFrom: Desk <csm@desk.example>\nSent: Monday, 9 March 2026 10:00\nTo: Ann <ann@staff.example>\nSubject: x\n\n{MARK}\nSeverity: normal\n",
                None,
                None,
            ),
            (MARKED, f"<blockquote>{MARK}<p>Severity: normal</p></blockquote>", None),
            (
                f"On Monday, Ann <ann@staff.example> wrote:\n{MARKED}\nTry again now.\n",
                None,
                "> Nobody can pay.\n\nTry again now.",
            ),
            (f"{MARKED}Which card?\n> Thanks\n", None, "> Nobody can pay.\nWhich card?"),
            ("Try again.", f"<blockquote>{MARK}<p>Severity: normal</p></blockquote>", "Try again."),
        ],
    )
    def test_our_notification_never_goes_to_the_customer(self, case, make_ticket, office, now, text, html, said):
        first = Message(
            3, 1042, "c1@x", now, make_ticket().requester, "customer", "", "new", "s", "Nobody can pay.", "d", "b", ()
        )
        decision = on_mail(case(mail={"text": text, "html": html}, messages=(first,)), office, now)
        (letter,) = decision.letters
        if said is None:
            assert isinstance(letter, WordLetter)
            assert decision.ticket.first_response_at is None
        else:
            assert letter.text.strip() == said
            assert letter.html is None

    def test_an_agent_s_machine_is_no_response(self, case, office, now):
        decision = on_mail(case(mail={"origin": Origin.BULK}), office, now)
        assert (decision.letters, whats(decision)) == ((), ["agent_note"])

    def test_a_reply_with_the_customer_in_copy_is_not_relayed_again(self, case, office, now):
        decision = on_mail(case(mail={"cc": (Address("", "Carol@acme.example"),)}), office, now)
        assert decision.letters == ()
        assert decision.ticket.first_response_at == now
        assert "directly" in decision.because

    @pytest.mark.parametrize("html", [None, "<p> </p>"])
    def test_an_empty_reply_is_none(self, case, office, now, html):
        decision = on_mail(case(mail={"text": " \n", "new_text": "", "html": html}), office, now)
        assert kinds(decision) == [WordLetter]
        assert decision.ticket.first_response_at is None

    def test_an_attachment_alone_is_a_reply(self, case, office, now):
        assert kinds(on_mail(case(mail={"text": "", "attachments": (an_attachment(),)}), office, now)) == [RelayLetter]

    @pytest.mark.parametrize("address", ["", '"a b"@acme.example', "support@desk.example"])
    def test_what_cannot_be_sent_is_told_to_the_agent(self, case, make_ticket, office, now, address):
        ticket = make_ticket(requester=Address("", address))
        decision = on_mail(case(ticket), office, now)
        assert kinds(decision) == [WordLetter]
        assert decision.ticket.first_response_at is None

    def test_the_customer_of_a_ticket_is_its_customer_though_he_is_an_agent(self, case, make_ticket, office, now):
        ticket = make_ticket(requester=Address("Ann", "ann@staff.example"), participants=("ann@staff.example",))
        decision = on_mail(case(ticket), office, now)
        assert whats(decision) == ["customer_message"]


class TestReports:
    def bounce(self, msgid="r1@desk.example", action="failed", diagnostic="550 no such user", status="5.1.1"):
        report = Delivery("carol@acme.example", action, status, diagnostic, msgid)
        return {"origin": Origin.BOUNCE, "delivery": (report,), "from_": (Address("", "mailer-daemon@acme.example"),)}

    def replied(self, ticket, now, actor="ann"):
        return Told((opened(ticket), Event(now, actor, "agent_reply", "x", {"ref": "r1@desk.example"})))

    def returned(self, case, office):
        """The report comes to the return path of what we sent to the customer."""
        path = office.token_address(case.mailbox, 1042, "carol@acme.example", Purpose.BOUNCE)
        return replace(case, received=replace(case.received, mail_from="", rcpt=path))

    @pytest.mark.parametrize("kind", [Origin.BOUNCE, Origin.AUTOMATIC])
    def test_none_ever_opens_a_ticket(self, make_case, office, now, kind):
        case = make_case(mail={"origin": kind, "subject": "Out of office: x"})
        decision = on_mail(replace(case, received=replace(case.received, mail_from="")), office, now)
        assert (decision.ticket, decision.message, decision.letters) == (None, None, ())

    @pytest.mark.parametrize("state", [State.OPEN, State.PENDING, State.RESOLVED, State.CLOSED])
    def test_a_reply_that_did_not_arrive_is_no_response(self, make_case, make_ticket, office, now, state):
        ticket = make_ticket(state=state, first_response_at=now, first_response_evidence="x", resolved_at=None)
        case = self.returned(make_case(ticket, mail=self.bounce(), told=self.replied(ticket, now)), office)
        decision = on_mail(case, office, now + timedelta(minutes=1))
        assert decision.ticket.state is State.OPEN
        assert (decision.ticket.first_response_at, decision.ticket.first_response_evidence) == (None, "")
        assert decision.clocks[0][0].state is ClockState.RUNNING
        (letter,) = decision.letters
        assert "550 no such user" in letter.lines[1]
        assert whats(decision)[0] == "bounce"

    @pytest.mark.parametrize(("diagnostic", "status", "words"), [("", "5.1.1", "5.1.1"), ("", "", "nothing")])
    def test_what_the_other_side_said(self, make_case, make_ticket, office, now, diagnostic, status, words):
        ticket = make_ticket(state=State.OPEN)
        mail = self.bounce(diagnostic=diagnostic, status=status)
        case = self.returned(make_case(ticket, mail=mail, told=self.replied(ticket, now)), office)
        (letter,) = on_mail(case, office, now).letters
        assert words in letter.lines[1]

    def test_nobody_is_told_where_the_author_is_gone(self, make_case, make_ticket, office, now):
        ticket = make_ticket(state=State.OPEN)
        case = self.returned(make_case(ticket, mail=self.bounce(), told=self.replied(ticket, now, "gone")), office)
        decision = on_mail(case, office, now)
        assert decision.letters == ()

    @pytest.mark.parametrize("mail", [{"action": "delayed"}, {"msgid": "other@desk.example"}])
    def test_any_other_report_is_an_event(self, make_case, make_ticket, office, now, mail):
        ticket = make_ticket(state=State.OPEN, first_response_at=now)
        decision = on_mail(make_case(ticket, mail=self.bounce(**mail), told=self.replied(ticket, now)), office, now)
        assert (whats(decision), decision.clocks, decision.ticket) == (["report"], None, ticket)
        assert "carol@acme.example" in decision.events[0].data["delivery"]

    def test_a_notification_that_did_not_arrive_is_an_event(self, make_ticket, office, now):
        ticket = make_ticket()
        report = Delivery("ann@staff.example", "failed", "", "550 gone", "n@desk.example")
        decision = on_failure(ticket, self.replied(ticket, now), report, now, office, now)
        assert (whats(decision), decision.failed, decision.letters) == (["not_delivered"], ("ann@staff.example",), ())
        assert decision.ticket is ticket

    def test_an_absence_is_an_event(self, make_case, make_ticket, office, now):
        mail = {"origin": Origin.AUTOMATIC, "headers": (("Auto-Submitted", "auto-replied"),)}
        decision = on_mail(make_case(make_ticket(state=State.RESOLVED), mail=mail), office, now)
        assert (decision.ticket.state, whats(decision), decision.message.kind) == (
            State.RESOLVED,
            ["auto_reply_received"],
            "automatic",
        )
        assert decision.events[0].data == {}


class TestComingBack:
    def test_a_proven_copy_of_an_unproven_mail_is_no_second_delivery(self, make_case, make_ticket, office, now):
        twin = Message(
            3, 1042, "m1@x", now, Address("", "ann@staff.example"), "unverified", "", "new", "s", "t", "d", "b", ()
        )
        case = make_case(make_ticket(), twin=twin, mail=ANN, trust=TOKEN, placement=BY_TOKEN)
        decision = on_mail(case, office, now)
        assert (kinds(decision), decision.message, decision.further_recipient) == (
            [RelayLetter],
            None,
            (3, "csm@desk.example"),
        )
        again = on_mail(replace(case, trust=UNKNOWN), office, now)
        assert whats(again) == ["duplicate_delivery"]

    def test_a_second_delivery_notes_the_further_recipient(self, make_case, make_ticket, office, now):
        twin = Message(3, 1042, "m1@x", now, Address("", "c@x"), "customer", "", "new", "s", "t", "d", "b", ())
        decision = on_mail(make_case(make_ticket(), twin=twin), office, now)
        assert decision.further_recipient == (3, "csm@desk.example")
        assert (whats(decision), decision.message, decision.letters) == (["duplicate_delivery"], None, ())

    @pytest.mark.parametrize("kind", ["automatic", "bulk", "bounce"])
    def test_a_person_s_mail_is_not_lost_to_a_machine_s_of_the_same_id(self, make_case, make_ticket, office, now, kind):
        twin = Message(3, 1042, "m1@x", now, Address("", "c@x"), kind, "", "new", "s", "t", "d", "b", ())
        case = make_case(make_ticket(), twin=twin)
        decision = on_mail(case, office, now)
        assert whats(decision) == ["customer_message", "taken_up"]
        assert (decision.message, decision.further_recipient) == (None, (3, "csm@desk.example"))
        told = Told((opened(make_ticket()), *decision.events))
        assert whats(on_mail(replace(case, told=told), office, now)) == ["duplicate_delivery"]

    def test_also_where_the_ticket_is_gone(self, make_case, office, now):
        twin = Message(3, 1042, "m1@x", now, Address("", "c@x"), "customer", "", "new", "s", "t", "d", "b", ())
        assert on_mail(make_case(twin=twin), office, now).events == ()

    @pytest.mark.parametrize("known", [True, False])
    def test_our_own_mail_is_kept_and_answered_by_nobody(self, make_case, make_ticket, office, now, known):
        decision = on_mail(make_case(make_ticket() if known else None, mail={"origin": Origin.OWN}), office, now)
        assert decision.letters == ()
        assert (decision.ticket is not None) is known


def test_a_ticket_s_severity_is_the_guess(make_case, office, now):
    case = make_case()
    decision = on_mail(replace(case, guess=replace(case.guess, severity=Severity.URGENT)), office, now)
    assert decision.ticket.severity is Severity.URGENT
    assert decision.clocks[0][0].limit_seconds == 1800
