"""`maild ticket merge`, `split`, `link` and `undo`, on a ledger with the mails of two customers."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from maild.cli.app import joined
from maild.cli.joining import decide_together
from maild.cli.terms import configuration
from maild.daemon import workshop
from maild.ingest.parse import parse
from maild.intake import Intake
from maild.mail import Envelope
from maild.store import ConflictError, Ledger

CONFIG = """
[desk]
name = "Example Support"
address = "csm@desk.example"
time_zone = "Europe/Berlin"
data_dir = "."
[[mailbox]]
address = "csm@desk.example"
team = ["ann", "bob"]
[[agent]]
id = "ann"
name = "Ann Agent"
address = "ann@staff.example"
[[agent]]
id = "bob"
name = "Bob Lead"
address = "bob@staff.example"
role = "lead"
[auth]
authserv_id = "mx.desk.example"
"""
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


def mail(sender, subject, text, msgid, **headers):
    domain = sender.partition("@")[2]
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"Authentication-Results: mx.desk.example; dmarc=pass header.from={domain}\r\n"
        f"From: {sender}\r\nTo: csm@desk.example\r\nSubject: {subject}\r\nMessage-ID: <{msgid}>\r\n{more}\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "maild.toml"
    path.write_text(CONFIG, "utf-8")
    return path


@pytest.fixture
def desk(path):
    """Carol's ticket 1001 with two mails, the second about something else; Dave's 1002 with one, later and worse."""
    config = configuration(path)

    async def fill():
        ledger = await Ledger.open(config.database_url)

        async def read(octets, _):
            return parse(octets)

        shop = await workshop(config, ledger, read, lambda: datetime.now(UTC))
        intake = Intake(ledger, shop, lambda: None)
        mails = [
            mail("carol@acme.example", "A question", "How do I export?", "c1@acme.example"),
            mail(
                "carol@acme.example",
                "Re: A question",
                "And by the way, the invoice of March is wrong, please correct it.",
                "c2@acme.example",
                In_Reply_To="<c1@acme.example>",
            ),
            mail("dave@bolt.example", "URGENT: production is down for all", "Nobody can log in.", "d1@bolt.example"),
        ]
        for minute, octets in enumerate(mails):
            at = LONG_AGO + timedelta(minutes=minute)
            sender = "carol@acme.example" if minute < 2 else "dave@bolt.example"
            await ledger.accept([(Envelope(sender, ("csm@desk.example",), "smtp", "127.0.0.1", at), octets)])
        while await intake.step():
            pass
        await ledger.close()

    asyncio.run(fill())
    return path


def run(desk, *words, code=0):
    result = CliRunner().invoke(joined(), [*words, "-c", str(desk)])
    assert result.exit_code == code, (result.output, result.stderr, result.exception)
    return result.stdout if code == 0 else result.stderr


def show(desk, number):
    return json.loads(run(desk, "show", str(number), "--json"))


def listed(desk, *words):
    return {line["id"]: line for line in map(json.loads, run(desk, "tickets", "--json", *words).splitlines())}


def test_merge_and_undo(desk):
    before = show(desk, 1001), show(desk, 1002)
    assert before[1]["severity"] == "urgent"
    said = run(desk, "ticket", "merge", "#1002", "1001")
    assert said.startswith("CSM #1001: ann merged ticket 1002 of dave@bolt.example into it; its clocks count from")
    survivor, gone = show(desk, 1001), show(desk, 1002)
    assert (survivor["state"], survivor["severity"], survivor["merged"]) == ("new", "urgent", [1002])
    assert survivor["participants"] == ["carol@acme.example", "dave@bolt.example"]
    assert [(message["ticket"], message["from"]) for message in survivor["messages"]] == [
        (1001, "carol@acme.example"),
        (1001, "carol@acme.example"),
        (1002, "dave@bolt.example"),
    ]
    assert {clock["started_at"] for clock in survivor["clocks"]} == {before[0]["opened_at"]}
    assert (gone["state"], gone["merged_into"]) == ("closed", 1001)
    assert {clock["state"] for clock in gone["clocks"]} <= {"ended", "breached"}
    assert all(clock["stopped_at"] for clock in gone["clocks"])
    assert listed(desk)[1002]["merged_into"] == 1001
    assert listed(desk)[1002]["due_at"] is None
    assert listed(desk, "--state", "new").keys() == {1001}
    assert "went into #1001" in run(desk, "show", "1002")
    assert "in #1001" in run(desk, "tickets")
    page = run(desk, "show", "1001")
    assert "with it   #1002, merged into it" in page
    assert "message 3  of #1002" in page
    run(desk, "why", "1002")

    assert "took back" in run(desk, "ticket", "undo", "1002")
    after = show(desk, 1001), show(desk, 1002)
    for one, other in zip(before, after, strict=True):
        for value in (one, other):
            del value["events"]
            for clock in value["clocks"]:
                clock["paused_seconds"] = 0
        assert one == other


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("merge", "1001", "1001"), 65, "cannot go into itself"),
        (("merge", "1001", "7"), 65, "there is no ticket 7"),
        (("merge", "1001", "seven"), 64, "'seven' is no ticket"),
        (("split", "1001", "--message", "abc"), 64, "'abc' is no number: write the one that is shown for it"),
        (("split", "1001", "--message", "1"), 65, "message 1 opened ticket 1001 and stays"),
        (("split", "1001", "--message", "3"), 65, "message 3 is none of ticket 1001; its own are 1, 2"),
        (("link", "1001", "1001"), 65, "cannot be linked to itself"),
        (("link", "7", "1001"), 65, "there is no ticket 7"),
        (("undo", "1001"), 65, "nobody decided anything on ticket 1001 that could be undone"),
    ],
)
def test_what_is_refused_changes_nothing(desk, words, code, said):
    before = show(desk, 1001), show(desk, 1002)
    assert said in run(desk, "ticket", *words, code=code)
    assert (show(desk, 1001), show(desk, 1002)) == before


def test_what_was_merged_is_named(desk):
    run(desk, "ticket", "merge", "1002", "1001")
    for words in (("merge", "1001", "1002"), ("merge", "1002", "1001"), ("link", "1002", "1001"), ("resolve", "1002")):
        assert "merged into 1001" in run(desk, "ticket", *words, code=65)
    assert "undo that first" in run(desk, "ticket", "split", "1002", "--message", "3", code=65)


def test_split_and_undo(desk):
    before = show(desk, 1001)
    said = run(desk, "ticket", "split", "1001", "--message", "2")
    assert said.startswith("CSM #1001: ann split off message 2: ticket ")
    number = max(listed(desk))
    fresh, old = show(desk, number), show(desk, 1001)
    assert fresh["opened_at"] == before["messages"][1]["at"]
    assert (fresh["requester"], fresh["state"], fresh["subject"]) == ("carol@acme.example", "new", "Re: A question")
    assert [message["id"] for message in fresh["messages"]] == [2]
    assert [message["id"] for message in old["messages"]] == [1]
    assert (fresh["links"], old["links"]) == ([1001], [number])
    assert {(owed["kind"], owed["to"]) for owed in fresh["outbox"]} == {
        ("notification", "ann@staff.example"),
        ("notification", "bob@staff.example"),
    }
    assert {clock["started_at"] for clock in fresh["clocks"]} == {fresh["opened_at"]}
    assert f"see also  #{number}" in run(desk, "show", "1001")

    run(desk, "ticket", "undo", str(number))
    assert [message["id"] for message in show(desk, 1001)["messages"]] == [1, 2]
    assert show(desk, number)["merged_into"] == 1001
    assert show(desk, 1001)["links"] == []
    assert "nobody decided anything" in run(desk, "ticket", "undo", str(number), code=65)


def test_link_and_undo(desk):
    assert run(desk, "ticket", "link", "1001", "1002") == "CSM #1001: ann linked it to ticket 1002\n"
    assert (show(desk, 1001)["links"], show(desk, 1002)["links"]) == ([1002], [1001])
    assert "linked already" in run(desk, "ticket", "link", "1002", "1001", code=65)
    run(desk, "ticket", "undo", "1002")
    assert (show(desk, 1001)["links"], show(desk, 1002)["links"]) == ([], [])
    assert [event["what"] for event in show(desk, 1001)["events"]][-2:] == ["linked", "undone"]


def test_steps_are_undone_one_by_one(desk):
    run(desk, "ticket", "assign", "1001", "bob")
    run(desk, "ticket", "severity", "1001", "low")
    run(desk, "ticket", "resolve", "1001")
    for expected in (("open", "low", "bob"), ("new", "normal", "bob"), ("new", "normal", None)):
        run(desk, "ticket", "undo", "1001")
        now = show(desk, 1001)
        assert (now["severity"], now["assignee"]) == expected[1:]
        assert now["resolved_at"] is None
    assert "nobody decided anything" in run(desk, "ticket", "undo", "1001", code=65)


def test_what_changes_meanwhile_is_decided_on_again(desk):
    config = configuration(desk)

    async def conflicting(times):
        ledger = await Ledger.open(config.database_url, migrate=False)
        tried = []

        async def plan(ledger, now):
            tried.append(now)
            from maild.cli.joining import NOTHING, _side  # noqa: PLC0415 - the room under test
            from maild.desk.merge import on_link  # noqa: PLC0415 - likewise
            from maild.store import Record  # noqa: PLC0415 - likewise

            one, two = await ledger.history(1001), await ledger.history(1002)
            if len(tried) <= times:
                await ledger.record([Record(at=now, ticket=two.ticket)])
            return on_link(_side(one), _side(two), "ann", now), (NOTHING, NOTHING)

        try:
            await decide_together(ledger, plan)
        finally:
            await ledger.close()
        return len(tried)

    with pytest.raises(ConflictError):
        asyncio.run(conflicting(3))
    assert show(desk, 1001)["links"] == []
    assert asyncio.run(conflicting(2)) == 3
    assert show(desk, 1001)["links"] == [1002]
