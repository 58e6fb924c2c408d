"""The end of DATA and its dots: at every split, and never where a smuggler says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.ingest.smtp_data import DotDecoder

ENDINGS = [
    pytest.param(b".\r\n", b"", id="empty message"),
    pytest.param(b"a\r\n.\r\n", b"a\r\n", id="one line"),
    pytest.param(b"..\r\n.\r\n", b".\r\n", id="a line of one dot"),
    pytest.param(b"..a\r\n...b\r\n.\r\n", b".a\r\n..b\r\n", id="stuffed dots"),
    pytest.param(b".a\r\n.\r\n", b"a\r\n", id="a dot that was not stuffed is taken out (4.5.2)"),
    pytest.param(b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n", id="dot, bare CR"),
    pytest.param(b"\r\n\r\n.\r\n", b"\r\n\r\n", id="bare line ends"),
    pytest.param(b"a\r\r\n.\r\n", b"a\r\r\n", id="CR before the end"),
    pytest.param(b"a.\r\n.\r\n", b"a.\r\n", id="a dot at the end of a line"),
]
SMUGGLED = [
    b"\n.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n\r.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n\0.\r\n",
]


def reference(body: bytes) -> bytes:
    """Stuff the dots as a sender does (RFC 5321 section 4.5.2)."""
    return b"".join(b"." + line if line.startswith(b".") else line for line in split_lines(body))


def split_lines(body: bytes) -> list[bytes]:
    pieces = body.split(b"\r\n")
    return [piece + b"\r\n" for piece in pieces[:-1]] + pieces[-1:]


def run(chunks: list[bytes], limit: int = 10_000) -> tuple[bytes, bytes | None]:
    decoder = DotDecoder(limit)
    for number, chunk in enumerate(chunks):
        rest = decoder.feed(chunk)
        if rest is not None:
            return decoder.take(), rest + b"".join(chunks[number + 1 :])
    return decoder.take(), None


@pytest.mark.parametrize(("wire", "content"), ENDINGS)
def test_the_end_is_found_at_every_split(wire, content):
    stream = wire + b"QUIT\r\n"
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            chunks = [stream[:first], stream[first:second], stream[second:]]
            assert run(chunks) == (content, b"QUIT\r\n")
    assert run([bytes([octet]) for octet in stream]) == (content, b"QUIT\r\n")


@pytest.mark.parametrize("ending", SMUGGLED)
def test_nothing_but_crlf_dot_crlf_ends_data(ending):
    evil = b"one" + ending + b"MAIL FROM:<evil@example.net>\r\n"
    for split in range(len(evil) + 1):
        decoder = DotDecoder(10_000)
        assert decoder.feed(evil[:split]) is None
        assert decoder.feed(evil[split:]) is None
        assert decoder.feed(b".\r\n") == b""
        assert b"MAIL FROM:<evil@example.net>\r\n" in decoder.take()


def test_stuffing_round_trips():
    @settings(deadline=None, max_examples=300)
    @given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\0"])), st.data())
    def law(pieces, data):
        body = b"".join(pieces) + b"x\r\n"
        stream = reference(body) + b".\r\n" + b"RSET\r\n"
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
        chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert run(chunks) == (body, b"RSET\r\n")

    law()


@pytest.mark.parametrize(("size", "too_big"), [(99, False), (100, False), (101, True)])
def test_the_limit_counts_content_without_stuffing(size, too_big):
    decoder = DotDecoder(100)
    body = b"." + b"a" * (size - 3) + b"\r\n"
    assert decoder.feed(b"." + body + b".\r\nnext") == b"next"
    assert decoder.too_big is too_big
    assert decoder.discarded is too_big
    if not too_big:
        assert decoder.take() == body


def test_the_end_is_found_after_everything_was_thrown_away():
    decoder = DotDecoder(10)
    assert decoder.feed(b"a" * 100) is None
    assert (decoder.too_big, decoder.take()) == (True, b"")
    assert decoder.feed(b"b" * 100 + b"\r\n.") is None
    assert decoder.take() == b""
    assert decoder.feed(b"\r\nQUIT") == b"QUIT"


def test_discarding_is_not_being_too_big():
    decoder = DotDecoder(10)
    decoder.feed(b"abc")
    decoder.discard()
    assert (decoder.too_big, decoder.discarded, decoder.take()) == (False, True, b"")


LONE = [
    (b"", False),
    (b"\r\n", False),
    (b"a\r\n\r\n..b\r\n", False),
    (b"a\nb\r\n", True),
    (b"a\rb\r\n", True),
    (b"\na\r\n", True),
    (b"a\r\r\n", True),
    (b"a\n\r\n", True),
    (b"a\r\n\r", True),
]


@pytest.mark.parametrize(("body", "bare"), LONE)
def test_a_lone_cr_or_lf_is_seen_at_every_split(body, bare):
    stream = body + (b"" if not body or body.endswith(b"\r\n") else b"\r\n") + b".\r\n"
    for cut in range(len(stream) + 1):
        decoder = DotDecoder(1000)
        rest = decoder.feed(stream[:cut])
        assert (decoder.feed(stream[cut:]) if rest is None else rest) in {b"", stream[cut:]}
        assert decoder.bare is bare


def test_octets_may_be_taken_as_they_come():
    decoder = DotDecoder(1000)
    taken = []
    for octet in b"..one\r\n.two\r\n.\r\n":
        decoder.feed(bytes([octet]))
        taken.append(decoder.take())
    assert b"".join(taken) == b".one\r\ntwo\r\n"
    assert decoder.size == len(b".one\r\ntwo\r\n")
