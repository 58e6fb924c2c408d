# ruff: noqa: RUF001, PLE2502 - mail is written in many scripts, some of them from right to left
"""How mail programs introduce what somebody else wrote: attribution lines, header blocks, signatures, in many tongues."""

import re

_WROTE = (
    r"wrote|writes|said|schrieb(?: am [^:\n]{4,60})?|a écrit|a ecrit|écrit|escribió|escribio|ha escrito|scritto|ha scritto|escreveu|schreef|"
    r"napisał(?:\(a\)|a)?|pisze|skrev|kirjoitti|kirjoitti seuraavasti|napsal(?:\(a\)|a)?|napísal(?:\(a\)|a)?|"
    r"írta(?: \(időpont:[^)\n]*\))?|yazdı|şunu yazdı|"
    r"написал(?:\(а\)|а)?|пишет|пише|написав|написа|έγραψε|a scris|je napisao|napisao je|написао је|כתב|כתבה|‫כתב|viết|đã viết|menulis|"
    r"さん(?:は書きました|が書きました|wrote)|のメッセージ|写道|寫道|写到|님이 작성|작성"
)
_WHEN = (
    r"On|Am|Le|El|Il|Em|Op|W dniu|Dnia|Den|Dne|Dňa|På|Pe|В|Вы|Στις|Vào|Pada|Il giorno|Il\xa0giorno|No dia|A|Ma|"
    r"at|Le\xa0|Στις|בתאריך|בתאריך\s|‫בתאריך|On\xa0|il|am|le|el|op|den|tor|ons|fre|man|tir|lør|søn|to|ma|pe|la|su|ke|ti|"
    r"mån|tis|fre|lör|sön|pon|wt|śr|czw|pt|sob|niedz|so|ne|po|út|st|čt|pá|пн|вт|ср|чт|пт|сб|вс|вторник|понедельник|среда|четверг|пятница|суббота|воскресенье"
)
_DATEISH = re.compile(r"\d{1,4}[./-]\d{1,2}|\b\d{1,2}:\d{2}|\b(?:19|20)\d{2}\b|年|月|\d{1,2}\.? \w{3,}")
_ENDS_WROTE = re.compile(
    rf"(?:^|[\s>\"')\]}}»*_,\xa0]|(?<=\w)(?=写|寫|さ|님))(?:{_WROTE})\s*(?:[-–—]{{2,}})?\s*[::]?\s*\**\s*$",
    re.IGNORECASE,
)
STARTS_WHEN = re.compile(rf"^(?:[-–—*_\s]*)(?:{_WHEN})[\s,.\xa0]", re.IGNORECASE)
_MIDDLE_WROTE = re.compile(
    r"\d[^\n]{0,80}\s(?:schrieb|skrev|schreef|wrote|kirjoitti|a écrit|escribió|escreveu|napisał)\s[^\n]{1,150}$",
    re.IGNORECASE,
)
_WROTE_WHEN = re.compile(
    rf"(?:\b|\s)(?:{_WROTE}|schrieb am|skrev den|wrote on|wrote at|skrev følgende den|a écrit le|kirjoitti)\b[^\n]{{0,120}}\d[^\n]{{0,60}}[::]\s*$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+=~'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_DATE_ADDRESS = re.compile(
    r"^(?:\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}|\d{1,2}[:.]\d{2}(?:\s?[AP]M)?,? |\d{1,2}[-/. ]\w{1,9}\.?[-/. ]\d{2,4}|\w{2,12}, ?\d{1,2})"
    r"[^\n]{0,200}<[^<>\s]{1,100}@[^<>\s]{1,100}>\)?\s*(?:\w{1,12})?[::]\s*$"
)

_ORIGINAL = re.compile(
    r"^[\s>*]*(?:[-_=*]\s?){2,}\s*(?:"
    r"Original[ -]?(?:Message|Nachricht|meddelande|melding|bericht)?|Original Appointment|Ursprüngliche (?:Nachricht|Mail|E-Mail)|Urspr\. ?Nachricht|"
    r"Message (?:d['’´]origine|original|initial)|Message d['’]origine|Mensaje original|Mensagem original|"
    r"Messaggio (?:originale|Originale)|Messaggio inoltrato|Oorspronkelijk bericht|Oprindelig (?:meddelelse|meddelse|besked)|"
    r"Oprindelig \w+|Opprinnelig melding|Ursprungligt meddelande|Alkuperäinen viesti|Wiadomość oryginalna|Oryginalna wiadomość|"
    r"Původní (?:zpráva|e-mail)|Eredeti üzenet|Исходное сообщение|Оригинальное сообщение|Пересылаемое сообщение|"
    r"Forwarded [Mm]essage|Forwarded by [^\n]{1,120}|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|"
    r"Mensagem encaminhada|Doorgestuurd bericht|Videresendt (?:meddelelse|melding)|Vidarebefordrat meddelande|Przekazana wiadomość|"
    r"Reply [Mm]essage|Reply above this line|元のメッセージ|原始邮件|原始郵件|转发邮件信息|Pôvodná správa|Orijinal Mesaj|Mesaj original|"
    r"Begin forwarded message|Forwarded message|Previous (?:message|reply|replies)|Antwort|Svar"
    r")\s*:?\s*(?:[-_=*]\s?){2,}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^(?:Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-Mail)|Début du message (?:réexpédié|transféré)|"
    r"Inicio del mensaje reenviado|Inizio messaggio inoltrato|Início da mensagem (?:reencaminhada|encaminhada)|Start doorgestuurd bericht|"
    r"Vidarebefordrat brev|Videresendt besked|Начало переадресованного сообщения)\s?:\s*$",
    re.IGNORECASE,
)
_PREVIOUS = re.compile(
    r"^\s*[*_]{0,2}(?:Previous (?:Replies|messages?|discussion)|Vorherige Nachrichten)[*_]{0,2}\s*$", re.IGNORECASE
)

