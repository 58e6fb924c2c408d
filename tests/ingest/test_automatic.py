import pytest

from maild.ingest.automatic import Facts, answers_by_itself, null_path, origin, speaks_of_absence
from maild.mail import Address, Attachment, Origin

BOB = (Address("Bob", "bob@acme.example"),)


def facts(
    headers=(),
    sender="bob@acme.example",
    path=None,
    subject="Printer",
    kind="text/plain",
    report="",
    parts=("text/plain",),
    hint=0,
):
    return Facts(
        tuple(headers), (Address("", sender),) if sender else (), path, subject, kind, report, parts, lambda: hint
    )


@pytest.mark.parametrize(
    ("given", "expected", "because"),
    [
        (facts(), Origin.PERSON, "nothing says"),
        (facts([("Auto-Submitted", "no")]), Origin.PERSON, "nothing"),
        (facts([("Auto-Submitted", "auto-generated; x")]), Origin.AUTOMATIC, "auto-generated"),
        (facts([("X-Auto-Response-Suppress", "All")]), Origin.AUTOMATIC, "Suppress"),
        (facts([("X-Auto-Response-Suppress", "None")]), Origin.PERSON, "nothing"),
        (facts([("X-Autoreply", "yes")]), Origin.AUTOMATIC, "X-Autoreply"),
        (facts([("X-Autoreply", "no")]), Origin.PERSON, "nothing"),
        (facts([("Precedence", "auto_reply")]), Origin.AUTOMATIC, "auto_reply"),
        (facts([("X-POST-MessageClass", "9; Autoresponder")]), Origin.AUTOMATIC, "names itself"),
        (facts([("Delivered-To", "Autoresponder")]), Origin.AUTOMATIC, "names itself"),
        (facts([("List-Id", "<a.b>")]), Origin.BULK, "List-Id"),
        (facts([("List-Unsubscribe", "<mailto:x>")]), Origin.BULK, "List-Unsubscribe"),
        (facts([("Precedence", "Bulk")]), Origin.BULK, "Precedence: bulk"),
        (facts([("X-Precedence", "list")]), Origin.BULK, "X-Precedence"),
        (facts([("Precedence", "first-class")]), Origin.PERSON, "nothing"),
        (facts(kind="multipart/report", report="delivery-status"), Origin.BOUNCE, "multipart/report"),
        (facts(kind="multipart/report"), Origin.BOUNCE, "unknown"),
        (facts(kind="multipart/report", report="disposition-notification"), Origin.AUTOMATIC, "disposition"),
        (facts(kind="multipart/report", report="feedback-report"), Origin.AUTOMATIC, "feedback"),
        (facts(parts=("text/plain", "message/disposition-notification")), Origin.AUTOMATIC, "disposition"),
        (facts(parts=("text/plain", "message/delivery-status")), Origin.BOUNCE, "delivery-status"),
        (
            facts(path="<>", subject="Automatically rejected mail", parts=("message/disposition-notification",)),
            Origin.BOUNCE,
            "disposition",
        ),
        (facts([("X-Failed-Recipients", "x@y")]), Origin.BOUNCE, "X-Failed"),
        (facts(sender="MAILER-DAEMON@mx.example"), Origin.BOUNCE, "MAILER-DAEMON"),
        (facts(path="", subject="Undelivered Mail"), Origin.BOUNCE, "null reverse-path"),
        (
            facts(path="", subject="Re: x", headers=[("Auto-Submitted", "auto-replied")]),
            Origin.AUTOMATIC,
            "auto-replied",
        ),
        (facts(path="<>", subject="Out of office: back soon"), Origin.AUTOMATIC, "absence"),
        (facts(path="a@b", subject="Out of office: back soon"), Origin.PERSON, "nothing"),
        (facts(path=""), Origin.AUTOMATIC, "wants no answer"),
        (facts(path="", headers=[("List-Id", "x")]), Origin.BULK, "List-Id"),
        (facts(path="", sender="postmaster@mx.example"), Origin.BOUNCE, "null reverse-path"),
        (facts(sender="postmaster@mx.example", subject="Delivery failure"), Origin.BOUNCE, "subject speaks"),
        (facts(sender="postmaster@mx.example", subject="Greetings"), Origin.PERSON, "nothing"),
        (
            facts(subject="Mail delivery failed: returning", parts=("text/plain", "message/rfc822")),
            Origin.BOUNCE,
            "attached",
        ),
        (facts(subject="Re: failure of the message bus", hint=1), Origin.PERSON, "nothing"),
        (facts(subject="Unable to deliver your parcel", hint=1), Origin.BOUNCE, "form of a delivery report"),
        (facts(subject="Unable to deliver", headers=[("List-Id", "x")], hint=1), Origin.BULK, "List-Id"),
        (facts(subject="Mail System Error", headers=[("List-Id", "x")], hint=1), Origin.BOUNCE, "form of"),
        (facts(sender="", headers=[("From", '"Jet" <>')], subject="Mail Error"), Origin.BOUNCE, "null"),
        (facts(path="", subject="Delivery incomplete"), Origin.AUTOMATIC, "wants no answer"),
        (facts(path="", subject="Delivery incomplete", hint=1), Origin.BOUNCE, "null reverse-path"),
        (
            facts(path="", subject="Rejected", parts=("text/plain", "message/rfc822")),
            Origin.BOUNCE,
            "null reverse-path",
        ),
        (facts(path="", subject="Status", hint=1), Origin.BOUNCE, "form of"),
        (facts(path="", subject="Your mail", hint=1, headers=[("List-Id", "x")]), Origin.BULK, "List-Id"),
        (facts(path="", subject="Delivery", sender="inetgw1@mx.example"), Origin.AUTOMATIC, "wants no answer"),
        (facts(path="", subject="Mail rejected", sender="inetgw1@mx.example"), Origin.BOUNCE, "null reverse-path"),
        (
            facts(sender="admin@x.example", subject="Non-Delivery: x", headers=[("List-Id", "x")], hint=1),
            Origin.BOUNCE,
            "form of",
        ),
        (facts(sender="admin@x.example", subject="Status", hint=1), Origin.BOUNCE, "form of"),
        (facts(sender="admin@x.example", subject="Status", headers=[("List-Id", "x")], hint=1), Origin.BULK, "List-Id"),
        (facts(sender="no-reply@shop.example"), Origin.AUTOMATIC, "reads no answers"),
        (facts(sender=""), Origin.PERSON, "nothing"),
    ],
)
def test_origin(given, expected, because):
    found, why = origin(given)
    assert found is expected
    assert because in why


