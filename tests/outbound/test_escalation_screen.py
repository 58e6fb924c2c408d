"""What the first lines of an escalation say: on a screen of 24 lines, and on a phone of 40 columns."""

import textwrap
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.letters import ClockLine, EscalationLetter, Stretch
from maild.outbound.mark import MARK
from maild.outbound.wording import promised, stretched

NOW, DESK = samples.NOW, samples.DESK
HEADER = 6
"""Lines of 24 that mutt needs for itself and for From, To, Date and a subject of two lines."""


@pytest.fixture
def lines(templates):
    """Give the lines of an escalation below its marker. `late` is how far now is behind its limit, `missed` behind its target."""

    def written(late, missed, **changes):
        letter = next(letter for letter in samples.letters() if isinstance(letter, EscalationLetter))
        letter = replace(letter, limit_at=NOW - late, target_at=NOW - missed, **changes)
        parsed = message_from_bytes(compose(letter, DESK, templates, NOW).octets, policy=default)
        mark, empty, *rest = parsed.get_body(("plain",)).get_content().splitlines()
        assert (mark, empty) == (MARK, "")
        return rest

    return written


@pytest.mark.parametrize(
    ("late", "missed", "says"),
    [
        (
            timedelta(minutes=4),
            timedelta(minutes=19),
            "BREACH: the first response of [CSM #1042] is 4m over its limit of 30m.",
        ),
        # The breach is told the instant after.
        (
            timedelta(microseconds=1),
            timedelta(minutes=15),
            "BREACH: the first response of [CSM #1042] has just passed its limit of 30m.",
        ),
        (
            -timedelta(minutes=15),
            timedelta(0),
            "The first response of [CSM #1042] has just missed its target; its limit of 30m is over in 15m.",
        ),
        (
            -timedelta(minutes=3),
            timedelta(minutes=12),
            "The first response of [CSM #1042] is 12m over its target; its limit of 30m is over in 3m.",
        ),
        (
            -timedelta(minutes=3),
            -timedelta(minutes=1),
            "The first response of [CSM #1042] is due: its limit of 30m is over in 3m.",
        ),
    ],
)
def test_first_comes_what_is_late_and_by_how_much(lines, late, missed, says):
    text = " ".join(lines(late, missed)).split("Due:")[0]
    assert " ".join(text.split()) == says


def test_a_screen_of_mutt_says_what_is_late_when_it_was_due_whose_it_is_and_what_is_next(lines):
    screen = lines(timedelta(days=4, hours=21), timedelta(days=5), next_who=("Ann Example", "Mia Manager"))[
        : 24 - HEADER
    ]
    assert [line.partition(":")[0] for line in screen if line[:1].isalpha() and ":" in line][:4] == [
        "BREACH",
        "Due",
        "Owner",
        "Next",
    ]
    assert [line for line in screen if line.startswith(("Customer:", "Severity:", "State:"))]
    assert max(map(len, screen)) <= 78


def test_five_lines_of_a_phone_say_what_is_late_and_when_it_was_due(lines):
    narrow = [
        piece
        for line in lines(timedelta(minutes=4), timedelta(minutes=19))
        for piece in textwrap.wrap(line, 40) or [""]
    ]
    assert narrow[:5] == [
        "BREACH: the first response of [CSM",
        "#1042] is 4m over its limit of 30m.",
        "Due: Monday 23 November 2026, 17:46 CET",
        "(Europe/Berlin)",
        "  = 2026-11-23 16:46 UTC",
    ]
    assert narrow[5] == "Owner: NOBODY"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (45, "45s"),
        (1800, "30m"),
        (5400, "1h 30m"),
        (14_400, "4h"),
        (86_400, "24h"),
        (172_800, "48h"),
        (3661, "1h 1m 1s"),
    ],
)
def test_a_promise_is_in_hours_and_never_in_days(seconds, words):
    assert promised(seconds) == words


def at(text):
    return datetime.fromisoformat(f"2026-{text}+00:00")


def stretch(start, end, what, seconds=0, because=""):
    return Stretch(at(start), at(end), what, seconds, because)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (stretch("11-23T16:16", "11-23T16:46", "counted", 1800), "Mon 23 Nov 17:16 to 17:46: counted 30m"),
        (
            stretch("04-30T22:00", "05-01T22:00", "holiday", because="Labor\x1b[1m Day"),
            "Fri 1 May 00:00 to Sat 2 May 00:00: holiday (Labor [1m Day)",
        ),
        (
            stretch("11-23T09:00", "11-24T09:00", "pending", because="it waited on the customer"),
            "Mon 23 Nov 10:00 to Tue 24 Nov 10:00: pending (it waited on the customer)",
        ),
        (stretch("11-23T17:00", "11-23T17:30", "closed"), "Mon 23 Nov 18:00 to 18:30: closed"),
    ],
)
def test_a_stretch_of_a_clock_s_account(one, words):
    assert stretched(one, "Europe/Berlin") == words


def test_the_account_stands_below_its_clock(lines):
    one = stretch("11-23T16:16", "11-23T16:46", "counted", 1800)
    late = ClockLine("first_response", at("11-23T16:31"), at("11-23T16:46"), "breached", (one,), 12)
    found = lines(
        timedelta(minutes=4), timedelta(minutes=19), clocks=(late, ClockLine("resolution", None, None, "paused"))
    )
    start = next(number for number, line in enumerate(found) if line.startswith("First response:"))
    assert found[start : start + 4] == [
        "First response: breached, target Mon 23 Nov 2026, 17:31, limit 17:46",
        "  (12 lines before these: maild why 1042)",
        "  Mon 23 Nov 17:16 to 17:46: counted 30m",
        "Resolution: paused",
    ]
