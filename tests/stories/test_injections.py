"""Line ends hidden in whatever a sender may choose: not one more header, not one more recipient, whoever he writes as."""

import base64
from email.utils import getaddresses

import pytest

EVIL = "\r\nBcc: evil@evil.example\r\nX-Evil: 1\r\n\r\nevil"
FOLDED = "\r\n Bcc: evil@evil.example"


def quoted(text, charset="utf-8"):
    return f"=?{charset}?q?{''.join(f'={octet:02X}' for octet in text.encode(charset))}?="


def packed(text, charset="utf-8"):
    return f"=?{charset}?b?{base64.b64encode(text.encode(charset)).decode()}?="


PAYLOADS = (
    quoted(EVIL),
    packed(EVIL),
    quoted(EVIL, "iso-8859-1"),
    packed(EVIL, "utf-16"),
    packed(EVIL, "utf-7"),
    quoted(FOLDED),
    quoted("a\nBcc: evil@evil.example"),
    quoted("a\rBcc: evil@evil.example"),
    quoted("a\x0b\x0c\x85\u2028\u2029Bcc: evil@evil.example"),
    quoted(quoted(EVIL)),
    packed(packed(EVIL)),
    f"=?utf-8?q?a=0D?= =?utf-8?q?=0ABcc=3A_evil=40evil=2Eexample?= {quoted(EVIL)}",
    quoted('"\r\nBcc: evil@evil.example\r\n"'),
    quoted("a\x00\u202e\u200b>, evil@evil.example\r\n"),
    f"a\rBcc: evil@evil.example {quoted(EVIL)}",
    "a\x00\x0bBcc: evil@evil.example",
)
CARRIERS = ("Subject", "From", "filename", "In-Reply-To")

ALLOWED = {
    *("from", "to", "reply-to", "subject", "date", "message-id", "in-reply-to", "references"),
    *(
        "auto-submitted",
        "x-auto-response-suppress",
        "x-maild-loop",
        "x-maild-ticket",
        "x-maild-severity",
        "x-maild-state",
    ),
    *("mime-version", "content-type", "content-transfer-encoding"),
}
OF_PARTS = {"content-type", "content-transfer-encoding", "content-disposition", "content-id"}


def octets_of(carrier, payload, sender, to, number, *, proven, before=""):
    """Write a mail by hand: no library of ours would write these."""
    name = payload if carrier == "From" else "Some Body"
    reply = payload if carrier == "In-Reply-To" else before
    file = payload if carrier == "filename" else "log.txt"
    percent = "".join(f"%{octet:02X}" for octet in (f"x{EVIL}.txt" if carrier == "filename" else "log.txt").encode())
    lines = (
        *(["Authentication-Results: mx.desk.example; dmarc=pass header.from=acme.example"] if proven else []),
        "Received: from there by mx.desk.example; Wed, 11 Mar 2026 09:00:00 +0000",
        f"From: {name} <{sender}>",
        f"To: {to}",
        f"Subject: {payload if carrier == 'Subject' else 'harmless'} {number}",
        f"Message-ID: <{number}.{sender}>",
        *([f"In-Reply-To: {reply}", f"References: {reply}"] if reply else []),
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b",
        "",
        f"--b\r\nContent-Type: text/plain\r\n\r\nThis is case {number}.",
        f'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="{file}"\r\n\r\none',
        f"--b\r\nContent-Type: text/plain; name*=utf-8''{percent}\r\nContent-Disposition: attachment; filename*=utf-8''{percent}\r\n\r\ntwo",
        "--b--\r\n",
    )
    return "\r\n".join(lines).encode("utf-8")


def checked(kept):
    names = [line.partition(":")[0].lower() for line in kept.raw_headers]
    assert set(names) <= ALLOWED, names
    assert len(names) == len(set(names)), names
    assert [name.lower() for name in kept.mail] == names
    assert getaddresses([str(kept.mail["To"])])[0][1] == kept.rcpt
    assert len(getaddresses(kept.mail.get_all("To"))) == 1
    assert len(getaddresses(kept.mail.get_all("From"))) == 1
    for part in kept.mail.walk():
        if part is not kept.mail:
            assert {name.lower() for name in part} <= OF_PARTS
            assert not set("\r\n\x00") & set(part.get_filename() or "")
    for name, value in kept.mail.items():
        assert not set("\r\n\x00\x85\u2028\u2029") & set(str(value)), name


@pytest.fixture
def rows():
    return [
        (f"{number}.", carrier, payload)
        for number, (carrier, payload) in enumerate((c, p) for p in PAYLOADS for c in CARRIERS)
    ]


def test_nothing_that_a_sender_chooses_becomes_a_header(make_desk, sink, rows):
    many = "[ack]\nper_minute = 10000"
    desk = make_desk(many, team='"ann"').start()
    for number, carrier, payload in rows:
        sender = f"c{number}acme@acme.example"
        desk.send(octets_of(carrier, payload, sender, "csm@desk.example", number, proven=True), sender)
    desk.settled()
    for number, carrier, payload in rows:
        notice = sink.wait("ann@staff.example", lambda kept, number=number: f"This is case {number}" in kept.text)
        rcpt = str(notice.mail["Reply-To"])
        sender = "ann@staff.example"
        before = str(notice.mail["Message-ID"])
        desk.send(
            octets_of(carrier, payload, sender, rcpt, f"answer {number}", proven=False, before=before), sender, rcpt
        )
    desk.settled()
    # A bare CR ends the From field for some readers, and a second address in it is one more sender: whom could we answer?
    clear = [number for number, carrier, payload in rows if carrier != "From" or not payload.startswith("a")]
    customers = {f"c{number}acme@acme.example" for number in clear}
    assert {kept.rcpt for kept in sink.kept} == {"ann@staff.example"} | customers
    for customer in customers:
        (_, relayed) = sink.to(customer)
        assert "This is case answer" in relayed.text
    for kept in sink.kept:
        checked(kept)
    assert 2 * len(rows) > 100
