"""Laws of the fold over any life of a ticket."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from maild.sla.clock import ClockState, History, SlaEvent
from maild.sla.fold import fold
from maild.sla.hours import ALWAYS, Calendar, between
from maild.sla.ladder import DEFAULT, due_levels, next_level_at
from maild.sla.policy import standard
from maild.ticket import Severity

WEEK = Calendar.from_json(
    {"tz": "Europe/Berlin", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
)
POLICY = standard(WEEK, ALWAYS)
START = datetime(2026, 3, 26, 9, tzinfo=UTC)

moments = st.integers(0, 7 * 24 * 12).map(lambda steps: START + steps * timedelta(minutes=5))
events = st.one_of(
    st.builds(SlaEvent, moments, st.sampled_from(["customer_message", "agent_note", "auto_reply"])),
    st.builds(SlaEvent, moments, st.just("agent_reply"), status=st.sampled_from(["", "", "waiting", "resolved"])),
    st.builds(SlaEvent, moments, st.just("status"), st.sampled_from(["open", "waiting", "resolved", "closed"])),
    st.builds(SlaEvent, moments, st.just("set_severity"), st.sampled_from([each.value for each in Severity])),
)
lives = st.builds(
    History,
    st.just(START),
    st.sampled_from(["customer", "agent"]),
    st.sampled_from(list(Severity)),
    st.lists(events, max_size=12).map(tuple),
)


@settings(max_examples=200, deadline=None)
@given(lives, moments, moments)
def test_what_time_may_not_change(life, one, other):
    now, later = sorted((one, other))
    before = {(clock.metric, clock.cycle): clock for clock in fold(life, POLICY, now)}
    after = {(clock.metric, clock.cycle): clock for clock in fold(life, POLICY, later)}
    known = History(life.opened_at, life.opened_by, life.severity, tuple(x for x in life.events if x.at <= now))
    assert fold(known, POLICY, now) == tuple(before.values()), "what is to come has no say"
    for key, clock in before.items():
        assert key in after, "a clock does not vanish"
        if clock.breached_at is not None:
            assert clock.breached_at <= now
            assert after[key].breached_at == clock.breached_at, "a recorded breach stays"
        if clock.state is ClockState.MET and after[key].stopped_at == clock.stopped_at:
            assert after[key] == clock, "a met clock is never judged again"
        assert (clock.limit_at is None) == (clock.target_at is None) == clock.paused
        if clock.elapsed_seconds is not None and clock.breached_at is None:
            assert clock.elapsed_seconds <= clock.limit_seconds, "met in time"
        calendar = POLICY.calendar(clock.calendar_name)
        assert all(start <= (end or now) or end is None for start, end in clock.spans)
        assert clock.paused_seconds <= between(calendar, life.opened_at, now)


@settings(max_examples=150, deadline=None)
@given(lives, moments, st.sets(st.sampled_from(["target", "75%", "90%", "limit", "limit+100%"])).map(frozenset))
def test_what_is_owed_is_what_was_announced(life, now, sent):
    for clock in fold(life, POLICY, now):
        calendar = POLICY.calendar(clock.calendar_name)
        instant = next_level_at(clock, calendar, DEFAULT, sent)
        mail = due_levels(clock, calendar, DEFAULT, sent, now)
        assert (mail is not None) == (instant is not None and instant <= now)
        if mail is not None:
            assert not sent.intersection(mail.covered)
            assert mail.name == mail.covered[-1]
            assert mail.is_breach or clock.breached_at is None, "no mere warning after a breach"
            assert due_levels(clock, calendar, DEFAULT, sent | frozenset(mail.covered), now) is None, "once"