@pytest.mark.parametrize(
    ("path", "null"),
    [(None, False), ("", True), ("<>", True), ("<MAILER-DAEMON>", True), ("a@b", False), (" <> ", True)],
)
def test_the_null_reverse_path(path, null):
    assert null_path(path) is null


ATTACHED = ("text/plain", "message/delivery-status", "message/rfc822")
PLAIN = "Undelivered Mail Returned to Sender"


@pytest.mark.parametrize(
    "given",
    [
        facts(subject="Our mails get rejected", path="bob@acme.example", hint=1),
        facts(subject="Fwd: failure notice", path="bob@acme.example", hint=1),
        facts(subject="Fwd: failure notice", hint=1),
        facts(subject="WG: Delivery Status Notification (Failure)", hint=1, parts=ATTACHED[::2]),
        facts(subject="TR : Undelivered Mail", hint=1),
        facts(subject="RE: Undelivered Mail", hint=1),
        facts(subject="Fwd: x", path="bob@acme.example", kind="multipart/mixed", parts=ATTACHED, hint=1),
        facts(subject=PLAIN, path="bob@acme.example", kind="multipart/mixed", parts=ATTACHED, hint=1),
        facts(subject=PLAIN, path="bob@acme.example", kind="multipart/mixed", parts=ATTACHED[::2], hint=1),
        facts(subject=PLAIN, path="bob@acme.example", parts=("text/plain", "message/disposition-notification")),
        facts(subject=PLAIN, path="admin@acme.example", sender="admin@acme.example", parts=ATTACHED, hint=1),
        facts(subject="Disk full", path="a@corp.example", sender="smtp-alerts@corp.example"),
        facts(subject="Mail failed", path="a@corp.example", sender="smtp@corp.example", hint=1),
        facts(subject="Delivery failed", path="a@corp.example", sender="postoffice@corp.example", hint=1),
        facts(subject="Delivery failed", path="a@corp.example", sender="delivery@corp.example", hint=1),
    ],
)
def test_people_write_of_failures_and_pass_reports_on(given):
    assert origin(given)[0] is Origin.PERSON


