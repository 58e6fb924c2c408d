"""Forwarded mails as many programs write them, in many languages: whose it was, and what he wrote."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest.forwarded import messages, read
from maild.ingest.forwarded_block import Block, blocks, lines_of, people
from maild.ingest.forwarded_words import announces, label_of, prefixed, without_prefix
from maild.ingest.parse import parse
from maild.mail import Address

OURS = frozenset({"ann@staff.example", "bob@staff.example", "csm@desk.example", "ann agent"})
WORDS = "Grüße, nobody can pay since 9 o'clock.\n\nCarol Jønes"
CAROL = Address("Carol Jønes", "carol@acme.example")


def octets_of(subject, text, *, html=False, more="", to="csm@desk.example"):
    kind = "html" if html else "plain"
    head = (
        f"From: Ann Agent <ann@staff.example>\nTo: {to}\nSubject: {subject}\nMessage-ID: <f1@staff.example>\n{more}"
        f"MIME-Version: 1.0\nContent-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return (head + text).replace("\n", "\r\n").encode()


def parsed(*args, **more):
    return parse(octets_of(*args, **more), return_path="ann@staff.example")


def read_of(*args, **more):
    return read(parsed(*args, **more), [], OURS)


# language: prefix, (From, Sent, To, Subject) of Outlook, date, Gmail's line and words, Apple's line, Thunderbird's line
TONGUES = {
    "en": ("Fwd", "From|Sent|To|Subject", "Wednesday, March 11, 2026 10:06 AM", "Forwarded message", "Begin forwarded message:", "Forwarded Message"),
    "de": ("WG", "Von|Gesendet|An|Betreff", "Mittwoch, 11. März 2026 10:06", "Forwarded message", "Anfang der weitergeleiteten Nachricht:", "Weitergeleitete Nachricht"),
    "fr": ("TR", "De|Envoyé|À|Objet", "mercredi 11 mars 2026 10:06", "Forwarded message", "Début du message réexpédié :", "Message transféré"),
    "es": ("RV", "De|Enviado el|Para|Asunto", "miércoles, 11 de marzo de 2026 10:06", "Forwarded message", "Inicio del mensaje reenviado:", "Mensaje reenviado"),
    "it": ("I", "Da|Inviato|A|Oggetto", "mercoledì 11 marzo 2026 10:06", "Forwarded message", "Inizio messaggio inoltrato:", "Messaggio Inoltrato"),
    "pt": ("ENC", "De|Enviada em|Para|Assunto", "quarta-feira, 11 de março de 2026 10:06", "Forwarded message", "Início da mensagem reencaminhada:", "Mensagem encaminhada"),
    "nl": ("Doorst", "Van|Verzonden|Aan|Onderwerp", "woensdag 11 maart 2026 10:06", "Forwarded message", "Begin doorgestuurd bericht:", "Doorgestuurd bericht"),
    "pl": ("PD", "Od|Wysłano|Do|Temat", "środa, 11 marca 2026 10:06", "Forwarded message", "Początek przekazywanej wiadomości:", "Treść przekazanej wiadomości"),
    "cs": ("FW", "Od|Odesláno|Komu|Předmět", "středa 11. března 2026 10:06", "Forwarded message", "Začátek přeposílané zprávy:", "Přeposlaná zpráva"),
    "sv": ("VB", "Från|Skickat|Till|Ämne", "den 11 mars 2026 10:06", "Forwarded message", "Vidarebefordrat brev:", "Vidarebefordrat meddelande"),
    "da": ("VS", "Fra|Sendt|Til|Emne", "11. marts 2026 10:06", "Forwarded message", "Start på videresendt besked:", "Videresendt besked"),
    "nb": ("VS", "Fra|Sendt|Til|Emne", "onsdag 11. mars 2026 10:06", "Forwarded message", "Videresendt melding:", "Videresendt melding"),
    "fi": ("VL", "Lähettäjä|Lähetetty|Vastaanottaja|Aihe", "keskiviikko 11. maaliskuuta 2026 10.06", "Forwarded message", "Välitetty viesti alkaa:", "Välitetty viesti"),
    "ru": ("FW", "От|Отправлено|Кому|Тема", "11 марта 2026 г. 10:06", "Forwarded message", "Начало переадресованного сообщения:", "Пересылаемое сообщение"),
    "tr": ("İLT", "Kimden|Gönderildi|Kime|Konu", "11 Mart 2026 Çarşamba 10:06", "Forwarded message", "İletilen ileti:", "İletilmiş Mesaj"),
    "ja": ("転送", "差出人|送信日時|宛先|件名", "2026年3月11日 10:06", "Forwarded message", "転送されたメッセージ:", "転送メッセージ"),
    "zh": ("转发", "发件人|发送时间|收件人|主题", "2026年3月11日 10:06", "Forwarded message", "下面是被转发的邮件：", "转发的邮件"),
}  # fmt: skip


def outlook(words, date):
    sender, sent, to, subject = words.split("|")
    return f"""Can somebody look at this?

