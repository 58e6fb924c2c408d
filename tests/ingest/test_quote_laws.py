"""Laws of new text: lines are left out and never altered, nothing raises, hostile text costs no more than long text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.ingest import html
from maild.ingest.quote import Bearing, bearing, new_text, new_text_of_html, read, read_html

PIECES = st.sampled_from(
    [
        "",
        " ",
        "Hello",
        "Hello,",
        "The printer works again since this morning, I think.",
        "> quoted",
        ">> twice",
        ">:",
        "> On Mon, Jan 5, 2026 at 10:00, Ann <a@b.example> wrote:",
        "> ---------- Forwarded message ---------",
        "---------- Forwarded message ---------",
        "-- ",
        "--",
        "---",
        "Bob Builder",
        "Best regards,",
        "Thanks",
        "+44 20 7946 0958",
        "bob@acme.example",
        "via mobile",
        "P.S. one more",
        "On Mon, Jan 5, 2026 at 10:00, Ann <a@b.example> wrote:",
        "On Mon, Jan 5, 2026 at 10:00, Ann",
        "<a@b.example> wrote:",
        "Ann wrote:",
        "From: A <a@b.example>",
        "Sent: 5.1.2026",
        "Date: 5.1.2026",
        "To: b",
        "Subject: s",
        "_____",
        "__",
        "users mailing list",
        "-----Original Message-----",
        "Sent from my iPhone",
        "my answers below",
        "Please consider the environment before printing.",
        "This message is confidential and meant for its recipient alone; delete it, please, if it has come to you by mistake or in error.",
        "see:",
        "\u200fwrote:",
        "\x00\ufffd\U0001f600",
    ]
)
BEARINGS = st.sampled_from(list(Bearing))


def is_part(new: str, text: str) -> bool:
    rest = iter(text.split("\n"))
    return all(any(line == one for one in rest) for line in new.split("\n") if new)


@given(st.lists(PIECES, max_size=30).map("\n".join), BEARINGS)
@settings(max_examples=400, deadline=None)
def test_lines_are_left_out_and_never_altered(text, bears):
    found = read(text, bears)
    assert is_part(found.new, text)
    assert bool(found.new.strip()) == bool(text.strip())
    assert is_part(found.signature, text)


@given(st.text(max_size=400), BEARINGS)
@settings(max_examples=200, deadline=None)
def test_it_is_total(text, bears):
    found = read(text, bears)
    assert is_part(found.new, text.replace("\r\n", "\n").replace("\r", "\n"))
    read_html(text, bears)


@given(st.lists(PIECES, max_size=20).map("\n".join), BEARINGS)
@settings(max_examples=300, deadline=None)
def test_what_is_read_again_is_not_empty_and_never_more(text, bears):
    once = new_text(text, bears)
    assert is_part(new_text(once, bears), once)


@given(st.lists(PIECES, max_size=8).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_who_passes_on_loses_nothing_to_quotes(text):
    kept = read(text, Bearing.PASSES)
    if not kept.signature and "wrote" not in text and "list" not in text:
        assert kept.new.split() == text.split()


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>words</p>",
                "<div class=gmail_quote>old</div>",
                "<blockquote type=cite>old</blockquote>",
                '<div class="gmail_signature">Bob</div>',
                "<div id=Signature>Bob?</div>",
                "<div class=moz-forward-container>old</div>",
                "<br>-- <br>Bob",
                "<hr>",
                "<table><tr><td>a</td><td>b</td></tr></table>",
                "<div>",
                "</div>",
                "text",
            ]
        ),
        max_size=10,
    ).map("".join),
    BEARINGS,
)
@settings(max_examples=200, deadline=None)
def test_markup_keeps_the_laws_too(markup, bears):
    found = read_html(markup, bears)
    whole = html.to_text(markup)
    assert is_part("\n".join(line for line in found.new.split("\n") if line.strip()), whole)
    assert bool(found.new.strip()) == bool(whole.strip())


MARKS = {
    "quoted": "> ",
    "quoted words": "> x\n",
    "delimiters": "-- \n",
    "delimiters and names": "--\nBob\n\n",
    "openings": "On Mon, Jan 5, 2026 at 10:00, Ann Example <ann@example.com>\n",
    "short openings": "On 5 Jan\n",
    "near attributions": "On 5 Jan Ann wrote: no\n",
    "senders": "From: x\n",
    "broken blocks": "From: a\nTo: b\n x@\n x@\n",
    "rules": "-----\n",
    "endless": "-" * 1_000_000,
    "stars": "*" * 299 + "\n",
    "announcements": "-----Original Message----\n",
    "verbs": "wrote:\n",
    "digits": "1 " * 190 + ":\n",
    "dates": "On Mon 10:00 a 5 Jan a 5 Jan a 5 Jan a 5 Jan a 5 Jan a 5 Jan x:\n",
    "verbs between digits": "5 schrieb " * 38 + ":\n",
    "addresses": "a@b.c " * 60 + ":\n",
    "wrapped": "On Mon, Jan 5, 2026 Ann <a@b>\n" * 3 + "x:\n",
    "phones": "Sent from my iPhone\n",
    "numbers": "0 1" * 50 + "\n",
    "contacts": "+49 30 123456\n",
    "formulas": "Best regards,\n",
    "notices": "This e-mail is confidential intended \n",
    "blank": "\n",
    "spaces": " " * 500 + "x\n",
    "marked attributions": "> On Mon, Jan 5, 2026 at 10:00, Ann <a@b.example> wrote:\n",
}


@pytest.mark.parametrize("name", MARKS)
def test_a_hostile_megabyte_is_soon_read(name):
    mark = MARKS[name]
    whole = (mark * (1_000_000 // len(mark) + 1))[:1_000_000]
    lines = "\n".join(whole.split("\n")[:4_990])
    for text in (whole, lines, f"Hello there, my friends, it works.\n\n{lines}"):
        start = time.process_time()
        read(text)
        # 0.2 s where it was measured; a machine under load may need more, a square of the size would need minutes.
        assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("subject", "answers", "expected"),
    [
        ("Re: Printer", (), Bearing.ANSWERS),
        ("AW: Drucker", ("a@b",), Bearing.ANSWERS),
        ("Printer", ("a@b",), Bearing.ANSWERS),
        ("Printer", (), Bearing.OPENS),
        ("", (), Bearing.OPENS),
        ("Fwd: Printer", (), Bearing.PASSES),
        ("FW: Printer", ("a@b",), Bearing.PASSES),
        ("WG: Drucker", (), Bearing.PASSES),
        ("TR : Imprimante", (), Bearing.PASSES),
        ("Re: Fwd: Printer", (), Bearing.ANSWERS),
        ("[list] Fwd: Printer", (), Bearing.PASSES),
    ],
)
def test_what_a_mail_bears_on(subject, answers, expected):
    assert bearing(subject, answers) is expected


def test_a_very_long_text_is_left_alone():
    text = "words\n" * 6_000 + "-- \nBob"
    assert new_text(text) == text


def test_an_overlong_line_is_no_mark():
    long = "x" * 3_000
    assert new_text(f"{long}\n\n-- \nBob") == long


GMAIL = '<div dir="ltr">{said}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{head}<br></div>{rest}</div>'
FORWARD = (
    "---------- Forwarded message ---------<br>From: <b>Ann</b> &lt;ann@example.com&gt;<br>Date: Mon<br>Subject: x"
)
HEAD = "On Mon, Jan 5, 2026 at 10:00 AM Ann &lt;ann@example.com&gt; wrote:"
OUTLOOK = "<p><b>From:</b> Ann &lt;ann@example.com&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Bob<br><b>Subject:</b> x</p><p>old</p>"
SAID = "<p>The printer works again.</p>"
WORKS = "The printer works again."


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (GMAIL.format(said=SAID, head=HEAD, rest="<blockquote class=gmail_quote>old</blockquote>"), WORKS),
        (f"<div>{SAID}<br><blockquote type=cite><div>{HEAD}</div><br><div>old</div></blockquote></div>", WORKS),
        (f'{SAID}<div class="moz-cite-prefix">{HEAD}<br></div><blockquote type=cite><p>old</p></blockquote>', WORKS),
        (
            f'<div class=WordSection1>{SAID}<div style="border:none;border-top:solid #E1E1E1 1.0pt">{OUTLOOK}</div></div>',
            WORKS,
        ),
        (f"{SAID}<div id=appendonsend></div><hr><div id=divRplyFwdMsg>{OUTLOOK}</div>", WORKS),
        (f'{SAID}<div class="ms-outlook-mobile-reference-message">{OUTLOOK}</div>', WORKS),
        (f'{SAID}<div class="yahoo_quoted">{HEAD}<div>old</div></div>', WORKS),
        (f'{SAID}<div class="protonmail_quote">{HEAD}<br><blockquote type=cite>old</blockquote></div>', WORKS),
        (f'{SAID}<div class="k9mail"><blockquote>old</blockquote></div>', WORKS),
        (f'{SAID}<div name="quote"><div>{HEAD}</div>old</div>', WORKS),
        (f'{SAID}<hr id="zwchr"><div>{OUTLOOK}</div>', WORKS),
        (f'{SAID}<div id="mailbox-conversation">{HEAD}<br>old</div>', WORKS),
        (f"{SAID}<div>{HEAD}</div><blockquote>old</blockquote>", WORKS),
        (f'{SAID}<div class="gmail_signature">-- <br>Bob</div>', WORKS),
        (f"{SAID}<div>Sent from my iPhone</div><blockquote type=cite><div>{HEAD}</div>old</blockquote>", WORKS),
        (
            f'{SAID}<div id="ms-outlook-mobile-signature">Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div>',
            WORKS,
        ),
        (f'{SAID}<div id="Signature">Bob<br>P.S. one more</div>', f"{WORKS}\n\nBob\nP.S. one more"),
        (f'{SAID}<div id="Signature">Is it yours, too?</div>', f"{WORKS}\n\nIs it yours, too?"),
        ('<p>Hi,</p><div class="gmail_signature">Bob</div>', "Hi,\n\nBob"),
        (f"<blockquote type=cite>old</blockquote>{SAID}", "> old\n\n" + WORKS),
        ('<div class="gmail_signature">Bob</div>', "Bob"),
    ],
)
def test_markup_of_mail_programs(markup, expected):
    assert new_text_of_html(markup).replace("\n----------", "").strip() == expected


@pytest.mark.parametrize(
    "markup",
    [
        GMAIL.format(said=SAID, head=FORWARD, rest="<p>old</p>"),
        GMAIL.format(said="", head=FORWARD, rest="<p>old</p>"),
        f'{SAID}<div class="moz-forward-container"><br>-------- Forwarded Message --------<p>old</p></div>',
        f"{SAID}<blockquote type=cite><div>Begin forwarded message:</div><div>old</div></blockquote>",
        f"{SAID}<div>Begin forwarded message:</div><blockquote type=cite><div>old</div></blockquote>",
        f'{SAID}<div class="protonmail_quote">------- Forwarded Message -------<br>From: Ann<br>old</div>',
    ],
)
def test_forwarded_markup_is_no_quote(markup):
    new = new_text_of_html(markup)
    assert new.rstrip().endswith("old")
    assert "orward" in new
    assert (SAID in markup) == (WORKS in new)


def test_the_subject_speaks_for_markup_too():
    markup = f"{SAID}<div id=divRplyFwdMsg>{OUTLOOK}</div>"
    assert read_html(markup).new == WORKS
    assert read_html(markup, Bearing.PASSES).new.endswith("old")


def test_the_signature_of_markup_is_given_beside():
    found = read_html(f'{SAID}<div class="gmail_signature">Bob<br>Acme</div>')
    assert (found.new, found.signature) == (WORKS, "Bob\nAcme")


def test_words_below_the_quote_of_markup_stay():
    markup = f"<blockquote type=cite><p>old</p></blockquote>{SAID}<p>-- <br>Bob</p>"
    assert WORKS in new_text_of_html(markup)


def test_a_signature_in_the_midst_of_a_line_alters_nothing():
    markup = f'{SAID}<p>I am <span class="gmail_signature">Bob</span> of Acme.</p>'
    assert new_text_of_html(markup) == f"{WORKS}\n\nI am Bob of Acme."
