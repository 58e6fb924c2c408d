"""The values of a mail: how addresses are compared, who its sender is, what a field says."""

import pytest

from maild.mail import Address


@pytest.mark.parametrize(
    ("address", "key", "domain"),
    [
        ("Carol@ACME.example", "carol@acme.example", "acme.example"),
        ('"odd@local"@Acme.example', '"odd@local"@acme.example', "acme.example"),
        ("postmaster", "postmaster", ""),
        ("", "", ""),
    ],
)
def test_addresses_are_compared_in_lower_case(address, key, domain):
    assert Address("Carol", address).key == key
    assert Address("Carol", address).domain == domain


CAROL, DAVE = Address("Carol", "carol@acme.example"), Address("Dave", "dave@acme.example")


@pytest.mark.parametrize(
    ("from_", "fields", "sender"),
    [((CAROL,), 1, CAROL), ((), 0, None), ((), 1, None), ((CAROL, DAVE), 1, None), ((CAROL,), 2, None)],
)
def test_a_sender_is_one_mailbox_of_one_field(make_mail, from_, fields, sender):
    assert make_mail(from_=from_, from_fields=fields).sender is sender


def test_every_field_of_a_name_is_given_in_order(make_mail):
    mail = make_mail(headers=(("Received", "two"), ("subject", "x"), ("RECEIVED", "one")))
    assert mail.header("received") == ("two", "one")
    assert mail.header("Subject") == ("x",)
    assert mail.header("none") == ()
