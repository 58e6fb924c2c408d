"""Who took a clock over is not told; who is on call next is. Times are of Monday 9 March 2026, UTC."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.sla.clock import History, SlaEvent
from maild.sla.fold import fold
from maild.sla.hours import ALWAYS, Calendar
from maild.sla.ladder import DEFAULT, Hush, Rung, due_levels, levels, next_level_at
from maild.sla.policy import Metric, standard
from maild.ticket import Severity

WEEK = Calendar.from_json(
    {"tz": "UTC", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
)
POLICY = standard(WEEK, ALWAYS)
START = datetime(2026, 3, 9, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NONE: frozenset[str] = frozenset()
CALLED = (Rung("75%", ("assignee",)), Rung("limit", ("oncall", "lead"), next_after=600))


def at(text):
    days, _, time = text.rpartition(" ")
    hour, minute = time.split(":")
    return datetime(2026, 3, 9, int(hour), int(minute), tzinfo=UTC) + timedelta(days=int(days or 0))


def clock(now, *events, metric=Metric.FIRST_RESPONSE, severity=Severity.NORMAL):
    life = History(START, "customer", severity, tuple(SlaEvent(at(time), *rest) for time, *rest in events))
    return next(each for each in fold(life, POLICY, at(now)) if each.metric is metric)


def hush(since, **more):
    return Hush("acknowledged by bob", at(since), **more)


@pytest.mark.parametrize(
    ("since", "now", "sent", "warnings_only", "name", "silent", "why"),
    [
        ("09:30", "12:40", NONE, False, None, None, "no warning"),
        ("09:30", "13:00", NONE, False, None, None, "a reply now would be in time"),
        ("09:30", "13:01", NONE, False, "limit", True, "the breach is recorded, and told to nobody"),
        ("09:30", "+2 10:00", NONE, False, "limit", True, "the daemon was down: recorded at the limit, no higher"),
        ("09:30", "+2 10:00", {"limit"}, False, None, None, "once"),
        ("13:30", "+2 10:00", {"limit"}, False, None, None, "after the limit: nothing more"),
        ("13:30", "+2 10:00", NONE, True, "limit", True, "after a breach that nobody was told of yet"),
        ("09:30", "12:40", NONE, True, None, None, "warnings only: no warning"),
        ("09:30", "13:01", NONE, True, "limit", False, "warnings only: the breach is told"),
        ("09:30", "+2 10:00", {"limit"}, True, "limit+100%, day 1", False, "and what comes after it"),
        ("13:30", "+2 10:00", {"limit"}, True, None, None, "until somebody takes that over"),
    ],
)
def test_what_a_silent_ladder_owes(since, now, sent, warnings_only, name, silent, why):
    held = hush(since, warnings_only=warnings_only)
    owed = due_levels(clock(now), WEEK, DEFAULT, frozenset(sent), at(now), 1, held)
    assert (owed and owed.name) == name, why
    assert (owed and owed.silent) is silent, why
    if owed is not None and owed.silent:
        assert owed.notify == ()
        assert owed.is_breach
        assert owed.because.endswith("; acknowledged by bob: nobody is told")


def test_it_wakes_at_the_limit_to_record():
    held = hush("09:30")
    assert next_level_at(clock("09:30"), WEEK, DEFAULT, NONE, 1, held) == at("13:00") + TICK
    owed = due_levels(clock("13:01"), WEEK, DEFAULT, NONE, at("13:01"), 1, held)
    assert owed.covered == ("target", "75%", "90%", "limit")
    assert next_level_at(clock("13:01"), WEEK, DEFAULT, frozenset(owed.covered), 1, held) is None


def test_warnings_that_were_silenced_bring_nobody_besides():
    owed = due_levels(clock("13:01"), WEEK, DEFAULT, NONE, at("13:01"), 1, hush("09:30", warnings_only=True))
    assert owed.covered == ("target", "75%", "90%", "limit")
    assert owed.notify == ("assignee", "lead"), "the team of 90% was not to be told"


def test_a_ladder_without_a_breach_has_none_to_record():
    assert due_levels(clock("14:00"), WEEK, (Rung("75%", ("team",)),), NONE, at("14:00"), 1, hush("09:30")) is None


def test_what_was_passed_in_silence_is_told_when_it_lapses():
    lapsed = hush("09:30", lapsed_at=at("12:30"))
    assert next_level_at(clock("12:30"), WEEK, DEFAULT, NONE, 1, lapsed) == at("10:00")
    owed = due_levels(clock("12:30"), WEEK, DEFAULT, NONE, at("12:30"), 1, lapsed)
    assert (owed.name, owed.covered, owed.silent) == ("75%", ("target", "75%"), False)


class TestABreachThatNobodyWasToldOf:
    SENT = frozenset({"target", "75%", "90%", "limit"})
    LAPSED = hush("09:30", lapsed_at=at("14:00"), unsaid="limit")

    def test_it_is_told_when_the_silence_ends(self):
        owed = due_levels(clock("14:01"), WEEK, DEFAULT, self.SENT, at("14:01"), 1, self.LAPSED)
        assert (owed.name, owed.notify, owed.covered) == (
            "limit, after all",
            ("assignee", "lead"),
            ("limit, after all",),
        )
        assert "told to nobody while it was acknowledged" in owed.because
        assert next_level_at(clock("14:01"), WEEK, DEFAULT, self.SENT, 1, self.LAPSED) == at("14:00")

    def test_once(self):
        sent = self.SENT | {"limit, after all"}
        assert due_levels(clock("14:01"), WEEK, DEFAULT, sent, at("14:01"), 1, self.LAPSED) is None
        assert next_level_at(clock("14:01"), WEEK, DEFAULT, sent, 1, self.LAPSED) == at("17:00") + TICK

    def test_with_what_was_passed_besides_in_one_mail(self):
        owed = due_levels(clock("+1 10:00"), WEEK, DEFAULT, self.SENT, at("+1 10:00"), 1, self.LAPSED)
        assert (owed.name, set(owed.covered)) == ("limit+100%", {"limit, after all", "limit+100%"})

    @pytest.mark.parametrize(
        ("held", "events", "why"),
        [
            (LAPSED, [("13:30", "agent_reply")], "an answer ended it"),
            (hush("09:30", unsaid="limit"), [], "somebody still has it"),
            (hush("09:30", lapsed_at=at("14:00"), unsaid="gone"), [], "no rung of that name any more"),
            (hush("09:30", lapsed_at=at("14:00")), [], "it was told"),
        ],
    )
    def test_not_otherwise(self, held, events, why):
        assert due_levels(clock("14:01", *events), WEEK, DEFAULT, self.SENT, at("14:01"), 1, held) is None, why


class TestTheNextInTheRota:
    def test_each_is_told_once_in_open_time(self):
        found = levels(clock("09:00"), WEEK, CALLED, 4)
        assert [(level.name, level.at, level.notify) for level in found] == [
            ("75%", at("12:00"), ("assignee",)),
            ("limit", at("13:00"), ("oncall", "lead")),
            ("limit, next 1", at("13:10"), ("oncall+1",)),
            ("limit, next 2", at("13:20"), ("oncall+2",)),
            ("limit, next 3", at("13:30"), ("oncall+3",)),
        ]

    def test_nobody_is_called_while_the_desk_is_closed(self):
        late = (Rung("limit+98%", ("oncall",), next_after=600),)
        found = levels(clock("09:00"), WEEK, late, 3)
        seconds = timedelta(seconds=12)
        assert [level.at - seconds for level in found] == [at("16:55"), at("+1 09:05"), at("+1 09:15")]

    def test_an_answer_ends_it(self):
        answered = clock("14:00", ("13:15", "agent_reply"))
        assert [level.name for level in levels(answered, WEEK, CALLED, 4)] == ["75%", "limit", "limit, next 1"]
        assert due_levels(answered, WEEK, CALLED, frozenset({"75%", "limit"}), at("14:00"), 4) is None

    def test_one_alone_is_followed_by_nobody(self):
        assert [level.name for level in levels(clock("09:00"), WEEK, CALLED, 1)] == ["75%", "limit"]
        assert len(levels(clock("09:00"), WEEK, DEFAULT, 9)) == len(levels(clock("09:00"), WEEK)), "nobody is on call"

    def test_who_follows_does_after_whoever_was_called(self):
        owed = due_levels(clock("13:11"), WEEK, CALLED, frozenset({"75%", "limit"}), at("13:11"), 4)
        assert (owed.notify, owed.since) == (("oncall+1",), at("13:00"))
        assert due_levels(clock("13:11"), WEEK, CALLED, NONE, at("13:11"), 4).since is None, "he is called now"

    def test_after_downtime_all_whose_turn_came(self):
        owed = due_levels(clock("13:21"), WEEK, CALLED, NONE, at("13:21"), 4)
        assert owed.name == "limit, next 2"
        assert owed.notify == ("assignee", "lead", "oncall", "oncall+1", "oncall+2")
        assert owed.covered == ("75%", "limit", "limit, next 1", "limit, next 2")
        assert "nobody answered it or took it over" in owed.because

    def test_whoever_takes_it_ends_it(self):
        assert due_levels(clock("14:00"), WEEK, CALLED, frozenset({"limit"}), at("14:00"), 4, hush("13:05")) is None


steps = st.integers(0, 7 * 24 * 12).map(lambda count: START + count * timedelta(minutes=5))
happenings = st.one_of(
    st.builds(SlaEvent, steps, st.just("customer_message")),
    st.builds(SlaEvent, steps, st.just("agent_reply"), status=st.sampled_from(["", "waiting", "resolved"])),
    st.builds(SlaEvent, steps, st.just("status"), st.sampled_from(["open", "waiting", "resolved"])),
    st.builds(SlaEvent, steps, st.just("set_severity"), st.sampled_from([each.value for each in Severity])),
)
lives = st.builds(
    History,
    st.just(START),
    st.just("customer"),
    st.sampled_from(list(Severity)),
    st.lists(happenings, max_size=8).map(tuple),
)
ladders = st.sampled_from([DEFAULT, CALLED, (*DEFAULT[:3], Rung("limit", ("oncall",), daily=1), DEFAULT[4])])
hushes = st.one_of(
    st.none(),
    st.builds(Hush, st.just("acknowledged"), steps, st.booleans()),
    st.builds(Hush, st.just("acknowledged"), steps, st.booleans(), steps, st.sampled_from(["", "limit"])),
)
rotas = st.integers(1, 4)


@settings(max_examples=150, deadline=None)
@given(lives, ladders, rotas)
def test_levels_are_unique_and_in_order(life, ladder, rota):
    for each in fold(life, POLICY, START + timedelta(days=9)):
        found = levels(each, POLICY.calendar(each.calendar_name), ladder, rota)
        assert len({level.name for level in found}) == len(found)
        assert [level.at for level in found] == sorted(level.at for level in found)
        assert sum(", next " in level.name for level in found) <= rota - 1


@settings(max_examples=200, deadline=None)
@given(lives, steps, st.sets(st.sampled_from(["75%", "limit", "limit, next 1"])).map(frozenset), ladders, rotas, hushes)
def test_what_is_owed_is_what_was_announced(life, now, sent, ladder, rota, held):
    for each in fold(life, POLICY, now):
        calendar = POLICY.calendar(each.calendar_name)
        instant = next_level_at(each, calendar, ladder, sent, rota, held)
        owed = due_levels(each, calendar, ladder, sent, now, rota, held)
        assert (owed is not None) == (instant is not None and instant <= now)
        if owed is not None:
            assert not sent.intersection(owed.covered)
            assert owed.name in owed.covered
            assert bool(owed.notify) is not owed.silent
            again = due_levels(each, calendar, ladder, sent | frozenset(owed.covered), now, rota, held)
            assert again is None, "once"


def walk(life, ladder, rota, held, until):
    """Let time pass as the daemon does. `held` begins to count at its own instant."""
    told, sent, now = [], {}, START
    while now <= until:
        following = []
        for each in fold(life, POLICY, now):
            calendar = POLICY.calendar(each.calendar_name)
            hushed = held if held is not None and held.since <= now else None
            key = (each.metric, each.cycle)
            before = sent.get(key, NONE)
            owed = due_levels(each, calendar, ladder, before, now, rota, hushed)
            if owed is not None:
                told.append((key, now, owed))
                sent[key] = before = before | frozenset(owed.covered)
            following.append(next_level_at(each, calendar, ladder, before, rota, hushed))
        moments = [when for when in following if when is not None]
        moments += [event.at for event in life.events] + ([held.since] if held is not None else [])
        now = min((when for when in moments if when > now), default=until + TICK)
    return told


@settings(max_examples=100, deadline=None)
@given(lives, ladders, rotas, steps, st.booleans())
def test_a_breach_is_recorded_once_with_or_without_an_acknowledgement(life, ladder, rota, since, warnings_only):
    until = START + timedelta(days=8)
    held = Hush("acknowledged", since, warnings_only)

    def breaches(told):
        return [(key, owed.name) for key, _, owed in told if "limit" in owed.covered]

    silent, loud = walk(life, ladder, rota, held, until), walk(life, ladder, rota, None, until)
    assert sorted(key for key, _ in breaches(silent)) == sorted(key for key, _ in breaches(loud))
    assert len(breaches(silent)) == len(set(breaches(silent)))
    after = [owed for _, when, owed in silent if when >= since]
    if not warnings_only:
        assert all(owed.silent for owed in after), "after an acknowledgement no letter"
    assert all(owed.silent or owed.is_breach for owed in after), "no warning in any case"
