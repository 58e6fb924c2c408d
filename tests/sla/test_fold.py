"""Clocks out of events: R1 to R12, one row a story. Times are of Monday 9 March 2026, UTC, unless they say another day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.sla.clock import ClockState, History, SlaEvent, due
from maild.sla.fold import Cycle, fold, next_cycles
from maild.sla.hours import ALWAYS, Calendar, CalendarError, weekdays
from maild.sla.policy import Metric, Policy, standard
from maild.ticket import Severity

WEEK = Calendar.from_json(
    {"tz": "UTC", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
)
POLICY = standard(WEEK, ALWAYS)


def at(text: str) -> datetime:
    """Read `10:30`, or `+2 10:30` for two days later."""
    days, _, time = text.rpartition(" ")
    hour, minute = time.split(":")
    return datetime(2026, 3, 9, int(hour), int(minute), tzinfo=UTC) + timedelta(days=int(days or 0))


def event(text: str) -> SlaEvent:
    """Read `10:30 kind key=value ...`."""
    parts = text.split()
    days = f"{parts.pop(0)} " if parts[0].startswith("+") else ""
    return SlaEvent(at(days + parts[0]), parts[1], **dict(part.split("=") for part in parts[2:]))


def history(*events: str, severity: Severity = Severity.NORMAL, opened_by: str = "customer") -> History:
    return History(at("09:00"), opened_by, severity, tuple(event(text) for text in events))


def clock(metric: Metric, life: History, now: str, policy: Policy = POLICY):
    return next(each for each in fold(life, policy, at(now)) if each.metric is metric)


FIRST, RESOLUTION, NEXT = Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.NEXT_RESPONSE


@pytest.mark.parametrize(
    ("metric", "events", "now", "state", "stopped", "breached", "why"),
    [
        (FIRST, [], "13:00", "running", None, None, "R4: a reply now would still be in time"),
        (FIRST, [], "13:01", "breached", None, "13:00", "R4"),
        (FIRST, ["13:00 agent_reply"], "15:00", "met", "13:00", None, "R4: at the limit"),
        (FIRST, ["13:01 agent_reply"], "15:00", "breached", "13:01", "13:00", "R4: late"),
        (FIRST, ["14:00 agent_reply"], "13:30", "breached", None, "13:00", "the reply is still to come"),
        (
            FIRST,
            ["10:00 auto_reply", "10:01 agent_note", "10:02 agent_forward to=x@y.example"],
            "12:00",
            "running",
            None,
            None,
            "R6",
        ),
        (FIRST, ["10:00 duplicate_delivery"], "12:00", "running", None, None, "nothing happened"),
        (FIRST, ["10:00 agent_reply", "11:00 bounce"], "12:00", "running", None, None, "R6: it bounced"),
        (
            FIRST,
            ["10:00 agent_reply", "14:00 bounce"],
            "15:00",
            "breached",
            None,
            "13:00",
            "R6: as if it had not been sent",
        ),
        (
            FIRST,
            ["10:00 agent_reply", "11:00 agent_reply", "11:30 bounce"],
            "12:00",
            "met",
            "10:00",
            None,
            "R6: the last bounced",
        ),
        (
            FIRST,
            ["10:00 agent_reply", "11:00 agent_reply", "11:30 bounce", "11:31 bounce"],
            "12:00",
            "running",
            None,
            None,
            "R6: both",
        ),
        (
            FIRST,
            ["10:00 agent_reply ref=a", "11:00 agent_reply ref=b", "11:30 bounce ref=a"],
            "12:00",
            "met",
            "11:00",
            None,
            "R6: a bounced",
        ),
        (
            FIRST,
            ["10:00 agent_reply ref=a", "11:30 bounce ref=ack"],
            "12:00",
            "met",
            "10:00",
            None,
            "something else bounced",
        ),
        (FIRST, ["10:00 bounce", "10:30 agent_reply"], "12:00", "met", "10:30", None, "it was not there to bounce yet"),
        (FIRST, ["10:00 status to=waiting"], "13:01", "breached", None, "13:00", "R10: never pauses"),
        (FIRST, ["10:00 status to=resolved"], "13:01", "breached", None, "13:00", "R12: resolved unanswered"),
        (FIRST, ["10:00 agent_reply status=resolved"], "13:01", "met", "10:00", None, "R12: with a mail"),
        (FIRST, ["11:00 agent_reply", "10:00 agent_reply"], "13:01", "met", "10:00", None, "by instant, not by order"),
        (FIRST, ["08:00 agent_reply"], "12:00", "met", "09:00", None, "a clock stepped back: not before the ticket"),
        (FIRST, ["+5 10:00 agent_reply"], "+6 12:00", "breached", "+5 10:00", "13:00", "late by days"),
        (RESOLUTION, [], "+2 17:00", "running", None, None, "R2: the limit is the closing instant"),
        (RESOLUTION, [], "+3 09:00", "breached", None, "+2 17:00", "R2: and it is over at the next opening"),
        (RESOLUTION, ["10:00 status to=pending"], "+9 12:00", "paused", None, None, "R10"),
        (RESOLUTION, ["10:00 agent_reply status=waiting"], "+9 12:00", "paused", None, None, "R10"),
        (
            RESOLUTION,
            ["10:00 agent_reply status=waiting", "11:00 bounce"],
            "12:00",
            "running",
            None,
            None,
            "he never got the question",
        ),
        (
            RESOLUTION,
            ["10:00 status to=waiting", "11:00 agent_reply"],
            "12:00",
            "paused",
            None,
            None,
            "an agent's word ends no pause",
        ),
        (
            RESOLUTION,
            ["10:00 status to=waiting", "11:00 auto_reply"],
            "12:00",
            "paused",
            None,
            None,
            "nor does an automatic one",
        ),
        (RESOLUTION, ["10:00 status to=waiting", "11:00 customer_message"], "12:00", "running", None, None, "R10"),
        (RESOLUTION, ["10:00 status to=waiting", "11:00 status to=open"], "12:00", "running", None, None, "R10"),
        (
            RESOLUTION,
            ["10:00 status to=waiting", "11:00 status to=waiting"],
            "12:00",
            "paused",
            None,
            None,
            "said twice",
        ),
        (RESOLUTION, ["10:00 status to=open"], "12:00", "running", None, None, "it was open"),
        (RESOLUTION, ["10:00 status to=resolved"], "12:00", "met", "10:00", None, "resolved"),
        (RESOLUTION, ["10:00 status to=closed"], "12:00", "met", "10:00", None, "closed is as good"),
        (
            RESOLUTION,
            ["10:00 status to=resolved", "11:00 status to=closed"],
            "12:00",
            "met",
            "10:00",
            None,
            "closed later",
        ),
        (
            RESOLUTION,
            ["10:00 status to=resolved", "11:00 status to=waiting"],
            "12:00",
            "met",
            "10:00",
            None,
            "no way to pending",
        ),
        (
            RESOLUTION,
            ["10:00 status to=waiting", "11:00 status to=resolved"],
            "12:00",
            "met",
            "11:00",
            None,
            "resolved out of pending",
        ),
        (RESOLUTION, ["10:00 status to=resolved", "11:00 customer_message"], "12:00", "running", None, None, "R11"),
        (RESOLUTION, ["10:00 status to=resolved", "11:00 status to=open"], "12:00", "running", None, None, "R11"),
        (RESOLUTION, ["10:00 status to=closed", "11:00 status to=open"], "12:00", "running", None, None, "R11"),
        (
            RESOLUTION,
            ["10:00 set_severity to=urgent"],
            "10:00",
            "running",
            None,
            None,
            "R5: the new limit is this instant",
        ),
        (
            RESOLUTION,
            ["10:01 set_severity to=urgent"],
            "10:01",
            "breached",
            None,
            "10:01",
            "R5: recorded at the change",
        ),
        (
            RESOLUTION,
            ["10:01 set_severity to=urgent", "10:02 set_severity to=low"],
            "10:03",
            "breached",
            None,
            "10:01",
            "R5: it stays",
        ),
        (
            RESOLUTION,
            ["09:10 set_severity to=urgent", "10:02 set_severity to=low"],
            "10:03",
            "breached",
            None,
            "10:00",
            "R5: it stays",
        ),
        (
            RESOLUTION,
            ["09:30 set_severity to=urgent", "09:40 status to=waiting"],
            "14:00",
            "paused",
            None,
            None,
            "paused in time",
        ),
        (
            RESOLUTION,
            ["09:30 status to=waiting", "14:00 set_severity to=urgent"],
            "15:00",
            "paused",
            None,
            None,
            "only 30 min have run",
        ),
        (
            RESOLUTION,
            ["11:30 status to=waiting", "14:00 set_severity to=urgent"],
            "15:00",
            "breached",
            None,
            "14:00",
            "R5, in a pause",
        ),
        (
            RESOLUTION,
            ["11:00 status to=resolved", "14:00 set_severity to=urgent"],
            "15:00",
            "met",
            "11:00",
            None,
            "R5: never judged again",
        ),
        (
            RESOLUTION,
            ["11:00 status to=resolved", "14:00 set_severity to=urgent", "15:00 status to=open"],
            "15:00",
            "breached",
            None,
            "15:00",
            "reopened under limits that are over",
        ),
    ],
)
def test_rules(metric, events, now, state, stopped, breached, why):
    found = clock(metric, history(*events), now)
    assert found.state == state, why
    assert found.stopped_at == (at(stopped) if stopped else None), why
    assert found.breached_at == (at(breached) if breached else None), why


def test_a_pause_that_begins_at_the_limit_is_judged_when_it_ends():
    life = history("09:00 set_severity to=urgent", "10:00 status to=waiting", "12:00 customer_message")
    assert clock(RESOLUTION, life, "11:00").state is ClockState.PAUSED
    assert clock(RESOLUTION, life, "12:01").breached_at == at("10:00")


def test_a_breach_shows_through_a_pause():
    life = history("10:30 status to=waiting", severity=Severity.URGENT)
    found = clock(RESOLUTION, life, "11:00")
    assert found.paused
    assert (found.state, found.breached_at, found.limit_at) == (ClockState.BREACHED, at("10:00"), None)


@pytest.mark.parametrize(
    ("events", "flagged"),
    [
        ([], False),
        (["10:30 set_severity to=urgent"], False),
        (["09:30 set_severity to=urgent"], False),
        (["09:40 set_severity to=urgent", "09:50 set_severity to=high"], False),
    ],
)
def test_only_a_limit_in_the_past_is_by_reclassification(events, flagged):
    assert clock(FIRST, history("09:29 agent_reply", *events), "16:00").by_reclassification is flagged
    assert clock(FIRST, history("09:31 set_severity to=urgent"), "16:00").by_reclassification is True


def test_a_met_clock_keeps_the_promise_it_was_met_under():
    found = clock(FIRST, history("09:50 agent_reply", "10:00 set_severity to=urgent"), "16:00")
    assert (found.calendar_name, found.limit_seconds, found.limit_at) == ("weekdays", 4 * 3600, at("13:00"))


def test_pauses_are_cut_out_and_counted_in_open_seconds():
    life = history("10:00 status to=waiting", "+1 10:00 customer_message", "+1 12:00 agent_reply status=waiting")
    found = clock(RESOLUTION, life, "+1 14:00")
    assert found.spans == ((at("09:00"), at("10:00")), (at("+1 10:00"), at("+1 12:00")))
    assert found.paused_seconds == (7 + 1 + 2) * 3600
    assert found.elapsed_seconds is None
    assert found.started_at == at("09:00")


def test_a_reopened_clock_goes_on_where_it_was():
    life = history("11:00 status to=resolved", "+1 09:00 customer_message", "+1 10:00 status to=resolved")
    found = clock(RESOLUTION, life, "+1 12:00")
    assert found.elapsed_seconds == 3 * 3600
    assert found.paused_seconds == 0
    assert (found.target_at, found.limit_at) == (at("+2 11:00"), at("+3 15:00"))


def test_deadlines_of_a_clock_resolved_out_of_a_pause_go_on_from_the_stop():
    found = clock(RESOLUTION, history("10:00 status to=waiting", "12:00 status to=resolved"), "14:00")
    assert found.course == ((at("09:00"), at("10:00")), (at("12:00"), None))
    assert found.target_at == at("+1 15:00")
    assert found.elapsed_seconds == 3600


@pytest.mark.parametrize(
    ("events", "start", "why"),
    [
        ([], None, "R9: no customer has written"),
        (["10:00 agent_reply"], None, "R9: nor does our own word start it"),
        (["10:00 customer_message", "10:30 customer_message"], "10:00", "R9: his first message"),
    ],
)
def test_tickets_opened_by_an_agent(events, start, why):
    clocks = fold(history(*events, opened_by="agent"), POLICY, at("11:00"))
    firsts = [each.started_at for each in clocks if each.metric is FIRST]
    assert firsts == ([at(start)] if start else []), why
    assert next(each for each in clocks if each.metric is RESOLUTION).started_at == at("09:00")


@pytest.mark.parametrize(
    ("events", "cycles", "why"),
    [
        (["10:00 customer_message"], [], "R7: the first response is still owed"),
        (["10:00 agent_reply", "11:00 customer_message"], [("11:00", None)], "R7"),
        (
            ["10:00 agent_reply", "11:00 customer_message", "11:30 customer_message"],
            [("11:00", None)],
            "R7: the oldest counts",
        ),
        (["10:00 agent_reply", "11:00 customer_message", "12:00 agent_reply"], [("11:00", "12:00")], "R7"),
        (["10:00 agent_reply", "11:00 agent_reply"], [], "nobody asked"),
        (["10:00 agent_reply", "11:00 customer_message", "12:00 auto_reply"], [("11:00", None)], "R7: nobody answered"),
        (
            ["10:00 agent_reply", "11:00 customer_message", "12:00 status to=resolved"],
            [("11:00", None)],
            "R12: no word",
        ),
        (
            ["10:00 agent_reply", "11:00 customer_message", "12:00 agent_reply", "13:00 customer_message"],
            [("11:00", "12:00"), ("13:00", None)],
            "R7: twice",
        ),
        (["10:00 agent_reply", "11:00 customer_message", "12:00 agent_reply", "12:30 bounce"], [("11:00", None)], "R6"),
        (
            ["10:00 agent_reply ref=a", "11:00 customer_message", "12:00 bounce ref=a"],
            [],
            "R6: the first response is owed again",
        ),
    ],
)
def test_next_response_cycles(events, cycles, why):
    found = next_cycles(history(*events), POLICY, at("16:00"))
    assert found == tuple(Cycle(at(start), at(met) if met else None) for start, met in cycles), why
    assert all(each.metric is not NEXT for each in fold(history(*events), POLICY, at("16:00"))), "nothing is promised"


def with_next(*severities: Severity) -> Policy:
    return Policy(
        "",
        {
            severity: replace(promise, next_response=(1800, 3600)) if severity in severities else promise
            for severity, promise in POLICY.promises.items()
        },
    )


def test_next_response_clocks_run_where_they_are_promised():
    asked = ("10:00 agent_reply", "11:00 customer_message", "11:30 agent_reply", "12:00 customer_message")
    clocks = [each for each in fold(history(*asked), with_next(Severity.NORMAL), at("13:30")) if each.metric is NEXT]
    assert [(each.cycle, each.state, each.stopped_at, each.breached_at) for each in clocks] == [
        (1, ClockState.MET, at("11:30"), None),
        (2, ClockState.BREACHED, None, at("13:00")),
    ]
    assert (clocks[1].target_seconds, clocks[1].limit_seconds) == (1800, 3600)


def test_a_severity_without_a_next_response_leaves_a_running_one_alone():
    asked = ("10:00 agent_reply", "11:00 customer_message", "11:10 set_severity to=high")
    found = clock(NEXT, history(*asked), "11:30", with_next(Severity.NORMAL))
    assert (found.calendar_name, found.limit_seconds, found.state) == ("weekdays", 3600, ClockState.RUNNING)


def test_an_answer_closes_a_cycle_that_had_no_clock():
    policy = with_next(Severity.HIGH)
    early = ("10:00 agent_reply", "11:00 customer_message", "11:10 set_severity to=high", "11:20 agent_reply")
    assert next_cycles(history(*early), policy, at("12:00")) == (Cycle(at("11:00"), at("11:20")),)
    assert all(each.metric is not NEXT for each in fold(history(*early), policy, at("12:00")))
    later = (*early, "11:30 customer_message", "11:40 agent_reply", "11:50 set_severity to=low")
    mixed = (*later, "12:00 customer_message", "12:10 agent_reply")
    clocks = [each for each in fold(history(*mixed), policy, at("13:00")) if each.metric is NEXT]
    assert [(each.cycle, each.stopped_at) for each in clocks] == [(2, at("11:40"))]


def test_a_recorded_breach_stays_whatever_the_fold_makes_of_it():
    recorded = {(FIRST, 1): at("09:20")}
    first, resolution = fold(history("09:30 agent_reply"), POLICY, at("10:00"), recorded)
    assert (first.state, first.breached_at, first.stopped_at) == (ClockState.BREACHED, at("09:20"), at("09:30"))
    assert resolution.breached_at is None


def test_before_the_ticket_is_there_its_clocks_stand_at_their_start():
    first, resolution = fold(history(), POLICY, at("08:00"))
    assert (first.state, resolution.state) == (ClockState.RUNNING, ClockState.RUNNING)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (["10:00 telephone"], "'telephone' is no event"),
        (["10:00 status to=done"], "'done' is no status"),
        (["10:00 agent_reply status=done"], "'done' is no status"),
        (["10:00 set_severity to=fatal"], "fatal"),
    ],
)
def test_words_that_do_not_exist(events, words):
    with pytest.raises(ValueError, match=words):
        fold(history(*events), POLICY, at("11:00"))


def test_a_calendar_that_is_over_says_so():
    over = Calendar.from_json({"shifts": {"2020-01-01": [["09:00", "17:00"]]}})
    with pytest.raises(CalendarError, match="last shift date is over"):
        fold(history(), standard(over, ALWAYS), at("10:00"))


@pytest.mark.parametrize(
    ("spans", "seconds", "percent", "reached"),
    [
        ([("09:00", None)], 3600, 100, "10:00"),
        ([("09:00", None)], 3600, 50, "09:30"),
        ([("09:00", "10:00")], 3600, 100, "10:00"),
        ([("09:00", "10:00")], 3601, 100, None),
        ([("09:00", "10:00"), ("12:00", None)], 7200, 100, "13:00"),
        ([("09:00", "10:00"), ("12:00", "13:00")], 7200, 200, None),
        ([("18:00", "19:00"), ("20:00", None)], 0, 100, "+1 09:00"),
        ([("18:00", "19:00"), ("20:00", "21:00")], 0, 100, None),
        ([("16:00", "18:00"), ("20:00", None)], 3600, 100, "17:00"),
        ([("16:00", "18:00"), ("20:00", None)], 3660, 100, "+1 09:01"),
    ],
)
def test_due(spans, seconds, percent, reached):
    found = due(WEEK, tuple((at(start), at(end) if end else None) for start, end in spans), seconds, percent)
    assert found == (at(reached) if reached else None)


def test_percentages_are_exact():
    assert due(ALWAYS, ((at("09:00"), None),), 1, 75) == at("09:00") + timedelta(milliseconds=750)


def test_a_policy_on_another_calendar_keeps_urgent_round_the_clock():
    other = weekdays("Europe/Berlin")
    policy = POLICY.on("berlin", other)
    assert policy.promise(Severity.URGENT).calendar is ALWAYS
    assert {policy.promise(severity).calendar_name for severity in Severity} == {"always", "berlin"}
    assert policy.calendar("berlin") is other
    with pytest.raises(KeyError):
        policy.calendar("weekdays")