Ann

{sender}: Carol Jønes <carol@acme.example>
{sent}: {date}
{to}: Ann Agent <ann@staff.example>; Bob <bob@staff.example>
{subject}: checkout down

{WORDS}
"""


def outlook_bold(words, date):
    sender, sent, to, subject = words.split("|")
    return f"""Can somebody look at this?

________________________________
*{sender}:* Carol Jønes [mailto:carol@acme.example]
*{sent}:* {date}
*{to}:* Ann Agent
*{subject}:* checkout down


{WORDS}
"""


def outlook_html(words, date):
    sender, sent, to, subject = words.split("|")
    body = WORDS.replace("\n", "<br>")
    return f"""<html><body><div class="WordSection1"><p class="MsoNormal">Can somebody look at this?</p>
<div><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>{sender}:</b> Carol Jønes
&lt;carol@acme.example&gt; <br><b>{sent}:</b> {date}<br><b>{to}:</b> Ann Agent &lt;ann@staff.example&gt;<br><b>{subject}:</b>
checkout down</p></div></div><p class="MsoNormal">{body}</p></div></body></html>"""


def gmail(words, date, line):
    sender, *_ = words.split("|")
    return f"""Can somebody look at this?

---------- {line} ---------
{sender}: Carol Jønes <carol@acme.example>
Date: {date}
Subject: checkout down
To: <ann@staff.example>
Cc: <bob@staff.example>


{WORDS}
"""


def apple(words, date, line):
    sender, _, to, subject = words.split("|")
    quoted = "\n".join(f"> {line}".rstrip() for line in WORDS.split("\n"))
    return f"""Can somebody look at this?

{line}

> {sender}: Carol Jønes <carol@acme.example>
> {subject}: checkout down
> Date: {date}
> {to}: Ann Agent <ann@staff.example>
>
{quoted}
"""


def thunderbird(words, date, line):
    sender, sent, to, subject = words.split("|")
    return f"""Can somebody look at this?

-------- {line} --------
{subject}: \tcheckout down
{sent}: \t{date}
{sender}: \tCarol Jønes <carol@acme.example>
{to}: \tann@staff.example



{WORDS}
"""


def full_width(words, date):
    return outlook(words, date).replace(": ", "：").replace("?\n", "?\n", 1)


def samples():
    for name, (prefix, words, date, by_gmail, by_apple, by_thunderbird) in TONGUES.items():
        yield pytest.param(f"{prefix}: checkout down", outlook(words, date), False, id=f"{name} outlook")
        yield pytest.param(f"{prefix}: checkout down", outlook_bold(words, date), False, id=f"{name} outlook, bold")
        yield pytest.param(f"{prefix}: checkout down", outlook_html(words, date), True, id=f"{name} outlook, html")
        yield pytest.param("Fwd: checkout down", gmail(words, date, by_gmail), False, id=f"{name} gmail")
        yield pytest.param("no prefix at all", apple(words, date, by_apple), False, id=f"{name} apple")
        yield pytest.param(
            "no prefix at all", thunderbird(words, date, by_thunderbird), False, id=f"{name} thunderbird"
        )
    yield pytest.param("转发: 结账", full_width(TONGUES["zh"][1], TONGUES["zh"][2]), False, id="zh full width")
    yield pytest.param("転送: x", full_width(TONGUES["ja"][1], TONGUES["ja"][2]), False, id="ja full width")


@pytest.mark.parametrize(("subject", "text", "html"), [*samples()])
def test_programs_in_many_languages(subject, text, html):
    found = read_of(subject, text, html=html)
    assert (found.sender, found.how) == (CAROL, "inline"), found.because
    assert found.text == WORDS
    assert found.own_words.startswith("Can somebody look at this?")
    assert "acme.example" not in found.own_words
    assert found.subject == "checkout down"


ODD = {
    "yahoo": ("Fw: checkout", """fyi

   ----- Forwarded Message -----
From: Carol Jones <carol@acme.example>
To: "ann@staff.example" <ann@staff.example>
Sent: Wednesday, March 11, 2026, 10:06:00 AM GMT+1
Subject: checkout

Nobody can pay."""),
    "yahoo on one line": ("Fw: checkout", """fyi

