"""What a digest says of each clock, and who gets it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.desk.digest_mail import digest_letters
from maild.outbound.digest_letter import DigestItem, Kept, Settled
from maild.ticket import Event, Severity

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ITEM = DigestItem(
    key="k",
    agent="ann",
    address="ann@staff.example",
    ticket=1042,
    metric="first_response",
    cycle=1,
    level="limit",
    severity=Severity.NORMAL,
    title="Acme: it is down",
    limit_seconds=1800,
    reached_at=NOW,
    due_at=NOW,
    at=NOW,
    send_at=NOW,
    quiet=False,
    because="many",
    id=7,
)


def kept(state="running", stopped_at=None, is_breached=False, merged_into=None, assignee="bob", **item):
    return Kept(replace(ITEM, **item), state, stopped_at, is_breached, merged_into, assignee)


def acknowledged(at, *clocks):
    return Event(at, "bob", "taken_over", "", {"clocks": [list(clock) for clock in clocks]})


MINE = ("first_response", 1)
TABLE = [
    (kept(), (), None),
    (kept("breached", is_breached=True), (), None),
    (kept("met", NOW), (Event(NOW, "ann", "agent_reply", ""),), Settled("answered", NOW, "Ann")),
    (kept("met", NOW), (), Settled("answered", NOW)),
    (
        kept("met", NOW, metric="resolution"),
        (Event(NOW, "maild", "status", ""), Event(NOW, "carl", "status", "")),
        Settled("resolved", NOW, "carl"),
    ),
    (kept("ended", NOW), (), Settled("its clock has ended", NOW)),
    (kept(""), (), Settled("its clock has ended")),
    (kept(merged_into=1001), (), Settled("it went into CSM #1001")),
    (kept("paused"), (), Settled("its clock rests until the customer writes")),
    (kept("breached", is_breached=True), (acknowledged(NOW, MINE),), Settled("acknowledged", NOW, "bob")),
    (kept(), (acknowledged(NOW - MINUTE, MINE),), None),
    (kept(), (acknowledged(NOW, ("resolution", 1)),), None),
    (kept("paused", is_breached=True), (), None),
    (kept(assignee="zoe"), (replace(acknowledged(NOW, MINE), actor="zoe"),), None),
    (kept(assignee=None), (acknowledged(NOW, MINE),), None),
    (kept(), (acknowledged(NOW, MINE), Event(NOW + MINUTE, "ann", "unassigned", "")), None),
    (
        kept(),
        (
            acknowledged(NOW, MINE),
            Event(NOW + MINUTE, "bob", "undone", "", {"what": "taken_over", "at": NOW.isoformat()}),
        ),
        None,
    ),
    (
        kept(),
        (
            acknowledged(NOW, MINE),
            Event(NOW + MINUTE, "bob", "status", "", {"to": "resolved"}),
            Event(NOW + 2 * MINUTE, "carol", "reopened", ""),
        ),
        None,
    ),
]


@pytest.mark.parametrize(("one", "events", "wanted"), TABLE)
def test_how_each_was_settled(office, one, events, wanted):
    (letter,) = digest_letters([one], {1042: events}, office)
    assert letter.lines[0].settled == wanted


def test_each_clock_once_and_the_most_pressing_first(office):
    heap = [
        kept(level="75%", ticket=1, due_at=NOW + MINUTE, id=1),
        kept(level="target", ticket=2, due_at=NOW + MINUTE, id=2),
        kept(level="limit", ticket=1, id=3),
        kept(level="limit", ticket=3, due_at=NOW - MINUTE, id=4),
        kept(level="limit", ticket=4, severity=Severity.URGENT, id=5),
        kept("met", NOW, level="limit", ticket=5, severity=Severity.URGENT, id=6),
        kept(level="target", ticket=6, severity=Severity.HIGH, due_at=NOW + MINUTE, id=7),
    ]
    (letter,) = digest_letters(heap, {}, office)
    lines = [(line.ticket, line.level) for line in letter.lines]
    assert lines == [(4, "limit"), (3, "limit"), (1, "limit"), (6, "target"), (2, "target"), (5, "limit")]
    assert letter.key == "digest:ann:1"
    assert letter.message_id == office.message_id(0, "digest:ann:1")
    assert (letter.to.address, letter.reply_to) == ("ann@staff.example", "csm@desk.example")


def test_why_it_is_one_mail(office):
    end = NOW + timedelta(hours=8)
    late = kept(reached_at=NOW - 2 * MINUTE, at=NOW + MINUTE, ticket=3)
    night = kept(quiet=True, send_at=end, ticket=2)
    (both,) = digest_letters([kept(), late, night], {}, office)
    told = both.reason
    assert (told.first_at, told.last_at, told.together) == (NOW, NOW + MINUTE, 2)
    assert (told.late_since, told.late) == (NOW - 2 * MINUTE, 1)
    assert (told.quiet, told.quiet_until, told.meant_for) == (1, end, "")
    (alone,) = digest_letters([night], {}, office)
    assert (alone.reason.together, alone.reason.late_since, alone.reason.quiet) == (0, None, 1)


def test_who_stands_in_for_somebody_who_is_gone(office):
    gone = kept(agent="cara", address="cara@staff.example")
    (letter,) = digest_letters([gone], {}, office)
    assert (letter.to.address, letter.reason.meant_for, letter.key) == ("bob@staff.example", "cara", "digest:bob:7")
    (renamed,) = digest_letters([kept(agent="anna")], {}, office)
    assert renamed.to.address == "ann@staff.example"
    led_by_nobody = replace(office, agents=tuple(replace(one, role="agent") for one in office.agents))
    assert [one.to.address for one in digest_letters([gone], {}, led_by_nobody)] == [
        "ann@staff.example",
        "bob@staff.example",
        "max@staff.example",
    ]
    assert digest_letters([gone], {}, replace(office, agents=())) == ()


@pytest.mark.parametrize(("assignee", "owner"), [("bob", "bob"), (None, ""), ("zoe", "")])
def test_each_line_names_who_has_the_ticket(office, assignee, owner):
    (letter, *_) = digest_letters([kept(assignee=assignee)], {}, office)
    assert [line.owner for line in letter.lines] == [owner]
