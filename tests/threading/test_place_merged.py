"""A ticket that was merged is followed, whatever named it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import Address, Delivery, InboundMail, Origin
from maild.threading.place import Evidence, Rung, place
from maild.threading.token import Purpose, mint, nonce, own_id
from maild.ticket import State

KEY = b"k" * 32
ANN = "ann@staff.example"
DAVE = "dave@bolt.example"


def own(ticket):
    return own_id(KEY, ticket, nonce("x"), "desk.example")


@pytest.fixture
def evidence(make_ticket):
    """Ticket 7, Dave's, went into 8, and that into 9, Carol's."""

    def make(ids=None, detail="", **survivor):
        tickets = {
            7: make_ticket(number=7, participants=(DAVE,), state=State.CLOSED, merged_into=8),
            8: make_ticket(number=8, state=State.CLOSED, merged_into=9),
            9: make_ticket(number=9, **survivor),
        }
        return Evidence(ids or {}, tickets, (KEY,), (ANN,), detail)

    return make


def report(msgid):
    return {"origin": Origin.BOUNCE, "delivery": (Delivery("x@y.z", "failed", "5.1.1", "no", msgid),)}


ROWS = [
    ("report", report("r@x"), {"r@x": [(7, "own")]}, "", Rung.REPORT),
    ("report on a signed id", report(own(7)), {}, "", Rung.REPORT),
    ("token of a customer", {}, {}, mint(KEY, 7, DAVE, Purpose.CUSTOMER), Rung.TOKEN),
    ("token of an agent", {}, {}, mint(KEY, 7, ANN, Purpose.AGENT), Rung.TOKEN),
    ("signed id", {"in_reply_to": (own(7),)}, {}, "", Rung.OWN_ID),
    ("seen", {"in_reply_to": ("a@x",)}, {"a@x": [(7, "seen")]}, "", Rung.STORED_ID),
    ("seen in two that are one", {"in_reply_to": ("a@x",)}, {"a@x": [(7, "seen"), (9, "seen")]}, "", Rung.STORED_ID),
    ("phantom", {"references": ("p@x",)}, {"p@x": [(7, "named")]}, "", Rung.PHANTOM),
    ("named before it came", {"message_id": "r@x"}, {"r@x": [(7, "named"), (8, "named")]}, "", Rung.PHANTOM),
    ("tag", {"subject": "Re: [CSM #7] x", "from_": (Address("", DAVE),)}, {}, "", Rung.TAG),
]


@pytest.mark.parametrize(("name", "mail", "ids", "detail", "rung"), ROWS, ids=[row[0] for row in ROWS])
def test_every_rung_follows(make_mail, evidence, name, mail, ids, detail, rung):
    found = place(make_mail(**mail), evidence(ids, detail), "CSM")
    assert (found.ticket, found.rung, found.via) == (9, rung, 8 if found.via == 8 else 7)
    assert found.because.endswith("which was merged into 9")


def test_a_token_still_proves_its_bearer(make_mail, evidence):
    found = place(make_mail(), evidence(detail=mint(KEY, 7, DAVE, Purpose.CUSTOMER)), "CSM")
    assert (found.bearer, found.purpose) == (DAVE, Purpose.CUSTOMER)
    ended = place(make_mail(), evidence(detail=mint(KEY, 7, DAVE, Purpose.CUSTOMER), state=State.CLOSED), "CSM")
    assert (ended.ticket, ended.bearer) == (9, None)
    assert "it ended with the ticket" in ended.because


def test_what_stands_for_itself_is_not_followed(make_mail, evidence):
    found = place(make_mail(in_reply_to=("a@x",)), evidence({"a@x": [(9, "seen")]}), "CSM")
    assert (found.ticket, found.via) == (9, None)
    assert "merged" not in found.because


def test_a_survivor_that_is_not_known_leaves_it_there(make_ticket):
    gone = make_ticket(number=7, merged_into=9)
    assert Evidence({}, {7: gone}, (), (), "").end(7) == 9
    assert Evidence({}, {}, (), (), "").end(7) == 7


def test_what_was_split_off_is_nearer_than_what_it_answered(make_mail, make_ticket):
    tickets = {number: make_ticket(number=number) for number in (7, 8)}
    known = Evidence({"m@x": [(8, "seen")]}, tickets, (KEY,), (), "")
    found = place(make_mail(in_reply_to=("m@x",), references=(own(7), "m@x")), known, "CSM")
    assert (found.ticket, found.rung) == (8, Rung.STORED_ID)
    same = replace(known, ids={"m@x": [(7, "seen")]})
    assert place(make_mail(in_reply_to=("m@x",), references=(own(7), "m@x")), same, "CSM").rung is Rung.OWN_ID
    shared = replace(known, ids={"m@x": [(7, "seen"), (8, "seen")]})
    assert place(make_mail(in_reply_to=("m@x",), references=(own(7), "m@x")), shared, "CSM").rung is Rung.OWN_ID


MAIL = InboundMail(
    **dict.fromkeys(
        ("in_reply_to", "references", "reply_to", "to", "cc", "attachments", "headers", "delivery", "defects"), ()
    ),
    message_id="new@x",
    from_=(Address("", DAVE),),
    from_fields=1,
    subject="Re: [CSM #1]",
    date=None,
    text="",
    html=None,
    new_text="",
    body_digest="",
    size=1,
    origin=Origin.PERSON,
    origin_because="",
)
numbers = st.integers(1, 6)


@given(
    merges=st.dictionaries(numbers, numbers, max_size=5),
    ids=st.dictionaries(
        st.sampled_from(["a@x", "b@x", "new@x"]),
        st.lists(st.tuples(numbers, st.sampled_from(["own", "seen", "named"])), max_size=3),
    ),
    named=st.lists(st.sampled_from(["a@x", "b@x", *map(own, range(1, 7))]), max_size=3),
    detail=st.one_of(st.just(""), numbers.map(lambda number: mint(KEY, number, DAVE, Purpose.CUSTOMER))),
    reported=st.booleans(),
)
def test_no_mail_ends_at_a_ticket_that_was_merged(merges, ids, named, detail, reported):
    from maild.ticket import Severity, Ticket  # noqa: PLC0415 - beside its only use

    into = {gone: to for gone, to in merges.items() if to > gone}
    tickets = {
        number: Ticket(
            number,
            "csm@x",
            "s",
            State.OPEN,
            Severity.LOW,
            (),
            Address("", DAVE),
            (DAVE,),
            None,
            None,
            "customer",
            "r",
            merged_into=into.get(number),
        )
        for number in range(1, 7)
    }
    mail = replace(MAIL, in_reply_to=tuple(named[:1]), references=tuple(named[1:]))
    if reported and named:
        mail = replace(mail, **report(named[0]))
    found = place(mail, Evidence(ids, tickets, (KEY,), (), detail), "CSM")
    assert found.ticket is None or tickets[found.ticket].merged_into is None
    assert (found.via is None) or (tickets[found.via].merged_into is not None and "merged into" in found.because)
