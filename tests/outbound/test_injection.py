"""More than two hundred ways to smuggle a header line in, through every letter: not one header or recipient more."""

import base64
from collections import Counter
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses

import pytest

from maild.mail import Address, Attachment
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.digest_letter import DigestLetter, DigestLine, DigestReason, Settled
from maild.outbound.gate import GateRefusal
from maild.outbound.letters import (
    AckLetter,
    EscalationLetter,
    HeldLetter,
    Item,
    NoticeLetter,
    RelayLetter,
    ReportLetter,
    Row,
    Section,
    SummaryLetter,
    WordLetter,
)
from maild.ticket import Severity

BREAKS = (
    "\r\n",
    "\n",
    "\r",
    "\x85",
    "\u2028",
    "\u2029",
    "\x0b",
    "\x0c",
    "\x1c",
    "\r\n\r\n",
    "\r\n ",
    "\x00\r\n",
    "\n\r",
)
LINES = ("Bcc: evil@x.example", "Subject: two", "X-Evil: 1", "To: evil@x.example", "Content-Type: text/html")


def encodings(text):
    octets = text.encode()
    quoted = "".join(f"={octet:02X}" for octet in octets)
    percent = "".join(f"%{octet:02X}" for octet in octets)
    inner = f"=?utf-8?q?{quoted}?="
    return (
        text,
        f"=?utf-8?q?{quoted}?=",
        f"=?UTF-8?B?{base64.b64encode(octets).decode()}?=",
        f"=?iso-8859-1?Q?{quoted}?=",
        f"a =?utf-8?b?{base64.b64encode(octets).decode().rstrip('=')}?= b",
        f"utf-8''{percent}",
        "=?utf-8?q?" + "".join(f"={octet:02X}" for octet in inner.encode()) + "?=",
    )


ATTACKS = tuple(attack for break_ in BREAKS for line in LINES for attack in encodings(f"a{break_}{line}{break_}"))


def poisoned(letter, attack):
    """Put the attack wherever foreign text goes."""
    if isinstance(letter, SummaryLetter):
        item = Item(1, samples.NOW, attack, attack, attack)
        return replace(letter, heaps=tuple(replace(heap, items=(item,)) for heap in letter.heaps), config=attack)
    if isinstance(letter, ReportLetter):
        row = Row(attack, (attack, attack), (("good", 1),), (1,))
        section = Section(attack, (attack,), (row,), attack, attack)
        to = Address(attack, letter.to.address)
        return replace(letter, to=to, period=attack, text=attack, sections=(section, replace(section, rows=())))
    ticket = replace(
        samples.TICKET,
        subject=attack,
        requester=Address(attack, samples.CUSTOMER.address),
        severity_because=(attack,),
    )
    files = (
        Attachment(attack, f"text/plain; name={attack}", b"x", "0" * 64, False, ""),
        Attachment(attack, "image/png", b"x", "1" * 64, True, attack),
    )
    mail = replace(
        samples.mail(attack, f"<p>{attack}</p><img src='cid:{attack}'>"),
        subject=attack,
        from_=(Address(attack, attack),),
        message_id=attack,
        references=(attack,),
        attachments=files,
    )
    lines = (
        DigestLine(1, "resolution", 1, "75%", Severity.LOW, attack, 1, samples.NOW),
        DigestLine(
            2, "resolution", 1, "limit", Severity.LOW, attack, 1, samples.NOW, Settled("answered", None, attack)
        ),
    )
    reason = DigestReason(samples.NOW, samples.NOW, 2, None, 0, 0, None, attack)
    changes = {
        AckLetter: {"in_reply_to": attack, "references": (attack, "m1@acme.example"), "echo_subject": True},
        NoticeLetter: {
            "mail": mail,
            "because": (attack,),
            "placed_because": attack,
            "notes": (attack,),
            "verified": attack,
        },
        RelayLetter: {
            "mail": mail,
            "text": attack,
            "html": mail.html,
            "subject": attack,
            "in_reply_to": attack,
            "references": (attack,),
            "to": Address(attack, "bob@acme.example"),
            "agent": replace(samples.AGENT, name=attack),
        },
        EscalationLetter: {
            "customer": attack,
            "owner": attack,
            "last_text": attack,
            "last_from": attack,
            "notes": (attack,),
        },
        HeldLetter: {"mail": mail, "because": attack},
        DigestLetter: {"lines": lines, "reason": reason},
        WordLetter: {"subject": attack, "lines": (attack,), "quote": attack, "in_reply_to": attack},
    }
    if isinstance(letter, DigestLetter):
        return replace(letter, **changes[DigestLetter])
    return replace(letter, ticket=letter.ticket and ticket, **changes[type(letter)])


def header_names(octets):
    names = Counter(name.lower() for name in message_from_bytes(octets))
    names.pop("in-reply-to", None)  # a hostile id is left out
    return names


SUBJECTS = samples.letters()


def test_there_are_enough_attacks():
    assert len(set(ATTACKS)) > 200


@pytest.mark.parametrize(
    "letter", SUBJECTS, ids=[f"{index}-{type(one).__name__}" for index, one in enumerate(SUBJECTS)]
)
def test_not_one_header_or_recipient_more(letter, templates):
    wanted = header_names(compose(letter, samples.DESK, templates, samples.NOW).octets)
    rcpt = letter.to.address if hasattr(letter, "to") else letter.agent.address
    for attack in ATTACKS:
        out = compose(poisoned(letter, attack), samples.DESK, templates, samples.NOW)
        found = header_names(out.octets)
        found["content-type"], found["content-transfer-encoding"] = 1, wanted["content-transfer-encoding"]
        wanted["content-type"] = 1
        assert +found == +wanted, attack
        parsed = message_from_bytes(out.octets)
        named = [value for name in ("To", "Cc", "Bcc") for value in parsed.get_all(name, ())]
        assert [address for _, address in getaddresses(named)] == [rcpt] == [out.rcpt], attack


@pytest.mark.parametrize("index", range(0, len(ATTACKS), 23))
def test_a_second_parser_reads_the_same(index, templates):
    for letter in SUBJECTS[:5:2]:
        out = compose(poisoned(letter, ATTACKS[index]), samples.DESK, templates, samples.NOW)
        parsed = message_from_bytes(out.octets, policy=default)
        assert len(parsed["to"].addresses) == 1
        assert parsed["bcc"] is None
        assert all("\n" not in str(value) and "\r" not in str(value) for value in parsed.values())
        for part in parsed.walk():
            assert not part.defects
            assert {name.lower() for name in part} >= {"content-type"}


@pytest.mark.parametrize(
    "attack", ["a\r\nBcc: x@y@z.example", "a b@z.example", "a@z.example\nRCPT TO:<x@y>", "ä@z.example"]
)
@pytest.mark.parametrize("where", ["to", "reply_to", "mailbox", "envelope_from", "message_id"])
def test_a_hostile_address_of_ours_is_refused(attack, where, templates):
    relay = next(letter for letter in SUBJECTS if isinstance(letter, RelayLetter))
    value = Address("", attack) if where == "to" else attack
    with pytest.raises(GateRefusal):
        compose(replace(relay, **{where: value}), samples.DESK, templates, samples.NOW)
