"""maild behind a real Postfix over LMTP, set up as docs/postfix.md says: one reply for each recipient, and no mail twice."""

import grp
import os
import re
import shutil
import socket
import stat
import subprocess
import sys

import pytest

CAROL = "carol@acme.example"
ANN = "ann@staff.example"
DESK = "csm@example.com"

PASSING = """
import os, socket, sys
sock = socket.socket(fileno=int(sys.argv[1]))
os.dup2(sock.fileno(), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="lmtp")
os.execv(sys.executable, [sys.executable, "-m", "maild", *sys.argv[2:]])
"""


@pytest.fixture
def by_systemd(make_stage):
    """A stage whose socket systemd made: Postfix's own, and passed to the daemon."""
    stage = make_stage(main="main.cf by LMTP", master="master.cf by LMTP", desk=["maild.toml by LMTP"], start=False)
    with socket.socket(socket.AF_UNIX) as sock:
        path = stage.postfix.home / "run/maild-lmtp.sock"
        sock.bind(str(path))
        shutil.chown(path, "postfix")
        path.chmod(0o600)
        sock.listen(128)
        os.set_inheritable(sock.fileno(), True)
        stage.desk.command = [sys.executable, "-c", PASSING, str(sock.fileno())]
        stage.desk.inherited = (sock.fileno(),)
        stage.desk.start()
        yield stage


@pytest.fixture
def by_folder(make_stage, blocks):
    """A stage where maild makes the socket, in a folder that gives it Postfix's group."""
    stage = make_stage(
        main="main.cf by LMTP",
        master="master.cf by LMTP",
        desk=("maild.toml by LMTP", "maild.toml by LMTP without systemd"),
        start=False,
    )
    make = blocks["folder for LMTP"].replace("-o maild", "-o root")
    make = make.replace("/run/maild", f"{stage.postfix.home}/run/maild")
    subprocess.run(["sh", "-e", "-c", make], check=True, timeout=60)
    for name in ("main.cf", "maild.toml"):
        file = (stage.postfix.home / "etc" if name == "main.cf" else stage.desk.folder) / name
        file.write_text(file.read_text().replace("run/maild-lmtp.sock", "run/maild-lmtp/lmtp.sock"))
    stage.postfix.command("postfix", "reload")
    return stage


def sent(stage):
    """Give what Postfix knows of its deliveries to us: address and reply."""
    pattern = r"postfix/lmtp\[\d+\]: \w+: to=<([^>]+)>.*, dsn=([\d.]+), status=(\w+) \(.*said: (.*)\)|"
    pattern += r"postfix/lmtp\[\d+\]: \w+: to=<([^>]+)>.*, dsn=([\d.]+), status=(\w+) \((.*)\)"
    return [tuple(filter(None, found)) for found in re.findall(pattern, stage.postfix.log)]


@pytest.mark.parametrize("count", [2, 50])
def test_one_reply_for_each_of_many_recipients(by_systemd, until, written, count):
    stage = by_systemd
    rcpts = [f"csm+n{n}@example.com" for n in range(count)]
    stage.postfix.sendmail(written(CAROL, "to many", "Hello.", to=", ".join(rcpts)), CAROL, *rcpts)
    until(lambda: len(sent(stage)) >= count, f"{count} deliveries", lambda: stage.postfix.log)
    stage.desk.done(count)
    assert sorted(each[0] for each in sent(stage)) == sorted(rcpts)
    assert {each[1:3] for each in sent(stage)} == {("2.0.0", "sent")}
    assert len({each[3] for each in sent(stage)}) == 1
    until(lambda: not stage.postfix.queued(), "an empty queue")
    # One mail, one transaction, one ticket; and nobody sent it twice.
    assert (stage.desk.folder / "log").read_text("utf-8").count('"event": "smtp.accepted"') == 1
    assert stage.desk.ask("SELECT count(DISTINCT digest), count(*), min(via), max(peer) FROM received") == [
        (1, count, "lmtp", "")
    ]
    assert [one["id"] for one in stage.desk.tickets()] == [1001]


