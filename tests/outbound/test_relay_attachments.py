"""Files that an agent attaches: read as their reader's program would read them."""

import base64
import time
from dataclasses import replace
from hashlib import sha256

import pytest

from maild.mail import Address, Attachment
from maild.outbound import samples
from maild.outbound.attached import objection
from maild.outbound.compose_relay import compose_relay, refusal
from maild.outbound.gate import GateRefusal
from maild.outbound.hide import hiding
from maild.outbound.letters import RelayLetter
from maild.threading.token import Purpose, mint

TOKEN = mint(b"k" * 32, 1042, "ann@staff.example", Purpose.AGENT)
REPLY = f"csm+{TOKEN}@desk.example"
MAIL = replace(samples.mail("x"), to=(Address("", REPLY),), attachments=())
HIDE = hiding(MAIL, ("ann@staff.example", "bee@staff.example"), ("csm@desk.example",))
OTHERS = hiding(samples.mail("x"), ("ann@staff.example",), ("csm@desk.example",))


def file(name, content_type, content):
    return Attachment(name, content_type, content, sha256(content).hexdigest(), False, "")


def mail_of(text, encoding="7bit"):
    octets = text.encode()
    if encoding == "base64":
        octets = base64.encodebytes(octets)
    elif encoding == "quoted-printable":
        octets = octets.replace(b"=", b"=3D").replace(b"@", b"=40")
        octets = octets[:20] + b"=\r\n" + octets[20:]
    head = (
        f"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + octets


def armoured(octets):
    return b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\n" + base64.encodebytes(octets) + b"=abcd\n-----END PGP"


def dressed(secret):
    """Give a secret in every dress in which an attached file was seen to carry it."""
    text = f"write to {secret} or not"
    return [
        ("a.txt", "text/plain", text.encode()),
        ("a.txt", "text/plain", text.upper().encode()),
        ("a.txt", "text/plain", text.encode("utf-16")),
        ("a.log", "application/octet-stream", text.encode("utf-16-be")),
        ("a.txt", "text/plain", text.replace("@", "%2540").encode()),
        ("a.html", "text/html", text.replace("@", "&#64;").encode()),
        ("a.html", "text/html", text.replace("@", "<b>@</b>").encode()),
        ("a.eml", "application/octet-stream", mail_of(text)),
        ("a.eml", "application/octet-stream", mail_of(text, "base64")),
        ("a.eml", "application/octet-stream", mail_of(text, "quoted-printable")),
        ("a", "message/rfc822", mail_of(text, "base64")),
        ("a", "message/rfc822", b"Content-Type: message/rfc822\r\n\r\n" + mail_of(text, "base64")),
        ("a.vcf", "text/x-vcard", f"BEGIN:VCARD\r\nEMAIL:{secret}\r\nEND:VCARD\r\n".encode()),
        ("a.vcf", "application/octet-stream", f"EMAIL;X=Y:=\r\n{secret}".replace("@", "=40").encode()),
        ("a.ics", "text/calendar", f"ORGANIZER:mailto:{secret[:9]}\r\n {secret[9:]}\r\n".encode()),
        ("a.json", "application/ld+json", b'{"to": "%b"}' % secret.encode()),
        ("k.asc", "application/pgp-keys", armoured(b"\x99\x01" + f"Ann <{secret}>".encode() + b"\x00\xff")),
        ("a.pdf", "application/pdf", b"%PDF\x00" + secret.upper().encode() + b"\xff"),
        ("big.log", "text/plain", b"line\n" * 120_000 + text.replace("@", "%40").encode()),
    ]


@pytest.mark.parametrize("row", dressed(REPLY), ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_token_in_a_file_holds_the_reply_back(row):
    assert "yours alone" in objection(file(*row), HIDE)
    assert "yours alone" in objection(file(*row), OTHERS)


@pytest.mark.parametrize("row", dressed("ann@staff.example"), ids=lambda row: f"{row[0]}-{row[1]}")
def test_his_own_address_in_a_file_holds_the_reply_back(row):
    assert f"your attachment '{row[0]}' names your own address" in objection(file(*row), HIDE)


def test_a_colleagues_address_is_named_in_the_words():
    assert "agent's address (bee@staff.example)" in objection(file("a.txt", "text/plain", b"bee@staff.example"), HIDE)


@pytest.mark.parametrize(
    "row",
    [
        *dressed("bob@acme.example"),
        *dressed("joann@staff.example")[:6],
        ("a.txt", "text/plain", b"csm@desk.example, desk.example, csm+x@elsewhere.example"),
        ("a.png", "image/png", b"bee@staff.example desk.example"),
        ("letters", "application/zip", b"PK" + bytes(range(256)) * 20),
    ],
    ids=lambda row: f"{row[0]}-{row[1]}",
)
def test_any_other_file_goes(row):
    assert objection(file(*row), HIDE) == ""


LETTER = replace(
    next(letter for letter in samples.letters() if isinstance(letter, RelayLetter)),
    agent=replace(samples.AGENT, address="ann@staff.example"),
    mail=replace(MAIL, attachments=(file("card.vcf", "text/vcard", b"EMAIL:ann@staff.example"),)),
    html=None,
)


def test_the_agent_reads_which_file_and_why():
    assert refusal(LETTER, samples.DESK).startswith("your attachment 'card.vcf' names your own address")
    with pytest.raises(GateRefusal, match=r"card\.vcf"):
        compose_relay(LETTER, samples.DESK, samples.NOW)


def test_an_agent_who_is_the_customer_may_have_his_own_card():
    letter = replace(LETTER, to=Address("Ann", "ann@staff.example"))
    assert refusal(letter, samples.DESK) == ""


def test_a_signature_that_is_taken_off_is_no_reason():
    signature = file("signature.asc", "application/pgp-signature", armoured(b"ann@staff.example"))
    assert refusal(replace(LETTER, mail=replace(MAIL, attachments=(signature,))), samples.DESK) == ""


def test_asking_first_costs_little_however_large_the_file():
    content = b"%PDF" + bytes(range(256)) * 60_000
    letter = replace(LETTER, mail=replace(MAIL, attachments=(file("a.pdf", "application/pdf", content),)))
    begun = time.process_time()
    assert refusal(letter, samples.DESK) == ""
    asked = time.process_time() - begun
    begun = time.process_time()
    compose_relay(letter, samples.DESK, samples.NOW)
    assert asked < (time.process_time() - begun) / 2
