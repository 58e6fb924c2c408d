"""An agent's reply on its way out: no address of his, no token but the customer's, in no octet, encoded or not."""

import base64
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from hashlib import sha256

import pytest

from maild.mail import Address, Attachment
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.compose_relay import refusal, sort, spoiled
from maild.outbound.gate import GateRefusal
from maild.outbound.hide import hiding
from maild.outbound.letters import RelayLetter
from maild.threading.token import Purpose, mint, own_id

KEY = b"k" * 32
TOKEN = mint(KEY, 1042, "ann@example.com", Purpose.AGENT)
AGENTS_ADDRESS = f"csm+{TOKEN}@example.com"
OURS = own_id(KEY, 1042, "abcdefgh", "example.com")
CUSTOMERS = "csm+" + mint(KEY, 1042, "bob@acme.example", Purpose.CUSTOMER) + "@example.com"
BASE = next(letter for letter in samples.letters() if isinstance(letter, RelayLetter))
AGENTS_MAIL = replace(
    samples.mail("Hello"),
    from_=(Address("Ann", "ann@example.com"),),
    to=(Address("", AGENTS_ADDRESS.upper()),),
    attachments=(),
)
LETTER = replace(BASE, mail=AGENTS_MAIL, html=None, text="Hello", reply_to=CUSTOMERS)


def file(name="a.txt", content=b"x", content_type="text/plain", content_id="", inline=None):
    inline = bool(content_id) if inline is None else inline
    return Attachment(name, content_type, content, sha256(content + name.encode()).hexdigest(), inline, content_id)


@pytest.fixture
def write(templates):
    def write(**changes):
        files = changes.pop("files", None)
        whole = changes.pop("whole", None)
        letter = replace(LETTER, **changes)
        if files is not None:
            letter = replace(letter, mail=replace(letter.mail, attachments=files, html=whole))
        out = compose(letter, samples.DESK, templates, samples.NOW)
        return out, message_from_bytes(out.octets, policy=default)

    return write


def text_of(parsed):
    return parsed.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip("\n")


def html_of(parsed):
    return parsed.get_body(("html",)).get_content()


SECRETS = (
    "ann@example.com",
    "ANN@EXAMPLE.COM",
    AGENTS_ADDRESS,
    AGENTS_ADDRESS.upper(),
    TOKEN,
    OURS,
    "csm+xxxxx@example.com",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_of_the_agents_leaves_in_any_octet(secret, write, leaves):
    out, _ = write(
        text=f"Mail {secret} or <{secret}>. Grüße {'ü' * 40}",
        html=f'<p>Mail <a href="mailto:{secret}">{secret}</a> {secret.replace("@", "&#64;")}</p>',
        subject=f"Re: {secret}",
        agent=replace(samples.AGENT, name=f"Ann {secret}"),
        files=(
            file(f"{secret}.txt"),
            file(f"x_{secret}_.txt"),
            file(f"{secret}.png", content_type="image/png", content_id="c@x"),
        ),
    )
    for leaf in leaves(out.octets):
        lower = leaf.lower()
        for hidden in SECRETS:
            plain = hidden.lower().encode()
            assert plain not in lower
            assert base64.b64encode(plain)[:-4] not in leaf
            assert plain.replace(b"@", b"=40") not in lower


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("write to ann@example.com.", "write to csm@example.com."),
        ("Ann@Example.Com", "csm@example.com"),
        (
            "joann@example.com ann@example.community x.ann@example.com",
            "joann@example.com ann@example.community x.ann@example.com",
        ),
        (f"to {AGENTS_ADDRESS}", "to csm@example.com"),
        (f"mailto:csm%2B{TOKEN}%40example.com", "mailto:csm%40example.com"),
        (f"other+{TOKEN}@example.com", "other@example.com"),
        (f"the token {TOKEN} alone", "the token  alone"),
        ("csm+short@example.com", "csm@example.com"),
        ("csm+short@elsewhere.example", "csm+short@elsewhere.example"),
        (f"<{OURS}> wrote", "<csm@example.com> wrote"),
        ("bob+tag@acme.example", "bob+tag@acme.example"),
        ("bee@example.com", "csm@example.com"),
    ],
)
def test_what_is_put_in_its_place(text, wanted, write):
    assert text_of(write(text=text, hidden=("bee@example.com",))[1]) == wanted


def test_hiding_is_linear_in_long_text():
    hide = hiding(AGENTS_MAIL, ("ann@example.com",), ("csm@example.com",))
    for text in ("a" * 1_000_000, "csm+" * 250_000, "csm" * 300_000, "ann@" * 250_000, "+" + "a" * 24 + "@"):
        assert hide.clear(text) == text


def test_the_head_of_a_relayed_mail(write):
    out, parsed = write()
    assert list(parsed.keys()) == [
        *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "X-Maild-Loop"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    ]
    assert parsed["From"] == "Ann Example <csm@example.com>"
    assert parsed["To"] == "Bob Customer <bob@acme.example>"
    assert parsed["In-Reply-To"] == "<m1@acme.example>"
    assert parsed["References"].split() == [f"<{samples.ROOT}>", "<m1@acme.example>"]
    assert out.kind == "relay"


@pytest.mark.parametrize("name", ["", "ann@example.com", "ann@private.example", "   "])
def test_a_name_that_is_none_becomes_the_desks(name, write):
    assert write(agent=replace(samples.AGENT, name=name))[1]["From"] == "Example Support <csm@example.com>"


