import pytest

from maild.mail import Address, Delivery, Origin
from maild.threading import references
from maild.threading.place import Evidence, Rung, place, wanted_ids, wanted_tickets
from maild.threading.token import Purpose, mint, nonce, own_id
from maild.ticket import State

KEY = b"k" * 32
ANN = "ann@staff.example"
CAROL = "carol@acme.example"


@pytest.fixture
def evidence(make_ticket):
    def make(ids=None, detail="", **ticket):
        return Evidence(ids or {}, {1042: make_ticket(**ticket)}, (KEY,), (ANN,), detail)

    return make


def own(ticket=1042, key=KEY):
    return own_id(key, ticket, nonce("x"), "desk.example")


def report(msgid, action="failed"):
    return (Delivery("x@y.z", action, "5.1.1", "no such user", msgid),)


ROWS = [
    ("nothing", {}, {}, "", Rung.NEW),
    ("seen", {"in_reply_to": ("a@x",)}, {"a@x": [(1042, "seen")]}, "", Rung.STORED_ID),
    ("references", {"references": ("q@x", "a@x")}, {"a@x": [(1042, "own")]}, "", Rung.STORED_ID),
    ("phantom", {"references": ("p@x",)}, {"p@x": [(1042, "named")]}, "", Rung.PHANTOM),
    ("named before it came", {"message_id": "r@x"}, {"r@x": [(1042, "named")]}, "", Rung.PHANTOM),
    ("named by two", {"message_id": "r@x"}, {"r@x": [(1042, "named"), (7, "named")]}, "", Rung.NEW),
    ("seen itself", {"message_id": "r@x"}, {"r@x": [(1042, "seen")]}, "", Rung.NEW),
    ("shared", {"references": ("p@x",)}, {"p@x": [(1042, "seen"), (7, "seen")]}, "", Rung.NEW),
    ("shared phantom", {"references": ("p@x",)}, {"p@x": [(1042, "named"), (7, "named")]}, "", Rung.NEW),
    ("signed id", {"in_reply_to": (own(),)}, {}, "", Rung.OWN_ID),
    ("signed for another", {"in_reply_to": (own(7),)}, {}, "", Rung.NEW),
    ("signed by another", {"in_reply_to": (own(key=b"z" * 32),)}, {}, "", Rung.NEW),
    ("tag of a participant", {"subject": "Re: [CSM #1042] x"}, {}, "", Rung.TAG),
    ("tag of an agent", {"subject": "[CSM #1042]", "from_": (Address("", ANN),)}, {}, "", Rung.TAG),
    ("tag of a stranger", {"subject": "[CSM #1042]", "from_": (Address("", "eve@x"),)}, {}, "", Rung.NEW),
    ("tag of an ambiguous sender", {"subject": "[CSM #1042]", "from_fields": 2}, {}, "", Rung.NEW),
    ("tag of no ticket", {"subject": "[CSM #9]"}, {}, "", Rung.NEW),
    ("token of an agent", {}, {}, mint(KEY, 1042, ANN, Purpose.AGENT), Rung.TOKEN),
    ("token of a customer", {}, {}, mint(KEY, 1042, CAROL, Purpose.CUSTOMER), Rung.TOKEN),
    ("token of nobody", {}, {}, mint(KEY, 1042, "eve@x", Purpose.AGENT), Rung.NEW),
    ("token of no ticket", {}, {}, mint(KEY, 7, ANN, Purpose.AGENT), Rung.NEW),
    ("junk in the detail", {}, {}, "newsletter", Rung.NEW),
    ("report", {"origin": Origin.BOUNCE, "delivery": report("r@x")}, {"r@x": [(1042, "own")]}, "", Rung.REPORT),
    ("report on a signed id", {"origin": Origin.BOUNCE, "delivery": report(own())}, {}, "", Rung.REPORT),
    (
        "report on what we only saw",
        {"origin": Origin.BOUNCE, "delivery": report("r@x")},
        {"r@x": [(1042, "seen")]},
        "",
        Rung.NEW,
    ),
    ("bounce without report", {"origin": Origin.BOUNCE}, {}, "", Rung.NEW),
    ("bounce to our return path", {"origin": Origin.BOUNCE}, {}, mint(KEY, 1042, CAROL, Purpose.BOUNCE), Rung.TOKEN),
]


@pytest.mark.parametrize(("name", "mail", "ids", "detail", "rung"), ROWS, ids=[row[0] for row in ROWS])
def test_the_ladder(make_mail, evidence, name, mail, ids, detail, rung):
    found = place(make_mail(**mail), evidence(ids, detail), "CSM")
    assert found.rung is rung
    assert found.ticket == (None if rung is Rung.NEW else 1042)
    assert found.because


def test_a_token_beats_the_references(make_mail, evidence):
    found = place(
        make_mail(in_reply_to=("a@x",)), evidence({"a@x": [(7, "seen")]}, mint(KEY, 1042, ANN, Purpose.AGENT)), "CSM"
    )
    assert (found.ticket, found.bearer, found.purpose) == (1042, ANN, Purpose.AGENT)


def test_a_token_ends_with_its_ticket_but_still_places(make_mail, evidence):
    found = place(make_mail(), evidence({}, mint(KEY, 1042, ANN, Purpose.AGENT), state=State.CLOSED), "CSM")
    assert (found.ticket, found.bearer, found.purpose) == (1042, None, None)


def test_what_the_ladder_wants_to_know(make_mail):
    mail = make_mail(in_reply_to=(own(),), references=("a@x",), delivery=report("r@x"), subject="[CSM #7]")
    assert wanted_ids(mail) == ("r@x", own(), "a@x", "m1@client.example")
    assert wanted_tickets(mail, mint(KEY, 9, ANN, Purpose.AGENT), (KEY,), "CSM") == (9, 1042, 7)
    assert wanted_tickets(make_mail(), "", (KEY,), "CSM") == ()


def test_references_come_nearest_first_and_without_itself(make_mail):
    mail = make_mail(message_id="me@x", in_reply_to=("c@x",), references=("a@x", "b@x", "c@x", "me@x"))
    assert references.named(mail) == ("c@x", "b@x", "a@x")


def test_an_endless_chain_keeps_its_root_and_its_end(make_mail):
    mail = make_mail(references=tuple(f"{n}@x" for n in range(5000)))
    named = references.named(mail)
    assert len(named) == references.MOST_REFERENCES
    assert (named[0], named[-1]) == ("4999@x", "0@x")


def test_the_chain_of_an_answer(make_mail):
    assert references.chain(make_mail(message_id="", references=())) == ()
    assert references.chain(make_mail(message_id="m@x", in_reply_to=("a@x",))) == ("a@x", "m@x")
    long = references.chain(make_mail(message_id="m@x", references=tuple(f"{n}@x" for n in range(30))))
    assert (len(long), long[0], long[-1]) == (11, "0@x", "m@x")
