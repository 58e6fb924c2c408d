import pytest

from maild.ingest import html_cost

MANY = " ".join(f"a{number}=b" for number in range(600))


@pytest.mark.parametrize(
    ("markup", "complex_"),
    [
        ("", False),
        ("<p>words</p>" * 10_000, False),
        ("<p>" * 60_000, False),
        ("<p>" * 100_001, True),
        ("<div>" * 2000, False),
        ("<div>" * 2001, True),
        ("<div></div>" * 5000, False),
        ("&amp;" * 400, False),
        ("&amp;" * 100_000, True),
        ("\u00ae" * 150_000, True),
        ("<p>\u00a0\u00bb \u00e9</p>" * 10_000, False),
        ("<p>&amp;</p>" * 10_000, False),
        (f"<p {MANY[:2000]}>", False),
        (f"<p {MANY}>", True),
        (f"<p {MANY.replace('b', chr(34) + '>' + chr(34))}>", True),
        (f"<p {MANY.replace('=b', '')}>", True),
        (f"<p/{MANY.replace('=b ', '/')}>", True),
        (f"<!-- <p a='--><p {MANY}>", True),
        (f"<p a='<b {MANY}>' >", True),
        ('<p a="' + "<p x='" * 20_000, True),
        ('<p a="' + "<p" * 20_000 + ' a="', True),
        ("<a href=\"x\" title='y' name=z disabled>" * 1000, False),
    ],
)
def test_what_would_cost_the_square_of_its_size(markup, complex_):
    assert html_cost.too_complex(markup) is complex_


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<div>one</div><div>two &amp; three</div>", "one\ntwo & three"),
        ("<script>no()</script><style>no</style>yes", "yes"),
        ("a < b", "a < b"),
    ],
)
def test_flat_words(markup, words):
    assert html_cost.flatten(markup) == words
