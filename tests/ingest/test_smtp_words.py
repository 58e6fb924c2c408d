"""The pure parts of the SMTP door: paths, replies, limits."""

import pytest

from maild.ingest.smtp_limits import SenderWindow, neighbourhood
from maild.ingest.smtp_path import NULL_PATH, read_path, with_enhanced_status

PATHS = [
    ("<a@b.example>", ("a@b.example", "")),
    ("<a@b.example> SIZE=10 BODY=8BITMIME", ("a@b.example", "SIZE=10 BODY=8BITMIME")),
    ("a@b.example", ("a@b.example", "")),
    ("a@b.example SIZE=1", ("a@b.example", "SIZE=1")),
    ("<>", (NULL_PATH, "")),
    ("<> SIZE=5", (NULL_PATH, "SIZE=5")),
    ("<postmaster>", ("postmaster", "")),
    ("<csm+abc234@b.example>", ("csm+abc234@b.example", "")),
    ("<@relay.example,@other.example:a@b.example>", ("a@b.example", "")),
    ('<"a b"@c.example>', ('"a b"@c.example', "")),
    ('<"a\\"@>b"@c.example>', ('"a\\"@>b"@c.example', "")),
    ("<jürgen@bücher.example>", ("jürgen@bücher.example", "")),
    ("<a@[192.0.2.1]>", ("a@[192.0.2.1]", "")),
    ("<a@b@c>", None),
    ("<a b@c>", None),
    ("<a\0b@c>", None),
    ('<"a\0b"@c>', None),
    ("<a\x7f@c>", None),
    ("<a\r@c>", None),
    ("<a\u202eb@c>", None),
    ("<a\u200bb@c>", None),
    ("<a\udcff@c>", None),
    ("<a@b", None),
    ("<a@b>SIZE=1", None),
    ("<a@b> SIZE=²", None),
    ('<"a@b>', None),
    ("<<a@b>>", None),
    ("", None),
    (f"<{'a' * 600}@b>", None),
]


@pytest.mark.parametrize(("argument", "expected"), PATHS)
def test_paths(argument, expected):
    assert read_path(argument) == expected


REPLIES = [
    ("250 OK", "250 2.0.0 OK"),
    ("250 2.1.5 fine", "250 2.1.5 fine"),
    ("250-mx", "250-mx"),
    ("354 go on", "354 go on"),
    ("220 mx maild", "220 mx maild"),
    ("552 Error: too much", "552 5.3.4 Error: too much"),
    ("503 Error: nested MAIL command", "503 5.5.1 Error: nested MAIL command"),
    ('500 Error: command "\0X\x1b" not recognized', '500 5.5.2 Error: command "?X?" not recognized'),
    ("250 2.x no code", "250 2.0.0 2.x no code"),
]


@pytest.mark.parametrize(("reply", "expected"), REPLIES)
def test_replies_carry_an_enhanced_status(reply, expected):
    assert with_enhanced_status(reply) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_an_address_is_what_one_subscriber_has(peer, expected):
    assert neighbourhood(peer) == expected


def test_a_sender_has_his_hour():
    window = SenderWindow(2)
    assert window.allows("A@x", 0)
    window.take("a@X", 0)
    window.take("a@x", 10)
    assert not window.allows("A@x", 3599)
    assert window.allows("b@x", 3599)
    assert window.allows("a@x", 3600)
    window.take("a@x", 3600)
    assert not window.allows("a@x", 3601)
    window.give_back("a@x")
    assert window.allows("a@x", 3601)
    window.give_back("never seen")


def test_the_window_forgets_whoever_was_silent_longest():
    window = SenderWindow(1, most_senders=2)
    for second, sender in enumerate(["a", "b", "a", "c"]):
        window.take(sender, second)
    assert window.allows("b", 5)
    assert not window.allows("a", 5)
    assert not window.allows("c", 5)
