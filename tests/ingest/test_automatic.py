import pytest

from maild.ingest.automatic import Facts, null_path, origin
from maild.mail import Address, Origin

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


def test_the_detector_is_not_asked_about_ordinary_mail():
    asked = []
    origin(
        Facts((), BOB, "bob@acme.example", "Printer", "text/plain", "", ("text/plain",), lambda: asked.append(1) or 1)
    )
    assert asked == []
