"""An office, and cases for its decisions."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from maild.desk import AckRule, Agent, Case, Customer, Mailbox, Office, Told
from maild.mail import Received
from maild.outbound.letters import Desk
from maild.sla.hours import ALWAYS, weekdays
from maild.sla.ladder import DEFAULT
from maild.sla.policy import Metric, standard
from maild.sla.severity import Guess
from maild.threading.place import Placement, Rung
from maild.ticket import Severity
from maild.trust import Authority, Standing, Trust

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)


@pytest.fixture
def office():
    return Office(
        desk=Desk("Example Support", "csm@desk.example", "CSM", "desk.example", "Europe/Berlin"),
        mailboxes=(
            Mailbox("csm@desk.example", ("support@desk.example",), ("ann", "bob"), "en", "+", "participants", ""),
            Mailbox("plain@desk.example", (), (), "en", "", "everyone", ""),
        ),
        agents=(
            Agent("ann", "Ann", "ann@staff.example", "agent", "Europe/Berlin"),
            Agent("bob", "", "bob@staff.example", "lead", "Europe/Berlin"),
            Agent("max", "Max", "max@staff.example", "manager", "Europe/Berlin"),
        ),
        customers=(
            Customer("acme.example", "", "Acme", "", "", ""),
            Customer("", "vip@acme.example", "Vip", "ann", "gold", "gold"),
        ),
        policies={"": standard(weekdays("Europe/Berlin"), ALWAYS), "gold": standard(ALWAYS, ALWAYS)},
        ladders=dict.fromkeys(Metric, DEFAULT),
        ack=AckRule("known", 3, 10, 60),
        authority=Authority(("mx.desk.example",)),
        agents_need="dmarc-or-token",
        keys=(b"k" * 32,),
    )


@pytest.fixture
def make_case(make_mail, office):
    def make(ticket=None, **changes):
        mail = changes.pop("mail", {})
        rung = Rung.NEW if ticket is None else Rung.STORED_ID
        case = Case(
            received=Received(7, "d" * 64, "carol@acme.example", "csm@desk.example", "smtp", "127.0.0.1", NOW, 1),
            mail=make_mail(**mail),
            mailbox=office.mailboxes[0],
            placement=Placement(ticket.number if ticket else None, rung, "the evidence"),
            trust=Trust(Standing.AUTHENTICATED, "dmarc", "dmarc=pass for acme.example"),
            guess=Guess(Severity.NORMAL, ("nothing says otherwise",)),
            ticket=ticket,
            told=Told(),
            messages=(),
            number=1042,
            known=False,
            acks=(0, 0, 0),
        )
        return replace(case, **changes)

    return make
