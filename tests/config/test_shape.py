"""Whatever TOML gives, the shape of it is told in faults, and what is left is a file."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from maild.config.model import File
from maild.config.shape import shape

KEYS = sorted(
    {
        *File.model_fields,
        *(name for field in File.model_fields.values() for name in getattr(field.annotation, "model_fields", {})),
        *("id", "address", "aliases", "team", "policy", "domain", "csm", "tier", "clock", "at", "notify"),
        *(
            "high",
            "urgent",
            "first_response",
            "resolution",
            "calendar",
            "hours",
            "shifts",
            "holidays",
            "mon-fri",
            "odd",
        ),
    }
)
LEAVES = st.one_of(
    st.sampled_from(["", "csm@example.com", "ann", "4h", "1h", "limit", "first_response", "assignee", "09:00-17:00"]),
    st.integers(-1, 70_000),
    st.booleans(),
    st.floats(allow_nan=False),
    st.just(date(2026, 12, 25)),
    st.just(datetime(2026, 12, 25, tzinfo=UTC)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_any_tables_are_told_and_what_is_left_is_a_file(raw):
    found = shape(raw)
    assert isinstance(found.file, File)
    for key, numbers in found.numbers.items():
        left = getattr(found.file, key, ())
        assert not isinstance(left, tuple) or len(numbers) == len(left)
        assert sorted(set(numbers)) == list(numbers)
    assert shape(raw).faults == ()
    assert len(set(found.faults)) == len(found.faults)


def test_an_empty_file_is_told_of_its_desk():
    assert shape({}).faults == ("desk: is missing and has no default: write it",)


def test_two_faults_in_one_pair_are_told_together():
    faults = shape({"desk": {"address": "a@b"}, "sla": {"low": {"resolution": ["x"]}}}).faults
    assert [fault.partition(": ")[0] for fault in faults] == ["sla.low.resolution[1]", "sla.low.resolution[2]"]
