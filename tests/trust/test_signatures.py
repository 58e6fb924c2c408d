"""Which signatures and keys are worth a look, and why the others are not."""

import pytest

from maild.trust.signatures import MOST, Signature, choose, key_fault, key_name, tags

NOW = 1_773_219_600
GOOD = {"v": "1", "a": "rsa-sha256", "d": "acme.example", "s": "s1", "h": "from:subject", "bh": "a", "b": "b"}


def field(**changes):
    given = {**GOOD, **changes}
    return ("DKIM-Signature", "; ".join(f"{name}={value}" for name, value in given.items() if value is not None))


REFUSED = [
    ("rsa-sha1", {"a": "rsa-sha1"}, "made by rsa-sha1"),
    ("no algorithm", {"a": None}, "made by nothing"),
    ("a part of the body", {"l": "100"}, "(l=)"),
    ("From is not covered", {"h": "subject:to"}, "does not cover both From and Subject"),
    ("Subject is not covered", {"h": "from:to"}, "does not cover both From and Subject"),
    ("nothing is covered", {"h": None}, "does not cover both From and Subject"),
    ("expired", {"x": str(NOW - 1)}, "not in force"),
    ("expired before it was made", {"t": str(NOW), "x": str(NOW - 10)}, "not in force"),
    ("from the future", {"t": str(NOW + 7200)}, "not in force"),
    ("no time", {"t": "soon"}, "not in force"),
    ("an endless time", {"x": "9" * 13}, "not in force"),
    ("another version", {"v": "2"}, "another version"),
    ("no version", {"v": None}, "another version"),
    ("a key elsewhere", {"q": "http"}, "elsewhere"),
    ("for a child", {"i": "@mail.acme.example"}, "(i=)"),
    ("for another", {"i": "carol@evil.example"}, "(i=)"),
    ("no selector", {"s": None}, "no name"),
    ("a selector that is none", {"s": "a b\u00e9"}, "no name"),
    ("a selector beyond all names", {"s": "a" * 250}, "no name"),
]


@pytest.mark.parametrize(("name", "changes", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_signature_that_proves_nothing(name, changes, words):
    found = choose([field(**changes)], "acme.example", NOW)
    assert found.worth == ()
    (because,) = found.refused
    assert words in because


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"a": "ed25519-sha256"},
        {"h": "Subject : FROM : to"},
        {"d": "ACME.Example"},
        {"i": "carol@acme.example"},
        {"t": str(NOW + 60), "x": str(NOW + 600)},
        {"x": str(NOW)},
        {"q": "dns/txt"},
    ],
)
def test_a_signature_that_is_worth_a_look(changes):
    found = choose([("Subject", "x"), field(**changes)], "acme.example", NOW)
    (one,) = found.worth
    assert (one.index, one.domain, one.name) == (0, "acme.example", "s1._domainkey.acme.example")
    assert found.refused == ()


@pytest.mark.parametrize("name", ["Subject", "content-type", "To"])
def test_a_field_that_somebody_may_have_put_on_top(name):
    headers = [(name, "another"), field(), ("Subject", "x"), ("Content-Type", "text/plain"), ("To", "y")]
    found = choose(headers, "acme.example", NOW)
    assert found.worth == ()
    assert f"which {name.lower()} field is the sender's: there are 2" in found.refused[0]


def test_signatures_of_others_are_not_looked_at():
    headers = [field(d="mail.acme.example"), field(d="example"), field(d="evil.example"), ("DKIM-Signature", "junk")]
    found = choose(headers, "acme.example", NOW)
    assert found.worth == ()
    assert found.refused == ("none of its signatures is by acme.example itself",)
    assert choose([], "acme.example", NOW).refused == ()


def test_a_place_is_counted_among_all_signatures():
    found = choose([field(d="list.example"), ("To", "x"), field(l="1"), field(s="s2")], "acme.example", NOW)
    assert [(one.index, one.selector) for one in found.worth] == [(2, "s2")]
    assert len(found.refused) == 1


def test_only_so_many_are_looked_at():
    found = choose([field(s=f"s{number}") for number in range(50)], "acme.example", NOW)
    assert [one.index for one in found.worth] == list(range(MOST))
    assert found.refused[-1] == "the signature by acme.example is one too many"


def test_a_domain_in_another_script_is_compared_as_the_dns_has_it():
    found = choose([field(d="xn--bcher-kva.example")], "b\u00fccher.example", NOW)
    assert [one.domain for one in found.worth] == ["xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a=1; b = 2 3 ;", {"a": "1", "b": "23"}),
        ("a=1=2", {"a": "1=2"}),
        ("a=1; a=2", None),
        ("a", None),
        ("=1", None),
        ("", None),
    ],
)
def test_tags(text, read):
    assert tags(text) == read


RSA = Signature(0, "acme.example", "s1", "rsa-sha256")
ED = Signature(0, "acme.example", "s1", "ed25519-sha256")


@pytest.mark.parametrize(
    ("record", "signature", "words"),
    [
        ("v=DKIM1; k=rsa; p=abc", RSA, ""),
        ("p=abc", RSA, ""),
        ("v=DKIM1; k=ed25519; p=abc", ED, ""),
        ("v=DKIM1; h=sha1:sha256; s=email; t=s; p=abc", RSA, ""),
        ("v=spf1 -all", RSA, "another version"),
        ("nonsense", RSA, "cannot be read"),
        ("v=DKIM1; p=", RSA, "revoked"),
        ("v=DKIM1", RSA, "revoked"),
        ("v=DKIM1; k=ed25519; p=abc", RSA, "for ed25519"),
        ("v=DKIM1; p=abc", ED, "for rsa"),
        ("v=DKIM1; h=sha1; p=abc", RSA, "not for SHA-256"),
        ("v=DKIM1; s=tlsrpt; p=abc", RSA, "not for mail"),
        ("v=DKIM1; t=y:s; p=abc", RSA, "t=y"),
    ],
)
def test_keys(record, signature, words):
    found = key_fault(record, signature)
    assert words in found
    assert bool(found) == bool(words)


@pytest.mark.parametrize("selector", ["a..b", "a/b", "*", "", ".a", "a.", "a b"])
def test_names_that_the_dns_is_not_asked_for(selector):
    assert key_name(selector, "acme.example") == ""