_FROM = r"From|Von|De|Da|Van|Od|Fra|Från|Lähettäjä|От|От кого|Від|Feladó|Kimden|发件人|寄件者|差出人|보낸 사람|Από|מאת|Gönderen|Expéditeur|Remitente|Mittente|Absender"
_SENT = (
    r"Sent|Gesendet(?: am)?|Envoyé(?: le)?|Enviado(?: el| em)?|Inviato|Verzonden|Wysłano|Wysłane|Odesláno|Odoslané|Sendt|Skickat|Lähetetty|"
    r"Отправлено|Дата|Надіслано|Date|Datum|Data|Dato|Fecha|Päivämäärä|Päiväys|Elküldve|Gönderildi|Tarih|发送时间|發送時間|日期|寄件日期|送信日時|日時|보낸 날짜|날짜|Ημερομηνία|Στάλθηκε|נשלח|תאריך|Posted At"
)
_TO = r"To|An|À|A|Para|Aan|Do|Komu|Pro|Til|Till|Vastaanottaja|Кому|Címzett|Kime|收件人|收件者|宛先|받는 사람|Προς|אל|Destinataire|Destinatario|Destinatário|Dla|Empfänger|Cc|Copie à|Kopie|Kopia|Copie|Kopi|CC|Copia|Cópia|Копия|抄送|副本"
_SUBJECT = r"Subject|Betreff|Objet|Sujet|Asunto|Oggetto|Assunto|Onderwerp|Temat|Předmět|Predmet|Emne|Ämne|Aihe|Тема|Тема письма|Tárgy|Konu|主题|主旨|件名|제목|Θέμα|נושא|Subiect"
_HEAD = r"^[>\s*_|]{{0,6}}(?:{})\s?\*{{0,2}}\s?[::]\*{{0,2}}(?:\s|$|(?=[^\s/]))"
FROM_LINE = re.compile(_HEAD.format(_FROM), re.IGNORECASE)
SENT_LINE = re.compile(_HEAD.format(_SENT), re.IGNORECASE)
TO_LINE = re.compile(_HEAD.format(_TO), re.IGNORECASE)
SUBJECT_LINE = re.compile(_HEAD.format(_SUBJECT), re.IGNORECASE)

_RULE = re.compile(r"^\s*(?:[_]{5,}|[-]{5,}|[=]{4,}|[*]{5,})\s*$")
SIGNATURE = re.compile(r"^(?:--|__|—|– ?–|‐‐)[ \t\xa0]*$")
_DEVICE = (
    r"iPhone|iPad|iPod|iOS|Android|Samsung|Galaxy|BlackBerry|Blackberry|Windows ?Phone|Windows ?Mobile|Windows ?10|Windows ?11|Windows Mail|Nokia|HTC|Huawei|HUAWEI|"
    r"Xiaomi|Sony|Xperia|Motorola|Pixel|OnePlus|Outlook|Yahoo|Gmail|GMX|WEB\.DE|ProtonMail|Proton Mail|Mailbird|Thunderbird|Sparrow|Spark|Airmail|"
    r"Mobilgerät|Handy|Smartphone|Tablet|mobile device|mobile phone|mobil|mobiel|Mail(?: for| f(?:ü|u)r| pour| para| per| voor) Windows|AOL|T-Mobile|Verizon|AT&T|Sprint|Nine|Fairphone|LG|telefon|téléphone|móvil|cellulare|phone|Zoho|Mailspring|Superhuman"
)
_SENT_FROM = re.compile(
    rf"^\s*(?:[-–—]\s*)?(?:\W{{0,3}})(?:Sent (?:from|via|with|by|using)|Von (?:meinem|meiner|unterwegs)|Gesendet (?:von|mit|über|aus)|Diese Nachricht wurde von meinem|"
    rf"Envoyé (?:de|depuis|avec|à partir)|Enviado (?:desde|do|de|pelo|a partir)|Inviato (?:da|con|dal)|Verzonden (?:vanaf|met|via|door|vanuit)|Verstuurd vanaf|Wysłan[eo] (?:z|za)|"
    rf"Skickat från|Sendt fra|Lähetetty|Отправлено (?:с|из)|Odesláno z|Küldve|Get Outlook for|Télécharge[rz]|Obtenir|Outlook (?:für|pour|para|per|voor)|Outlook for|Téléchargez|Obtén|Scarica|iPhone(?:から送信)|Trimis de pe|发自我的|從我的|나의)"
    rf"[^\n]{{0,60}}(?:{_DEVICE})[^\n]{{0,80}}$|^\s*iPhoneから送信\s*$|^\s*发自我的\s?\w[^\n]{{0,30}}$|^\s*Get Outlook for (?:iOS|Android)[^\n]{{0,60}}$|^\s*Obtenir Outlook pour[^\n]{{0,60}}$|^\s*Outlook für (?:iOS|Android)[^\n]{{0,60}}$|^\s*Sent from my [^\n]{{0,40}}(?:device|wireless|smartphone|handheld|phone)\b[^\n]{{0,30}}$",
    re.IGNORECASE,
)


