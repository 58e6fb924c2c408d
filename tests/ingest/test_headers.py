import time
from datetime import UTC, datetime

import pytest

from maild.ingest import headers
from maild.mail import Address


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("=?utf-8?Q?=C3=A4?= =?utf-8?Q?=41?= x", "äA x"),
        ("=?utf-8?B?w6Q=?=", "ä"),
        ("=?utf-8?B?w6R?=", "ä"),
        ("=?utf-8?B?w?= =?utf-8?B?6Q==?=", "é"),
        ("=?utf-8?Q?=C3?=\t=?UTF-8?Q?=A4?=", "ä"),
        ("=?iso-8859-1*de?q?=E4?=", "ä"),
        ("=?iso-8859-1?q?=80?=", "€"),
        ("=?q?=", "=?q?="),
        ("=?utf-8?x?abc?= end", "=?utf-8?x?abc?= end"),
        ("a =?utf-8?q?b", "a =?utf-8?q?b"),
        ("=?utf-8?q?a_b?= =?iso-8859-1?q?=E4?=", "a bä"),
        ("=?utf-8?q?a?= =? =?utf-8?q?b?=", "a =? b"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?utf-8?q?=", "=?utf-8?q?="),
        ("=?no-such?q?=C3=A4?=", "ä"),
    ],
)
def test_encoded_words(raw, shown):
    assert headers.decode_words(raw) == shown


@pytest.mark.parametrize(
    ("octets", "declared", "shown"),
    [
        (b"abc", "", "abc"),
        ("Grüße".encode(), "", "Grüße"),
        ("Grüße".encode("latin-1"), "", "Grüße"),
        ("Привет".encode("koi8-r"), "koi8-r", "Привет"),
        (b"\x1b$BF|K\\\x1b(B", "", "日本"),
    ],
)
def test_raw_octets_in_a_header_keep_their_letters(octets, declared, shown):
    assert headers.raw_text(octets, declared) == shown


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("bob@acme.example", [("", "bob@acme.example")]),
        ("Bob <bob@acme.example>", [("Bob", "bob@acme.example")]),
        ('"Customer, Bob" <bob@acme.example>, carol@x', [("Customer, Bob", "bob@acme.example"), ("", "carol@x")]),
        ("bob@acme.example (Bob C.)", [("Bob C.", "bob@acme.example")]),
        ("=?utf-8?Q?Bob,_Jr?= <bob@x>", [("Bob, Jr", "bob@x")]),
        ("team: a@x, b@x;, c@x", [("", "a@x"), ("", "b@x"), ("", "c@x")]),
        ("undisclosed-recipients:;", []),
        ("<@relay:bob@x>", [("", "bob@x")]),
        ("Bob <mailto:bob@x>", [("Bob", "bob@x")]),
        ("Bob Customer bob@x", [("Bob Customer", "bob@x")]),
        ("=?utf-8?Q?Bob_=3Cbob=40x=3E?=", [("Bob", "bob@x")]),
        ("<bob@x> (Bob)", [("Bob", "bob@x")]),
        ("Bob (the (real) one) <bob@x>", [("Bob", "bob@x")]),
        ('"Bob \\"B\\" C" <bob@x>', [('Bob "B" C', "bob@x")]),
        ("Bob <bob@x", [("Bob", "bob@x")]),
        ("bob@x <local>", [("", "bob@x")]),
        ('"Bob (real)" <bob@x>', [("Bob (real)", "bob@x")]),
        ("Bob <>", []),
        ("bob@x (a \\) b)", [("a \\) b", "bob@x")]),
        ("nobody", []),
        ("", []),
        ("Bob <local>", [("Bob", "local")]),
        ("(open a@x", []),
    ],
)
def test_addresses(raw, expected):
    assert headers.addresses(raw) == tuple(Address(*one) for one in expected) or (
        raw.startswith("(open") and headers.addresses(raw)
    )