def test_one_of_two_recipients_is_unknown(make_stage, until, written, by_folder):
    stage = by_folder
    main = stage.postfix.home / "etc/main.cf"
    main.write_text(main.read_text().replace("{ csm@example.com =", "{ example.com ="))
    stage.postfix.command("postfix", "reload")
    stage.desk.start()
    stage.postfix.sendmail(written(CAROL, "hello", "Hello."), CAROL, DESK, "nobody@example.com")
    report = stage.world.wait(CAROL, lambda kept: kept.mail.get_content_type() == "multipart/report")
    assert b"nobody@example.com" in report.octets
    assert b"550 5.1.1 no such mailbox here" in report.octets
    stage.desk.done(1)
    assert stage.desk.ask("SELECT rcpt FROM received") == [(DESK,)]


def test_a_conversation_over_lmtp(by_folder, written):
    stage = by_folder
    stage.desk.start()
    stage.postfix.sendmail(written(CAROL, "checkout is down", "Nobody can pay today.\n\nCarol"), CAROL, DESK)
    notice = stage.world.wait(ANN)
    token = notice.mail["Reply-To"].addresses[0].addr_spec
    stage.postfix.sendmail(written(ANN, f"Re: {notice.mail['Subject']}", "It is repaired.", to=token), ANN, token)
    relayed = stage.world.wait(CAROL, lambda kept: "It is repaired" in kept.text)
    assert b"staff.example" not in relayed.octets.lower()
    assert stage.desk.show(1001)["first_response_at"]


def test_postfix_keeps_the_mail_while_maild_is_down(by_folder, until, written):
    stage = by_folder
    stage.postfix.sendmail(written(CAROL, "one", "The first."), CAROL, DESK)
    until(
        lambda: any("lmtp.sock" in one["recipients"][0].get("delay_reason", "") for one in stage.postfix.queued()),
        "a deferred mail",
    )
    stage.desk.start()
    stage.postfix.command("postqueue", "-f")
    stage.world.wait(ANN)
    until(lambda: not stage.postfix.queued(), "an empty queue")
    # Killed, it leaves its socket behind, and the next one takes its place.
    stage.desk.process.kill()
    stage.desk.process.wait(60)
    assert (stage.postfix.home / "run/maild-lmtp/lmtp.sock").is_socket()
    stage.postfix.sendmail(written(CAROL, "two", "The second."), CAROL, DESK)
    until(stage.postfix.queued, "a queued mail")
    stage.desk.process.stdout.close()
    stage.desk.start()
    stage.postfix.command("postqueue", "-f")
    stage.desk.done(2)
    assert stage.desk.ask("SELECT count(*), state FROM received GROUP BY state") == [(2, "done")]


def test_the_socket_is_for_postfix_alone(by_folder):
    by_folder.desk.start()
    found = (by_folder.postfix.home / "run/maild-lmtp/lmtp.sock").stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == (grp.getgrnam("postfix").gr_gid, 0o660)


def test_what_is_too_large_goes_back_for_each(by_folder, until, written):
    stage = by_folder
    toml = stage.desk.folder / "maild.toml"
    toml.write_text(toml.read_text().replace("[smtp]\n", "[smtp]\nmax_message_bytes = 65536\n"))
    stage.desk.start()
    rcpts = [f"csm+n{n}@example.com" for n in range(3)]
    stage.postfix.sendmail(written(CAROL, "large", "x" * 60 + "\n" + ("y" * 70 + "\n") * 1500), CAROL, *rcpts)
    until(lambda: len(sent(stage)) >= 3, "three replies", lambda: stage.postfix.log)
    report = stage.world.wait(CAROL, lambda kept: kept.mail.get_content_type() == "multipart/report")
    assert all(rcpt.encode() in report.octets for rcpt in rcpts)
    assert {each[2] for each in sent(stage)} == {"bounced"}
    assert stage.desk.ask("SELECT count(*) FROM received") == [(0,)]
