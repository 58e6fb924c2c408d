import hashlib
import random
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.ingest import caps
from maild.ingest import parse as room
from maild.ingest.parse import parse
from maild.mail import Address, Delivery, InboundMail, Origin

MAIL = Path(__file__).parent.parent / "mail"
SAMPLES = sorted(MAIL.glob("*.eml"))
HEAD = b"From: a@b.example\r\nSubject: x\r\n"


def sample(name):
    return (MAIL / name).read_bytes()


def test_a_reply_from_a_webmailer():
    octets = sample("reply_gmail.eml")
    mail = parse(octets)
    assert mail.sender == Address("Bob Customer", "bob@acme.example")
    assert mail.to == (Address("Support für alle", "csm+k7m2qpx4abcdefgh234567@example.com"),)
    assert mail.cc == (Address("Carol, Buyer", "carol@acme.example"),)
    assert mail.subject == "Re: [CSM #1042] Bestellung hängt"
    assert mail.date == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert mail.message_id == "CAF=bob-2@mail.acme.example"
    assert mail.in_reply_to == ("1042.root@example.com",)
    assert mail.references == ("CAF=bob-1@mail.acme.example", "1042.root@example.com")
    assert mail.new_text == "Danke, jetzt läuft es wieder."
    assert "Please try again." in mail.text
    assert mail.html is not None
    assert "script" not in mail.html
    assert "spy.example" not in mail.html
    assert "gmail_quote" in mail.html
    assert mail.attachments == ()
    assert mail.origin is Origin.PERSON
    assert mail.defects == ()
    assert mail.size == len(octets)
    assert mail.body_digest == hashlib.sha256(octets.partition(b"\n\n")[2]).hexdigest()
    assert mail.header("in-reply-to") == ("<1042.root@example.com>",)


def test_a_bounce():
    mail = parse(sample("bounce_rfc3464.eml"))
    assert mail.origin is Origin.BOUNCE
    assert mail.delivery == (
        Delivery(
            "bob@acme.example", "failed", "5.1.1", "550 5.1.1 <bob@acme.example>: no such user", "1042.7@example.com"
        ),
        Delivery("carol@acme.example", "delayed", "4.4.1", "", "1042.7@example.com"),
    )


def test_attachments():
    mail = parse(sample("attachments.eml"))
    assert mail.text == "Siehe Bild€"
    assert 'src="cid:shot@acme"' in (mail.html or "")
    picture, invoice, letter, raw = mail.attachments
    assert (picture.name, picture.content_type, picture.inline, picture.content_id) == (
        "shot.png",
        "image/png",
        True,
        "shot@acme",
    )
    assert picture.content == b"\x89PNG\r\n\x1a\n"
    assert picture.sha256 == hashlib.sha256(picture.content).hexdigest()
    assert (invoice.name, invoice.inline, invoice.content) == ("Rechnung über.pdf", False, b"%PDF-")
    assert (letter.name, letter.content_type) == ("the inner-one.eml", "message/rfc822")
    assert letter.content.endswith(b"inner text")
    assert (raw.name, raw.content) == ("part-5.bin", b"raw")


def test_html_alone_is_rendered_and_its_quote_cut():
    mail = parse(sample("outlook_reply.eml"))
    assert mail.text.startswith("Der Server steht.\n\nGruß, Bob")
    assert "Bitte neu starten." in mail.text
    assert "color:red" not in mail.text
    assert mail.new_text == "Der Server steht.\n\nGruß, Bob"


@pytest.mark.parametrize(
    ("octets", "fields", "mailboxes"),
    [
        (b"From: a@b\r\n\r\n", 1, 1),
        (b"From: a@b, c@d\r\n\r\n", 1, 2),
        (b"From: a@b\r\nFrom: c@d\r\n\r\n", 2, 2),
        (b"Subject: x\r\n\r\n", 0, 0),
        (b"From: nobody\r\n\r\n", 1, 0),
    ],
)
def test_who_the_sender_is(octets, fields, mailboxes):
    mail = parse(octets)
    assert (mail.from_fields, len(mail.from_)) == (fields, mailboxes)
    clear = fields == mailboxes == 1
    assert (mail.sender is not None) is clear
    assert any("ambiguous sender" in one for one in mail.defects) is not clear


def test_the_envelope_outranks_the_return_path_field():
    octets = b"Return-Path: <>\r\nFrom: a@b\r\nSubject: Undelivered Mail\r\n\r\nx"
    assert parse(octets).origin is Origin.BOUNCE
    assert parse(octets, return_path="a@b").origin is Origin.PERSON
    assert parse(octets.replace(b"<>", b"<a@b>"), return_path="").origin is Origin.BOUNCE


def test_our_own_mail_comes_back():
    assert parse(b"From: a@b\r\nMessage-ID: <1.2@us>\r\n\r\n", own_ids={"1.2@us"}).origin is Origin.OWN


def test_a_fault_of_ours_loses_no_mail(monkeypatch):
    def broken(*_):
        raise RecursionError

    monkeypatch.setattr(room.bodies, "read", broken)
    octets = b"From: Bob <bob@x>\r\nMessage-ID: <i\0 @d>\r\nSubject: help\r\n\r\nwords"
    mail = parse(octets)
    assert mail.sender == Address("", "bob@x")
    assert (mail.subject, mail.message_id, mail.attachments[0].content) == ("help", "i@d", octets)
    assert mail.attachments[0].content_type == "message/rfc822"
    assert "could not be parsed: RecursionError" in mail.defects
    assert mail.marks == ("this mail could not be read, and is attached as it came: original.eml",)


