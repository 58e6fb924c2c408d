"""Which escalations wait for a digest: a table of how a person stands, and what holds however a storm is cut into units."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Decision, Escalated
from maild.desk.digest import MOST, WINDOW, mails_of, reader_of, sort_out
from maild.outbound.digest_letter import Mailed
from maild.outbound.letters import EscalationLetter, Recipient, WordLetter
from maild.ticket import Event

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def make_decision(make_ticket):
    def make(number, *agents, at=NOW, quiet_until=None, level="limit"):
        ticket = make_ticket(number=number)
        because = f"first_response: {level} was reached; told {', '.join(agents)}"
        letters = tuple(
            EscalationLetter(
                key=f"escalation:{number}:first_response:1:{level}:{agent}",
                ticket=ticket,
                agent=Recipient(agent, f"{agent}@staff.example"),
                metric="first_response",
                level=level,
                target_at=at,
                limit_at=at,
                limit_seconds=1800,
                owner="",
                customer="Acme",
                clocks=(),
                last_from="",
                last_at=None,
                last_text="",
                next_at=None,
                next_who=(),
                reply_to="csm@desk.example",
                envelope_from="",
                message_id="a@desk.example",
                root_id="r@desk.example",
                quiet_until=quiet_until,
            )
            for agent in agents
        )
        event = Event(at, "maild", "breach", because, {"metric": "first_response", "cycle": 1, "level": level})
        told = (Escalated(number, "first_response", 1, "target", because),)
        return Decision(because, ticket=ticket, events=(event,), escalations=told, letters=letters)

    return make


# How ann stands, mails owed to her in this unit and after it; None for mails, else from when on the digest may leave.
TABLE = [
    (Mailed(), 1, 0, None),
    (Mailed(), MOST, 0, None),
    (Mailed(), MOST + 1, 0, timedelta(0)),
    (Mailed(), 1, MOST, timedelta(0)),
    (Mailed(), 1, MOST - 1, None),
    (Mailed(mails=4, since=NOW - 20 * SECOND), 1, 0, None),
    (Mailed(mails=4, since=NOW - 20 * SECOND), 1, 1, 40 * SECOND),
    (Mailed(mails=5, since=NOW - 59 * SECOND), 1, 0, SECOND),
    (Mailed(mails=5, since=NOW - 59 * SECOND), 9, 0, timedelta(0)),
    (Mailed(digest_at=NOW - 10 * SECOND), 1, 0, 50 * SECOND),
    (Mailed(digest_at=NOW - 10 * SECOND), 99, 99, 50 * SECOND),
    (Mailed(open_at=NOW - SECOND), 1, 0, -SECOND),
    (Mailed(open_at=NOW + 30 * SECOND, digest_at=NOW - 30 * SECOND), 1, 0, 30 * SECOND),
    (Mailed(open_at=NOW + timedelta(hours=1)), 1, 0, WINDOW),
]


@pytest.mark.parametrize(("mailed", "owed", "ahead", "wanted"), TABLE)
def test_mails_or_a_digest(make_decision, office, mailed, owed, ahead, wanted):
    unit = [make_decision(1000 + number, "ann") for number in range(owed)]
    found = sort_out(unit, {"ann": mailed}, {"ann": ahead}, office, NOW)
    items = [item for decision in found for item in decision.digested]
    assert sum(len(decision.letters) for decision in found) == (owed if wanted is None else 0)
    assert [item.send_at - NOW for item in items] == ([] if wanted is None else [wanted] * owed)


def test_each_person_stands_for_himself_and_other_letters_are_left_alone(make_decision, office, make_ticket):
    word = WordLetter("w", make_ticket(), Recipient("Ann", "ann@staff.example"), "s", (), "", "", "", "", "")
    decision = make_decision(1000, "ann", "bob")
    decision = replace(
        decision, letters=(*decision.letters, word), events=(*decision.events, Event(NOW, "x", "y", "z"))
    )
    (found,) = sort_out([decision], {"ann": Mailed(open_at=NOW)}, {}, office, NOW)
    assert [letter.key for letter in found.letters] == [decision.letters[1].key, "w"]
    (item,) = found.digested
    assert (item.key, item.agent, item.address, item.ticket) == (
        decision.letters[0].key,
        "ann",
        "ann@staff.example",
        1000,
    )
    assert (item.title, item.level, item.cycle, item.quiet) == ("Acme: checkout down", "limit", 1, False)
    words = "; ann in a digest at once (one is being gathered)"
    assert found.events[0].because == decision.events[0].because + words
    assert found.events[1] == decision.events[1]
    assert found.escalations[0].because == decision.escalations[0].because + words
    assert found.because.endswith(words)
    assert decision.letters[0].limit_at == item.reached_at


def test_quiet_hours_hold_back_and_count_for_no_storm(make_decision, office):
    until = NOW + timedelta(hours=8)
    unit = [make_decision(1000 + number, "ann", "bob", quiet_until=until) for number in range(9)]
    loud = [make_decision(2000 + number, "ann") for number in range(MOST)]
    assert mails_of(unit[0], office) == {}
    found = sort_out([*unit, *loud], {}, {}, office, NOW)
    items = [item for decision in found for item in decision.digested]
    assert {(item.send_at, item.quiet, item.because) for item in items} == {(until, True, "quiet hours")}
    assert len(items) == 18
    assert sum(len(decision.letters) for decision in found) == MOST
    assert "ann in a digest at 2026-03-11 17:00:00 UTC (quiet hours), bob in a digest" in found[0].events[0].because


def test_an_address_of_no_agent_is_counted_by_itself(make_decision, office):
    decision = make_decision(1000, "ann")
    letter = replace(decision.letters[0], agent=Recipient("Eve", "Eve@else.example"))
    assert reader_of(letter, office) == "eve@else.example"
    assert mails_of(replace(decision, letters=(letter,)), office) == {"eve@else.example": 1}


storms = st.lists(
    st.tuples(st.integers(0, 40), st.lists(st.sampled_from(("ann", "bob", "max")), max_size=3, unique=True)),
    max_size=60,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(storms=storms, size=st.integers(1, 16), foresees=st.booleans())
def test_however_it_is_cut_each_is_one_mail_or_one_item_and_nobody_gets_six_in_a_minute(
    storms, size, foresees, make_decision, office
):
    at, number = NOW, 1000
    mails, items, digests, opened = [], [], [], []
    owed = []
    for pause, agents in storms:
        at, number = at + pause * SECOND, number + 1
        owed.append((at, make_decision(number, *agents, at=at)))
    while owed:
        at = owed[0][0]
        due = [decision for when, decision in owed if when == at]
        owed = owed[len(due) :]
        for start in range(0, len(due), size):
            unit, rest = due[start : start + size], due[start + size :] if foresees else []
            ahead = sum((mails_of(one, office) for one in rest), Counter())
            mailed = {}
            for agent in ("ann", "bob", "max"):
                recent = [one for one, who, _ in mails if who == agent and at - WINDOW < one <= at]
                written = [one for one, who in digests if who == agent and at - WINDOW < one <= at]
                waits = [item.send_at for item in opened if item.agent == agent]
                mailed[agent] = Mailed(
                    len(recent), min(recent, default=None), max(written, default=None), min(waits, default=None)
                )
            for decision in sort_out(unit, mailed, ahead, office, at):
                mails += [(at, reader_of(letter, office), letter.key) for letter in decision.letters]
                opened += decision.digested
                items += [item.key for item in decision.digested]
        # Nothing more is due now: what may leave leaves.
        for agent in ("ann", "bob", "max"):
            ripe = [item for item in opened if item.agent == agent and item.send_at <= at]
            digests += [(at, agent)] * bool(ripe)
            opened = [item for item in opened if item not in ripe]
    keys = [key for _, _, key in mails] + items
    assert len(keys) == len(set(keys)) == sum(len(agents) for _, agents in storms)
    for agent in ("ann", "bob", "max"):
        told = [one for one, who, _ in mails if who == agent]
        assert all(sum(one <= other < one + WINDOW for other in told) <= MOST for one in told)
        left = [one for one, who in digests if who == agent]
        assert all(later - earlier >= WINDOW for earlier, later in pairwise(left))