def is_original(line: str) -> bool:
    """Tell a line that announces an original or forwarded message, dashes included."""
    return len(line) < 300 and bool(_ORIGINAL.match(line) or _FORWARDED.match(line) or _PREVIOUS.match(line))


def is_rule(line: str) -> bool:
    """Tell a line drawn across."""
    return len(line) < 300 and bool(_RULE.match(line))


_SENT_BY_APP = re.compile(
    r"^\s*Sent (?:from|via|with|using)(?: my)? [A-Z0-9i][\w-]*(?: [A-Z0-9][\w-]*){0,4}\s*(?:<https?://[^>\s]{1,200}>|\(https?://[^)\s]{1,200}\))?\s*$"
)
_COMMENT = re.compile(r"[,.;!?] \w")


def is_device(line: str) -> bool:
    """Tell the line a phone or a mail program appends, as in "Sent from my iPhone"."""
    return len(line) < 200 and bool(_SENT_BY_APP.match(line) or (_SENT_FROM.match(line) and not _COMMENT.search(line)))


def is_attribution(text: str) -> bool:
    """Tell whether one line, or several joined by a blank, introduce a quote: when and who wrote."""
    text = text.strip().strip("\u200e\u200f\u202a\u202b\u202c*_ ")
    if not 6 < len(text) < 500:
        return False
    if STARTS_WHEN.match(text) and _ENDS_WROTE.search(text) and _DATEISH.search(text):
        return True
    if text.endswith((":", "：")) and STARTS_WHEN.match(text) and _MIDDLE_WROTE.search(text) and _DATEISH.search(text):
        return True
    if (
        _ENDS_WROTE.search(text)
        and (_ADDRESS.search(text) or _DATEISH.search(text))
        and (text.endswith((":", ":")) or "---" in text)
    ):
        return True
    dated = bool(_WROTE_WHEN.search(text)) and bool(_ADDRESS.search(text) or _DATEISH.search(text))
    return dated or bool(_DATE_ADDRESS.match(text))


def attribution_ends(line: str) -> bool:
    """Tell whether a line can be the last of an attribution, so that the lines above it are worth a look."""
    line = line.rstrip(" \t\u202c\u200f\u200e*_\xa0-–—")
    return line.endswith((":", ":")) or bool(len(line) < 500 and _ENDS_WROTE.search(line))


_MESSAGE_OF = re.compile(r"^\s*(?:Message du|Nachricht vom|Message of|Mensaje del|Messaggio del)\s?:?\s*\d")


def is_message_of(line: str) -> bool:
    """Tell the line some webmailers put above a header block: "Message du : 12/12/2016"."""
    return len(line) < 200 and bool(_MESSAGE_OF.match(line))


def header_block(lines: list[str], at: int) -> int:
    """Give how many lines from `at` on form a quoted header block (From, Sent, To, Subject), 0 where none does."""
    if not FROM_LINE.match(lines[at]):
        return 0
    kinds: set[str] = set()
    taken = used = 0
    for offset, line in enumerate(lines[at : at + 14]):
        kind = next((name for name, form in _FORMS if form.match(line)), "")
        if kind:
            kinds.add(kind)
            used = offset + 1
            taken += 1
        elif not line.strip(" >*_\t") and offset - used >= 1:
            break
    strong = "from" in kinds and len(kinds) >= 3
    return (
        used
        if strong or ({"from", "sent"} == kinds and taken >= 2 and _DATEISH.search("\n".join(lines[at : at + used])))
        else 0
    )


_FORMS = (("from", FROM_LINE), ("sent", SENT_LINE), ("subject", SUBJECT_LINE), ("to", TO_LINE))
