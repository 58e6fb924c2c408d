import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.threading.subject import base, is_reply, tags, without_tag


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Hello", "hello"),
        ("Re: Hello", "hello"),
        ("RE:RE: AW: Hello", "hello"),
        ("Re[2]: Hello", "hello"),
        ("Antw: SV: VS: Hello", "hello"),
        ("回复：Hello", "hello"),
        ("Fwd: Re: Hello (fwd)", "hello"),
        ("Re: [CSM #1042] Hello", "hello"),
        ("[CSM #1042] Re: Hello", "hello"),
        ("  Hello \t world ", "hello world"),
        ("Regarding: invoices", "regarding: invoices"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_base_subject(subject, expected):
    assert base(subject, "CSM") == expected


@given(st.text(alphabet="RreEaAwW: [](fwd)#CSM12x\t", max_size=60))
def test_the_base_subject_is_idempotent(subject):
    assert base(base(subject, "CSM"), "CSM") == base(subject, "CSM")


@pytest.mark.parametrize(
    ("subject", "reply"),
    [
        ("Re: x", True),
        (" aw: x", True),
        ("WG: x", False),
        ("[list] Re: x", True),
        ("Fwd: Re: x", False),
        ("Ready: x", False),
        ("x", False),
    ],
)
def test_reply_prefix(subject, reply):
    assert is_reply(subject) is reply


@pytest.mark.parametrize(
    ("subject", "numbers"),
    [
        ("[CSM #1042] x", (1042,)),
        ("[csm #1042] x [CSM#7] [CSM #1042]", (1042, 7)),
        ("[OTHER #1042] x", ()),
        ("CSM #1042", ()),
    ],
)
def test_tags(subject, numbers):
    assert tags(subject, "CSM") == numbers


def test_without_tag_takes_out_every_one():
    assert without_tag("[CSM #1] a [CSM #2]  b", "CSM") == "a b"


def test_a_subject_without_reference_keeps_its_tag():
    assert base("[CSM #1] a") == "[csm #1] a"
