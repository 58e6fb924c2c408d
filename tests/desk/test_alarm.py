"""When the alarm sounds, what each way to people hears of it, and what it says."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.desk.alarm import (
    SETTLE,
    SILENT,
    Alarm,
    Away,
    Ear,
    Rule,
    Step,
    Word,
    begun,
    said,
    step,
    trouble,
)
from maild.desk.alarm_told import kept, recalled, report
from maild.outbound.delayed import Stuck, Waiting

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULE = Rule(after=10 * MINUTE, again=60 * MINUTE)
LONG_AGO = NOW - timedelta(days=1)


def ago(minutes, kind="relay", number=1):
    return Stuck(number, kind, 1042, NOW - minutes * MINUTE, 0)


def waiting(mail, moved=None, *, overtaken=False):
    urgent = mail.kind in ("escalation", "digest")
    moved = None if moved is None else NOW - moved * MINUTE
    first = None if overtaken else mail
    return Waiting(1, int(urgent), mail, mail if urgent else None, first, moved, "451 later")


@pytest.mark.parametrize(
    ("seen", "because"),
    [
        (Waiting(), None),
        (waiting(ago(9)), None),
        (waiting(ago(10)), "a mail (relay) has waited for 10m, and none that was owed later has left"),
        # The way out is open: it is this mail that is held up, or there are many.
        (waiting(ago(50), moved=2, overtaken=True), None),
        (waiting(ago(50), moved=2), None),
        (waiting(ago(50), moved=10), "a mail (relay) has waited for 50m, and none that was owed later has left"),
        (waiting(ago(4, "escalation")), None),
        (waiting(ago(5, "escalation")), "a mail of escalation has waited for 5m"),
        (waiting(ago(5, "digest"), moved=0, overtaken=True), "a mail of escalation has waited for 5m"),
        (
            Waiting(refused=ago(0, "escalation")),
            "a mail of escalation was refused for good, and none that was owed later has left",
        ),
        (Away(NOW - 4 * MINUTE, "no route"), None),
        (Away(NOW - 5 * MINUTE, "no route"), "the ledger cannot be read for 5m, so nothing leaves: no route"),
    ],
)
def test_what_is_an_alarm(seen, because):
    found = trouble(seen, RULE, NOW)
    assert (found and found.because) == because
    alarm = step(SILENT, seen, RULE, ("log",), NOW, settled=LONG_AGO).alarm
    assert alarm.sounds == (because is not None)


def test_what_waits_at_the_start_has_a_while_to_leave():
    old = waiting(ago(50))
    first = step(SILENT, old, RULE, ("log",), NOW, settled=NOW)
    assert first == Step(SILENT, (), NOW + SETTLE)
    assert step(SILENT, old, RULE, ("log",), NOW + SETTLE, settled=NOW).words == (Word("log", "stuck"),)
    # It is half of the time that an escalation has where that is shorter.
    quick = Rule(timedelta(seconds=2), MINUTE)
    assert step(SILENT, old, quick, ("log",), NOW, settled=NOW).next_at == NOW + timedelta(seconds=1)
    # An alarm that sounded before the restart is neither said again meanwhile nor over.
    before = Alarm(LONG_AGO, "stuck", "so", None, (Ear("log", LONG_AGO, LONG_AGO),))
    assert step(before, old, RULE, ("log",), NOW, settled=NOW) == Step(before, (), NOW + SETTLE)
    assert step(before, Waiting(), RULE, ("log",), NOW, settled=NOW).words == (Word("log", "over"),)


def heard(alarm, found, now, *, but=()):
    """Say all words of a step; the ways in `but` do not take theirs."""
    for word in found.words:
        alarm = said(alarm, word.ear, now, taken=word.ear not in but)
    return alarm


def test_its_whole_life():
    stuck, ears = waiting(ago(10)), ("log", "command")
    first = step(SILENT, stuck, RULE, ears, NOW, settled=LONG_AGO)
    assert first.words == (Word("log", "stuck"), Word("command", "stuck"))
    alarm = heard(first.alarm, first, NOW)
    quiet = step(alarm, stuck, RULE, ears, NOW + 59 * MINUTE, settled=LONG_AGO)
    assert (quiet.words, quiet.next_at) == ((), NOW + 60 * MINUTE)
    second = step(alarm, stuck, RULE, ears, NOW + 60 * MINUTE, settled=LONG_AGO)
    assert second.words == (Word("log", "still_stuck"), Word("command", "still_stuck"))
    assert second.alarm.since == NOW - 10 * MINUTE
    alarm = heard(second.alarm, second, NOW + 60 * MINUTE)
    last = step(alarm, Waiting(), RULE, ears, NOW + 61 * MINUTE, settled=LONG_AGO)
    assert last.words == (Word("log", "over"), Word("command", "over"))
    assert not last.alarm.sounds
    assert heard(last.alarm, last, NOW + 61 * MINUTE) == SILENT


def test_a_way_that_fails_is_tried_again_later_and_later_and_the_other_one_is_not_told_twice():
    stuck, ears = waiting(ago(10)), ("log", "url")
    alarm, now, waits = SILENT, NOW, []
    for _ in range(7):
        found = step(alarm, stuck, RULE, ears, now, settled=LONG_AGO)
        assert Word("url", "stuck") in found.words
        assert (Word("log", "stuck") in found.words) == (now == NOW)
        alarm = heard(found.alarm, found, now, but=("url",))
        again = step(alarm, stuck, RULE, ears, now, settled=LONG_AGO)
        assert again.words == ()
        waits.append((again.next_at - now).total_seconds())
        now = again.next_at
    assert waits == [5, 15, 60, 120, 300, 300, 300]
    # Who never heard of it need not hear that it is over.
    last = step(alarm, Waiting(), RULE, ears, now, settled=LONG_AGO)
    assert last.words == (Word("log", "over"),)


def test_the_end_is_tried_again_and_not_for_ever():
    alarm = Alarm(LONG_AGO, "stuck", "so", None, (Ear("url", LONG_AGO, LONG_AGO),))
    found = step(alarm, Waiting(), RULE, ("url",), NOW, settled=LONG_AGO)
    alarm = heard(found.alarm, found, NOW, but=("url",))
    later = step(alarm, Waiting(), RULE, ("url",), NOW + MINUTE, settled=LONG_AGO)
    assert later.words == (Word("url", "over"),)
    # It began anew before he heard that it was over: for him it goes on.
    anew = step(alarm, waiting(ago(10)), RULE, ("url",), NOW + MINUTE, settled=LONG_AGO)
    assert anew.words == (Word("url", "still_stuck"),)
    assert step(alarm, Waiting(), RULE, ("url",), NOW + 60 * MINUTE, settled=LONG_AGO) == Step(SILENT)


def test_one_that_died_while_it_told_tells_again_and_tells_the_end():
    first = step(SILENT, waiting(ago(10)), RULE, ("log", "url"), NOW, settled=LONG_AGO)
    alarm = begun(
        replace(first.alarm, ears=(Ear("log", NOW, NOW), Ear("url", None, LONG_AGO, 3))), first.words[1:], NOW
    )
    assert alarm.ears == (Ear("log", NOW, NOW), Ear("url", None, NOW))
    assert step(alarm, waiting(ago(10)), RULE, ("log", "url"), NOW, settled=LONG_AGO).words == (Word("url", "stuck"),)
    last = step(alarm, Waiting(), RULE, ("log", "url"), NOW, settled=LONG_AGO)
    assert last.words == (Word("log", "over"), Word("url", "over"))


def test_ways_come_and_go_with_a_reload():
    stuck = waiting(ago(10))
    alarm = Alarm(LONG_AGO, "stuck", "so", None, (Ear("log", NOW, NOW), Ear("command", NOW, NOW)))
    found = step(alarm, stuck, RULE, ("log", "url"), NOW, settled=LONG_AGO)
    assert found.words == (Word("url", "stuck"),)
    assert [ear.name for ear in found.alarm.ears] == ["log", "url"]
    assert step(replace(alarm, over=NOW), Waiting(), RULE, ("url",), NOW, settled=LONG_AGO) == Step(SILENT)


def test_a_ledger_that_is_away():
    away, now = Away(NOW - 5 * MINUTE, "no route"), NOW
    first = step(SILENT, away, RULE, ("log",), now, settled=LONG_AGO)
    assert first.words == (Word("log", "ledger_away"),)
    alarm = heard(first.alarm, first, now)
    assert step(alarm, away, RULE, ("log",), now + 60 * MINUTE, settled=LONG_AGO).words == (Word("log", "ledger_away"),)
    # What it held back is mail that waits: one alarm.
    stuck = step(alarm, waiting(ago(10)), RULE, ("log",), now + MINUTE, settled=LONG_AGO)
    assert (stuck.words, stuck.alarm.kind) == ((), "stuck")


def test_a_clock_that_is_set_back_silences_nothing():
    alarm = Alarm(NOW, "stuck", "so", None, (Ear("log", NOW, NOW), Ear("url", None, NOW, 3)))
    yesterday = LONG_AGO
    seen = Waiting(1, 0, ago(0), None, Stuck(1, "relay", 0, yesterday - 10 * MINUTE, 0))
    found = step(alarm, seen, RULE, ("log", "url"), yesterday, settled=yesterday - 10 * MINUTE)
    assert found.words == (Word("log", "still_stuck"), Word("url", "stuck"))


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), max_size=60), st.integers(1, 90))
def test_the_law(looks, again):
    """Raised once, said again no more often than `again`, over once; whatever fails, and over restarts."""
    rule = Rule(10 * MINUTE, again * MINUTE)
    alarm, now, told, sounding = SILENT, NOW, [], False
    for pause, is_stuck, takes in looks:
        now += pause * MINUTE
        mail = Stuck(1, "relay", 1042, now - 10 * MINUTE, 0)
        seen = Waiting(1, 0, mail, None, mail) if is_stuck else Waiting()
        found = step(alarm, seen, rule, ("url",), now, settled=LONG_AGO)
        alarm = found.alarm
        for word in found.words:
            alarm = said(alarm, word.ear, now, taken=takes)
            told += [(word.what, now)] if takes else []
        assert recalled(json.loads(json.dumps(kept(alarm)))) == alarm
        # Nothing is left unsaid but by who did not take it.
        sounding = is_stuck
        assert alarm.sounds == sounding
        if found.words and takes:
            assert step(alarm, seen, rule, ("url",), now, settled=LONG_AGO).words == ()
    before = None
    for what, at in told:
        match what:
            case "stuck":
                # One that was not told the end for as long as `again` begins anew.
                assert before is None or before[0] == "over" or at - before[1] >= rule.again
            case "still_stuck":
                assert before is not None
                assert before[0] in ("stuck", "still_stuck")
                assert at - before[1] >= rule.again
            case "over":
                assert before is not None
                assert before[0] in ("stuck", "still_stuck")
        before = (what, at)


DESK = ("Example\r\nSupport", "csm@desk.example")


def told(what, alarm, seen):
    found = report(what, alarm, seen, DESK, "mx1", NOW)
    assert "\n" not in json.dumps(found)
    return found


def test_what_is_said():
    mails = Waiting(5, 2, ago(12), ago(6, "escalation"), ago(12), None, "Conn\x1b[31mectionRefusedError")
    alarm = step(SILENT, mails, RULE, ("log",), NOW, settled=LONG_AGO).alarm
    assert told("stuck", alarm, mails) == {
        "what": "stuck",
        "at": "2026-03-11T09:00:00Z",
        "since": "2026-03-11T08:54:00Z",
        "desk": "csm@desk.example",
        "host": "mx1",
        "waiting": 5,
        "escalations": 2,
        "oldest": {"id": 1, "kind": "relay", "ticket": 1042, "since": "2026-03-11T08:48:00Z", "attempts": 0},
        "last_reply": "Conn [31mectionRefusedError",
        "because": "a mail of escalation has waited for 6m",
        "text": (
            "Example Support: mail cannot leave: a mail of escalation has waited for 6m; 5 waiting, 2 of escalation; the"
            " smarthost: Conn [31mectionRefusedError (mx1)"
        ),
    }


@pytest.mark.parametrize(
    ("what", "seen", "text"),
    [
        ("still_stuck", Waiting(1, 0, ago(12)), "mail still cannot leave: so; 1 waiting, 0 of escalation"),
        ("over", Waiting(), "the alarm is over after 1d: mail leaves again"),
        ("ledger_away", Away(NOW, "gone"), "no mail can leave: so"),
        ("test", None, "this is a test of the alarm, nothing is wrong"),
    ],
)
def test_the_line_for_a_pager(what, seen, text):
    alarm = SILENT if what == "test" else Alarm(LONG_AGO, "stuck", "so")
    found = told(what, alarm, seen)
    assert found["text"] == f"Example Support: {text} (mx1)"
    assert (found["waiting"] is None) == (not isinstance(seen, Waiting))
    assert found["since"] == ("2026-03-11T09:00:00Z" if what == "test" else "2026-03-10T09:00:00Z")


@pytest.mark.parametrize(
    "given_",
    [
        *(None, [], {}, {"since": 1}, {**kept(SILENT), "ears": [1]}, {**kept(SILENT), "since": "x"}),
        {**kept(SILENT), "since": "0001-01-01T00:00:00+14:00"},
        {**kept(SILENT), "ears": [{"name": "log", "heard": None, "tried": None, "failures": float("inf")}]},
    ],
)
def test_what_is_no_alarm_is_not_recalled(given_):
    with pytest.raises(ValueError):
        recalled(given_)


def test_fewer_failures_than_none_are_none():
    ear = {"name": "log", "heard": None, "tried": None, "failures": -10}
    assert recalled({**kept(SILENT), "ears": [ear]}).ears == (Ear("log"),)
