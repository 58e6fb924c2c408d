"""Durations, spans and days as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.config.duration import days, seconds, span
from maild.outbound.wording import span as words

SIZES = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@pytest.mark.parametrize(
    ("text", "count"),
    [("90s", 90), ("15m", 900), ("4h", 14400), ("2d", 172800), (" 1 h ", 3600), ("0s", 0), ("007m", 420)],
)
def test_a_duration_is_read(text, count):
    assert seconds(text) == count


@pytest.mark.parametrize("text", ["", "15", "m", "1.5h", "-1h", "1h30m", "4 hours", "1H", "١h", 15, None, ["1h"], True])
def test_what_is_no_duration_is_told_with_what_to_write(text):
    with pytest.raises(ValueError, match="write a whole number with s, m, h or d"):
        seconds(text)


@given(st.integers(0, 999_999_999), st.sampled_from("smhd"))
def test_a_duration_is_its_number_times_its_letter(count, letter):
    assert seconds(f"{count}{letter}") == count * SIZES[letter]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (5400, "1h 30m"),
        (86400, "1d"),
        (90061, "1d 1h"),
        (86401, "1d 1s"),
        (-390, "6m 30s"),
    ],
)
def test_seconds_are_written_with_their_two_largest_parts(count, text):
    assert words(count) == text


@given(st.integers(-(10**9), 10**9))
def test_words_tell_the_seconds_but_for_what_two_parts_cannot_say(count):
    written = words(count)
    told = sum(seconds(part) for part in written.split())
    parts = written.split()
    assert 0 <= abs(count) - told < SIZES[parts[-1][-1]]
    assert len(parts) <= 2


@given(st.integers(1, 10**6), st.sampled_from("smhd"))
def test_words_read_back_as_what_they_were_made_of(count, letter):
    written = words(count * SIZES[letter])
    if " " not in written:
        assert seconds(written) == count * SIZES[letter]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("09:00-17:00", ["09:00", "17:00"]),
        ("9:00 - 12:00", ["09:00", "12:00"]),
        (" 13:00-24:00 ", ["13:00", "24:00"]),
        ("22:00-06:00", ["22:00", "06:00"]),
        ("17:00-09:00", ["17:00", "09:00"]),
    ],
)
def test_spans_are_read(text, found):
    assert span(text) == found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("9-17", "'9-17' is no span: write HH:MM-HH:MM"),
        (917, "917 is no span"),
        (["09:00", "17:00"], "is no span"),
        ("09:00-17:00x", "is no span"),
        ("09:00-25:00", "'25:00' is no time of day"),
        ("24:00-25:00", "is no time of day"),
        (
            "18:00-17:00",
            "'18:00-17:00' ends before it starts, and over midnight it would last 23h: write 17:00-18:00, or a span",
        ),
        ("16:59-09:00", "would last 16h 1m"),
        ("09:00-09:00", "'09:00-09:00' ends when it starts: for a whole day write 00:00-24:00"),
    ],
)
def test_what_is_no_span_is_told_with_what_to_write(text, fault):
    with pytest.raises(ValueError) as caught:
        span(text)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mon", ("mon",)),
        ("mon-fri", ("mon", "tue", "wed", "thu", "fri")),
        ("Mon, Wed", ("mon", "wed")),
        ("sat-mon", ("sat", "sun", "mon")),
        ("mon-wed,tue", ("mon", "tue", "wed")),
        ("sun-sun", ("sun",)),
    ],
)
def test_days_are_read(text, found):
    assert days(text) == found


@pytest.mark.parametrize("text", ["", "monday", "mon-fr", "-mon", "mon-", "mon,,tue", "1-5"])
def test_what_names_no_days_is_told(text):
    with pytest.raises(ValueError, match="names no days: write mon"):
        days(text)
