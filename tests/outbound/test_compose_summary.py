"""The operator's summary as he reads it. What strangers wrote is data in it."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from maild.mail import Address
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.gate import GateRefusal
from maild.outbound.letters import Heap, Item, SummaryLetter

LETTER = next(letter for letter in samples.letters() if isinstance(letter, SummaryLetter))
AT = samples.NOW - timedelta(hours=2, minutes=5)


@pytest.fixture
def read(templates):
    def written(*heaps, **more):
        out = compose(replace(LETTER, heaps=heaps, **more), samples.DESK, templates, samples.NOW)
        mail = message_from_bytes(out.octets, policy=policy.default)
        return out, mail, mail.get_content().replace("\r\n", "\n")

    return written


def test_it_says_what_needs_a_person_and_what_to_type(read):
    item = Item(17, AT, "carol@acme.example", "csm@example.com", "ValueError: it broke")
    out, mail, text = read(
        Heap("quarantined", 12, 20, (item, replace(item, id=19, sender="", fault=""))),
        Heap("failed", 1, 1, (Item(5, AT, "us (relay)", "dave@globex.example", "550 5.1.1 gone"),)),
    )
    assert (out.kind, out.ticket, out.envelope_from, out.rcpt) == ("summary", 0, "", "postmaster@example.com")
    assert mail["Subject"] == "CSM: mail that needs a person: 12 quarantined, 1 not delivered"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == mail["To"] == "postmaster@example.com"
    assert mail["X-Maild-Loop"] == "csm@example.com"
    assert "Mail that broke us, set aside with its fault: 12 new, 20 in all\n" in text
    assert "\n  17: from carol@acme.example to csm@example.com, 2h 5m ago\n     ValueError: it broke\n" in text
    for command in ("quarantine show 17", "quarantine retry 17", "quarantine drop 17", "outbox retry 5"):
        assert f"\n     maild {command} -c /etc/maild/maild.toml\n" in text
    assert "\n  19: from <> to csm@example.com, 2h 5m ago\n     maild quarantine show 19" in text
    assert "\n  and 10 more\n" in text
    assert "\n  maild quarantine list -c /etc/maild/maild.toml\n" in text
    assert "Mail of ours that is given up: 1 new\n" in text
    assert "\n     550 5.1.1 gone\n" in text
    assert "\n\n\n" not in text


def test_a_hostile_row_stays_on_its_line(read):
    evil = "x@y.example\r\nBcc: evil@x.example\r\n\r\n\x1b[31m\u202e=?utf-8?q?=0D=0ASubject=3A_pwned?= {{ 7 * 7 }} <b>"
    _, mail, text = read(Heap("spam", 1, 1, (Item(1, AT, evil, evil, evil),)))
    assert mail.keys().count("Bcc") == 0
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "{{ 7 * 7 }} <b>" in text
    assert [line for line in text.splitlines() if line.startswith(("Bcc", "Subject"))] == []


def test_a_path_with_a_space_can_be_pasted(read):
    item = Item(17, AT, "a@b.example", "csm@example.com", "")
    _, _, text = read(Heap("quarantined", 1, 1, (item,)), config="/etc/my desk/maild.toml")
    assert "maild quarantine show 17 -c '/etc/my desk/maild.toml'\n" in text


def test_a_message_left_in_a_folder_has_no_command(read):
    _, _, text = read(Heap("unfetched", 1, 1, (Item(4, AT, "UID", "csm@imap.example/INBOX", "larger than 9 octets"),)))
    assert "larger than 9 octets" in text
    assert "maild " not in text.partition("-- ")[0].replace("maild.", "")


def test_an_address_that_is_none_is_refused(read):
    with pytest.raises(GateRefusal):
        read(Heap("spam", 1, 1, ()), to=Address("", "ops @example.com"))
