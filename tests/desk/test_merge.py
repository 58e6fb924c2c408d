"""Tickets that are merged, linked and taken apart again: the decisions alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Assign, Grade, Refused, Step, Told, on_command, on_due
from maild.desk.decision import clocks_of
from maild.desk.merge import Side, on_link, on_merge
from maild.desk.past import family, kin, replies, standing
from maild.desk.undo import last_decision, on_undo, partner
from maild.mail import Address
from maild.sla.clock import ClockState
from maild.sla.fold import state_of
from maild.sla.policy import Metric
from maild.ticket import Event, Message, Severity, State

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CAROL, DAVE = Address("Carol", "carol@acme.example"), Address("Dave", "dave@bolt.example")


@pytest.fixture
def side(office, make_ticket):
    """A ticket with its events, and the clocks as they were last written."""

    def make(number, *events, who=CAROL, at=NOW, severity=Severity.NORMAL, written=None, **changes):
        ticket = make_ticket(
            **{
                "number": number,
                "requester": who,
                "participants": (who.key,),
                "opened_at": at,
                "severity": severity,
                "root_id": office.root_id(number),
                **changes,
            }
        )
        born = Event(at, who.key, "opened", "a new mail", {"severity": str(severity)})
        told = Told((born, *events))
        clocks = clocks_of(office, ticket, told, written or at)
        return Side(ticket, replace(told, clocks=tuple(clock for clock, _ in clocks)))

    return make


def after(side, decision):
    """The side as the ledger has it once a decision was written."""
    told = replace(
        side.told.and_then(*decision.events),
        clocks=tuple(clock for clock, _ in decision.clocks) if decision.clocks is not None else side.told.clocks,
    )
    return Side(decision.ticket, told)


def merged(office, gone, into, at):
    decisions = on_merge(gone, into, office, "ann", at)
    assert not isinstance(decisions, Refused), decisions
    return after(into, decisions[0]), after(gone, decisions[1])


def clock(side, metric=Metric.FIRST_RESPONSE):
    return next(one for one in side.told.clocks if one.metric is metric)


def reply(at, ref="r1@desk.example", **data):
    return Event(at, "ann", "agent_reply", "relayed", {"ref": ref, "by": "relay", **data})


class TestMerging:
    def test_the_survivor_has_the_earliest_start_and_the_strictest_severity(self, office, side):
        gone = side(2, at=NOW, severity=Severity.HIGH, severity_because=("it says so",), who=DAVE)
        into = side(1, at=NOW + HOUR, assignee=None)
        survivor, closed = merged(office, gone, into, NOW + HOUR + MINUTE)
        assert {one.started_at for one in survivor.told.clocks} == {NOW}
        assert (survivor.ticket.severity, survivor.ticket.severity_because) == (Severity.HIGH, ("it says so",))
        assert survivor.ticket.requester == CAROL
        assert survivor.ticket.participants == (CAROL.key, DAVE.key)
        assert survivor.ticket.opened_at == NOW + HOUR
        assert clock(survivor).limit_at == NOW + 30 * MINUTE
        assert (clock(survivor).breached_at, clock(survivor).by_reclassification) == (NOW + 30 * MINUTE, False)
        assert closed.ticket.merged_into == 1
        assert (closed.ticket.state, closed.ticket.closed_at) == (State.CLOSED, NOW + HOUR + MINUTE)

    def test_what_is_late_by_the_merge_alone_is_a_breach_of_that_moment(self, office, side):
        gone, into = side(2, at=NOW), side(1, at=NOW + HOUR, severity=Severity.HIGH)
        survivor, _ = merged(office, gone, into, NOW + HOUR + 10 * MINUTE)
        assert clock(survivor).breached_at == NOW + HOUR + 10 * MINUTE
        assert clock(survivor).by_reclassification
        assert "by that the limit of first_response has passed already" in survivor.told.events[-1].because

    @pytest.mark.parametrize(("who", "counts"), [(CAROL, True), (DAVE, False)])
    def test_a_reply_counts_if_it_answered_that_customer(self, office, side, who, counts):
        gone = side(2, reply(NOW + 10 * MINUTE), at=NOW, who=who, state=State.OPEN, first_response_at=NOW + 10 * MINUTE)
        survivor, _ = merged(office, gone, side(1, at=NOW + 5 * MINUTE), NOW + HOUR)
        assert clock(survivor).stopped_at == (NOW + 10 * MINUTE if counts else None)
        assert survivor.ticket.first_response_at == (NOW + 10 * MINUTE if counts else None)
        assert survivor.ticket.state is (State.OPEN if counts else State.NEW)
        assert ("so it counts" in survivor.told.events[-1].because) is counts
        assert bool(survivor.ticket.first_response_evidence) is counts

    def test_a_reply_that_went_to_that_customer_counts_whosever_ticket_it_was_in(self, office, side):
        gone = side(2, reply(NOW + 10 * MINUTE, recipient=CAROL.key), at=NOW, who=DAVE, state=State.OPEN)
        survivor, _ = merged(office, gone, side(1, at=NOW + 5 * MINUTE), NOW + HOUR)
        assert clock(survivor).stopped_at == NOW + 10 * MINUTE

    def test_a_reply_that_bounces_after_the_merge_counts_no_more(self, office, side):
        gone = side(2, reply(NOW + 10 * MINUTE), at=NOW, state=State.OPEN)
        survivor, _ = merged(office, gone, side(1, at=NOW + 5 * MINUTE), NOW + HOUR)
        bounced = survivor.told.and_then(Event(NOW + 2 * HOUR, "maild", "bounce", "", {"ref": "r1@desk.example"}))
        clocks = clocks_of(office, survivor.ticket, bounced, NOW + 2 * HOUR)
        assert next(one for one, _ in clocks).stopped_at is None

    def test_the_clocks_of_the_one_that_is_gone_end_and_tell_nothing(self, office, side):
        gone = side(2, at=NOW, severity=Severity.URGENT, written=NOW + 20 * MINUTE)
        decisions = on_merge(gone, side(1), office, "ann", NOW + 20 * MINUTE)
        closed = decisions[1]
        assert {(one.state, one.stopped_at, at) for one, at in closed.clocks} == {
            (ClockState.ENDED, NOW + 20 * MINUTE, None)
        }
        later = on_due(closed.ticket, after(gone, closed).told, (), office, NOW + 9 * HOUR)
        assert (later.ticket, later.letters, later.events) == (None, (), ())
        assert "its clocks have ended" in later.because

    def test_a_breach_before_it_stays_on_record(self, office, side):
        gone = side(2, at=NOW, severity=Severity.URGENT, written=NOW + 40 * MINUTE)
        _, closed = merged(office, gone, side(1), NOW + HOUR)
        assert (clock(closed).state, clock(closed).breached_at) == (ClockState.BREACHED, NOW + 30 * MINUTE)
        assert clocks_of(office, closed.ticket, closed.told, NOW + 9 * HOUR)[0][1] is None

    @pytest.mark.parametrize(
        ("theirs", "ours", "given"), [("bob", None, "bob"), ("bob", "ann", "ann"), (None, None, None)]
    )
    def test_whoever_has_it(self, office, side, theirs, ours, given):
        survivor, _ = merged(office, side(2, assignee=theirs), side(1, assignee=ours), NOW + MINUTE)
        assert survivor.ticket.assignee == given

    def test_what_went_into_the_gone_one_goes_with_it(self, office, side):
        erin = Address("", "erin@cable.example")
        third = side(3, reply(NOW + 5 * MINUTE), at=NOW, who=erin)
        second, _ = merged(office, third, side(2, at=NOW + MINUTE, who=DAVE), NOW + 10 * MINUTE)
        first, _ = merged(office, second, side(1, at=NOW + 2 * MINUTE), NOW + 20 * MINUTE)
        assert {one.started_at for one in first.told.clocks} == {NOW}
        assert clock(first).stopped_at is None
        assert family(first.ticket, first.told.events) == {1: CAROL.key, 2: DAVE.key, 3: erin.key}
        assert set(kin(first.told.events)) == {2, 3}
        assert [one.data["recipient"] for one in replies(first.ticket, first.told.events)] == [erin.key]

    @pytest.mark.parametrize(
        ("gone", "into", "words"),
        [
            ({"number": 1}, {}, "ticket 1 cannot go into itself"),
            ({"number": 2, "merged_into": 3}, {}, "ticket 2 was merged into 3 already: merge with that one"),
            ({"number": 2}, {"merged_into": 3}, "ticket 1 was merged into 3 already: merge with that one"),
            ({"number": 2}, {"state": State.RESOLVED}, "ticket 1 is resolved and 2 is not: reopen it first"),
            ({"number": 2}, {"state": State.CLOSED}, "ticket 1 is closed and 2 is not: reopen it first"),
        ],
    )
    def test_refused(self, office, side, gone, into, words):
        refused = on_merge(side(**gone), side(1, **into), office, "ann", NOW)
        assert isinstance(refused, Refused)
        assert refused.because.startswith(words)

    def test_a_command_on_what_is_gone_names_the_survivor(self, office, side):
        _, closed = merged(office, side(2), side(1), NOW + MINUTE)
        for command in (Step.REOPEN, Assign("ann"), Grade(Severity.LOW)):
            refused = on_command(closed.ticket, closed.told, command, office, "ann", NOW + HOUR)
            assert refused == Refused("ticket 2 was merged into 1: decide on that one, or undo it")


@pytest.mark.parametrize(("who", "said"), [(DAVE, True), (CAROL, False), (Address("Ann", "ann@staff.example"), False)])
def test_the_operator_reads_that_there_were_two_customers(office, side, who, said):
    decisions = on_merge(side(2, who=who), side(1), office, "ann", NOW + MINUTE)
    words = (
        "dave@bolt.example is not its customer: answers go to carol@acme.example only; "
        "for copies to dave@bolt.example, too: maild ticket cc 1 dave@bolt.example"
    )
    assert ((words in decisions[0].because), ("ticket cc" in decisions[0].because)) == (said, said)


class TestUndoing:
    def test_a_merge(self, office, side):
        into, gone = side(1), side(2, who=DAVE, severity=Severity.URGENT)
        survivor, closed = merged(office, gone, into, NOW + MINUTE)
        assert partner(survivor.told.events) == 2
        assert partner(closed.told.events) == 1
        for one, other in ((survivor, closed), (closed, survivor)):
            decisions = on_undo(one, other, {1: (), 2: ()}, office, "bob", NOW + HOUR)
            assert [one.ticket for one in decisions] == [into.ticket, gone.ticket]
            assert decisions[0].clocks == clocks_of(office, into.ticket, into.told, NOW + HOUR)
            assert decisions[1].clocks == clocks_of(office, gone.ticket, gone.told, NOW + HOUR)
            assert decisions[0].because.startswith('bob took back: "ann merged ticket 2')
            assert '"; now: new, normal, of carol@acme.example, nobody has it; first_response' in decisions[0].because

    @pytest.mark.parametrize(
        ("who", "placed", "stays"),
        [
            (DAVE, "x", True),
            (CAROL, "our token; that is ticket 2, which was merged into 1", True),
            (CAROL, "our token", False),
            (CAROL, "our token; that is ticket 22, which was merged into 1", False),
        ],
    )
    def test_mail_that_came_since_stays_and_is_named(self, office, side, who, placed, stays):
        survivor, closed = merged(office, side(2, who=who), side(1), NOW + MINUTE)
        came = replace(message(7, NOW + HOUR, who), placed_because=placed)
        event = Event(NOW + HOUR, who.key, "customer_message", "", {"message": 7})
        survivor = Side(survivor.ticket, survivor.told.and_then(event))
        decisions = on_undo(survivor, closed, {1: (came,), 2: ()}, office, "bob", NOW + 2 * HOUR)
        words = (
            "; not taken back: message 7 came since and stays here; to move it: maild ticket split 1 --message 7, "
            "then maild ticket merge the new ticket's number 2"
        )
        assert (words in decisions[0].because) is stays

    def test_a_level_told_of_the_merge_alone_can_be_told_again(self, office, side):
        survivor, closed = merged(office, side(2, at=NOW - 5 * HOUR), side(1), NOW + MINUTE)
        told = on_due(survivor.ticket, survivor.told, (), office, NOW + 2 * MINUTE)
        assert told.escalations
        sent = frozenset((one.metric, one.cycle, one.level) for one in told.escalations)
        survivor = Side(told.ticket, replace(after(survivor, told).told, sent=sent))
        back = on_undo(survivor, closed, {1: (), 2: ()}, office, "bob", NOW + 3 * MINUTE)[0]
        assert set(back.forgotten) == sent
        (first, next_at), *_ = back.clocks
        assert (first.breached_at, next_at) == (None, NOW + HOUR)
        again = Side(back.ticket, replace(survivor.told.and_then(*back.events), sent=frozenset()))
        letters = on_due(again.ticket, again.told, (), office, NOW + 4 * HOUR + MINUTE).letters
        assert {letter.key for letter in letters}.isdisjoint(letter.key for letter in told.letters)

    def test_what_somebody_changed_since_is_left(self, office, side):
        survivor, closed = merged(office, side(2, assignee="bob", severity=Severity.HIGH), side(1), NOW + MINUTE)
        raised = replace(survivor.ticket, assignee="max", severity=Severity.URGENT)
        back = on_undo(Side(raised, survivor.told), closed, {1: (), 2: ()}, office, "bob", NOW + HOUR)[0]
        assert (back.ticket.assignee, back.ticket.severity) == ("max", Severity.URGENT)

    def test_whoever_became_its_customer_stays(self, office, side):
        survivor, closed = merged(office, side(2, who=DAVE), side(1), NOW + MINUTE)
        passed_on = replace(survivor.ticket, requester=DAVE)
        back = on_undo(Side(passed_on, survivor.told), closed, {1: (), 2: ()}, office, "bob", NOW + HOUR)[0]
        assert back.ticket.participants == (CAROL.key, DAVE.key)

    def test_later_decisions_come_first(self, office, side):
        survivor, closed = merged(office, side(2), side(1), NOW + MINUTE)
        later = on_command(survivor.ticket, survivor.told, Assign("bob"), office, "ann", NOW + 2 * MINUTE)
        refused = on_undo(closed, after(survivor, later), {1: (), 2: ()}, office, "ann", NOW + HOUR)
        assert refused.because.startswith(
            "ticket 1 was decided on since (ann assigned it to bob; before, nobody had it)"
        )
        assert on_undo(
            closed, Side(survivor.ticket, Told(survivor.told.events[:1])), {}, office, "ann", NOW
        ).because.startswith("ticket 1 was decided on since: undo that first")

    def test_a_merge_of_the_survivor_comes_first(self, office, side):
        second, third = merged(office, side(3), side(2), NOW + MINUTE)
        first, second = merged(office, second, side(1), NOW + 2 * MINUTE)
        assert isinstance(on_undo(third, second, {}, office, "ann", NOW + HOUR), Refused)
        back = on_undo(second, first, {1: (), 2: ()}, office, "ann", NOW + HOUR)
        assert back[1].ticket.merged_into is None
        second = after(second, back[1])
        assert on_undo(third, second, {3: (), 2: ()}, office, "ann", NOW + 2 * HOUR)[1].ticket.merged_into is None

    @pytest.mark.parametrize(
        ("command", "changes", "since", "words"),
        [
            (Step.RESOLVE, {}, (), ""),
            (Step.PENDING, {}, (), ""),
            (Assign("bob"), {}, (), ""),
            (Assign(None), {"assignee": "bob"}, (), ""),
            (Grade(Severity.LOW), {}, (), ""),
            (Step.RESOLVE, {"state": State.OPEN}, (), "it is open by now"),
            (Step.RESOLVE, {}, ("customer_message",), "its customer wrote after it"),
            (Assign("bob"), {"assignee": "ann"}, (), "ann has it by now"),
            (Assign("bob"), {"assignee": None}, (), "nobody has it by now"),
            (Grade(Severity.LOW), {"severity": Severity.HIGH}, (), "it is high by now"),
        ],
    )
    def test_steps(self, office, side, command, changes, since, words):
        assignee = changes.pop("assignee", None) if command == Assign(None) else None
        one = side(1, assignee=assignee)
        done = after(one, on_command(one.ticket, one.told, command, office, "ann", NOW + MINUTE))
        done = Side(
            replace(done.ticket, **changes),
            done.told.and_then(*(Event(NOW + 2 * MINUTE, CAROL.key, what, "") for what in since)),
        )
        undone = on_undo(done, None, {}, office, "bob", NOW + HOUR)
        if words:
            assert f"cannot be undone, {words}: ann " in undone.because
            return
        (decision,) = undone
        assert decision.ticket == one.ticket
        assert decision.clocks == clocks_of(office, one.ticket, one.told, NOW + HOUR)
        assert last_decision(after(done, decision).told.events) is None

    def test_nothing_to_undo(self, office, side):
        refused = on_undo(side(1), None, {}, office, "ann", NOW)
        assert refused == Refused("nobody decided anything on ticket 1 that could be undone")
        assert partner(side(1).told.events) is None

    def test_links(self, office, side):
        one, two = side(1), side(2)
        here, there = on_link(one, two, "ann", NOW + MINUTE)
        assert (here.ticket, here.clocks, here.letters) == (one.ticket, None, ())
        one, two = after(one, here), after(two, there)
        assert on_link(two, one, "ann", NOW) == Refused("tickets 2 and 1 are linked already")
        back = on_undo(two, one, {}, office, "bob", NOW + HOUR)
        assert [decision.ticket.number for decision in back] == [2, 1]
        assert {decision.unlinked for decision in back} == {((1, 2),)}
        for side_, decision in zip((two, one), back, strict=True):
            assert [event.what for event in standing(after(side_, decision).told.events)] == ["opened"]
        assert on_link(one, one, "ann", NOW) == Refused("ticket 1 cannot be linked to itself")
        gone = Side(replace(two.ticket, merged_into=3), two.told)
        assert on_link(one, gone, "ann", NOW) == Refused("ticket 2 was merged into 3: link that one")


def message(number, at, sender, kind="customer", ticket=1):
    return Message(
        number, ticket, f"m{number}@x", at, sender, kind, "", "placed", "Hello", "text", "d", "b", ("csm@desk.example",)
    )


lives = st.lists(
    st.one_of(
        st.builds(lambda m: reply(NOW + m * MINUTE, ref=f"r{m}@x"), st.integers(1, 300)),
        st.builds(lambda m: Event(NOW + m * MINUTE, CAROL.key, "customer_message", "", {}), st.integers(1, 300)),
        st.builds(
            lambda m, to: Event(NOW + m * MINUTE, "ann", "status", "", {"to": to}),
            st.integers(1, 300),
            st.sampled_from(["waiting", "resolved", "open", "closed"]),
        ),
        st.builds(
            lambda m, to: Event(NOW + m * MINUTE, "ann", "set_severity", "", {"to": to}),
            st.integers(1, 300),
            st.sampled_from(list(Severity)),
        ),
    ),
    max_size=8,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    here=lives,
    there=lives,
    start=st.integers(0, 200),
    who=st.sampled_from([CAROL, DAVE]),
    at=st.integers(301, 400),
    later=st.integers(401, 2000),
)
def test_a_merge_undone_is_no_merge(office, side, here, there, start, who, at, later):
    def lived(number, events, began, who):
        """A ticket that stands where its events say."""
        events = sorted((one for one in events if one.at >= began), key=lambda one: one.at)
        one = side(number, *events, at=began, who=who, written=NOW + at * MINUTE)
        state = state_of_(office, one, NOW + at * MINUTE)
        severity = next(
            (Severity(e.data["to"]) for e in reversed(events) if e.what == "set_severity"), one.ticket.severity
        )
        rests = state in {State.RESOLVED, State.CLOSED}
        stopped = clock(one, Metric.RESOLUTION).stopped_at
        first = next((c.stopped_at for c in one.told.clocks if c.metric is Metric.FIRST_RESPONSE), None)
        ticket = replace(
            one.ticket,
            state=state,
            severity=severity,
            resolved_at=stopped if rests else None,
            closed_at=stopped if state is State.CLOSED else None,
            first_response_at=first,
            first_response_evidence="a reply" if first else "",
        )
        return Side(ticket, one.told)

    into, gone = lived(1, here, NOW, CAROL), lived(2, there, NOW + start * MINUTE, who)
    decisions = on_merge(gone, into, office, "ann", NOW + at * MINUTE)
    if isinstance(decisions, Refused):
        assert "reopen it first" in decisions.because
        return
    survivor, closed = after(into, decisions[0]), after(gone, decisions[1])
    assert state_of_(office, survivor, NOW + at * MINUTE) is survivor.ticket.state
    assert min(one.started_at for one in survivor.told.clocks if one.metric is Metric.RESOLUTION) == min(
        into.ticket.opened_at, gone.ticket.opened_at
    )
    assert survivor.ticket.severity.rank == min(into.ticket.severity.rank, gone.ticket.severity.rank)
    for one in survivor.told.clocks:
        assert all(start <= (end or NOW + at * MINUTE) for start, end in one.spans)
        assert [span[0] for span in one.spans] == sorted(span[0] for span in one.spans)
    back = on_undo(closed, survivor, {1: (), 2: ()}, office, "ann", NOW + later * MINUTE)
    assert [decision.ticket for decision in back] == [into.ticket, gone.ticket]
    for decision, before in zip(back, (into, gone), strict=True):
        assert decision.clocks == clocks_of(office, before.ticket, before.told, NOW + later * MINUTE)


def state_of_(office, side, now):
    from maild.desk.past import history  # noqa: PLC0415 - beside its only use

    return state_of(history(side.ticket, side.told.events), office.policy(side.ticket.policy), now)


def test_an_undoing_of_what_never_was_changes_nothing():
    born = Event(NOW, "carol@acme.example", "opened", "", {"severity": "normal"})
    assert standing((born, Event(NOW, "ann", "undone", "", {"what": "status", "at": NOW.isoformat()}))) == (born,)
    assert standing((born, Event(NOW, "ann", "undone", "", {"what": "opened", "at": "2026-03-11T08:00:00+00:00"}))) == (
        born,
    )
