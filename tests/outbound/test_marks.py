"""Encrypted and signed mail, as its agent gets it."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from maild.ingest.parse import parse
from maild.outbound import samples
from maild.outbound.compose import compose
from maild.outbound.letters import NoticeLetter

MAIL = Path(__file__).parent.parent / "mail"


@pytest.mark.parametrize(
    ("file", "kind", "name", "words"),
    [
        (
            "smime_encrypted",
            "application/pkcs7-mime",
            "smime.p7m",
            "encrypted with S/MIME: open the attached smime.p7m",
        ),
        ("smime_opaque", "application/pkcs7-mime", "smime.p7m", "signed with S/MIME: the signature was not checked"),
        (
            "pgp_encrypted",
            "application/octet-stream",
            "encrypted.asc",
            "encrypted with PGP: open the attached encrypted.asc",
        ),
        (
            "pgp_signed",
            "application/pgp-signature",
            "OpenPGP_signature.asc",
            "signed with PGP: the signature was not checked",
        ),
        ("winmail_letter", "application/pdf", "Rechnung März.pdf", "winmail.dat: 1 file was taken out of it"),
    ],
)
def test_an_agent_is_told_and_gets_what_he_needs(file, kind, name, words, templates):
    mail = parse((MAIL / f"{file}.eml").read_bytes())
    letter = next(one for one in samples.letters() if isinstance(one, NoticeLetter))
    sent = message_from_bytes(
        compose(replace(letter, mail=mail), samples.DESK, templates, samples.NOW).octets, policy=default
    )
    text = " ".join(sent.get_body(("plain",)).get_content().split())
    assert words in text
    assert mail.text.strip() in text or "\n" in mail.text
    (found,) = [part for part in sent.walk() if part.get_filename() == name]
    assert found.get_content_type() == kind
    (original,) = [one for one in mail.attachments if one.name == name]
    assert found.get_payload(decode=True) == original.content
