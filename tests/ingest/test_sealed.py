"""Encrypted and signed mail: what is told of it, and the letter that needs no key."""

from base64 import encodebytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest import cms, flowed
from maild.ingest.parse import parse

MAIL = Path(__file__).parent.parent / "mail"
HEAD = b"From: bob@acme.example\r\nSubject: sealed\r\nMessage-ID: <s@acme.example>\r\n"
ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\nPlease cancel.\r\n"


def tlv(tag, *values, indefinite=False):
    value = b"".join(values)
    if indefinite:
        return bytes([tag, 0x80]) + value + b"\0\0"
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    return bytes([tag, 0x84]) + len(value).to_bytes(4, "big") + value


OID = bytes.fromhex("06092a864886f70d0107")
DATA = OID + b"\1"
SIGNED = OID + b"\2"


def signed(content, *, indefinite=False):
    inner = tlv(0x30, DATA, tlv(0xA0, content, indefinite=indefinite), indefinite=indefinite)
    data = tlv(
        0x30,
        tlv(2, b"\1"),
        tlv(0x31, tlv(0x30, b"", indefinite=indefinite), indefinite=indefinite),
        inner,
        indefinite=indefinite,
    )
    return tlv(0x30, SIGNED, tlv(0xA0, data, indefinite=indefinite), indefinite=indefinite)


def pieces(*each, indefinite=False):
    return tlv(0x24, *each, indefinite=indefinite)


@pytest.mark.parametrize(
    ("octets", "kind", "content"),
    [
        (signed(tlv(4, b"words")), "signed", b"words"),
        (signed(tlv(4, b"w" * 400)), "signed", b"w" * 400),
        (signed(tlv(4, b"words"), indefinite=True), "signed", b"words"),
        (signed(pieces(tlv(4, b"wo"), tlv(4, b"rds"))), "signed", b"words"),
        (signed(pieces(tlv(4, b"wo"), tlv(4, b"rds"), indefinite=True), indefinite=True), "signed", b"words"),
        (signed(pieces(pieces(tlv(4, b"wo"), indefinite=True), pieces(tlv(4, b"rds")))), "signed", b"words"),
        (signed(pieces()), "signed", b""),
        (signed(tlv(4, b"words"))[:-2], "signed", b"wor"),
        (signed(tlv(0x13, b"words")), "signed", None),
        (signed(b""), "signed", None),
        (signed(b"\x24\x80" * 20), "signed", None),
        (signed(pieces(*[tlv(4, b"")] * 600_000, indefinite=True)), "signed", None),
        (tlv(0x30, SIGNED), "signed", None),
        (tlv(0x31, SIGNED), "signed", None),
        (tlv(0x30, SIGNED, tlv(0xA0, tlv(0x30, tlv(2, b"\1"), tlv(0x31), tlv(0x30, DATA)))), "signed", None),
        (tlv(0x30, SIGNED, b"\xa0\x80\x30\x80\x02\x01\x01\x31\x80" + b"\x30\x80" * 600_000), "signed", None),
        (tlv(0x30, OID + b"\3"), "encrypted", None),
        (tlv(0x30, OID + b"\7"), "", None),
        (tlv(0x30, OID), "", None),
        (tlv(0x30, bytes.fromhex("060b2a864886f70d0109100117")), "encrypted", None),
        (tlv(0x30, bytes.fromhex("060b2a864886f70d0109100109")), "compressed", None),
        (b"", "", None),
        (b"\x30", "", None),
        (b"\x1f\x00", "", None),
        (b"words", "", None),
    ],
    ids=lambda _: "",
)
def test_what_a_cms_object_is(octets, kind, content):
    assert (cms.kind(octets), cms.signed(octets)) == (kind, content)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_damaged_ber_gives_octets_or_nothing(at, damage):
    for whole in (
        signed(pieces(tlv(4, b"wo"), tlv(4, b"rds"), indefinite=True), indefinite=True),
        signed(tlv(4, b"words")),
    ):
        at %= len(whole)
        found = cms.signed(whole[:at] + damage + whole[at + len(damage) :])
        assert found is None or len(found) <= len(whole)


def pkcs7(octets, parameters=b""):
    return (
        b"Content-Type: application/pkcs7-mime"
        + parameters
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + encodebytes(octets)
    )


def wrapped(times):
    entity = ENTITY
    for _ in range(times):
        entity = pkcs7(signed(tlv(4, entity)))
    return entity


