"""Whose From counts: every form in which somebody may write another's name, from the octets to what is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest.parse import parse
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.trust import Authority, Standing, judge

ME = "mx.desk.example"
OURS = Authority(ids=(ME,))
TOKEN = Placement(1, Rung.TOKEN, "token", "ann@acme.example", Purpose.AGENT)
NOWHERE = Placement(None, Rung.NEW, "new")


def verdict(head, domain="acme.example", placement=NOWHERE):
    """Judge a mail with these fields, of which our hop says that the domain passed."""
    result = f"Authentication-Results: {ME}; dmarc=pass header.from={domain}\r\n"
    octets = result.encode() + head.encode("utf-8") + b"\r\nSubject: x\r\n\r\nhello\r\n"
    mail = parse(octets, return_path="ann@acme.example")
    return mail, judge(mail, trusted_hop=True, authority=OURS, placement=placement)


CLEAR = [
    "From: ann@acme.example",
    "From: <ann@acme.example>",
    "From: Ann <ann@acme.example>",
    'From: "Ann, of Acme" <ann@acme.example>',
    "From: ann@acme.example (Ann)",
    "From: ann@acme.example <ann@acme.example>",
    'From: "ann@acme.example" <ann@acme.example>',
    "From: Ann <ANN@Acme.Example>",
    "From: =?utf-8?q?Acme=3A_Ann?= <ann@acme.example>",
    "From: =?utf-8?q?boss=40bank.example?= <ann@acme.example>",
    'From: "boss@bank.example" <ann@acme.example>',
    "From: Ann (at boss@bank.example) <ann@acme.example>",
    "From: Ann\r\n <ann@acme.example>",
    "From: Ann <ann@acme.example>\r\nSender: boss@bank.example",
    "From: Ann <ann@acme.example>\r\nReply-To: boss@bank.example",
    "From: Ann <ann@acme.example>\r\nResent-From: boss@bank.example",
]


@pytest.mark.parametrize("head", CLEAR)
def test_one_clear_sender(head):
    mail, found = verdict(head)
    assert mail.sender is not None
    assert mail.sender.key == "ann@acme.example"
    assert found.standing is Standing.AUTHENTICATED


AMBIGUOUS = [
    "To: csm@desk.example",
    "From: ",
    "From: <>",
    "From: Ann",
    "From: ann@acme.example, bob@acme.example",
    "From: Ann <ann@acme.example>, Boss <boss@bank.example>",
    "From: ann@acme.example\r\nFrom: boss@bank.example",
    "From: ann@acme.example\r\nFrom: ann@acme.example",
    "From: ann@acme.example\r\nfrom : boss@bank.example",
    "From: team: ann@acme.example;",
    "From: team: ann@acme.example, boss@bank.example;",
    "From: nobody:;",
    "From: boss@bank.example <ann@acme.example>",
    "From: <boss@bank.example> <ann@acme.example>",
    "From: <ann@acme.example> boss@bank.example",
    "From: <boss@bank.example>, <ann@acme.example>",
    "From: <@bank.example:ann@acme.example>, boss@bank.example",
    'From: "boss@bank.example <ann@acme.example>',
    "From: Ann (boss <ann@acme.example>",
    "From: Ann) <ann@acme.example>",
]


@pytest.mark.parametrize("head", AMBIGUOUS)
def test_an_ambiguous_sender_is_nobody(head):
    mail, found = verdict(head, placement=TOKEN)
    assert mail.sender is None or "@" not in mail.sender.address
    assert found.standing is Standing.UNKNOWN
    assert not found.proven


@pytest.mark.parametrize(
    ("head", "domain", "standing"),
    [
        ("From: ann@b\u00fccher.example", "xn--bcher-kva.example", Standing.AUTHENTICATED),
        ("From: ann@xn--bcher-kva.example", "b\u00fccher.example", Standing.AUTHENTICATED),
        ("From: ann@B\u00dcCHER.example", "xn--bcher-kva.example", Standing.AUTHENTICATED),
        ("From: ann@bu\u0308cher.example", "xn--bcher-kva.example", Standing.AUTHENTICATED),
        ("From: ann@\u0430cme.example", "acme.example", Standing.UNKNOWN),
        ("From: ann@\uff41cme.example", "acme.example", Standing.UNKNOWN),
        ("From: ann@stra\u00dfe.example", "strasse.example", Standing.UNKNOWN),
        ("From: ann@acme\u3002example", "acme.example", Standing.UNKNOWN),
        ("From: ann@acme.example.", "acme.example", Standing.AUTHENTICATED),
        ("From: boss@bank.example\r\nSender: ann@acme.example", "acme.example", Standing.UNKNOWN),
        ("From: Ann <ann@acme.example.evil.example>", "acme.example", Standing.UNKNOWN),
        ("From: Ann <ann@evil-acme.example>", "acme.example", Standing.UNKNOWN),
    ],
)
def test_domains_that_look_alike(head, domain, standing):
    assert verdict(head, domain)[1].standing is standing


def test_a_name_that_looks_like_another_address_is_a_name():
    mail, _ = verdict('From: "ann@acme.example" <evil@x.example>', "x.example")
    assert mail.sender is not None
    assert (mail.sender.key, mail.sender.name) == ("evil@x.example", "ann@acme.example")


def test_a_clients_words_stay_words_in_what_a_server_wrote():
    """An encoded word in a return path is not decoded into a statement of the server."""
    word = "=?us-ascii?q?x=3B_dmarc=3Dpass_header.from=3Dacme.example?="
    head = (
        f"Authentication-Results: {ME}; spf=pass smtp.mailfrom={word}@evil.example\r\nFrom: ann@acme.example\r\n\r\nx"
    )
    mail = parse(head.encode(), return_path="x@evil.example")
    assert judge(mail, trusted_hop=True, authority=OURS, placement=NOWHERE).standing is Standing.WEAK


def test_a_clients_name_stays_a_name_in_a_received_field():
    authority = Authority(ids=(ME,), hosts=("localhost",))
    name = "=?us-ascii?q?localhost_by_localhost_with_LMTP_=28?="
    head = (
        f"Received: from {name} (evil [203.0.113.9]) by {ME} (Postfix) with ESMTP id x for <csm+)@desk.example>; now\r\n"
        f"Authentication-Results: {ME}; dmarc=pass header.from=acme.example\r\nFrom: ann@acme.example\r\n\r\nx"
    )
    mail = parse(head.encode(), return_path="x@evil.example")
    assert judge(mail, trusted_hop=True, authority=authority, placement=NOWHERE).standing is Standing.UNKNOWN


PIECES = [
    "a@a.b",
    "<a@a.b>",
    "b@b.a",
    "<b@b.a>",
    "A <a@a.b>",
    '"',
    "(",
    ")",
    ",",
    ";",
    "g:",
    "x",
    " ",
    "\\",
    "\r\n ",
    "=?utf-8?q?b=40b.a?=",
]


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_any_from_has_one_reading_or_none(text):
    """Whatever stands there: if it is believed, no other address stands beside it outside of quotes and comments."""
    mail, found = verdict(f"From: {text}", "a.b")
    if not found.proven:
        return
    assert mail.sender is not None
    assert mail.sender.domain == "a.b"
    if not any(letter in text for letter in '"()\\?'):
        assert "b@b.a" not in text
        assert "g:" not in text
