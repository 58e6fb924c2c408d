"""The tags of other people's ticket systems: which are known, which go into our subjects, and that these never grow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.outbound.gate import clean
from maild.outbound.wording import tagged
from maild.threading.subject import base, tags
from maild.threading.tags import LONGEST, MOST, MOST_LETTERS, carried, foreign, latest, untagged


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("[ACME-123] Re: Printer [CSM #1042]", ("[ACME-123]",)),
        ("Re: [Ticket#2026112310000123] Printer", ("[Ticket#2026112310000123]",)),
        ("{#HD-7781} Printer", ("{#HD-7781}",)),
        ("Printer ##4711##", ("##4711##",)),
        ("Printer (Case 00012345)", ("(Case 00012345)",)),
        ("Printer [ ref:_00D30abcd._5003000abcd:ref ]", ("[ ref:_00D30abcd._5003000abcd:ref ]",)),
        ("Printer ref:!00D30abcd.!5003000abcd:ref", ("ref:!00D30abcd.!5003000abcd:ref",)),
        ("Printer [ thread::AbCdEfGhIj_k-l:: ]", ("[ thread::AbCdEfGhIj_k-l:: ]",)),
        ("[JIRA] (PROJ-12) Printer", ("(PROJ-12)",)),
        ("[#INC0012345] Printer", ("[#INC0012345]",)),
        ("INC0012345 - Printer", ("INC0012345",)),
        ("[example.com #123] Printer", ("[example.com #123]",)),
        ("[Case #: 12] (Ticket-ID: 4711) [#7]", ("[Case #: 12]", "(Ticket-ID: 4711)", "[#7]")),
        ("[CASE:0012] Printer", ("[CASE:0012]",)),
        ("[Vorgang 2026-17] [Vorgang Nr. 4711]", ("[Vorgang Nr. 4711]",)),
        ("[CSM #12345678901]", ("[CSM #12345678901]",)),
        ("[CSM-12]", ("[CSM-12]",)),
        ("[CSM #1042] [csm#7] (CSM #7) { CSM #7 }", ()),
        ("[PATCH 1/3] (2026) [EXTERNAL] (v2) [2] Printer", ()),
        ("[Ca\u017fe 12] [zg\u0142oszenie 12]", ()),
        ("Case 4711: Printer #4 ##a## ###4## INC12", ()),
        ("", ()),
    ],
)
def test_what_is_a_foreign_tag(subject, found):
    assert foreign(subject, "CSM") == found


@pytest.mark.parametrize(
    ("subject", "newer", "sent"),
    [
        ("Printer", (), "Printer"),
        ("  Printer  is\tout ", (), "  Printer  is\tout "),
        ("Printer", ("Re: Printer",), "Printer"),
        ("Printer", ("[ACME-123] Re: Printer [CSM #1042]",), "Printer [ACME-123]"),
        ("[ACME-123] Printer", (), "[ACME-123] Printer"),
        ("[ACME-123] Printer", ("Re: [ACME-123] Printer", "[ACME-123] Printer"), "[ACME-123] Printer"),
        ("[ACME-123] Printer", ("Re: [ACME-124] Printer",), "Printer [ACME-124]"),
        ("[ACME-123] Printer", ("no tag", "Re: [ACME-124] x", "[ACME-123] Printer"), "Printer [ACME-124]"),
        ("[ACME-123] Printer", ("Re: Printer ##4711##",), "Printer ##4711## [ACME-123]"),
        ("[ACME-1] Printer", ("[ACME-3] [ACME-2] Printer",), "Printer [ACME-3] [ACME-2]"),
        ("[ACME-1] Printer [ACME-1]", (), "Printer [ACME-1]"),
        ("[A1-1] [B1-1] [C1-1] [D1-1] x", (), "x [A1-1] [B1-1] [C1-1]"),
        ("ref:_00D30abcd._5003000abcd:ref", ("ref:_00D30abcd._5003000zzzz:ref",), "ref:_00D30abcd._5003000zzzz:ref"),
        ("[CSM #1042] Printer", ("[ACME-1] x",), "Printer [ACME-1]"),
    ],
)
def test_what_we_send_has_his_latest_tags(subject, newer, sent):
    assert carried(subject, newer, "CSM") == sent


def test_one_mail_may_bear_two_of_one_system():
    assert latest("[ACME-1] [ACME-2] x", (), "CSM") == ("[ACME-1]", "[ACME-2]")


def test_what_would_be_cut_stands_behind_a_shorter_title():
    sent = carried("[ACME-1] " + "very " * 60, (), "CSM")
    assert len(sent) <= LONGEST
    assert sent.endswith("\N{HORIZONTAL ELLIPSIS} [ACME-1]")
    assert "[ACME-1]" in tagged(sent, "CSM", 1042, reply=True)


def test_only_the_newest_subjects_are_read():
    assert carried("Printer", (*["Re: Printer"] * 20, "[ACME-1] Printer"), "CSM") == "Printer"


TAGS = st.sampled_from(
    [
        *("[ACME-123]", "[ACME-9]", "[Ticket#2026112310000123]", "{#HD-7781}", "##4711##", "(Case 00012345)"),
        *("ref:_00D30abcd._5003000abcd:ref", "(PROJ-12)", "[#INC0012345]", "INC0012345", "[CSM #1042]", "(CSM #7)"),
        *("[", "(", "{", "##", "Case ", "12]", "Re: ", "[" + "A" * 9 + "-" + "1" * 12 + "]", "[list]"),
    ]
)
SUBJECTS = st.lists(TAGS | st.text(max_size=20), max_size=12).map(" ".join) | st.text(max_size=300)
NEWER = st.lists(SUBJECTS, max_size=4)


@given(SUBJECTS, NEWER)
def test_there_are_few_tags_and_each_once(subject, newer):
    sent = carried(subject, newer, "CSM")
    found = foreign(sent, "CSM")
    assert len(found) <= MOST
    assert len(set(found)) == len(found)
    assert sum(map(len, found)) <= MOST_LETTERS
    assert set(found) == set(latest(subject, newer, "CSM"))
    assert all(tag.isascii() and tag.isprintable() for tag in found)


@given(SUBJECTS, NEWER)
def test_a_subject_never_grows(subject, newer):
    sent = carried(subject, newer, "CSM")
    assert carried(sent, newer, "CSM") == sent
    assert len(sent) <= max(LONGEST, len(subject))
    answered = f"Re: {tagged(sent, 'CSM', 1042, reply=True)}"
    assert carried(sent, [answered, *newer], "CSM") == sent or len(answered) > LONGEST


@given(SUBJECTS, NEWER)
def test_our_own_tag_stands_there_once(subject, newer):
    sent = tagged(carried(subject, newer, "CSM"), "CSM", 1042, reply=True)
    assert tags(sent, "CSM") == (1042,)
    assert sent.count("[CSM #1042]") == 1


@given(SUBJECTS, NEWER)
def test_tags_change_no_base_subject(subject, newer):
    sent = carried(subject, newer, "CSM")
    assert untagged(untagged(subject, "CSM"), "CSM") == untagged(subject, "CSM")
    assert base(base(sent, "CSM"), "CSM") == base(sent, "CSM")
    if not sent.replace(" ", "").count("\N{HORIZONTAL ELLIPSIS}"):
        assert base(untagged(sent, "CSM"), "CSM") == base(untagged(subject, "CSM"), "CSM")


@given(SUBJECTS, NEWER)
def test_the_gate_has_nothing_to_take_out_of_a_tag(subject, newer):
    for tag in latest(subject, newer, "CSM"):
        assert clean(tag) == tag
