"""`maild report`, `maild sla simulate` and `maild severity report` on a ledger with two weeks behind it."""

import csv
import io
import json

import pytest

MARCH = ("--from", "2026-03-02", "--to", "2026-03-11")


def objects(done):
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def figures(rows, name):
    return [row for row in rows if row["figure"] == name]


def test_the_figures_as_objects(maild, past):
    rows = objects(maild("report", *MARCH, "--json", "-c", past))
    (period,) = figures(rows, "period")
    # Midnights of Berlin.
    assert (period["from"], period["to"]) == ("2026-03-01T23:00:00Z", "2026-03-11T23:00:00Z")
    opened = {row["severity"]: row["count"] for row in figures(rows, "opened")}
    assert opened == {"urgent": 3, "high": 0, "normal": 4, "low": 1}
    promise = {
        (row["week"], row["severity"], row["metric"]): (row["met"], row["missed"]) for row in figures(rows, "promise")
    }
    assert promise["2026-03-02", "urgent", "first_response"] == (1, 1)
    assert promise["2026-03-02", "normal", "first_response"] == (2, 1)
    assert promise["2026-03-09", "low", "first_response"] == (1, 0)
    answered = {row["severity"]: (row["count"], row["waiting"]) for row in figures(rows, "first_response")}
    assert answered == {"urgent": (3, 0), "high": (0, 0), "normal": (3, 1), "low": (1, 0)}
    # Three answers have no median worth the name.
    assert all(row["median_seconds"] is None for row in figures(rows, "first_response"))
    hours = [(row["day"], row["hour"], row["count"]) for row in figures(rows, "hour")]
    assert ("mon", 8, 1) in hours
    assert ("wed", 0, 1) in hours  # Tuesday 23:40 UTC
    changes = [(row["ticket"], row["from"], row["to"], row["actor"]) for row in figures(rows, "correction")]
    assert changes == [(1003, "high", "normal", "ann"), (1007, "normal", "urgent", "ann")]


def test_the_figures_for_people(maild, past):
    done = maild("report", *MARCH, "-c", past)
    assert (done.code, done.err) == (0, "")
    assert "2026-03-02 to 2026-03-11 (Europe/Berlin)" in done.out
    assert "8 new tickets: 3 urgent, 4 normal, 1 low." in done.out
    assert "2 of 3" in done.out
    assert "%" not in done.out  # a share of three is no percentage
    assert "=Umbrella <b>" in done.out


def test_a_time_in_which_nothing_happened_is_told_as_such(maild, past):
    done = maild("report", "--from", "2025-01-01", "--to", "2025-01-31", "-c", past)
    assert "No promise was met or missed in this time." in done.out
    assert "0 new tickets." not in done.out
    assert "No ticket was opened in this time." in done.out


def test_the_figures_for_a_spreadsheet(maild, past):
    done = maild("report", *MARCH, "--csv", "-c", past)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == len(objects(maild("report", *MARCH, "--json", "-c", past)))
    names = {row["customer"] for row in rows if row["figure"] == "customer"}
    assert names == {"Acme Bank", "Globex", "Initech", "'=Umbrella <b>"}


def test_the_page_needs_nothing_beside_itself(maild, past, tmp_path):
    done = maild("report", *MARCH, "--html", tmp_path / "report.html", "-c", past)
    assert (done.code, done.out) == (0, "")
    page = (tmp_path / "report.html").read_text("utf-8")
    for foreign in ("<script", "http://", "https://", "src=", "url(", "@import", "<b>"):
        assert foreign not in page
    assert "=Umbrella &lt;b&gt;" in page
    assert page.count("<svg") > 10


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "yesterday"), "--from: 'yesterday' is no date"),
        (("--to", "2026-13-01"), "--to: '2026-13-01' is no date"),
        (("--to", "9999-12-31"), "lies beyond all calendars"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "is after --to"),
        (("--json", "--csv"), "ask for one of them"),
        (("--html", "/nowhere/at/all.html"), "cannot be written: No such file"),
    ],
)
def test_a_wrong_call_says_what_to_do(maild, past, words, told):
    done = maild("report", *words, "-c", past)
    assert (done.code, done.out) == (64, "")
    assert told in done.err


def test_without_days_it_tells_of_the_last_four_weeks(maild, past):
    assert "(Europe/Berlin)" in maild("report", "-c", past).out


# Another policy


def simulated(maild, past, tmp_path, text, *words):
    (tmp_path / "other.toml").write_text(text, "utf-8")
    rows = objects(maild("sla", "simulate", "--policy", tmp_path / "other.toml", "--json", *words, "-c", past))
    return rows[:-1], rows[-1]["summary"]


def test_the_policy_as_it_is_changes_nothing(maild, past, tmp_path):
    differing, summary = simulated(maild, past, tmp_path, past.read_text("utf-8") + "[sla.low]\n")
    assert differing == []
    assert summary["tickets"] == 8


