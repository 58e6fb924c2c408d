"""The ladder: who is told what, when, once. Times are of Monday 9 March 2026, UTC, unless they say another day."""

from datetime import UTC, datetime, timedelta

import pytest

from maild.sla.clock import History, SlaEvent
from maild.sla.fold import fold
from maild.sla.hours import ALWAYS, Calendar
from maild.sla.ladder import DEFAULT, LadderError, Rung, due_levels, levels, next_level_at
from maild.sla.policy import Metric, standard
from maild.ticket import Severity

WEEK = Calendar.from_json(
    {"tz": "UTC", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
)
POLICY = standard(WEEK, ALWAYS)
FIRST, RESOLUTION = Metric.FIRST_RESPONSE, Metric.RESOLUTION
TICK = timedelta(microseconds=1)
NONE: frozenset[str] = frozenset()


def at(text: str) -> datetime:
    days, _, time = text.rpartition(" ")
    hour, minute = time.split(":")
    return datetime(2026, 3, 9, int(hour), int(minute), tzinfo=UTC) + timedelta(days=int(days or 0))


def clock(now, *events, metric=FIRST, severity=Severity.NORMAL):
    life = History(at("09:00"), "customer", severity, tuple(SlaEvent(at(time), *rest) for time, *rest in events))
    return next(each for each in fold(life, POLICY, at(now)) if each.metric is metric)


def test_the_default_ladder_in_order_of_time():
    assert [(level.name, level.at, level.notify, level.is_breach) for level in levels(clock("09:00"), WEEK)] == [
        ("target", at("10:00"), ("assignee",), False),
        ("75%", at("12:00"), ("assignee",), False),
        ("90%", at("12:36"), ("assignee", "team"), False),
        ("limit", at("13:00"), ("assignee", "lead"), True),
        ("limit+100%", at("17:00"), ("manager",), True),
        ("limit+100%, day 1", at("+1 17:00"), ("manager",), True),
        ("limit+100%, day 2", at("+2 17:00"), ("manager",), True),
        ("limit+100%, day 3", at("+3 17:00"), ("manager",), True),
    ]


def test_repeats_skip_the_weekend():
    late = levels(clock("09:00", metric=RESOLUTION, severity=Severity.HIGH), WEEK)
    assert [level.at for level in late[-4:]] == [at("+4 13:00"), at("+7 09:00"), at("+8 09:00"), at("+9 09:00")]


def test_levels_may_come_before_the_target():
    urgent = clock("09:00", metric=RESOLUTION, severity=Severity.URGENT)
    assert [level.name for level in levels(urgent, ALWAYS)][:4] == ["75%", "90%", "target", "limit"]


def test_levels_of_one_instant_are_one_mail_at_the_highest():
    urgent = clock("09:00", metric=RESOLUTION, severity=Severity.URGENT)
    sent = frozenset({"75%", "90%"})
    assert next_level_at(urgent, ALWAYS, DEFAULT, sent) == at("10:00") + TICK
    assert due_levels(urgent, ALWAYS, DEFAULT, sent, at("10:00")) is None, "a reply now would be in time"
    mail = due_levels(urgent, ALWAYS, DEFAULT, sent, at("10:00") + TICK)
    assert mail is not None
    assert (mail.name, mail.covered, mail.notify, mail.is_breach) == (
        "limit",
        ("target", "limit"),
        ("assignee", "lead"),
        True,
    )


def walk(ladder, *events, until, metric=FIRST, severity=Severity.NORMAL, calendar=WEEK):
    """Let time pass as the daemon does: sleep until the next level, tell it, note what it covers."""
    sent, told, now = NONE, [], "09:00"
    while True:
        instant = next_level_at(clock(now, *events, metric=metric, severity=severity), calendar, ladder, sent)
        if instant is None or instant > at(until):
            return told
        minute = instant if instant.second == instant.microsecond == 0 else instant + timedelta(minutes=1)
        now = f"+{(minute - at('00:00')).days} {minute:%H:%M}"
        mail = due_levels(clock(now, *events, metric=metric, severity=severity), calendar, ladder, sent, at(now))
        assert mail is not None, "what was announced is owed"
        told.append((mail.name, mail.is_breach))
        sent |= frozenset(mail.covered)


@pytest.mark.parametrize(
    ("ladder", "told"),
    [
        (
            DEFAULT,
            [
                ("target", False),
                ("75%", False),
                ("90%", False),
                ("limit", True),
                ("limit+100%", True),
                ("limit+100%, day 1", True),
                ("limit+100%, day 2", True),
                ("limit+100%, day 3", True),
            ],
        ),
        ((Rung("target", ("assignee",)), Rung("limit", ("lead",))), [("target", False), ("limit", True)]),
        ((Rung("limit", ("lead",)),), [("limit", True)]),
        ((), []),
    ],
)
def test_every_level_once(ladder, told):
    assert walk(ladder, until="+30 12:00") == told


def test_after_downtime_one_mail_goes_to_the_union():
    late = clock("16:00")
    mail = due_levels(late, WEEK, DEFAULT, NONE, at("16:00"))
    assert mail is not None
    assert (mail.name, mail.at, mail.is_breach) == ("limit", at("13:00"), True)
    assert mail.covered == ("target", "75%", "90%", "limit")
    assert mail.notify == ("assignee", "team", "lead")
    assert mail.because == (
        "limit was reached at 2026-03-09T13:00:00Z; this also covers target, 75%, 90%, not told before"
    )
    rest = frozenset(mail.covered)
    assert due_levels(late, WEEK, DEFAULT, rest, at("16:00")) is None
    assert next_level_at(late, WEEK, DEFAULT, rest) == at("17:00") + TICK


@pytest.mark.parametrize(
    ("events", "sent", "now", "name", "words", "why"),
    [
        ([("10:30", "agent_reply")], NONE, "16:00", None, "", "answered in time: late warnings help nobody"),
        ([("13:30", "agent_reply")], NONE, "16:00", "limit", "answered late, at 2026-03-09T13:30", "R14"),
        ([("13:30", "agent_reply")], frozenset({"limit"}), "+3 16:00", None, "", "told already"),
        ([("+3 10:00", "agent_reply")], NONE, "+4 11:00", "limit+100%, day 2", "answered late", "the highest reached"),
        ([("+4 10:00", "agent_reply")], frozenset({"limit"}), "+4 11:00", None, "", "an answer ends the ladder"),
        ([], frozenset({"target"}), "11:00", None, "", "told already"),
        ([("13:30", "set_severity", "low")], NONE, "14:00", "limit", "", "R5: the record stays, and is told"),
        (
            [("13:30", "set_severity", "low")],
            frozenset({"limit"}),
            "+1 10:00",
            None,
            "",
            "after a breach no mere warnings",
        ),
        ([("12:00", "set_severity", "urgent")], NONE, "12:00", "limit+100%", "a new severity made it late", "R5"),
    ],
)
def test_what_is_owed(events, sent, now, name, words, why):
    mail = due_levels(clock(now, *events), WEEK, DEFAULT, sent, at(now))
    assert (mail.name if mail else None) == name, why
    assert mail is None or words in mail.because


@pytest.mark.parametrize(
    ("events", "now", "owed", "why"),
    [
        ([("09:30", "status", "waiting")], "12:00", False, "a pause in time"),
        ([("10:30", "status", "waiting")], "12:00", True, "a pause after a breach nobody has told"),
    ],
)
def test_pauses(events, now, owed, why):
    paused = clock(now, *events, metric=RESOLUTION, severity=Severity.URGENT)
    mail = due_levels(paused, ALWAYS, DEFAULT, NONE, at(now))
    assert (mail is not None) is owed, why
    assert (next_level_at(paused, ALWAYS) is not None) is owed, why
    if mail is not None:
        assert mail.covered == ("75%", "90%", "target", "limit")
        assert "paused now" in mail.because
        assert next_level_at(paused, ALWAYS, DEFAULT, frozenset(mail.covered)) is None


def test_repeats_do_not_fall_into_a_pause():
    life = [("11:30", "status", "waiting"), ("+3 12:00", "customer_message")]
    resumed = clock("+3 13:00", *life, metric=RESOLUTION, severity=Severity.URGENT)
    assert [level.at for level in levels(resumed, ALWAYS) if level.name.startswith("limit+100%")] == [
        at("11:00"),
        at("+3 12:00"),
        at("+4 12:00"),
        at("+5 12:00"),
    ]
    ended = clock("+2 08:00", ("+1 20:00", "status", "resolved"), metric=RESOLUTION, severity=Severity.URGENT)
    assert [level.name for level in levels(ended, ALWAYS)][3:] == ["limit", "limit+100%", "limit+100%, day 1"]


def test_after_a_lowered_severity_warnings_ride_with_the_next_breach():
    lowered = clock("14:00", ("13:30", "set_severity", "low"))
    assert next_level_at(lowered, WEEK, DEFAULT, frozenset({"target", "limit"})) == at("+2 17:00") + TICK
    mail = due_levels(lowered, WEEK, DEFAULT, frozenset({"target", "limit"}), at("+2 17:01"))
    assert mail is not None
    assert mail.covered == ("75%", "90%", "limit+100%")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (("100%", ("lead",)), "'100%' is no step"),
        (("0%", ("lead",)), "'0%' is no step"),
        (("limit+0%", ("lead",)), "is no step"),
        (("breach", ("lead",)), "'breach' is no step"),
        (("limit", ()), "notifies nobody"),
        (("limit", ("boss",)), "notifies 'boss'; known are assignee, team, lead, manager"),
    ],
)
def test_steps_that_cannot_be_read(step, words):
    with pytest.raises(LadderError, match=words):
        Rung(*step)


@pytest.mark.parametrize(("step", "instant"), [("50%", "11:00"), ("limit+50%", "15:00"), ("limit", "13:00")])
def test_steps_of_other_sizes(step, instant):
    assert [level.at for level in levels(clock("09:00"), WEEK, (Rung(step, ("team",)),))] == [at(instant)]
