# ruff: noqa: RUF001, RUF002 - mail is written in many scripts
"""The words around a forwarded mail: what its header block, its announcement and its subject say, in many languages."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Label(StrEnum):
    """What a line of a header block is about."""

    FROM = "from"
    TO = "to"
    DATE = "date"
    SUBJECT = "subject"
    OTHER = "other"


_LABELS = {
    Label.FROM: (
        "from|von|absender|de|expéditeur|expediteur|envoyé par|remitente|da|mittente|remetente|van|afzender|od|nadawca|odesílatel|odosielateľ|"
        "från|avsändare|fra|afsender|avsender|lähettäjä|от|от кого|отправитель|від|kimden|gönderen|"
        "差出人|送信者|送信元|发件人|發件人|寄件者|寄件人|보낸 사람|보낸사람|feladó|από|de la|מאת"
    ),
    Label.TO: (
        "to|an|empfänger|à|a|para|destinataire|destinataires|destinatario|destinatari|destinatário|aan|do|dla|adresat|komu|pro|příjemce|till|til|"
        "modtager|mottaker|vastaanottaja|кому|получатель|kime|alıcı|宛先|收件人|收件者|받는 사람|받는사람|címzett|προς|către|אל"
    ),
    Label.DATE: (
        "date|sent|gesendet|gesendet am|datum|envoyé|envoyé le|date d'envoi|fecha|enviado|enviado el|fecha de envío|enviado em|enviada em|enviada|data|"
        "inviato|inviato il|data invio|verzonden|verzonden op|wysłano|wysłane|odesláno|odoslané|dátum|skickat|sendt|dato|lähetetty|päivämäärä|päiväys|pvm|"
        "дата|отправлено|дата отправки|надіслано|tarih|gönderildi|gönderme tarihi|gönderilme tarihi|日付|日時|送信日時|送信日|受信日時|日期|发送时间|"
        "發送時間|寄件日期|发送日期|时间|時間|날짜|보낸 날짜|elküldve|ημερομηνία|תאריך"
    ),
    Label.SUBJECT: (
        "subject|betreff|objet|sujet|asunto|oggetto|assunto|onderwerp|temat|předmět|predmet|ämne|emne|aihe|тема|тема письма|konu|件名|表題|主题|主題|"
        "主旨|标题|標題|제목|tárgy|θέμα|subiect|נושא"
    ),
    Label.OTHER: (
        "cc|bcc|kopie|kopie an|copie|copie à|copia|cópia|dw|udw|kopia|kopi|kopio|копия|bilgi|抄送|副本|참조|másolat|reply-to|antwort an|répondre à|"
        "responder a|rispondi a|responder para|antwoord aan|svar til|svar till|odpowiedź do|importance|wichtigkeit|importancia|importância|priorità|"
        "priorité|priority|prioriteit|attachments|anlagen|pièces jointes|archivos adjuntos|allegati|anexos|bijlagen|załączniki|添付ファイル|附件|"
        "organization|organisation|mailed-by|message-id"
    ),
}

LABELS: Mapping[str, Label] = MappingProxyType(
    {word: kind for kind, words in _LABELS.items() for word in words.split("|")}
)
"""The kind of line that a word before the colon makes, by the word in lower case."""

_FORWARDED = (
    "forwarded message|begin forwarded message|forwarded mail|forwarded email|forwarded e-mail|end forwarded message|"
    "weitergeleitete nachricht|anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail|weitergeleitete e-mail|weitergeleitete mail|"
    "message transféré|message transmis|message réexpédié|début du message réexpédié|début du message transféré|courriel transféré|e-mail transféré|"
    "mensaje reenviado|inicio del mensaje reenviado|correo reenviado|messaggio inoltrato|inizio messaggio inoltrato|inizio del messaggio inoltrato|"
    "mensagem encaminhada|mensagem reencaminhada|início da mensagem encaminhada|início da mensagem reencaminhada|"
    "doorgestuurd bericht|begin doorgestuurd bericht|start doorgestuurd bericht|doorgestuurde e-mail|"
    "przekazana wiadomość|wiadomość przekazana|wiadomość przekazana dalej|treść przekazanej wiadomości|początek przekazywanej wiadomości|"
    "początek przekazanej wiadomości|przeposlaná zpráva|přeposlaná zpráva|začátek přeposílané zprávy|přeposlaný e-mail|"
    "vidarebefordrat meddelande|vidarebefordrat brev|vidarebefordrat mejl|vidarebefordrat mail|början på vidarebefordrat brev|"
    "videresendt besked|videresendt meddelelse|start på videresendt besked|videresendt melding|videresendt e-post|videresendt mail|"
    "start på videresendt melding|begynnelse på videresendt melding|välitetty viesti|välitetty viesti alkaa|edelleenlähetetty viesti|"
    "пересылаемое сообщение|пересланное сообщение|пересланное письмо|начало переадресованного сообщения|начало пересылаемого сообщения|"
    "iletilmiş mesaj|iletilen mesaj|iletilen ileti|iletilmiş ileti|iletilen e-posta|yönlendirilmiş ileti|yönlendirilmiş iletinin başlangıcı|"
    "転送されたメッセージ|転送メッセージ|転送するメッセージ|転送されたメール|転送メール|"
    "转发的邮件|转发邮件|转发邮件信息|转发的消息|已转发邮件|已转发的邮件|下面是被转发的邮件|以下是转发的邮件|轉寄的郵件|轉寄郵件|開始轉寄郵件|已轉寄的郵件|전달된 메시지|전달된 메일"
)
_ORIGINAL = (
    "original message|original mail|original e-mail|reply message|ursprüngliche nachricht|ursprüngliche mail|ursprüngliche e-mail|original-nachricht|"
    "originalnachricht|originale nachricht|message d'origine|message original|message initial|mensaje original|messaggio originale|mensagem original|"
    "oorspronkelijk bericht|oorspronkelijke bericht|oryginalna wiadomość|wiadomość oryginalna|původní zpráva|původní e-mail|originalmeddelande|"
    "ursprungligt meddelande|oprindelig meddelelse|oprindelig besked|opprinnelig melding|alkuperäinen viesti|исходное сообщение|исходное письмо|"
    "оригинальное сообщение|orijinal mesaj|özgün ileti|özgün mesaj|元のメッセージ|オリジナルメッセージ|原始邮件|原始郵件|원본 메일"
)
_BY = (
    "forwarded by ",
    "weitergeleitet von ",
    "transféré par ",
    "reenviado por ",
    "inoltrato da ",
    "doorgestuurd door ",
)
_FORWARDED_WORDS = frozenset(_FORWARDED.split("|"))
_ORIGINAL_WORDS = frozenset(_ORIGINAL.split("|"))
_LONGEST = 160
_FRINGE = " \t\xa0\u3000-_=*>|:：.«»<#—–~\u200b\u200e\u200f"


def _folded(words: str) -> str:
    """Compare words without case, kinds of apostrophe and space, and the dot that a Turkish capital I leaves behind."""
    return " ".join(unicodedata.normalize("NFC", words.casefold()).replace("\u2019", "'").replace("\u0307", "").split())


def announces(line: str) -> str:
    """Say what a line announces: "forwarded", "original" (which replies have too), or "" where it announces nothing."""
    if len(line) > _LONGEST:
        return ""
    words = _folded(line.strip(_FRINGE))
    if words in _FORWARDED_WORDS or words.startswith(_BY):
        return "forwarded"
    return "original" if words in _ORIGINAL_WORDS else ""


def label_of(line: str) -> tuple[Label, str] | None:
    """Read a line such as `*From:* Carol <c@x.example>` or `发件人：c@x.example`: its kind and value; None where it is none."""
    head = line[:40]
    ends = [at for at in (head.find(":"), head.find("\uff1a")) if at > 0]
    if not ends:
        return None
    word = _folded(head[: min(ends)].strip(" \t\xa0\u3000*_\u200b\u200e\u200f"))
    kind = LABELS.get(word)
    return None if kind is None else (kind, line[min(ends) + 1 :].strip(" \t\xa0\u3000*_\u200b\u200e\u200f"))


# A word that is a mail's only by chance (I: is Italian, VS: Danish and a Finnish reply) needs a header block beside it.
_SURE = "fw|fwd|wg|doorst|转发|轉寄|转寄|転送"
_LIKELY = "tr|rv|enc|i|pd|vs|vb|vl|ilt|i̇lt|přep|пер|пересл|отвд|továbbítás|fs|전달"
_COUNT = r"(?:\s?\[\d{1,4}\]|\s?\(\d{1,4}\)|\d{1,3})?\s?[:\uff1a]\s*"
_SURELY = re.compile(rf"(?:{_SURE}){_COUNT}")
_PREFIX = re.compile(rf"(?:{_SURE}|{_LIKELY}){_COUNT}")
_REPLY = re.compile(rf"(?:re|r|aw|antw|antwort|sv|res|ref|rif|odp|ynt|atb|bls|betr|回复|答复|回覆|返信|отв|на){_COUNT}")
_BLOB = re.compile(r"\[[^\[\]]{0,100}\]\s*")
_TRAILER = re.compile(r"\s*\((?:fwd|fw)\)\s*\Z", re.IGNORECASE)


def prefixed(subject: str) -> str:
    """Say what a subject begins as: "surely" or "likely" a forward, a "reply", or "" neither. [Lists] may stand before it."""
    text = subject.strip().casefold()
    while found := _BLOB.match(text):
        text = text[found.end() :]
    trailed = _TRAILER.search(subject)
    if _REPLY.match(text):
        # Pine forwards a reply as Re: x (fwd), and so is a reply to a mail that Pine forwarded.
        return "likely" if trailed else "reply"
    if _SURELY.match(text) or trailed:
        return "surely"
    return "likely" if _PREFIX.match(text) else ""


def without_prefix(subject: str) -> str:
    """Give a subject without the prefixes of a forwarded mail, and without the [lists] among them; replies' prefixes stay."""
    text = _TRAILER.sub("", subject).strip()
    while True:
        # Lower case may be longer than what it is of (İ), so the match is made on what is left, letter by letter.
        blob = _BLOB.match(text)
        start = blob.end() if blob else 0
        found = _PREFIX_ANY.match(text, start)
        if found is None:
            return text
        text = text[found.end() :]


_PREFIX_ANY = re.compile(rf"(?:{_SURE}|{_LIKELY}|İLT){_COUNT}", re.IGNORECASE)
