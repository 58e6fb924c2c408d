"""The operator hears of what needs a person: in one mail, once, and with the commands that mend it."""

import re
import signal
import time

import pytest

OPS = "ops@staff.example"
CAROL = "Carol Jones <carol@acme.example>"
EVERY = 4
POISON = "{% if 'poison' in title %}{{ 1 / 0 }}{% endif %}\n{{ text }}\n"
QUARANTINED = "SELECT count(*) FROM received WHERE state = 'quarantined'"


@pytest.fixture
def poisoned(make_desk, write):
    """A desk that a subject breaks; nobody is told of it yet."""
    desk = make_desk()
    own = desk.folder / "own"
    own.mkdir()
    (own / "notification.txt.j2").write_text(POISON)
    config = desk.config.read_text("utf-8")
    desk.config.write_text(config.replace("[desk]\n", '[desk]\ntemplates_dir = "own"\n', 1), "utf-8")
    desk.start()
    for name in ("carol", "dave", "eve"):
        desk.send(write(f"{name}@acme.example", "csm@desk.example", "poison", "Hello."), f"{name}@acme.example")
    desk.until(lambda: desk.ask(QUARANTINED) == [(3,)], "three mails set aside")
    return desk


def test_one_mail_for_all_of_them(poisoned, sink, write):
    desk = poisoned
    desk.config.write_text(
        f'{desk.config.read_text("utf-8")}\n[operator]\naddress = "{OPS}"\nsummary_every = "{EVERY}s"\n', "utf-8"
    )
    desk.process.send_signal(signal.SIGHUP)
    first = sink.wait(OPS)
    assert first.sender == ""
    assert first.subject == "CSM: mail that needs a person: 3 quarantined"
    assert "from eve@acme.example to csm@desk.example" in first.text
    assert "ZeroDivisionError" in first.text
    commands = re.findall(r"^ +maild (quarantine (?:show|retry) .*)$", first.text.replace("\r", ""), re.MULTILINE)
    assert len(commands) == 6

    # Nothing new, no mail; a daemon that is killed tells nothing twice.
    time.sleep(EVERY + 1)
    desk.kill()
    desk.start()
    time.sleep(EVERY + 1)
    assert len(sink.to(OPS)) == 1

    desk.send(write("frank@acme.example", "csm@desk.example", "poison", "Hello."), "frank@acme.example")
    second = sink.wait(OPS, count=2)
    assert "1 new, 4 in all" in second.text
    assert "from frank@acme.example" in second.text
    assert "from eve@acme.example" not in second.text

    # The fault is mended, and what the mail says to type brings the mail back, as of when it came in.
    (desk.folder / "own/notification.txt.j2").write_text("{{ text }}\n")
    desk.process.send_signal(signal.SIGHUP)
    desk.until(lambda: desk.log.count("reload.done") >= 2, "a reload")
    number = int(commands[1].split()[2])
    ((came,),) = desk.ask("SELECT received_at FROM received WHERE id = ?", number)
    words = commands[1].split(" -c ")
    assert words[1] == str(desk.config)
    assert desk.run(*words[0].split()) == f"{number} waits again\n"
    ticket = desk.until(desk.tickets, "a ticket")[0]
    assert ticket["requester"] == "carol@acme.example"
    shown = desk.show(ticket["id"])
    assert shown["opened_at"][:19] == came[:19]
    assert len(sink.to(OPS)) == 2
