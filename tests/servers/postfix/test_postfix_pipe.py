"""maild behind the pipe(8) of a real Postfix, set up as docs/postfix.md says: no mail is lost, none comes twice."""

import contextlib
import os
import shutil
import signal
import site
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import maild

CAROL = "carol@acme.example"
ANN = "ann@staff.example"
DESK = "csm@example.com"
USER = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
"""Postfix starts no command as root, so the ledger is somebody else's here."""

SCRIPT = """#!/bin/sh
export PYTHONPATH={path}
test ! -e {home}/desk/dies-after || {{ {python} -m maild "$@"; kill -9 $$; }}
exec {python} -m maild "$@"
"""


PATH = ":".join([str(Path(maild.__file__).parents[1]), *site.getsitepackages()])


def runnable(program):
    """Give a Python that others than root may run: this one may lie in a home directory."""
    setpriv = program("setpriv", "util-linux")
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        command = [setpriv, *USER[1:], "env", f"PYTHONPATH={PATH}", python, "-c", "import pydantic_core, maild"]
        if subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0:
            return python
    pytest.skip("the user nobody may run no Python of this version: apt install python3")


@pytest.fixture
def make_piped(make_stage, program):
    """Make a stage with a pipe; the daemon is not started."""

    def make(**more):
        python = runnable(program)
        stage = make_stage(
            main="main.cf by a pipe", master="master.cf by a pipe", desk=["maild.toml by LMTP"], start=False, **more
        )
        home = stage.postfix.home
        (home / "maild").write_text(SCRIPT.format(home=home, python=python, path=PATH))
        (home / "maild").chmod(0o755)
        (home / "desk/data").mkdir(parents=True)
        shutil.copy(stage.desk.folder / "maild.toml", home / "desk")
        for path in (home / "desk", home / "desk/data"):
            shutil.chown(path, "nobody", "nogroup")
        stage.desk.folder = home / "desk"
        made = [*USER, home / "maild", "migrate", "-c", f"{home}/desk/maild.toml"]
        subprocess.run(made, capture_output=True, check=True, cwd=home)
        return stage

    return make


def started(stage):
    """Start the daemon, which is root's here, and let the commands of the ledger's owner wake it."""
    stage.desk.start()
    shutil.chown(stage.desk.folder / "data/wake", "nobody")


@contextlib.contextmanager
def locked(stage):
    """Hold the ledger as another program does that writes for long."""
    with contextlib.closing(sqlite3.connect(stage.desk.folder / "data/maild.db", isolation_level=None)) as con:
        con.execute("BEGIN IMMEDIATE")
        yield


def tries(stage, word):
    """Give the lines of Postfix's log in which pipe(8) says how a delivery ended."""
    return [line for line in stage.postfix.log.splitlines() if "relay=maild" in line and f"status={word}" in line]


