"""Signatures: what has the form of one at the very end goes, and is given beside; what anybody says stays."""

import pytest

from maild.ingest import signature
from maild.ingest.quote import read
from maild.ingest.signature_lines import is_closing, is_contact, is_device, is_name, is_notice, is_signed

SAID = "Hello,\n\nthe printer works again since this morning, and the green light is on."
ATTRIBUTION = "On Mon, Jan 5, 2026 at 10:00 AM Desk <csm@example.com> wrote:\n\n> How is it?"

DEVICES = """
Sent from my iPhone
Sent from my iPhone 15 Pro
sent from my iPad
- Sent from my Samsung Galaxy smartphone.
Sent from my Verizon, Samsung Galaxy smartphone
Sent from my Wiko Ridge Fab 4G
Sent from my iMachine
Sent from Yahoo Mail on Android
Sent from Yahoo Mail for iPhone
Sent from Outlook for iOS
Sent from Mail for Windows
Sent from Mail<https://go.microsoft.com/fwlink/?LinkId=550986> for Windows
Get Outlook for iOS<https://aka.ms/o0ukef>
Get Outlook for Android <https://aka.ms/AAb9ysg>
Sent with Proton Mail secure email.
Sent from Proton Mail Android
Sent via Superhuman <https://sprh.mn/?vip=ann@example.com>
Sent with Spark
Sent from TypeApp<http://www.typeapp.com/r?b=2621>
Sent from my BlackBerry
Von meinem iPhone gesendet
Von meinem Samsung Galaxy Smartphone gesendet.
Von meinem Android-Gerät mit K-9 Mail gesendet
Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.
Diese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet.
Gesendet von Outlook für iOS<https://aka.ms/o0ukef>
Gesendet von Mail für Windows
Gesendet mit der GMX iPhone App
Gesendet mit der WEB.DE iPhone App
Gesendet von meinem Handy
Envoyé de mon iPhone
Envoyé depuis mon téléphone Orange
Envoyé à partir de Outlook pour Android
Télécharger Outlook pour iOS<https://aka.ms/o0ukef>
Enviado desde mi iPhone
Enviado desde mi Samsung Galaxy
Enviado do meu iPhone
Enviado do Outlook para Android
Obtener Outlook para iOS<https://aka.ms/o0ukef>
Inviato da iPhone
Inviato dal mio Samsung Galaxy
Scarica Outlook per iOS<https://aka.ms/o0ukef>
Verstuurd vanaf mijn iPhone
Verzonden vanuit Outlook voor iOS
Wysłane z iPhone'a
Wysłane z telefonu Samsung
Odesláno z iPhonu
Odoslané z iPhonu
Az iPhone-omról küldve
Trimis de pe iPhone-ul meu
Skickat från min iPhone
Hämta Outlook för Android<https://aka.ms/AAb9ysg>
Sendt fra min iPhone
Hent Outlook til iOS<https://aka.ms/o0ukef>
Lähetetty iPhonesta
Отправлено с iPhone
Отправлено из мобильной Почты Mail.ru
Надіслано з iPhone
iPhone'umdan gönderildi
Στάλθηκε από το iPhone μου
iPhoneから送信
发自我的 iPhone
從我的 iPhone 傳送
나의 iPhone에서 보냄
נשלח מה-iPhone שלי
تم الإرسال من الـ iPhone
""".strip().split("\n")


@pytest.mark.parametrize("line", DEVICES)
def test_the_line_of_a_phone_goes(line):
    assert read(f"{SAID}\n\n{line}").new == SAID
    found = read(f"{SAID}\n\n{line}\n\n{ATTRIBUTION}")
    assert (found.new, found.signature) == (SAID, line)


