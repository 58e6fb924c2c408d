import pytest

from maild.ingest import attachments, bodies, caps, charset, dsn, html, mime
from maild.ingest.parse import parse
from maild.mail import Delivery


def read(octets):
    head = caps.split_head(octets)
    return bodies.read(mime.tree(head.fields, octets[head.body_at :]))


def tree(octets):
    head = caps.split_head(octets)
    return mime.tree(head.fields, octets[head.body_at :])


@pytest.mark.parametrize(
    ("octets", "label", "text"),
    [
        (b"abc", "", "abc"),
        (b"\x80", "iso-8859-1", "€"),
        (b"\x81", "windows-1252", "\x81"),
        ("ä".encode(), "us-ascii", "ä"),
        (b"\xe4", "us-ascii", "ä"),
        ("ä".encode(), "iso-8859-1", "ä"),
        (b"\xe4", "", "ä"),
        ("你好".encode("gbk"), "gb2312", "你好"),
        ("안녕".encode("cp949"), "ks_c_5601-1987", "안녕"),
        (b"a\xe4b\xc3\xa4", "utf-8", "aäbä"),
        ("您好！".encode(), "big5", "您好！"),
        (b"\xe4", "x-unknown", "ä"),
        (b"\xe4", "no such charset", "ä"),
        (b"\xe4", "base64", "ä"),
        ("Привет".encode("cp1251"), "windows-1251", "Привет"),
        ("Привет".encode("cp1251"), "win-1251", "Привет"),
        ("日本".encode("iso-2022-jp"), "ISO-2022-JP", "日本"),
        ("ä".encode("utf-16"), "utf-16", "ä"),
        (b"+APY-", "utf-7", "ö"),
        (b"\xff\xe4" * 20_001, "euc-jp", "ÿä" * 20_001),
    ],
)
def test_charsets(octets, label, text):
    assert charset.decode(octets, label)[0] == text


@pytest.mark.parametrize(
    ("encoding", "body", "content", "defect"),
    [
        ("7bit", b"a=3Db", b"a=3Db", ""),
        ("Quoted-Printable", b"a=3Db=\nc", b"a=bc", ""),
        ("base64 (comment)", b"YWJj\r\nZGVm", b"abcdef", ""),
        ("base64", b"YWI=YWI=", b"abab", ""),
        ("base64", b"plain words that only claim it, really\n", b"plain words that only claim it, really\n", "is none"),
        ("x-uuencode", b"begin 644 a\n#86)C\n`\nend\n", b"abc", ""),
        ("x-uuencode", b"words", b"words", ""),
        ("strange", b"abc", b"abc", "unknown transfer encoding"),
    ],
)
def test_transfer_encodings(encoding, body, content, defect):
    part = tree(b"Content-Transfer-Encoding: " + encoding.encode() + b"\n\n" + body).root
    found, why = mime.content(part)
    assert found == content
    assert defect in why


@pytest.mark.parametrize(
    ("octets", "text", "names"),
    [
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n", "one\n\ntwo", []),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nnot closed", "not closed", []),
        (b"Content-Type: multipart/mixed; boundary=b\n\nno boundary at all", "no boundary at all", []),
        (b"Content-Type: multipart/mixed\n\n--guess\n\none\n--guess--", "one", []),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\nno header here\n--b--\n", "no header here", []),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b--\n--b--\n", "", []),
        (
            b'Content-Type: multipart/mixed; boundary="a--"\n\n--a--\nContent-Type: multipart/mixed; boundary="a----"\n\n--a----\n\nbody\n--a------\n--a----\n',
            "body",
            [],
        ),
        (b"Content-Type: application/ms-tnef\n\nx", "", ["winmail.dat"]),
        (b"Content-Type: text\n\nx", "x", []),
        (b"Content-Type: html\n\n<p>x</p>", "x", []),
        (b"Content-Type: ; charset=utf-8\n\nx", "x", []),
        (b"Content-Type: text/plain; name=a.txt\n\nx", "x", []),
        (b"Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nx", "", ["a.txt"]),
        (b"Content-Type: text/enriched\n\n<bold>a</bold> <<b", "a <b", []),
        (b"\nbefore\nbegin 644 a.bin\n#86)C\n`\nend\nafter", "before\nafter", ["a.bin"]),
        (b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\nx\n--b--", "", ["s.eml"]),
        (
            b"Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/pgp-signature\n\nsig\n--b--",
            "x",
            [],
        ),
        (
            b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--",
            "plain",
            [],
        ),
        (
            b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--",
            "rich",
            [],
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--",
            "plain\n\nrich",
            [],
        ),
        (b"Content-Type: text/html\n\n<meta charset=koi8-r><p>\xf0\xd2\xc9", "При", []),
    ],
)
def test_what_is_the_letter(octets, text, names):
    body = read(octets)
    assert body.text.strip() == text
    assert [one.name for one in body.attachments] == names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.doc", "x.doc"),
        ("a\x00b\r\n.txt", "ab.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        (".htaccess", "htaccess"),
        ("..", ""),
        ("dir/", ""),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("x" * 300, "x" * 200),
    ],
)
def test_names_are_safe(name, safe):
    assert attachments.safe_name(name) == safe


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b", "a\nb"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1\t2\n3"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("x<script>no()</script><style>no</style>y", "xy"),
        ("<blockquote type=cite>a<br>b</blockquote>", "> a\n> b"),
        ('a <img alt="cat" src=x> b', "a [cat] b"),
        ("a<hr>b", "a\n----------\nb"),
        ("a<!-- no -->b", "ab"),
        ("<p> a<b> b</b></p>", "a b"),
        ("a &amp; b&nbsp;c", "a & b c"),
        ("", ""),
        ("<div>" * 5000 + "deep", "deep"),
    ],
)
def test_html_as_text(markup, text):
    assert html.to_text(markup) == text


