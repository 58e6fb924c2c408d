"""What sealers that we believe found out before a mail was changed or passed on (RFC 8617)."""

import pytest

from maild.mail import Checked
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.trust import Authority, Standing, judge
from maild.trust.arc import chain

ME = "mx.desk.example"
TOKEN = Placement(1, Rung.TOKEN, "token", "carol@acme.example", Purpose.CUSTOMER)
NOWHERE = Placement(None, Rung.NEW, "new")
BORDER = ("Received", "from list.example (list.example [198.51.100.7]) by mx.desk.example with ESMTP; Wed, 11 Mar 2026")
OURS = Authority(ids=(ME,), arc_sealers=("list.example", "google.com"))
PASSED = "dmarc=pass header.from=acme.example"


def ours(text):
    return ("Authentication-Results", f"{ME}; {text}")


def sealed(instance=1, sealer="list.example", found=PASSED, signed="from:subject", signer="", more=""):
    return [
        ("ARC-Seal", f"i={instance}; a=rsa-sha256; t=1; cv=none; d={sealer}; s=arc; b=abc"),
        (
            "ARC-Message-Signature",
            f"i={instance}; a=rsa-sha256; d={signer or sealer}; s=arc; h={signed}; bh=a; b=b{more}",
        ),
        ("ARC-Authentication-Results", f"i={instance}; mx.{sealer}; {found}"),
    ]


def verdict(make_mail, headers, authority=OURS, placement=NOWHERE, trusted=True, checked=None):
    mail = make_mail(headers=tuple(headers), checked=checked)
    return judge(mail, trusted_hop=trusted, authority=authority, placement=placement)


FAILED = ours("dmarc=fail header.from=acme.example; arc=pass (i=1 spf=pass dkim=pass dmarc=pass) header.oldest-pass=0")
ROWS = [
    ("a seal explains the failure", [FAILED, BORDER, *sealed()], Standing.AUTHENTICATED),
    ("no dmarc of ours", [ours("arc=pass smtp.remote-ip=198.51.100.7"), BORDER, *sealed()], Standing.AUTHENTICATED),
    (
        "dkim, as it was sealed",
        [FAILED, BORDER, *sealed(found="dkim=pass header.d=acme.example")],
        Standing.AUTHENTICATED,
    ),
    ("dkim of another", [FAILED, BORDER, *sealed(found="dkim=pass header.d=evil.example")], Standing.FAILED),
    ("dmarc of another", [FAILED, BORDER, *sealed(found="dmarc=pass header.from=evil.example")], Standing.FAILED),
    ("it failed before", [FAILED, BORDER, *sealed(found="dmarc=fail header.from=acme.example")], Standing.FAILED),
    ("spf alone", [FAILED, BORDER, *sealed(found="spf=pass")], Standing.FAILED),
    ("a sealer unknown to us", [FAILED, BORDER, *sealed(sealer="evil.example")], Standing.FAILED),
    ("a child of a sealer", [FAILED, BORDER, *sealed(sealer="x.list.example")], Standing.FAILED),
    ("a chain found broken", [ours("dmarc=fail; arc=fail"), BORDER, *sealed()], Standing.FAILED),
    ("two words on the chain", [ours("arc=fail; arc=pass"), BORDER, *sealed()], Standing.UNKNOWN),
    ("no word on the chain", [ours("dmarc=fail"), BORDER, *sealed()], Standing.FAILED),
    ("a word on the chain by a stranger", [BORDER, FAILED, *sealed()], Standing.UNKNOWN),
    ("the From is not covered", [FAILED, BORDER, *sealed(signed="subject")], Standing.FAILED),
    ("a part of the body", [FAILED, BORDER, *sealed(more="; l=10")], Standing.FAILED),
    ("signed by another", [FAILED, BORDER, *sealed(signer="evil.example")], Standing.FAILED),
    ("no sets", [FAILED, BORDER], Standing.FAILED),
    ("a set of our own hop", [*sealed(), FAILED, BORDER], Standing.FAILED),
    ("the latest is a stranger's", [FAILED, BORDER, *sealed(2, "evil.example"), *sealed()], Standing.FAILED),
    (
        "the latest found the chain whole",
        [FAILED, BORDER, *sealed(2, "google.com", "arc=pass; dmarc=fail header.from=acme.example"), *sealed()],
        Standing.AUTHENTICATED,
    ),
    (
        "the latest says nothing of the chain",
        [FAILED, BORDER, *sealed(2, "google.com", "dmarc=fail header.from=acme.example"), *sealed()],
        Standing.FAILED,
    ),
    (
        "a stranger before the latest",
        [FAILED, BORDER, *sealed(2, "google.com", "arc=pass"), *sealed(1, "evil.example")],
        Standing.FAILED,
    ),
    (
        "nobody found it",
        [FAILED, BORDER, *sealed(2, "google.com", "arc=pass"), *sealed(1, found="arc=pass")],
        Standing.FAILED,
    ),
]


