"""Mail as it really comes: broken, huge, empty, automatic, our own. The daemon files it, and answers none that it must not."""

import smtplib
import time
from collections import Counter

RECEIVED = b"Received: from there by mx.desk.example; Wed, 11 Mar 2026 09:00:00 +0000\r\n"
PROVEN = b"Authentication-Results: mx.desk.example; dmarc=pass header.from=odd.example\r\n" + RECEIVED


def lines(*more):
    return b"\r\n".join(more) + b"\r\n"


def from_(name, *more, subject=None):
    who = name.replace(" ", ".").encode()
    return PROVEN + lines(
        b"From: <" + who + b"@odd.example>",
        b"Subject: " + (subject or name.encode()),
        b"Message-ID: <" + who + b"@odd.example>",
        *more,
    )


FAR = b"A" * 76 + b"\r\n"
JUNK = bytes(range(1, 256)).replace(b"\n", b"").replace(b"\r", b"")
BOUNCE = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    b"",
    b"--b",
    b"",
    b"no",
    b"--b",
    b"Content-Type: message/delivery-status",
    b"",
    b"Reporting-MTA: dns; x",
    b"",
    b"Final-Recipient: rfc822; x@y.example",
    b"Action: failed",
    b"Status: 5.1.1",
    b"--b--",
)

PASTED = lines(
    b"Your mails to our supplier bounce since this morning, please fix!",
    b"",
    b"---------- Forwarded message ---------",
    b"From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
    b"Subject: Delivery Status Notification (Failure)",
    b"",
    b"Delivery to the following recipient failed permanently:",
    b"",
    b"     bob@partner.example",
    b"",
    b"Technical details of permanent failure:",
    b"550 5.1.1 user unknown",
)
FORWARDED = (b"Content-Type: multipart/mixed; boundary=b", *BOUNCE[1:4], b"please fix this", *BOUNCE[5:])
ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=a",
    b"",
    b"--a",
    b"",
    b"Why do I get this?",
    b"--a",
    b"Content-Type: message/rfc822",
    b"",
    b"From: MAILER-DAEMON@mx.example",
    b"Subject: Undelivered Mail Returned to Sender",
    *BOUNCE,
    b"--a--",
)