----- Forwarded Message -----
From: Carol Jones <carol@acme.example> To: "ann@staff.example" <ann@staff.example> Sent: Wednesday, March 11, 2026, 10:06:00 AM Subject: checkout

Nobody can pay."""),
    "gmx": ("Fw: checkout", """Schau mal

Gesendet: Mittwoch, 11. März 2026 um 10:06 Uhr
Von: "Carol Jones" <carol@acme.example>
An: ann@staff.example
Cc: bob@staff.example
Betreff: checkout

Nobody can pay."""),
    "web.de": ("Fwd: checkout", """Schau mal

--
Diese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.


Am 11.03.26, 10:06, Carol Jones <carol@acme.example> schrieb:

Gesendet: Mittwoch, 11. März 2026 um 10:06 Uhr
Von: carol@acme.example
An: ann@staff.example
Betreff: checkout

Nobody can pay."""),
    "protonmail": ("Fw: checkout", """fyi

Sent with Proton Mail secure email.

------- Forwarded Message -------
From: Carol Jones <carol@acme.example>
Date: On Wednesday, March 11th, 2026 at 10:06
Subject: checkout
To: ann@staff.example <ann@staff.example>

Nobody can pay."""),
    "zimbra": ("Fwd: checkout", """fyi

----- Forwarded Message -----
From: "Carol Jones" <carol@acme.example>
To: "Ann Agent" <ann@staff.example>
Sent: Wednesday, 11 March, 2026 10:06:00 AM
Subject: checkout

Nobody can pay."""),
    "samsung": ("Fwd: checkout", """fyi


Sent from my Galaxy


-------- Original message --------
From: Carol Jones <carol@acme.example>
Date: 11/03/2026 10:06 (GMT+01:00)
To: Ann Agent <ann@staff.example>
Subject: checkout

Nobody can pay."""),
    "samsung, german": ("Fwd: checkout", """Von meinem Samsung Gerät gesendet.


-------- Ursprüngliche Nachricht --------
Von: Carol Jones <carol@acme.example>
Datum: 11.03.26 10:06 (GMT+01:00)
An: ann@staff.example
Betreff: checkout

Nobody can pay."""),
    "outlook mobile": ("Fw: checkout", """fyi

Get Outlook for iOS<https://aka.ms/o0ukef>
________________________________
From: Carol Jones <carol@acme.example>
Sent: Wednesday, March 11, 2026 10:06:00 AM
To: Ann Agent <ann@staff.example>
Subject: checkout

Nobody can pay."""),
    "outlook for mac": ("FW: checkout", """fyi

From: Carol Jones <carol@acme.example>
Date: Wednesday, 11 March 2026 at 10:06
To: Ann Agent <ann@staff.example>
Subject: checkout
Nobody can pay."""),
    "outlook, original message": ("FW: checkout", """fyi

-----Original Message-----
From: Carol Jones [mailto:carol@acme.example]
Sent: Wednesday, March 11, 2026 10:06 AM
To: Ann Agent
Cc: Bob; Someone Else
Importance: High
Subject: checkout

Nobody can pay."""),
    "outlook web, links made text": ("Fw: checkout", """fyi

From: Carol Jones <carol@acme.example<mailto:carol@acme.example>>
Sent: Wednesday, March 11, 2026 10:06 AM
To: Ann Agent <ann@staff.example<mailto:ann@staff.example>>
Subject: checkout

Nobody can pay."""),
    "no name": ("Fwd: checkout", """---------- Forwarded message ---------
From: <carol@acme.example>
Date: Wed, 11 Mar 2026 at 10:06
Subject: checkout
To: <ann@staff.example>

Nobody can pay."""),
    "bare address": ("Fwd: checkout", """From: carol@acme.example
Sent: Wednesday
Subject: checkout

Nobody can pay."""),
    "gmail, wrapped": ("Fwd: checkout", """---------- Forwarded message ---------
From: Carol Jones
<carol@acme.example>
Date: Wed, 11 Mar 2026 at 10:06
Subject: checkout
To: Ann Agent <ann@staff.example>, Bob Lead <bob@staff.example>, Somebody Else <
somebody@acme.example>

Nobody can pay."""),
    "a long list of recipients": ("FW: checkout", """From: Carol Jones <carol@acme.example>
Sent: Wednesday, March 11, 2026 10:06 AM
To: Ann Agent <ann@staff.example>;
 Bob <bob@staff.example>;
 Dora <dora@acme.example>
Subject: checkout

Nobody can pay."""),
    "blank lines between": ("FW: checkout", """From: Carol Jones <carol@acme.example>

Sent: Wednesday, March 11, 2026 10:06 AM

To: Ann Agent <ann@staff.example>

Subject: checkout