@pytest.mark.parametrize(
    ("entity", "text", "names", "mark"),
    [
        (wrapped(1), "Please cancel.", ["smime.p7m"], "this mail is signed with S/MIME: the signature was not checked"),
        (
            wrapped(3),
            "Please cancel.",
            ["smime.p7m"] * 3,
            "this mail is signed with S/MIME: the signature was not checked",
        ),
        (
            wrapped(5),
            "",
            ["smime.p7m"] * 4,
            "this mail is signed with S/MIME, and its text could not be taken out: open the attached smime.p7m in a mail program",
        ),
        (
            pkcs7(tlv(0x30, bytes.fromhex("060b2a864886f70d0109100109"))),
            "",
            ["smime.p7m"],
            "this mail is compressed with S/MIME, and its text could not be taken out: open the attached smime.p7m in a mail program",
        ),
        (
            pkcs7(b"?", b"; name=smime.p7m"),
            "",
            ["smime.p7m"],
            "this mail is encrypted with S/MIME: open the attached smime.p7m in a mail program that has the key",
        ),
        (
            pkcs7(tlv(0x30, SIGNED), b"; smime-type=certs-only; name=bob.p7c"),
            "",
            ["bob.p7c"],
            "the attached bob.p7c holds certificates for S/MIME",
        ),
        (
            b"Content-Type: multipart/encrypted; protocol=application/x-odd; boundary=b\r\n\r\n--b\r\nContent-Type: application/x-odd\r\n\r\nx\r\n--b--",
            "",
            ["encrypted.asc"],
            "this mail is encrypted with application/x-odd: open the attached encrypted.asc in a mail program that has the key",
        ),
        (
            b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b--",
            "words",
            [],
            "this mail is signed with a signature of another kind: the signature was not checked",
        ),
        (
            (
                b"Content-Type: multipart/signed; protocol=application/pgp-signature; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b\r\n"
                b"Content-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n--b--"
            ),
            "words",
            ["signature.asc"],
            "this mail is signed with PGP: the signature was not checked",
        ),
    ],
)
def test_what_an_agent_is_told(entity, text, names, mark):
    mail = parse(HEAD + entity)
    assert mail.text.strip() == text
    assert [one.name for one in mail.attachments] == names
    assert mark in mail.marks


def test_an_encrypted_multipart_without_parts_is_text():
    mail = parse(HEAD + b"Content-Type: multipart/encrypted; boundary=b\r\n\r\nnothing\r\n")
    assert (mail.text, mail.marks) == ("nothing", ())


@pytest.mark.parametrize(
    ("octets", "mark"),
    [
        (
            HEAD + b"\r\n" + b"x" * 5_000_000,
            "not all of this mail is shown: text of 5000000 octets cut at 4194304, and attached as a whole: part-1.txt",
        ),
        (
            HEAD + b"X: y\r\n" * 2000 + b"\r\nx",
            "not all of this mail is shown: header fields after the first 1000 left out",
        ),
    ],
    ids=lambda _: "",
)
def test_what_is_cut_is_told(octets, mark):
    assert mark in parse(octets).marks


@pytest.mark.parametrize("shift", range(4))
def test_a_text_is_not_cut_within_a_letter(shift):
    mail = parse(HEAD + b"\r\n" + b"x" * shift + "€".encode() * 1_500_000)
    assert mail.text == "x" * shift + "€" * ((2**22 - shift) // 3)


def test_words_beyond_what_is_shown_are_attached():
    part = b"--b\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 3_000_000 + b"\r\n"
    mail = parse(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 3 + b"--b--\r\n")
    assert len(mail.text) == 4 * 2**20 + 2
    assert [(one.name, len(one.content)) for one in mail.attachments] == [
        ("part-2.txt", 3_000_000),
        ("part-3.txt", 3_000_000),
    ]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("one  \ntwo \n  three\n", "one twothree\n".replace("twothree", "two three")),
        ("請求 \n書", "請求書"),
        ("there is \na word", "there is \na word"),
        ("> one  \n> two\n>> three  \nfour", "> one two\n>> three \nfour"),
        ("one  \n-- \nBob", "one \n-- \nBob"),
        ("one  \ntwo ", "one two"),
        ("", ""),
    ],
)
def test_words_that_were_broken_are_whole_again(text, whole):
    assert flowed.unfold(text) == whole


def test_the_certificate_of_the_samples_is_nobodys():
    octets = (MAIL / "smime_opaque.eml").read_bytes()
    assert b"PRIVATE" not in octets
    assert cms.signed(parse(octets).attachments[0].content).endswith(b"400.\r\n")
