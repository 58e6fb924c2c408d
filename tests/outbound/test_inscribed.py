"""The signed line that ends our mail where there are no sub-addresses: in text and HTML, the reader's own, nobody else's."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from maild.mail import Address
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.compose_relay import refusal
from maild.outbound.hide import hiding
from maild.outbound.letters import AckLetter, RelayLetter
from maild.threading.inscription import claims, inscription
from maild.threading.token import Purpose, mint

KEY = b"k" * 32
LINE = inscription(KEY, "CSM", 1042, "bob@acme.example")
SAMPLE = next(letter for letter in samples.letters() if isinstance(letter, RelayLetter))
RELAY = replace(SAMPLE, mail=replace(SAMPLE.mail, attachments=()))
ACK = next(letter for letter in samples.letters() if isinstance(letter, AckLetter))
DESK, NOW = samples.DESK, samples.NOW


def parts(outgoing):
    mail = message_from_bytes(outgoing.octets, policy=default)
    return {
        part.get_content_type(): part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"
    }


def test_it_ends_an_acknowledgement(templates):
    text = parts(compose(replace(ACK, inscription=LINE), DESK, templates, NOW))["text/plain"]
    assert text.rstrip().splitlines()[-1] == LINE
    assert "[CSM #" not in parts(compose(ACK, DESK, templates, NOW))["text/plain"].rstrip().splitlines()[-1]


def test_it_ends_an_answer_in_text_and_html(templates):
    letter = replace(RELAY, text="Hello", html="<p>Hello</p>", inscription=LINE)
    read = parts(compose(letter, DESK, templates, NOW))
    assert read["text/plain"].rstrip().splitlines()[-1] == LINE
    assert read["text/html"].rstrip().endswith(f"<p>{LINE}</p>")
    assert refusal(letter, DESK) == ""
    # What the customer's program quotes is read again.
    for text in read.values():
        assert [claim.ticket for claim in claims("\n".join(f"> {line}" for line in text.splitlines()), "CSM")] == [1042]


@pytest.mark.parametrize("html", ["<p>Hello</p>", None])
def test_without_it_nothing_is_added(templates, html):
    read = parts(compose(replace(RELAY, text="Hello", html=html), DESK, templates, NOW))
    assert not any(claims(text, "CSM") for text in read.values())


def test_the_guard_tells_it_from_an_agent_s_token():
    mail = replace(samples.mail("Hello"), to=(Address("", "csm@example.com"),))
    guard = hiding(
        mail, ("ann@example.com",), ("csm@example.com",), (mint(KEY, 1042, "ann@example.com", Purpose.AGENT),)
    )
    assert not guard.left_in(LINE)
    assert guard.clear(LINE) == LINE
    # An agent who writes a token of his own into such a line is found out all the same.
    theirs = LINE.replace(LINE[-25:-1], mint(KEY, 1042, "ann@example.com", Purpose.AGENT))
    assert guard.left_in(theirs)
    assert mint(KEY, 1042, "ann@example.com", Purpose.AGENT) not in guard.clear(theirs)
