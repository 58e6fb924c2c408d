import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.ingest.cut import below, holds, unquoted
from maild.ingest.quote import cut_html, cut_text, new_text, new_text_of_html

MARK = "##- Please type your reply above this line -##"
ANN = "ann@example.com"
BLOCK = "From: Desk <csm@example.com>\nSent: Monday, 5 January 2026 10:00\nTo: Ann <ann@example.com>\nSubject: Printer"


@pytest.mark.parametrize(
    "introduction",
    [
        "On Mon, Jan 5, 2026 at 10:00 AM Ann <ann@example.com> wrote:",
        "On Mon, Jan 5, 2026 at 10:00 AM Ann Example\n<ann@example.com> wrote:",
        "On 1/5/26, at 10:00,\nAnn Example via a very long name\n<ann@example.com>\nwrote:",
        "Am 05.01.2026 um 10:00 schrieb Ann Example:",
        "Am Mo., 5. Jan. 2026 um 10:00 Uhr schrieb Ann <ann@example.com>:",
        "Le 5 janv. 2026 à 10:00, Ann a écrit :",
        "El lun, 5 ene 2026 a las 10:00, Ann (<ann@example.com>) escribió:",
        "Il giorno lun 5 gen 2026 alle ore 10:00 Ann ha scritto:",
        "Em seg., 5 de jan. de 2026 às 10:00, Ann escreveu:",
        "Op ma 5 jan 2026 om 10:00 schreef Ann <ann@example.com>:",
        "W dniu 5.01.2026 o 10:00, Ann pisze:",
        "pon., 5 sty 2026 o 10:00 Ann <ann@example.com> napisał(a):",
        "Den 5 jan. 2026 10:00 skrev Ann <ann@example.com>:",
        "Den man. 5. jan. 2026 kl. 10.00 skrev Ann <ann@example.com>:",
        "ma 5. tammik. 2026 klo 10.00 Ann (ann@example.com) kirjoitti:",
        "po 5. 1. 2026 v 10:00 odesílatel Ann <ann@example.com> napsal:",
        "пн, 5 янв. 2026 г. в 10:00, Ann <ann@example.com>:",
        "05.01.2026 10:00, Ann пишет:",
        "2026年1月5日(月) 10:00 Ann <ann@example.com>:",
        "Ann <ann@example.com> 于2026年1月5日周一 10:00写道:",
        "2026. 1. 5. 10:00, Ann님이 작성:",
        "---- On Mon, 05 Jan 2026 10:00:00 +0100 ann@example.com wrote ----",
        "-----Original Message-----\n" + BLOCK,
        "-----Ursprüngliche Nachricht-----\nVon: Ann <ann@example.com>\nGesendet: Montag\nAn: Bob\nBetreff: x",
        "________________________________\n" + BLOCK,
        BLOCK,
        "*From:* Desk\n*Sent:* Monday\n*To:* Ann\n*Subject:* x",
        "De : Ann\nEnvoyé : lundi 5 janvier 2026\nÀ : Bob\nObjet : x",
        "====\nMessage du : 12/12/2016 13:20\nDe : Ann\nA : bob\nSujet : x",
    ],
)
def test_what_introduces_a_quote_ends_the_new_text(introduction):
    assert (
        new_text(f"It works now.\nThank you!\n\n{introduction}\n\n> old words\n> more\n") == "It works now.\nThank you!"
    )


