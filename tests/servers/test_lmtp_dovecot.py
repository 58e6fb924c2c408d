"""maild behind a real Dovecot, which hands mail on by LMTP: one reply for each recipient arrives at the first sender."""

import re
import shutil
import smtplib
import subprocess
import tempfile
from pathlib import Path

import pytest

DESK = """
[desk]
address = "csm@example.com"
data_dir = "data"
[[agent]]
id = "ann"
address = "ann@staff.example"
[relay]
port = 1
[smtp]
listen = ""
max_message_bytes = 100000
[lmtp]
listen = "127.0.0.1:0"
"""

DOVECOT = """
protocols = lmtp
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
ssl = no
lmtp_proxy = yes
auth_username_format = %Lu
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = proxy=y host=127.0.0.1 port={maild} nopassword=y
}}
"""


@pytest.fixture
def behind_dovecot(program, root, make_port, listens, until, make_desk):
    """A desk, and the port of the Dovecot before it."""
    dovecot = program("dovecot", "dovecot-core dovecot-lmtpd")
    desk = make_desk(DESK).start()
    home = Path(tempfile.mkdtemp(prefix="maild-dovecot-"))
    home.chmod(0o755)
    port = make_port()
    maild = re.search(r"lmtp=127\.0\.0\.1:(\d+)", desk.ready)[1]
    (home / "dovecot.conf").write_text(DOVECOT.format(home=home, port=port, maild=maild))
    with (home / "out").open("wb") as out:
        process = subprocess.Popen([dovecot, "-F", "-c", home / "dovecot.conf"], stdout=out, stderr=out)
    try:
        log = home / "log"
        until(
            lambda: listens(port) or process.poll() is not None,
            "Dovecot",
            lambda: (home / "out").read_text() + (log.read_text() if log.exists() else ""),
        )
        assert process.poll() is None, (home / "out").read_text()
        yield desk, port, log
        print(log.read_text())  # noqa: T201 - pytest shows it where a test fails
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(home)


def deliver(port, octets, *rcpts):
    """Give the replies to each RCPT and, for those that were accepted, to the mail."""
    with smtplib.LMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("sender.example")
        assert client.mail("carol@acme.example")[0] == 250
        asked = [client.rcpt(rcpt)[0] for rcpt in rcpts]
        assert client.docmd("DATA")[0] == 354
        client.send(octets)
        last = client.docmd(".")
        return asked, [last, *(client.getreply() for _ in range(asked.count(250) - 1))]


MAIL = b"From: carol@acme.example\r\nMessage-ID: <1@acme.example>\r\nSubject: hello\r\n\r\nHello.\r\n"


@pytest.mark.parametrize("count", [2, 50])
def test_each_recipient_has_its_reply_through_dovecot(behind_dovecot, until, count):
    desk, port, log = behind_dovecot
    asked, replies = deliver(port, MAIL, *(f"csm+n{n}@example.com" for n in range(count)))
    assert asked == [250] * count
    assert [code for code, _ in replies] == [250] * count
    until(lambda: log.read_text().count(": 250 2.0.0 accepted") == count, "its log of every reply", log.read_text)
    desk.done(count)
    assert desk.ask("SELECT count(*), min(via), min(peer) FROM received") == [(count, "lmtp", "127.0.0.1")]
    assert len(desk.tickets()) == 1


def test_refusals_come_through_dovecot_one_by_one(behind_dovecot):
    desk, port, _ = behind_dovecot
    asked, replies = deliver(port, MAIL, "csm@example.com", "nobody@example.com")
    assert asked == [250, 550]
    assert [code for code, _ in replies] == [250]
    large = MAIL + b"line\r\n" * 30_000
    asked, replies = deliver(port, large, "csm+a@example.com", "csm+b@example.com", "csm+c@example.com")
    assert asked == [250] * 3
    assert [code for code, _ in replies] == [552] * 3
    desk.done(1)
    assert desk.ask("SELECT rcpt FROM received") == [("csm@example.com",)]
