"""Mails that open a ticket of their own by an operator's word, and come back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.desk import Assign, Refused, Told, on_command
from maild.desk.decision import clocks_of
from maild.desk.merge import Side, linked, on_link, on_merge
from maild.desk.past import kin, standing
from maild.desk.split import Opening, chosen, on_split
from maild.desk.undo import on_undo, partner
from maild.mail import Address
from maild.sla.policy import Metric
from maild.sla.severity import Guess
from maild.threading import token
from maild.ticket import Event, Message, Severity, State

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CAROL, EVE = Address("Carol", "carol@acme.example"), Address("Eve", "vip@acme.example")


def message(number, minutes, sender=CAROL, kind="customer", msgid=None):
    return Message(
        number,
        1,
        f"m{number}@x" if msgid is None else msgid,
        NOW + minutes * MINUTE,
        sender,
        kind,
        "dmarc",
        "placed",
        f"Re: [CSM #1] Mail {number}",
        "text",
        "d",
        "b",
        ("csm@desk.example",),
    )


def came(number, minutes, sender=CAROL, what="customer_message", named=True):
    data = {"message": number} if named else {}
    return Event(NOW + minutes * MINUTE, sender.key, what, "", data)


MESSAGES = (
    message(1, 0),
    message(2, 10, EVE),
    message(3, 20, kind="agent"),
    message(4, 30, kind="automatic"),
    message(5, 40, EVE),
    message(6, 50),
)
EVENTS = (
    came(2, 10, EVE),
    came(4, 30, what="message"),
    came(5, 40, EVE, named=False),
    came(6, 50),
)


@pytest.fixture
def side(office, make_ticket):
    def make(*events, **changes):
        values = {"number": 1, "requester": CAROL, "participants": (CAROL.key, EVE.key), "root_id": office.root_id(1)}
        ticket = make_ticket(**{**values, **changes})
        told = Told((Event(NOW, CAROL.key, "opened", "", {"severity": "normal"}), *(events or EVENTS)))
        return Side(ticket, replace(told, clocks=tuple(clock for clock, _ in clocks_of(office, ticket, told, NOW))))

    return make


@pytest.fixture
def opening(make_mail):
    return Opening(9, make_mail(), Guess(Severity.HIGH, ("it says so",)))


def after(side, decision):
    told = replace(side.told.and_then(*decision.events), clocks=tuple(clock for clock, _ in decision.clocks))
    return Side(decision.ticket, told)


@pytest.mark.parametrize(
    ("numbers", "changes", "words"),
    [
        ((2,), {"merged_into": 7}, "ticket 1 was merged into 7: undo that first"),
        ((8,), {}, "message 8 is none of ticket 1; its own are 1, 2, 3, 4, 5, 6"),
        ((1,), {}, "message 1 opened ticket 1 and stays: split off the others"),
        ((1, 2, 3, 4, 5, 6), {}, "message 1 opened ticket 1 and stays: split off the others"),
        ((2, 3), {}, "message 3 is agent mail and stays: only a customer's can leave"),
        ((4, 5), {}, "message 4 is automatic mail: a ticket begins with a customer's"),
        ((), {}, "name the messages that are to leave"),
    ],
)
def test_what_cannot_leave(side, numbers, changes, words):
    refused = chosen(side(**changes), MESSAGES, numbers)
    assert isinstance(refused, Refused)
    assert refused.because.startswith(words)


def test_a_ticket_without_messages_says_so(side):
    assert chosen(side(), (), (1,)) == Refused("message 1 is none of ticket 1; its own are none")


def test_the_new_ticket(office, side, opening):
    one = side()
    leaving = chosen(one, MESSAGES, (5, 2))
    assert [each.id for each in leaving] == [2, 5]
    stays, opened = on_split(one, leaving, opening, office, "ann", NOW + 2 * HOUR)
    fresh = opened.ticket
    assert (fresh.number, fresh.subject, fresh.state, fresh.opened_at) == (
        9,
        "Re: Mail 2",
        State.NEW,
        NOW + 10 * MINUTE,
    )
    assert (fresh.requester, fresh.participants) == (EVE, (EVE.key,))
    assert (fresh.severity, fresh.assignee, fresh.policy) == (Severity.HIGH, "ann", "gold")
    assert {clock.started_at for clock, _ in opened.clocks} == {NOW + 10 * MINUTE}
    assert opened.moved == leaving
    assert opened.references == ((office.root_id(9), 9, "own"),)
    assert [(event.what, event.at, event.data.get("of")) for event in opened.events] == [
        ("opened", NOW + 10 * MINUTE, None),
        ("customer_message", NOW + 40 * MINUTE, 1),
        ("split_from", NOW + 2 * HOUR, None),
    ]
    assert stays.events[0].because == "ann split off message 2, 5: ticket 9"
    assert kin((*stays.events, *opened.events)) == (9, 1)
    left = standing(one.told.and_then(*stays.events).events)
    assert [event.what for event in left] == ["opened", "message", "customer_message", "split"]


def test_the_team_can_answer_it_by_mail(office, side, opening):
    one = side()
    _, opened = on_split(one, chosen(one, MESSAGES, (2,)), opening, office, "ann", NOW + HOUR)
    assert [letter.agent_id for letter in opened.letters] == ["ann", "bob"]
    for letter in opened.letters:
        detail = token.detail_of(letter.reply_to, "csm@desk.example", "+")
        claimed = token.read(detail)
        assert (claimed.ticket, claimed.purpose) == (9, token.Purpose.AGENT)
        assert token.bearer(claimed, office.keys, (letter.agent.address,))
        assert (letter.mail, letter.opened, letter.verified) == (opening.mail, True, "dmarc")
        assert letter.notes == ("ann split it off [CSM #1]: answer it here.",)


def test_what_an_older_event_does_not_name_is_found_by_its_instant(office, side, opening):
    one = side()
    stays, opened = on_split(one, chosen(one, MESSAGES, (5, 6)), opening, office, "ann", NOW + HOUR)
    assert [event.what for event in opened.events] == ["opened", "customer_message", "split_from"]
    assert len(stays.events[0].data["moved"]) == 2


def test_the_old_clocks_forget_what_left(office, side, opening):
    replied = Event(NOW + 5 * MINUTE, "ann", "agent_reply", "", {"ref": "r@x"})
    resolved = Event(NOW + 7 * MINUTE, "ann", "status", "", {"to": "resolved"})
    one = side(replied, resolved, came(2, 10, EVE), state=State.OPEN, first_response_at=NOW + 5 * MINUTE)
    stays, _ = on_split(one, chosen(one, MESSAGES[:2], (2,)), opening, office, "ann", NOW + HOUR)
    assert (stays.ticket.state, stays.ticket.resolved_at) == (State.RESOLVED, NOW + 7 * MINUTE)
    resolution = next(clock for clock, _ in stays.clocks if clock.metric is Metric.RESOLUTION)
    assert resolution.stopped_at == NOW + 7 * MINUTE

    (back, closed) = on_undo(
        after(one, stays),
        Side(_.ticket, Told(_.events, tuple(clock for clock, _ in _.clocks))),
        {1: MESSAGES[:1], 9: MESSAGES[1:2]},
        office,
        "ann",
        NOW + 2 * HOUR,
    )
    assert (back.ticket.state, back.ticket.resolved_at) == (State.OPEN, None)
    assert back.ticket == one.ticket
    assert back.clocks == clocks_of(office, one.ticket, one.told, NOW + 2 * HOUR)
    assert back.moved == MESSAGES[1:2]
    assert (closed.ticket.merged_into, closed.ticket.state) == (1, State.CLOSED)
    assert closed.unlinked == ((1, 9),)
    assert all(at is None for _, at in closed.clocks)


def test_where_the_events_do_not_say_how_it_stands_it_is_left(office, side, opening):
    one = side(state=State.CLOSED)
    stays, _ = on_split(one, chosen(one, MESSAGES, (2,)), opening, office, "ann", NOW + HOUR)
    assert stays.ticket.state is State.CLOSED
    closed = Event(NOW + MINUTE, "ann", "status", "", {"to": "closed"})
    two = side(closed, came(2, 10, EVE), state=State.OPEN)
    stays, _ = on_split(two, chosen(two, MESSAGES[:2], (2,)), opening, office, "ann", NOW + HOUR)
    assert (stays.ticket.state, stays.ticket.closed_at) == (State.CLOSED, NOW + MINUTE)


@pytest.fixture
def apart(office, side, opening):
    one = side()
    stays, opened = on_split(one, chosen(one, MESSAGES, (2,)), opening, office, "ann", NOW + HOUR)
    return after(one, stays), after(Side(opened.ticket, Told()), opened)


def test_it_is_undone_from_either_side_once(office, apart):
    old, fresh = apart
    assert (partner(old.told.events), partner(fresh.told.events)) == (9, 1)
    messages = {1: MESSAGES[:1], 9: MESSAGES[1:2]}
    for one, other in ((old, fresh), (fresh, old)):
        back, closed = on_undo(one, other, messages, office, "bob", NOW + 2 * HOUR)
        assert (back.ticket.number, closed.ticket.number) == (1, 9)
    nothing = on_undo(after(fresh, closed), None, {}, office, "bob", NOW + 3 * HOUR)
    assert nothing == Refused("nobody decided anything on ticket 9 that could be undone")


def test_it_is_not_undone_once_it_has_gone_on(office, apart):
    old, fresh = apart
    wrote = {1: MESSAGES[:1], 9: MESSAGES[1:3]}
    words = "ticket 9 has gone on since it was split off: merge it into 1 if they are one"
    assert on_undo(old, fresh, wrote, office, "ann", NOW + 2 * HOUR) == Refused(words)
    assigned = on_command(fresh.ticket, fresh.told, Assign("bob"), office, "ann", NOW + 2 * HOUR)
    assert "was decided on since" in on_undo(old, after(fresh, assigned), {}, office, "ann", NOW + 3 * HOUR).because


def test_they_are_linked_already_and_can_be_merged_again(office, apart):
    old, fresh = apart
    assert linked(old.told.events, 9)
    assert on_link(fresh, old, "ann", NOW + 2 * HOUR) == Refused("tickets 9 and 1 are linked already")
    survivor, _ = on_merge(fresh, old, office, "ann", NOW + 2 * HOUR)
    assert survivor.ticket.number == 1
