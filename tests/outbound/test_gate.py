"""The gate: what becomes of hostile text, and which octets it refuses."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.outbound.gate import Decided, GateRefusal, check, clean, wire_address, wire_id, wire_ids


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "plain"),
        ("a\r\nBcc: x@y", "a Bcc: x@y"),
        ("a\u2028b\u2029c\x85d\x00e\x0bf", "a b c d e f"),
        ("  much \t space ", "much space"),
        ("=?utf-8?q?a=0D=0ABcc=3A_evil=40x?=", "a Bcc: evil@x"),
        ("=?utf-8?b?YQ0KQmNjOiBldmlsQHg=?=", "a Bcc: evil@x"),
        ("x =?utf-8?q?y?= z", "x y z"),
        ("=?iso-8859-1?q?M=FCller?=", "Müller"),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0D=3D0Ab=3F=3D?=", "a b"),
        ("=?no-such-charset?q?M=FCller?=", "Müller"),
        ("=?utf-8?b?a?=", ""),
        ("=?utf-8?b?!!!?=", ""),
        ("=?utf-8?q?a\nb?=", ""),
        ("=?utf-8?q?a\rb?=", "a b"),
        ("=?a?=b", "= ?a?=b"),
        ("x =?utf-8?x?y?=", "x = ?utf-8?x?y?="),
        ("\u202eevil\u200b\ufeff\u2066", "evil"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("", ""),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_clean(text, wanted):
    assert clean(text) == wanted


def test_clean_gives_up_on_nested_words_but_leaves_none():
    text = "deep\r\n"
    for _ in range(8):
        text = f"=?utf-8?q?{text.replace('=', '=3D').replace('?', '=3F').replace(chr(13), '=0D').replace(chr(10), '=0A')}?="
    assert clean(text, 10_000).startswith("= ?utf-8?q?")
    assert "=?" not in clean(text, 10_000)


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_clean_is_one_safe_line_and_final(text):
    once = clean(text)
    assert len(once) <= 200
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]|=\?", once)
    assert clean(once) == once


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("bob@acme.example", "bob@acme.example"),
        ("csm+abc@example.com", "csm+abc@example.com"),
        ("a..b.@docomo.example", "a..b.@docomo.example"),
        ("x@localhost", "x@localhost"),
        ("bob@münchen.example", "bob@xn--mnchen-3ya.example"),
    ],
)
def test_wire_address(address, wanted):
    assert wire_address(address) == wanted


@pytest.mark.parametrize(
    "address",
    [
        *("", "bob", "@x.y", "bob@", "a b@x.y", "a\r\nb@x.y", "bob@x.y\r\nRCPT TO:<evil@x>", "bob@x.y ", "a\x00b@x.y"),
        *(
            "jürgen@x.y",
            '"a b"@x.y',
            "<bob@x.y>",
            "bob@x..y",
            "bob@[127.0.0.1]",
            "bob@-x",
            "a,b@x.y",
            "b@x.y>",
            "é@x.y\n",
        ),
        *("bob@x\u2028y.z", "bob@\u0130\u0130" + "x" * 80 + ".de", "b" * 65 + "@x.y", "bob@" + "x." * 130 + "y"),
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(GateRefusal, match="no address we can send to"):
        wire_address(address)


def test_ids_are_kept_plain_or_not_at_all():
    ids = ("<a@b>", "a@b", " c@d ", "bad id@x", "", "x\r\ny@z", "é@x", "x" * 513, "n" * 118 + "@h")
    assert wire_ids(ids) == ("a@b", "c@d", "n" * 118 + "@h")
    assert wire_id("<a@b>") == "a@b"


@pytest.mark.parametrize("msgid", ["", "no-at", "a b@c", "a\r\nb@c"])
def test_an_id_of_ours_must_be_one(msgid):
    with pytest.raises(GateRefusal, match="no Message-ID"):
        wire_id(msgid)


NAMES = ("From", "To", "Subject", "Date", "Message-ID", "Content-Type")
GOOD = (
    b'From: "D" <csm@example.com>\r\nTo: bob@acme.example\r\nSubject: hello\r\nDate: Mon, 23 Nov 2026 16:50:00 +0000\r\n'
    b'Message-ID: <a@b>\r\nContent-Type: multipart/mixed;\r\n boundary="=_maild_ab.mixed"\r\n\r\n'
    b"--=_maild_ab.mixed\r\nContent-Type: text/plain\r\n\r\nhello\r\n--=_maild_ab.mixed--\r\n"
)
HIDDEN = re.compile("ann@example").search


def decided(**changes):
    values = {"names": NAMES, "rcpt": "bob@acme.example", "envelope_from": "csm+t@example.com"} | changes
    return Decided(**values)


def test_good_octets_pass():
    check(GOOD, decided())
    check(GOOD, decided(envelope_from="", hidden=HIDDEN, texts=("hello",)))


@pytest.mark.parametrize(
    ("old", "new", "changes", "reason"),
    [
        (b"hello\r\nDate", b"hello\r\nBcc: evil@x.y\r\nDate", {}, "names"),
        (b"hello\r\nDate", b"hello\r\nX-More: 1\r\nDate", {}, "names"),
        (b"hello\r\nDate", b"hello\r\nSubject: two\r\nDate", {}, "names"),
        (b"hello\r\nDate", b"hello\r\nSubject: two\r\nDate", {"names": (*NAMES, "Subject")}, "exactly one"),
        (b"hello\r\nDate", b"hello\nBcc: evil@x.y\r\nDate", {}, "bare"),
        (b"hello\r\nDate", b"hello\rBcc: evil@x.y\r\nDate", {}, "bare"),
        (b"hello\r\nDate", b"hello\r\nno field\r\nDate", {}, "none"),
        (b"hello\r\nDate", b"h\xe9llo\r\nDate", {}, "7-bit"),
        (b"hello\r\nDate", b"h\x00llo\r\nDate", {}, "7-bit"),
        (b"hello\r\nDate", b"h" * 1000 + b"\r\nDate", {}, "998"),
        (b"hello\r\nDate", b"=?utf-8?q?a=0D=0ABcc=3A_x?=\r\nDate", {}, "control character"),
        (b"hello\r\nDate", b"ann@example.com\r\nDate", {"hidden": HIDDEN}, "tells"),
        (b"hello\r\nDate", b"=?utf-8?b?YW5uQGV4YW1wbGUuY29t?=\r\nDate", {"hidden": HIDDEN}, "tells"),
        (b"To: bob@acme.example", b"To: bob@acme.example, evil@x.y", {}, "recipients"),
        (b"To: bob@acme.example", b"To: eve@acme.example", {}, "recipients"),
        (b"<csm@example.com>", b"<csm@example.com>, eve@x.y", {}, "From"),
        (b"Content-Type: text/plain\r\n", b"Content-Type: text/plain\r\nX-Evil: 1\r\n", {}, "part"),
        (b"Content-Type: text/plain\r\n", b"Content-Type: text/plain\r\nContent-Type: text/html\r\n", {}, "part"),
        (b"\r\n\r\n", b"\r\n", {}, "no end"),
        (b"", b"", {"rcpt": "a b@x.y"}, "recipients"),
        (b"bob@acme.example", b"bob@x..y", {"rcpt": "bob@x..y"}, "no address"),
        (b"bob@acme.example", b"bob@M\xc3\xbc.de", {"rcpt": "bob@Mü.de"}, "7-bit"),
        (b"", b"", {"envelope_from": "a b@x.y"}, "no address"),
        (b"", b"", {"envelope_from": "csm+t@münchen.example"}, "return path"),
        (b"", b"", {"envelope_from": "ann@example.com", "hidden": HIDDEN}, "tells"),
        (b"", b"", {"texts": ("write to ann@example.com",), "hidden": HIDDEN}, "tells"),
    ],
)
def test_the_gate_refuses(old, new, changes, reason):
    octets = GOOD.replace(old, new) if old else GOOD
    with pytest.raises(GateRefusal, match=reason):
        check(octets, decided(**changes))