# (name, octets, reverse-path, whether it opens a ticket, whether it is acknowledged)
ROWS = (
    ("bare NULs", from_("bare NULs", b"", b"a\x00b\x00", b"\x00" * 1000), "bare.NULs@odd.example", True, True),
    ("no headers", b"just words and no header\r\n", "no.headers@odd.example", True, False),
    ("nothing at all", b"\r\n", "nothing@odd.example", True, False),
    ("junk", from_("junk", b"X-Junk: " + JUNK, b"", JUNK * 20), "junk@odd.example", True, True),
    ("junk subject", from_("junk subject", b"", b"hello", subject=b"junk subject " + JUNK[130:]), "junk.subject@odd.example", True, True),
    ("no body", from_("no body"), "no.body@odd.example", True, True),
    ("five megabytes", from_("five megabytes", b"MIME-Version: 1.0", b"Content-Type: application/octet-stream; name=big.bin", b"Content-Disposition: attachment; filename=big.bin", b"Content-Transfer-Encoding: base64", b"", FAR * 90_000), "five.megabytes@odd.example", True, True),
    ("long subject", from_("long subject", b"", b"hello", subject=b"long subject " + b"la " * 6666), "long.subject@odd.example", True, True),
    ("one long line", from_("one long line", b"", b"x" * 200_000), "one.long.line@odd.example", True, True),
    ("many parts", from_("many parts", b"Content-Type: multipart/mixed; boundary=b", b"", b"--b\r\n\r\nx\r\n" * 2000), "many.parts@odd.example", True, True),
    ("bounce", from_("bounce", *BOUNCE), "", False, False),
    ("null path", from_("null path", b"", b"hello"), "", True, False),
    ("auto reply", from_("auto reply", b"Auto-Submitted: auto-replied", b"", b"I am away"), "", False, False),
    ("polite auto reply", from_("polite auto reply", b"Auto-Submitted: auto-replied", b"", b"I am away"), "polite@odd.example", True, False),
    ("path on a bounce", from_("path on a bounce", *BOUNCE), "path@odd.example", True, False),
    ("our mails get rejected", from_("our mails get rejected", b"", PASTED), "our.mails.get.rejected@odd.example", True, True),
    ("Fwd: failure notice", from_("failure notice", b"", PASTED, subject=b"Fwd: failure notice"), "failure.notice@odd.example", True, True),
    ("Fwd: Delivery Status", from_("delivery status", b"", PASTED, subject=b"Fwd: Delivery Status Notification (Failure)"), "delivery.status@odd.example", True, True),
    ("inline forward", from_("inline forward", *FORWARDED), "inline.forward@odd.example", True, True),
    ("Undelivered Mail Returned to Sender", from_("attached bounce", *ATTACHED, subject=b"Undelivered Mail Returned to Sender"), "attached.bounce@odd.example", True, True),
    ("[FIRING:1] TargetAbsent", from_("absent target", b"Auto-Submitted: auto-generated", b"", b"no metrics", subject=b"[FIRING:1] TargetAbsent db1"), "prom@odd.example", True, False),
    ("Vacation booking failed", from_("noreply", b"", b"4711", subject=b"Vacation booking failed"), "noreply@odd.example", True, False),
    ("Urlaubsantrag", from_("do not reply", b"", b"Max", subject=b"Urlaubsantrag von Max"), "noreply@odd.example", True, False),
    ("Vacation booking broken", from_("vacation broken", b"X-Auto-Response-Suppress: OOF", b"", b"help", subject=b"Vacation booking broken"), "vacation@odd.example", True, False),
    ("Disk full", from_("smtp-alerts", b"", b"full", subject=b"Disk full"), "smtp-alerts@odd.example", True, True),
    ("Cron", from_("root", b"", b"exit 1", subject=b"Cron <root@db1> backup failed"), "", True, False),
    ("UPS", from_("ups", b"", b"on battery", subject=b"UPS on battery"), "", True, False),
    ("alarm", from_("alarm", b"Auto-Submitted: auto-generated", b"", b"disk full"), "alarm@odd.example", True, False),
    ("list", from_("list", b"List-Id: <a.b.example>", b"", b"hello"), "list@odd.example", True, False),
    ("not ascii", PROVEN + lines("From: Jörg <jörg@odd.example>".encode(), b"Subject: not ascii", b"Message-ID: <joerg@odd.example>", b"", b"hello"), "not.ascii@odd.example", True, False),
    ("no such domain", PROVEN + lines(b"From: x@-.-", b"Subject: no such domain", b"Message-ID: <x@-.->", b"", b"hello"), "x@odd.example", True, False),
    ("in our name", PROVEN + lines(b"From: csm@desk.example", b"Subject: in our name", b"Message-ID: <own@odd.example>", b"", b"hello"), "in.our.name@odd.example", True, False),
    ("two senders", from_("two senders", b"From: other@odd.example", b"", b"hello"), "two.senders@odd.example", True, False),
)  # fmt: skip


