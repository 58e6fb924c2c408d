"""Which mail is one of ours that came back, and which only says so."""

import pytest

from maild.mail import Address, Origin
from maild.trust import own_because

DESK = "csm@desk.example"
OURS = {DESK, "support@desk.example"}
MARK = ("X-Maild-Loop", DESK)
CAROL = (Address("Carol", "carol@acme.example"),)
US = (Address("Ann via Support", "Support@desk.example"),)
LIST = (Address("Support via list", "list@acme.example"),)

ROWS = [
    ("ours, marked", US, (MARK,), False, Origin.PERSON, True),
    ("ours, sent", US, (), True, Origin.PERSON, True),
    ("ours, sent and marked", US, (MARK,), True, Origin.AUTOMATIC, True),
    ("ours by name alone", US, (), False, Origin.PERSON, False),
    ("marked by another desk", US, (("X-Maild-Loop", "help@other.example"),), False, Origin.PERSON, False),
    ("a customer who copies the mark", CAROL, (MARK,), False, Origin.PERSON, False),
    ("a customer who keeps the id", CAROL, (), True, Origin.PERSON, False),
    ("a list that put its address into the From", LIST, (MARK,), True, Origin.BULK, True),
    ("such a list that takes the mark out", LIST, (), True, Origin.BULK, True),
    ("a list that knows nothing of us but the mark", LIST, (MARK,), False, Origin.BULK, False),
    ("a machine that keeps the id", CAROL, (), True, Origin.AUTOMATIC, False),
    ("a bounce that copies the mark", CAROL, (MARK,), False, Origin.BOUNCE, False),
    ("a bounce that keeps the id", CAROL, (), True, Origin.BOUNCE, False),
    ("ours and a stranger in one From", (*US, *CAROL), (MARK,), False, Origin.PERSON, False),
    ("no From at all", (), (MARK,), False, Origin.PERSON, False),
]


@pytest.mark.parametrize(("name", "senders", "headers", "sent", "origin", "own"), ROWS, ids=[row[0] for row in ROWS])
def test_whose_words_they_are(make_mail, name, senders, headers, sent, origin, own):
    mail = make_mail(from_=senders, from_fields=min(1, len(senders)), headers=headers, origin=origin)
    assert bool(own_because(mail, sent=sent, desk=DESK, ours=OURS)) is own
