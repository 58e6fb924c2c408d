"""What holds of acknowledgements whatever is done to a ticket: a breach that nobody answers for was told to somebody."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maild.desk import Acknowledge, Assign, Grade, Refused, Step, Told, after, on_command, on_due
from maild.desk.ack import SILENT, ack_of
from maild.desk.merge import Side
from maild.desk.undo import on_undo
from maild.sla.ladder import DEFAULT, Rung
from maild.sla.policy import Metric
from maild.sla.rota import Rota, Turns
from maild.ticket import Event, Severity, State

CALLED = (Rung("75%", ("assignee",)), Rung("limit", ("oncall",), next_after=600))
ROTA = Rota("support", Turns(("ann", "bob"), datetime(2026, 1, 5, 9), 365 * 86400, "UTC"))  # noqa: DTZ001 - on a wall
WORDS = st.one_of(
    st.sampled_from(["ann", "bob", "max"]).map(Acknowledge),
    st.sampled_from([None, "ann", "bob", "max"]).map(Assign),
    st.sampled_from(list(Step)),
    st.sampled_from(list(Severity)).map(Grade),
    st.sampled_from(["undo", "answer", "customer", "leaves", "look"]),
)


def _said(word, ticket, told, office, at):
    """Give the decision on a word, None where it is refused; what mail does to a ticket is told by its event alone."""
    if word == "undo":
        done = on_undo(Side(ticket, told), None, {}, office, "bob", at)
        return None if isinstance(done, Refused) else done[0]
    done = on_command(ticket, told, word, office, "bob", at)
    return None if isinstance(done, Refused) else done


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.tuples(WORDS, st.integers(1, 400)), max_size=12),
    ladder=st.sampled_from([DEFAULT, CALLED]),
    stops=st.sampled_from(["all", "warnings"]),
)
def test_a_breach_that_nobody_answers_for_was_told(make_ticket, office, now, words, ladder, stops):
    office = replace(office, ladders=dict.fromkeys(Metric, ladder), ack_stops=stops, rotas=(ROTA,))
    ticket, at = make_ticket(), now
    told = Told((Event(now, "carol@acme.example", "opened", "new", {"severity": "normal"}),))
    wakes = now
    for word, minutes in [*words, ("look", 1)]:
        at += timedelta(minutes=minutes)
        if wakes is None or wakes > at:
            assert on_due(ticket, told, (), office, at).escalations == ()
        if word == "leaves":
            office = replace(office, agents=tuple(one for one in office.agents if one.id != "max"))
        elif word == "answer":
            data = {"ref": "a@b", "recipient": ticket.requester.key}
            told = told.and_then(Event(at, "bob", "agent_reply", "answered", data))
        elif word == "customer":
            ended = ticket.state in {State.RESOLVED, State.CLOSED}
            told = told.and_then(Event(at, ticket.requester.key, "reopened" if ended else "customer_message", "wrote"))
            ticket = replace(ticket, state=State.OPEN, resolved_at=None, closed_at=None) if ended else ticket
        elif word != "look":
            done = _said(word, ticket, told, office, at)
            if done is not None:
                ticket, told = done.ticket or ticket, after(told, done)
        done = on_due(ticket, told, (), office, at)
        ticket, told = done.ticket or ticket, after(told, done)
        wakes = min((when for _, when in done.clocks or () if when is not None), default=None)
    for clock in told.clocks:
        ack = ack_of(ticket, told.events, clock, office)
        waits = clock.breached_at is not None and clock.stopped_at is None and not clock.paused
        if waits and (ack is None or ack.lapsed_at is not None):
            breaches = [
                event
                for event in told.events
                if event.what == "breach"
                and not event.data.get(SILENT)
                and (event.data["metric"], event.data["cycle"]) == (clock.metric, clock.cycle)
            ]
            assert breaches, (clock, ack, [(e.at, e.what, e.because) for e in told.events])