@pytest.mark.parametrize(
    ("markup", "gone", "kept"),
    [
        ("<p onclick=x()>a</p>", "onclick", "<p>a</p>"),
        ('<img src="https://x/p.gif" alt="a">', "https", "alt"),
        ('<img src="cid:p@x">', "https", "cid:p@x"),
        ("<form action=x><input name=y>words</form>", "input", "words"),
        ('<a href="javascript:x()">a</a>', "javascript", ">a</a>"),
        ("<style>p{}</style><p>x</p>", "p{}", "<p>x</p>"),
        ('<div id="divRplyFwdMsg">a</div><div id="mine">b</div>', "mine", "divRplyFwdMsg"),
        ("<b>" * 5000 + "deep & <i>", "<b>", "<pre>deep &amp;</pre>"),
    ],
)
def test_html_is_harmless(markup, gone, kept):
    clean = html.sanitise(markup)
    assert gone not in clean
    assert kept in clean


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"X-Failed-Recipients: a@b\n\nx", (Delivery("a@b", "failed", "", "", ""),)),
        (
            b"Subject: Returned mail: see transcript for details\nFrom: MAILER-DAEMON@x\n\n   ----- The following addresses had permanent fatal errors -----\n<a@b.example>\n\n   ----- Transcript of session follows -----\n550 5.1.1 unknown\nMessage-ID: <i@d>\n",
            None,
        ),
        (
            b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: a@b\nStatus: 4.0.0\n\nFinal-Recipient: c@d\nAction: strange\nStatus: 2.0.0\n\nFinal-Recipient: e@f\n\nStatus: 5.0.0\n--b--",
            (
                Delivery("a@b", "delayed", "4.0.0", "", ""),
                Delivery("c@d", "delivered", "2.0.0", "", ""),
                Delivery("e@f", "failed", "", "", ""),
            ),
        ),
        (b"Subject: nothing\n\nwords", ()),
        (
            b"X-Failed-Recipients: a@b\nContent-Type: message/rfc822\n\nX: y\n\nx",
            (Delivery("a@b", "failed", "", "", ""),),
        ),
    ],
)
def test_delivery_reports(octets, expected):
    found = dsn.deliveries(tree(octets), octets, octets.decode())
    if expected is None:
        assert [(one.recipient, one.action, one.original_message_id) for one in found] == [
            ("a@b.example", "failed", "i@d")
        ]
    else:
        assert found == expected


def test_the_id_of_the_bounced_mail_comes_from_the_attached_original():
    octets = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <a@b>\n\nx\n--b\nContent-Type: text/rfc822-headers\n\nX: y\n--b--"
    assert dsn.original_id(tree(octets), "") == "a@b"
    assert dsn.original_id(tree(b"\nx"), "") == ""


def test_only_reading_is_mended():
    with pytest.raises(UnicodeEncodeError):
        "ä".encode("ascii", "maild-mend")


def test_a_uuencoded_file_without_end_stays_text():
    assert mime.uu(b"begin 644 a\n#86)C\n") is None
    assert mime.uu(b"begin 644 a\n\xff\xff\xff\nend\n") is None


def test_a_detector_that_breaks_says_nothing(monkeypatch):
    def broken(_):
        raise ValueError

    monkeypatch.setattr(dsn, "all_failures", broken)
    assert dsn.detect(b"x") == (frozenset(), frozenset())


def test_a_lone_line_that_looks_like_a_boundary_is_none():
    mail = parse(b"Content-Type: multipart/mixed\r\n\r\n--signature\r\nCarol, Acme\r\n")
    assert "Carol, Acme" in mail.text
    assert "multipart without its boundary" in mail.defects


@pytest.mark.parametrize(("rest", "files"), [(b"\r\n" * 50, 0), (b"\r\n" * 50 + b"word", 1)])
def test_a_long_text_is_attached_where_more_than_white_space_is_cut(monkeypatch, rest, files):
    monkeypatch.setattr(caps, "TEXT_OCTETS", 100)
    found = read(b"Subject: x\r\n\r\n" + b"x" * 100 + rest)
    assert len(found.attachments) == files
