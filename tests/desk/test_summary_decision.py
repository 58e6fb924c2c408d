"""When the operator is told, and of what: once a period, nothing new no mail."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.desk.summary import SETTLED, Operator, counted_until, due_at, summary
from maild.outbound.letters import Heap, Item

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
HOURLY = Operator("ops@desk.example", timedelta(hours=1), "/etc/maild/maild.toml")
ITEM = Item(17, NOW, "carol@acme.example", "csm@desk.example", "ValueError: it broke")
BROKEN = Heap("quarantined", 1, 4, (ITEM,))
QUIET = Heap("spam", 0, 9, ())


@pytest.mark.parametrize(
    ("heaps", "address", "told"),
    [
        ((), HOURLY.address, ()),
        ((QUIET,), HOURLY.address, ()),
        ((BROKEN,), "", ()),
        ((BROKEN,), HOURLY.address, ("quarantined",)),
        ((BROKEN, QUIET), HOURLY.address, ("quarantined",)),
        ((QUIET, Heap("failed", 2, 2, (ITEM,)), BROKEN), HOURLY.address, ("failed", "quarantined")),
    ],
)
def test_only_what_is_new_is_told_and_nothing_new_is_no_mail(office, heaps, address, told):
    letter = summary(heaps, None, NOW, Operator(address, HOURLY.every, HOURLY.config), office)
    assert tuple(heap.kind for heap in letter.heaps) == told if told else letter is None


def test_two_daemons_that_count_at_once_owe_the_same_mail(office):
    one = summary([BROKEN], NOW, NOW + timedelta(hours=1), HOURLY, office)
    other = summary([BROKEN], NOW, NOW + timedelta(hours=1, milliseconds=7), HOURLY, office)
    later = summary([BROKEN], NOW + timedelta(hours=1), NOW + timedelta(hours=2), HOURLY, office)
    assert (one.key, one.message_id) == (other.key, other.message_id)
    assert one.key != later.key
    assert one.message_id != later.message_id
    assert one.root_id == later.root_id
    assert summary([BROKEN], None, NOW, HOURLY, office).key == "summary:first"


def test_the_next_one_is_due_a_period_after_the_last():
    assert due_at(None, HOURLY) is None
    assert due_at(counted_until(NOW, HOURLY), HOURLY) == NOW + HOURLY.every


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_no_instant_is_counted_twice_and_none_is_left_out(every, later):
    operator = Operator("ops@desk.example", timedelta(seconds=every), "")
    first = counted_until(NOW, operator)
    assert NOW - SETTLED <= first < NOW
    second = counted_until(NOW + timedelta(seconds=later), operator)
    assert second - first == timedelta(seconds=later)
    assert due_at(first, operator) == NOW + operator.every
