"""Attributions, header blocks and devices of mail programs in many tongues: what they introduce goes, what is said stays."""

import pytest

from maild.ingest import attribution
from maild.ingest.quote import Bearing, new_text, read

SAID = "The printer works again since this morning.\nThe green light is on."

ATTRIBUTIONS = """
On Mon, Jan 5, 2026 at 10:00 AM Ann Example <ann@example.com> wrote:
On Mon, 5 Jan 2026 at 10:00, Ann Example <ann@example.com> wrote:
On 5. Jan 2026, at 10:00, Ann <ann@example.com> wrote:
On 1/5/26 10:00, Ann Example wrote:
On Monday, January 5, 2026 at 10:00:00 AM GMT+1, Ann <ann@example.com> wrote:
On Monday, January 5th, 2026 at 10:00 AM, Ann <ann@example.com> wrote:
On January 5, 2026 10:00:00 AM GMT+01:00, Ann <ann@example.com> wrote:
On 5 Jan 2026, 10:00 +0100, Ann <ann@example.com>, wrote:
On Mon, Jan 05, 2026 at 10:00 AM, Ann < ann@example.com > wrote:
---- On Mon, 05 Jan 2026 10:00:00 +0100 ann@example.com wrote ----
Am Mo., 5. Jan. 2026 um 10:00 Uhr schrieb Ann <ann@example.com>:
Am 05.01.2026 um 10:00 schrieb Ann Example:
Am 5. Januar 2026 10:00:00 MEZ schrieb Ann <ann@example.com>:
Am Montag, 5. Januar 2026 um 10:00:00 MEZ hat Ann <ann@example.com> Folgendes geschrieben:
Am 5. Jan. 2026, 10:00 +0100 schrieb Ann <ann@example.com>:
Ann Example <ann@example.com> schrieb am Mo., 5. Jan. 2026, 10:00:
Le lun. 5 janv. 2026 à 10:00, Ann <ann@example.com> a écrit :
Le 05/01/2026 à 10:00, Ann a écrit :
Le lundi 5 janvier 2026 à 10:00:00 UTC+1, Ann <ann@example.com> a écrit :
El lun, 5 ene 2026 a las 10:00, Ann (<ann@example.com>) escribió:
El 5/1/26 a las 10:00, Ann escribió:
El lunes, 5 de enero de 2026, 10:00:00 CET, Ann <ann@example.com> escribió:
Il giorno lun 5 gen 2026 alle ore 10:00 Ann <ann@example.com> ha scritto:
Il 05/01/2026 10:00, Ann ha scritto:
Em seg., 5 de jan. de 2026 às 10:00, Ann <ann@example.com> escreveu:
Em 05/01/2026 10:00, Ann escreveu:
No dia 05/01/2026, às 10:00, Ann <ann@example.com> escreveu:
Op ma 5 jan 2026 om 10:00 schreef Ann <ann@example.com>:
Op 05-01-2026 om 10:00 schreef Ann:
Op 5 jan. 2026, om 10:00 heeft Ann <ann@example.com> het volgende geschreven:
W dniu 5.01.2026 o 10:00, Ann pisze:
pon., 5 sty 2026 o 10:00 Ann <ann@example.com> napisał(a):
Wiadomość napisana przez Ann <ann@example.com> w dniu 5 sty 2026, o godz. 10:00:
po 5. 1. 2026 v 10:00 odesílatel Ann <ann@example.com> napsal:
Dne 05. 01. 26 v 10:00 Ann napsal(a):
po 5. 1. 2026 o 10:00 Ann <ann@example.com> napísal(a):
Dňa 5. 1. 2026 o 10:00 Ann napísal(a):
Ann <ann@example.com> ezt írta (időpont: 2026. jan. 5., H, 10:00):
2026. 01. 05. 10:00 keltezéssel, Ann írta:
În lun., 5 ian. 2026 la 10:00, Ann <ann@example.com> a scris:
La 05.01.2026 10:00, Ann a scris:
Den mån 5 jan. 2026 kl 10:00 skrev Ann <ann@example.com>:
Den 2026-01-05 kl. 10:00, skrev Ann:
5 jan. 2026 kl. 10:00 skrev Ann <ann@example.com>:
Den man. 5. jan. 2026 kl. 10.00 skrev Ann <ann@example.com>:
man. 5. jan. 2026 kl. 10:00 skrev Ann <ann@example.com>:
ma 5. tammik. 2026 klo 10.00 Ann (ann@example.com) kirjoitti:
Ann <ann@example.com> kirjoitti 5.1.2026 kello 10.00:
Ann kirjoitti 5.1.2026 klo 10.00:
пн, 5 янв. 2026 г. в 10:00, Ann <ann@example.com>:
5 янв. 2026 г., в 10:00, Ann <ann@example.com> написал(а):
05.01.2026 10:00, Ann пишет:
пн, 5 січ. 2026 р. о 10:00 Ann <ann@example.com> пише:
5 січ. 2026 р. о 10:00 Ann <ann@example.com> написав(ла):
Ann <ann@example.com>, 5 Oca 2026 Pzt, 10:00 tarihinde şunu yazdı:
5.01.2026 10:00 tarihinde Ann yazdı:
Ann <ann@example.com> şunları yazdı (5 Oca 2026 10:00):
Στις Δευ 5 Ιαν 2026 στις 10:00 π.μ., ο χρήστης Ann <ann@example.com> έγραψε:
Στις 5/1/26 10:00, ο/η Ann έγραψε:
2026年1月5日(月) 10:00 Ann <ann@example.com>:
2026/01/05 10:00、Ann <ann@example.com>のメール:
Ann <ann@example.com> 于2026年1月5日周一 10:00写道:
在 2026年1月5日，10:00，Ann <ann@example.com> 写道：
Ann <ann@example.com> 於 2026年1月5日 週一 上午10:00寫道：
2026년 1월 5일 (월) 오전 10:00, Ann <ann@example.com>님이 작성:
2026. 1. 5. 오전 10:00, Ann <ann@example.com> 작성:
בתאריך יום ב׳, 5 בינו׳ 2026 ב-10:00 מאת Ann <ann@example.com>:
בתאריך 05/01/2026 10:00, Ann כתב:
ב-5 בינו׳ 2026, בשעה 10:00, Ann <ann@example.com> כתב/ה:
في الاثنين، 5 يناير 2026 في 10:00 ص تمت كتابة ما يلي بواسطة Ann <ann@example.com>:
في 5/1/2026 10:00، كتب Ann:
On Wed, 14 Jan 2026 08:14:43 -0200 Ann <ann@example.com> wrote
""".strip().split("\n")


