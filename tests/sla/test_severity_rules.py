import pytest

from maild.mail import Origin
from maild.sla.severity import guess, parse_rules
from maild.ticket import Severity

POINTS = {"urgent": 5, "high": 3, "low": -2}


def of(phrase, **rule):
    return parse_rules(
        {
            "points": POINTS,
            "names": {"thing": ["shop", "till"]},
            "words": {"not_before": ["not"]},
            "rule": {"r": {"points": 5, "phrases": {"en": [phrase]}, **rule}},
        }
    )


def hits(rules, subject, body=""):
    return guess(subject, body, [], Origin.PERSON, rules).severity is Severity.URGENT


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("down", "it is down", True),
        ("down", "download", False),
        ("crash*", "it crashes", True),
        ("very crash*", "very crashy", True),
        ("is|was down", "was down", True),
        ("is now? down", "is down", True),
        ("is now? down", "is now down", True),
        ("now? down", "down", True),
        ("is down now?", "is down", True),
        ("is .. down", "is a b c d down", True),
        ("is .. down", "is a b c d e down", False),
        ("is ... down", "is a b c d e f g h down", True),
        ("is .. down", "is fine, down", False),
        ("is .. down", "is not down", False),
        ("<thing> down", "till down", True),
        ("the <thing>|pump down", "the pump down", True),
        ("停止 ... 全部", "停止しました全部", True),
        ("gelöscht", "GELÖSCHT", True),
        ("gelöscht", "geloscht", True),
        ("can not", "we can't", True),
        ("can not", "we cannot", True),
        ("can not", "we can’t", True),
        ("does not", "doesnt", True),
        ("बंद है", "सर्वर बंद है", True),
    ],
)
def test_phrases(phrase, text, found):
    assert hits(of(phrase), "x", text) is found


@pytest.mark.parametrize(("subject", "found"), [("down it is", True), ("Re: down", True), ("it is down", False)])
def test_a_caret_binds_to_the_start_of_the_subject(subject, found):
    assert hits(of("^down"), subject) is found


def test_a_tag_counts_in_the_subject_only():
    rules = of("p1", subject_only=True)
    assert hits(rules, "on p1")
    assert not hits(rules, "x", "p1")


def test_a_rule_counts_only_beside_one_it_needs():
    rules = parse_rules(
        {
            "points": POINTS,
            "rule": {
                "all": {"points": 4, "needs": ["fault"], "phrases": {"en": ["all"]}},
                "fault": {"points": 1, "phrases": {"en": ["error"]}},
            },
        }
    )
    assert not hits(rules, "all")
    assert hits(rules, "error all")
    assert guess("all", "", [], Origin.PERSON, rules).because == ("nothing says otherwise: normal",)


def test_caps_take_the_lowest():
    rules = parse_rules(
        {
            "points": POINTS,
            "rule": {
                "a": {"points": 5, "at_most": "high", "phrases": {"en": ["a"]}},
                "b": {"points": 0, "at_most": "normal", "says": "b it is", "phrases": {"en": ["b"]}},
            },
        }
    )
    found = guess("a b", "", [], Origin.PERSON, rules)
    assert found.severity is Severity.NORMAL
    assert found.because[-1] == "at most normal: b it is"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({}, "points.urgent: missing"),
        ({"poinst": {}}, "poinst: unknown key; known are names, points, rule, test, tiers, words"),
        ({"points": 3}, "points: must be a table"),
        ({"points": {"low": True}}, "points.low: must be a whole number"),
        ({"tiers": {"gold": "1"}}, "tiers.gold: must be a whole number"),
        ({"words": {"nott": []}}, "words.nott: unknown key"),
        ({"words": {"past": "was"}}, "words.past: must be a list of texts"),
        ({"names": {"x": [1]}}, "names.x: must be a list of texts"),
        ({"rule": {"r": 3}}, "rule.r: must be a table"),
        ({"rule": {"r": {"point": 3}}}, "rule.r.point: unknown key"),
        ({"rule": {"r": {"points": 1.5}}}, "rule.r.points: must be a whole number"),
        ({"rule": {"r": {"points": True}}}, "rule.r.points: must be a whole number"),
        ({"rule": {"r": {"says": 1}}}, "rule.r.says: must be a text"),
        ({"rule": {"r": {"kind": "odd"}}}, "rule.r.kind: 'odd' is none of plain, urgency"),
        ({"rule": {"r": {"at_most": "bad"}}}, "rule.r.at_most: 'bad' is none of urgent, high, normal, low"),
        ({"rule": {"r": {"subject_only": 1}}}, "rule.r.subject_only: must be true or false"),
        ({"rule": {"r": {"needs": "x"}}}, "rule.r.needs: must be a list of texts"),
        ({"rule": {"r": {"needs": ["x"]}}}, "rule.r.needs: there is no rule 'x'"),
        ({"rule": {"r": {"phrases": []}}}, "rule.r.phrases: must be a table"),
        ({"rule": {"r": {"phrases": {"en": ["a", 2]}}}}, "rule.r.phrases.en: must be a list of texts"),
        ({"rule": {"r": {"phrases": {"en": [".. a"]}}}}, "'.. a': may not start with a gap"),
        ({"rule": {"r": {"phrases": {"en": ["a .."]}}}}, "'a ..': needs a word at its start and one at its end"),
        ({"rule": {"r": {"phrases": {"en": ["a?"]}}}}, "'a?': needs a word at its start"),
        ({"rule": {"r": {"phrases": {"en": [""]}}}}, "'': needs a word at its start"),
        ({"rule": {"r": {"phrases": {"en": ["ab*"]}}}}, "'ab*' is no word, or shorter than 3 letters before its *"),
        ({"rule": {"r": {"phrases": {"en": ["%"]}}}}, "'%' is no word"),
        ({"rule": {"r": {"phrases": {"en": ["<x>"]}}}}, "<x> stands in no [names]"),
    ],
)
def test_every_fault_is_told_with_its_key(data, fault):
    with pytest.raises(ValueError) as caught:
        parse_rules(data)
    assert fault in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError) as caught:
        parse_rules({"points": {"low": "x"}, "odd": 1, "rule": {"r": 1}})
    assert len(str(caught.value).splitlines()) == 6
