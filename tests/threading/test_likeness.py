"""Replies that name no Message-ID we know: where they belong, by what they have in common with a conversation."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.mail import Address, InboundMail, Origin
from maild.threading.likeness import Candidate, Traits, place_by_likeness, thread_index, traits_of
from maild.threading.place import Rung

CAROL, DAVE, EVE = (Address("", f"{name}@acme.example") for name in ("carol", "dave", "eve"))
SAID = "The export of our invoices stops after the first page since the update of last night."
ELSE = "We would like to know what a second licence for the warehouse costs us a year."
QUOTE = f"Yes, it does.\n\n> {SAID[:40]}\n> {SAID[40:]}\n"
INDEX = base64.b64encode(bytes(range(30))).decode()


@pytest.fixture
def reply(make_mail):
    def make(subject="Re: Export of invoices", text=QUOTE, new="Yes, it does.", sender=DAVE, to=(), **more):
        return make_mail(from_=(sender,), to=to, cc=(), subject=subject, text=text, new_text=new, **more)

    return make


@pytest.fixture
def candidate(now):
    def make(ticket=1001, ago=1, subjects=("export of invoices",), writers=(CAROL,), texts=(SAID,), indexes=("",)):
        return Candidate(
            ticket,
            now - timedelta(days=ago),
            frozenset(subjects),
            frozenset(indexes),
            frozenset(writer.key for writer in writers),
            texts,
        )

    return make


@pytest.fixture
def placed(now):
    def place(mail, *candidates):
        traits = traits_of(mail, "CSM", ())
        placement = None if traits is None else place_by_likeness(mail, traits, candidates, now)
        return placement and (placement.ticket, placement.rung)

    return place


class TestTraits:
    def test_of_a_reply(self, reply):
        mail = reply("[list] AW: [CSM #7] Export", sender=CAROL, to=(DAVE, EVE), headers=(("Thread-Index", INDEX),))
        assert traits_of(mail, "CSM", [EVE.key]) == Traits("export", bytes(range(22)).hex(), (CAROL.key, DAVE.key))

    @pytest.mark.parametrize("subject", ["Export of invoices", "Fwd: Export of invoices", "WG: Re: Export", ""])
    def test_a_new_or_forwarded_mail_has_none(self, reply, subject):
        assert traits_of(reply(subject), "CSM", ()) is None

    def test_nor_has_one_without_a_clear_sender(self, reply):
        assert traits_of(replace(reply(), from_fields=2), "CSM", ()) is None

    @pytest.mark.parametrize(
        ("values", "index"),
        [
            ((INDEX,), bytes(range(22)).hex()),
            ((INDEX[:20] + "\r\n " + INDEX[20:],), bytes(range(22)).hex()),
            (("=?=", INDEX), bytes(range(22)).hex()),
            (("AAAA",), ""),
            ((), ""),
        ],
    )
    def test_thread_index(self, make_mail, values, index):
        assert thread_index(make_mail(headers=tuple(("Thread-Index", value) for value in values))) == index


class TestThreadIndex:
    def test_with_the_same_subject(self, reply, candidate, placed):
        mail = reply(text="Yes.", headers=(("Thread-Index", INDEX),))
        there = candidate(indexes=("", bytes(range(22)).hex()), ago=59)
        assert placed(mail, candidate(1002), there) == (1001, Rung.THREAD_INDEX)
        assert placed(mail, candidate(indexes=there.indexes, ago=61, texts=())) is None
        other = candidate(indexes=there.indexes, subjects=("licence",), texts=(), ago=40)
        assert placed(mail, other) is None


class TestQuotes:
    def test_the_subject_and_a_phrase(self, reply, candidate, placed):
        assert placed(reply(), candidate()) == (1001, Rung.SUBJECT_AND_QUOTE)

    def test_a_quote_that_was_wrapped_anew_or_stands_without_marks(self, reply, candidate, placed):
        wrapped = reply(
            text="Yes.\n\n> The export of our\n> invoices stops after\n>> the first page since\n", new="Yes."
        )
        assert placed(wrapped, candidate()) == (1001, Rung.SUBJECT_AND_QUOTE)
        outlook = reply(text=f"Yes.\n\n-----Original Message-----\nFrom: Carol\n{SAID}\n", new="Yes.")
        assert placed(outlook, candidate()) == (1001, Rung.SUBJECT_AND_QUOTE)

    def test_the_conversation_of_that_subject_which_is_quoted_most(self, reply, candidate, placed):
        other = candidate(1002, texts=(ELSE,), ago=0)
        assert placed(reply(), candidate(), other) == (1001, Rung.SUBJECT_AND_QUOTE)

    def test_what_everybody_quotes_tells_nothing(self, reply, candidate, placed):
        assert placed(reply(sender=EVE), candidate(), candidate(1002)) is None

    def test_a_phrase_or_two_do_not_tell_one_from_others_of_that_subject(self, reply, candidate, placed):
        text = f"Yes.\n> {ELSE}\n> The export of our invoices\n"
        assert placed(reply(text=text, new="Yes."), candidate(), candidate(1002, texts=())) is None

    def test_of_a_very_long_conversation_the_latest_words_count(self, reply, candidate, placed):
        much = "\n".join(f"word{n} after word{n + 1} before word{n + 2}" for n in range(5000))
        mail = reply("Re: Invoices")
        there = candidate(subjects=("invoices",), writers=(EVE,), texts=(SAID, much))
        assert placed(mail, there) == (1001, Rung.SUBJECT_AND_QUOTE)
        assert placed(mail, replace(there, texts=(much, SAID))) is None

    def test_a_conversation_that_ended_long_ago_is_not_joined(self, reply, candidate, placed):
        assert placed(reply(), candidate(ago=61)) is None

    def test_an_edited_subject_among_people_who_wrote_there(self, reply, candidate, placed):
        text = f"> {SAID}\n> It did so on Monday, too, when nobody had changed anything on our side."
        said = (text.replace("> ", ""),)
        edited = reply("Re: Export of invoices - urgent", text=text, new="", sender=CAROL)
        assert placed(edited, candidate(texts=said)) == (1001, Rung.QUOTES)
        assert placed(edited, candidate(texts=said, writers=(EVE,))) is None
        assert placed(edited, candidate(texts=(SAID[:30],))) is None
        assert placed(reply("Re: Something else", text=text, new="", sender=CAROL), candidate(texts=said)) is None

    def test_a_small_part_of_a_long_quote_does_not(self, reply, candidate, placed):
        text = f"> {SAID}\n" + "".join(f"> line {n} of what somebody else wrote {n} {n} {n}\n" for n in range(60))
        assert placed(reply("Re: Export of invoices now", text=text, new="", sender=CAROL), candidate()) is None


class TestSubject:
    def test_the_same_sender_without_references(self, reply, candidate, placed):
        mail = reply(text="Any news?", new="Any news?", sender=CAROL)
        assert placed(mail, candidate(ago=29)) == (1001, Rung.SUBJECT_AND_SENDER)
        assert placed(mail, candidate(ago=31)) is None
        assert placed(replace(mail, references=("x@y",)), candidate(ago=29)) is None

    def test_somebody_who_wrote_there_is_addressed(self, reply, candidate, placed):
        mail = reply(text="Any news?", new="Any news?", sender=DAVE, to=(CAROL,))
        assert placed(mail, candidate(ago=13)) == (1001, Rung.SUBJECT_AND_COMPANY)
        assert placed(mail, candidate(ago=15)) is None
        assert placed(mail, candidate(ago=13, writers=(EVE,))) is None

    def test_a_subject_of_two_conversations_says_nothing(self, reply, candidate, placed):
        mail = reply(text="Any news?", new="Any news?", sender=CAROL)
        assert placed(mail, candidate(), candidate(1002, ago=89)) is None
        assert placed(mail, candidate(), candidate(1002, ago=91)) == (1001, Rung.SUBJECT_AND_SENDER)

    @pytest.mark.parametrize("subject", ["Re: Help", "Re: a b", "Re:", "Re: 2026 12"])
    def test_nor_does_a_short_one(self, reply, candidate, placed, subject):
        mail = reply(subject, text="Any news?", new="Any news?", sender=CAROL)
        assert placed(mail, candidate(subjects=("help", "a b", "", "2026 12"))) is None

    def test_nobody_there(self, reply, placed):
        assert placed(reply()) is None


@given(st.text(max_size=200), st.text(max_size=400), st.text(max_size=400))
@settings(max_examples=50, deadline=None)
def test_any_reply_is_placed_among_the_candidates_or_nowhere(subject, text, said):
    now = datetime(2026, 3, 11, tzinfo=UTC)
    mail = InboundMail(
        "m@x",
        (),
        (),
        (CAROL,),
        1,
        (),
        (),
        (),
        f"Re: {subject}",
        now,
        text,
        None,
        "",
        (),
        (),
        "d",
        1,
        Origin.PERSON,
        "",
        (),
        (),
    )
    there = Candidate(1001, now, frozenset({"export"}), frozenset(), frozenset({CAROL.key}), (said,))
    traits = traits_of(mail, "CSM", ())
    placement = place_by_likeness(mail, traits, [there], now) if traits else None
    assert placement is None or placement.ticket == 1001
