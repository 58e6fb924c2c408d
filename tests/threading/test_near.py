from datetime import UTC, datetime, timedelta

import pytest

from maild.mail import Address
from maild.threading.likeness import Candidate, traits_of
from maild.threading.near import near
from maild.threading.place import Evidence
from maild.threading.token import Purpose, mint

KEY = b"k" * 32
NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
INDEX = "AdAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
CAROL, EVE = "carol@acme.example", "eve@elsewhere.example"


@pytest.fixture
def evidence(make_ticket):
    def make(ids=None, detail=""):
        tickets = {number: make_ticket(number=number) for number in (7, 9, 1042)}
        return Evidence(ids or {}, tickets, (KEY,), (), detail)

    return make


def conversation(ticket, days=1, subject="export of invoices", writers=(CAROL,), index=""):
    return Candidate(
        ticket, NOW - timedelta(days=days), frozenset({subject}), frozenset({index}), frozenset(writers), ()
    )


def found(mail, evidence, *candidates):
    traits = traits_of(mail, "CSM", ())
    return near(mail, evidence, "CSM", (traits, candidates) if traits else None, NOW)


@pytest.mark.parametrize(
    ("mail", "ids", "detail", "ticket", "words"),
    [
        ({}, {}, "", None, ""),
        ({}, {}, mint(b"z" * 32, 1042, CAROL, Purpose.AGENT), 1042, "a token that proves nothing"),
        ({}, {}, mint(b"z" * 32, 555, CAROL, Purpose.AGENT), None, ""),
        ({"subject": "[CSM #1042] x"}, {}, "", 1042, f"{CAROL} takes no part in it"),
        ({"subject": "[CSM #555] [CSM #9] x"}, {}, "", 9, f"{CAROL} takes no part in it"),
        ({"subject": "[CSM #1042] x", "from_fields": 2}, {}, "", 1042, "its sender is ambiguous"),
        ({}, {"m1@client.example": [(7, "seen"), (9, "seen")]}, "", 9, "the same Message-ID and another text"),
        ({}, {"m1@client.example": [(7, "named")]}, "", None, ""),
        ({"references": ("a@x",)}, {"a@x": [(7, "seen"), (9, "seen")]}, "", 9, "<a@x>, which stands in several"),
        ({"references": ("a@x",)}, {"a@x": [(7, "named"), (9, "named")]}, "", 9, "<a@x>, which stands in several"),
    ],
)
def test_what_is_named(make_mail, evidence, mail, ids, detail, ticket, words):
    one = found(make_mail(**mail), evidence(ids, detail))
    assert (one.ticket if one else None) == ticket
    assert words in (one.because if one else "")


@pytest.mark.parametrize(
    ("mail", "candidates", "ticket", "words"),
    [
        ({}, (), None, ""),
        ({}, (conversation(7, writers=(EVE,)),), 7, "a reply with the same subject"),
        ({}, (conversation(9, 5, writers=()), conversation(7, writers=())), 7, "a reply with the same subject"),
        ({}, (conversation(7, writers=()), conversation(9, 5)), 9, f"{CAROL} wrote there"),
        ({"from_fields": 2}, (conversation(7),), None, ""),
        ({}, (conversation(7, 61),), None, ""),
        ({}, tuple(conversation(number, writers=()) for number in range(1, 5)), None, ""),
        ({"subject": "Re: Question"}, (conversation(7, subject="question"),), None, ""),
        ({"subject": "Export of invoices"}, (conversation(7),), None, ""),
        (
            {"headers": (("Thread-Index", INDEX),)},
            (conversation(9), conversation(7, 2, "something else", (), "01d00000000000000000000000000000000000000000")),
            7,
            "the Thread-Index of that ticket",
        ),
    ],
)
def test_what_is_alike(make_mail, evidence, mail, candidates, ticket, words):
    one = found(make_mail(**{"subject": "Re: Export of invoices", **mail}), evidence(), *candidates)
    assert (one.ticket if one else None) == ticket
    assert words in (one.because if one else "")


def test_the_strongest_one_is_told(make_mail, evidence):
    mail = make_mail(subject="Re: [CSM #1042] Export of invoices", from_=(Address("", EVE),), references=("a@x",))
    told = found(mail, evidence({"a@x": [(7, "seen"), (9, "seen")]}), conversation(7, writers=(EVE,)))
    assert told.ticket == 1042