ATTRIBUTIONS.append(f"\u202b{ATTRIBUTIONS[-3]}\u202c")


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_an_attribution_ends_what_was_said(line):
    assert new_text(f"{SAID}\n\n{line}\n\n> How is it?\n> Ann") == SAID
    assert new_text(f"{SAID}\n\n{line}\n\nHow is it?\n\nAnn") == SAID, "nor does it need marks"


@pytest.mark.parametrize("line", [line for line in ATTRIBUTIONS if len(line) > 60 and line.isascii()])
def test_programs_wrap_long_attributions(line):
    at = line.rindex(" ", 0, 52)
    assert new_text(f"{SAID}\n\n{line[:at]}\n{line[at + 1 :]}\n\n> How is it?\n> Ann") == SAID


@pytest.mark.parametrize("line", [ATTRIBUTIONS[0], ATTRIBUTIONS[10], ATTRIBUTIONS[16]])
def test_an_answer_below_the_quote_stays(line):
    assert new_text(f"{line}\n> How is it?\n> Ann\n\n{SAID}") == SAID


WRITTEN = """
On Monday I wrote:
On 5 January I wrote:
On 5 January 2026 at 10:00 I wrote:
On Monday, 5 January 2026 at 10:00 you wrote:
On 5.1.2026 at 10:00 your colleague wrote:
On 5 January 2026 the supplier wrote:
As I wrote on 5 January 2026:
My colleague bob@example.com wrote:
This is what he wrote on Monday at 10:00 to us all and to you:
Am 05.01.2026 schrieb ich:
Am 05.01.2026 um 10:00 schrieb mein Kollege:
Am Montag um 10:00 Uhr habe ich Ihnen geschrieben:
Le 5 janvier 2026 à 10:00, j'ai écrit :
Le 5 janvier, vous avez écrit :
On the other hand, at 10:00:
At 10:00 this happened:
On 5 January 2026 at 10:00 the log says:
El 5 de enero:
""".strip().split("\n")