@pytest.mark.parametrize(
    "whole",
    [
        "",
        "On the surface, this looks like a quote header but is none:\n\nOn the other hand, all is well.",
        "On average, he wrote: nothing.",
        "From: my point of view\n\nall is well",
        "Dates:\n\n2024-01-15 14:30:25\n15.01.2024 14:30\n\nare examples.",
        "I see with regards to the payment that all is well.",
        "Reasons:\n-- first point\n-- second point",
        "Sent from my desk, is much easier than my mobile phone.",
        "> only a quote",
        "--\nonly a signature",
        "Sent from my iPhone",
        "a\n\n---\nb\n\n_____\nc",
        "Here is a log:\n> not one\nand words below",
        "On Mon, Jan 5, 2026 Ann wrote:",
    ],
)
def test_words_that_only_look_like_quotes_stay(whole):
    assert new_text(whole) == whole.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It works.\n\n-- \nBob\nAcme Inc.", "It works."),
        ("It works.\n--\nBob", "It works."),
        ("It works.\n\nSent from my iPhone", "It works."),
        ("It works.\n\nVon meinem iPhone gesendet", "It works."),
        (
            "It works.\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n" + BLOCK,
            "It works.",
        ),
        ("It works.\n\n> a\n> trailing\n> quote\n", "It works."),
        (
            "Words.\n\n_______________________________________________\nusers mailing list\nusers@lists.example.com\nhttps://lists.example.com/x",
            "Words.",
        ),
        ("It works.\r\n\r\n-- \r\nBob", "It works."),
    ],
)
def test_signatures_and_footers_go(text, expected):
    assert new_text(text) == expected


def test_a_bottom_posted_answer_stays_and_its_one_quote_goes():
    assert new_text("On Mon, Jan 5, 2026 at 10:00, Ann wrote:\n\n> old\n> words\n\nMy answer.") == "My answer."


def test_interleaved_answers_keep_everything():
    text = "On Mon, Jan 5, 2026 at 10:00, Ann wrote:\n\n> one?\n\nyes\n\n> two?\n\nno"
    assert new_text(text) == text


def test_words_above_and_below_a_quote_all_stay():
    text = "See below, it is a longer text.\n\nOn Mon, Jan 5, 2026 at 10:00, Ann wrote:\n> one?\n\nyes, of course"
    assert new_text(text) == text


def test_a_wrapped_quoted_line_is_no_answer():
    quoted = "> " + "a very long quoted line that goes on and on " * 2
    assert new_text(f"Hi\n\nOn Mon, Jan 5, 2026 at 10:00, Ann wrote:\n{quoted}\nand wraps\n> end\n") == "Hi"


def test_an_attribution_inside_a_quote_is_part_of_it():
    assert new_text("Hi\n\n> On Mon, Jan 5, 2026 at 10:00, Ann wrote:\n> old") == "Hi"
    assert (
        new_text("> On Mon, Jan 5, 2026 at 10:00, Ann wrote:\n> old\n\nHi")
        == "> On Mon, Jan 5, 2026 at 10:00, Ann wrote:\n> old\n\nHi"
    )
    assert new_text("Hi\n> On Mon, Jan 5, 2026 at 10:00, Ann wrote:") == "Hi"


def test_a_sentence_of_endless_length_is_no_attribution():
    text = "On 5 January\n" + "words " * 90 + "\nwrote:"
    assert new_text(text) == text


def test_a_marker_inside_one_run_of_text_keeps_what_stands_above():
    assert cut_html(f"<pre>fixed\n\n&gt; {MARK}\n&gt; {ANN}</pre><p>old</p>", MARK) == ("<pre>fixed</pre>", True)


def test_a_marker_spread_over_neighbours():
    spread = MARK.replace("##-", "#<i>#-</i>")
    assert cut_html(f"<div>fixed<br>{spread}<br>To: {ANN}</div>", MARK) == ("<div>fixed<br></div>", True)


def test_a_huge_text_is_left_alone():
    assert new_text("x\n" * 50_000).count("x") == 50_000


LINES = st.sampled_from(
    [
        "",
        "Hello",
        "> quoted",
        ">> twice",
        "-- ",
        "Bob",
        "On Mon, Jan 5, 2026 at 10:00, Ann <a@b.c> wrote:",
        "From: A <a@b.c>",
        "Sent: 5.1.2026",
        "To: b",
        "Subject: s",
        "_____",
        "Sent from my iPhone",
        "-----Original Message-----",
        "wrote:",
        MARK,
    ]
)


