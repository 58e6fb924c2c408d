"""The smarthost is away, asks for patience, refuses, or has the mail in its hands when we die. Mail comes in all the same."""

import threading
from collections import Counter
from datetime import datetime

import pytest

CAROL = "Carol Jones <carol@acme.example>"
ANN = "Ann Agent <ann@staff.example>"

DSN = """\
From: MAILER-DAEMON@mx.acme.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn@mx.acme.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I could not deliver it.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; carol@acme.example
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 550 5.2.2 mailbox full

--b
Content-Type: text/rfc822-headers

Message-ID: {msgid}

--b--
"""


def owed_to(desk, rcpt):
    (owed,) = (owed for owed in desk.show(1001)["outbox"] if owed["to"] == rcpt)
    return owed


def test_nobody_listens_and_then_somebody_does(make_desk, make_sink, write):
    smarthost = make_sink()
    desk = make_desk(smarthost=smarthost).start()
    for number in range(3):
        desk.send(write(CAROL, "csm@desk.example", f"question {number}", "How do I log in?"), "carol@acme.example")
    desk.settled()
    owed = owed_to(desk, "carol@acme.example")
    assert (owed["kind"], owed["state"], owed["attempts"]) == ("ack", "waiting", 0)
    assert "onnect" in owed["last_reply"]
    smarthost.open()
    desk.kill()
    desk.start()
    smarthost.wait("carol@acme.example", count=3)
    smarthost.wait("ann@staff.example", count=3)
    smarthost.wait("bob@staff.example", count=3)
    desk.settled()
    assert Counter(kept.rcpt for kept in smarthost.kept) == {
        f"{who}.example": 3 for who in ("carol@acme", "ann@staff", "bob@staff")
    }


def test_patience_and_refusal(desk, sink, write):
    replies = {"carol@acme.example": "550 5.1.1 no such user", "ann@staff.example": "451 4.7.1 greylisted"}
    sink.verdict = lambda stage, rcpt: replies.get(rcpt, "")
    desk.send(write(CAROL, "csm@desk.example", "question", "How do I log in?"), "carol@acme.example")
    sink.wait("bob@staff.example")
    desk.settled()
    shown = {owed["to"]: (owed["state"], owed["attempts"], owed["last_reply"]) for owed in desk.show(1001)["outbox"]}
    assert shown["carol@acme.example"] == ("failed", 1, "550 5.1.1 no such user")
    assert shown["ann@staff.example"] == ("waiting", 1, "451 4.7.1 greylisted")
    assert shown["bob@staff.example"] == ("sent", 1, "250 2.0.0 kept")
    ((not_before, created_at),) = desk.ask("SELECT not_before, created_at FROM outbox WHERE rcpt = 'ann@staff.example'")
    wait = datetime.fromisoformat(not_before) - datetime.fromisoformat(created_at)
    assert 60 <= wait.total_seconds() < 90
    assert [kept.rcpt for kept in sink.kept] == ["bob@staff.example"]


def test_killed_while_the_smarthost_had_the_mail(make_desk, sink, write):
    desk = make_desk(team='"ann"').start()
    arrived, killed = threading.Event(), threading.Event()

    def stall(stage, rcpt):
        if stage == "data" and not killed.is_set():
            arrived.set()
            killed.wait(45)
        return ""

    sink.verdict = stall
    desk.send(write(CAROL, "csm@desk.example", "question", "How do I log in?"), "carol@acme.example")
    assert arrived.wait(45)
    desk.kill()
    killed.set()
    desk.start()
    # The first one got no 250, so it comes again, and not only when its lease is over; it is the same mail.
    sink.wait("carol@acme.example", count=2)
    sink.wait("ann@staff.example")
    desk.settled()
    assert len({kept.octets for kept in sink.to("carol@acme.example")}) == 1


@pytest.mark.parametrize("refused", ["at once", "later"])
def test_a_reply_that_does_not_arrive_is_no_response(desk, sink, write, answer, refused):
    desk.send(write(CAROL, "csm@desk.example", "question", "How do I log in?"), "carol@acme.example")
    notice = sink.wait("ann@staff.example")
    desk.settled()
    if refused == "at once":
        sink.verdict = lambda stage, rcpt: "550 5.2.2 mailbox full" if rcpt == "carol@acme.example" else ""
    desk.send(answer(notice, ANN, "By your number.", proven=False), "ann@staff.example", str(notice.mail["Reply-To"]))
    if refused == "later":
        relayed = sink.wait("carol@acme.example", lambda kept: "By your number." in kept.text)
        desk.settled()
        assert desk.show(1001)["first_response_at"]
        dsn = DSN.format(to=relayed.sender, msgid=relayed.mail["Message-ID"]).replace("\n", "\r\n")
        desk.send(dsn.encode(), "", relayed.sender)
    told = sink.wait("ann@staff.example", lambda kept: "could not be delivered" in kept.subject)
    assert "550 5.2.2 mailbox full" in told.text
    desk.settled()
    shown = desk.show(1001)
    assert (shown["state"], shown["first_response_at"]) == ("open", None)
    (clock,) = (clock for clock in shown["clocks"] if clock["metric"] == "first_response")
    assert (clock["state"], clock["stopped_at"]) == ("running", None)
