"""What is no answer of an agent's own: quote marks, quoted words, dots and signatures above the quoted notification."""

import pytest

from maild.desk import on_mail
from maild.mail import Address
from maild.outbound.letters import RelayLetter, WordLetter
from maild.outbound.mark import MARK
from maild.ticket import Message

ANN = Address("Ann", "ann@staff.example")
QUOTE = f"> {MARK}\n>\n> Carol wrote to us.\n> Severity: normal\n> Nobody can pay.\n"
INTRODUCED = f"On Mon, Mar 9, 2026 at 10:00, Example Support <csm@desk.example> wrote:\n{QUOTE}"
NAMED = f"On Monday, Ann <ann@staff.example> wrote:\n{QUOTE}"
UNMARKED = INTRODUCED.replace(f"> {MARK}\n>\n", "")
NOTHING = [
    ">",
    ">>",
    "> >",
    "> anything",
    ">> anything",
    "\xa0> anything",
    "> Nobody can pay.",
    "> Nobody can pay.\n>",
    "|",
    "| |",
    "| Nobody can pay.",
    "\xa0",
    "...",
    "\u2026",
    "-",
    "--",
    "--\nAnn",
    "...\n-- \nAnn",
    "-- \nAnn\nExample Support",
    "> anything\n-- \nAnn",
    ">\n\n-- \nAnn",
]
SOMETHING = [
    "Hi Carol,\n\n-- \nAnn",
    ">\nTry again.",
    "> Nobody can pay.\nNow you can.",
    "Ok",
    "1 | 2",
    "| a table | of two |",
]


@pytest.fixture
def decided(make_case, make_ticket, office, now):
    """Decide on a reply of Ann's to the notification of Carol's mail."""
    carol = make_ticket().requester
    said = Message(3, 1042, "c1@x", now, carol, "customer", "", "new", "s", "Nobody can pay.", "d", "b", ())

    def decide(text):
        mail = {"from_": (ANN,), "text": text, "new_text": text, "message_id": "r1@staff.example"}
        return on_mail(make_case(make_ticket(), mail=mail, messages=(said,)), office, now)

    return decide


@pytest.mark.parametrize("quote", [INTRODUCED, NAMED, QUOTE, UNMARKED, ""])
@pytest.mark.parametrize("own", NOTHING)
def test_nothing_of_his_own_meets_no_clock(decided, own, quote):
    decision = decided(f"{own}\n\n{quote}")
    (letter,) = decision.letters
    assert isinstance(letter, WordLetter)
    assert "says nothing of its own" in decision.because
    assert decision.ticket.first_response_at is None


@pytest.mark.parametrize("quote", [INTRODUCED, NAMED, QUOTE, UNMARKED, ""])
@pytest.mark.parametrize("own", SOMETHING)
def test_a_word_of_his_own_is_sent(decided, own, quote):
    decision = decided(f"{own}\n\n{quote}")
    (letter,) = decision.letters
    assert isinstance(letter, RelayLetter)
    assert "Severity" not in letter.text
    assert decision.ticket.first_response_at is not None
