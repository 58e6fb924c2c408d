"""maild as a unit of a real systemd: it says that it is ready, reloads, is killed when it hangs, and stops in time."""

import time

import pytest

CONFIG = """
[desk]
name = "Example Support"
address = "csm@desk.example"
[[mailbox]]
address = "csm@desk.example"
aliases = [{aliases}]
[[agent]]
id = "ann"
address = "ann@staff.example"
[relay]
port = 9
username = "csm"
password_file = "relay-password"
[smtp]
listen = "127.0.0.1:8025"
"""

QUICK = """[Service]
WatchdogSec=3
TimeoutAbortSec=2
RestartSec=0
LoadCredential=relay-password:/etc/secrets/relay-password
"""

SEND = """
import smtplib, sys
port, rcpt, subject = sys.argv[1:]
mail = f"From: Carol <carol@acme.example>\\r\\nTo: {rcpt}\\r\\nSubject: {subject}\\r\\nMessage-ID: <{subject}@acme.example>\\r\\n\\r\\nNobody can pay.\\r\\n"
with smtplib.SMTP("127.0.0.1", int(port), timeout=20) as client:
    client.sendmail("carol@acme.example", [rcpt], mail.encode())
"""


DELIVER = """
import smtplib
with smtplib.LMTP("/run/maild-lmtp.sock", timeout=20) as client:
    mail = "From: Carol <carol@acme.example>\\r\\nMessage-ID: <lmtp@acme.example>\\r\\nSubject: by LMTP\\r\\n\\r\\nHello.\\r\\n"
    client.sendmail("carol@acme.example", ["csm@desk.example"], mail.encode())
"""


def send(box, subject, rcpt="csm@desk.example", port=8025):
    box.run("/opt/maild/bin/python", "-c", SEND, str(port), rcpt, subject)


def subjects(box):
    return {line["subject"] for line in box.maild("tickets")}


@pytest.mark.timeout(300)
def test_a_real_systemd_runs_it(make_box):
    box = make_box(
        {
            "etc/maild/maild.toml": CONFIG.format(aliases=""),
            "etc/secrets/relay-password": "secret\n",
            "etc/systemd/system/maild.service.d/quick.conf": QUICK,
        }
    )
    assert box.run("stat", "-c", "%U %G %a", "/etc/maild", "/etc/maild/maild.toml").split("\n")[:2] == [
        "root maild 750",
        "root maild 640",
    ]
    box.run("systemctl", "start", "maild.service")
    shown = box.show()
    assert (shown["ActiveState"], shown["Type"], shown["User"]) == ("active", "notify", "maild")
    assert shown["StatusText"] == "listening on smtp=127.0.0.1:8025; 0 waiting, 0 owed"

    it_is_closed_in(box, shown["MainPID"])
    its_password_is_its_own(box)
    a_mail_becomes_a_ticket_by_a_limited_worker(box)
    the_program_of_the_alarm_is_run_and_shut_in(box)
    a_reload_takes_over_what_it_can(box)
    a_hanging_daemon_is_killed_and_started_again(box, shown["MainPID"])
    it_stops_in_time_and_cleanly(box)
    a_broken_configuration_is_not_tried_again(box)
    systemd_may_listen_for_it_on_port_25(box)
    systemd_makes_the_socket_that_postfix_alone_may_open(box)