@pytest.mark.parametrize("line", WRITTEN)
def test_what_a_person_may_have_written_introduces_nothing_unmarked(line):
    text = f"Hello,\n\n{line}\n\nThe printer is broken.\n\nIt still is."
    assert new_text(text) == text


def test_it_introduces_what_is_marked():
    assert new_text(f"{SAID}\n\nOn 5 January 2026 you wrote:\n> How is it?") == SAID
    assert new_text(f"{SAID}\n\nYou wrote:\n> How is it?") == SAID


def test_a_sentence_above_is_no_part_of_a_wrapped_attribution():
    said = "On 5 January 2026 I bought it."
    assert new_text(f"{said}\nOn Mon, Jan 5, 2026 at 10:00 AM Ann <ann@example.com> wrote:\n> old") == said
    said = "See what Ann <ann@example.com> asked:"
    assert new_text(f"{said}\nOn Mon, Jan 5, 2026 at 10:00 AM Ann <ann@example.com> wrote:\n> old") == said


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", attribution.NONE),
        ("wrote:", attribution.NONE),
        ("x" * 500 + " wrote:", attribution.NONE),
        ("On 5 January the following:", attribution.NONE),
        ("She wrote:", attribution.WEAK),
        ("On 5 January Ann wrote:", attribution.WEAK),
        ("On Mon, Jan 5, 2026 10:00, Ann wrote:", attribution.STRONG),
        ("Ann <ann@example.com> wrote", attribution.NONE),
        ("schrieb Ann <ann@example.com>:", attribution.NONE),
    ],
)
def test_the_weight_of_an_attribution(text, weight):
    assert attribution.weight(text) == weight


