"""`maild sla`: JSON lines in and out, and never an end but the last line's."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maild.cli.sla import KEPT_CALENDARS, answers, app, built_in
from maild.cli.sla import answer_add as add

TEXT = (Path(__file__).parents[1] / "sla" / "sla-vectors.json").read_text("utf-8")
FILE = json.loads(TEXT)
BUSINESS = FILE["calendars"]["berlin-business"]


def run(command, *lines, options=()):
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    result = CliRunner().invoke(app, [command, *options], input=text)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def without_local(value):
    if isinstance(value, dict):
        return {key: without_local(each) for key, each in value.items() if not key.endswith("_local")}
    return [without_local(each) for each in value] if isinstance(value, list) else value


EXPECTED = [{"id": vector["id"], **without_local(vector["expected"])} for vector in FILE["vectors"]]


def test_a_whole_file_is_one_line():
    assert run("due", TEXT) == EXPECTED


def test_every_vector_with_its_calendar_as_an_object():
    lines = [vector | {"calendar": FILE["calendars"][vector["calendar"]]} for vector in FILE["vectors"]]
    assert run("due", *lines) == EXPECTED


def test_every_vector_with_calendars_of_its_own():
    lines = [vector | {"calendars": FILE["calendars"]} for vector in FILE["vectors"]]
    assert run("due", *lines) == EXPECTED


def test_calendars_named_on_a_line_before():
    assert run("due", {"calendars": FILE["calendars"]}, *FILE["vectors"]) == EXPECTED


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ({"start": "2026-03-11T15:59:59Z", "seconds": 900}, {"end": "2026-03-12T08:14:59Z"}),
        ({"start": "2026-03-11T16:59:59+01:00", "seconds": 900}, {"end": "2026-03-12T08:14:59Z"}),
        ({"start": "2026-03-11T15:30:00.500000Z", "seconds": 1}, {"end": "2026-03-11T15:30:01.500000Z"}),
        ({"start": "2026-03-14T12:00:00Z", "seconds": 0}, {"end": "2026-03-16T08:00:00Z"}),
        ({"start": "2026-03-11T12:00:00Z", "end": "2026-03-12T12:00:00Z"}, {"seconds": 28800}),
        ({"start": "2026-03-12T12:00:00Z", "end": "2026-03-11T12:00:00Z"}, {"seconds": 0}),
    ],
)
def test_add(line, answer):
    assert run("add", {"id": "a", "calendar": BUSINESS} | line) == [{"id": "a"} | answer]


@pytest.mark.parametrize("name", ["always", "24x7", "weekdays", "business"])
def test_calendars_that_are_built_in(name):
    line = {"id": 1, "calendar": name, "start": "2026-03-11T10:00:00Z", "seconds": 60}
    assert run("add", line) == [{"id": 1, "end": "2026-03-11T10:01:00Z"}]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"calendar": {"hours": {}}}, "never opens"),
        ({"calendar": {"hours": {"mon": [["09:00", "25:00"]]}}}, "'25:00'"),
        ({"calendar": {"hours": {"mon": [["09:00", "18:60"]]}}}, "'18:60'"),
        ({"calendar": BUSINESS | {"tz": "Mars/Olympus"}}, "no time zone"),
        ({"calendar": None}, "a calendar must be an object"),
        ({"calendar": "mars"}, "there is no calendar 'mars'; known are 24x7, always"),
        ({"calendar": "mine", "calendars": {"mine": 5}}, "a calendar must be an object"),
        ({"calendars": 5}, "calendars must be an object"),
        ({"start": None}, "start must be an instant"),
        ({"start": "yesterday"}, "start is no instant"),
        ({"start": "2026-03-11T10:00:00"}, "start has no time zone"),
        ({"start": "0001-01-01T00:00:00+05:00"}, "start is no instant"),
        ({"seconds": -1}, "a whole number"),
        ({"seconds": 1.5}, "a whole number"),
        ({"seconds": True}, "a whole number"),
        ({"seconds": "60"}, "a whole number"),
        ({"seconds": 10**20}, "beyond the year 9999"),
        ({"end": "2026-03-11T10:00:00Z"}, "either seconds or end"),
    ],
)
def test_sums_that_cannot_be_done(line, words):
    good = {"id": "good", "calendar": BUSINESS, "start": "2026-03-11T10:00:00Z", "seconds": 60}
    bad, after = run("add", good | {"id": "bad"} | line, good)
    assert (bad["id"], set(bad)) == ("bad", {"id", "error"})
    assert words in bad["error"]
    assert after == {"id": "good", "end": "2026-03-11T10:01:00Z"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "Expecting property name"),
        ("[1]", "a line must be an object"),
        ("[" * 100_000, "recursion"),
        ({"vectors": 5}, "vectors must be a list"),
        ({"calendars": {"x": {"hours": {}}}}, "calendar 'x': this calendar never opens"),
        ({"calendars": 5, "vectors": []}, "calendars must be an object"),
    ],
)
@pytest.mark.parametrize("command", ["due", "add"])
def test_lines_that_cannot_be_read(command, line, words):
    bad = run(command, line, "", "   ")
    assert len(bad) == 1
    assert bad[0]["id"] is None
    assert words in bad[0]["error"]


VECTOR = {"id": "v", "calendar": BUSINESS, "severity": "normal", "created_at": "2026-03-11T09:00:00Z"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"severity": "fatal"}, "fatal"),
        ({"severity": []}, "not a valid Severity"),
        ({"created_at": None}, "created_at must be an instant"),
        ({"as_of": "soon"}, "as_of is no instant"),
        ({"opened_by": "robot"}, "opened_by must be customer or agent"),
        ({"events": {}, "as_of": None}, None),
        ({"events": {"a": 1}}, "events must be a list"),
        ({"events": [5]}, "an event must be an object"),
        ({"events": [{"type": "telephone", "at": "2026-03-11T10:00:00Z"}]}, "no event 'telephone'"),
        ({"events": [{"type": "agent_reply"}]}, "the event's at must be an instant"),
        ({"events": [{"type": "status", "to": "done", "at": "2026-03-11T10:00:00Z"}]}, "'done' is no status"),
    ],
)
def test_vectors_that_cannot_be_judged(line, words):
    first, second = run("due", VECTOR | line, VECTOR)
    assert second["first_response"]["breach_at"] == "2026-03-11T13:00:00Z"
    if words is None:
        assert first == second
    else:
        assert (first["id"], set(first)) == ("v", {"id", "error"})
        assert words in first["error"]


def test_a_vector_inside_a_file_that_is_none():
    assert run("due", {"vectors": [7, VECTOR]})[0]["error"].startswith("created_at must be")


def test_without_as_of_no_states_are_given():
    waiting = {"type": "agent_reply", "status": "waiting", "at": "2026-03-11T10:00:00Z"}
    (answer,) = run("due", VECTOR | {"events": [waiting]})
    assert answer["resolution"] == {"paused": True}
    assert set(answer["first_response"]) == {"target_at", "breach_at", "remind_50_at", "remind_75_at", "remind_90_at"}


def test_a_vector_without_a_calendar_takes_the_policy_s_own():
    line = {key: value for key, value in VECTOR.items() if key != "calendar"}
    assert run("due", line)[0]["resolution"]["breach_at"] == "2026-03-12T09:00:00Z"


def test_an_id_that_no_terminal_can_show():
    line = json.dumps({"id": "\ud800", "calendar": "always", "start": "2026-03-11T10:00:00Z", "seconds": 0})
    assert run("add", line) == [{"id": "\ud800", "end": "2026-03-11T10:00:00Z"}]


def test_octets_that_are_no_text():
    (answer,) = answers(built_in(), add, [b'{"id": "\xff"}\n'])
    assert answer["id"] is None
    assert "error" in answer


def test_many_calendars_do_not_fill_the_memory():
    desk = built_in()
    for minute in range(KEPT_CALENDARS + 10):
        desk.read({"hours": {"mon": [["00:00", f"{1 + minute // 60:02}:{minute % 60:02}"]]}})
    assert 0 < len(desk.seen) <= KEPT_CALENDARS


@pytest.mark.parametrize("command", ["due", "add"])
def test_a_configuration_that_is_not_there(command, tmp_path):
    result = CliRunner().invoke(app, [command, "-c", str(tmp_path / "none.toml")], input="")
    assert result.exit_code == 78
    assert result.stdout == ""
    assert "none.toml" in result.stderr


CONFIG = """
[desk]
name = "Example Support"
address = "csm@example.com"
time_zone = "Europe/Berlin"

