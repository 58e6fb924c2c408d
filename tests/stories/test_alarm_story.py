"""The smarthost is away while an escalation is owed: a person hears of it by another way, and when it is over."""

import json
import signal
import sys

import pytest

CAROL = "Carol Jones <carol@acme.example>"
DESK = """
[alarm]
after = "4s"
again = "1h"
command = ["{program}"]
[sla.normal]
calendar = "always"
first_response = ["1s", "2s"]
"""


@pytest.fixture
def pager(tmp_path):
    path, file = tmp_path / "page", tmp_path / "told"
    path.write_text(f"#!{sys.executable} -I\nimport sys\nopen({str(file)!r}, 'a').write(sys.stdin.read())\n")
    path.chmod(0o755)

    def told():
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return path, told


def kept(desk):
    """Give what the daemon keeps of the alarm; None before it kept anything."""
    file = desk.folder / "data" / "alarm.json"
    return json.loads(file.read_text()) if file.exists() else None


def is_told(desk):
    alarm = kept(desk)
    return alarm and alarm["ears"] and all(ear["heard"] for ear in alarm["ears"])


def whats(told):
    return [word["what"] for word in told()]


def test_nobody_listens_and_a_person_hears_of_it(make_desk, make_sink, pager, write):
    program, told = pager
    smarthost = make_sink()
    desk = make_desk(DESK.format(program=program), smarthost=smarthost).start()
    desk.send(write(CAROL, "csm@desk.example", "How do I log in?", "I forgot."), "carol@acme.example")
    desk.until(lambda: desk.ask("SELECT 1 FROM outbox WHERE kind = 'escalation'"), "an escalation")
    (word,) = desk.until(told, "the alarm")
    assert word["what"] == "stuck"
    assert "onnect" in word["last_reply"]
    assert "forgot" not in json.dumps(word)
    assert "log in" not in json.dumps(word)
    desk.until(lambda: is_told(desk), "its being kept")
    # A restart says nothing twice, and the end is told by whoever runs then.
    desk.kill()
    desk.start()
    away = desk.log.count("outbox.smarthost_away")
    desk.until(lambda: desk.log.count("outbox.smarthost_away") > away, "an attempt")
    smarthost.open()
    # What was put off is let go at a start.
    desk.kill()
    desk.start()
    desk.until(lambda: "over" in whats(told), "the end of it")
    desk.until(lambda: kept(desk)["since"] is None, "silence")
    assert whats(told) == ["stuck", "over"]
    assert desk.log.count("alarm.told") == 2
    assert desk.kill(15) == 0


def test_a_reload_brings_a_way_to_people(make_desk, make_sink, pager, write):
    program, told = pager
    desk = make_desk('[alarm]\nafter = "2s"\n', smarthost=make_sink()).start()
    desk.send(write(CAROL, "csm@desk.example", "How do I log in?", "I forgot."), "carol@acme.example")
    desk.until(lambda: "alarm.stuck" in desk.log, "the alarm in the log")
    desk.config.write_text(desk.config.read_text().replace("[alarm]", f'[alarm]\ncommand = ["{program}"]'))
    desk.process.send_signal(signal.SIGHUP)
    desk.until(told, "the alarm")
    assert whats(told) == ["stuck"]
    assert desk.log.count("alarm.stuck") == 1
    assert '"needs_restart": []' in desk.log


def test_the_ledger_is_away(postgres_of_our_own, make_desk, pager):
    program, told = pager
    server, url = postgres_of_our_own
    desk = make_desk(f'[database]\nurl = "{url}"\n[alarm]\nafter = "2s"\ncommand = ["{program}"]\n').start()
    server.stop()
    (word,) = desk.until(told, "the alarm")
    assert (word["what"], word["waiting"]) == ("ledger_away", None)
    server.start()
    desk.until(lambda: "over" in whats(told), "the end of it")
    assert whats(told) == ["ledger_away", "over"]
    assert desk.kill(15) == 0


@pytest.fixture
def postgres_of_our_own(make_postgres):
    """A server that may be stopped, and a database in it."""
    server = make_postgres()
    server.sql("CREATE DATABASE desk")
    return server, server.url("desk")
