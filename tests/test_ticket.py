"""The states of a ticket: every trigger leads where the table says, and nowhere else."""

import pytest

from maild.ticket import TRANSITIONS, Severity, State, Trigger, move


@pytest.mark.parametrize(
    ("state", "trigger", "after"),
    [
        (State.NEW, Trigger.AGENT_REPLY, State.OPEN),
        (State.NEW, Trigger.CUSTOMER_MESSAGE, State.NEW),
        (State.OPEN, Trigger.PEND, State.PENDING),
        (State.PENDING, Trigger.CUSTOMER_MESSAGE, State.OPEN),
        (State.PENDING, Trigger.AGENT_REPLY, State.PENDING),
        (State.OPEN, Trigger.RESOLVE, State.RESOLVED),
        (State.RESOLVED, Trigger.CUSTOMER_MESSAGE, State.OPEN),
        (State.RESOLVED, Trigger.AGENT_REPLY, State.RESOLVED),
        (State.CLOSED, Trigger.CUSTOMER_MESSAGE, State.OPEN),
        (State.CLOSED, Trigger.REOPEN, State.OPEN),
        (State.CLOSED, Trigger.AGENT_REPLY, None),
        (State.NEW, Trigger.REOPEN, None),
        (State.OPEN, Trigger.RESUME, None),
        (State.RESOLVED, Trigger.PEND, None),
    ],
)
def test_a_trigger_leads_where_the_table_says(state, trigger, after):
    assert move(state, trigger) is after


def test_the_table_is_all_that_moves_a_ticket():
    assert {(state, trigger) for state in State for trigger in Trigger if move(state, trigger)} == set(TRANSITIONS)


def test_every_state_can_be_reached_and_left():
    for state in State:
        assert (
            any(after is state for (before, _), after in TRANSITIONS.items() if before is not state)
            or state is State.NEW
        )
        assert any(after is not state for (before, _), after in TRANSITIONS.items() if before is state)


def test_a_word_of_the_customer_is_heard_in_every_state():
    assert all(move(state, Trigger.CUSTOMER_MESSAGE) in {State.NEW, State.OPEN} for state in State)


def test_nobody_moves_a_ticket_back_to_new():
    assert not [key for key, after in TRANSITIONS.items() if after is State.NEW and key[0] is not State.NEW]


def test_severities_stand_worst_first():
    assert sorted(Severity, key=lambda each: each.rank) == [
        Severity.URGENT,
        Severity.HIGH,
        Severity.NORMAL,
        Severity.LOW,
    ]
    assert Severity.URGENT.rank == 0
