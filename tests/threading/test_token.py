import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.threading.token import Purpose, bearer, detail_of, mint, nonce, own_id, read, read_own_id, sub_address

KEY, OLD = b"k" * 32, b"o" * 32


@given(st.integers(0, 2**32 - 1), st.sampled_from(Purpose), st.emails())
def test_a_token_is_good_for_its_bearer_only(ticket, purpose, address):
    letters = mint(KEY, ticket, address, purpose)
    assert re.fullmatch(r"[a-z2-7]{24}", letters)
    token = read(letters.upper())
    assert (token.ticket, token.purpose) == (ticket, purpose)
    assert bearer(token, [KEY], ["x@y.z", address]) == address
    assert bearer(token, [KEY], ["x@y.z"]) is None
    assert bearer(token, [OLD], [address]) is None


def test_an_older_key_stays_good_until_it_is_retired():
    token = read(mint(OLD, 7, "ann@x.example", Purpose.AGENT))
    assert bearer(token, [KEY, OLD], ["ann@x.example"]) == "ann@x.example"
    assert bearer(token, [KEY], ["ann@x.example"]) is None


def test_an_address_is_compared_without_case():
    assert bearer(read(mint(KEY, 7, "Ann@X.example", Purpose.AGENT)), [KEY], ["ann@x.example"])


@pytest.mark.parametrize("letters", ["", "abc", "a" * 24, "1" * 24, "a" * 25, "é" * 24, "q" * 24])
def test_what_is_no_token_is_none(letters):
    assert read(letters) is None


def test_every_bit_counts():
    letters = mint(KEY, 7, "ann@x.example", Purpose.AGENT)
    for place in range(24):
        other = "b" if letters[place] != "b" else "c"
        changed = read(letters[:place] + other + letters[place + 1 :])
        assert changed is None or bearer(changed, [KEY], ["ann@x.example"]) is None


@given(st.integers(0, 2**32 - 1), st.text(min_size=1, max_size=40))
def test_our_message_id_names_its_ticket(ticket, debt):
    msgid = own_id(KEY, ticket, nonce(debt), "desk.example")
    assert read_own_id(msgid, [OLD, KEY]) == ticket
    assert read_own_id(msgid.upper(), [KEY]) == ticket
    assert read_own_id(msgid, [OLD]) is None


@pytest.mark.parametrize(
    "msgid",
    [
        "",
        "x@y",
        "maild.1.abcdefgh.aaaaaaaaaaaaaaaa@x",
        "maild.9999999999.abcdefgh.aaaaaaaaaaaaaaaa@x",
        "maild.1.abcdefgh.aaaaaaaaaaaaaaaa@x y",
    ],
)
def test_what_we_did_not_sign_is_not_ours(msgid):
    assert read_own_id(msgid, [KEY]) is None


def test_a_number_too_large_for_a_ticket_is_not_ours_however_it_is_signed():
    assert read_own_id(own_id(KEY, 2**32, nonce("x"), "d.example"), [KEY]) is None


@pytest.mark.parametrize(
    ("address", "separator", "detail"),
    [
        ("csm@desk.example", "+", ""),
        ("CSM+Abc@Desk.Example", "+", "abc"),
        ("csm+@desk.example", "+", None),
        ("csm+abc@other.example", "+", None),
        ("sales@desk.example", "+", None),
        ("csm-abc@desk.example", "-", "abc"),
        ("csm+abc@desk.example", "", None),
        ("csm@desk.example", "", ""),
        ("csm", "+", None),
    ],
)
def test_the_detail_of_an_address(address, separator, detail):
    assert detail_of(address, "csm@desk.example", separator) == detail


def test_sub_address():
    assert sub_address("csm@desk.example", "abc", "+") == "csm+abc@desk.example"
