"""The weekly report as its reader sees it. What strangers wrote is data in it."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from maild.mail import Address
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.gate import GateRefusal
from maild.outbound.letters import ReportLetter, Row, Section

LETTER = next(letter for letter in samples.letters() if isinstance(letter, ReportLetter))
EVIL = 'Evil <b onclick="x">\r\nBcc: all@example.net\x1b[31m'


@pytest.fixture
def read(templates):
    def written(*sections, **more):
        letter = replace(LETTER, **({"sections": sections} if sections else {}), **more)
        mail = message_from_bytes(compose(letter, samples.DESK, templates, samples.NOW).octets, policy=policy.default)
        return mail, mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()

    return written


def test_who_gets_it_and_what_it_is(read):
    mail, text, html = read()
    assert mail["Subject"] == "CSM: what was promised and kept, 2026-11-16 to 2026-11-22 (Europe/Berlin)"
    assert (mail["To"], mail["Reply-To"]) == ("Mia Manager <mia@example.com>", "mia@example.com")
    assert mail["X-Maild-Loop"] == "csm@example.com"
    assert "  urgent  3  1  3 of 4" in text
    assert "No customer wrote." in html


def test_bars_are_cells_with_a_colour_and_their_number(read):
    rows = (Row("a", ("9", "3"), (("good", 9), ("bad", 3))), Row("b", ("0", "0"), (("good", 0), ("bad", 0))))
    _, _, html = read(Section("T", ("x", "met", "missed"), rows, "", ""))
    assert 'bgcolor="#1f7a8c" width="150"' in html
    assert 'bgcolor="#c2410c" width="50"' in html
    assert html.count("bgcolor") == 2
    assert "<img" not in html
    assert "svg" not in html


def test_counts_are_shaded_by_their_size(read):
    rows = (Row("Mon", ("0", "1", "10", "11"), (), (0, 1, 10)),)
    _, _, html = read(Section("T", ("day", "a", "b", "c", "all"), rows, "", ""))
    assert html.count('bgcolor="#ffffff"') == html.count('bgcolor="#e3edf5"') == html.count('bgcolor="#1f5a89"') == 1
    assert html.count("bgcolor") == 3


def test_what_strangers_wrote_is_data(read):
    rows = (Row(EVIL, (EVIL,), (("good", 1),)),)
    mail, text, html = read(Section("T", ("x", "y"), rows, "", ""), text=EVIL)
    assert mail["Bcc"] is None
    for part in (text, html):
        assert "\x1b" not in part
    assert "<b " not in html
    assert "onclick=&#34;" in html


def test_an_address_that_is_none_is_refused(templates):
    with pytest.raises(GateRefusal):
        compose(replace(LETTER, to=Address("", "no one")), samples.DESK, templates, samples.NOW)
