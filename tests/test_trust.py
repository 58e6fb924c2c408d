import pytest

from maild.mail import Address
from maild.threading.place import Placement, Rung
from maild.threading.token import Purpose
from maild.trust import Authority, Standing, judge

NOWHERE = Placement(None, Rung.NEW, "new")
ME = "mx.desk.example"


def verdict(make_mail, *headers, trusted=True, placement=NOWHERE, authserv_id=ME, **mail):
    authority = Authority((authserv_id,) if authserv_id else ())
    return judge(make_mail(headers=headers, **mail), trusted_hop=trusted, authority=authority, placement=placement)


def ar(text):
    return ("Authentication-Results", text)


ROWS = [
    ("nothing", [], Standing.UNKNOWN),
    ("dmarc", [ar(f"{ME}; dmarc=pass (p=none) header.from=acme.example")], Standing.AUTHENTICATED),
    ("version", [ar(f"{ME} 1; dmarc=pass header.from=acme.example")], Standing.AUTHENTICATED),
    ("dmarc of another domain", [ar(f"{ME}; dmarc=pass header.from=evil.example")], Standing.UNKNOWN),
    ("dmarc without its domain", [ar(f"{ME}; dmarc=pass")], Standing.UNKNOWN),
    (
        "dmarc failed",
        [ar(f"{ME}; dmarc=fail header.from=acme.example; dkim=pass header.d=acme.example")],
        Standing.FAILED,
    ),
    ("dkim aligned", [ar(f"{ME}; dkim=pass header.d=acme.example")], Standing.AUTHENTICATED),
    ("dkim by header.i", [ar(f"{ME}; dkim=pass header.i=@acme.example")], Standing.AUTHENTICATED),
    ("dkim of the parent", [ar(f"{ME}; dkim=pass header.d=example")], Standing.UNKNOWN),
    ("dkim of another", [ar(f"{ME}; dkim=pass header.d=evil.example")], Standing.UNKNOWN),
    ("dkim of a lookalike", [ar(f"{ME}; dkim=pass header.d=me.example")], Standing.UNKNOWN),
    ("dkim failed", [ar(f"{ME}; dkim=fail header.d=acme.example")], Standing.UNKNOWN),
    ("spf alone", [ar(f"{ME}; spf=pass smtp.mailfrom=acme.example")], Standing.WEAK),
    ("none", [ar(f"{ME}; none")], Standing.UNKNOWN),
    ("two fields", [ar(f"{ME}; spf=pass"), ar(f"{ME}; dmarc=pass header.from=acme.example")], Standing.AUTHENTICATED),
    (
        "below another field",
        [("X-Spam", "no"), ar(f"{ME}; dmarc=pass header.from=acme.example")],
        Standing.AUTHENTICATED,
    ),
    ("another server", [ar("mx.evil.example; dmarc=pass header.from=acme.example")], Standing.UNKNOWN),
    ("no server", [ar("")], Standing.UNKNOWN),
    ("below a hop", [("Received", "from x"), ar(f"{ME}; dmarc=pass header.from=acme.example")], Standing.UNKNOWN),
    ("in a comment", [ar(f"{ME}; spf=fail (dmarc=pass header.from=acme.example; x)")], Standing.UNKNOWN),
    ("in nested comments", [ar(f"{ME}; spf=fail (a (b) ; dmarc=pass header.from=acme.example)")], Standing.UNKNOWN),
    (
        "in quotes",
        [ar(f'{ME}; spf=fail smtp.mailfrom="x; dmarc=pass header.from=acme.example"@evil.example')],
        Standing.UNKNOWN,
    ),
    (
        "escaped quotes",
        [ar(f'{ME}; spf=fail smtp.mailfrom="x\\"; dmarc=pass header.from=acme.example"@e')],
        Standing.UNKNOWN,
    ),
    ("an empty statement", [ar(f"{ME};; dmarc=pass header.from=acme.example;")], Standing.AUTHENTICATED),
    ("unbalanced", [ar(f"{ME}; spf=pass ) x")], Standing.WEAK),
]


@pytest.mark.parametrize(("name", "headers", "standing"), ROWS, ids=[row[0] for row in ROWS])
def test_the_results_of_a_trusted_hop(make_mail, name, headers, standing):
    found = verdict(make_mail, *headers)
    assert found.standing is standing
    assert found.because
    assert found.proven is (standing is Standing.AUTHENTICATED)


def test_a_parent_domain_of_two_labels_speaks_for_its_children(make_mail):
    found = verdict(
        make_mail, ar(f"{ME}; dkim=pass header.d=acme.example"), from_=(Address("", "c@mail.acme.example"),)
    )
    assert found.method == "dkim"


@pytest.mark.parametrize(("trusted", "authserv_id"), [(False, ME), (True, "")])
def test_results_of_anybody_else_count_for_nothing(make_mail, trusted, authserv_id):
    found = verdict(
        make_mail, ar(f"{ME}; dmarc=pass header.from=acme.example"), trusted=trusted, authserv_id=authserv_id
    )
    assert found.standing is Standing.UNKNOWN


@pytest.mark.parametrize(
    "mail", [{"from_fields": 2}, {"from_fields": 0, "from_": ()}, {"from_": (Address("", "a@x"), Address("", "b@x"))}]
)
def test_an_ambiguous_sender_is_nobody(make_mail, mail):
    found = verdict(make_mail, ar(f"{ME}; dmarc=pass header.from=acme.example"), **mail)
    assert found.standing is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("bearer", "purpose", "standing"),
    [
        ("carol@acme.example", Purpose.CUSTOMER, Standing.TOKEN),
        ("carol@acme.example", Purpose.AGENT, Standing.TOKEN),
        ("carol@acme.example", Purpose.BOUNCE, Standing.UNKNOWN),
        ("ann@staff.example", Purpose.AGENT, Standing.UNKNOWN),
        (None, None, Standing.UNKNOWN),
    ],
)
def test_a_token_counts_for_the_address_it_was_made_for(make_mail, bearer, purpose, standing):
    placement = Placement(1, Rung.TOKEN, "token", bearer, purpose)
    assert verdict(make_mail, placement=placement).standing is standing


def test_a_failed_dmarc_is_never_rescued_by_a_token(make_mail):
    placement = Placement(1, Rung.TOKEN, "token", "carol@acme.example", Purpose.CUSTOMER)
    assert (
        verdict(make_mail, ar(f"{ME}; dmarc=fail header.from=acme.example"), placement=placement).standing
        is Standing.FAILED
    )


def test_results_that_stand_too_low_are_named_as_such(make_mail):
    found = verdict(make_mail, ("Received", "from x"), ar(f"{ME}; dmarc=pass header.from=acme.example"))
    assert "below the topmost Received" in found.because