@pytest.mark.parametrize(
    ("subject", "sender"),
    [
        ("Cron <root@db1> backup || echo failed", "root@db1.example"),
        ("UPS on battery", "ups@corp.example"),
        ("Disk quota exceeded on db1", "smtp@corp.example"),
        ("Échec de la sauvegarde", "nobody@corp.example"),
    ],
)
def test_an_alarm_without_a_reverse_path_is_no_bounce(make_mail, subject, sender):
    found, because = origin(facts(subject=subject, sender=sender, path=""))
    assert found is Origin.AUTOMATIC
    mail = make_mail(origin=found, origin_because=because, subject=subject, from_=(Address("", sender),))
    assert not answers_by_itself(mail, null=True)


GENERATED = {"Auto-Submitted": "auto-generated"}
REPLIED = {"Auto-Submitted": "auto-replied; x"}


@pytest.mark.parametrize(
    ("subject", "headers", "null", "answers"),
    [
        ("[FIRING:1] TargetAbsent db1", GENERATED, False, False),
        ("[FIRING:1] TargetAbsent db1", GENERATED, True, False),
        ("[FIRING:1] TargetAbsent db1", {}, True, False),
        ("Vacation booking 4711 failed", {}, False, False),
        ("Urlaubsantrag von Max", {}, False, False),
        ("Vacation booking broken", {"X-Auto-Response-Suppress": "OOF"}, False, False),
        ("Re: your mail", {}, False, False),
        ("On vacation until Monday", {}, True, True),
        ("Re: your mail", {}, True, True),
        ("AW[2]: Ihre Mail", {}, True, True),
        ("Automatic reply: your mail", {}, False, True),
        ("Automatic reply: your mail", GENERATED, False, True),
        ("Automatische Antwort: Ihre Mail", {"X-Auto-Response-Suppress": "All"}, False, True),
        ("x", REPLIED, False, True),
        ("x", {"X-Autoreply": "yes"}, False, True),
        ("x", {"X-Autoreply": "no"}, False, False),
        ("x", {"Precedence": "auto_reply"}, False, True),
        ("x", {"Precedence": "bulk"}, False, False),
        ("x", {"Content-Type": "multipart/report; report-type=disposition-notification"}, False, True),
        ("x", {}, True, False),
        ("x", {}, False, False),
    ],
)
def test_an_answer_is_no_alarm(make_mail, subject, headers, null, answers):
    mail = make_mail(origin=Origin.AUTOMATIC, subject=subject, headers=tuple(headers.items()))
    assert answers_by_itself(mail, null=null) is answers


@pytest.mark.parametrize("field", ["in_reply_to", "references"])
@pytest.mark.parametrize("null", [True, False])
def test_what_names_a_mail_and_wants_no_answer_is_one(make_mail, field, null):
    mail = make_mail(origin=Origin.AUTOMATIC, subject="x", **{field: ("a@b",)})
    assert answers_by_itself(mail, null=null) is null


def test_a_receipt_is_an_answer(make_mail):
    receipt = Attachment("", "message/disposition-notification", b"", "0" * 64, inline=False, content_id="")
    assert answers_by_itself(make_mail(attachments=(receipt,)), null=False)


@pytest.mark.parametrize(
    ("subject", "absent"),
    [("Out of office: x", True), ("Automatic reply: x", True), ("Out of office hours: disk full", False), ("x", False)],
)
def test_how_the_subject_of_an_absence_begins(subject, absent):
    assert speaks_of_absence(subject) is absent


def test_the_detector_is_not_asked_about_ordinary_mail():
    asked = []
    origin(
        Facts((), BOB, "bob@acme.example", "Printer", "text/plain", "", ("text/plain",), lambda: asked.append(1) or 1)
    )
    assert asked == []
