"""Which reports un-count a reply: those at the return path that only our replies to the customer bear, and of that reply."""

from dataclasses import replace
from datetime import timedelta

import pytest

from maild.desk import Told, on_mail
from maild.mail import Address, Delivery, Origin
from maild.threading.token import Purpose
from maild.ticket import Event, State

CAROL = "carol@acme.example"
REPLY = "r1@desk.example"


def relayed(now, ref, by="relay", who="ann"):
    return Event(now, who, "agent_reply", "x", {"ref": ref, "by": by})


def wrote(at, who=CAROL):
    return Event(at, who, "customer_message", "x")


def whats(decision):
    return [event.what for event in decision.events]


def subjects(decision):
    return [letter.subject for letter in decision.letters]


@pytest.fixture
def decide(make_case, make_ticket, office, now):
    def decided(
        *events,
        msgid="",
        action="failed",
        of=CAROL,
        bearer=CAROL,
        purpose=Purpose.BOUNCE,
        number=1042,
        rcpt=None,
        mail_from="",
        after=timedelta(minutes=1),
        mailbox="csm@desk.example",
        **changes,
    ):
        ticket = make_ticket(
            **{"state": State.OPEN, "first_response_at": now, "first_response_evidence": "x", **changes},
            mailbox=mailbox,
        )
        opened = Event(now - timedelta(hours=1), CAROL, "opened", "x", {"severity": "normal"})
        mail = {
            "origin": Origin.BOUNCE,
            "from_": (Address("", "mailer-daemon@acme.example"),),
            "delivery": (Delivery(of, action, "5.1.1", "550 gone", msgid),),
        }
        case = make_case(ticket, mail=mail, told=Told((opened, *events)))
        address = rcpt or office.token_address(office.mailbox("csm@desk.example"), number, bearer, purpose)
        received = replace(case.received, rcpt=address, mail_from=mail_from, received_at=now + after)
        return on_mail(replace(case, received=received), office, now + after)

    return decided


@pytest.mark.parametrize("msgid", ["", "0100019@email.amazonses.com"])
def test_the_latest_reply_is_no_response(decide, now, msgid):
    decision = decide(relayed(now, REPLY), relayed(now, "r2@desk.example"), msgid=msgid)
    assert whats(decision) == ["bounce", "report"]
    assert decision.events[0].data["ref"] == "r2@desk.example"
    assert "the evidence" in decision.events[1].because
    assert subjects(decision) == ["your reply could not be delivered"]
    assert (decision.message.kind, decision.failed) == ("bounce", (CAROL,))


@pytest.mark.parametrize("msgid", ["", REPLY])
@pytest.mark.parametrize("of", [CAROL, "Carol@ACME.example", ""])
def test_the_only_reply_is_no_response(decide, now, msgid, of):
    decision = decide(relayed(now, REPLY), msgid=msgid, of=of)
    assert decision.ticket.first_response_at is None
    assert decision.failed == (CAROL,)


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "delayed"},
        {"bearer": "ann@staff.example"},
        {"purpose": Purpose.CUSTOMER},
        {"number": 1043},
        {"rcpt": "csm@desk.example"},
        {"rcpt": "csm+nothing@desk.example"},
        {"rcpt": "somebody@elsewhere.example"},
    ],
)
def test_other_reports_stay_events(decide, now, changes):
    decision = decide(relayed(now, REPLY), **changes)
    assert (whats(decision), decision.letters, decision.failed) == (["report"], (), ())


def test_what_was_never_relayed_cannot_come_back(decide, now):
    decision = decide(relayed(now, REPLY, by="direct"))
    assert (whats(decision), decision.letters) == (["report"], ())


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"rcpt": "csm@desk.example", "mail_from": "mallory@evil.example"}, "return path of that reply"),
        ({"rcpt": "csm@desk.example"}, "return path of that reply"),
        ({"bearer": "dave@other.example"}, "return path of that reply"),
        ({"purpose": Purpose.CUSTOMER}, "return path of that reply"),
        ({"of": "whoever@else.example"}, "it speaks of whoever@else.example"),
        ({"after": timedelta(days=7)}, "more than 7 days"),
        ({"mailbox": "plain@desk.example", "rcpt": "plain@desk.example", "mail_from": "m@evil.example"}, "no sender"),
    ],
)
@pytest.mark.parametrize("state", [State.OPEN, State.PENDING, State.RESOLVED, State.CLOSED])
def test_what_is_not_believed_is_told_and_moves_nothing(decide, now, changes, because, state):
    decision = decide(relayed(now, REPLY), msgid=REPLY, state=state, closed_at=now, **changes)
    assert whats(decision) == ["report"]
    assert because in decision.events[0].because
    (letter,) = decision.letters
    assert "not believed" in letter.subject
    assert because in letter.lines[1]
    assert "550 gone" in letter.quote
    assert (decision.ticket.state, decision.ticket.first_response_at, decision.ticket.closed_at) == (state, now, now)
    assert (decision.clocks, decision.failed, decision.message.kind) == (None, (), "bounce")


