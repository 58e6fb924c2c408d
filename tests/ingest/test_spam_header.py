"""What a filter's fields say."""

import pytest

from maild.ingest.spam import verdict

NAMES = ("x-spam-flag", "x-spam-status", "x-spam")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ((("X-Spam-Flag", "YES"),), "X-Spam-Flag: YES"),
        ((("x-spam-status", " Yes, score=9.1 required=5.0"),), "x-spam-status: Yes, score=9.1 required=5.0"),
        ((("X-Spam", "Yes"), ("X-Spam-Flag", "YES")), "X-Spam: Yes"),
        ((("X-Spam-Flag", "NO"), ("X-Spam-Status", "No, score=-2"), ("X-Spam", "")), ""),
        ((("X-Spam-Flag", "NO"), ("X-Spam-Flag", "YES")), "X-Spam-Flag: YES"),
        ((("X-Spam-Level", "yes"), ("Subject", "YES")), ""),
        ((), ""),
    ],
)
def test_verdicts(headers, said):
    assert verdict(headers, NAMES) == said


def test_no_names_no_verdict():
    assert verdict([("X-Spam-Flag", "YES")], ()) == ""


def test_a_long_one_is_shown_in_part():
    assert len(verdict([("X-Spam-Status", "yes " * 1000)], NAMES)) < 250
