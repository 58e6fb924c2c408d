import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.threading.subject import base, is_reply, tags, without_tag

PREFIXES = [
    *(
        "Re: ",
        "AW:",
        "RE[2]: ",
        "Re^2: ",
        "Antw: ",
        "SV: ",
        "VS: ",
        "Odp: ",
        "YNT: ",
        "İLT: ",
        "Vá: ",
        "Отв: ",
        "Ответ: ",
    ),
    *(
        "回复：",
        "答复: ",
        "ΑΠ: ",
        "ΠΡΘ: ",
        "WG: ",
        "RV: ",
        "TR: ",
        "[EXTERNAL] ",
        "[CSM #7] ",
        " ",
        "Fwd: ",
        "RES: ",
        "ENC: ",
    ),
]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Hello", "hello"),
        ("Re: Hello", "hello"),
        ("RE:RE: AW: Hello", "hello"),
        ("Re[2]: Hello", "hello"),
        ("Antw: SV: VS: Hello", "hello"),
        ("回复：Hello", "hello"),
        ("Re^2: Hello", "hello"),
        ("RE[12]: FW: Hello", "hello"),
        ("Vá: Hello", "hello"),
        ("Ответ: Отв: Hello", "hello"),
        ("ΑΠ: ΠΡΘ: Hello", "hello"),
        ("YNT: İLT: ilt: Hello", "hello"),
        ("Odp: Odg: Hello", "hello"),
        ("RV: TR: WG: Hello", "hello"),
        ("Rép : Hello", "hello"),
        ("答复: 答覆: 回信: Hello", "hello"),
        ("회신: 전달: Hello", "hello"),
        ("רד: Hello", "רד: hello"),
        ("Status: Hello", "status: hello"),
        ("Re2: Hello", "hello"),
        ("Order 12: Hello", "order 12: hello"),
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


@given(st.lists(st.sampled_from(PREFIXES), max_size=6), st.sampled_from(["Hello", "", "[x] y", "a (fwd)"]))
def test_the_base_subject_is_idempotent_in_every_language(prefixes, rest):
    once = base("".join(prefixes) + rest, "CSM")
    assert base(once, "CSM") == once
    assert rest.lower().startswith(once) or once in {"y", "[external]"}


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
        ("Re^2: x", True),
        ("vá: x", True),
        ("ΑΠ: x", True),
        ("ОТВЕТ: x", True),
        ("Odp: x", True),
        ("VS: x", False),
        ("İLT: x", False),
        ("ΠΡΘ: x", False),
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
