from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.store.instant import Instant, InstantField, maybe_text, utc_text

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001 - zones are drawn


@settings(max_examples=60, deadline=None)
@given(instants, instants)
def test_text_sorts_like_time_and_reads_back(one, two):
    assert (utc_text(one) < utc_text(two)) == (one < two)
    assert InstantField().to_python_value(utc_text(one)) == one
    assert len(utc_text(one)) == 32
    assert utc_text(InstantField().to_db_value(one, None)) == utc_text(one)


def test_a_plain_datetime_in_utc_comes_back():
    back = InstantField().to_python_value(Instant(2026, 3, 11, tzinfo=UTC))
    assert back == datetime(2026, 3, 11, tzinfo=UTC)
    assert InstantField().to_python_value(None) is None
    assert InstantField().to_db_value(None, None) is None
    assert maybe_text(None) is None


def test_a_naive_one_is_refused():
    for convert in (utc_text, Instant.of):
        with pytest.raises(ValueError, match="naive"):
            convert(datetime(2026, 3, 11))  # noqa: DTZ001 - that is the point
