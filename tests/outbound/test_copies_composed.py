"""One answer to several readers: the same mail but for who is asked to answer where."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from maild.mail import Address
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.compose_relay import mentionable, refusal
from maild.outbound.gate import Decided, GateRefusal, check
from maild.outbound.letters import RelayLetter
from maild.outbound.wire import addresses_field

LETTER = replace(
    next(letter for letter in samples.letters() if isinstance(letter, RelayLetter)),
    hidden=("bob@staff.example",),
    secrets=("daaaaaaaaaaaaaaaaaaaaaab",),
)
DORA, FRED = "dora@acme.example", "fred@m\N{LATIN SMALL LETTER U WITH DIAERESIS}nchen.example"


@pytest.fixture
def write(templates):
    def written(**changes):
        out = compose(replace(LETTER, **changes), samples.DESK, templates, samples.NOW)
        return out, message_from_bytes(out.octets, policy=default)

    return written


def test_every_copy_names_all_readers_and_goes_to_one(write):
    cc = (DORA, FRED)
    own, first = write(cc=cc)
    copy, second = write(
        cc=cc, copy_to=Address("", FRED), reply_to="csm+b@example.com", envelope_from="csm+c@example.com"
    )
    assert (own.rcpt, copy.rcpt) == ("bob@acme.example", "fred@xn--mnchen-3ya.example")
    for mail in (first, second):
        assert [address.addr_spec for address in mail["To"].addresses] == ["bob@acme.example"]
        assert [address.addr_spec for address in mail["Cc"].addresses] == [DORA, "fred@xn--mnchen-3ya.example"]
    assert (second["Reply-To"], copy.envelope_from) == ("csm+b@example.com", "csm+c@example.com")
    assert first["Reply-To"] != second["Reply-To"]
    same = [name for name in first.keys() if name != "Reply-To"]  # noqa: SIM118 - a message is no mapping of names
    assert [first[name] for name in same] == [second[name] for name in same]
    assert own.octets.partition(b"\r\n\r\n")[2] == copy.octets.partition(b"\r\n\r\n")[2]
    assert "Bcc" not in second


def test_without_copies_there_is_no_cc(write):
    assert "Cc" not in write()[1]


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (DORA, True),
        ("ann@example.com", False),
        ("ANN@example.com", False),
        ("bob@staff.example", False),
        ("bob+x@staff.example", False),
        ("daaaaaaaaaaaaaaaaaaaaaab@evil.example", False),
    ],
)
def test_no_reader_s_address_tells_of_an_agent(write, address, named):
    assert mentionable(LETTER, samples.DESK, (address,)) == ((address,) if named else ())
    if not named:
        assert "tells what must not leave" in refusal(replace(LETTER, cc=(address,)), samples.DESK)
        with pytest.raises(GateRefusal, match="tells what must not leave"):
            write(cc=(address,))


def test_nobody_is_asked_about_where_there_is_nobody():
    assert mentionable(LETTER, samples.DESK, ()) == ()


def test_an_address_that_is_none_does_not_leave(write):
    with pytest.raises(GateRefusal, match="no address"):
        write(cc=("dora@acme.example, eve@evil.example",))
    with pytest.raises(GateRefusal, match="recipients"):
        write(cc=(DORA,), copy_to=Address("", "eve@evil.example"))


def test_a_field_of_many_addresses_is_one_a_line():
    assert addresses_field("Cc", ("a@x.example", "b@x.example")) == ("Cc", "a@x.example,\r\n b@x.example")


OCTETS = (
    b"From: csm@example.com\r\nTo: bob@acme.example\r\nCc: dora@acme.example,\r\n eve@x.example\r\nSubject: s\r\n"
    b"Date: Mon, 23 Nov 2026 16:50:00 +0000\r\nMessage-ID: <a@b>\r\n\r\nhello\r\n"
)
NAMES = ("From", "To", "Cc", "Subject", "Date", "Message-ID")
READERS = ("bob@acme.example", "dora@acme.example", "eve@x.example")


@pytest.mark.parametrize("rcpt", READERS)
def test_the_gate_lets_pass_whom_the_header_names(rcpt):
    check(OCTETS, Decided(NAMES, rcpt, "", named=READERS))


@pytest.mark.parametrize(
    ("rcpt", "named"),
    [
        ("bob@acme.example", ()),
        ("bob@acme.example", READERS[:2]),
        ("bob@acme.example", READERS[::-1]),
        ("bob@acme.example", (*READERS, "more@x.example")),
        ("gina@x.example", READERS),
    ],
)
def test_the_gate_refuses_other_readers(rcpt, named):
    with pytest.raises(GateRefusal, match="recipients"):
        check(OCTETS, Decided(NAMES, rcpt, "", named=named))