@pytest.mark.parametrize(("name", "headers", "standing"), ROWS, ids=[row[0] for row in ROWS])
def test_the_word_of_a_sealer(make_mail, name, headers, standing):
    found = verdict(make_mail, headers)
    assert found.standing is standing
    assert found.method == ("arc" if standing is Standing.AUTHENTICATED else "")
    assert found.because


def test_a_seal_says_who_found_what(make_mail):
    found = verdict(make_mail, [FAILED, BORDER, *sealed()])
    assert found.because == (
        "dmarc=pass for acme.example, as list.example sealed it (i=1) in a chain that a hop of ours found whole"
    )


def test_no_seal_is_believed_unless_it_is_named(make_mail):
    assert verdict(make_mail, [FAILED, BORDER, *sealed()], Authority(ids=(ME,))).standing is Standing.FAILED


def test_a_token_rescues_nobody_whose_seal_does_not_count(make_mail):
    headers = [FAILED, BORDER, *sealed(sealer="evil.example")]
    assert verdict(make_mail, headers, placement=TOKEN).standing is Standing.FAILED


@pytest.mark.parametrize("trusted", [True, False])
def test_a_chain_that_we_checked_ourselves(make_mail, trusted):
    found = verdict(make_mail, [BORDER, *sealed()], trusted=trusted, checked=Checked((), arc=True, because="holds"))
    assert (found.standing, found.method) == (Standing.AUTHENTICATED, "arc")
    assert "we checked ourselves" in found.because


def test_our_own_check_does_not_overrule_a_hop(make_mail):
    checked = Checked((), arc=True, because="holds")
    assert verdict(make_mail, [ours("arc=fail"), BORDER, *sealed()], checked=checked).standing is Standing.UNKNOWN


SEAL, SIGNATURE, FOUND = sealed()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [SEAL],
        [SEAL, SIGNATURE],
        [SEAL, SIGNATURE, FOUND, SEAL],
        [SEAL, SIGNATURE, ("ARC-Authentication-Results", f"mx.list.example; {PASSED}")],
        [SEAL, ("ARC-Message-Signature", "nonsense"), FOUND],
        [("ARC-Seal", "i=0; d=list.example"), SIGNATURE, FOUND],
        [("ARC-Seal", "i=51; d=list.example"), SIGNATURE, FOUND],
        [("ARC-Seal", "i=1111; d=list.example"), SIGNATURE, FOUND],
        sealed(2),
        [*sealed(3), *sealed(1)],
    ],
)
def test_what_is_no_chain(headers):
    assert chain(headers) == ()


def test_a_chain_is_read_from_its_latest_set():
    found = chain([*sealed(2, "google.com"), *sealed()])
    assert [(one.instance, one.sealer, one.names) for one in found] == [
        (2, "google.com", (("arc", "google.com"),) * 2),
        (1, "list.example", (("arc", "list.example"),) * 2),
    ]