@given(st.lists(LINES, max_size=25).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_new_text_only_takes_away_and_leaves_something(text):
    new = new_text(text)
    assert bool(new) == bool(text.strip())
    rest = iter([line.rstrip() for line in text.split("\n")])
    assert all(any(line.strip() == one.strip() for one in rest) for line in new.split("\n") if line.strip())


@given(st.lists(LINES, max_size=20).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_cutting_is_idempotent_and_the_marker_is_gone_where_it_cut(text):
    rest, cut = cut_text(text, MARK)
    assert (rest == text) or cut
    if cut:
        assert MARK not in rest
        assert text.startswith(rest)


@pytest.mark.parametrize(
    "between",
    [
        "",
        "On Mon, Jan 5, 2026 at 10:00 AM Desk <csm+tok@example.com> wrote:\n\n",
        "On Mon, Jan 5, 2026 at 10:00 AM Ann <ann@example.com> wrote:\n\n> ",
        "Am 05.01.2026 um 10:00 schrieb Ann\n<ann@example.com>:\n\n> ",
        "-----Original Message-----\n" + BLOCK + "\n\n",
        "________________________________\n" + BLOCK + "\n\n",
        BLOCK + "\n\n",
    ],
)
def test_the_agent_s_address_vanishes_with_the_quote(between):
    assert cut_text(f"Dear Bob,\n\nfixed.\n\n{between}{MARK}\n> To: {ANN}\nmore", MARK) == ("Dear Bob,\n\nfixed.", True)


def test_a_marker_wrapped_by_the_client_is_found():
    assert cut_text("fixed\n\n> ##- Please type your reply\n> above this line -##\n> old", MARK) == ("fixed", True)


def test_without_the_marker_the_quote_is_cut():
    assert cut_text("fixed\n\nOn Mon, Jan 5, 2026 Ann <ann@example.com> wrote:\n> old", MARK) == ("fixed", True)
    assert cut_text("fixed\n\n> old\n> older", MARK) == ("fixed", True)


@pytest.mark.parametrize(
    "text",
    [
        "just words",
        f"> {MARK}\n> old\n\nanswer below",
        "",
        f"{MARK}\nbelow",
        "On Mon, Jan 5, 2026 at 10:00, Ann wrote:\n> a\n\nbelow",
    ],
)
def test_nothing_above_means_nothing_is_cut(text):
    assert cut_text(text, MARK) == (text, False)


def test_no_marker_at_all():
    assert cut_text("words", "") == ("words", False)
    assert cut_html("<p>words</p>", "") == ("<p>words</p>", False)


SPREAD = MARK.replace("your", "<b>your</b>")
OUTLOOK = "<div><p><b>From:</b> Desk<br><b>Sent:</b> Monday<br><b>To:</b> Ann &lt;ann@example.com&gt;<br><b>Subject:</b> x</p></div>"


@pytest.mark.parametrize(
    "rest",
    [
        f"<p>{MARK}</p>",
        f"<div>{SPREAD}</div><p>{ANN}</p>",
        f'<div class="gmail_quote"><div class="gmail_attr">On Monday, {ANN} wrote:<br></div><blockquote class="gmail_quote">{MARK}<p>rest</p></blockquote></div>',
        f'<div class="moz-cite-prefix">On 5.1.2026 10:00, {ANN} wrote:<br></div><blockquote type="cite"><p>{SPREAD}</p></blockquote>',
        f"<div>{OUTLOOK}</div><p>{MARK}</p>",
        f"<div>{OUTLOOK}</div><p>the client dropped it</p>",
        f'<div id="divRplyFwdMsg">To: {ANN}</div><div>rest</div>',
        f"<div>On Mon, Jan 5, 2026 at 10:00 AM Ann &lt;{ANN}&gt; wrote:</div><blockquote>{MARK}</blockquote>",
        f"<p>On Mon, Jan 5, 2026 at 10:00 AM Ann &lt;{ANN}&gt; wrote:</p><p>the client dropped it</p>",
        f'<hr><div><blockquote type="cite"><div>On 5. Jan 2026, at 10:00, Ann &lt;{ANN}&gt; wrote:</div><br><div>{MARK}</div></blockquote></div>',
    ],
)
def test_html_is_cut_with_everything_that_names_the_agent(rest):
    found, cut = cut_html(f"<html><body><p>Dear Bob</p><p>fixed.</p><br>{rest}</body></html>", MARK)
    assert cut
    assert ANN not in found
    assert "Please type" not in found
    assert found.startswith("<p>Dear Bob</p><p>fixed.</p>")


@pytest.mark.parametrize(
    "markup",
    ["<p>words</p>", f"<p>{MARK}</p><p>below</p>", "", f'<blockquote type="cite">{MARK}</blockquote><p>below</p>'],
)
def test_html_with_nothing_above_stays(markup):
    assert cut_html(markup, MARK) == (markup, False)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>It works.</p><div class=gmail_quote>On x wrote<blockquote>old</blockquote></div>", "It works."),
        ('<p>Hi</p><blockquote type="cite">old</blockquote><p>new below</p>', "Hi\n\n> old\n\nnew below"),
        ('<p>It works.</p><div class="gmail_signature">Bob</div>', "It works."),
        ('<div class="gmail_signature">Bob</div>', "Bob"),
        ('<div class="gmail_quote">only this</div>', "only this"),
        ("<p>Hi</p><hr><div id=divRplyFwdMsg>From: x</div><p>old</p>", "Hi\n\n----------"),
    ],
)
def test_new_text_of_html(markup, expected):
    assert new_text_of_html(markup) == expected


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("a\n> b\nc", "a\nc"),
        ("a\n| b\n|\n| c | d |", "a\n| c | d |"),
        ("...\n-- \nAnn", "\n-- \nAnn"),
        ("--\n\u2014", ""),
        ("", ""),
    ],
)
def test_what_is_no_quote_of_a_text(text, own):
    assert unquoted(text) == own


