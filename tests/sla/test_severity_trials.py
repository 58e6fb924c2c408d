import tomllib
from importlib.resources import files

import pytest

from maild.sla.keywords import default_rules
from maild.sla.severity_trials import Trial, failed_trials, parse_trials
from maild.ticket import Severity


def test_the_trials_of_our_own_rules_hold():
    data = tomllib.loads(files("maild.sla").joinpath("keywords.toml").read_text("utf-8"))
    trials = parse_trials(data)
    assert {trial.expect for trial in trials} >= {Severity.URGENT, Severity.HIGH, Severity.NORMAL}
    assert failed_trials(trials, default_rules()) == []


def test_one_that_is_guessed_otherwise_is_told_with_its_reasons():
    trials = (
        Trial(1, "Checkout is down", "Nobody can pay.", Severity.URGENT),
        Trial(2, "Checkout is down", "Nobody can pay.", Severity.LOW),
        Trial(3, "", "\nWhere is it?\nI looked.", Severity.HIGH),
    )
    second, third = failed_trials(trials, default_rules())
    assert second.startswith("test[2] 'Checkout is down': expected low, guessed urgent: ")
    assert '"checkout is down"' in second or "nobody can" in second
    assert third.startswith("test[3] 'Where is it?': expected high, guessed normal: nothing says otherwise")


def test_a_file_without_any():
    assert parse_trials({}) == ()


@pytest.mark.parametrize(
    ("test", "faults"),
    [
        (3, ["test: must be sections"]),
        ([3], ["test: must be sections"]),
        ([{"subject": "x", "expect": "hgih"}], ["test[1].expect: 'hgih' is none of urgent, high, normal, low"]),
        ([{"subject": "x"}], ["test[1].expect: '' is none of"]),
        ([{"expect": "low"}], ["test[1]: has neither subject nor text"]),
        ([{"subject": 1, "text": 2, "expect": "low"}], ["test[1].subject: must be a text", "test[1].text: must be"]),
        (
            [{"text": "x", "expect": "low"}, {"body": "x", "text": "y", "expect": ["low"]}],
            ["test[2].body: unknown key; known are subject, text, expect", "test[2].expect: ['low'] is none of"],
        ),
    ],
)
def test_every_fault_is_told_with_its_key(test, faults):
    with pytest.raises(ValueError) as caught:
        parse_trials({"test": test})
    told = str(caught.value).splitlines()
    assert len(told) == len(faults)
    assert all(line.startswith(fault) for line, fault in zip(told, faults, strict=True)), told