@given(st.sampled_from(SAMPLES), st.integers(0, 2**32), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_parse_is_total_over_damaged_mail(path, seed, wounds):
    octets = bytearray(path.read_bytes() or b"x")
    chance = random.Random(seed)
    for _ in range(wounds):
        at = chance.randrange(len(octets))
        match chance.randrange(4):
            case 0:
                octets[at] = chance.randrange(256)
            case 1:
                del octets[at : at + chance.randrange(60)]
                octets = octets or bytearray(b"x")
            case 2:
                octets[at:at] = chance.choice([b"\r\n", b"\n\n", b'"', b"<", b"=?", b"?=", b"--", b";", b"\0", b"\xff"])
            case 3:
                octets[at:at] = octets[chance.randrange(len(octets)) :][:80]
    check(bytes(octets))


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_parse_is_total_over_any_octets(octets):
    check(octets)


def check(octets):
    mail = parse(octets)
    assert isinstance(mail, InboundMail)
    assert not any("could not be parsed" in one for one in mail.defects)
    assert not any(c in value for _, value in mail.headers for c in "\r\n\0")
    assert not any(c in one.name for one in mail.attachments for c in "/\\\r\n\0")
    assert mail == parse(octets)
    for words in texts(asdict(mail)):
        words.encode("utf-8")


def texts(value):
    """Give every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)


SURROGATES = (
    b"From: <=?utf-7?q?+2AA-?=@acme.example>\r\nSubject: =?utf-7?q?x+2AA-?=\r\nMessage-ID: <=?utf-7?q?+2AA-?=@x>\r\n"
    b"Content-Type: multipart/mixed; boundary*=utf-7''b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n"
    b"hi +2AA- x\r\n--b\r\nContent-Type: text/html; charset=utf-7\r\n\r\n<p>+2AA-</p>&#xD800;\r\n--b\r\n"
    b"Content-Type: application/pdf; name*=utf-7''%2B2AA-\r\nContent-ID: <=?utf-7?q?+2AA-?=@x>\r\n\r\nx\r\n--b--\r\n"
)


@pytest.mark.parametrize("cut", range(0, len(SURROGATES), 31))
def test_every_text_of_a_mail_can_be_written_down(cut):
    check(SURROGATES[cut:])
    check(SURROGATES[: len(SURROGATES) - cut])


@pytest.mark.parametrize(
    ("octets", "defect"),
    [
        (HEAD + b"Content-Type: text/plain" + b";" * 100_000 + b"\r\n\r\nx", "cut at 65536"),
        (HEAD + b"Subject: " + b" ".join([b"=?utf-8?q?a?="] * 20_000) + b"\r\n\r\nx", "header block"),
        (
            HEAD
            + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(1000))
            + b"\r\nx",
            "100 levels",
        ),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50_000, "first 500"),
        (HEAD + b"\r\n" + b"\n" * 10_000_000 + b"x", "cut at 4194304"),
        (HEAD + b"\r\n" + b"\n" * 10_000_000, ""),
        (b"X: y\r\n" * 5_000 + b"\r\nx", "first 1000"),
        (HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 200_000 + b"deep", ""),
        (HEAD + b"Content-Type: text/html\r\n\r\n" + b"<p>" * 400_000 + b"flat", ""),
        (HEAD + b"\r\n" + b"> x\n" * 500_000, ""),
        (HEAD + b"\r\n" + b"On Mon, 5 Jan 2026 a wrote\n" * 30_000, ""),
        (HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1000, ""),
        (HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 2_000_000, ""),
        (HEAD + b"\r\n" + b"begin 644 x\n" * 50_000, ""),
    ],
)
def test_hostile_mail_costs_little(octets, defect):
    begun = time.perf_counter()
    mail = parse(octets)
    assert time.perf_counter() - begun < 5
    assert not defect or any(defect in one for one in mail.defects)


@pytest.mark.parametrize(
    ("octets", "fields", "body", "defect"),
    [
        (b"A: b\r\n c\r\nD: e\r\n\r\nbody", [("A", b"b c"), ("D", b"e")], b"body", ""),
        (b"From x@y Mon\nA: b\n\nbody", [("A", b"b")], b"body", ""),
        (b"\n\nA: b\n\nbody", [("A", b"b")], b"body", ""),
        (b"\r\nbody only", [], b"body only", ""),
        (b"\nbody only", [], b"body only", ""),
        (b"A: b\rC: d\r\rbody", [("A", b"b"), ("C", b"d")], b"body", ""),
        (b"A: b\nthis is the body\nmore", [("A", b"b")], b"this is the body\nmore", "no empty line"),
        (b"just words\nmore", [], b"just words\nmore", "no empty line"),
        (b"A: b\nfolded without blank\nC: d\n\nx", [("A", b"b folded without blank"), ("C", b"d")], b"x", "no colon"),
        (b"junk first\nC: d\n\nx", [("C", b"d")], b"x", ""),
        (b" lead\nC: d\n\nx", [("C", b"d")], b"x", ""),
        (b"A: b", [("A", b"b")], b"", ""),
        (b"", [], b"", ""),
    ],
)
def test_the_header_block(octets, fields, body, defect):
    head = caps.split_head(octets)
    assert list(head.fields) == fields
    assert octets[head.body_at :] == body
    assert not defect or any(defect in one for one in head.defects)
