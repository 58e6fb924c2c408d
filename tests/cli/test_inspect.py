import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from maild.cli import inspect as room

MAIL = Path(__file__).parent.parent / "mail"
KEYS = {
    *(
        "path",
        "index",
        "message_id",
        "in_reply_to",
        "references",
        "from",
        "reply_to",
        "to",
        "cc",
        "subject",
        "date",
        "text",
        "html",
        "new_text",
    ),
    *(
        "attachments",
        "origin",
        "origin_because",
        "severity",
        "severity_because",
        "tokens",
        "defects",
        "marks",
        "signature",
        "route",
        "seconds",
    ),
}


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(room.inspect)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_object_a_message_with_exactly_the_keys_of_the_contract(run):
    result = run("--json", MAIL)
    found = rows(result)
    assert result.exit_code == 0
    assert len(found) == len(list(MAIL.glob("*.eml")))
    for one in found:
        assert set(one) == KEYS | ({"delivery"} if one["origin"] == "bounce" else set())


def test_a_reply(run):
    (found,) = rows(run("--json", MAIL / "reply_gmail.eml"))
    assert found["from"] == {"name": "Bob Customer", "address": "bob@acme.example"}
    assert found["tokens"] == ["[CSM #1042]", "csm+k7m2qpx4abcdefgh234567@example.com"]
    assert found["date"] == "2026-01-05T10:00:00Z"
    assert found["seconds"] >= 0


def test_an_mbox_is_cut_at_its_from_lines_and_unstuffed(run, tmp_path):
    path = tmp_path / "box"
    path.write_bytes(
        b"From a Mon\nSubject: one\n\n>From here\n>>From there\n\nFrom b Tue\nSubject: two\n\nnot a\nFrom line\n"
    )
    one, two = rows(run("--json", path))
    assert (one["subject"], one["text"], one["index"]) == ("one", "From here\n>From there", 0)
    assert (two["subject"], two["text"], two["index"]) == ("two", "not a\nFrom line", 1)


def test_a_maildir(run, tmp_path):
    for folder, name in (("new", "1"), ("cur", "2:2,S"), ("tmp", "3")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_bytes(b"Subject: " + folder.encode() + b"\n\nx")
    (tmp_path / "new" / ".hidden").write_bytes(b"")
    assert sorted(one["subject"] for one in rows(run("--json", tmp_path))) == ["cur", "new"]


def test_an_unreadable_path_is_told_after_the_others_were_done(run, tmp_path):
    result = run("--json", tmp_path / "nothing", MAIL / "outlook_reply.eml")
    assert result.exit_code == 66
    assert len(rows(result)) == 1
    assert "nothing" in result.stderr


def test_any_octets_give_an_object(run, tmp_path):
    (tmp_path / "a.eml").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "b.eml").write_bytes(b"")
    found = rows(run("--json", tmp_path))
    assert len(found) == 2
    assert all(one["defects"] for one in found)


def test_for_people(run):
    result = run(MAIL / "bounce_rfc3464.eml", MAIL / "attachments.eml")
    assert result.exit_code == 0
    assert "bounce: multipart/report" in result.stdout
    assert "shot.png (8 octets)" in result.stdout


def test_a_folder_is_walked_and_what_is_no_mail_is_left_out(run, tmp_path):
    (tmp_path / "README.md").write_text("# not a mail\n")
    (tmp_path / "expect.jsonl").write_text('{"id": 1}\n')
    (tmp_path / ".hidden").write_text("Subject: hidden\n\n")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "1.eml").write_bytes(b"\x00 whatever it is")
    (deep / "2").write_bytes(b"Subject: two\r\n\r\nx")
    result = run("--json", tmp_path)
    assert [row["path"] for row in rows(result)] == [str(deep / "1.eml"), str(deep / "2")]
    assert result.exit_code == 0