Nobody can pay."""),
    "values on lines of their own": ("FW: checkout", """From:
Carol Jones <carol@acme.example>
Sent:
Wednesday, March 11, 2026 10:06 AM
Subject:
checkout

Nobody can pay."""),
    "all of it quoted": ("Fwd: checkout", """fyi

> From: Carol Jones <carol@acme.example>
> Date: 11 March 2026
> Subject: checkout
>
> Nobody can pay."""),
    "words of ours below the quote": ("Fwd: checkout", """> From: Carol Jones <carol@acme.example>
> Date: 11 March 2026
> Subject: checkout
>
> Nobody can pay.

Please help her."""),
    "lotus notes": ("Fw: checkout", """fyi
----- Forwarded by Ann Agent/Staff on 11.03.2026 10:10 -----

From:        Carol Jones <carol@acme.example>
To:        ann@staff.example
Date:        11.03.2026 10:06
Subject:        checkout

Nobody can pay."""),
    "yandex": ("Fwd: checkout", """fyi

-------- Пересылаемое сообщение --------
11.03.2026, 10:06, "Carol Jones" <carol@acme.example>:

Nobody can pay."""),
    "mail.ru": ("Fwd: checkout", """-------- Пересылаемое сообщение --------
От кого: Carol Jones <carol@acme.example>
Кому: ann@staff.example
Дата: Среда, 11 марта 2026, 10:06 +03:00
Тема: checkout

Nobody can pay."""),
    "qq": ("转发：checkout", """------------------ 原始邮件 ------------------
发件人: "Carol Jones" <carol@acme.example>;
发送时间: 2026年3月11日(星期三) 上午10:06
收件人: "ann"<ann@staff.example>;
主题: checkout

Nobody can pay."""),
    "korean": ("Fwd: checkout", """---------- Forwarded message ---------
보낸사람: Carol Jones <carol@acme.example>
Date: 2026년 3월 11일 (수) 오전 10:06
Subject: checkout
To: <ann@staff.example>

Nobody can pay."""),
    "a name with a comma": ("FW: checkout", """From: "Jones, Carol" <carol@acme.example>
Sent: Wednesday
To: Ann
Subject: checkout

Nobody can pay."""),
    "a name with quotes and stars": ("Fwd: checkout", """From: *'Carol Jones'* <carol@acme.example>
Date: Wed
Subject: *checkout*

Nobody can pay."""),
    "list before the prefix": ("[EXTERNAL] FW: checkout", """From: Carol Jones <carol@acme.example>
Sent: Wednesday
Subject: checkout

Nobody can pay."""),
    "(fwd) behind": ("checkout (fwd)", """---------- Forwarded message ----------
Date: Wed, 11 Mar 2026 10:06:00 +0100
From: Carol Jones <carol@acme.example>
To: ann@staff.example
Subject: checkout

Nobody can pay."""),
    "forwarded by a colleague before": ("Fwd: FW: checkout", """see below

---------- Forwarded message ---------
From: Bob Lead <bob@staff.example>
Date: Wed, 11 Mar 2026 at 10:08
Subject: FW: checkout
To: <ann@staff.example>

not for me

From: Carol Jones <carol@acme.example>
Sent: Wednesday
To: Bob
Subject: checkout

Nobody can pay."""),
    "forwarded by a colleague without an address": ("FW: checkout", """From: Ann Agent
Sent: Wednesday
To: Bob Lead
Subject: FW: checkout

From: Carol Jones <carol@acme.example>
Sent: Wednesday
To: Bob
Subject: checkout

Nobody can pay."""),
    "an answer of ours above it": ("Fwd: checkout", """---------- Forwarded message ---------
From: Ann Agent <ann@staff.example>
Date: Wed, 11 Mar 2026 at 11:00
Subject: Re: checkout
To: Carol Jones <carol@acme.example>

Hello: see

below.

On Wed, 11 Mar 2026 at 10:30, Ann Agent <ann@staff.example> wrote:

> hm
>
> On Wed, 11 Mar 2026 at 10:06, Carol Jones <carol@acme.example>
> wrote:
>
>> Nobody can pay.
>
> Ann"""),
    "an answer of ours above it, german": ("WG: checkout", """Von: Ann Agent <ann@staff.example>
Gesendet: Mittwoch
Betreff: Re: checkout

Moin

Am 11.03.26 um 10:06 schrieb Carol Jones <carol@acme.example>:
> Nobody can pay."""),
    "a history below it": ("Fwd: checkout", """From: Carol Jones <carol@acme.example>
Sent: Wednesday
To: Bob
Subject: checkout

Nobody can pay.

From: Dora <dora@other.example>
Sent: Tuesday
To: Carol
Subject: checkout

