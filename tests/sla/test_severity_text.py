import pytest

from maild.sla.severity_text import SCANNED, bare_subject, fold, new_words, tokens

NEW = "Hello there"


@pytest.mark.parametrize(
    "rest",
    [
        "> old",
        "  > old\n>> older",
        "On Mon, 2 Mar 2026 at 10:00, Bob <b@example.org> wrote:\n> old",
        "On Mon, 2 Mar 2026 at 10:00, Bob <b@example.org> wrote:\n\nold, not marked",
        "On Mon, 2 Mar 2026 at 10:00, Bob Builder\n<b@example.org> wrote:\n> old",
        "Am 02.03.2026 um 10:00 schrieb Bob <b@example.org>:\n> alt",
        "Le 2 mars 2026 à 10:00, Bob <b@example.org> a écrit :\n> vieux",
        "El lun, 2 mar 2026, Bob escribió:\n> viejo",
        "Em seg., 2 de mar. de 2026, Bob escreveu:\n> velho",
        "Il giorno lun 2 mar 2026 Bob ha scritto:\n> vecchio",
        "Op 2 maart 2026 om 10:00 schreef Bob:\n> oud",
        "W dniu 2.03.2026 o 10:00, Bob pisze:\n> stare",
        "2026年3月2日(月) 10:00 Bob <b@example.org> のメール:\n> 古い",
        "-----Original Message-----\nold",
        "---------- Forwarded message ---------\nold",
        "Begin forwarded message:\n\nold",
        "-----Ursprüngliche Nachricht-----\nalt",
        "From: Bob\nSent: Monday\nSubject: old\n\nold",
        "Von: Bob\nGesendet: Montag\nalt",
        "*From:* Bob\n*Date:* Monday\nold",
        "-- \nBob\nEmergency Services",
        "--\nBob",
        "Best regards,\nBob\nHead of Critical Incidents",
        "Mit freundlichen Grüßen\nBob",
        "Sent from my iPhone",
    ],
)
def test_old_words_are_cut(rest):
    assert new_words(f"{NEW}\n{rest}").strip() == NEW


@pytest.mark.parametrize(
    "text",
    [
        "From: here on it works",
        "On Monday it broke",
        "On Monday we saw this:\nan error",
        "Am Montag",
        "Regards",
        "a -- b",
        "",
    ],
)
def test_new_words_stay(text):
    assert new_words(text) == text


def test_answers_between_quotes_stay():
    assert new_words("On Mon, Bob wrote:\n> one\nfirst\n> two\nsecond") == "first\nsecond"


def test_an_attribution_of_two_lines_before_answers_between_quotes_is_left_out():
    assert new_words("On Mon, 2 Mar 2026, Bob\n<b@example.org> wrote:\n> one\nfirst").split("\n")[-1] == "first"


def test_no_more_than_the_first_pages_are_looked_at():
    assert len(new_words("word\n" * SCANNED)) == SCANNED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's down!", ["it", "s", "down", "."]),
        ("a, b - c: d", ["a", ",", "b", ",", "c", ",", "d"]),
        ("3.5 and v1.2", ["3", "5", "and", "v1", "2"]),
        ("one\ntwo", ["one", ".", "two"]),
        ("緊急：停止。", ["緊", "急", ",", "停", "止", "."]),
        ("非常口、全", ["非", "常", "口", ",", "全"]),
        ("सर्वर बंद है।", ["सर्वर", "बंद", "है", "."]),
        ("[P1]", [",", "p1", ","]),
    ],
)
def test_tokens(text, words):
    assert tokens(text) == words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Größe", "grosse"),
        ("ŁÓDŹ", "lodz"),
        ("isn’t", "is not"),
        ("won't", "will not"),
        ("がぎ", "がぎ"),
        ("ＡＢ", "ab"),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("subject", "bare"),
    [("Re: AW: x", "x"), ("RE[2]: x", "x"), ("回复：x", "x"), ("Report", "Report"), ("Fwd: x", "Fwd: x")],
)
def test_bare_subject(subject, bare):
    assert bare_subject(subject) == bare