def test_another_policy_names_the_tickets_that_it_changes(maild, past, tmp_path):
    differing, summary = simulated(
        maild,
        past,
        tmp_path,
        '[sla.urgent]\nfirst_response = ["15m", "1h"]\n[sla.normal]\nfirst_response = ["1h", "2h"]\n',
    )
    found = {(row["ticket"], row["metric"]): (row["was"], row["would"]) for row in differing}
    assert found[1002, "first_response"] == ("breached", "met")
    assert found[1004, "first_response"] == ("met", "breached")
    assert (1001, "first_response") not in found
    promises = {(row["severity"], row["metric"]): row for row in summary["promises"]}
    urgent = promises["urgent", "first_response"]
    assert (urgent["was"]["breached"], urgent["would"]["breached"]) == (1, 0)


@pytest.fixture
def narrow(monkeypatch):
    """A terminal of the usual width: nothing that is a number or a name may be cut."""
    monkeypatch.setenv("COLUMNS", "80")


def test_a_simulation_for_people(maild, past, tmp_path, narrow):
    (tmp_path / "other.toml").write_text('[sla.urgent]\nfirst_response = ["15m", "1h"]\n', "utf-8")
    words = ("sla", "simulate", "--policy", tmp_path / "other.toml", "-c", past)
    done = maild(*words, "--to", "2026-03-06")
    assert done.out.startswith("5 tickets; as it was")
    assert "  #1002  urgent first response: breached, would be met\n" in done.out
    assert "limit 2026-03-04 00:10, then 2026-03-04 00:40; stopped 2026-03-04 00:25\n" in done.out
    assert "…" not in done.out
    nothing = maild(*words, "--to", "2026-03-02")
    assert nothing.out.startswith("1 ticket; as it was")
    assert "no promise would have been judged otherwise" in nothing.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "says nothing of a promise"),
        ("[relay]\nport = 25\n", "says nothing of a promise"),
        ("[slaa.urgent]\n", "slaa: unknown section; did you mean sla?"),
        ("[sla.urgnt]\n", "sla.urgnt: unknown severity"),
        ('[sla.urgent]\ncalendar = "sundays"\n', "there is no calendar 'sundays'"),
        ('[sla.urgent]\nresolution = ["9h", "1h"]\n', "sla.urgent.resolution"),
        ("sla = 3\n", "sla"),
        ("[x", "is not TOML"),
    ],
)
def test_a_policy_that_cannot_be_used(maild, past, tmp_path, text, told):
    (tmp_path / "other.toml").write_text(text, "utf-8")
    done = maild("sla", "simulate", "--policy", tmp_path / "other.toml", "-c", past)
    assert (done.code, done.out) == (78, "")
    assert told in done.err
    assert "other.toml" in done.err


def test_another_calendar(maild, past, tmp_path):
    hours = '[calendar.office]\nhours = { mon-fri = ["09:00-17:00"] }\n[sla.normal]\ncalendar = "office"\n'
    differing, _ = simulated(maild, past, tmp_path, hours)
    # Friday 15:50 UTC is ten minutes before closing, and the answer comes after 400 minutes.
    assert (1005, "breached", "met") in {(row["ticket"], row["was"], row["would"]) for row in differing}


# The guess


def test_the_guess_as_objects(maild, past):
    rows = objects(maild("severity", "report", "--json", "-c", past))
    grades = {row["guessed"]: row for row in figures(rows, "severity")}
    assert (grades["high"]["counted"], grades["high"]["set_to"]["normal"]) == (1, 1)
    assert (grades["normal"]["counted"], grades["normal"]["precision"]) == (3, 0.6667)
    (rule,) = figures(rows, "rule")
    assert (rule["says"], rule["points"], rule["counted"], rule["too_high"], rule["too_low"]) == (
        "systems down",
        5,
        7,
        1,
        1,
    )
    assert rule["precision"] == round(6 / 7, 4)
    assert [(row["ticket"], row["guessed"], row["set_to"]) for row in figures(rows, "correction")] == [
        (1003, "high", "normal"),
        (1007, "normal", "urgent"),
    ]


def test_the_guess_for_people(maild, past, narrow):
    done = maild("severity", "report", "-c", past)
    assert "7 guesses that somebody has looked at, 2 corrected" in done.out
    assert "2 of 3" in done.out
    assert "…" not in done.out
    nobody = maild("severity", "report", "--to", "2025-03-06", "-c", past)
    assert "nobody has looked at a ticket of these days yet" in nobody.out


# What a real daemon has filled


def test_all_three_on_a_ledger_that_the_daemon_has_filled(maild, ledger, tmp_path):
    rows = objects(maild("report", "--from", "2026-03-09", "--to", "2026-03-15", "--json", "-c", ledger))
    promise = {(row["severity"], row["metric"]): (row["met"], row["missed"]) for row in figures(rows, "promise")}
    assert promise == {("urgent", "first_response"): (1, 0), ("urgent", "resolution"): (0, 1)}
    (tmp_path / "other.toml").write_text('[sla.urgent]\nresolution = ["1d", "900d"]\n', "utf-8")
    found = objects(maild("sla", "simulate", "--policy", tmp_path / "other.toml", "--json", "-c", ledger))
    assert [(row["ticket"], row["metric"], row["was"], row["would"]) for row in found[:-1]] == [
        (1001, "resolution", "breached", "running")
    ]
    graded = objects(maild("severity", "report", "--json", "-c", ledger))
    assert {row["rule"] for row in figures(graded, "rule")} >= {"down"}