def test_the_author_hears_of_doubtful_reports_once(decide, now):
    claims = [decide(relayed(now, REPLY), msgid=REPLY, of=f"x{number}@else.example") for number in range(3)]
    assert len({claim.letters[0].key for claim in claims}) == 1


def test_nobody_hears_of_them_where_the_author_is_gone(decide, now):
    assert decide(relayed(now, REPLY, who="gone"), msgid=REPLY, of="x@else.example").letters == ()


def test_where_there_are_no_sub_addresses_the_null_path_must_do(decide, now):
    plain = {"mailbox": "plain@desk.example", "rcpt": "plain@desk.example"}
    assert decide(relayed(now, REPLY), msgid=REPLY, **plain).ticket.first_response_at is None
    assert whats(decide(relayed(now, REPLY), **plain)) == ["report"]


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (lambda now: wrote(now + timedelta(seconds=1)), True),
        (lambda now: wrote(now - timedelta(seconds=1)), False),
        (lambda now: wrote(now + timedelta(seconds=1), "dave@acme.example"), False),
    ],
)
def test_a_customer_who_wrote_later_was_reached(decide, now, event, counts):
    decision = decide(relayed(now, REPLY), event(now), msgid=REPLY)
    assert (decision.ticket.first_response_at is not None) is counts
    if counts:
        assert (whats(decision), decision.letters, decision.failed) == (["report"], (), ())
        assert "wrote after it" in decision.events[0].because


def test_a_closed_ticket_that_is_open_again_was_never_closed(decide, now):
    decision = decide(relayed(now, REPLY), msgid=REPLY, state=State.CLOSED, closed_at=now, resolved_at=now)
    assert (decision.ticket.state, decision.ticket.closed_at, decision.ticket.resolved_at) == (State.OPEN, None, None)


class TestWithoutATicket:
    @pytest.fixture
    def decide(self, make_case, office, now):
        def decided(mail_from, **mail):
            case = make_case(mail=mail)
            return on_mail(replace(case, received=replace(case.received, mail_from=mail_from)), office, now)

        return decided

    @pytest.mark.parametrize("subject", ["Undelivered Mail Returned to Sender", "Automatic reply: hello"])
    @pytest.mark.parametrize("origin", [Origin.BOUNCE, Origin.AUTOMATIC])
    def test_what_bears_a_reverse_path_may_be_a_person_s(self, decide, origin, subject):
        mail = {"subject": subject, "origin": origin, "headers": (("Auto-Submitted", "auto-replied"),)}
        decision = decide("carol@acme.example", **mail)
        assert whats(decision) == ["opened", "not_acknowledged"]
        assert all("no mail of ours" in letter.notes[0] for letter in decision.letters)
        assert len(decision.letters) == 2

    @pytest.mark.parametrize("path", ["", "MAILER-DAEMON@acme.example"])
    @pytest.mark.parametrize("origin", [Origin.BOUNCE, Origin.AUTOMATIC])
    def test_what_has_none_is_kept(self, decide, origin, path):
        decision = decide(path, subject="Automatic reply: hello", origin=origin)
        assert (decision.ticket, decision.message, decision.letters) == (None, None, ())
        assert "kept without a ticket" in decision.because

    @pytest.mark.parametrize("place", ["in_reply_to", "references", "delivery"])
    def test_what_names_a_mail_of_ours_is_kept(self, decide, office, place):
        ours = office.message_id(77, "ack:77")
        named = (Delivery(CAROL, "failed", "", "", ours),) if place == "delivery" else (ours,)
        decision = decide("carol@acme.example", origin=Origin.BOUNCE, **{place: named})
        assert decision.ticket is None

    def test_an_agent_s_answering_machine_opens_nothing(self, decide):
        ann = (Address("Ann", "ann@staff.example"),)
        decision = decide("ann@staff.example", origin=Origin.AUTOMATIC, subject="Automatic reply: hello", from_=ann)
        assert decision.ticket is None
