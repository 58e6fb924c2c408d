"""The envelope of a mail that lies in a folder, from what its delivery wrote above it."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest.imap_envelope import envelope

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
TOKEN = "csm+token@desk.example"


def read(*lines):
    octets = "\r\n".join((*lines, "", "Hello.")).encode()
    return envelope(octets, "csm@desk.example", lambda address: address.lower().startswith("csm+token"), NOW)


@pytest.mark.parametrize(
    ("lines", "rcpt"),
    [
        ([], "csm@desk.example"),
        (["To: csm@desk.example"], "csm@desk.example"),
        (["To: support@desk.example", "Delivered-To: all@desk.example"], "csm@desk.example"),
        ([f"To: Example Support <{TOKEN}>"], TOKEN),
        (["To: other@desk.example", f"Cc: a@b.example, {TOKEN}"], TOKEN),
        ([f"X-Original-To: {TOKEN}", "To: csm@desk.example"], TOKEN),
        ([f"Envelope-To: {TOKEN}", "To: csm@desk.example"], TOKEN),
        (["Delivered-To: csm@desk.example", f"Delivered-To: {TOKEN}"], TOKEN),
        (["Delivered-To: csm+token1@desk.example", "To: csm+token2@desk.example"], "csm+token1@desk.example"),
        (["To: csm+plain@desk.example"], "csm@desk.example"),
        (["To: CSM+TOKEN@Desk.Example"], "CSM+TOKEN@Desk.Example"),
        (["To: " + ", ".join(f"a{n}@b.example" for n in range(200)) + f", {TOKEN}"], "csm@desk.example"),
        ([f"Subject: {TOKEN}"], "csm@desk.example"),
    ],
)
def test_the_recipient(lines, rcpt):
    assert read(*lines).rcpt_to == (rcpt,)


@pytest.mark.parametrize(
    ("lines", "sender"),
    [
        (["Return-Path: <carol@acme.example>", "From: other@acme.example"], "carol@acme.example"),
        (["Return-Path: carol@acme.example"], "carol@acme.example"),
        (["Return-Path: <>", "From: MAILER-DAEMON@acme.example"], ""),
        (["Return-Path: <a@first.example>", "Return-Path: <b@second.example>"], "a@first.example"),
        (["From: Carol <carol@acme.example>"], "carol@acme.example"),
        (["From: nobody at all"], ""),
        ([], ""),
    ],
)
def test_the_sender(lines, sender):
    assert read(*lines).mail_from == sender


def test_it_came_over_a_hop_that_is_trusted():
    env = read("To: csm@desk.example")
    assert (env.via, env.peer, env.received_at) == ("imap", "", NOW)


@given(st.binary(max_size=400))
def test_any_octets_have_an_envelope(octets):
    env = envelope(octets, "csm@desk.example", lambda _: False, NOW)
    assert env.rcpt_to == ("csm@desk.example",)


@pytest.mark.parametrize(
    ("lines", "sender", "rcpt"),
    [
        (["From: " + "x" * 7_000 + f" <{TOKEN}>", "To: " + " " * 7_000 + TOKEN], TOKEN, TOKEN),
        (["From: " + "x" * 9_000 + f" <{TOKEN}>", "To: " + "x " * 5_000 + f", {TOKEN}"], "", "csm@desk.example"),
        (["Return-Path: " + "x" * 9_000 + f" <{TOKEN}>"], "", "csm@desk.example"),
    ],
)
def test_of_a_long_field_the_beginning_is_read(lines, sender, rcpt):
    env = read(*lines)
    assert (env.mail_from, env.rcpt_to) == (sender, (rcpt,))


@pytest.mark.parametrize("name", ["To", "Cc", "Delivered-To", "Return-Path", "From"])
@pytest.mark.parametrize("piece", ['"\\', "(", "=?a?q?", "<", "\\(", '"<'])
def test_a_hostile_field_costs_the_daemon_little(name, piece):
    field = f"{name}: " + piece * (60_000 // len(piece)) + " <a@b.example>"
    at = time.process_time()
    read(*[field] * 4)
    assert time.process_time() - at < 2
