"""Mutations of our own mail: reading is total, and what comes out is harmless whatever went in."""

import hashlib
import pickle
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from maild.ingest import caps
from maild.ingest.parse import parse

SEEDS = [path.read_bytes() for path in sorted((Path(__file__).parent.parent / "mail").glob("*.eml"))]
CHUNKS = 8
EXAMPLES = 10_000
INSERTS = [
    *(b"\0", b"\r", b"\n", b"\r\n", b"\n\n", b"\xff", b"\xe4", b"\x1b$B", b'"', b"<", b">", b"(", b"=?", b"?=", b"--"),
    *(
        b";",
        b":",
        b"=",
        b"'",
        b"\\",
        b"%00",
        b"&#0;",
        b"&#xd800;",
        b"+2AA-",
        b"\xe2\x80\xae",
        b"\xed\xa0\x80",
        b"=0D=0A",
    ),
    *(
        b"<script>",
        b"<img onerror=x>",
        b"javascript:",
        b"=?utf-7?q?+2AA-?=",
        b"=?utf-8?q?=0D=0AX:_y?=",
        b"../",
        b"\x80\x04",
    ),
]
LINES = [
    b"From: mallory@odd.example\r\n",
    b"Message-ID: <a b\x00c@x>\r\n",
    b"References: <a@b> <<c@d>> <\xff@e>\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: multipart/alternative; boundary*0=a; boundary*1=b\r\n",
    b"Content-Type: text/html; charset=utf-16\r\n",
    b"Content-Type: text/plain; charset=utf-7; format=flowed; delsp=yes\r\n",
    b"Content-Type: application/ms-tnef\r\n",
    b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n",
    b"Content-Type: multipart/signed; protocol=x\r\n",
    b"Content-Type: message/rfc822; name*=utf-8''%2E%2E%2F%00\r\n",
    b"Content-Disposition: attachment; filename*=utf-7''%2B2AA-\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Transfer-Encoding: uuencode\r\n",
    b"Content-ID: <x\r\n y>\r\n",
    b"Return-Path: <>\r\n",
    b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n",
]

place = st.floats(0, 1, exclude_max=True)
wound = st.one_of(
    st.tuples(st.just("flip"), place, st.integers(0, 255)),
    st.tuples(st.just("insert"), place, st.sampled_from(INSERTS)),
    st.tuples(st.just("cut"), place, st.integers(1, 400)),
    st.tuples(st.just("end"), place, st.none()),
    st.tuples(st.just("splice"), place, st.tuples(st.sampled_from(SEEDS), place)),
    st.tuples(st.just("repeat"), place, st.tuples(st.integers(1, 200), st.integers(1, 40))),
    st.tuples(st.just("swap"), place, place),
    st.tuples(st.just("field"), place, st.sampled_from(LINES)),
    st.tuples(st.just("boundary"), place, st.sampled_from([b"b", b"--", b"", b"b--", b" "])),
)


def hurt(octets, wounds):  # noqa: C901 - one branch a kind of wound
    for kind, where, what in wounds:
        at = int(where * (len(octets) + 1))
        match kind:
            case "flip":
                octets = octets[:at] + bytes([what]) + octets[at + 1 :]
            case "insert":
                octets = octets[:at] + what + octets[at:]
            case "cut":
                octets = octets[:at] + octets[at + what :]
            case "end":
                octets = octets[:at]
            case "splice":
                octets = octets[:at] + what[0][int(what[1] * len(what[0])) :]
            case "repeat":
                octets = octets[:at] + octets[at : at + what[0]] * what[1] + octets[at:]
            case "swap":
                lines = octets.splitlines(keepends=True) or [b""]
                one, other = int(where * len(lines)), int(what * len(lines))
                lines[one], lines[other] = lines[other], lines[one]
                octets = b"".join(lines)
            case "field":
                line = octets.find(b"\n", at) + 1
                octets = octets[:line] + what + octets[line:]
            case "boundary":
                octets = re.sub(rb"(?i)boundary=\S+", b"boundary=" + what, octets, count=1)
        octets = octets[:60_000]
    return octets


UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
TAG = re.compile(r"<[^>]*>")
ACTIVE = re.compile(
    r"(?i)<\s*/?\s*(?:script|style|iframe|object|embed|form|input|svg|math|meta|base|link)\b|\son\w+\s*="
)
SCHEME = re.compile(r'(?i)(?:href|src)\s*=\s*"\s*(?!https?:|mailto:|tel:|cid:)[a-z][a-z0-9+.-]*:')


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)


def check(octets):
    mail = parse(octets)
    assert not any("could not be parsed" in one for one in mail.defects), mail.defects
    assert mail.size == len(octets)
    body = octets[caps.split_head(octets).body_at :]
    assert mail.body_digest == hashlib.sha256(body).hexdigest()
    for msgid in (mail.message_id, *mail.in_reply_to, *mail.references):
        assert not re.search(r"[<>\s]", msgid)
        assert not CONTROL.search(msgid)
    for line in (mail.subject, *(value for _, value in mail.headers), *mail.marks, *mail.defects):
        assert not CONTROL.search(line)
    for one in (*mail.from_, *mail.to, *mail.cc, *mail.reply_to):
        assert not CONTROL.search(one.name + one.address)
    for file in mail.attachments:
        assert file.name
        assert not UNSAFE.search(file.name)
        assert file.name[0] not in ". "
        assert len(file.name) <= 200
        assert re.fullmatch(r"[!-~]+/[!-~]+", file.content_type), file.content_type
        assert file.sha256 == hashlib.sha256(file.content).hexdigest()
        assert not CONTROL.search(file.content_id)
    assert len(mail.attachments) <= 2 * caps.PARTS
    assert len(mail.text) <= caps.TEXT_OCTETS
    assert "\0" not in mail.text + (mail.html or "")
    assert len(mail.new_text) <= len(mail.text)
    for tag in TAG.findall(mail.html or ""):
        assert not ACTIVE.search(re.sub(r'"[^"]*"', '""', tag)), tag
        assert not SCHEME.search(tag), tag
    for words in texts(asdict(mail)):
        words.encode("utf-8")
    assert pickle.loads(pickle.dumps(mail)) == mail  # noqa: S301 - our own value


@pytest.mark.no_cover
@pytest.mark.timeout(300)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_reading_is_total_and_harmless(chunk):
    @seed(20260105 + chunk)
    @settings(
        max_examples=EXAMPLES // CHUNKS,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(SEEDS), st.lists(wound, min_size=1, max_size=8))
    def law(octets, wounds):
        check(hurt(octets, wounds))

    law()


@pytest.mark.parametrize("octets", SEEDS)
def test_the_laws_hold_for_the_mail_itself(octets):
    check(octets)