def test_odd_mail_is_filed(desk, sink):
    for _, octets, sender, _, _ in ROWS:
        desk.send(octets, sender)
    desk.settled()
    digests = desk.ask("SELECT count(*), count(DISTINCT digest) FROM received WHERE state = 'done'")
    assert digests == [(len(ROWS), len(ROWS))]
    subjects = [subject for (subject,) in desk.ask("SELECT subject FROM ticket")]
    assert len(subjects) == sum(opens for *_, opens, _ in ROWS)
    acked = {rcpt for (rcpt,) in desk.ask("SELECT rcpt FROM outbox WHERE kind = 'ack'")}
    assert acked == {sender for _, _, sender, _, answered in ROWS if answered}
    assert desk.ask("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)]
    for name, _, _, opens, _ in ROWS:
        if name not in {"no headers", "nothing at all"}:
            assert any(subject.startswith(name) for subject in subjects) is opens, name
    big = sink.wait("ann@staff.example", lambda kept: "five megabytes" in kept.subject)
    assert [len(part.get_content()) for part in big.mail.iter_attachments()] == [90_000 * 57]
    assert all(len(line) <= 998 for kept in sink.kept for line in kept.octets.split(b"\r\n"))


def test_our_own_acknowledgement_comes_back(desk, sink, write):
    desk.send(write("carol@acme.example", "csm@desk.example", "question", "How do I log in?"), "carol@acme.example")
    ack = sink.wait("carol@acme.example")
    for rcpt in ("csm@desk.example", str(ack.mail["Reply-To"])):
        desk.send(ack.octets, "", rcpt)
    desk.settled()
    assert desk.ask("SELECT number FROM ticket") == [(1001,)]
    assert len(sink.kept) == 3


def well_behaved(kept, me):
    headers = [("Auto-Submitted", "auto-replied"), ("In-Reply-To", str(kept.mail["Message-ID"]))]
    return "", str(kept.mail["Reply-To"]), headers, f"Re: {kept.subject}"


def maild_like(kept, me):
    headers = [("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"), ("X-Maild-Loop", me)]
    return "", "csm@desk.example", headers, "[ROB #77] We have received your message"


def simple_minded(kept, me):
    return me, str(kept.mail["Reply-To"]), [("In-Reply-To", str(kept.mail["Message-ID"]))], f"Re: {kept.subject}"


def rude(kept, me):
    return me, "csm@desk.example", [], f"rude thanks for mail {time.monotonic_ns()}"


# (robot, how often it can be made to answer, how many tickets it has in the end)
ROBOTS = ((well_behaved, 1, 1), (maild_like, 1, 1), (simple_minded, 1, 1), (rude, 3, 4))


def test_a_robot_that_answers_everything_is_soon_alone(desk, sink, write):
    names = {f"{robot.__name__}@robot.example": robot for robot, _, _ in ROBOTS}
    for me in names:
        desk.send(write(me, "csm@desk.example", f"{me} writes first", "Hello."), me)
    answered = Counter()
    busy = True
    while busy:
        desk.settled()
        busy = False
        for me, robot in names.items():
            for kept in sink.to(me)[answered[me] :]:
                sender, rcpt, headers, subject = robot(kept, me)
                desk.send(write(me, rcpt, subject, "We are away.", headers=headers), sender, rcpt)
                answered[me] += 1
                busy = answered[me] < 20
    for robot, answers, tickets in ROBOTS:
        me = f"{robot.__name__}@robot.example"
        assert answered[me] == answers, me
        assert desk.ask("SELECT count(*) FROM ticket WHERE requester_address = ?", me) == [(tickets,)], me


def test_one_mail_to_two_of_our_addresses_is_one_message(desk, sink, write):
    mail = write("carol@acme.example", "csm@desk.example, support@desk.example", "question", "How do I log in?")
    octets = mail.as_bytes()
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=45) as client:
        client.sendmail("carol@acme.example", ["csm@desk.example", "support@desk.example"], octets)
    desk.send(octets, "carol@acme.example", "csm@desk.example")
    sink.wait("carol@acme.example")
    desk.settled()
    (message,) = desk.show(1001)["messages"]
    assert sorted(message["recipients"]) == ["csm@desk.example", "support@desk.example"]
    assert desk.ask("SELECT number FROM ticket") == [(1001,)]
    assert sorted(kept.rcpt for kept in sink.kept) == [
        f"{who}.example" for who in ("ann@staff", "bob@staff", "carol@acme")
    ]
