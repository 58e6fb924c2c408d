"""The hundred worked vectors of the SLA, through the fold itself."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maild.sla.clock import History, SlaEvent, due
from maild.sla.fold import fold, next_cycles
from maild.sla.hours import ALWAYS, Calendar
from maild.sla.policy import SECONDS, standard
from maild.ticket import Severity

FILE = json.loads(Path(__file__).with_name("sla-vectors.json").read_text("utf-8"))
CALENDARS = {name: Calendar.from_json(spelling) for name, spelling in FILE["calendars"].items()}


def at(text):
    return None if text is None else datetime.fromisoformat(text)


def test_the_policy_is_that_of_the_vectors():
    for severity, ((first_target, first_limit), (target, limit)) in SECONDS.items():
        promised = FILE["policy"][severity]
        assert promised["first_response"] == [first_target, first_limit]
        assert promised["resolution"] == [target, limit]
    assert len(FILE["vectors"]) == 100


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["id"])
def test_vector(vector):
    policy = standard(CALENDARS[vector["calendar"]], ALWAYS)
    events = tuple(
        SlaEvent(at(event["at"]), event["type"], event.get("to", ""), event.get("status", ""))
        for event in vector.get("events") or []
        if not event["type"].startswith("daemon_")
    )
    history = History(at(vector["created_at"]), vector["opened_by"], Severity(vector["severity"]), events)
    now = at(vector["as_of"]) or datetime(2030, 1, 1, tzinfo=UTC)
    clocks = {clock.metric.value: clock for clock in fold(history, policy, now)}
    expected = vector["expected"]
    for metric in ("first_response", "resolution"):
        want = expected[metric]
        if want is None:
            assert metric not in clocks
            continue
        clock = clocks[metric]
        assert clock.paused == want.get("paused", False)
        assert (clock.target_at, clock.limit_at) == (at(want.get("target_at")), at(want.get("breach_at")))
        if not clock.paused:
            calendar = policy.calendar(clock.calendar_name)
            for percent in (50, 75, 90):
                assert due(calendar, clock.course, clock.limit_seconds, percent) == at(want[f"remind_{percent}_at"])
        if "state" in want:
            assert clock.state == want["state"]
            assert clock.breached_at == at(want["recorded_breach_at"])
            assert clock.stopped_at == at(want.get("met_at"))
            assert clock.elapsed_seconds == want.get("elapsed_seconds")
    cycles = [
        {"start": cycle.start} | ({"met_at": cycle.met_at} if cycle.met_at else {})
        for cycle in next_cycles(history, policy, now)
    ]
    assert cycles == [
        {key: at(value) for key, value in cycle.items() if not key.endswith("_local")}
        for cycle in expected.get("next_response_cycles", [])
    ]
