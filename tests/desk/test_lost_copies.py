"""A copy that failed for good: its address is left out, until somebody names it again or it writes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maild.desk import Told, on_command
from maild.desk.copies import Copy
from maild.desk.participants import copied, unreachable
from maild.desk.report import on_failure
from maild.mail import Address, Delivery
from maild.ticket import Event, Message

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
DORA = "dora@else.example"
HOUR = timedelta(hours=1)


@pytest.fixture
def failed(make_ticket, office):
    """The ticket and what is told of it, after the copy of an answer failed."""

    def make(status="5.1.1", words="550 gone"):
        ticket = make_ticket(participants=("carol@acme.example", DORA))
        reply = Event(NOW, "ann", "agent_reply", "", {"ref": "r", "recipient": "carol@acme.example", "copied": [DORA]})
        added = Event(NOW, "ann", "participant_added", "", {"address": DORA, "by": "agent"})
        told = Told((Event(NOW, "carol@acme.example", "opened", "", {"severity": "normal"}), added, reply))
        report = Delivery("Dora@else.example", "failed", status, words, "r")
        decision = on_failure(ticket, told, report, NOW + HOUR, office, NOW + HOUR)
        return ticket, told.and_then(*decision.events), decision

    return make


@pytest.mark.parametrize(
    ("status", "words", "gets"),
    [
        ("5.1.1", "x", ()),
        ("", "550 gone", ()),
        ("4.4.7", "550 odd", (DORA,)),
        ("", "451 later", (DORA,)),
        ("", "", (DORA,)),
    ],
)
def test_only_what_failed_for_good_is_left_out(failed, office, status, words, gets):
    ticket, told, decision = failed(status, words)
    assert copied(ticket, (), told.events, office) == gets
    assert ("he gets no more copies" in decision.because) is not bool(gets)
    assert ("He gets no more copies" in decision.letters[0].lines[2]) is not bool(gets)


@pytest.mark.parametrize(("after", "back"), [(-1, False), (2, True)])
def test_whoever_writes_gets_copies_again(failed, office, after, back):
    ticket, told, _ = failed()
    wrote = Message(9, 1042, "", NOW + after * HOUR, Address("", DORA), "customer", "", "", "", "", "", "", ())
    assert copied(ticket, (wrote,), told.events, office) == ((DORA,) if back else ())
    assert copied(ticket, (replace(wrote, kind="bounce"),), told.events, office) == ()


def test_whoever_is_named_again_gets_copies_again(failed, office):
    ticket, told, _ = failed()
    done = on_command(ticket, told, Copy(DORA), office, "root", NOW + 2 * HOUR)
    assert unreachable((), told.and_then(*done.events).events) == frozenset()
    assert copied(done.ticket, (), told.and_then(*done.events).events, office) == (DORA,)
