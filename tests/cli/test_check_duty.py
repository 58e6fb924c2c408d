"""What `maild check` says of duty."""

from datetime import UTC, datetime

import pytest

from maild.cli.check_duty import duties, odd_duty
from maild.config import load

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DESK = '[desk]\naddress = "csm@acme.test"\ntime_zone = "Europe/Berlin"\n'
AUTH = '[auth]\nauthserv_id = "mx.acme.test"\n'
ROTA = '[[rota]]\nname = "support"\nagents = ["ann", "bob"]\nstart = "2026-11-23 09:00"\n'
QUIET = '[quiet]\nnormal = ["22:00-07:00"]\n'


def agent(name, more=""):
    return f'[[agent]]\nid = "{name}"\nname = "{name.title()}"\naddress = "{name}@acme.test"\n{more}'


PEOPLE = agent("ann") + agent("bob")


@pytest.fixture
def config(tmp_path):
    def make(text, ics=""):
        (tmp_path / "rota.ics").write_text(f"BEGIN:VCALENDAR\r\n{ics}END:VCALENDAR\r\n", "utf-8")
        path = tmp_path / "maild.toml"
        path.write_text(DESK + AUTH + text, "utf-8")
        return load(path, {})

    return make


def event(number, first, last, who):
    lines = ["BEGIN:VEVENT", f"UID:u{number}", f"DTSTART:{first}T090000", f"DTEND:{last}T090000", f"SUMMARY:{who}"]
    return "\r\n".join([*lines, "END:VEVENT", ""])


FILE = PEOPLE + '[[rota]]\nname = "support"\nfile = "rota.ics"\n'


def test_who_is_on_duty_now_and_next(config):
    assert list(duties(config(PEOPLE + ROTA), NOW)) == [
        "On duty by the rota support (Europe/Berlin):",
        "  now: Ann",
        "  from Monday 2026-11-30 09:00: Bob",
        "  from Monday 2026-12-07 09:00: Ann",
        "  from Monday 2026-12-14 09:00: Bob",
    ]
    assert list(duties(config(PEOPLE), NOW)) == []


def test_whoever_is_away_is_called_so(config):
    away = 'away = ["2026-11-01/2026-12-10"]\n'
    text = agent("ann", away + 'deputy = "eve"\n') + agent("bob", away) + agent("eve") + ROTA
    assert list(duties(config(text), NOW))[1:3] == [
        "  now: Ann, who is away until 2026-12-10: Eve is told",
        "  from Monday 2026-11-30 09:00: Bob, who is away until 2026-12-10",
    ]


def test_gaps(config):
    planned = event(1, "20261123", "20261130", "ann") + event(2, "20261202", "20261209", "bob")
    found = config(FILE, planned)
    assert list(duties(found, NOW)) == [
        "On duty by the rota support (Europe/Berlin):",
        "  now: Ann",
        "  from Monday 2026-11-30 09:00: nobody: the team is told",
        "  from Wednesday 2026-12-02 09:00: Bob",
        "  from Wednesday 2026-12-09 09:00: nobody: the team is told",
    ]
    assert list(odd_duty(found, NOW)) == [
        (
            "rota[1]: nobody is on duty by the rota support from Monday 2026-11-30 09:00 until Wednesday 2026-12-02 09:00:"
            " the team is told then"
        )
    ]
    assert list(odd_duty(config(FILE, event(1, "20261123", "20261130", "ann")), NOW)) == [
        "rota[1]: nobody is on duty by the rota support from Monday 2026-11-30 09:00 on: the team is told then"
    ]
    (later,) = odd_duty(config(PEOPLE + ROTA.replace("2026-11-23", "2026-11-30")), NOW)
    assert later.endswith("from now until Monday 2026-11-30 09:00: the team is told then")
    assert list(odd_duty(config(PEOPLE + ROTA), NOW)) == []


@pytest.mark.parametrize(
    ("ann", "bob", "warned"),
    [
        ('deputy = "bob"\naway = ["2026-12-20/2027-01-03"]\n', 'away = ["2027-01-02/2027-01-10"]\n', "2027-01-02"),
        ('deputy = "bob"\naway = ["2026-12-20/2027-01-03"]\n', 'away = ["2027-01-04/2027-01-10"]\n', ""),
        # Another one stands in for the deputy.
        ('deputy = "bob"\naway = ["2026-12-20"]\n', 'away = ["2026-12-20"]\ndeputy = "eve"\n', ""),
        ('deputy = "bob"\naway = ["2026-12-20"]\n', 'away = ["2026-12-20"]\ndeputy = "ann"\n', "2026-12-20"),
        # What is over is no matter, and who has no deputy is no surprise.
        ('deputy = "bob"\naway = ["2026-11-01/2026-11-20"]\n', 'away = ["2026-11-01/2026-11-20"]\n', ""),
        ('deputy = "bob"\naway = ["2026-11-01/2026-11-24"]\n', 'away = ["2026-11-24"]\n', "2026-11-24"),
        ('away = ["2026-12-20"]\n', 'away = ["2026-12-20"]\n', ""),
    ],
)
def test_deputies_who_are_away_themselves(config, ann, bob, warned):
    found = list(odd_duty(config(agent("ann", ann) + agent("bob", bob) + agent("eve")), NOW))
    line = f"agent[1].deputy: Bob stands in for Ann, but is away on {warned} too, and nobody else is there"
    assert [one for one in found if one.startswith("agent[1]")] == ([line] if warned else [])


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (PEOPLE + QUIET, "9h count for sla.normal.first_response, whose limit is 4h"),
        (PEOPLE + '[quiet]\nnormal = ["03:00-07:00"]\n', ""),
        (QUIET, "9h count for sla.normal.first_response, whose limit is 4h"),
        # Hours that do not count at night are not missed at night.
        (
            PEOPLE + QUIET + '[sla.normal]\ncalendar = "day"\n[calendar.day]\nhours = { mon-fri = ["09:00-17:00"] }\n',
            "",
        ),
        # The night of an agent elsewhere is the day here.
        (
            agent("ann", 'time_zone = "America/Los_Angeles"\n')
            + QUIET
            + '[sla.normal]\ncalendar = "day"\n[calendar.day]\nhours = { mon-fri = ["09:00-17:00"] }\n',
            "7h count for sla.normal.first_response, whose limit is 4h",
        ),
        (PEOPLE + QUIET + '[sla.normal]\nfirst_response = ["9h", "9h"]\n', ""),
        (
            PEOPLE
            + QUIET
            + '[sla.normal]\nfirst_response = ["9h", "9h"]\n[policy.gold.normal]\nfirst_response = ["1h", "2h"]\n',
            "9h count for policy.gold.normal.first_response, whose limit is 2h",
        ),
    ],
)
def test_quiet_hours_that_are_longer_than_a_promise(config, text, warned):
    found = list(odd_duty(config(text), NOW))
    assert len(found) == bool(warned)
    for line in found:
        assert line.startswith(
            f"quiet.normal holds mail back while up to {warned}: a breach may come before its warnings"
        )


def test_the_command_says_it(maild, tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(DESK + AUTH + PEOPLE + ROTA.replace("2026-11-23", "2020-01-06") + QUIET, "utf-8")
    done = maild("check", "-c", path)
    assert (done.code, done.err) == (0, "")
    assert "warning: quiet.normal holds mail back" in done.out
    assert "On duty by the rota support (Europe/Berlin):\n  now: " in done.out