older"""),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_odd_shapes(name, ends):
    subject, text = ODD[name]
    mail = replace(parsed(subject, text), text=text.replace("\n", ends))
    found = read(mail, [], OURS)
    assert found.sender is not None, found.because
    assert found.sender.address == "carol@acme.example"
    assert found.text.startswith("Nobody can pay.")
    assert "Nobody" not in found.own_words
    assert found.subject.removeprefix("Re: ") == "checkout"


def test_names_dates_and_words():
    def of(name):
        return read_of(*ODD[name])

    assert of("a name with a comma").sender.name == "Jones, Carol"
    assert of("a name with quotes and stars").sender.name == "Carol Jones"
    assert of("bare address").sender.name == of("no name").sender.name == ""
    assert of("(fwd) behind").at.isoformat() == "2026-03-11T09:06:00+00:00"
    assert of("gmx").at is None
    assert of("words of ours below the quote").own_words == "Please help her."
    assert of("words of ours below the quote").text == "Nobody can pay."
    assert "not for me" not in of("forwarded by a colleague before").text
    assert of("forwarded by a colleague before").own_words == "see below"
    assert "older" in of("a history below it").text


HTML = {
    "gmail": """<div dir="ltr">fyi</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>
Von: <strong class="gmail_sendername" dir="auto">Carol Jones</strong> <span dir="auto">&lt;<a href="mailto:carol@acme.example">carol@acme.example</a>&gt;</span><br>
Date: Mi., 11. März 2026 um 10:06 Uhr<br>Subject: checkout<br>To:  &lt;<a href="mailto:ann@staff.example">ann@staff.example</a>&gt;<br></div><br><br>
<div dir="ltr">Nobody can pay.</div></div>""",
    "apple": """<html><body>fyi<br><div><br><blockquote type="cite"><div>Begin forwarded message:</div><br>
<div style="margin:0"><span><b>From: </b></span><span>Carol Jones &lt;<a href="mailto:carol@acme.example">carol@acme.example</a>&gt;<br></span></div>
<div style="margin:0"><span><b>Subject: </b></span><span><b>checkout</b><br></span></div>
<div style="margin:0"><span><b>Date: </b></span><span>11. March 2026 at 10:06:00 CET<br></span></div>
<div style="margin:0"><span><b>To: </b></span><span>Ann &lt;ann@staff.example&gt;<br></span></div><br>
<div>Nobody can pay.</div></blockquote></div></body></html>""",
    "thunderbird": """<p>fyi</p><div class="moz-forward-container"><br><br>-------- Weitergeleitete Nachricht --------
<table class="moz-email-headers-table" cellspacing="0" border="0"><tbody><tr><th nowrap="nowrap" align="RIGHT">Betreff: </th><td>checkout</td></tr>
<tr><th>Datum: </th><td>Wed, 11 Mar 2026 10:06:00 +0100</td></tr><tr><th>Von: </th><td>Carol Jones <a href="mailto:carol@acme.example">&lt;carol@acme.example&gt;</a></td></tr>
<tr><th>An: </th><td>ann@staff.example</td></tr></tbody></table><br><br>Nobody can pay.</div>""",
    "yahoo": """<div><div>fyi<br></div><div id="ydp"><div>----- Forwarded Message -----</div><div><b>From:</b> Carol Jones &lt;carol@acme.example&gt;</div>
<div><b>To:</b> "ann@staff.example" &lt;ann@staff.example&gt;</div><div><b>Sent:</b> Wednesday, March 11, 2026, 10:06:00 AM GMT+1</div>
<div><b>Subject:</b> checkout</div><div><br></div><div>Nobody can pay.</div></div></div>""",
    "outlook on the web": """<div style="font-family:Calibri">fyi</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%">
<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>Från:</b> Carol Jones &lt;carol@acme.example&gt;<br><b>Skickat:</b> den 11 mars 2026 10:06<br>
<b>Till:</b> Ann &lt;ann@staff.example&gt;<br><b>Ämne:</b> checkout</font><div>&nbsp;</div></div><div>Nobody can pay.</div>""",
    "web.de": """<div>fyi<div><div style="margin: 0 0 10px 0;"><b>Gesendet:</b>&nbsp;Mittwoch, 11. März 2026 um 10:06 Uhr<br><b>Von:</b>&nbsp;"Carol Jones" &lt;carol@acme.example&gt;<br>
<b>An:</b>&nbsp;ann@staff.example<br><b>Betreff:</b>&nbsp;checkout</div><div>Nobody can pay.</div></div></div>""",
    "proton": """<div>fyi</div><div class="protonmail_quote">------- Forwarded Message -------<br>From: Carol Jones &lt;carol@acme.example&gt;<br>
