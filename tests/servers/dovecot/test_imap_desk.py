"""A real Dovecot, a real daemon: what lies in the folder becomes tickets, once each, whatever breaks."""

import os
import re
import signal
import subprocess
import sys
import time
from email.policy import SMTP
from pathlib import Path

import pytest

ALL = 'since = "all"'
TICKS = os.sysconf("SC_CLK_TCK")


def stored(desk):
    return desk.ask("SELECT count(*) FROM received")[0][0]


def log_of(desk):
    return (desk.folder / "log").read_text("utf-8", "replace")


def times(desk, event):
    return log_of(desk).count(f'"event": "{event}"')


def idles(desk, until, sessions=1):
    """Wait until a session is behind its first look, and waits."""
    until(lambda: times(desk, "imap.connected") >= sessions, f"session {sessions}", lambda: desk.log)
    until(lambda: desk.ask("SELECT looked_at FROM mailbox WHERE looked_at IS NOT NULL"), "a look", lambda: desk.log)
    time.sleep(0.3)


def figure(words):
    """Say what was measured, for whoever runs with -s."""
    sys.stdout.write(f"\n{words}\n")


def kill(desk):
    desk.process.kill()
    desk.process.wait(60)
    desk.process.stdout.close()


def seconds_of_cpu(pid):
    return sum(int(field) for field in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]) / TICKS


def test_new_mail_is_a_ticket_within_seconds(dovecot, desk_on, letter, until):
    desk = desk_on(dovecot).start()
    idles(desk, until)
    took = []
    for number in range(3):
        dovecot.put(letter(f"Nobody can pay {number}"))
        at = time.monotonic()
        until(lambda number=number: stored(desk) > number, "a stored mail", lambda: desk.log)
        took.append(time.monotonic() - at)
    figure("from IDLE to stored: " + ", ".join(f"{seconds:.2f} s" for seconds in took))
    # Dovecot itself waits for half a second before it tells of new files.
    assert min(took) < 2
    desk.done(3)
    assert len(desk.tickets()) == 3
    assert all(b"\\Seen" not in flags for flags in dovecot.flags())
    assert dovecot.uids() == [1, 2, 3]


def test_polling_does_without_idle(dovecot, desk_on, letter, until):
    desk = desk_on(dovecot, 'mode = "poll"\npoll = "1s"').start()
    idles(desk, until)
    dovecot.put(letter())
    desk.done(1)
    assert '"idle": false' in log_of(desk)


def test_what_lay_there_before_is_left_alone(dovecot, desk_on, letter, until):
    for number in range(3):
        dovecot.put(letter(f"Answered long ago {number}"))
    desk = desk_on(dovecot).start()
    idles(desk, until)
    dovecot.put(letter("New"))
    desk.done(1)
    assert [ticket["subject"] for ticket in desk.tickets()] == ["New"]
    assert desk.ask("SELECT uid, fault FROM mailbox_uid WHERE digest IS NULL") == [
        (uid, "lay there before the first look") for uid in (1, 2, 3)
    ]


def test_a_date_says_what_is_fetched_of_it(dovecot, desk_on, letter, until):
    dovecot.put(letter("Old"), at=1767261600)  # 2026-01-01 10:00 UTC
    dovecot.put(letter("Younger"), at=1769940000)  # 2026-02-01 10:00 UTC
    desk = desk_on(dovecot, 'since = "2026-02-01"').start()
    desk.done(1)
    assert [ticket["subject"] for ticket in desk.tickets()] == ["Younger"]


def test_a_server_that_is_killed_in_idle_and_comes_back(dovecot, desk_on, letter, until):
    desk = desk_on(dovecot).start()
    idles(desk, until)
    dovecot.stop(signal.SIGKILL)
    until(lambda: times(desk, "imap.failed"), "a lost connection", lambda: desk.log)
    dovecot.start()
    dovecot.put(letter("While you were away"))
    desk.done(1)
    idles(desk, until, sessions=2)
    dovecot.put(letter("And once more"))
    desk.done(2)
    assert stored(desk) == 2


