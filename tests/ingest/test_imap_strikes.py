"""What breaks a connection again and again: asked for last, then alone, then given up for a while."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest.imap_strikes import ALONE, Strikes

UIDS = [1, 2, 3, 4, 5]


def after(*breaks, at=0.0):
    return reduce(lambda strikes, uids: strikes.broke(uids, at), breaks, Strikes(7))


@pytest.mark.parametrize(
    ("breaks", "portions"),
    [
        ([], [[1, 2, 3], [4, 5]]),
        ([UIDS], [[1, 2, 3], [4, 5]]),  # once is an ordinary cut
        ([UIDS, [2, 3]], [[1, 4, 5], [2], [3]]),
        ([UIDS, UIDS], [[1], [2], [3], [4], [5]]),
        ([UIDS, UIDS, [2]], [[1], [3], [4], [5], [2]]),
        ([[1], [1]], [[2, 3, 4], [5], [1]]),
        ([(), ()], [[1, 2, 3], [4, 5]]),
    ],
)
def test_suspects_come_alone_and_last(breaks, portions):
    assert list(after(*breaks).portions(UIDS, 3)) == portions


@pytest.mark.parametrize(
    ("breaks", "until"),
    [
        ([UIDS] * 9, 0.0),  # never alone: nobody knows which
        ([[2]] * 2, 0.0),
        ([[2]] * 3, 60.0),
        ([[2]] * 4, 300.0),
        ([[2]] * 5, 1800.0),
        ([[2]] * 50, 1800.0),
    ],
)
def test_how_long_one_is_given_up(breaks, until):
    strikes = after(*breaks, at=1000.0)
    assert strikes.next_at(1000.0, 9000.0) == (1000.0 + until if until else 9000.0)
    assert list(strikes.given_up(UIDS, 1000.0 + until - 0.1)) == ([2] if until else [])
    assert strikes.given_up(UIDS, 1000.0 + until) == {}
    # Whose time is over is asked for in any look, and no look is held for it.
    assert strikes.next_at(1000.0 + until, 9000.0) == 9000.0


def test_the_words_count():
    given_up = after(*[[2]] * ALONE).given_up([2], 0.0)
    assert given_up == {2: "the connection ended over it in 3 sessions"}


def test_what_came_is_forgiven():
    strikes = after(UIDS, UIDS, *[[2]] * ALONE)
    assert strikes.came([2]) == after(UIDS, UIDS).came([2])
    assert strikes.came(UIDS) == Strikes(7)
    assert strikes.came([9]) is strikes


def test_another_uidvalidity_knows_nothing():
    strikes = after(UIDS)
    assert strikes.under(7) is strikes
    assert strikes.under(8) == Strikes(8)


@given(st.lists(st.lists(st.integers(1, 9), max_size=5, unique=True), max_size=12), st.integers(1, 4))
def test_each_is_asked_for_once_and_no_portion_is_too_large(breaks, most):
    uids = list(range(1, 10))
    portions = list(after(*breaks).portions(uids, most))
    assert sorted(uid for some in portions for uid in some) == uids
    assert all(len(some) <= most for some in portions)
