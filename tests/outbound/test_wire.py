"""Header fields and MIME parts, octet for octet; instants and durations in words; HTML made harmless."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.outbound import markup, wire
from maild.outbound.gate import clean
from maild.outbound.wording import bare, span, stamp, when

text = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Cn", "Co", "Zl", "Zp")), max_size=200)


def parse(*fields):
    return message_from_bytes(wire.message(fields, wire.text_part("plain", "x")), policy=default)


@given(text)
@settings(max_examples=150, deadline=None)
def test_a_subject_survives(subject):
    name, value = wire.text_field("Subject", subject)
    assert value.isascii()
    assert max(len(line) for line in f"{name}: {value}".split("\r\n")) <= 78
    assert parse((name, value))["Subject"] == clean(subject)


@given(text)
@settings(max_examples=150, deadline=None)
def test_a_display_name_never_makes_a_second_mailbox(name):
    (mailbox,) = parse(wire.mailbox_field("To", name, "bob@acme.example"))["To"].addresses
    assert mailbox.addr_spec == "bob@acme.example"


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_a_text_survives_as_seven_bit_lines(body):
    part = wire.text_part("plain", body)
    octets = part.head_octets + part.body
    assert octets.isascii()
    assert max(len(line) for line in octets.split(b"\r\n")) <= 78
    assert b"=_" not in part.body
    content = message_from_bytes(b"MIME-Version: 1.0\r\n" + octets, policy=default).get_payload(decode=True)
    wanted = body.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").encode("utf-8", "replace")
    assert content.replace(b"\r\n", b"\n").rstrip(b"\n") == wanted.rstrip(b"\n")


def test_parts_are_taken_apart_again():
    parts = tuple(wire.file_part("application/zip", f"{number}.zip", bytes([number]) * 500) for number in range(3))
    whole = wire.multipart("mixed", (wire.text_part("plain", "नमस्ते " * 30), *parts), "ab.mixed")
    parsed = message_from_bytes(wire.message((("Subject", "x"),), whole), policy=default)
    assert [part.get_content() for part in parsed.iter_attachments()] == [bytes([number]) * 500 for number in range(3)]
    assert parsed.get_body().get_content().strip() == ("नमस्ते " * 30).strip()
    assert wire.multipart("mixed", parts[:1], "ab.mixed") == parts[0]


def test_an_empty_file_is_a_file():
    whole = wire.multipart("mixed", (wire.text_part("plain", ""), wire.file_part("text/csv", "a.csv", b"")), "ab.mixed")
    parsed = message_from_bytes(wire.message((("Subject", "x"),), whole), policy=default)
    (part,) = parsed.iter_attachments()
    assert part.get_payload(decode=True).strip() == b""
    assert part.get_content_type() == "text/csv"


AT = datetime(2026, 7, 4, 22, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "wanted", "short"),
    [
        ("Europe/Berlin", "Sunday 5 July 2026, 00:05 CEST (Europe/Berlin)", "2026-07-05 00:05 CEST (Europe/Berlin)"),
        ("UTC", "Saturday 4 July 2026, 22:05 UTC", "2026-07-04 22:05 UTC"),
        ("Etc/UTC", "Saturday 4 July 2026, 22:05 UTC", "2026-07-04 22:05 UTC"),
        (
            "America/Sao_Paulo",
            "Saturday 4 July 2026, 19:05 -0300 (America/Sao_Paulo)",
            "2026-07-04 19:05 -0300 (America/Sao_Paulo)",
        ),
    ],
)
def test_an_instant_in_words(zone, wanted, short):
    assert when(AT, zone) == wanted
    assert stamp(AT, zone) == short


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (90, "1m 30s"),
        (-240, "4m"),
        (64800, "18h"),
        (90061, "1d 1h"),
        (86405, "1d 5s"),
    ],
)
def test_a_duration_in_words(seconds, wanted):
    assert span(seconds) == wanted


def test_a_long_chain_of_prefixes_is_cut_in_time():
    assert bare("Re: " * 40 + "x", "CSM") == "x"


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("", ""),
        ("a&nbsp;&amp; b", "a & b"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        (
            '<a href="https://x.example">https://x.example</a> <a href="mailto:x@y">x</a> <a>z</a><a href>e</a>',
            "https://x.example x ze",
        ),
        ("<div>" * 300 + "deep" + "</div>" * 300, "deep"),
        ("<style>p{}</style><script>x</script><title>t</title>seen", "seen"),
    ],
)
def test_html_as_text(html, wanted):
    assert markup.plain(html) == wanted


def test_shown_pictures():
    assert markup.shown_ids('<img src="cid:a@x"><img src><img alt="b@x">', ("a@x", "b@x")) == ("a@x",)
