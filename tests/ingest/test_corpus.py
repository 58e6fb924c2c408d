"""Our own mail of every shape, and what a person would expect of each."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maild.ingest.parse import parse

MAIL = Path(__file__).parent.parent / "mail"
SIGNED = "this mail is signed with {}: the signature was not checked"
ENCRYPTED = "this mail is encrypted with {}: open the attached {} in a mail program that has the key"


@dataclass(frozen=True)
class Row:
    """What a file gives: `text` is how the text begins, `files` are (name, type, size), no sender where he is unclear."""

    file: str
    subject: str
    sender: str | None
    text: str
    files: list = field(default_factory=list)
    origin: str = "person"
    marks: list = field(default_factory=list)
    defects: list = field(default_factory=list)


ROWS = [
    Row(
        "abuse_report",
        "FW: Earn money",
        "abusedesk@isp.example",
        "This is an abuse report.",
        files=[("part-2.txt", "message/feedback-report", 63), ("Earn money.eml", "message/rfc822", 51)],
        origin="automatic",
    ),
    Row("addresses_utf8", "Помощь", "иван@почта.example", "Привет."),
    Row(
        "alternative_related_mixed",
        "alternative related mixed",
        "bob@acme.example",
        "Look at the picture.",
        files=[("pic.gif", "image/gif", 14), ("data.csv", "text/csv", 10)],
    ),
    Row("amp", "amp", "bob@acme.example", "Plain words.", files=[("part-2.bin", "text/x-amp-html", 60)]),
    Row(
        "attachments",
        "screenshots",
        "bob@acme.example",
        "Siehe Bild€",
        files=[
            ("shot.png", "image/png", 8),
            ("Rechnung über.pdf", "application/pdf", 5),
            ("the inner-one.eml", "message/rfc822", 71),
            ("part-5.bin", "application/octet-stream", 3),
        ],
    ),
    Row(
        "auto_reply",
        "Abwesenheit: Re: [CSM #1042]",
        "bob@acme.example",
        "Ich bin bis Montag nicht im Haus.",
        origin="automatic",
    ),
    Row("bare_cr", "bare CR", "bob@acme.example", "first line\nsecond line"),
    Row("bare_lf_mixed", "mixed ends", "bob@acme.example", "first line\nsecond line\nthird line"),
    Row(
        "base64_damaged",
        "base64 damaged",
        "bob@acme.example",
        "The server is down",
        files=[("a.pdf", "application/pdf", 10)],
        defects=["foreign characters in base64"],
    ),
    Row(
        "bounce_in_words",
        "failure notice",
        "MAILER-DAEMON@mx.acme.example",
        "Hi. This is the qmail-send program at mx.acme.example.",
        origin="bounce",
    ),
    Row(
        "bounce_rfc3464",
        "Undelivered Mail Returned to Sender",
        "MAILER-DAEMON@mx.example.net",
        "This is the mail system. Your message could not be",
        files=[("part-2.txt", "message/delivery-status", 324), ("part-3.txt", "text/rfc822-headers", 85)],
        origin="bounce",
    ),
    Row(
        "boundary_prefix",
        "boundary prefix",
        "bob@acme.example",
        "inner words\n--boundary is a word of this text",
        files=[("notes.txt", "text/plain", 29)],
    ),
    Row(
        "calendar_invite",
        "calendar invite",
        "bob@acme.example",
        "Meeting on Monday.",
        files=[("part-3.ics", "text/calendar", 46)],
    ),
    Row("charset_euckr", "청구서", "bob@acme.example", "청구서가 열리지 않습니다. 똠방각하"),
    Row("charset_gb2312", "发票打不开", "bob@acme.example", "发票打不开，镕基。"),
    Row("charset_html_meta", "charset html meta", "bob@acme.example", "Сервер не отвечает."),
    Row("charset_iso2022jp", "請求書", "bob@acme.example", "請求書が開けません。"),
    Row("charset_koi8r", "Сервер", "bob@acme.example", "Сервер не отвечает."),
    Row("charset_latin1_euro", "Größe – 40 €", "bob@acme.example", "Der Preis: 40 €, „sofort“."),
    Row("charset_latin9", "Œuvre à 40 €", "bob@acme.example", "Cœur à 40 €."),
    Row(
        "charset_undeclared",
        "Größe",
        "juergen@acme.example",
        "Grüße aus Köln.",
        defects=["8-bit octets without a charset, read as windows-1252"],
    ),
    Row(
        "charset_unknown",
        "Grüße",
        "bob@acme.example",
        "Grüße aus Köln.",
        defects=["8-bit octets without a charset, read as windows-1252"],
    ),
    Row("charset_utf16", "Grüße", "bob@acme.example", "Grüße aus Köln."),
    Row("charset_utf7", "Grüße", "bob@acme.example", "Grüße aus Köln."),
    Row("charset_windows1251", "Сервер не отвечает", "bob@acme.example", "Сервер не отвечает."),
    Row("charset_wrong", "Grüße", "bob@acme.example", "Grüße aus Köln."),
    Row(
        "digest_parallel",
        "digest parallel",
        "bob@acme.example",
        "Two mails of the week.",
        files=[("Monday-Tuesday.eml", "message/rfc822", 54), ("Grüße.eml", "message/rfc822", 68)],
    ),
    Row(
        "disposition_notification",
        "Read: your answer",
        "bob@acme.example",
        "Your mail was read.",
        files=[("part-2.txt", "message/disposition-notification", 141)],
        origin="automatic",
    ),
    Row("empty", "", None, "", defects=["ambiguous sender: 0 From fields with 0 mailboxes"]),
    Row(
        "empty_parts",
        "empty parts",
        "bob@acme.example",
        "the only words",
        files=[("nothing.bin", "application/octet-stream", 0)],
    ),
    Row("flowed", "flowed", "bob@acme.example", "The report of yesterday shows numbers that are wro"),
    Row(
        "flowed_spaces",
        "flowed spaces",
        "bob@acme.example",
        "The report of yesterday \nshows wrong numbers.\nA new line.",
    ),
    Row(
        "folded_badly",
        "a long subject that went on without a blank",
        "bob@acme.example",
        "hello",
        defects=["a line of the header block has no colon"],
    ),
    Row("list_mail", "[users] release 2", "bob@acme.example", "Release 2 is out.", origin="bulk"),
    Row("long_lines", "long lines", "bob@acme.example", "word word word word word word word word word word"),
    Row(
        "mbox_from_inside",
        "mbox from inside",
        "bob@acme.example",
        "Hello,\n\n>From here on it fails.\nFrom there it works.",
    ),
    Row(
        "nested_three_deep",
        "nested three deep",
        "bob@acme.example",
        "Please see below.",
        files=[("first.eml", "message/rfc822", 491)],
    ),
    Row("no_body", "only a subject", "bob@acme.example", ""),
    Row("no_header", "", None, "The printer is on fire.", defects=["ambiguous sender: 0 From fields with 0 mailboxes"]),
    Row(
        "no_header_no_blank",
        "",
        None,
        "The printer is on fire.\nIt was: blue.",
        defects=[
            "no empty line between the header block and the body",
            "ambiguous sender: 0 From fields with 0 mailboxes",
        ],
    ),
    Row(
        "not_closed",
        "not closed",
        "bob@acme.example",
        "The connection broke",
        files=[("half.pdf", "application/pdf", 9)],
        defects=["multipart that is not closed"],
    ),
    Row("nul_octets", "nul   octets", "bob@acme.example", "beforeafter"),
    Row(
        "outlook_reply",
        "AW: [CSM #7] Druckserver",
        "bob@acme.example",
        "Der Server steht.\n\nGruß, Bob\n\nVon: Support\nGesende",
    ),
    Row(
        "parameters_2231",
        "parameters 2231",
        "bob@acme.example",
        "See the file.",
        files=[
            ("Rechnung für März.pdf", "application/pdf", 5),
            ("Übersicht.pdf", "application/pdf", 5),
            ("bashrc", "application/octet-stream", 1),
            ("invoicefdp.exe", "application/octet-stream", 1),
        ],
    ),
    Row(
        "pgp_encrypted",
        "pgp encrypted",
        "bob@acme.example",
        "",
        files=[("version.asc", "application/pgp-encrypted", 12), ("encrypted.asc", "application/octet-stream", 425)],
        marks=[ENCRYPTED.format("PGP", "encrypted.asc")],
    ),
    Row(
        "pgp_inline_encrypted",
        "pgp inline encrypted",
        "bob@acme.example",
        "Only you can read this:\n\n-----BEGIN PGP MESSAGE---",
        marks=["a text in this mail is encrypted with PGP: save it and decrypt it where the key is"],
    ),
    Row(
        "pgp_inline_signed",
        "pgp inline signed",
        "bob@acme.example",
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nP",
        marks=["a text in this mail is signed with PGP: the signature was not checked"],
    ),
    Row(
        "pgp_signed",
        "pgp signed",
        "bob@acme.example",
        "Please cancel the contract € 400.",
        files=[("OpenPGP_signature.asc", "application/pgp-signature", 259)],
        marks=[SIGNED.format("PGP")],
    ),
    Row(
        "quoted_printable_damaged",
        "quoted printable damaged",
        "bob@acme.example",
        "Grüße aus Köln=ZZ, 100 = 200, end = ok   \nlast",
    ),
    Row(
        "reply_gmail",
        "Re: [CSM #1042] Bestellung hängt",
        "bob@acme.example",
        "Danke, jetzt läuft es wieder.\n\nOn Mon, Jan 5, 2026",
    ),
    Row(
        "smime_encrypted",
        "smime encrypted",
        "bob@acme.example",
        "",
        files=[("smime.p7m", "application/pkcs7-mime", 570)],
        marks=[ENCRYPTED.format("S/MIME", "smime.p7m")],
    ),
    Row(
        "smime_encrypted_octets",
        "smime encrypted octets",
        "bob@acme.example",
        "",
        files=[("smime.p7m", "application/pkcs7-mime", 575)],
        marks=[ENCRYPTED.format("S/MIME", "smime.p7m")],
    ),
    Row(
        "smime_opaque",
        "smime opaque",
        "bob@acme.example",
        "Please cancel the contract € 400.",
        files=[("smime.p7m", "application/pkcs7-mime", 1647)],
        marks=[SIGNED.format("S/MIME")],
    ),
    Row(
        "smime_opaque_pieces",
        "smime opaque pieces",
        "bob@acme.example",
        "Please cancel the contract € 400.",
        files=[("smime.p7m", "application/pkcs7-mime", 1650)],
        marks=[SIGNED.format("S/MIME")],
    ),
    Row(
        "smime_signed",
        "smime signed",
        "bob@acme.example",
        "Please cancel the contract € 400.",
        files=[("smime.p7s", "application/pkcs7-signature", 1529)],
        marks=[SIGNED.format("S/MIME")],
    ),
    Row("two_from", "first", None, "Which of us?", defects=["ambiguous sender: 2 From fields with 2 mailboxes"]),
    Row(
        "uuencoded",
        "uuencoded",
        "bob@acme.example",
        "The file:\n\n\nThat was it.\nbegin to look at it soon",
        files=[("report.bin", "application/octet-stream", 100)],
    ),
    Row(
        "winmail_beside_text",
        "winmail beside text",
        "bob@acme.example",
        "Siehe unten.",
        files=[
            ("winmail.dat", "application/octet-stream", 520),
            ("Rechnung März.pdf", "application/pdf", 13),
            ("log.txt", "text/plain", 10),
            ("Fwd: help.txt", "text/plain", 26),
        ],
        marks=["Outlook packed this mail into winmail.dat: 3 files were taken out of it"],
    ),
    Row(
        "winmail_cut",
        "winmail cut",
        "bob@acme.example",
        "Half a file.",
        files=[("winmail.dat", "application/ms-tnef", 439), ("INVOIC~1.PDF", "application/pdf", 13)],
        marks=["Outlook packed this mail into winmail.dat: 1 file was taken out of it"],
        defects=["winmail.dat ends before its time"],
    ),
    Row(
        "winmail_letter",
        "winmail letter",
        "bob@acme.example",
        "The invoice is wrong: 40 €\nGrüße, Привет",
        files=[("winmail.dat", "application/ms-tnef", 479), ("Rechnung März.pdf", "application/pdf", 13)],
        marks=["Outlook packed this mail into winmail.dat: 1 file was taken out of it"],
    ),
    Row("words_malformed", "Grüße ausKöln!=?utf-8?X?no?= =?utf-8?Q?open", "bob@acme.example", "hello"),
    Row("yenc", "yenc", "bob@acme.example", "The file:\n=ybegin line=128 size=64 name=report.bin"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.file)
def test_what_a_person_would_expect(row):
    mail = parse((MAIL / f"{row.file}.eml").read_bytes())
    assert mail.subject == row.subject
    assert (mail.sender and mail.sender.address) == row.sender
    assert mail.text[: len(row.text)] == row.text
    assert [(one.name, one.content_type, len(one.content)) for one in mail.attachments] == row.files
    assert mail.origin == row.origin
    assert list(mail.marks) == row.marks
    assert list(mail.defects) == row.defects


def test_every_mail_has_its_row():
    assert {row.file for row in ROWS} == {path.stem for path in MAIL.glob("*.eml")}


def of(name):
    return parse((MAIL / f"{name}.eml").read_bytes())


def test_the_encrypted_letter_can_be_opened_by_who_has_the_key():
    octets = (MAIL / "pgp_encrypted.eml").read_bytes()
    assert of("pgp_encrypted").attachments[1].content.strip() in octets
    assert of("smime_encrypted").attachments[0].content[:1] == b"\x30"


def test_html_is_shown_without_what_could_harm():
    html = of("alternative_related_mixed").html
    assert 'src="cid:pic@acme"' in html
    assert not any(word in html for word in ("script", "onclick", "spy.example", "javascript"))


def test_a_winmail_letter_keeps_its_markup():
    assert of("winmail_letter").html is None
    assert [one.content for one in of("winmail_beside_text").attachments[1:]] == [
        b"%PDF-1.4 ours",
        b"line one\r\n",
        b"The first mail said: help.",
    ]


def test_addresses_of_every_kind():
    mail = of("addresses_utf8")
    assert mail.from_[0].name == "Иван Петров"
    assert [one.address for one in mail.cc] == ["jane@acme.example", "one@acme.example", "two@acme.example"]
    assert mail.reply_to == ()


def test_a_bounce_in_words_names_whom_it_did_not_reach():
    (one,) = of("bounce_in_words").delivery
    assert (one.recipient, one.action, one.original_message_id) == ("bob@acme.example", "failed", "1042.9@example.com")


def test_long_lines_are_kept_whole():
    mail = of("long_lines")
    assert len(mail.references) == 60
    assert mail.text.endswith("end")
    assert len(mail.text.splitlines()) == 1