SENTENCES = """
Sent from my desk, is much easier than my mobile phone.
Sent from my phone because my computer is broken
Sent from my Bank Account yesterday
Sent from my Bank Account
Sent via DHL
Sent with UPS Express
Sent by mistake
Sent to Berlin
Von meinem Konto wurde mit dem Handy abgebucht.
Von meinem Handy aus geht es
Von meinem Konto wurde nichts abgebucht
Gesendet von der Post am Montag
Envoyé de Paris
Enviado el lunes por la mañana
Inviato da Roma
Get Outlook for iOS to work please
I wrote it from my iPhone
The iPhone
Outlook for next year is good
My phone was sent from Samsung to me because it broke and nobody told me so in time at all
""".strip().split("\n")


@pytest.mark.parametrize("line", SENTENCES)
def test_sentences_that_only_look_like_the_line_of_a_phone_stay(line):
    assert read(f"{SAID}\n\n{line}").new == f"{SAID}\n\n{line}"


SIGNED = {
    "rfc": "-- \nBob Builder\nAcme Inc.",
    "rfc, and what nobody would guess": "-- \nThere is no cloud. It is somebody else's computer.",
    "no blank": "--\nBob Builder\nHead of Building, Acme Inc.",
    "long dash": "—\nBob Builder",
    "thunderbird": "-- \nMit freundlichen Grüßen\nBob Baumeister\n\nBaumeister GmbH\nTel. +49 30 1234567",
    "en": "Best regards,\n\nBob Builder\nHead of Building\nAcme Inc.\nPhone: +44 20 7946 0958\nbob@acme.example",
    "en, name beside": "Kind regards, Bob\n\nAcme Ltd.\n+44 20 7946 0958",
    "en, address": "Sincerely,\nBob Builder\n12 High Street\nLondon\nm: 07700 900123",
    "de": "Mit freundlichen Grüßen\n\ni. A. Bob Baumeister\nVertrieb\n\nBaumeister GmbH\nHauptstr. 1\n10115 Berlin\nTel.: 030 / 12345-67\nFax: 030 / 12345-68\nwww.baumeister.example\nGeschäftsführer: Bob Baumeister\nHRB 1234",
    "de, short": "MfG\nBob Baumeister\n0170 1234567",
    "fr": "Cordialement,\n\nBob Bâtisseur\nDirecteur\nTél. : 01 23 45 67 89",
    "es": "Saludos cordiales,\nBob Constructor\nTel. +34 912 345 678",
    "it": "Cordiali saluti\n\nBob Costruttore\nbob@acme.example",
    "pt": "Atenciosamente,\nBob Construtor\nTelefone: +55 11 2345-6789",
    "nl": "Met vriendelijke groet,\n\nBob de Bouwer\nT: 020 123 4567\nwww.acme.example",
    "pl": "Pozdrawiam,\nBob Budowniczy\ntel. +48 22 123 45 67",
    "cs": "S pozdravem\nBob Stavitel\nTel: +420 222 123 456",
    "hu": "Üdvözlettel,\nÉpítő Bob\nTel.: +36 1 234 5678",
    "ro": "Cu stimă,\nBob Constructorul\nbob@acme.example",
    "sv": "Med vänliga hälsningar\nBob Byggare\n070-123 45 67",
    "da": "Med venlig hilsen\nBob Bygmester\nTlf: +45 12 34 56 78",
    "nb": "Med vennlig hilsen\nBob Byggmester\nTlf. +47 22 12 34 56",
    "fi": "Ystävällisin terveisin\nPuuha Pete\npuh. 040 123 4567",
    "ru": "С уважением,\nБоб Строитель\nтел. +7 495 123-45-67",
    "uk": "З повагою,\nБоб Будівельник\nbob@acme.example",
    "tr": "Saygılarımla,\nBob Usta\nTel: +90 212 123 45 67",
    "el": "Με εκτίμηση,\nΜπομπ Μάστορας\nτηλ: +30 210 123 4567",
    "ja": "敬具\nアクメ株式会社\n田中太郎\n電話: 03-1234-5678",
    "zh": "此致\n王建\n电话: +86 10 1234 5678",
    "data alone": "Bob Builder\nHead of Building\nbob@acme.example\n+44 20 7946 0958",
    "data alone, below thanks": "Bob Builder\n+44 20 7946 0958\nwww.acme.example",
    "decorated": "| Bob Builder\n| Acme Inc.\n| bob@acme.example\n| www.acme.example",
    "below a rule": "---------------\n\nBob Builder\n\nAcme Inc.\n\nt. 555-931-0702\n\nskype: bob.builder\n\nhttp://acme.example/",
    "via mobile": "Bob Builder\nvia mobile",
    "a notice": "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received this e-mail in error, please delete it.",
    "eine Belehrung": "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail irrtümlich erhalten haben, informieren Sie bitte den Absender.",
    "the printer's friend": "Please consider the environment before printing this e-mail.",
    "a scanner": "Virus-free. www.avast.com",
    "all at once": "Best regards\nBob Builder\n+44 20 7946 0958\n\nSent from my iPhone\n\nThis message is confidential and may be privileged. It is intended for the recipient only; if it reached you in error, delete it please.",
}


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_goes_and_is_given_beside(name):
    found = read(f"{SAID}\n\n{SIGNED[name]}\n")
    assert (found.new, found.signature) == (SAID, SIGNED[name])
    assert read(f"{SAID}\n\n{SIGNED[name]}\n\n{ATTRIBUTION}").new == SAID


