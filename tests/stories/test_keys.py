"""An operator rotates the keys beside a running daemon, and retires the old one."""

import json
import subprocess
import sys

import pytest

from maild.threading.token import Purpose, mint

CAROL, DAVE, ANN = "carol@acme.example", "dave@globex.example", "ann@staff.example"


def listed(desk):
    return [json.loads(line) for line in desk.run("keys", "list", "--json").splitlines()]


def signed_by(key, kept, number, reader, purpose=Purpose.AGENT):
    return f"+{mint(key, number, reader, purpose)}@" in str(kept.mail["Reply-To"])


def keys_of(desk):
    return [bytes(key) for (key,) in desk.ask("SELECT key FROM secret ORDER BY id DESC")]


def test_a_running_daemon_takes_over_what_an_operator_does_to_the_keys(desk, sink, write, answer):
    (old,) = keys_of(desk)
    desk.send(write(CAROL, "csm@desk.example", "Checkout is down", "Nobody can pay."), CAROL)
    before = sink.wait(ANN)
    assert signed_by(old, before, 1001, ANN)

    assert "2 signs from now on" in desk.run("keys", "rotate")
    desk.until(lambda: "keyring.taken_over" in desk.log, "new keys")
    desk.send(write(DAVE, "csm@desk.example", "Invoices", "Where are they?"), DAVE)
    after = sink.wait(ANN, lambda kept: "Invoices" in kept.subject)
    new, kept_old = keys_of(desk)
    assert kept_old == old
    assert signed_by(new, after, 1002, ANN)

    # What the old key signed is good: the reply reaches the customer, and nothing else vouches for the agent.
    desk.send(answer(before, ANN, "We are on it.", proven=False), ANN, str(before.mail["Reply-To"]))
    assert "We are on it." in sink.wait(CAROL, lambda kept: "We are on it" in kept.text).text

    assert "tickets that are open and were written of while it signed: 1" in refused(desk, "keys", "retire", "1")
    assert "1 is retired" in desk.run("keys", "retire", "1", "--yes")
    desk.until(lambda: desk.log.count("keyring.taken_over") == 2, "one key less")
    desk.send(answer(before, ANN, "Once more.", proven=False), ANN, str(before.mail["Reply-To"]))
    held = sink.wait(ANN, lambda kept: "Was this you?" in kept.subject)
    assert "[CSM #1001]" in held.subject
    desk.settled()
    assert not sink.to(CAROL, lambda kept: "Once more" in kept.text)
    assert [message["text"].strip() for message in desk.show(1001)["messages"]][-1] == "Once more."
    assert [(line["id"], line["state"]) for line in listed(desk)] == [(2, "signs"), (1, "retired")]
    secret = [part for key in keys_of(desk) for part in (key.hex(), str(key))]
    shown = desk.run("keys", "list") + desk.run("keys", "list", "--json") + desk.log
    assert not [part for part in secret if part in shown]
    assert desk.kill(15) == 0


def refused(desk, *words):
    """Run a command that the desk refuses; give its words."""
    command = [sys.executable, "-m", "maild", *words, "-c", str(desk.config)]
    done = subprocess.run(command, capture_output=True, cwd=desk.folder, timeout=45, check=False, text=True)
    assert done.returncode == 65
    return done.stderr


@pytest.fixture
def two(postgres, make_desk):
    with postgres.database() as url:
        yield [make_desk(f'[database]\nurl = "{url}"').start() for _ in range(2)]


def test_daemons_on_one_ledger_take_them_over_together(two, sink, write, answer):
    one = two[0]
    one.send(write(CAROL, "csm@desk.example", "Checkout is down", "Nobody can pay."), CAROL)
    before = sink.wait(ANN)
    one.run("keys", "rotate")
    for desk in two:
        desk.until(lambda desk=desk: "keyring.taken_over" in desk.log, "new keys")
    for number, desk in enumerate(two):
        desk.send(write(DAVE, "csm@desk.example", f"Invoices {number}", "Where are they?"), DAVE)
        notice = sink.wait(ANN, lambda kept, number=number: f"Invoices {number}" in kept.subject)
        assert str(notice.mail["Reply-To"]) != str(before.mail["Reply-To"])
        # Whoever gets the answer, whoever wrote the notification.
        for told in (before, notice):
            words = f"Answer {number} to {told.subject}"
            two[1 - number].send(answer(told, ANN, words, proven=False), ANN, str(told.mail["Reply-To"]))
            who = CAROL if told is before else DAVE
            sink.wait(who, lambda kept, words=words: words in kept.text)
    assert [desk.kill(15) for desk in two] == [0, 0]