@pytest.mark.parametrize(
    ("text", "found"),
    [(f"a\n> {MARK}", True), ("a\n> ##- Please type your\n> reply above this line -##", True), ("a", False)],
)
def test_the_marker_is_held(text, found):
    assert holds(text, MARK) is found


def test_words_below_our_mail_are_given_with_the_customer_s_own():
    text = (
        f"On Mon, Jan 5, 2026 at 10:00, Desk <csm@example.com> wrote:\n> {MARK}\n> To: {ANN}\n> It is broken.\n\nFixed."
    )
    assert below(text, MARK, ("It is broken.",)) == "> It is broken.\n\nFixed."
    assert below(f"> a\n\n{text}", MARK, ("It is broken.",)) == "> It is broken.\n\nFixed."
    wrapped = text.replace("your reply", "\n> your reply")
    assert below(f"> a\n\n{wrapped}", MARK, ()) == "Fixed."
    assert below(text.replace("> #", "> Example Support\n> #"), MARK, ()) == "Fixed."
    assert below(text.replace(MARK, MARK.replace(" ", "\n> ")), MARK, ()) == "Fixed."
    assert below(f"{MARK}\nFixed.", MARK, ()) == ""


def test_a_header_block_goes_with_the_agent_s_quote_even_below_a_colon():
    assert cut_text(f"See below:\n\n{BLOCK}\n\nold", MARK) == ("See below:", True)


def test_a_quoted_attribution_goes_though_a_signature_stands_below():
    text = "fixed\n\n> On Mon, Jan 5, 2026 Ann <ann@example.com> wrote:\n> old\n\n-- \nBob"
    assert cut_text(text, MARK) == ("fixed", True)
