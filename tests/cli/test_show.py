"""`maild tickets` and `maild show` on a ledger that the real daemon has filled."""

import json
import re

import pytest

from maild.cli.show import page_of, whole_seconds

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
DRIVES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
TICKETS = {
    *("id", "reference", "subject", "state", "severity", "requester", "assignee", "opened_at", "due_at", "due_metric"),
}
SHOW = {
    *("id", "reference", "subject", "state", "severity", "severity_because", "requester", "participants", "assignee"),
    *("opened_at", "first_response_at", "first_response_evidence", "resolved_at", "closed_at"),
    *("clocks", "messages", "events", "outbox"),
    *("merged_into", "merged", "links", "acknowledged"),
}
PARTS = {
    "clocks": {
        *("metric", "calendar", "target_at", "limit_at", "state", "stopped_at", "breached_at", "paused_seconds"),
    },
    "messages": {"id", "message_id", "at", "from", "kind", "verified", "placed_because", "text"},
    "events": {"at", "actor", "what", "because"},
    "outbox": {"kind", "to", "message_id", "state", "attempts", "last_reply"},
}


def instants(value):
    """Give every value whose key ends with at."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if (key == "at" or key.endswith("_at")) and inner is not None:
                yield inner
            if key != "data":
                yield from instants(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from instants(inner)


def test_tickets_are_listed_as_objects_one_a_line(maild, ledger):
    done = maild("tickets", "--json", "-c", ledger)
    assert (done.code, done.err) == (0, "")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert all(set(row) >= TICKETS for row in rows)
    assert [row["id"] for row in rows] == [1001, 1002]
    first, second = rows
    assert (first["reference"], first["subject"]) == ("CSM #1001", "URGENT: checkout down")
    assert (first["severity"], first["state"], first["assignee"]) == ("urgent", "open", "ann")
    assert (first["requester"], first["due_metric"]) == ("carol@acme.example", "resolution")
    assert (second["severity"], second["state"], second["assignee"]) == ("normal", "new", None)
    assert second["due_metric"] == "first_response"
    assert all(INSTANT.fullmatch(at) for at in instants(rows))


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--state", "open"), [1001]),
        (("--state", "closed"), []),
        (("--severity", "normal"), [1002]),
        (("--severity", "normal", "--state", "open"), []),
        (("--due",), [1001, 1002]),
        (("--due", "--severity", "urgent"), [1001]),
    ],
)
def test_filters_leave_what_fits(maild, ledger, words, ids):
    done = maild("tickets", "--json", *words, "-c", ledger)
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ids


def test_a_ticket_is_shown_as_one_object_on_one_line(maild, ledger):
    done = maild("show", "1001", "--json", "-c", ledger)
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    shown = json.loads(done.out)
    assert set(shown) >= SHOW
    for part, keys in PARTS.items():
        assert shown[part]
        assert all(set(row) >= keys for row in shown[part])
    assert all(INSTANT.fullmatch(at) for at in instants(shown))
    assert [message["kind"] for message in shown["messages"]] == ["customer", "agent"]
    assert shown["first_response_at"] == shown["messages"][1]["at"]
    assert shown["first_response_evidence"]
    assert {clock["metric"]: clock["state"] for clock in shown["clocks"]} == {
        "first_response": "met",
        "resolution": "breached",
    }
    assert {"opened", "agent_reply", "breach"} <= {event["what"] for event in shown["events"]}
    assert {"ack", "notification", "relay", "escalation"} <= {owed["kind"] for owed in shown["outbox"]}
    assert all(owed["to"] for owed in shown["outbox"])


@pytest.mark.parametrize("number", ["1001", "#1001", "CSM #1001", "[CSM #1001]"[1:-1]])
def test_a_ticket_has_several_names(maild, ledger, number):
    assert maild("show", number, "-c", ledger).out.startswith("CSM #1001  URGENT  open  URGENT: checkout down\n")


def test_the_page_says_what_happened(maild, ledger):
    page = maild("show", "1001", "-c", ledger).out
    for words in ("customer  ", "owner     ann", "first_response  met", "BREACHED", "| It is renewed.", "relay"):
        assert words in page
    assert not re.search(r":\d\d\.\d", page)


def test_only_our_own_instants_lose_their_fractions():
    value = {
        "at": "2026-03-11T09:00:32.123456Z",
        "messages": [{"text": "12:00:00.5Z", "because": "at 12:00:00.5+00:00"}],
    }
    assert whole_seconds(value) == {
        "at": "2026-03-11T09:00:32Z",
        "messages": [{"text": "12:00:00.5Z", "because": "at 12:00:00+00:00"}],
    }


@pytest.mark.parametrize("words", [("tickets",), ("received",), ("outbox", "list")])
def test_on_80_columns_a_row_is_a_line_with_its_instants_whole(maild, ledger, monkeypatch, words):
    rows = len(maild(*words, "--json", "-c", ledger).out.splitlines())
    monkeypatch.setenv("COLUMNS", "80")
    lines = maild(*words, "-c", ledger).out.splitlines()
    assert len(lines) == rows + 1
    assert all(len(line) <= 80 for line in lines)
    assert all(re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d ", line) for line in lines[1:])


def test_into_a_pipe_nothing_is_cut(maild, ledger, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert "…" not in maild("outbox", "list", "-c", ledger).out


@pytest.mark.parametrize(("name", "told"), [("Carol", "Carol <c@acme.test>"), ("", "c@acme.test")])
def test_a_customer_without_a_name_is_his_address(name, told):
    value = dict.fromkeys(SHOW | {"reference", "requester_name"}, "") | dict.fromkeys(PARTS, ())
    assert f"  customer  {told}\n" in page_of(value | {"requester": "c@acme.test", "requester_name": name})


@pytest.mark.parametrize(
    "words", [("tickets",), ("tickets", "--json"), ("show", "1002"), ("show", "1002", "--json"), ("why", "1002")]
)
def test_what_a_stranger_wrote_never_drives_the_terminal(maild, ledger, words):
    done = maild(*words, "-c", ledger)
    assert done.code == 0
    assert "red" in done.out or words[0] == "why"
    assert not DRIVES.search(done.out)


@pytest.mark.parametrize("words", [("tickets",), ("show", "1"), ("why", "1"), ("tickets", "--json")])
def test_without_a_ledger_the_answer_is_69_and_none_is_made(maild, tmp_path, words):
    path = tmp_path / "maild.toml"
    path.write_text('[desk]\naddress = "csm@example.com"\ndata_dir = "data"\n')
    done = maild(*words, "-c", path)
    assert (done.code, done.out) == (69, "")
    assert "`maild serve` makes it" in done.err
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_no_ledger_is_told(maild, tmp_path):
    (tmp_path / "maild.db").write_bytes(b"this is no database, but it is long enough to be looked at" * 100)
    path = tmp_path / "maild.toml"
    path.write_text('[desk]\naddress = "csm@example.com"\ndata_dir = "."\n')
    done = maild("tickets", "-c", path)
    assert (done.code, done.out) == (69, "")
    assert "cannot be opened" in done.err


@pytest.mark.parametrize("command", ["show", "why"])
def test_a_ticket_that_is_not_there_is_65(maild, ledger, command):
    done = maild(command, "4711", "-c", ledger)
    assert (done.code, done.out, done.err) == (65, "", "there is no ticket 4711\n")
