"""`maild why`: the reasons, as the ledger has them."""

import itertools
import json
import re


def test_the_reasons_are_one_object_on_one_line(maild, ledger):
    done = maild("why", "1001", "--json", "-c", ledger)
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    why = json.loads(done.out)
    assert (why["id"], why["reference"], why["severity"]) == (1001, "CSM #1001", "urgent")
    assert why["severity_because"]
    assert all(message["placed_because"] for message in why["placed"])
    assert next(message["verified"] for message in why["placed"]) == "dmarc"
    assert why["first_response_evidence"]
    assert {line["level"] for line in why["told"]} >= {"target", "limit"}
    assert all(line["because"] and line["at"].endswith("Z") for line in why["told"])
    assert {line["kind"] for line in why["mailed"]} >= {"ack", "relay", "escalation"}
    assert all(event["because"] for event in why["events"])


def test_the_interval_ledger_adds_up_to_what_the_clock_took(maild, ledger):
    why = json.loads(maild("why", "1001", "--json", "-c", ledger).out)
    first = next(clock for clock in why["clocks"] if clock["metric"] == "first_response")
    assert sum(one["counted_seconds"] for one in first["intervals"]) == first["elapsed_seconds"]
    assert 300 <= first["elapsed_seconds"] < 400
    assert first["intervals"][-1]["to"] == why["first_response_at"]


def test_the_account_is_whole(maild, ledger):
    why = json.loads(maild("why", "1002", "--json", "-c", ledger).out)
    for clock in why["clocks"]:
        lines = clock["ledger"]
        assert lines[0]["what"] == "counted"
        assert {line["what"] for line in lines} <= {"counted", "closed"}
        assert all(before["to"] == after["from"] for before, after in itertools.pairwise(lines))
        assert sum(line["counted_seconds"] for line in lines) == clock["limit_seconds"]
        assert clock["time_zone"] == "Europe/Berlin"


def test_only_open_days_are_counted(maild, ledger):
    why = json.loads(maild("why", "1002", "--json", "-c", ledger).out)
    days = [one for clock in why["clocks"] for one in clock["intervals"]]
    assert days
    assert all(one["counted_seconds"] <= 5 * 86_400 for one in days)
    assert all(len(clock["intervals"]) <= 60 for clock in why["clocks"])


def test_the_page_says_it_in_words(maild, ledger):
    page = maild("why", "1001", "-c", ledger).out
    lines = page.splitlines()
    assert lines[:2] == ["CSM #1001", "placed"]
    for words in (
        "severity urgent",
        "first_response: met; 15m is due",
        "counted 5m",
        "told",
        "mailed",
        "relay to carol",
    ):
        assert words in page
    assert not re.search(r":\d\d\.\d", page)
