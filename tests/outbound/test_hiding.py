"""Spellings of an agent's address and token, as clients and people make them: replaced, or the reply is not sent."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maild.mail import Address
from maild.outbound import samples
from maild.outbound.compose_relay import compose_relay, refusal
from maild.outbound.gate import GateRefusal
from maild.outbound.hide import hiding
from maild.outbound.letters import RelayLetter
from maild.outbound.reading import readings
from maild.threading.token import Purpose, mint

KEY = b"k" * 32
TOKEN = mint(KEY, 1042, "ann@staff.example", Purpose.AGENT)
BOUNCE = mint(KEY, 1042, "ann@staff.example", Purpose.BOUNCE)
CUSTOMERS = mint(KEY, 1042, "bob@acme.example", Purpose.CUSTOMER)
COLLEAGUES = mint(KEY, 1042, "bee@staff.example", Purpose.AGENT)
LETTER = replace(
    next(letter for letter in samples.letters() if isinstance(letter, RelayLetter)),
    agent=replace(samples.AGENT, address="Ann@staff.example"),
    hidden=("bee@staff.example",),
    mail=replace(samples.mail("x"), to=(Address("", f"csm+{TOKEN}@example.com"),), attachments=()),
    reply_to=f"csm+{CUSTOMERS}@example.com",
    secrets=(TOKEN, COLLEAGUES),
)


def html_of(markup):
    out = compose_relay(replace(LETTER, text="words", html=markup), samples.DESK, samples.NOW)
    return message_from_bytes(out.octets, policy=default).get_body(("html",)).get_content().strip()


def text_of(text):
    out = compose_relay(replace(LETTER, text=text, html=None), samples.DESK, samples.NOW)
    return message_from_bytes(out.octets, policy=default).get_content().strip()


SAFELINK = (
    "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Facme.example%2F&data=05%7C01%7C{}%7C12%7C0"
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (SAFELINK.format("ann%40staff.example"), SAFELINK.format("csm@example.com")),
        (SAFELINK.replace("%7C", "%257C").format("ann%2540staff.example"), "data=05%257C01%257Ccsm@example.com%257C12"),
        ("?u=email%3Dann%40staff.example", "?u=email%3Dcsm@example.com"),
        ("?u=%2Fann%2540staff.example", "?u=%2Fcsm@example.com"),
        ("?u=%252525252Fann%2525252540staff.example", "%252525252Fcsm@example.com"),
        ("?q=mail+ann%40staff.example", "?q=mail+csm@example.com"),
        ("mailto:%61nn@staff.example", "mailto:csm@example.com"),
        ("%41%4E%6e%40%73taff%2Eexample", "csm@example.com"),
        ("ann\N{ZERO WIDTH SPACE}@staff.example", "csm@example.com"),
        ("a\N{SOFT HYPHEN}nn@staff.exam\N{ZERO WIDTH NON-JOINER}ple", "csm@example.com"),
        ("ann\N{FULLWIDTH COMMERCIAL AT}staff.example", "csm@example.com"),
        ("\uff41nn@staff\uff0eexample", "csm@example.com"),
        ("ann&#64;staff.example &#97;nn&#x40;staff&#46;example", "csm@example.com csm@example.com"),
        ("ann&#064;staff.example", "csm@example.com"),
        ("ann+urgent@staff.example", "csm@example.com"),
        ("BEE@Staff.Example", "csm@example.com"),
        ("_ann@staff.example_, ...ann@staff.example.", "_csm@example.com_, ...csm@example.com."),
        ("https://x.example/ann@staff.example/", "https://x.example/csm@example.com/"),
        (f"csm%252B{TOKEN}%2540example.com", "csm%2540example.com"),
        (f"csm+{TOKEN[:9]}\N{ZERO WIDTH SPACE}{TOKEN[9:]}@example.com", "csm+@example.com"),
        (f"the letters {TOKEN.upper()} alone", "the letters  alone"),
        (f"her letters {COLLEAGUES}, alone", "her letters , alone"),
        (f"?t%3D{TOKEN}", "?t%3D"),
        (f"never seen: {BOUNCE}", "never seen: "),
    ],
)
def test_a_spelling_is_replaced(text, wanted):
    assert wanted.strip() in text_of(text)
    shown = html_of(
        f'<p>{text.replace("&", "&amp;")}<a href="https://x.example/{text.replace("&", "&amp;")}">x</a></p>'
    )
    assert not any(
        word in form for form in readings(shown) for word in ("ann@staff", "bee@staff", TOKEN, COLLEAGUES, BOUNCE)
    )


@pytest.mark.parametrize(
    "text",
    [
        "joann@staff.example jo.ann@staff.example jo-ann@staff.example jo_ann@staff.example",
        "jo%61nn@staff.example",
        "%6Fann@staff.example ann@staff.example-more.org ann@staff.examples",
        "ann at staff.example, staff.example, ann@other.example",
        f"csm+{CUSTOMERS}@elsewhere.example",
        "a word of cea" + "b" * 20 + " and of cea" + "b" * 22,
    ],
)
def test_what_only_looks_alike_stays(text):
    assert text_of(text) == text
    assert html_of(f"<p>{text}</p>") == f"<p>{text}</p>"


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        ("<p>hi ann@<wbr>staff.<wbr>example</p>", "<p>hi csm@example.com</p>"),
        ("<p>ann&#8203;@staff&shy;.example</p>", "<p>csm@example.com</p>"),
        ('<p title="ann@staff.example">hi<!-- ann@staff.example --></p>', '<p title="csm@example.com">hi</p>'),
        (f"<p>csm+{TOKEN}@<wbr>example.com</p>", "<p>csm@example.com</p>"),
        (f"<p>csm+{TOKEN[:9]}<wbr>{TOKEN[9:]}@example.com</p>", "<p>csm@example.com</p>"),
        (f"<p>{TOKEN[:9]}<wbr>{TOKEN[9:]}</p>", "<p></p>"),
        (f"<p>csm+<b>{TOKEN}</b>@example.com</p>", "<p>csm+<b></b>@example.com</p>"),
    ],
)
def test_marked_up_spellings_are_replaced(markup, wanted):
    assert html_of(markup) == wanted


@pytest.mark.parametrize(
    "markup",
    [
        "<p>ann<b>@</b>staff.example</p>",
        "<p>x</p><p>ann@<span>staff</span>.example</p>",
        "<p>a<i>n</i>n&#64;staff.example</p>",
        "<table><tr><td>ann@</td><td>staff.example</td></tr></table>",
        f"<p>csm+{TOKEN[:9]}<b>{TOKEN[9:]}</b>@example.com</p>",
        f"<p>{COLLEAGUES[:9]}</p><p>{COLLEAGUES[9:]}</p>",
        "<p>csm+<i>anything</i>@<i>example.com</i></p>",
    ],
)
def test_what_cannot_be_taken_out_is_not_sent_and_its_writer_is_told(markup):
    letter = replace(LETTER, text="words", html=markup)
    with pytest.raises(GateRefusal, match="take it out"):
        compose_relay(letter, samples.DESK, samples.NOW)
    assert "cannot take it out" in refusal(letter, samples.DESK)


def test_a_token_over_two_lines_is_not_sent():
    assert "take it out" in refusal(replace(LETTER, text=f"{TOKEN[:9]}\n> {TOKEN[9:]}", html=None), samples.DESK)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_however_each_letter_is_written_it_does_not_leave(data):
    ways = ("{}", "%{:02X}", "%25{:02x}", "&#{};", "&#x{:x};", "{}\u200b", "{}\u00ad")
    secret = data.draw(st.sampled_from(["ann@staff.example", "bee@staff.example"]))
    spelled = ""
    for char in secret:
        way = data.draw(st.sampled_from(ways))
        spelled += way.format(char if way.startswith("{}") else ord(char))
    letter = replace(LETTER, text=f"write to {spelled} now", html=f"<p>{spelled}</p>")
    words = refusal(letter, samples.DESK)
    if not words:
        out = compose_relay(letter, samples.DESK, samples.NOW)
        parsed = message_from_bytes(out.octets, policy=default)
        for kind in ("plain", "html"):
            shown = parsed.get_body((kind,)).get_content()
            assert not any(secret in form for form in readings(shown))


def test_the_subject_and_the_name_are_cleared_too():
    letter = replace(
        LETTER, subject="for %61nn%40staff.example", agent=replace(LETTER.agent, name="A ann+x@staff.example")
    )
    out = compose_relay(replace(letter, html=None), samples.DESK, samples.NOW)
    parsed = message_from_bytes(out.octets, policy=default)
    assert parsed["Subject"] == "Re: [CSM #1042] for csm@example.com"
    assert parsed["From"].addresses[0].display_name == "Example Support"


def test_without_an_agent_or_a_token_there_is_nothing_to_hide():
    hide = hiding(samples.mail(), ("", "no address"), ("csm@example.com",))
    assert hide.agents == hide.own == hide.secrets == ()
    assert not hide.tells("ann@staff.example")