def test_a_folder_that_is_deleted_and_made_again(dovecot, desk_on, letter, until):
    with dovecot.client() as client:
        client.create("Support")
    kept = letter("Known")
    dovecot.put(letter("Before the desk"), "Support")
    desk = desk_on(dovecot, 'folder = "Support"').start()
    idles(desk, until)
    dovecot.put(kept, "Support")
    desk.done(1)
    with dovecot.client() as client:
        client.delete("Support")
        # UIDVALIDITY is made of the seconds of the clock.
        time.sleep(1.1)
        client.create("Support")
    dovecot.put(letter("Before the desk"), "Support", at=1767261600)
    dovecot.put(kept, "Support")
    dovecot.put(letter("New in the new one"), "Support")
    desk.done(2)
    until(lambda: len(desk.ask("SELECT 1 FROM mailbox_uid")) == 5, "all UIDs noted", lambda: desk.log)
    assert sorted(ticket["subject"] for ticket in desk.tickets()) == ["Known", "New in the new one"]
    assert times(desk, "imap.recreated") == 1
    assert len(desk.ask("SELECT DISTINCT uidvalidity FROM mailbox_uid")) == 2


def many(count, size=2000):
    for number in range(count):
        text = f"From: c{number}@acme.example\r\nTo: csm@desk.example\r\nSubject: Mail {number}\r\n"
        text += f"Message-ID: <{number}@acme.example>\r\nReturn-Path: <c{number}@acme.example>\r\n\r\n"
        yield (text + "Please help.\r\n" * (size // 14)).encode()


def test_a_backlog_of_5000_through_kills(dovecot, desk_on, until):
    dovecot.fill(many(5000))
    desk = desk_on(dovecot, ALL).start()
    began, kills = time.monotonic(), 0
    # Killed in the middle of it, time and again.
    for share in (800, 2000, 3500):
        until(lambda share=share: stored(desk) >= share, f"{share} mails", lambda: desk.log)
        kill(desk)
        kills += 1
        desk.start()
    until(lambda: stored(desk) >= 5000, "all mails", lambda: desk.log)
    took = time.monotonic() - began
    figure(f"5000 mails of 2 kB in {took:.1f} s with {kills} kills: {5000 / took:.0f}/s")
    until(lambda: desk.ask("SELECT 1 FROM mailbox WHERE looked_at IS NOT NULL"), "a whole look", lambda: desk.log)
    assert desk.ask("SELECT count(*), count(DISTINCT digest) FROM received") == [(5000, 5000)]
    assert desk.ask("SELECT count(*), count(DISTINCT uid), max(uid) FROM mailbox_uid") == [(5000, 5000, 5000)]
    kill(desk)


def test_a_connection_cut_in_the_middle_of_a_literal(dovecot, desk_on, letter, until, make_proxy):
    mails = list(many(40, size=20_000))
    dovecot.fill(mails)
    # Octets from the server until each cut; the last connection holds.
    proxy = make_proxy(dovecot.port, [9_000, 300_000, 512, 555_555])
    desk = desk_on(dovecot, ALL, port=proxy.port).start()
    until(lambda: stored(desk) >= 40, "all mails", lambda: desk.log)
    until(lambda: proxy.connections == 5, "the last connection", lambda: desk.log)
    desk.done(40)
    assert desk.ask("SELECT count(*), count(DISTINCT digest) FROM received") == [(40, 40)]
    assert {size for (size,) in desk.ask("SELECT size FROM octets JOIN received USING (digest)")} == {
        len(mail) for mail in mails
    }


def test_waiting_costs_nothing(dovecot, desk_on, until):
    desk = desk_on(dovecot).start()
    idles(desk, until)
    time.sleep(2)
    before = seconds_of_cpu(desk.process.pid)
    time.sleep(10)
    used = seconds_of_cpu(desk.process.pid) - before
    figure(f"CPU while idle: {used:.2f} s in 10 s")
    assert used < 0.5
    assert times(desk, "imap.connected") == 1


def test_stopping_takes_no_time(dovecot, desk_on, until):
    desk = desk_on(dovecot).start()
    idles(desk, until)
    at = time.monotonic()
    desk.process.send_signal(signal.SIGTERM)
    assert desk.process.wait(60) == 0
    figure(f"stopped within {time.monotonic() - at:.2f} s")
    assert desk.ask("SELECT taken_by FROM mailbox") == [(None,)]
    assert "imap.failed" not in log_of(desk)


def test_mail_is_moved_once_it_is_decided_on(dovecot, desk_on, letter, until):
    desk = desk_on(dovecot, 'done_folder = "Done"\nquarantine_folder = "Aside"').start()
    idles(desk, until)
    for number in range(3):
        dovecot.put(letter(f"Question {number}"))
    desk.done(3)
    until(lambda: dovecot.uids() == [], "an empty folder", lambda: desk.log)
    assert len(dovecot.uids("Done")) == 3
    until(lambda: desk.ask("SELECT count(*) FROM mailbox_uid WHERE moved_at IS NULL") == [(0,)], "noted moves")
    assert all(b"\\Seen" not in flags for flags in dovecot.flags("Done"))


POINTS = {
    "before the mail is stored": ("maild.store.fetching", "Fetching", "fetched", "before"),
    "after it is stored": ("maild.store.fetching", "Fetching", "fetched", "after"),
    "before the look is noted": ("maild.store.fetching", "Fetching", "looked", "before"),
    "before it is moved": ("maild.ingest.imap_session", "Session", "move", "before"),
    "after it is moved": ("maild.ingest.imap_session", "Session", "move", "after"),
    "after the move is noted": ("maild.store.fetching", "Fetching", "moved", "after"),
}
"""Where the daemon dies: it is the whole product, but for the one call at which the process kills itself."""

DYING = """
import importlib, inspect, os, signal, sys
module, name, method, when = sys.argv[1:5]
owner = getattr(importlib.import_module(module), name)
real = getattr(owner, method)
def die():
    os.kill(os.getpid(), signal.SIGKILL)
if inspect.iscoroutinefunction(real):
    async def dying(*args, **kwargs):
        if when == "after":
            await real(*args, **kwargs)
        die()
else:
    def dying(*args, **kwargs):
        if when == "after":
            real(*args, **kwargs)
        die()
setattr(owner, method, dying)
sys.argv = ["maild", "serve", "-c", sys.argv[5]]
from maild.cli.app import main
main()
"""


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_every_point_loses_nothing_and_makes_nothing_twice(point, dovecot, desk_on, letter, until):
    desk = desk_on(dovecot, f'{ALL}\ndone_folder = "Done"')
    dovecot.put(letter("First"))
    dovecot.put(letter("Second"))
    command = [sys.executable, "-c", DYING, *POINTS[point], str(desk.folder / "maild.toml")]
    died = subprocess.run(command, capture_output=True, cwd=desk.folder, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    desk.start()
    desk.done(2)
    until(lambda: dovecot.uids() == [], "an empty folder", lambda: desk.log)
    assert len(dovecot.uids("Done")) == 2
    noted = "SELECT count(*), count(DISTINCT digest), count(moved_at) FROM mailbox_uid"
    until(lambda: desk.ask(noted) == [(2, 2, 2)], "noted moves", lambda: desk.log)
    assert stored(desk) == 2
    assert sorted(ticket["subject"] for ticket in desk.tickets()) == ["First", "Second"]


def test_a_large_mail_is_noted_and_not_fetched(dovecot, desk_on, letter, until):
    desk = desk_on(dovecot).start()
    idles(desk, until)
    dovecot.put(letter("Large", text="x" * 250_000))
    dovecot.put(letter("Small"))
    desk.done(1)
    assert [ticket["subject"] for ticket in desk.tickets()] == ["Small"]
    ((uid, fault),) = desk.ask("SELECT uid, fault FROM mailbox_uid WHERE digest IS NULL")
    assert (uid, fault.partition(":")[0]) == (1, "too large")
    assert times(desk, "imap.not_fetched") == 1


def test_a_token_in_the_recipient_finds_its_ticket(dovecot, desk_on, letter, until, world):
    desk = desk_on(dovecot).start()
    idles(desk, until)
    dovecot.put(letter("Checkout"))
    notification = world.wait("ann@staff.example")
    reply_to = str(notification.mail["Reply-To"])
    answer = letter("Re: something else", sender="ann@staff.example", text="Try again now.")
    del answer["To"]
    del answer["Delivered-To"]
    answer["To"] = reply_to
    dovecot.put(answer)
    assert "Try again now." in world.wait("carol@acme.example", lambda kept: "Try again" in kept.text).text
    assert desk.show(1001)["first_response_at"]


def test_several_folders_at_once(dovecot, desk_on, letter, until):
    with dovecot.client() as client:
        for number in range(4):
            client.create(f"Team{number}")
    section = f"""
[[imap]]
mailbox = "csm@desk.example"
host = "127.0.0.1"
port = {dovecot.port}
tls = "none"
password_file = "imap-password"
folder = "Team%d"
"""
    desk = desk_on(dovecot, "".join(section % number for number in range(4))).start()
    until(lambda: times(desk, "imap.first_look") == 5, "five first looks", lambda: desk.log)
    for number in range(4):
        dovecot.put(letter(f"For team {number}"), f"Team{number}")
    desk.done(4)
    assert desk.ask("SELECT mailbox, count(*) FROM mailbox_uid GROUP BY mailbox ORDER BY mailbox") == [
        (mailbox, 1) for (mailbox,) in desk.ask("SELECT DISTINCT mailbox FROM mailbox_uid ORDER BY mailbox")
    ]
    assert len(desk.tickets()) == 4


def test_the_word_of_our_own_server_counts_where_it_stands_on_top(dovecot, desk_on, letter, until):
    desk = desk_on(dovecot).start()
    idles(desk, until)
    word = b"Authentication-Results: mx.desk.example; dmarc=pass header.from=acme.example\r\n"
    hop = b"Received: from client.example by mx.desk.example; Wed, 11 Mar 2026 09:00:00 +0000\r\n"
    dovecot.put(word + hop + letter("Above").as_bytes(policy=SMTP))
    desk.done(1)
    dovecot.put(hop + word + letter("Below").as_bytes(policy=SMTP))
    desk.done(2)
    verified = {ticket["subject"]: desk.show(ticket["id"])["messages"][0]["verified"] for ticket in desk.tickets()}
    assert verified == {"Above": "dmarc", "Below": None}


# Logging in


def test_tls_is_verified(dovecot, desk_on, letter, until):
    desk = desk_on(dovecot, tls="implicit").start()
    until(lambda: times(desk, "imap.failed"), "a refusal", lambda: desk.log)
    assert "its certificate does not verify" in log_of(desk)
    assert "Login:" not in dovecot.log


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_tls_with_an_authority_of_our_own(tls, dovecot, desk_on, letter, until):
    desk = desk_on(dovecot, f'tls_ca_file = "{dovecot.ca}"\n{ALL}', tls=tls, host="localhost")
    dovecot.put(letter())
    desk.start()
    desk.done(1)
    assert "TLS" in dovecot.log.split("Login:")[-1]
    idles(desk, until)
    dovecot.put(letter("By IDLE"))
    desk.done(2)


def test_a_wrong_password_is_said_and_not_tried_in_a_loop(dovecot, desk_on, tmp_path, until):
    (tmp_path / "wrong").write_text("no secret\n")
    desk = desk_on(dovecot, file="wrong").start()
    until(lambda: times(desk, "imap.failed"), "a refusal", lambda: desk.log)
    time.sleep(4)
    assert times(desk, "imap.failed") == 1
    assert '"level": "error"' in log_of(desk)
    assert "no secret" not in log_of(desk)
    assert float(re.search(r'"again_in": ([\d.]+)', log_of(desk))[1]) > 45


OAUTH = """
auth = "{auth}"
token_url = "http://127.0.0.1:{port}/token"
client_id = "maild"
refresh_token_file = "refresh"
{all}
"""


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_tokens_are_had_and_renewed(auth, dovecot, desk_on, letter, until, authority, tmp_path):
    (tmp_path / "refresh").write_text("refresh-1\n")
    authority.rotates = True
    desk = desk_on(dovecot, OAUTH.format(auth=auth, port=authority.port, all=ALL), file="").start()
    dovecot.put(letter())
    desk.done(1)
    assert [form["refresh_token"] for form in authority.asked] == ["refresh-1"]
    # The token ends while we are logged in; the server goes, and the new login needs a new one.
    authority.valid.clear()
    dovecot.stop()
    dovecot.start()
    dovecot.put(letter("Later"))
    desk.done(2)
    assert authority.asked[-1]["refresh_token"] == "refresh-2"
    kill(desk)
    desk.start()
    dovecot.put(letter("After a kill"))
    desk.done(3)
    assert authority.asked[-1]["refresh_token"] == f"refresh-{len(authority.asked)}"
    kept = next((tmp_path / "data").glob("imap-*.token"))
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not re.search(r"refresh-\d|token-\d", log_of(desk))


def test_a_revoked_grant_is_said(dovecot, desk_on, until, authority, tmp_path):
    (tmp_path / "refresh").write_text("another\n")
    desk = desk_on(dovecot, OAUTH.format(auth="xoauth2", port=authority.port, all=""), file="").start()
    until(lambda: times(desk, "imap.failed"), "a refusal", lambda: desk.log)
    assert "invalid_grant the refresh token was revoked" in log_of(desk)
    assert len(authority.asked) == 1
