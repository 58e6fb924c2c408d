from dataclasses import replace
from datetime import timedelta

import pytest

from maild.desk import Told, on_due, one_by_one
from maild.mail import Address
from maild.sla.ladder import Rung
from maild.sla.policy import Metric
from maild.ticket import Event, Message


@pytest.fixture
def due(make_ticket, office, now):
    def judge(after, told=None, ladder=None, messages=(), **ticket):
        desk = replace(office, ladders=dict.fromkeys(Metric, ladder)) if ladder else office
        opened = Event(now, "carol@acme.example", "opened", "new", {"severity": "normal"})
        return on_due(make_ticket(**ticket), told or Told((opened,)), messages, desk, now + after)

    return judge


TWO = (Rung("target", ("assignee",)), Rung("limit", ("assignee", "lead")))


def test_nothing_is_due(due):
    decision = due(timedelta(minutes=59))
    assert (decision.letters, decision.escalations, decision.events) == ((), (), ())
    assert decision.because == "nothing was due"


def test_the_target_warns_the_owner(due):
    decision = due(timedelta(hours=1), ladder=TWO, assignee="ann")
    (letter,) = decision.letters
    assert (letter.agent.address, letter.level, letter.metric) == ("ann@staff.example", "target", "first_response")
    assert letter.owner == "Ann"
    assert [(one.metric, one.level) for one in decision.escalations] == [("first_response", "target")]
    assert decision.events[0].what == "warning"
    assert letter.next_at == letter.limit_at + timedelta(microseconds=1)
    assert letter.next_who == ("Ann", "bob")


def test_once_told_it_is_not_told_again(due):
    first = due(timedelta(hours=1), ladder=TWO)
    sent = frozenset((one.metric, one.cycle, one.level) for one in first.escalations)
    again = due(timedelta(hours=1, minutes=5), Told(sent=sent), TWO)
    assert again.letters == ()


def test_a_breach_tells_owner_and_lead_once_each(due, now):
    message = Message(
        3, 1042, "c@x", now, Address("", "carol@acme.example"), "customer", "", "new", "s", "help", "d", "b", ()
    )
    decision = due(timedelta(hours=5), ladder=TWO, messages=(message,), requester=Address("", "eve@other.example"))
    assert sorted(letter.agent.address for letter in decision.letters) == ["ann@staff.example", "bob@staff.example"]
    assert {letter.level for letter in decision.letters} == {"limit"}
    assert {one.level for one in decision.escalations} == {"target", "limit"}
    assert decision.clocks[0][0].breached_at == now + timedelta(hours=4)
    assert decision.letters[0].customer == "eve@other.example"
    assert decision.letters[0].last_text == "help"
    assert decision.letters[0].owner == ""
    assert decision.letters[0].next_at is None


def test_a_message_s_author_goes_by_his_name(due, now):
    message = Message(
        3, 1042, "c@x", now, Address("Carol", "carol@acme.example"), "customer", "", "new", "s", "help", "d", "b", ()
    )
    assert due(timedelta(hours=5), ladder=TWO, messages=(message,)).letters[0].last_from == "Carol"


def test_a_recorded_breach_stays_though_the_promise_is_changed(due, office, now):
    told = Told(clocks=tuple(clock for clock, _ in due(timedelta(hours=5)).clocks))
    later = due(timedelta(hours=5), told, severity=office.policies[""].promises and "low")
    assert later.clocks[0][0].breached_at == now + timedelta(hours=4)


def test_the_clock_that_is_told_of_comes_with_its_account(due, now):
    first, resolution = due(timedelta(hours=5), ladder=TWO).letters[0].clocks
    (stretch,) = first.account
    assert (stretch.start, stretch.end, stretch.what, stretch.counted_seconds) == (
        now,
        first.limit_at,
        "counted",
        14400,
    )
    assert (first.earlier, resolution.account, resolution.earlier) == (0, (), 0)


def test_of_a_long_account_the_end_is_shown(due, now):
    minute = timedelta(minutes=1)
    moves = [
        Event(now + step * 10 * minute, "bob", "status", "said so", {"to": to})
        for step, to in enumerate(["pending", "open"] * 5, 1)
    ]
    told = Told((Event(now, "carol@acme.example", "opened", "new", {"severity": "urgent"}), *moves))
    decision = due(timedelta(hours=6), told, severity="urgent", ladder=(Rung("limit", ("lead",)),))
    shown = next(letter for letter in decision.letters if letter.metric == "resolution").clocks[1]
    assert (len(shown.account), shown.earlier) == (8, 3)
    assert [stretch.what for stretch in shown.account] == ["pending", "counted"] * 4
    assert {stretch.because for stretch in shown.account if stretch.what == "pending"} == {"it waited on the customer"}
    assert shown.account[-1].end == shown.limit_at


def test_an_owner_without_a_name(due):
    assert due(timedelta(hours=1), ladder=TWO, assignee="bob").letters[0].owner == "bob"


def test_where_there_is_no_agent_nobody_is_told_and_the_ledger_says_so(due, office, make_ticket, now):
    alone = replace(office, agents=(), ladders=dict.fromkeys(Metric, TWO))
    decision = on_due(make_ticket(), Told(), (), alone, now + timedelta(hours=5))
    assert decision.letters == ()
    assert "nobody" in decision.because


class TestOneByOne:
    def judged(self, make_ticket, office, now, until, **ticket):
        desk = replace(office, ladders=dict.fromkeys(Metric, TWO))
        told = Told((Event(now, "carol@acme.example", "opened", "new", {"severity": "normal"}),))
        return one_by_one(make_ticket(**ticket), told, (), desk, now + timedelta(hours=1), now + until)

    def test_each_level_is_told_at_its_own_instant(self, make_ticket, office, now):
        decision = self.judged(make_ticket, office, now, timedelta(hours=5), assignee="ann")
        assert [(one.level, one.metric) for one in decision.escalations] == [
            ("target", "first_response"),
            ("limit", "first_response"),
        ]
        tick = timedelta(microseconds=1)
        assert [event.at - now for event in decision.events] == [timedelta(hours=1), timedelta(hours=4) + tick]
        assert [letter.level for letter in decision.letters] == ["target", "limit", "limit"]
        assert decision.clocks[0][0].breached_at == now + timedelta(hours=4)

    def test_what_is_due_later_is_left(self, make_ticket, office, now):
        decision = self.judged(make_ticket, office, now, timedelta(hours=2))
        assert [one.level for one in decision.escalations] == ["target"]
        assert min(at for _, at in decision.clocks) > now + timedelta(hours=2)

    def test_a_ticket_that_went_into_another_owes_nothing(self, make_ticket, office, now):
        assert self.judged(make_ticket, office, now, timedelta(hours=5), merged_into=7).escalations == ()
