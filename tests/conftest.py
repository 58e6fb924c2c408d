"""Values that several rooms' tests build on."""

from datetime import UTC, datetime

import pytest
from hypothesis import settings

from maild.mail import Address, InboundMail, Origin
from maild.ticket import Severity, State, Ticket

settings.register_profile("maild", deadline=None, max_examples=60)
settings.load_profile("maild")

NOW = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def make_mail():
    def make(**changes):
        values = {
            "message_id": "m1@client.example",
            "in_reply_to": (),
            "references": (),
            "from_": (Address("Carol", "carol@acme.example"),),
            "from_fields": 1,
            "reply_to": (),
            "to": (Address("", "csm@desk.example"),),
            "cc": (),
            "subject": "checkout down",
            "date": None,
            "text": "Nobody can pay.",
            "html": None,
            "new_text": "Nobody can pay.",
            "attachments": (),
            "headers": (),
            "body_digest": "b1",
            "size": 100,
            "origin": Origin.PERSON,
            "origin_because": "nothing says otherwise",
            "delivery": (),
            "defects": (),
        }
        return InboundMail(**{**values, **changes})

    return make


@pytest.fixture
def make_ticket():
    def make(**changes):
        values = {
            "number": 1042,
            "mailbox": "csm@desk.example",
            "subject": "checkout down",
            "state": State.NEW,
            "severity": Severity.NORMAL,
            "severity_because": (),
            "requester": Address("Carol", "carol@acme.example"),
            "participants": ("carol@acme.example",),
            "assignee": None,
            "opened_at": NOW,
            "opened_by": "customer",
            "root_id": "root@desk.example",
        }
        return Ticket(**{**values, **changes})

    return make