def test_an_agent_who_is_the_customer_gets_his_mail(write):
    out, parsed = write(
        to=Address("Ann", "ann@example.com"), hidden=("ann@example.com", "bee@example.com"), text="x bee@example.com"
    )
    assert out.rcpt == "ann@example.com"
    assert text_of(parsed) == "x csm@example.com"


def test_a_token_of_the_agents_in_our_own_fields_is_refused(write):
    for changes in ({"reply_to": AGENTS_ADDRESS}, {"envelope_from": AGENTS_ADDRESS}):
        with pytest.raises(GateRefusal, match="tells"):
            write(**changes)


def test_text_is_made_from_html_where_there_is_none(write):
    _, parsed = write(
        text=" \n", html='<p>One<br>two</p><ul><li>three</li></ul><p>see <a href="https://x.example/y">here</a></p>'
    )
    assert text_of(parsed) == "One\ntwo\n\n- three\n\nsee here <https://x.example/y>"


def test_html_is_sanitised_and_its_pictures_follow(write):
    html = '<p style="color:red">Look<script>x</script><img src="cid:shot@x"><img src="cid:none@x"><img src="http://spy/x"></p>'
    whole = html + '<blockquote><img src="cid:logo@x"></blockquote>'
    files = (
        file("shot.png", b"1", "image/png", "shot@x"),
        file("shot.png", b"1", "image/png", "shot@x"),
        file("logo.png", b"2", "image/png", "logo@x"),
        file("stray.png", b"3", "image/png", "stray@x"),
        file("log.txt", b"4"),
    )
    _, parsed = write(html=html, files=files, whole=whole)
    rich = html_of(parsed)
    for bad in ("style", "script", "spy", "none@x", "shot@x"):
        assert bad not in rich
    picture = next(part for part in parsed.walk() if part["Content-ID"])
    assert f'src="cid:{picture["Content-ID"][1:-1]}"' in rich
    assert picture.get_content() == b"1"
    assert [part.get_filename() for part in parsed.iter_attachments()] == ["stray.png", "log.txt"]
    assert [part.get_content_type() for part in parsed.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"),
        *("image/png", "text/plain"),
    ]


def test_without_html_a_picture_is_an_attachment():
    sorted_ = sort((file("a.png", content_id="a@x"),), '<img src="cid:a@x">', None, "example.com")
    assert [one.name for one in sorted_.beside] == ["a.png"]
    assert sorted_.new_ids == {}


@pytest.mark.parametrize("inline", [True, False])
def test_a_picture_that_the_html_shows_is_shown_whatever_its_disposition(inline, write):
    picture = file("a.png", b"1", "image/png", "a@x", inline=inline)
    html = '<p>Look</p><img src="cid:a@x">'
    _, parsed = write(html=html, whole=html, files=(picture,))
    (part,) = (part for part in parsed.walk() if part["Content-ID"])
    assert part.get_content_disposition() == "inline"
    assert f'src="cid:{part["Content-ID"][1:-1]}"' in html_of(parsed)
    assert list(parsed.iter_attachments()) == []


def inside(text):
    return b"Subject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(
        text.encode()
    )


@pytest.mark.parametrize(
    "one",
    [
        file("notes.txt", f"see {AGENTS_ADDRESS}".encode()),
        file("mail.eml", f"Reply-To: {AGENTS_ADDRESS}\r\n\r\nx".encode(), "message/rfc822"),
        file("mail.eml", inside(f"Reply to {AGENTS_ADDRESS}"), "message/rfc822"),
        file("shot.png", AGENTS_ADDRESS.encode(), "image/png", "shot@x"),
    ],
)
def test_an_attachment_with_an_agents_token_holds_the_mail_back(one, write):
    with pytest.raises(GateRefusal, match="yours alone"):
        write(files=(one,), html='<img src="cid:shot@x">')


def test_a_forwarded_mail_without_a_token_is_attached_as_octets(write):
    content = inside("harmless")
    _, parsed = write(
        files=(
            file("mail.eml", content, "message/rfc822"),
            file("m", b"x", "multipart/mixed"),
            file("n", b"y", "no type"),
        )
    )
    parts = list(parsed.iter_attachments())
    assert [part.get_content_type() for part in parts] == ["application/octet-stream"] * 3
    assert parts[0].get_content() == content


def test_what_cannot_survive_is_said(write):
    signature, sealed = file("s.asc", b"x", "application/pgp-signature"), file("p7m", b"x", "application/pkcs7-mime")
    assert spoiled((file(),)) == ()
    assert len(spoiled((signature, sealed))) == 2
    assert list(write(files=(signature,))[1].iter_attachments()) == []
    with pytest.raises(GateRefusal, match="encrypted"):
        write(files=(sealed,))


def test_the_desk_may_ask_before_it_decides():
    assert refusal(LETTER, samples.DESK) == ""
    assert "nothing in it" in refusal(replace(LETTER, text=""), samples.DESK)
    assert "plain ASCII" in refusal(replace(LETTER, to=Address("", '"b b"@acme.example')), samples.DESK)


def test_nothing_to_say_is_not_sent(write):
    with pytest.raises(GateRefusal, match="nothing in it"):
        write(text=" \n", html="<p> </p>")
    assert write(text="", files=(file(),))[0].octets


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\x\\y.exe", "naïve résumé.pdf", "名" * 200 + ".pdf", "a\r\nb.txt", "", '"q";x=y']
)
def test_file_names_are_names(name, write):
    _, parsed = write(files=(file(name),))
    (part,) = parsed.iter_attachments()
    shown = part.get_filename()
    assert shown
    assert not set(shown) & set('/\\\r\n"')
    assert not shown.startswith(".")
    assert len(shown.encode()) <= 255
