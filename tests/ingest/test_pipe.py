"""A mail out of a pipe: its octets as SMTP would have brought them, and who it was from and for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest.pipe import piped, sender_of, wire_lines

MAIL = b"From: a@x.example\r\n\r\nhello\r\n"


@pytest.mark.parametrize(
    ("raw", "octets"),
    [
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\r\nb\n", b"a\r\nb\r\n"),
        (b"a\nb", b"a\r\nb\r\n"),
        (b"a\rb\n", b"a\rb\r\n"),
        (b"a\r\r\n", b"a\r\r\n"),
        (b"\n", b"\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_every_line_ends_as_on_the_wire(raw, octets):
    assert wire_lines(raw) == octets


@given(
    st.lists(
        st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"From ", b"Return-Path: <x@y.example>\n", b"Received: x\n"])
    )
)
def test_it_is_total_and_done_twice_changes_nothing(pieces):
    found = piped(b"".join(pieces))
    assert wire_lines(found.octets) == found.octets
    assert found.octets.count(b"\n") == found.octets.count(b"\r\n")


@given(st.binary(max_size=300))
def test_it_is_total_over_any_octets(raw):
    assert piped(raw).octets.endswith(b"\r\n")


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("a@x.example", "a@x.example"),
        (" <a@x.example> ", "a@x.example"),
        ("", ""),
        ("<>", ""),
        ("MAILER-DAEMON", ""),
        ("<mailer-daemon>", ""),
        ("MAILER-DAEMON@x.example", "MAILER-DAEMON@x.example"),
    ],
)
def test_the_null_path_has_many_spellings(said, path):
    assert sender_of(said) == path


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (MAIL, None),
        (b"Return-Path: <b@x.example>\n" + MAIL, "b@x.example"),
        (b"Return-Path: <>\nReturn-Path: <b@x.example>\n" + MAIL, ""),
        (b"From b@x.example Wed Mar 11 09:00:00 2026\n" + MAIL, "b@x.example"),
        (b"From MAILER-DAEMON Wed Mar 11 09:00:00 2026\n" + MAIL, ""),
        (b"From \n" + MAIL, None),
        (b"From c@x.example Wed\nReturn-Path: <b@x.example>\n" + MAIL, "b@x.example"),
        (b"Received: from there\nReturn-Path: <forged@x.example>\n" + MAIL, None),
    ],
)
def test_the_sender_that_the_delivery_wrote(raw, sender):
    assert piped(raw).sender == sender


def test_an_mbox_line_is_taken_off():
    assert piped(b"From b@x.example Wed Mar 11 09:00:00 2026\n" + MAIL).octets == MAIL
    assert piped(b"From: b@x.example\n\nFrom here on\n").octets == b"From: b@x.example\r\n\r\nFrom here on\r\n"


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"", ()),
        (b"Delivered-To: csm@desk.example\n", ("csm@desk.example",)),
        (
            b"Envelope-To: c@d.example\nDelivered-To: b@d.example\nX-Original-To: a@d.example\n",
            ("a@d.example", "b@d.example", "c@d.example"),
        ),
        (b"Delivered-To: a@d.example\ndelivered-to: a@d.example, b@d.example\n", ("a@d.example", "b@d.example")),
        (b"Received: from there\nDelivered-To: forged@d.example\n", ()),
        (b"Delivered-To: \xff\xfe\n", ()),
    ],
)
def test_whom_the_delivery_names(head, named):
    assert piped(head + MAIL).named == named