BLOCKS = {
    "en": "From: Desk <csm@example.com>\nSent: Monday, 5 January 2026 10:00\nTo: Ann <ann@example.com>\nSubject: Printer",
    "en, names alone": "From: Desk\nSent: Monday, 5 January 2026 10:00\nTo: Ann",
    "de": "Von: Desk <csm@example.com>\nGesendet: Montag, 5. Januar 2026 10:00\nAn: Ann\nCc: Bob\nBetreff: AW: Drucker",
    "gmx": 'Gesendet: Montag, 05. Januar 2026 um 10:00 Uhr\nVon: "Desk" <csm@example.com>\nAn: ann@example.com\nBetreff: Drucker',
    "fr": "De : Desk <csm@example.com>\nEnvoyé : lundi 5 janvier 2026 10:00\nÀ : Ann\nObjet : Imprimante",
    "zimbra": 'De: "Desk" <csm@example.com>\nÀ: "Ann" <ann@example.com>\nEnvoyé: Lundi 5 Janvier 2026 10:00:00\nObjet: x',
    "es": "De: Desk <csm@example.com>\nEnviado el: lunes, 5 de enero de 2026 10:00\nPara: Ann\nAsunto: Impresora",
    "it": "Da: Desk <csm@example.com>\nInviato: lunedì 5 gennaio 2026 10:00\nA: Ann\nOggetto: Stampante",
    "pt": "De: Desk <csm@example.com>\nEnviado: segunda-feira, 5 de janeiro de 2026 10:00\nPara: Ann\nAssunto: x",
    "nl": "Van: Desk <csm@example.com>\nVerzonden: maandag 5 januari 2026 10:00\nAan: Ann\nOnderwerp: Printer",
    "pl": "Od: Desk <csm@example.com>\nWysłane: poniedziałek, 5 stycznia 2026 10:00\nDo: Ann\nTemat: Drukarka",
    "cs": "Od: Desk <csm@example.com>\nOdesláno: pondělí 5. ledna 2026 10:00\nKomu: Ann\nPředmět: Tiskárna",
    "sk": "Od: Desk <csm@example.com>\nOdoslané: pondelok 5. januára 2026 10:00\nKomu: Ann\nPredmet: Tlačiareň",
    "hu": "Feladó: Desk <csm@example.com>\nElküldve: 2026. január 5., hétfő 10:00\nCímzett: Ann\nTárgy: Nyomtató",
    "ro": "De la: Desk <csm@example.com>\nTrimis: luni, 5 ianuarie 2026 10:00\nCătre: Ann\nSubiect: Imprimantă",
    "sv": "Från: Desk <csm@example.com>\nSkickat: den 5 januari 2026 10:00\nTill: Ann\nÄmne: Skrivare",
    "da": "Fra: Desk <csm@example.com>\nSendt: 5. januar 2026 10:00\nTil: Ann\nEmne: Printer",
    "fi": "Lähettäjä: Desk <csm@example.com>\nLähetetty: maanantai 5. tammikuuta 2026 10.00\nVastaanottaja: Ann\nAihe: x",
    "ru": "От: Desk <csm@example.com>\nОтправлено: 5 января 2026 г. 10:00\nКому: Ann\nТема: Принтер",
    "uk": "Від: Desk <csm@example.com>\nНадіслано: 5 січня 2026 р. 10:00\nКому: Ann\nТема: Принтер",
    "tr": "Kimden: Desk <csm@example.com>\nGönderildi: 5 Ocak 2026 Pazartesi 10:00\nKime: Ann\nKonu: Yazıcı",
    "el": "Από: Desk <csm@example.com>\nΣτάλθηκε: Δευτέρα, 5 Ιανουαρίου 2026 10:00\nΠρος: Ann\nΘέμα: x",
    "ja": "差出人: Desk <csm@example.com>\n送信日時: 2026年1月5日 10:00\n宛先: Ann\n件名: プリンター",
    "zh": "发件人: Desk <csm@example.com>\n发送时间: 2026年1月5日 10:00\n收件人: Ann\n主题: 打印机",
    "zh-TW": "寄件者：Desk <csm@example.com>\n寄件日期：2026年1月5日 10:00\n收件者：Ann\n主旨：印表機",
    "ko": "보낸 사람: Desk <csm@example.com>\n보낸 날짜: 2026년 1월 5일 10:00\n받는 사람: Ann\n제목: 프린터",
    "he": "מאת: Desk <csm@example.com>\nנשלח: יום שני 05 ינואר 2026 10:00\nאל: Ann\nנושא: x",
    "ar": "من: Desk <csm@example.com>\nالتاريخ: 5 يناير 2026\nإلى: Ann\nالموضوع: x",
    "stars": "*From:* Desk <csm@example.com>\n*Sent:* Monday\n*To:* Ann\n*Subject:* x",
    "double": "From: Desk <csm@example.com>\n\nSent: Monday\n\nTo: Ann\n\nSubject: x",
    "long lists": "From: Desk <csm@example.com>\nTo: Ann <ann@example.com>;\n Bob <bob@example.com>\nSubject: x\nDate: 5.1.2026",
    "notes": "From:\tDesk/Example\nTo:\tann@example.com\nDate:\t05.01.2026 10:00\nSubject:\tx",
    "short": "From: Desk <csm@example.com>\nDate: 5 January 2026",
}
ABOVE = [
    "",
    "________________________________\n",
    "-----Original Message-----\n",
    "-------- Ursprüngliche Nachricht --------\n",
    "----- Mail original -----\n",
    "------- Original Message -------\n",
]


@pytest.mark.parametrize("tongue", BLOCKS)
def test_a_header_block_ends_what_was_said(tongue):
    for above in ABOVE:
        assert new_text(f"{SAID}\n\n{above}{BLOCKS[tongue]}\n\nHow is it?\n\nAnn") == SAID


