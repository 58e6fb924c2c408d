"""Tickets and clocks with sensible defaults; any field can be given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.mail import Address
from maild.report.figures import Life
from maild.sla.clock import Clock, ClockState
from maild.sla.policy import Metric
from maild.ticket import Severity, State, Ticket

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

TICKET = Ticket(
    number=1001,
    mailbox="csm@desk.example",
    subject="a matter",
    state=State.OPEN,
    severity=Severity.NORMAL,
    severity_because=(),
    requester=Address("", "carol@acme.example"),
    participants=(),
    assignee=None,
    opened_at=MONDAY,
    opened_by="customer",
    root_id="t@desk.example",
)


@pytest.fixture
def monday():
    return MONDAY


@pytest.fixture
def make_clock():
    def make(minutes=30, limit=60, *, start=MONDAY, metric=Metric.FIRST_RESPONSE, **fields):
        """Give a clock that was stopped after so many minutes (None: it runs), and breached at its limit."""
        stopped = None if minutes is None else start + timedelta(minutes=minutes)
        late = minutes is not None and minutes > limit
        clock = Clock(
            metric=metric,
            cycle=1,
            calendar_name="always",
            target_seconds=limit * 30,
            limit_seconds=limit * 60,
            spans=((start, stopped),),
            target_at=start + timedelta(minutes=limit / 2),
            limit_at=start + timedelta(minutes=limit),
            state=ClockState.RUNNING if stopped is None else ClockState.BREACHED if late else ClockState.MET,
            stopped_at=stopped,
            breached_at=start + timedelta(minutes=limit) if late else None,
            by_reclassification=False,
            elapsed_seconds=None if minutes is None else minutes * 60,
            paused_seconds=0,
        )
        return replace(clock, **fields)

    return make


@pytest.fixture
def make_life():
    def make(*clocks, customer="Acme", **fields):
        return Life(replace(TICKET, **fields), customer, clocks)

    return make
