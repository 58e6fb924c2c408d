import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import Address
from maild.threading.inscription import MOST, claims, inscription, reader_of
from maild.threading.place import Evidence, Rung, place, wanted_tickets
from maild.threading.token import Purpose, bearer, mint

KEY, OLD = b"k" * 32, b"o" * 32
CAROL, ANN, EVE = "carol@acme.example", "ann@staff.example", "eve@elsewhere.example"
LINE = inscription(KEY, "CSM", 1042, CAROL)
LETTERS = LINE[-25:-1]


def test_the_line():
    assert (LINE[:13], LINE[-1]) == ("[CSM #1042 \u00b7 ", "]")
    assert len(LETTERS) == 24


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (LINE, True),
        (f"> Hello\n> > {LINE}\n", True),
        (LINE.replace(" \u00b7 ", " \u00b7\n> > "), True),
        (LINE.replace("\u00b7", "\u00c2\u00b7"), True),
        (LINE.replace("\u00b7", "?"), True),
        (LINE.upper(), True),
        (LINE.replace("#1042", "#1043"), False),
        (LINE.replace("CSM", "XYZ"), False),
        (f"[CSM #1042] {LETTERS}", False),
        (f"[CSM #1042 \u00b7 {LETTERS}x]", False),
        (f"[CSM #1042 \u00b7 {'1' * 24}]", False),
        (f"[CSM #1042 \u00b7 {'a' * 24}]", False),
        (f"[CSM #1042 \u00b7 {mint(KEY, 1042, CAROL, Purpose.AGENT)}]", False),
        ("", False),
    ],
)
def test_it_is_read_out_of_a_quote(text, read):
    assert [claim.ticket for claim in claims(text, "CSM")] == ([1042] if read else [])


def test_of_many_lines_few_are_looked_at():
    text = "\n".join(inscription(KEY, "CSM", number, CAROL) for number in range(50))
    assert len(claims(text + text, "CSM")) == MOST


@pytest.mark.parametrize(
    "bomb", ["[CSM #1 ", "[CSM #1 " + "." * 40 + "a" * 23, "[CSM #1 " + "a" * 30 + " ", "[CSM " * 3]
)
def test_a_long_text_costs_little(bomb):
    began = time.process_time()
    assert claims(bomb * 50_000, "CSM") == ()
    assert time.process_time() - began < 2


@given(st.text(alphabet="[]CSM# 10\u00b7abcxyz\n>", max_size=300))
def test_any_text_is_read(text):
    assert len(claims(text, "CSM")) <= MOST


@given(st.integers(0, 2**32 - 1), st.sampled_from([CAROL, EVE, "\u00e4@b.example"]))
def test_what_is_written_is_read(number, reader):
    (claim,) = claims(f"> {inscription(OLD, 'a-b_c', number, reader)}", "a-b_c")
    assert reader_of(claim, (KEY, OLD), (CAROL, EVE, "\u00e4@b.example")) == reader
    assert reader_of(claim, (KEY,), (reader,)) is None


def test_its_letters_are_no_token_of_the_address():
    (claim,) = claims(LINE, "CSM")
    assert bearer(claim, (KEY,), (CAROL,)) is None


@pytest.mark.parametrize(
    ("sender", "line", "rung"),
    [
        (CAROL, LINE, Rung.BODY),
        (ANN, LINE, Rung.BODY),
        (EVE, LINE, Rung.NEW),
        ("dave@acme.example", LINE, Rung.NEW),
        ("dave@acme.example", inscription(KEY, "CSM", 1042, "dave@acme.example"), Rung.BODY),
        (EVE, inscription(KEY, "CSM", 1042, EVE), Rung.NEW),
        (CAROL, inscription(OLD, "CSM", 1042, CAROL), Rung.NEW),
        (CAROL, inscription(KEY, "CSM", 555, CAROL), Rung.NEW),
    ],
)
def test_only_for_whom_it_was_written_and_for_agents(make_mail, make_ticket, sender, line, rung):
    ticket = make_ticket(participants=(CAROL, "dave@acme.example"))
    mail = make_mail(from_=(Address("", sender),), text=f"Still broken.\n\n> {line}")
    known = {1042: ticket}
    placed = place(mail, Evidence({}, known, (KEY,), (ANN,), ""), "CSM")
    assert placed.rung is rung
    assert (placed.bearer, placed.purpose) == (None, None)
    assert CAROL not in placed.because or sender in {CAROL, ANN}


def test_an_ambiguous_sender_is_nobody(make_mail, make_ticket):
    mail = make_mail(from_fields=2, text=LINE)
    assert place(mail, Evidence({}, {1042: make_ticket()}, (KEY,), (ANN,), ""), "CSM").ticket is None


def test_its_ticket_is_asked_for(make_mail):
    assert wanted_tickets(make_mail(text=f"> {LINE}"), "", (KEY,), "CSM") == (1042,)