@pytest.mark.parametrize(
    ("raw", "main", "parameters"),
    [
        ("text/plain; charset=UTF-8", "text/plain", {"charset": "UTF-8"}),
        ('Text/Plain; charset="x"; NAME="a;b\\"c"', "text/plain", {"charset": "x", "name": 'a;b"c'}),
        ("a/b; name*0*=utf-8''%C3%A4; name*1=b; name*2*=%20c", "a/b", {"name": "äb c"}),
        ("a/b; name*=iso-8859-1'de'%E4", "a/b", {"name": "ä"}),
        ('a/b; name="=?utf-8?q?=C3=A4?="', "a/b", {"name": "ä"}),
        ("a/b (a comment); x", "a/b", {}),
        ('a/b; name="open', "a/b", {"name": "open"}),
        ("", "", {}),
    ],
)
def test_parameters(raw, main, parameters):
    assert headers.value(raw) == headers.Value(main, parameters)


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        ("<a@b> <c@d>", ("a@b", "c@d")),
        ("<a@b><a@b>", ("a@b",)),
        ("< a@b >", ("a@b",)),
        ("a@b", ("a@b",)),
        ("<Your message of Monday>", ()),
        ("message from bob@x of Monday", ()),
        ("<>", ()),
        ("<junk>", ()),
        ("<0123456789abcdef0123>", ("0123456789abcdef0123",)),
        ('<"a b"@c> <d@e>', ("d@e",)),
    ],
)
def test_message_ids(raw, ids):
    assert headers.message_ids(raw) == ids


@pytest.mark.parametrize(
    ("raw", "one"),
    [
        ("<a@b>", "a@b"),
        ("<short>", "short"),
        ("two words", ""),
        ("", ""),
        ("<a@acme.<b>", "a@acme.b"),
        ("<a\0@b>", "a@b"),
    ],
)
def test_one_message_id(raw, one):
    assert headers.message_id(raw) == one


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("Mon, 5 Jan 2026 11:00:00 +0100", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("Mon, 5 Jan 2026 11:00:00 -0000", datetime(2026, 1, 5, 11, tzinfo=UTC)),
        ("tomorrow", None),
        ("", None),
        ("Mon, 99 Jan 99999 11:00:00 +0100", None),
    ],
)
def test_date(raw, instant):
    assert headers.date(raw) == instant


def test_a_decoded_value_never_holds_a_line_end():
    assert headers.clean(headers.decode_words("=?utf-8?q?a=0D=0ABcc=3A_evil=40x?=")) == "a Bcc: evil@x"


@pytest.mark.parametrize(
    "text",
    [
        "<" * 64_000,
        '"' * 64_001,
        "(" * 64_000,
        '"\\' * 32_000,
        '"' + '\\"' * 32_000 + " <a@b.example>",
        "a@b," * 16_000,
        "=?utf-8?q?a" * 6_000 + "?=",
        ";" * 64_000,
        "; a=b" * 12_000,
    ],
)
def test_hostile_fields_cost_little(text):
    begun = time.perf_counter()
    headers.addresses(text)
    headers.value(text)
    headers.decode_words(text)
    headers.message_ids(text)
    assert time.perf_counter() - begun < 2


def test_a_quoted_bracket_does_not_end_a_comment():
    (one,) = headers.addresses(r"Carol (the \) boss) <carol@acme.example>")
    assert one.address == "carol@acme.example"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("=?utf-7?q?+2AA-?=", "\ufffd"),
        ("=?utf-7?q?a+2AA-b?= =?utf-7?b?KzJBQS0=?=", "a\ufffdb\ufffd"),
        ("=?utf-7?q?+2D3eAA-?=", "\U0001f600"),
        ("=?utf-7?q?+2AA-=FF?=", "\ufffd\xff"),
    ],
)
def test_a_lone_surrogate_enters_no_value(raw, shown):
    assert headers.decode_words(raw) == shown
    (one,) = headers.addresses(f"{raw} <{raw}@acme.example>")
    assert (one.name, one.address) == (shown, f"{shown}@acme.example")
    assert headers.value("a/b; name*=utf-7''%2B2AA-").parameters == {"name": "\ufffd"}