@pytest.mark.parametrize(
    "line",
    [
        "-----Original Message-----",
        "----- Original Nachricht ----",
        "-----Ursprünglicher Termin-----",
        "-------- Message d'origine --------",
        "-------- Message d’origine --------",
        "-------- Mensaje original --------",
        "-------- Messaggio originale --------",
        "-------- Mensagem original --------",
        "-------- Oorspronkelijk bericht --------",
        "-------- Oryginalna wiadomość --------",
        "---------- Původní zpráva ----------",
        "---------- Pôvodná správa ----------",
        "-------- Eredeti üzenet --------",
        "-------- Mesaj original --------",
        "-------- Originalmeddelande --------",
        "-------- Oprindelig meddelelse --------",
        "-------- Opprinnelig melding --------",
        "-------- Alkuperäinen viesti --------",
        "-------- Исходное сообщение --------",
        "-------- Вихідне повідомлення --------",
        "-------- Orijinal mesaj --------",
        "-------- Αρχικό μήνυμα --------",
        "-------- 元のメッセージ --------",
        "------------------ 原始邮件 ------------------",
        "-------- 원본 메시지 --------",
        "-------- הודעה מקורית --------",
        "-------- الرسالة الأصلية --------",
        "Ann Example ---05.01.2026 10:00:00---How is it?",
    ],
)
def test_an_announced_original_ends_what_was_said(line):
    assert new_text(f"{SAID}\n\n{line}\nHow is it?") == SAID


FORWARDS = """
---------- Forwarded message ---------
Begin forwarded message:
-------- Weitergeleitete Nachricht --------
Anfang der weitergeleiteten Nachricht:
---------- Message transféré ----------
Début du message réexpédié :
-------- Mensaje reenviado --------
Inizio messaggio inoltrato:
---------- Mensagem encaminhada ---------
Begin doorgestuurd bericht:
-------- Przekazana wiadomość --------
---------- Továbbított levél ----------
-------- Mesaj redirecționat --------
Vidarebefordrat brev:
Start på videresendt besked:
-------- Пересылаемое сообщение --------
-------- Переслане повідомлення --------
---------- 転送メッセージ ----------
---------- 전달된 메시지 ----------
-------- הודעה שהועברה --------
----- Forwarded by Ann Example/Berlin/Example on 05.01.2026 10:00 -----
""".strip().split("\n")


@pytest.mark.parametrize("line", FORWARDS)
def test_a_forwarded_part_is_no_quote(line):
    text = f"{SAID}\n\n{line}\n{BLOCKS['en']}\n\nHow is it?\n\n> older"
    assert new_text(text) == text
    assert new_text(text.removeprefix(f"{SAID}\n\n")) == text.removeprefix(f"{SAID}\n\n")


def test_a_forwarder_s_signature_goes_and_the_forwarded_one_stays():
    below = f"{FORWARDS[0]}\n{BLOCKS['en']}\n\nHow is it?\n\n-- \nDesk"
    found = read(f"{SAID}\n\n-- \nBob\n\n{below}")
    assert found.new == f"{SAID}\n\n{below}"
    assert found.signature == "-- \nBob"


@pytest.mark.parametrize("tongue", BLOCKS)
def test_the_subject_says_that_a_header_block_is_forwarded(tongue):
    text = f"{SAID}\n\n{BLOCKS[tongue]}\n\nHow is it?"
    assert new_text(text, Bearing.PASSES) == text


@pytest.mark.parametrize(
    "form",
    [
        "From: Ann <ann@example.com>\nDate: 5 January 2026\nSubject: Printer",
        "Name: Ann\nFrom: ann@example.com\nTo: csm@example.com\nSubject: Printer\nPhone: 555 0100",
        "Von: Ann <ann@example.com>\nAn: csm@example.com\nBetreff: Drucker",
    ],
)
def test_a_form_in_a_mail_that_answers_nothing_stays(form):
    text = f"A new message from the website.\n\n{form}\n\nThe printer is broken."
    assert new_text(text, Bearing.OPENS) == text


def test_a_mail_that_answers_nothing_may_hold_an_old_one_all_the_same():
    assert new_text(f"{SAID}\n\n{BLOCKS['en']}\n\nHow is it?", Bearing.OPENS) == SAID
    log = f"{SAID}\n\n> npm install"
    assert new_text(log, Bearing.OPENS) == log


@pytest.mark.parametrize(
    "block",
    [
        "From: Berlin\nTo: Rome\nDate: 5 May 2026",
        "From: our point of view\nTo: be clear",
        "from: alpine\nto: debian",
        "Von: 8 Uhr\nBis: 9 Uhr",
        "Date: 5.1.2026\nSubject: none",
        "From: ann@example.com",
        "cc: bob@example.com\nTo: ann@example.com\nSubject: x",
    ],
)
def test_what_only_looks_like_a_header_block_stays(block):
    text = f"Please change it.\n\n{block}\n\nThat is all I know."
    assert new_text(text) == text


