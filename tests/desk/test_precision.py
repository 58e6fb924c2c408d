from datetime import UTC, datetime, timedelta

import pytest

from maild.desk.precision import Judged, grades, judged, reasons_of, rule_grades
from maild.sla.keywords import default_rules
from maild.ticket import Event, Severity, State

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
BECAUSE = ['+2 called urgent: "urgent"', '+5 systems down: "checkout down"', "+7 points: urgent"]


def event(minutes, actor, what, because="because", /, **data):
    return Event(NOW + timedelta(minutes=minutes), actor, what, because, data)


def opened(severity="urgent", because=BECAUSE):
    return event(0, "carol@acme.example", "opened", severity=severity, because=because)


@pytest.fixture
def seen(make_ticket):
    return make_ticket(state=State.RESOLVED, severity=Severity.URGENT)


@pytest.mark.parametrize(
    ("because", "found"),
    [
        (BECAUSE, ((2, "called urgent"), (5, "systems down"))),
        (["nothing says otherwise: normal"], ()),
        (['not counted, "works again" comes after it: "down"'], ()),
        (["+1 the customer's tier is gold", "+6 points: urgent"], ()),
        (
            ['the customer\'s new message says so: +5 systems down: "a"; -2 said to have time: "no rush"'],
            ((5, "systems down"), (-2, "said to have time")),
        ),
        (['+1 x: "a"', '+1 x: "b"'], ((1, "x"),)),
    ],
)
def test_reasons_are_read_back(because, found):
    assert reasons_of(because) == found


def test_a_guess_that_nobody_changed_counts_as_right(seen):
    found = judged(seen, [opened()])
    assert (found.guess, found.final, found.actor) == (Severity.URGENT, Severity.URGENT, "")


def test_the_last_word_of_a_person_counts(seen):
    found = judged(
        seen,
        [
            opened("normal"),
            event(1, "maild", "set_severity", 'so: +4 everybody is hit: "all"', to="urgent"),
            event(2, "ann", "set_severity", to="high"),
            event(3, "maild", "set_severity", to="urgent"),
            event(4, "bob", "set_severity", to="low"),
        ],
    )
    assert (found.guess, found.final, found.actor) == (Severity.URGENT, Severity.LOW, "bob")
    assert (4, "everybody is hit") in found.reasons


@pytest.mark.parametrize(
    ("fields", "events", "looked"),
    [
        ({}, [opened()], False),
        ({"first_response_at": NOW}, [opened()], True),
        ({"state": State.CLOSED}, [opened()], True),
        ({}, [opened(), event(1, "ann", "set_severity", to="low")], True),
        ({"state": State.CLOSED}, [opened(because=[])], False),
        ({"state": State.CLOSED}, [], False),
    ],
)
def test_only_what_somebody_looked_at_counts(make_ticket, fields, events, looked):
    assert (judged(make_ticket(**fields), events) is not None) == looked


def test_an_undone_correction_is_none(seen):
    undone = event(2, "ann", "undone", what="set_severity", at=(NOW + timedelta(minutes=1)).isoformat())
    assert judged(seen, [opened(), event(1, "ann", "set_severity", to="low"), undone]).final is Severity.URGENT


def one(guess, final, *reasons):
    return Judged(1, Severity(guess), reasons, Severity(final), "" if guess == final else "ann")


FOUND = [
    one("urgent", "urgent", (5, "systems down"), (-2, "said to have time"), (0, "tagged as normal priority")),
    one("urgent", "low", (5, "systems down"), (-2, "said to have time"), (0, "tagged as normal priority")),
    one("normal", "urgent", (-2, "said to have time"), (0, "tagged as normal priority"), (9, "a rule of old")),
]


def test_severities():
    urgent, high, normal, low = grades(FOUND)
    assert (urgent.guess, urgent.counted, urgent.right) == (Severity.URGENT, 2, 1)
    assert dict(urgent.finals) == {"urgent": 1, "high": 0, "normal": 0, "low": 1}
    assert (high.counted, high.right, normal.counted, normal.right, low.counted) == (0, 0, 1, 0, 0)


def test_rules_are_blamed_for_the_way_they_pull():
    found = {one.says: one for one in rule_grades(FOUND, default_rules())}
    down, time, tag, old = (
        found[says] for says in ("systems down", "said to have time", "tagged as normal priority", "a rule of old")
    )
    assert (down.counted, down.too_high, down.too_low, down.right) == (2, 1, 0, 1)
    assert (time.counted, time.too_high, time.too_low, time.right) == (3, 1, 1, 2)
    assert (tag.name, tag.counted, tag.right) == ("tag_3", 3, 1)
    assert (old.name, old.right) == (None, 1)
    assert next(iter(rule_grades(FOUND, default_rules()))).says == "tagged as normal priority"
