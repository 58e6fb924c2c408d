"""What `maild check` says of escalation."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from maild.cli.check_ladder import alarm_hints, odd_ladders, told_when
from maild.config import load

FRIDAY = datetime(2026, 11, 27, 16, 50, tzinfo=ZoneInfo("Europe/Berlin"))
DESK = (
    '[desk]\naddress = "csm@acme.test"\ntime_zone = "Europe/Berlin"\n[[agent]]\nid = "ann"\naddress = "ann@acme.test"\n'
)
LEAD = '[[agent]]\nid = "bob"\naddress = "bob@acme.test"\nrole = "lead"\n'
ROTA = '[[rota]]\nname = "support"\nagents = ["ann"]\nstart = "2026-11-23 09:00"\n'


def rung(at, notify, more=""):
    return f'[[escalation]]\nclock = "first_response"\nat = "{at}"\nnotify = {notify}\n{more}'.replace("'", '"')


@pytest.fixture
def config(tmp_path):
    def make(text):
        path = tmp_path / "maild.toml"
        path.write_text(DESK + text, "utf-8")
        return load(path, {})

    return make


def test_the_built_in_ladder_is_told_in_dates(config):
    assert list(told_when(config(""), FRIDAY)) == [
        "Who is told where nobody answers such a mail:",
        (
            "  urgent: Fri 17:05 assignee, Fri 17:12 assignee, Fri 17:17 assignee and team, Fri 17:20 assignee and lead,"
            " Fri 17:50 manager (again on 3 open days after it)"
        ),
        (
            "  high: Fri 17:05 assignee, Fri 17:12 assignee, Fri 17:17 assignee and team, Fri 17:20 assignee and lead,"
            " Fri 17:50 manager (again on 3 open days after it)"
        ),
        (
            "  normal: Fri 17:50 assignee, Fri 19:50 assignee, Fri 20:26 assignee and team, Fri 20:50 assignee and lead,"
            " Mon 00:50 manager (again on 3 open days after it)"
        ),
        (
            "  low: Mon 00:50 assignee, Mon 01:50 assignee, Mon 03:38 assignee and team, Mon 04:50 assignee and lead,"
            " Mon 16:50 manager (again on 3 open days after it)"
        ),
    ]


def test_a_ladder_of_ones_own_is_told_in_order_of_time_and_with_its_date_where_it_is_far(config):
    ladder = (
        rung("limit+900%", ["team"], "daily = 1\n")
        + rung("limit", ["oncall"])
        + rung("75%", ["assignee", "team"])
        + ROTA
    )
    lines = list(told_when(config(ladder), FRIDAY))
    assert (
        lines[1]
        == "  urgent: Fri 17:12 assignee and team, Fri 17:20 oncall, Fri 21:50 team (again on 1 open day after it)"
    )
    assert (
        lines[4]
        == "  low: Mon 01:50 assignee and team, Mon 04:50 oncall, Fri 2026-12-04 16:50 team (again on 1 open day after it)"
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        (LEAD + rung("limit", ["lead"]), []),
        (
            rung("75%", ["team"]),
            ['escalation: nobody is told that the first_response is breached: add a rung at = "limit"'],
        ),
        (
            rung("limit", ["team", "manager"]),
            ['escalation (clock = "first_response", at = "limit").notify: no [[agent]] has the role manager'],
        ),
        (
            rung("limit", ["team"], 'next_after = "5m"\n'),
            ['escalation (clock = "first_response", at = "limit").next_after: counts only where notify names oncall'],
        ),
        (ROTA + rung("limit", ["oncall"], 'next_after = "5m"\n'), []),
    ],
)
def test_what_is_odd_with_a_ladder(config, text, lines):
    assert list(odd_ladders(config(text))) == lines


def test_an_alarm_that_cannot_be_run_is_told(config, tmp_path):
    program = tmp_path / "page"
    text = f'[alarm]\ncommand = ["{program}"]\n'
    assert list(alarm_hints(config(""))) == []
    assert list(alarm_hints(config(text))) == [f"alarm.command: there is no {program}, or its folder is shut to us"]
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert list(alarm_hints(config(text))) == []