[[mailbox]]
address = "csm@example.com"
team = ["ann"]

[[agent]]
id = "ann"
name = "Ann Example"
address = "ann@example.com"
role = "lead"

[calendar.shop]
time_zone = "UTC"
hours = { mon-fri = ["10:00-12:00"] }

[sla.normal]
calendar = "shop"
first_response = ["10m", "1h"]
resolution = ["2h", "4h"]
next_response = ["10m", "1h"]
"""


def test_the_policy_and_the_calendars_of_a_configuration(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    own = {key: value for key, value in VECTOR.items() if key != "calendar"}
    answer = run("due", own, VECTOR, own | {"severity": "urgent"}, options=["-c", str(path)])
    assert [each["first_response"]["breach_at"] for each in answer] == [
        "2026-03-11T11:00:00Z",
        "2026-03-11T10:00:00Z",
        "2026-03-11T09:30:00Z",
    ]
    talk = [("agent_reply", "10"), ("customer_message", "11"), ("agent_reply", "12")]
    events = [{"type": kind, "at": f"2026-03-11T{hour}:00:00Z"} for kind, hour in talk]
    (answer,) = run("due", own | {"events": events}, options=["-c", str(path)])
    assert set(answer) == {"id", "first_response", "resolution", "next_response_cycles"}
    assert answer["next_response_cycles"] == [{"start": "2026-03-11T11:00:00Z", "met_at": "2026-03-11T12:00:00Z"}]
    line = {"id": 1, "calendar": "shop", "start": "2026-03-11T09:00:00Z", "seconds": 60}
    assert run("add", line, options=["-c", str(path)]) == [{"id": 1, "end": "2026-03-11T10:01:00Z"}]