def test_who_leads_up_to_a_header_block_shows_it():
    text = f"These are the headers of what I sent:\n\n{BLOCKS['long lists']}\n\nIt never arrived."
    assert new_text(text) == text


@pytest.mark.parametrize(
    "said",
    [
        "Hello, my answers below, in red.",
        "Please see my comments inline.",
        "Meine Antworten stehen in rot im Text.",
        "Mes réponses en rouge.",
        "Mis respuestas abajo.",
        "Le risposte in rosso.",
    ],
)
def test_who_says_that_he_answers_within_is_kept_whole(said):
    text = f"{said}\n\n{BLOCKS['en']}\n\nHow is it?\nIt is broken."
    assert new_text(text) == text


def test_marks_say_it_better():
    text = f"My answers below.\n\n{ATTRIBUTIONS[0]}\n> How is it?\n> Ann"
    assert new_text(text) == "My answers below."


def test_an_attribution_wrapped_before_the_end_of_its_address():
    assert new_text(f"{SAID}\n\ntir. 5. jan. 2026 kl. 13:09 skrev Ann Example <ann@example.com\n>:\n\n> old") == SAID


@pytest.mark.parametrize("mark", ["|", ")", "}", ":", "%"])
def test_other_marks_of_quotes(mark):
    quote = f"{ATTRIBUTIONS[0]}\n{mark} How is it?\n{mark}\n{mark} Ann"
    assert new_text(f"{SAID}\n\n{quote}") == SAID
    answered = f"{SAID}\n\n{quote}\n\nIt works, as I said.\n\n{mark} more\n\nNo."
    assert new_text(answered) == answered


def test_an_overlong_line_is_no_attribution():
    line = f"On Mon, Jan 5, 2026 at 10:00 AM {'Ann ' * 120}<ann@example.com> wrote:"
    assert attribution.before([line], 0) == (0, attribution.NONE)


def test_a_header_block_does_not_go_on_for_ever():
    text = f"{SAID}\n\nFrom: a@b.example\nTo: c@d.example;\n" + " e@f.example;\n" * 9 + "Subject: x"
    assert new_text(text) == text


def test_a_sender_begins_a_new_block():
    assert new_text(f"{SAID}\n\nFrom: a\nFrom: b\nFrom: c") == f"{SAID}\n\nFrom: a\nFrom: b\nFrom: c"


def test_an_included_message_is_forwarded():
    text = f"{SAID}\n\n--- begin forwarded text\n\n{BLOCKS['long lists']}\n\nHow is it?"
    assert new_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "I did this\n> cat /etc/passwd\n> ls\n> pwd",
        "I did this.\n\n> npm install\n> npm start",
        "I ran:\n\n> npm install\n> npm run build\n> npm start",
        "See the footer of this page\n_____\nhttps://acme.example\nis broken",
        "-- Original --\n\nmore words",
        "- Original Message -\nis a film.",
        "It says\n\nSubject: x\nFrom: y@acme.example\nDate: now",
        "Le 5 janvier 2026 à 10:00, le technicien a écrit :\nrien\n\nAidez-moi",
        "[05.01.2026, 10:00] Bob wrote:\nhi there\n[05.01.2026, 10:01] Ann wrote:\nhello\n\nPlease look.",
        "Error:\n> cat /etc/passwd\n> done\nwhat now?",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "* one\n* two\n\n1. first\n2. second",
        "git checkout -- file\n--\nrm -- -f",
        "if a > b:\n    return a >> 1",
        "> b\n\nis what I read in the log.",
        "Von meinem Konto wurde zweimal abgebucht.",
        "From: our point of view, all is well.",
        "To: do\nFrom: now on",
        "----------\n\nThe end.",
        "***\n\nThe end.",
    ],
)
def test_what_looks_like_a_quote_and_is_none(text):
    assert new_text(f"{SAID}\n\n{text}") == f"{SAID}\n\n{text}"
