from datetime import time

import pytest

from maild.config.duration import slot
from maild.config.restart import needs_restart
from maild.daemon import weekly

DESK = """
[desk]
address = "csm@example.com"
[[mailbox]]
address = "csm@example.com"
"""
AGENTS = """
[[agent]]
id = "ann"
address = "ann@staff.example"
[[agent]]
id = "bob"
address = "bob@staff.example"
role = "lead"
"""


def test_there_is_none_unless_it_is_asked_for(read):
    assert weekly(read(DESK + AGENTS)) is None
    # Who would read it is nobody's question while there is none.
    assert weekly(read(DESK)) is None


def test_a_day_a_time_and_readers(read):
    told = weekly(read(f'{DESK}{AGENTS}[report]\nweekly = "Fri 17:30"\nto = ["ann", "manager", "Boss@Example.org"]\n'))
    assert (told.day, told.at, told.to) == (4, time(17, 30), ("ann", "manager", "boss@example.org"))
    assert weekly(read(f'{DESK}{AGENTS}[report]\nweekly = "mon 08:00"\n')).to == ("lead", "manager")


def test_a_reload_takes_it_over(read):
    before = read(DESK + AGENTS)
    assert needs_restart(before, read(f'{DESK}{AGENTS}[report]\nweekly = "mon 08:00"\n')) == ()


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('weekly = "monday"', "report.weekly: 'monday' is no day and time: write one of mon, tue"),
        ('weekly = "mon 24:00"', "report.weekly: 'mon 24:00' is no day and time"),
        ("weekly = 3", "report.weekly: "),
        ('weekly = "mon 08:00"\nto = []', "report.to: is empty"),
        (
            'weekly = "mon 08:00"\nto = ["anne"]',
            "report.to: there is no agent, role or address 'anne', did you mean 'ann'",
        ),
        ('weekly = "mon 08:00"\nto = ["manager"]', "report.to: nobody reads the weekly report"),
        ('weekly = "mon 08:00"\nto = ["boss@"]', "report.to[1]: 'boss@' is no mail address"),
        (
            'weekly = "mon 08:00"\nto = ["CSM+x@example.com"]',
            "report.to: csm+x@example.com is a mailbox of the desk, its mail would come back",
        ),
    ],
)
def test_what_cannot_be_meant(faults_of, lines, fault):
    faults = faults_of(f"{DESK}{AGENTS}[report]\n{lines}\n")
    assert faults[0].startswith(fault), faults


def test_without_agents_an_address_is_enough(read):
    assert weekly(read(f'{DESK}[report]\nweekly = "mon 08:00"\nto = ["boss@example.org"]\n')) is not None


def test_an_agent_without_an_id_hides_no_reader(faults_of):
    broken = '[[agent]]\naddress = "x@staff.example"\n[report]\nweekly = "mon 08:00"\nto = ["zed"]\n'
    assert not any(fault.startswith("report.") for fault in faults_of(DESK + broken))


def test_a_keywords_file_tells_faults_of_rules_and_trials_at_once(faults_of, tmp_path):
    (tmp_path / "words.toml").write_text('[points]\nurgent = 5\nhigh = 3\n[[test]]\nsubject = "x"\nexpect = "hgih"\n')
    faults = faults_of(DESK + '[severity]\nkeywords_file = "words.toml"\n')
    assert [fault.removeprefix("severity.keywords_file: words.toml: ") for fault in faults] == [
        "points.low: missing",
        "test[1].expect: 'hgih' is none of urgent, high, normal, low",
    ]


@pytest.mark.parametrize(
    ("text", "found"), [("mon 08:00", (0, time(8))), (" SUN 23:59 ", (6, time(23, 59))), ("wed 00:00", (2, time()))]
)
def test_a_slot(text, found):
    assert slot(text) == found


@pytest.mark.parametrize(
    "text", ["", "mon", "08:00", "mon 8:00", "mon 24:00", "mon 08:60", "monday 08:00", "mon 08:00h"]
)
def test_no_slot(text):
    with pytest.raises(ValueError, match="is no day and time"):
        slot(text)