def it_is_closed_in(box, main):
    status = dict(line.split(":\t", 1) for line in box.run("cat", f"/proc/{main}/status").splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"], status["CapBnd"]) == ("1", "2", "0" * 16)
    assert status["Uid"].split()[0] == box.run("id", "-u", "maild").strip()
    assert {line.split()[0] for line in box.run("cat", f"/proc/{main}/uid_map").splitlines()} == {
        "0",
        box.run("id", "-u", "maild").strip(),
    }
    mounts = [line.split() for line in box.run("cat", f"/proc/{main}/mountinfo").splitlines()]
    assert {line[4]: line[5].split(",")[0] for line in mounts}["/"] == "ro"


def its_password_is_its_own(box):
    check = ["maild", "check", "-c", "/etc/maild/maild.toml"]
    assert "is fine" in box.run("env", "CREDENTIALS_DIRECTORY=/run/credentials/maild.service", *check)
    assert "is fine" not in box.run(*check, ok=False)
    box.run("chmod", "0600", "/etc/secrets/relay-password")
    paths = "cat /run/credentials/maild.service/relay-password /etc/secrets/relay-password"
    assert box.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", paths, ok=False) == ""


def a_mail_becomes_a_ticket_by_a_limited_worker(box):
    send(box, "outage")
    box.until(lambda: subjects(box) == {"outage"}, "the ticket")
    (ticket,) = box.maild("show", "1001")
    assert [message["text"].strip() for message in ticket["messages"] if message["kind"] != "ack"] == [
        "Nobody can pay."
    ]
    group = box.show()["ControlGroup"]
    limits = box.run(
        "sh", "-c", f"cat $(sed 's,.*,/proc/&/limits,' $(find /sys/fs/cgroup -path '*{group}/cgroup.procs' | head -1))"
    )
    spaces = [line.split()[3] for line in limits.splitlines() if line.startswith("Max address space")]
    assert str(2**30) in spaces
    assert "unlimited" in spaces
    assert "parse.killed" not in box.journal()


PAGE = """
cat >> /var/lib/maild/told
id -un
grep NoNewPrivs /proc/self/status
touch /etc/maild/forbidden 2>/dev/null && echo written
env | grep CREDENTIALS
exec sleep 0.1
"""


def the_program_of_the_alarm_is_run_and_shut_in(box):
    box.write("/etc/maild/page", PAGE)
    alarm = '[alarm]\nafter = "1s"\ncommand = ["/bin/sh", "/etc/maild/page"]\n'
    box.write("/etc/maild/maild.toml", CONFIG.format(aliases="") + alarm)
    box.run("systemctl", "reload", "maild.service")
    told = box.until(lambda: box.run("cat", "/var/lib/maild/told", ok=False), "the alarm")
    assert '"what": "stuck"' in told
    journal = box.until(lambda: "alarm.told" in box.journal() and box.journal(), "what the program said")
    assert '"words": "ended with 0: maild NoNewPrivs: 1"' in journal
    # Mail may wait for ten minutes again, so it is over.
    box.write("/etc/maild/maild.toml", CONFIG.format(aliases=""))
    box.run("systemctl", "reload", "maild.service")
    box.until(lambda: "alarm.over" in box.journal(), "the end of the alarm")


def a_reload_takes_over_what_it_can(box):
    main = box.show()["MainPID"]
    box.write("/etc/maild/maild.toml", CONFIG.format(aliases='"help@desk.example"').replace("8025", "8026"))
    box.run("systemctl", "reload", "maild.service")
    box.until(lambda: box.show()["StatusText"].endswith("; needs a restart: smtp.listen"), "the word on the restart")
    send(box, "reloaded", "help@desk.example")
    box.until(lambda: "reloaded" in subjects(box), "the ticket of the new alias")
    box.write("/etc/maild/maild.toml", "[desk]\nname = 1\n")
    box.run("systemctl", "reload", "maild.service")
    box.until(lambda: "reload refused" in box.show()["StatusText"], "the refusal")
    send(box, "kept", "help@desk.example")
    box.write("/etc/maild/maild.toml", CONFIG.format(aliases='"help@desk.example"'))
    box.run("systemctl", "reload", "maild.service")
    box.until(lambda: box.show()["StatusText"].endswith("owed"), "the quiet status")
    box.until(lambda: "kept" in subjects(box), "the ticket of the kept configuration")
    shown = box.show()
    assert (shown["ActiveState"], shown["MainPID"]) == ("active", main)


def a_hanging_daemon_is_killed_and_started_again(box, before):
    box.run("kill", "-STOP", before)
    box.until(lambda: box.show()["NRestarts"] == "1" and box.show()["ActiveState"] == "active", "the restart")
    assert box.show()["MainPID"] != before
    assert "Watchdog timeout" in box.journal()
    # The journal takes up what it wrote at its end line by line.
    told = ("Fatal Python error: Aborted", "in run_forever")
    box.until(lambda: all(words in box.journal() for words in told), "where it hung")
    send(box, "afterwards")
    box.until(lambda: subjects(box) == {"outage", "reloaded", "kept", "afterwards"}, "all tickets")


def it_stops_in_time_and_cleanly(box):
    began = time.monotonic()
    box.run("systemctl", "stop", "maild.service")
    assert time.monotonic() - began < 15
    shown = box.show()
    assert (shown["ActiveState"], shown["Result"], shown["ExecMainStatus"]) == ("inactive", "success", "0")


def a_broken_configuration_is_not_tried_again(box):
    box.write("/etc/maild/maild.toml", "[desk]\nname = 1\n")
    box.run("systemctl", "start", "maild.service", ok=False)
    shown = box.show()
    assert (shown["ActiveState"], shown["ExecMainStatus"], shown["NRestarts"]) == ("failed", "78", "0")


def systemd_may_listen_for_it_on_port_25(box):
    box.write("/etc/maild/maild.toml", CONFIG.format(aliases=""))
    box.run("systemctl", "reset-failed", "maild.service")
    box.run("systemctl", "start", "maild.socket", "maild.service")
    assert ":25;" in box.show()["StatusText"]
    send(box, "port 25", port=25)
    box.until(lambda: "port 25" in subjects(box), "the ticket over port 25")
    box.run("systemctl", "stop", "maild.socket", "maild.service")


def systemd_makes_the_socket_that_postfix_alone_may_open(box):
    # Where there is no Postfix on this machine, another user stands for it.
    box.run("mkdir", "/etc/systemd/system/maild-lmtp.socket.d")
    box.write("/etc/systemd/system/maild-lmtp.socket.d/user.conf", "[Socket]\nSocketUser=nobody\n")
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", "maild.socket", "maild-lmtp.socket", "maild.service")
    assert box.run("stat", "-c", "%U %a", "/run/maild-lmtp.sock").split() == ["nobody", "600"]
    status = box.show()["StatusText"]
    assert status.startswith("listening on smtp=")
    assert " lmtp=/run/maild-lmtp.sock;" in status
    deliver = ["/opt/maild/bin/python", "-c", DELIVER]
    stranger = ["setpriv", "--reuid=maild", "--regid=nogroup", "--clear-groups", "sh", "-c"]
    denied = box.run(*stranger, '"$@" 2>&1 || true', "-", *deliver)
    assert "PermissionError" in denied
    box.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *deliver)
    box.until(lambda: "by LMTP" in subjects(box), "the ticket by LMTP")
    box.run("systemctl", "stop", "maild.socket", "maild-lmtp.socket", "maild.service")