Date: On Wednesday, March 11th, 2026 at 10:06<br>Subject: checkout<br>To: ann@staff.example &lt;ann@staff.example&gt;<br><br>
<blockquote class="protonmail_quote" type="cite"><p>Nobody can pay.</p></blockquote></div>""",
}  # fmt: skip


@pytest.mark.parametrize("name", HTML)
def test_mail_that_has_no_plain_text(name):
    found = read_of("Fwd: checkout", HTML[name], html=True)
    assert found.sender == Address("Carol Jones", "carol@acme.example"), found.because
    assert found.text == "Nobody can pay."
    assert (found.own_words, found.subject) == ("fyi", "checkout")


NOT_FORWARDED = {
    "a plain question": ("checkout", "Nobody can pay."),
    "a reply, outlook": ("Re: checkout", ODD["outlook for mac"][1]),
    "a reply, german": ("AW: checkout", outlook(*TONGUES["de"][1:3])),
    "a reply to a forward": ("Re: Fwd: checkout", ODD["protonmail"][1]),
    "a reply that quotes a forward": ("answer", "Yes.\n\nOn Monday Carol wrote:\n> hm\n> ---------- Forwarded message ---------\n> From: x@y.example\n> Date: x\n> Subject: y"),
    "an original without a prefix": ("checkout", ODD["outlook, original message"][1]),
    "two letters and no block": ("I: am here", "Nobody can pay."),
    "an hour": ("TR: 12", "See you at 12."),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_FORWARDED)
def test_what_is_no_forward(name):
    assert read_of(*NOT_FORWARDED[name]) is None


def test_a_finnish_reply_goes_to_whom_it_quotes():
    text = outlook(*TONGUES["fi"][1:3])
    assert read_of("VS: checkout", text, to="carol@acme.example, csm@desk.example") is None
    assert read_of("VS: checkout", text).sender == CAROL
    assert read_of("Fwd: checkout", text, to="carol@acme.example, csm@desk.example").sender == CAROL


UNCERTAIN = {
    "no block": ("Fwd: checkout", "please look", "no header block"),
    "announced, and a colon": ("x", "fyi\n---- Forwarded message ----\nhello:\n\nx", "no header block"),
    "announced, and no more": ("x", "fyi\n---------- Forwarded message ---------\n", "no header block"),
    "a name and no address": ("FW: x", "From: Carol Jones\nSent: Wednesday\nTo: Ann\nSubject: checkout\n\nhelp", "names Carol Jones without"),
    "nobody": ("FW: x", "From: \nSent: Wednesday\nTo: Ann\nSubject: checkout\n\nhelp", "without an address"),
    "several": ("FW: x", "From: a@acme.example on behalf of b@acme.example\nSent: Wed\nSubject: y\n\nhelp", "several senders"),
    "ours": ("FW: x", "From: Bob <bob@staff.example>\nSent: Wednesday\nSubject: checkout\n\nhelp", "only people of ours"),
    "ours, and lines that name nobody": (
        "FW: x",
        "From: Bob <bob@staff.example>\nSent: Wednesday\nSubject: y\n\nThey said:\n> x\nAnd a@b.example wrote:\n> y\n",
        "only people of ours",
    ),
    "the desk": ("FW: x", "From: csm@desk.example\nSent: Wednesday\nSubject: checkout\n\nhelp", "only people of ours"),
    "a machine": ("FW: x", "From: no-reply@shop.example\nSent: Wednesday\nSubject: sale\n\nbuy", "nobody reads"),
    "a daemon": ("FW: x", "From: MAILER-DAEMON@mx.example\nSent: Wednesday\nSubject: returned\n\nlost", "nobody reads"),
    "an exchange path": ("FW: x", "From: Carol </O=EXCH/OU=FIRST/CN=CAROL>\nSent: Wed\nSubject: y\n\nhelp", "without an address"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCERTAIN)
def test_where_it_must_be_asked(name):
    subject, text, because = UNCERTAIN[name]
    found = read_of(subject, text)
    assert found.sender is None
    assert because in found.because


ORIGINAL = (
    "From: Carol Jones <carol@acme.example>\r\nTo: ann@staff.example\r\nSubject: checkout\r\nMessage-ID: <o1@acme.example>\r\n"
    "Date: Wed, 11 Mar 2026 10:06:00 +0100\r\n{more}\r\nNobody can pay.\r\n"
)


def attached(*inner, subject="Fwd: checkout", text="fyi"):
    boundary = "b1"
    parts = "".join(
        f"--{boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n{one}\r\n"
        for one in inner
    )
    mail = parse(
        (
            f"From: ann@staff.example\r\nTo: csm@desk.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
            f"--{boundary}\r\nContent-Type: text/x-log; name=a.log\r\nContent-Disposition: attachment\r\n\r\nlog\r\n{parts}--{boundary}--\r\n"
        ).encode(),
        return_path="ann@staff.example",
    )
    return read(mail, [parse(file.content, return_path="x") for file in messages(mail)], OURS)


def test_an_attached_message_is_its_sender_s():
    found = attached(ORIGINAL.format(more=""), subject="look at this")
    assert (found.sender, found.how) == (Address("Carol Jones", "carol@acme.example"), "attached")
    assert (found.message_id, found.subject, found.text.strip()) == ("o1@acme.example", "checkout", "Nobody can pay.")
    assert found.at.isoformat() == "2026-03-11T09:06:00+00:00"
    assert found.own_words == "fyi"
    assert [file.name for file in found.attachments] == ["a.log"]


@pytest.mark.parametrize(
    ("inner", "because"),
    [
        ((ORIGINAL.format(more=""), ORIGINAL.format(more="")), "several mails are attached"),
        (("Subject: x\r\n\r\nhm",), "no clear sender"),
        ((ORIGINAL.format(more="").replace("carol@acme.example", "carol"),), "no clear sender"),
        ((ORIGINAL.format(more="List-Id: <sale.shop.example>\r\nPrecedence: bulk\r\n"),), "no person wrote"),
        ((ORIGINAL.format(more="").replace("carol@", "noreply@"),), "no person wrote"),
        ((ORIGINAL.format(more="").replace("carol@acme", "bob@staff"),), "no header block"),
    ],
)
def test_an_attached_message_that_is_not_certain(inner, because):
    found = attached(*inner)
    assert found.sender is None
    assert because in found.because


def test_an_attached_message_of_a_colleague_who_forwards():
    text = ODD["outlook, original message"][1]
    inner = ORIGINAL.format(more="").replace("carol@acme", "bob@staff").replace("Nobody can pay.", text)
    found = attached(inner)
    assert found.sender.address == "carol@acme.example"
    assert "bob@staff.example, one of us" in found.because
    assert found.message_id == ""
    assert found.own_words == "fyi\n\nfyi"
    assert attached(inner.replace("From: Carol Jones [", "By: [")).message_id == "o1@acme.example"


@pytest.mark.parametrize(
    ("kind", "name", "is_mail"),
    [
        ("message/rfc822", "x", True),
        ("message/global", "x", True),
        ("application/octet-stream", "Mail.EML", True),
        ("application/octet-stream", "mail.pdf", False),
        ("text/plain", "mail.eml", False),
    ],
)
def test_what_is_a_mail(kind, name, is_mail):
    file = parse(b"Subject: x\r\nContent-Type: application/x\r\n\r\nx").attachments[0]
    file = replace(file, content_type=kind, name=name)
    assert bool(messages(replace(parsed("x", "y"), attachments=(file,)))) is is_mail


def test_a_reply_with_a_mail_attached_forwards_nothing():
    assert attached(ORIGINAL.format(more=""), subject="Re: checkout") is None


def test_two_senders_are_asked_about():
    block = "From: Dora <dora@other.example>\nDate: Wed\nSubject: spam\n\nI got this."
    found = attached(ORIGINAL.format(more=""), text=block)
    assert found.sender is None
    assert "carol@acme.example" in found.because
    assert "dora@other.example" in found.because
    same = attached(ORIGINAL.format(more=""), text=block.replace("dora@other", "carol@acme"))
    assert same.sender.address == "carol@acme.example"


HIDDEN = """fyi
---------- Forwarded message ---------
Odesilatel posty: Carol <carol@acme.example>
Datum posty: 1


