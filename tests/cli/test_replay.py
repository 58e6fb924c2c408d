"""`maild replay`: a small mailbox through the whole pipeline, in its own time."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest

BEGAN = datetime(2026, 3, 9, 8, tzinfo=UTC)
SAID = "The export of our invoices stops after the first page since the update of last night."

DESK = """
[desk]
address = "csm@desk.example"
data_dir = "nowhere"
[[mailbox]]
address = "csm@desk.example"
[[agent]]
id = "ann"
address = "ann@staff.example"
[sla.normal]
calendar = "always"
first_response = ["1h", "2h"]
resolution = ["10d", "20d"]
[[escalation]]
clock = "first_response"
at = "limit"
notify = ["lead", "team"]
"""


def mail(hours, subject, text, sender="carol@acme.example", msgid="", **fields):
    message = EmailMessage()
    message["Received"] = f"from there by mx.desk.example; {format_datetime(BEGAN + timedelta(hours=hours))}"
    message["From"], message["To"], message["Subject"] = sender, "list@elsewhere.example", subject
    message["Message-ID"] = f"<{msgid or f'm{hours}'}@acme.example>"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


MAILS = [
    mail(0, "Export of invoices", SAID),
    mail(1, "Licence", "What does a second one cost?", "dave@globex.example"),
    mail(5, "Re: Export of invoices", "Since Monday.", In_Reply_To="<m0@acme.example>"),
    mail(6, "AW: Export of invoices", f"Here, too.\n\n> {SAID}", "eve@acme.example"),
    mail(1, "Licence", "What does a second one cost?", "dave@globex.example"),
    mail(7, "Re: Export of invoices", f"Tell me more.\n\n> {SAID}", "x@elsewhere.example", msgid="x"),
    mail(8, "You won", "Money.", "y@elsewhere.example", X_Spam_Flag="YES"),
]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "mails"
    path.mkdir()
    for number, octets in enumerate(MAILS):
        (path / f"{number}.eml").write_bytes(octets)
    return path


def run(*words, cwd, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "maild", "replay", *map(str, words)],
        capture_output=True,
        cwd=cwd,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode()


def lines(*words, cwd):
    *found, last = map(json.loads, run(*words, "--json", cwd=cwd).splitlines())
    return found, last["summary"]


def test_what_becomes_of_each(folder, tmp_path):
    (tmp_path / "maild.toml").write_text("this is no configuration", "utf-8")
    found, summary = lines(folder, cwd=tmp_path)
    assert [(one["index"], one["ticket"], one["opened"], one["duplicate"], one["admitted"]) for one in found] == [
        (0, 1001, True, False, True),
        (1, 1002, True, False, True),
        (2, 1001, False, False, True),
        (3, 1001, False, False, True),
        (4, 1002, False, True, True),
        (5, 1003, True, False, False),
        (6, None, False, False, True),
    ]
    assert [one["at"] for one in found][3:5] == ["2026-03-09T14:00:00Z"] * 2
    assert "quotes" in found[3]["placed_because"]
    assert found[6]["spam"]
    assert found[0]["severity"] == "normal"
    assert {"kind": "notification", "to": "agent@replay.invalid"} in found[0]["would_send"]
    counts = {name: summary[name] for name in ("messages", "tickets", "duplicates", "not_admitted", "spam", "faults")}
    assert counts == {"messages": 7, "tickets": 3, "duplicates": 1, "not_admitted": 1, "spam": 1, "faults": 0}
    assert not (tmp_path / "maild.db").exists()


def test_an_mbox_and_its_clocks(tmp_path):
    box = tmp_path / "box"
    box.write_bytes(
        b"".join(b"From c@acme.example Mon Mar  9 08:00:00 2026\n" + octets + b"\n" for octets in MAILS[:4])
    )
    config = tmp_path / "desk.toml"
    config.write_text(DESK, "utf-8")
    found, summary = lines(box, "-c", config, cwd=tmp_path)
    assert [one["ticket"] for one in found] == [1001, 1002, 1001, 1001]
    assert [one["index"] for one in found] == [0, 1, 2, 3]
    assert summary["breaches"] == {"first_response": 2}
    assert not (tmp_path / "nowhere").exists()


def test_everybody_may_join(folder, tmp_path):
    found, summary = lines(folder, "--admit", "everyone", cwd=tmp_path)
    assert found[5]["ticket"] == 1001
    assert summary["not_admitted"] == 0


def test_two_configurations(folder, tmp_path):
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(DESK, "utf-8")
    second.write_text(
        DESK.replace(
            'address = "csm@desk.example"\n[[agent]]', 'address = "csm@desk.example"\nadmit = "everyone"\n[[agent]]'
        ),
        "utf-8",
    )
    found, summary = lines(folder, "-c", first, "--against", second, cwd=tmp_path)
    (changed,) = found
    assert changed["index"] == 5
    assert changed["differs"]["ticket"] == [5, 0]
    assert changed["differs"]["admitted"] == [False, True]
    assert summary == {"messages": 7, "changed": 1}
    assert "1 of 7 mails would fare differently" in run(folder, "-c", first, "--against", second, cwd=tmp_path)


def test_for_people(folder, tmp_path):
    said = run(folder, cwd=tmp_path)
    assert "2026-03-09 08:00  #1001   opened" in said
    assert "duplicates" in said


def test_nothing_there(tmp_path):
    run(tmp_path / "none", cwd=tmp_path, code=66)
    run(tmp_path, "-c", tmp_path / "none.toml", cwd=tmp_path, code=78)


def test_no_code_is_taken_from_the_folder_it_stands_in(folder, tmp_path):
    there = tmp_path / "there"
    (there / "maild").mkdir(parents=True)
    for name in ("maild/__init__.py", "select.py", "pickle.py"):
        (there / name).write_text("open('taken', 'w').close()\n", "utf-8")
    maild = Path(sys.executable).parent / "maild"
    done = subprocess.run([maild, "replay", folder], cwd=there, capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
    assert not (there / "taken").exists()


def test_what_is_empty_or_gone_is_passed_over(folder, tmp_path):
    (folder / "7.eml").write_bytes(b"")
    (folder / "8.eml").symlink_to(folder / "nowhere.eml")
    found, summary = lines(folder, cwd=tmp_path)
    assert (len(found), summary["messages"]) == (7, 7)
