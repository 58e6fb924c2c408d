"""Figures in words, pictures, pages and tables."""

import csv
import io
import re
from datetime import timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from maild.report import pictures
from maild.report.figures import Correction, Tally, report
from maild.report.objects import COLUMNS, objects, table
from maild.report.page import page
from maild.report.sections import MOST_CUSTOMERS, customers, lines_of, period, sections, share
from maild.ticket import Severity

BERLIN = "Europe/Berlin"


@pytest.fixture
def figures(make_clock, make_life, monday):
    lives = [make_life(make_clock(minutes), customer=f"Customer {minutes % 3}") for minutes in range(5, 95, 5)]
    lives.append(make_life(make_clock(5), severity=Severity.URGENT, customer="=1+1 <script>"))
    changes = [
        Correction(1001, monday, "ann", Severity.HIGH, Severity.LOW),
        Correction(1002, monday, "bob", Severity.NORMAL, Severity.URGENT),
    ]
    return report(lives, changes, monday - timedelta(hours=10), monday + timedelta(days=6, hours=14), BERLIN)


@pytest.fixture
def nothing(monday):
    return report([], [], monday, monday + timedelta(days=7), BERLIN)


@pytest.mark.parametrize(
    ("met", "missed", "words"),
    [
        (0, 0, "-"),
        (1, 0, "1 of 1"),
        (2, 7, "2 of 9"),
        (5, 5, "50 %"),
        (10, 0, "100 %"),
        (0, 10, "0 %"),
        (999, 1, "99 %"),
        (1, 999, "1 %"),
        (2, 1, "2 of 3"),
    ],
)
def test_a_share_is_a_percentage_only_where_there_is_enough_of_it(met, missed, words):
    assert share(Tally(met, missed)) == words


def test_a_period_is_named_by_its_days(figures):
    assert period(figures) == "2026-03-02 to 2026-03-08 (Europe/Berlin)"


def test_where_nothing_happened_every_section_says_so(nothing):
    text = "\n".join(lines_of(sections(nothing)))
    assert len(re.findall("in this time", text)) == len(sections(nothing))
    assert not re.search(r"\d", text)
    body = page(nothing, "Desk")
    assert body.count("in this time") == len(sections(nothing))


def test_columns_stand_in_line(figures):
    for section in sections(figures):
        lines = list(lines_of([section]))[2:]
        told = [line for line in lines if line.strip() != section.note]
        assert len(told) == len(section.rows) + 1
        assert len({len(line) for line in told}) == 1, told


def test_tables_are_no_wider_than_a_terminal(figures):
    assert max(map(len, lines_of(sections(figures)))) <= 79


def test_the_rest_of_the_customers_is_one_row(make_clock, make_life, monday):
    lives = [make_life(make_clock(5), customer=f"c{number:02}") for number in range(MOST_CUSTOMERS + 3)]
    found = customers(report(lives, [], monday, monday + timedelta(days=1), BERLIN))
    assert len(found.rows) == MOST_CUSTOMERS + 1
    assert (found.rows[-1].label, found.rows[-1].cells) == ("and 3 more", ("3", "3", "0", "3 of 3"))


def test_changes_are_told_by_direction(figures):
    assert "1 up, 1 down." in "\n".join(lines_of(sections(figures)))


def test_one_ticket_is_no_tickets(make_life, monday):
    figures = report([make_life()], [], monday, monday + timedelta(days=1), BERLIN)
    assert sections(figures)[0].note == "1 new ticket: 1 normal."


class Tags(HTMLParser):
    """Knows whether every tag is closed by its own."""

    VOID = frozenset({"meta", "rect", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_is_whole_and_needs_nothing_else(figures):
    text = page(figures, "Desk & <Co>")
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    names = {tag for tag, _ in tags.seen}
    assert names <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "div", "table", "tr", "th"),
        *("td", "svg", "rect", "text", "figure", "figcaption"),
    }
    assert not any(name in attrs for _, attrs in tags.seen for name in ("src", "href", "onload", "style"))
    assert "=1+1 &lt;script&gt;" in text
    assert "Desk &amp; &lt;Co&gt;" in text


def test_every_figure_stands_beside_its_picture(figures):
    text = page(figures, "Desk")
    for svg in re.findall(r"<svg role.*?</svg>", text):
        root = ET.fromstring(svg)  # noqa: S314 - we wrote it ourselves
        assert re.search(r"\d", root.findtext("title"))
        assert root.get("aria-label") == root.findtext("title")


@pytest.mark.parametrize(
    ("count", "most", "shade"), [(0, 5, 0), (1, 100, 1), (1, 1, 5), (3, 5, 3), (5, 5, 5), (99, 100, 5), (1, 5, 1)]
)
def test_shades(count, most, shade):
    assert pictures.step(count, most) == shade


def test_a_bar_is_as_long_as_its_counts():
    svg = ET.fromstring(pictures.bar((("good", 30), ("bad", 0)), 60))  # noqa: S314 - we wrote it ourselves
    (rect,) = [each for each in svg if each.tag == "rect"]
    assert (rect.get("class"), float(rect.get("width"))) == ("good", 120)
    assert svg.findtext("title") == "30 met, 0 missed"
    tiny = ET.fromstring(pictures.bar((("bad", 1),), 100_000))  # noqa: S314 - likewise
    assert float(tiny.find("rect").get("width")) == 1


def test_objects_and_table_say_the_same(figures):
    told = list(objects(figures))
    rows = list(csv.DictReader(io.StringIO(table(figures), newline="")))
    assert len(rows) == len(told)
    for one, row in zip(told, rows, strict=True):
        assert set(one) <= set(COLUMNS)
        for key, value in one.items():
            assert row[key].removeprefix("'") == ("" if value is None else str(value))
    names = [row["customer"] for row in rows if row["figure"] == "customer"]
    assert "'=1+1 <script>" in names


def test_objects_of_nothing_still_name_the_period(nothing):
    told = list(objects(nothing))
    assert told[0] == {
        "figure": "period",
        "from": "2026-03-02T09:00:00Z",
        "to": "2026-03-09T09:00:00Z",
        "zone": BERLIN,
    }
    assert {one["figure"] for one in told} == {"period", "opened", "first_response"}