Hello,

please pay.

many

lines

From: Victim <victim@bank.example>
Date: Wed
Subject: hm

x"""


def test_a_block_that_cannot_be_read_hides_its_sender():
    found = read_of("Fwd: x", HIDDEN)
    assert found.sender is None
    assert found.own_words == "fyi"
    yandex = HIDDEN.replace("Odesilatel posty: Carol <carol@acme.example>", '11.03.2026, "Carol" <carol@acme.example>:')
    assert read_of("Fwd: x", yandex).sender.address == "carol@acme.example"


@pytest.mark.parametrize(
    ("more", "msgid"),
    [
        ("In-Reply-To: <o1@acme.example>\n", "o1@acme.example"),
        ("References: <a@acme.example> <o2@acme.example>\n", "o2@acme.example"),
        ("", ""),
    ],
)
def test_the_id_of_what_was_forwarded(more, msgid):
    assert read_of(*ODD["zimbra"], more=more).message_id == msgid
    assert read_of(*ODD["forwarded by a colleague before"], more=more).message_id == ""


@pytest.mark.parametrize(
    ("subject", "what", "bare"),
    [
        ("Fwd: x", "surely", "x"),
        ("FWD:x", "surely", "x"),
        ("Fwd: WG: x", "surely", "x"),
        ("[list] Fw: [list] TR: x", "surely", "x"),
        ("Fw[2]: x", "surely", "x"),
        ("转发：x", "surely", "x"),
        ("İLT: x", "likely", "x"),
        ("VS: x", "likely", "x"),
        ("Re: Fwd: x", "reply", "Re: Fwd: x"),
        ("Fwd: Re: x", "surely", "Re: x"),
        ("x (fwd)", "surely", "x"),
        ("Re: x (fwd)", "likely", "Re: x"),
        ("[list] x", "", "[list] x"),
        ("forward: x", "", "forward: x"),
        ("", "", ""),
    ],
)
def test_prefixes(subject, what, bare):
    assert prefixed(subject) == what
    assert without_prefix(subject) == bare


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("---------- Forwarded message ---------", "forwarded"),
        ("Begin forwarded message:", "forwarded"),
        ("> Anfang der weitergeleiteten Nachricht:", "forwarded"),
        ("-------- Va\u0308litetty viesti --------", "forwarded"),
        ("-----Ursprüngliche Nachricht-----", "original"),
        ("This is a forwarded message of mine", ""),
        ("-" * 200, ""),
    ],
)
def test_announcements(line, what):
    assert announces(line) == what


@pytest.mark.parametrize(
    ("value", "name", "addresses"),
    [
        ("Carol <carol@acme.example>", "Carol", ("carol@acme.example",)),
        ("carol@acme.example [mailto:carol@acme.example]", "", ("carol@acme.example",)),
        ("Carol (carol@acme.example)", "Carol", ("carol@acme.example",)),
        ("'carol@acme.example'", "", ("carol@acme.example",)),
        ("<mailto:Carol@acme.example>", "", ("Carol@acme.example",)),
        ("Carol@Acme.example <carol@acme.example>", "", ("Carol@Acme.example",)),
        ("carol@localhost", "", ()),
        ("Jürgen <jürgen@bücher.example>", "Jürgen", ("jürgen@bücher.example",)),
        ("''@x.example", "", ()),
    ],
)
def test_people(value, name, addresses):
    assert people(value) == (name, addresses)


def test_blocks_that_follow_each_other():
    text = "From: a@x.example\nDate: 1\nSubject: s\nFrom: b@x.example\nDate: 2\nSubject: t\n\nend"
    found = blocks(lines_of(text))
    assert [block.addresses for block in found] == [("a@x.example",), ("b@x.example",)]
    assert all(isinstance(block, Block) for block in found)
    assert label_of("no label here") is None


@given(
    st.text(alphabet="From:Sent\n> @.-*|\t：AÀ发件人#x", max_size=400),
    st.sampled_from(["Fwd: x", "x", "I: x", "Re: x"]),
)
def test_it_never_raises(text, subject):
    found = read(replace(parsed("x", "y"), text=text, subject=subject), [], OURS)
    assert found is None or found.sender is None or "@" in found.sender.address


@given(
    st.lists(
        st.sampled_from(
            [
                "From: a@b.example",
                "To: x",
                "Date: 1",
                "Subject: y",
                "",
                "word",
                "> From: c@d.example",
                "---- Forwarded message ----",
            ]
        ),
        max_size=30,
    )
)
def test_a_sender_stands_in_the_text(rows):
    found = read(replace(parsed("x", "y"), text="\n".join(rows), subject="Fwd: x"), [], OURS)
    assert found.sender is None or found.sender.address in "\n".join(rows)


@pytest.mark.parametrize(
    "piece",
    [
        "From: a@b.example\n",
        "From: ",
        "To: x\n",
        "> > > |",
        "From: a@b.example To: ",
        "- Forwarded message -\n",
        "x@" * 10 + "\n",
        "[a] ",
        "Subject: y\n\n",
        "a.b-",
        "1 a@b.example:\n> x\n",
        ":\n> x\n",
    ],
)
def test_a_megabyte_is_read_in_time(piece):
    ours = "From: ann@staff.example\nDate: 1\nSubject: y\n\n"
    mail = replace(parsed("x", "y"), text=ours + piece * (1_000_000 // len(piece)), subject="Fwd: x")
    began = time.process_time()
    read(mail, [], OURS)
    assert time.process_time() - began < 8