def deliveries(stage):
    """Give the processes of `maild deliver` on this desk; pipe(8) bears the same words, behind its own name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            if "python" in words[0] and {"deliver", f"{stage.desk.folder}/maild.toml"} <= set(words):
                found.append(int(process.name))
    return found


def stored(stage):
    return stage.desk.ask("SELECT count(DISTINCT digest), count(*) FROM received")[0]


def test_a_mail_goes_in_and_an_answer_comes_out(make_piped, written):
    stage = make_piped()
    started(stage)
    assert "smtp=" not in stage.desk.ready
    stage.postfix.sendmail(
        written(CAROL, "checkout is down", "Nobody can pay.\n\nFrom here on nothing works."), CAROL, DESK
    )
    notice = stage.world.wait(ANN)
    assert "From here on nothing works." in notice.text
    assert stage.desk.ask("SELECT mail_from, rcpt, via, peer FROM received") == [(CAROL, DESK, "pipe", "")]
    token = notice.mail["Reply-To"].addresses[0].addr_spec
    stage.postfix.sendmail(written(ANN, f"Re: {notice.mail['Subject']}", "It is repaired.", to=token), ANN, token)
    stage.world.wait(CAROL, lambda kept: "It is repaired" in kept.text)
    assert stage.desk.show(1001)["first_response_at"]


def test_the_mail_of_nobody_has_the_null_path(make_piped, until, written):
    stage = make_piped()
    stage.postfix.sendmail(written("MAILER-DAEMON@acme.example", "Undelivered Mail", "It failed."), "<>", DESK)
    until(lambda: tries(stage, "sent"), "a delivery", lambda: stage.postfix.log)
    assert stage.desk.ask("SELECT mail_from FROM received") == [("",)]


@pytest.mark.parametrize("count", [2, 50])
def test_many_recipients(make_piped, until, written, count):
    stage = make_piped()
    rcpts = [f"csm+n{n}@example.com" for n in range(count)]
    stage.postfix.sendmail(written(CAROL, "to many", "Hello.", to=", ".join(rcpts)), CAROL, *rcpts)
    for share in (count // 2, count):
        until(lambda share=share: len(tries(stage, "sent")) >= share, f"{share} deliveries", lambda: stage.postfix.log)
    assert stored(stage) == (1, count)
    until(lambda: not stage.postfix.queued(), "an empty queue")
    # The daemon was down so far: the mail waited in the ledger.
    stage.desk.start()
    stage.desk.done(count)
    assert [one["id"] for one in stage.desk.tickets()] == [1001]


def test_a_locked_ledger_puts_the_mail_off(make_piped, until, written):
    stage = make_piped()
    with locked(stage):
        stage.postfix.sendmail(written(CAROL, "one", "The first."), CAROL, DESK)
        until(lambda: tries(stage, "deferred"), "a deferred mail", lambda: stage.postfix.log)
    assert "dsn=4.3.0" in tries(stage, "deferred")[0]
    assert stored(stage) == (0, 0)
    stage.postfix.command("postqueue", "-f")
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stored(stage) == (1, 1)
    assert len(tries(stage, "sent")) == 1
    assert not tries(stage, "bounced")


def test_a_configuration_with_faults_puts_the_mail_off(make_piped, until, written):
    stage = make_piped()
    config = stage.desk.folder / "maild.toml"
    good = config.read_text()
    config.write_text("[desk]\nadress = 1\n")
    stage.postfix.sendmail(written(CAROL, "one", "The first." * 20_000), CAROL, DESK)
    until(lambda: tries(stage, "deferred"), "a deferred mail", lambda: stage.postfix.log)
    assert "desk.adress: unknown key" in tries(stage, "deferred")[0]
    config.write_text(good)
    stage.postfix.command("postqueue", "-f")
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stored(stage) == (1, 1)


def test_an_unknown_recipient_goes_back_alone(make_piped, until, written):
    stage = make_piped()
    main = stage.postfix.home / "etc/main.cf"
    main.write_text(main.read_text().replace("{ csm@example.com =", "{ example.com ="))
    stage.postfix.command("postfix", "reload")
    stage.postfix.sendmail(written(CAROL, "hello", "Hello."), CAROL, DESK, "nobody@example.com")
    report = stage.world.wait(CAROL)
    assert report.mail.get_content_type() == "multipart/report"
    assert b"Status: 5.1.1" in report.octets
    assert b"no such mailbox here: nobody@example.com" in report.octets
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stage.desk.ask("SELECT rcpt FROM received") == [(DESK,)]


def test_what_is_too_large_goes_back(make_piped, until, written):
    stage = make_piped()
    config = stage.desk.folder / "maild.toml"
    config.write_text(config.read_text().replace("[smtp]\n", "[smtp]\nmax_message_bytes = 65536\n"))
    stage.postfix.sendmail(written(CAROL, "large", ("y" * 70 + "\n") * 50_000), CAROL, DESK)
    report = stage.world.wait(CAROL)
    assert b"Status: 5.3.4" in report.octets
    assert b"the mail is larger than 65536 octets" in b" ".join(report.octets.split())
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stored(stage) == (0, 0)


def test_killed_before_its_commit_it_comes_again(make_piped, until, written):
    stage = make_piped()
    with locked(stage):
        stage.postfix.sendmail(written(CAROL, "one", "The first."), CAROL, DESK)
        pid = until(lambda: deliveries(stage), "a process", lambda: stage.postfix.log)[0]
        os.kill(pid, signal.SIGKILL)
        until(lambda: tries(stage, "deferred"), "a deferred mail", lambda: stage.postfix.log)
    assert "signal 9" in tries(stage, "deferred")[0]
    stage.postfix.command("postqueue", "-f")
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stored(stage) == (1, 1)


def test_killed_after_its_commit_it_comes_again_and_is_stored_once(make_piped, until, written):
    stage = make_piped()
    (stage.desk.folder / "dies-after").touch()
    stage.postfix.sendmail(written(CAROL, "one", "The first."), CAROL, DESK)
    until(lambda: tries(stage, "deferred"), "a deferred mail", lambda: stage.postfix.log)
    assert stored(stage) == (1, 1)
    (stage.desk.folder / "dies-after").unlink()
    stage.postfix.command("postqueue", "-f")
    until(lambda: not stage.postfix.queued(), "an empty queue")
    assert stored(stage) == (1, 1)
    stage.desk.start()
    stage.desk.done(1)
    assert [one["id"] for one in stage.desk.tickets()] == [1001]
