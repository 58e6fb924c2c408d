"""Which UIDs are fetched, when, and what it is called when something is amiss: tables of rows, and laws."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest import imap_plan as plan
from maild.ingest.imap_plan import Listed

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)

UIDS = st.lists(st.integers(1, 200), max_size=40)


@pytest.mark.parametrize(
    ("found", "last", "expected"),
    [
        ([], 0, []),
        ([7], 7, []),  # n:* gives the last message where there is none from n on
        ([7], 9, []),  # likewise, in a folder that lost its end
        ([12, 11], 10, [11, 12]),
        ([5, 5, 6], 5, [6]),
        ([1, 2, 3], 0, [1, 2, 3]),
    ],
)
def test_only_what_is_above_the_last_uid_is_new(found, last, expected):
    assert plan.fresh(found, last) == expected


@pytest.mark.parametrize(
    ("on_server", "known", "again", "expected"),
    [
        ([3, 1, 2], {}, False, [1, 2, 3]),
        ([1, 2, 3], {2: ""}, False, [1, 3]),
        ([1, 2, 3], {1: "", 2: "too large: 9 octets", 3: "not given: NO"}, False, [3]),
        ([1, 2, 3], {1: "", 2: "too large: 9 octets", 3: "not given: NO"}, True, [2, 3]),
        ([1], {1: plan.OLD}, True, []),
        ([], {9: "not given: NO"}, True, []),
    ],
)
def test_what_the_ledger_does_not_know_is_fetched(on_server, known, again, expected):
    assert plan.unknown(on_server, known, again=again) == expected


@given(UIDS, UIDS)
def test_after_a_look_nothing_is_unknown(on_server, known):
    missing = plan.unknown(on_server, dict.fromkeys(known, ""))
    assert set(missing) | set(known) >= set(on_server)
    assert not set(missing) & set(known)
    assert plan.unknown(on_server, dict.fromkeys([*known, *missing], "")) == []


def test_a_comparison_names_what_differs():
    known = {1: "", 2: "", 3: "too large: 9 octets", 4: plan.OLD, 6: "not given: NO"}
    found = plan.compared("a@b/INBOX", NOW, [1, 3, 4, 5, 9], known, last_uid=6)
    assert (found.on_server, found.in_ledger) == (5, 5)
    assert found.unknown == (5,)  # 9 is above the last UID: it is new, and nobody missed it
    assert found.gone == (2, 6)
    assert found.not_fetched == ((3, "too large: 9 octets"),)
    assert found.differs


@given(UIDS)
def test_what_agrees_does_not_differ(uids):
    found = plan.compared("a@b/INBOX", NOW, uids, dict.fromkeys(uids, ""), last_uid=max(uids, default=0))
    assert not found.differs


@pytest.mark.parametrize(
    ("since", "first_seen", "looked_at", "expected"),
    [
        ("all", None, None, None),
        ("all", NOW, NOW, None),
        ("2026-03-01", NOW, NOW, datetime(2026, 2, 28, 23, 0, tzinfo=UTC)),
        ("now", NOW, NOW + HOUR, NOW - timedelta(days=1)),
        ("now", None, NOW, NOW - timedelta(days=1)),
        ("now", None, None, None),
    ],
)
def test_from_when_on_mail_is_fetched(since, first_seen, looked_at, expected):
    assert plan.oldest(since, BERLIN, first_seen=first_seen, looked_at=looked_at) == expected


@pytest.mark.parametrize(
    ("internal", "floor", "expected"),
    [
        (NOW - HOUR, NOW - 2 * HOUR, NOW - HOUR),  # it waited while maild was down: its clock ran
        (NOW - 9 * HOUR, NOW - HOUR, NOW - HOUR),  # dragged into the folder after the last look
        (NOW + HOUR, NOW - HOUR, NOW),  # a server whose clock is ahead
        (NOW - HOUR, NOW, NOW),  # the first look: the desk promised nothing before it
        (NOW - HOUR, NOW + HOUR, NOW),  # a clock of ours that was set back
    ],
)
def test_when_the_desk_received_it(internal, floor, expected):
    assert plan.received_at(internal, floor=floor, now=NOW) == expected


@given(*[st.datetimes(timezones=st.just(UTC))] * 3)
def test_nothing_is_received_in_the_future(internal, floor, now):
    assert plan.received_at(internal, floor=floor, now=now) <= now


@pytest.mark.parametrize(("size", "fault"), [(0, False), (100, False), (101, True)])
def test_what_is_too_large(size, fault):
    assert plan.too_large(size, 100).startswith(plan.TOO_LARGE) == fault
    assert plan.larger_than_said(100).startswith(plan.TOO_LARGE)


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 100), st.integers(1, 7))
def test_batches_hold_everything_in_order_and_within_bounds(sizes, octets, mails):
    listed = [Listed(uid, size, NOW) for uid, size in enumerate(sizes)]
    cut = list(plan.batches(listed, octets, mails))
    assert [one for batch in cut for one in batch] == listed
    for batch in cut:
        assert 1 <= len(batch) <= mails
        assert len(batch) == 1 or sum(one.size for one in batch) <= octets


def test_a_batch_shrinks_with_every_session_that_breaks():
    sizes = [plan.batch_octets(failures) for failures in range(20)]
    assert sizes[0] == plan.BATCH_OCTETS
    assert sizes == sorted(sizes, reverse=True)
    assert len(list(plan.batches([Listed(1, 9, NOW), Listed(2, 9, NOW)], sizes[-1]))) == 2


@pytest.mark.parametrize(
    ("count", "width", "expected"), [(0, 10, []), (1, 10, ["1:1"]), (10, 10, ["1:10"]), (11, 10, ["1:10", "11:11"])]
)
def test_a_search_is_asked_about_so_many(count, width, expected):
    assert list(plan.windows(count, width)) == expected


@pytest.mark.parametrize(
    ("settled", "done", "aside", "expected"),
    [
        ([], "Done", "Aside", {}),
        ([(1, "done"), (2, "dropped")], "Done", "", {"Done": [1, 2]}),
        ([(1, "done"), (2, "quarantined"), (3, "spam")], "Done", "Aside", {"Done": [1], "Aside": [2, 3]}),
        ([(1, "done"), (1, "quarantined")], "Done", "Aside", {"Aside": [1]}),
        ([(2, "quarantined"), (1, "done")], "Same", "Same", {"Same": [1, 2]}),
        ([(1, "quarantined")], "Done", "", {}),
        ([(1, "done")], "", "Aside", {}),
    ],
)
def test_where_mail_is_moved(settled, done, aside, expected):
    assert plan.moves(settled, done, aside) == expected


@pytest.mark.parametrize(
    ("failures", "refused", "seconds"),
    [(0, False, 1), (1, False, 1), (2, False, 2), (5, False, 30), (99, False, 300), (1, True, 60), (99, True, 900)],
)
def test_how_long_it_waits(failures, refused, seconds):
    assert plan.backoff(failures, 0.5, refused=refused) == seconds
    assert plan.backoff(failures, 0.0, refused=refused) == pytest.approx(seconds * 0.8)
    assert plan.backoff(failures, 0.999, refused=refused) < seconds * 1.2


NIGHTS = [
    # (now, the night before it, the night after it), in UTC; Berlin is at +1 in winter and +2 in summer
    ("2026-03-11T01:59:59", "2026-03-10T02:00:00", "2026-03-11T02:00:00"),
    ("2026-03-11T02:00:00", "2026-03-11T02:00:00", "2026-03-12T02:00:00"),
    ("2026-03-29T00:30:00", "2026-03-28T02:00:00", "2026-03-29T01:00:00"),  # the clock goes to 03:00 at 01:00 UTC
    ("2026-10-25T01:30:00", "2026-10-24T01:00:00", "2026-10-25T02:00:00"),  # and back
    ("2026-07-01T23:00:00", "2026-07-01T01:00:00", "2026-07-02T01:00:00"),
]


@pytest.mark.parametrize(("now", "before", "after"), NIGHTS)
def test_the_nights(now, before, after):
    now, before, after = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, before, after))
    assert plan.last_night(now, BERLIN) == before
    assert plan.next_night(now, BERLIN) == after
    assert plan.reconcile_due(None, now, BERLIN)
    assert plan.reconcile_due(before - timedelta(seconds=1), now, BERLIN)
    assert not plan.reconcile_due(before, now, BERLIN)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_night_lies_on_either_side(now):
    assert plan.last_night(now, BERLIN) <= now < plan.next_night(now, BERLIN)
    assert plan.next_night(now, BERLIN) - plan.last_night(now, BERLIN) <= timedelta(hours=25)
