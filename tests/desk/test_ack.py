"""Who took a ticket over: what it silences, until when, and what is recorded all the same."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from maild.desk import Acknowledge, Assign, Refused, Step, Told, after, on_command, on_due
from maild.desk.ack import ack_of, acks, hush_of
from maild.desk.merge import Side
from maild.desk.undo import on_undo
from maild.sla.ladder import DEFAULT, Rung
from maild.sla.policy import Metric
from maild.sla.rota import Rota, Turns
from maild.ticket import Event, State

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
CALLED = (Rung("limit", ("oncall",), next_after=600),)
ROTA = Rota("support", Turns(("ann", "bob"), datetime(2026, 1, 5, 9), 365 * 86400, "UTC"))  # noqa: DTZ001 - on a wall


class Life:
    """A ticket as time passes: each word is decided on and kept."""

    def __init__(self, ticket, office, now):
        self.ticket, self.office, self.opened = ticket, office, now
        self.told = Told((Event(now, "carol@acme.example", "opened", "new", {"severity": "normal"}),))
        self.letters = []

    def keep(self, decision):
        self.letters += decision.letters
        self.ticket, self.told = decision.ticket or self.ticket, after(self.told, decision)
        return decision

    def say(self, word, hours, actor="bob"):
        done = on_command(self.ticket, self.told, word, self.office, actor, self.opened + hours * HOUR)
        return done if isinstance(done, Refused) else self.keep(done)

    def look(self, hours):
        return self.keep(on_due(self.ticket, self.told, (), self.office, self.opened + hours * HOUR))

    def wakes(self, decision):
        """Give the hours after which the watch looks at the first-response clock again."""
        at = next(at for clock, at in decision.clocks if clock.metric is Metric.FIRST_RESPONSE)
        return None if at is None else (at - self.opened) / HOUR

    @property
    def acks(self):
        return acks(self.ticket, self.told.events)


@pytest.fixture
def life(make_ticket, office, now):
    def make(ladder=DEFAULT, stops="all", **ticket):
        desk = replace(office, ladders=dict.fromkeys(Metric, ladder), ack_stops=stops, rotas=(ROTA,))
        return Life(make_ticket(**ticket), desk, now)

    return make


def test_whoever_acknowledges_gets_a_ticket_that_nobody_has(life, now):
    one = life()
    done = one.say(Acknowledge("bob"), 0.5)
    (event,) = done.events
    assert (event.actor, event.what) == ("bob", "taken_over")
    assert event.data["clocks"] == [["first_response", 1], ["resolution", 1]]
    assert done.ticket.assignee == "bob"
    assert event.because == (
        "bob acknowledged it: nobody is told of first_response and resolution; nobody had it, so bob has it"
    )
    assert done.letters == ()
    assert one.acks[0].at == now + HOUR / 2


def test_one_that_somebody_has_stays_his(life):
    one = life(assignee="ann")
    done = one.say(Acknowledge("bob"), 0.5, actor="root")
    assert done.ticket.assignee == "ann"
    assert done.events[0].because.endswith("; root said so for bob")


def test_nobody_is_told_and_the_breach_is_recorded_at_its_own_instant(life, now):
    one = life()
    taken = one.say(Acknowledge("bob"), 0.5)
    assert one.wakes(taken) == pytest.approx(4)
    assert one.look(3.7).events == ()
    late = one.look(4.1)
    (event,) = late.events
    assert event.what == "breach"
    assert event.data["silent"] is True
    assert "acknowledged by bob at 2026-03-11 09:30 UTC: nobody is told" in event.because
    assert "limit" in {row.level for row in late.escalations}
    assert late.clocks[0][0].breached_at == now + 4 * HOUR
    assert one.wakes(late) is None
    (event,) = one.look(30).events
    assert (event.data["metric"], event.data["level"], event.data["silent"]) == ("resolution", "limit", True)
    assert one.letters == []


def test_a_breach_is_told_all_the_same_where_only_warnings_stop(life):
    one = life(stops="warnings")
    assert ", but of a breach that is still to come" in one.say(Acknowledge("bob"), 0.5).because
    assert one.look(3.7).letters == ()
    told = one.look(4.1)
    assert [letter.agent.address for letter in told.letters] == ["bob@staff.example"]
    (note,) = told.letters[0].notes
    assert note == (
        "bob acknowledged it on Wednesday 11 March 2026, 10:30 CET (Europe/Berlin); a breach is told all the same"
    )
    assert told.letters[0].next_at == one.opened + 8 * HOUR + TICK
    one.say(Acknowledge("ann"), 5)
    assert one.look(9).letters == ()


class TestRefused:
    def test_twice(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        refused = one.say(Acknowledge("bob"), 1)
        assert refused.because == "ticket 1042 was acknowledged by bob already, at 2026-03-11 09:30 UTC"

    def test_where_nothing_runs(self, life):
        one = life()
        one.keep(one.say(Step.RESOLVE, 1))
        one.told = one.told.and_then(
            Event(one.opened + HOUR, "ann", "agent_reply", "x", {"recipient": "carol@acme.example"})
        )
        assert "no clock of ticket 1042 runs" in one.say(Acknowledge("bob"), 2).because

    def test_who_is_no_agent(self, life):
        refused = life().say(Acknowledge("root"), 1)
        assert (
            refused.because == "there is no agent 'root' who could take it over (--as AGENT); known are ann, bob, max"
        )

    def test_what_was_merged(self, life):
        assert isinstance(life(merged_into=7).say(Acknowledge("bob"), 1), Refused)


def test_another_agent_takes_over(life):
    one = life()
    one.say(Acknowledge("bob"), 0.5)
    done = one.say(Acknowledge("ann"), 1)
    assert "bob had acknowledged it at 2026-03-11 09:30 UTC" in done.because
    clock = one.told.clocks[0]
    assert ack_of(one.ticket, one.told.events, clock, one.office).by == "ann"
    assert isinstance(one.say(Acknowledge("bob"), 2), type(done)), "and back"


class TestItLapses:
    def test_when_nobody_has_it_any_more(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        left = one.say(Assign(None), 3.5)
        assert one.wakes(left) == pytest.approx(1), "the target was passed in silence: it is told at once"
        told = one.look(3.5)
        assert {letter.level for letter in told.letters} == {"75%"}
        (note,) = told.letters[0].notes
        assert "that holds no more since Wednesday 11 March 2026, 13:30 CET" in note
        assert note.endswith("nobody has it any more")

    def test_a_breach_that_nobody_was_told_of_is_told_then(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.look(4.1)
        one.say(Assign(None), 5)
        told = one.look(5.1)
        assert {letter.level for letter in told.letters} == {"limit, after all"}
        assert [row.level for row in told.escalations] == ["limit, after all"]
        assert one.look(5.2).events == ()

    def test_when_it_was_reopened(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.say(Step.RESOLVE, 1)
        assert one.acks[0].lapsed_at is None
        one.say(Step.REOPEN, 2)
        assert (one.acks[0].lapsed_at - one.opened, one.acks[0].lapsed_because) == (2 * HOUR, "it was reopened")
        assert {letter.level for letter in one.look(2).letters} == {"target"}

    def test_when_its_customer_wrote_again(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.say(Step.RESOLVE, 1)
        again = Event(one.opened + 2 * HOUR, "maild", "reopened", "its customer wrote again")
        one.ticket, one.told = replace(one.ticket, state=State.OPEN), one.told.and_then(again)
        assert one.acks[0].lapsed_because == "it was reopened"

    def test_when_another_ticket_went_into_it(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.told = one.told.and_then(Event(one.opened + HOUR, "ann", "merged", "ticket 7 went into it"))
        assert one.acks[0].lapsed_because == "another ticket went into it"

    def test_when_it_is_taken_back(self, life, now):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        (undone,) = on_undo(Side(one.ticket, one.told), None, {}, one.office, "ann", now + HOUR)
        one.keep(undone)
        assert one.ticket.assignee is None
        assert one.acks[0].lapsed_because == "it was taken back"
        assert {letter.level for letter in one.look(1).letters} == {"target"}

    def test_when_the_assignment_is_gone_by_another_way(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.ticket = replace(one.ticket, assignee=None)
        assert one.acks[0].lapsed_because == "nobody has it any more"

    def test_not_when_the_customer_was_waited_for(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.say(Step.PENDING, 1)
        one.say(Step.OPEN, 2)
        one.say(Assign("ann"), 2.5)
        assert one.acks[0].lapsed_at is None

    def test_for_good(self, life):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.say(Assign(None), 1)
        one.say(Assign("ann"), 1.5)
        assert one.acks[0].lapsed_at is not None
        assert one.say(Acknowledge("bob"), 1.6).ticket.assignee == "ann"

    def test_the_one_before_holds_again_where_the_last_is_taken_back(self, life, now):
        one = life()
        one.say(Acknowledge("bob"), 0.5)
        one.say(Acknowledge("ann"), 0.6)
        (undone,) = on_undo(Side(one.ticket, one.told), None, {}, one.office, "max", now + HOUR)
        one.keep(undone)
        assert ack_of(one.ticket, one.told.events, one.told.clocks[0], one.office).by == "bob"


def test_a_clock_that_began_later_was_not_spoken_of(life):
    one = life()
    one.say(Acknowledge("bob"), 0.5)
    clock = one.told.clocks[0]
    assert hush_of(one.ticket, one.told.events, one.office, clock) is not None
    assert hush_of(one.ticket, one.told.events, one.office, replace(clock, cycle=2)) is None


def test_said_before_what_ended_it_and_decided_on_after(life, now):
    one = life(assignee="ann")
    one.say(Assign(None), 1)
    done = one.say(Acknowledge("bob", now + HOUR / 2), 2)
    assert done.events[0].at == now + HOUR
    assert one.acks[0].lapsed_at is None


def test_nobody_who_acknowledged_has_left_a_note_of_his_id(life, now):
    one = life(stops="warnings")
    one.say(Acknowledge("max"), 0.5)
    one.office = replace(one.office, agents=one.office.agents[:2])
    assert one.look(4.1).letters[0].notes[0].startswith("max acknowledged it on")


class TestWhoTookItOverLeftTheDesk:
    def test_and_had_it_himself(self, life):
        one = life()
        one.say(Acknowledge("max"), 0.5)
        assert one.look(4.1).letters == ()
        one.office = replace(one.office, agents=one.office.agents[:2])
        told = one.look(4.2)
        assert {letter.level for letter in told.letters} == {"limit, after all"}
        assert told.letters[0].notes[0].endswith("max left the desk")

    def test_and_another_one_has_it(self, life):
        one = life(assignee="ann")
        one.say(Acknowledge("max"), 0.5)
        one.office = replace(one.office, agents=one.office.agents[:2])
        assert one.look(4.1).letters == ()

    def test_so_somebody_else_may(self, life):
        one = life(assignee="zoe")
        done = one.say(Acknowledge("bob"), 0.5)
        assert done.ticket.assignee == "bob"
        assert one.look(4.1).letters == ()


def test_the_next_in_the_rota(life, now):
    one = life(CALLED)
    first = one.look(4.1)
    assert [letter.agent.address for letter in first.letters] == ["ann@staff.example"]
    assert (first.letters[0].next_at - now, first.letters[0].next_who) == (
        4 * HOUR + timedelta(minutes=10) + TICK,
        ("bob",),
    )
    second = one.look(4.2)
    assert [(letter.level, letter.agent.address) for letter in second.letters] == [
        ("limit, next 1", "bob@staff.example")
    ]
    assert one.wakes(second) is None