def test_thanks_are_words_and_stay():
    data = "Bob Builder\nAcme Inc.\nbob@acme.example\n+44 20 7946 0958"
    assert read(f"{SAID}\n\nThank you,\n{data}").new == f"{SAID}\n\nThank you,"
    assert read(f"{SAID}\n\nThanks\n\n{data}").new == f"{SAID}\n\nThanks"


KEPT = {
    "a formula and a name": "Best regards,\nBob",
    "thanks and a name": "Thank you,\nBob",
    "a formula within": "Best regards to your team.\n\nThe second printer is broken, too.",
    "a formula, then words": "Best regards,\nBob\n\nOne more thing: my phone is new.\n+44 20 7946 0958",
    "a formula, then a question": "Best regards,\nBob\n\nCan you call 020 7946 0958?",
    "P.S.": "Best regards,\nBob Builder\n+44 20 7946 0958\n\nP.S. the second one is broken.",
    "PS below a dash": "-- \nBob Builder\n\nPS: the second one is broken",
    "PS, small": "--\nBob Builder\nps the second one is broken",
    "he leads up to it": "Please send it to:\n\nBob Builder\nbob@acme.example\n+44 20 7946 0958",
    "here it is": "My new address is below.\n\nBob Builder\n12 High Street\nbob@acme.example\n+44 20 7946 0958",
    "meine Nummer": "Rufen Sie mich bitte unter der Nummer unten an.\n\nMit freundlichen Grüßen\nBob\n030 1234567",
    "ma nouvelle adresse": "Voici mes coordonnées.\n\nBob Bâtisseur\nbob@acme.example\n01 23 45 67 89",
    "a list of people": "These two know it.\n\nAnn Example, ann@example.com asked first\nBob Builder, bob@acme.example did not",
    "numbers that are none of a telephone": "Best regards\nOrder: 0049 1234567\nSerial: 12345678",
    "dates": "Best regards\nBob\n05.01.2026",
    "a list below a dash": "--\n- one\n- two",
    "a command": "Run this:\n\ngit checkout -- file.txt",
    "a dash alone": "first\n--\nsecond is what I want to say to you all, and it is long.",
    "markdown": "# Title\n\n---\n\n* one\n* two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "a line of dashes": "--------------------\nThe end of the log is here.",
    "a table below a rule": "--------------------\nItem: 1\nwww.acme.example\nbob@acme.example",
    "text that is no notice": "This e-mail is confidential.",
    "about confidential things": "This message shows that our confidential data is open to everybody, and we want to know why that is, who did it, and when it ends.",
    "a page alone": "See it there.\n\nwww.acme.example",
    "two pages": "Both are down.\n\nwww.acme.example\nwww.acme.test",
    "name without data": "Bob Builder\nHead of Building",
    "many lines": "-- \n" + "\n".join(f"line {n}" for n in range(20)),
    "a quote below": "-- \nBob\n> old\n\nnew",
    "data, unfinished": "It happened when I called\n\nBob Builder\nbob@acme.example\n+44 20 7946 0958",
    "four lines of greetings": "Best regards,\nnobody answers me here since days\n+44 20 7946 0958",
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_said_stays(name):
    text = f"{SAID}\n\n{KEPT[name]}"
    assert read(text).new == text
    assert read(text).signature == ""


@pytest.mark.parametrize(
    "text",
    [
        "Hello\n\nSent from my iPhone",
        "Hi Ann,\n\n-- \nBob",
        "Guten Tag\n\nMit freundlichen Grüßen\nBob Baumeister\n030 1234567",
        "-- \nBob",
        "Bob Builder\nbob@acme.example\n+44 20 7946 0958",
        "Here they are.\n\nBob Builder\nbob@acme.example\n+44 20 7946 0958",
        "Best regards\nBob Builder\n+44 20 7946 0958",
        "Sent from my iPhone",
    ],
)
def test_too_little_is_said_to_take_anything_away(text):
    assert read(text).new == text


@pytest.mark.parametrize(
    ("judge", "line", "expected"),
    [
        (is_device, "Sent from my " + "very " * 40 + "iPhone", False),
        (is_device, "Sent from my iPhone " + "A " * 20, False),
        (is_device, "Lähetetty omasta iPhonesta", False),
        (is_closing, "Best regards, Bob Builder", True),
        (is_closing, "Best regards, and see you soon", False),
        (is_closing, "Best regards" + "!" * 90, False),
        (is_contact, "x" * 200, False),
        (is_contact, "https://acme.example/a", True),
        (is_contact, "acme.example", True),
        (is_contact, "P.S. bob@acme.example", False),
        (is_contact, "Invoice: bob@acme.example", False),
        (is_contact, "Ann Example: ann@example.com", True),
        (is_contact, "(555) 346-9947", True),
        (is_contact, "05.01.2026", False),
        (is_contact, "please write to bob@acme.example", False),
        (is_signed, "software", True),
        (is_signed, "it broke", False),
        (is_signed, "tel. of the office", True),
        (is_signed, "12", True),
        (is_signed, "Bob Builder, who has built the whole house.", False),
        (is_signed, "Anything and everything and nothing at all and all of them", False),
        (is_signed, "x" * 80, False),
        (is_signed, "- a list", False),
        (is_signed, "Really?", False),
        (is_name, "", False),
        (is_name, "Bob", True),
        (is_name, "bob", False),
        (is_name, "Anna von der Heide", True),
        (is_name, "One Two Three Four Five Six", False),
        (is_name, "Thanks", False),
        (is_name, "Hello Bob", False),
        (is_name, "Please Help", False),
        (is_name, "Room 12", False),
        (is_notice, "short", False),
    ],
)
def test_single_lines(judge, line, expected):
    assert judge(line) is expected


def test_nothing_at_all():
    assert signature.begins([]) == 0
    assert signature.begins(["", " "]) == 2


def test_the_delimiter():
    assert [line for line in ("-- ", "--", "---", "-", "— ", "–", "__", "-- x") if signature.is_delimiter(line)] == [
        "-- ",
        "--",
        "— ",
        "__",
    ]


def test_no_more_than_four_pieces_are_a_signature():
    lines = [SAID, "", *["Sent from my iPhone"] * 6]
    assert signature.begins(lines) == len(lines) - 4
