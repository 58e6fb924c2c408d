"""The words a severity guess may look at: the new text of a body, folded and cut into tokens.

Everything here is linear: lines are judged by their first characters only, and no more than `SCANNED` characters of
new text are looked at. A mail that says how bad it is says so in its first pages.
"""

# ruff: noqa: RUF001 - mail in other scripts uses their own punctuation

import re
import unicodedata

SCANNED = 32_768
"""Characters of new text that are looked at."""

STOP = "."
PAUSE = ","

_LINE = 400
_READ = 400_000

_HEADER_WORDS = r"from|von|de|da|van|od|expéditeur|remitente|mittente|afzender|发件人|寄件者|差出人"
_SECOND_WORDS = (
    r"sent|date|to|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto|data|assunto|inviato|"
    r"a|oggetto|verzonden|aan|onderwerp|wysłano|do|temat|发送时间|日期|收件人|主题|送信日時|日付|宛先|件名"
)
_ORIGINAL = re.compile(
    r"[\s*]*(?:[-_=]{2,}\s*(?:original message|original appointment|forwarded message|forwarded by|forwarded mail|"
    r"ursprüngliche nachricht|originalnachricht|weitergeleitete nachricht|message d'origine|message original|"
    r"message transféré|mensaje original|mensaje reenviado|mensagem original|mensagem encaminhada|"
    r"messaggio originale|messaggio inoltrato|oorspronkelijk bericht|doorgestuurd bericht|"
    r"oryginalna wiadomość|wiadomość oryginalna|przekazana wiadomość|original-nachricht|转发邮件|原始邮件|原始郵件|"
    r"转发的邮件|元のメッセージ|転送メッセージ|転送されたメッセージ)"
    r"|begin forwarded message|start of forwarded message|anfang der weitergeleiteten|début du message transféré|"
    r"inizio messaggio inoltrato|inicio del mensaje reenviado)",
    re.IGNORECASE,
)
_ATTRIBUTION_START = re.compile(
    r"\s*(?:on|am|le|el|em|il|op|w dniu|dnia|den|в|a|[0-9]{4}[-/年.][0-9]|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}|"
    r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? |[^\s<>]{1,60}(?: [^\s<>]{1,60}){0,3} <[^<>\s]{1,120}>|在)",
    re.IGNORECASE,
)
_ATTRIBUTION_END = re.compile(
    r"(?:wrote|writes|schrieb(?:en)?(?: [^:]{0,120})?|a écrit|escribió|escreveu|ha scritto|schreef(?: [^:]{0,120})?|"
    r"pisze|napisał(?:\(a\)|a)?|написал(?:а)?|skrev(?: [^:]{0,120})?|ने लिखा|のメール|wrote the following|"
    r"書きました|写道|寫道)\s*[:：]?\s*$",
    re.IGNORECASE,
)
_FIELD = re.compile(rf"[\s*]*(?:{_HEADER_WORDS})\s?\*?[:：]\*?\s*\S", re.IGNORECASE)
_SECOND_FIELD = re.compile(rf"[\s*]*(?:{_SECOND_WORDS})\s?\*?[:：]", re.IGNORECASE)
_CLOSING = re.compile(
    r"\s*(?:(?:with )?(?:best|kind|warm|many)?(?: and )?(?:kind(?:est)?|best)? ?(?:regards|wishes)|sincerely(?: yours)?|"
    r"yours (?:sincerely|truly|faithfully)|cheers|mit (?:freundlichen|besten|herzlichen|vielen) grüßen|mfg|"
    r"(?:viele|liebe|beste|herzliche|schöne|freundliche) grüße|cordialement|bien cordialement|salutations|"
    r"(?:un )?saludos?(?: cordiales)?|atentamente|atenciosamente|cumprimentos|cordiali saluti|distinti saluti|"
    r"met vriendelijke groet(?:en)?|groet(?:en|jes)?|z poważaniem|pozdrawiam|सादर|धन्यवाद सहित|敬具|此致)\s*[,.!]?\s*",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"\s*(?:sent from my |get outlook for |von meinem \w{1,20} gesendet|gesendet von |envoyé de(?:puis)? mon |"
    r"enviado desde mi |enviado do meu |inviato da |verzonden vanaf |wysłane z )",
    re.IGNORECASE,
)


def new_words(body: str) -> str:
    """Cut quoted lines, forwarded parts and signatures out of a body; what remains is at most `SCANNED` characters.

    A light cut for bodies that reach the guess whole; text that was cut before passes through unchanged.
    """
    lines = body[:_READ].split("\n")
    kept: list[str] = []
    size = 0
    for index, line in enumerate(lines):
        head = line[:_LINE]
        if head.lstrip()[:1] in {">", "＞"} or _DEVICE.match(head):
            continue
        attribution = _attribution(lines, index)
        if attribution:
            if not _quotes_follow(lines, index + attribution):
                break
            lines[index + attribution - 1] = ">"
            continue
        if _ends_the_new_text(lines, index, head):
            break
        kept.append(line)
        size += len(line) + 1
        if size > SCANNED:
            break
    return "\n".join(kept)[:SCANNED]


def _ends_the_new_text(lines: list[str], index: int, head: str) -> bool:
    """Say whether a signature or an unmarked old message starts at this line (RFC 3676 section 4.3 for `-- `)."""
    if head.rstrip() in {"--", "—"} or _ORIGINAL.match(head):
        return True
    if _FIELD.match(head) and any(_SECOND_FIELD.match(line[:_LINE]) for line in lines[index + 1 : index + 4]):
        return True
    return bool(index and _CLOSING.fullmatch(head))


def _attribution(lines: list[str], index: int) -> int:
    """Count the lines of "On such a day Bob wrote:" that start here: 0, 1 or 2."""
    head = lines[index][:_LINE]
    if not _ATTRIBUTION_START.match(head):
        return 0
    if _ATTRIBUTION_END.search(head[-160:]):
        return 1
    following = lines[index + 1][:_LINE] if index + 1 < len(lines) else ""
    return 2 if following.rstrip().endswith((":", "：")) and _ATTRIBUTION_END.search(following[-160:]) else 0


def _quotes_follow(lines: list[str], index: int) -> bool:
    following = next((line for line in lines[index : index + 4] if line.strip()), "")
    return following.lstrip().startswith(">")


_NOT_WORDS = {
    "cannot": "can not",
    "cant": "can not",
    "can't": "can not",
    "won't": "will not",
    "wont": "will not",
    "isnt": "is not",
    "doesnt": "does not",
    "dont": "do not",
    "didnt": "did not",
    "arent": "are not",
    "couldnt": "could not",
}
_CONTRACTION = re.compile(r"\b(?:cannot|cant|can't|won't|wont|isnt|doesnt|dont|didnt|arent|couldnt)\b")
_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "’": "'", "‘": "'", "`": "'", "´": "'", "æ": "ae", "œ": "oe"})
_TOKEN = re.compile(
    # A character of a script that is written without spaces is a token of its own: kana, Han, Thai.
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]"
    # Vowel signs are no letters to Python: Devanagari to Sinhala, Arabic points.
    r"|(?:[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]|[\u0900-\u0963\u0966-\u0dff\u064b-\u065f])+"
    r"|[.!?;](?=[^\x21-\x7e]|[.!?;'\")]|$)|[。！？；।\n]|[,:](?=[^\x21-\x7e]|$)|[，、：（）()\[\]|\u2013\u2014]|(?<=\s)-+(?=\s)"
)
_HARD = frozenset(".!?;。！？；।\n")
_SOFT = frozenset(",:，、：（）()[]|\u2013\u2014")


def fold(text: str) -> str:
    """Bring text to the form in which words are compared: caseless, without accents, `not` written out."""
    text = text.casefold().translate(_LETTERS)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))
    text = _CONTRACTION.sub(lambda match: _NOT_WORDS[match.group()], text)
    return text.replace("n't", " not")


def tokens(text: str) -> list[str]:
    """Cut folded text into words; the end of a sentence is `STOP`, a pause within one is `PAUSE`."""
    found: list[str] = []
    for token in _TOKEN.findall(fold(text)):
        if token in _HARD:
            found.append(STOP)
        else:
            found.append(PAUSE if token in _SOFT or token[0] == "-" else token)
    return found


_REPLY = re.compile(
    r"\s*(?:(?:re|aw|antw|antwort|sv|vs|odp|r|res|ref|rv|rif|回复|答复|回覆|返信)\s?(?:\[\d{1,3}\])?\s?[:：]\s*)+",
    re.IGNORECASE,
)


def bare_subject(subject: str) -> str:
    """Give the first `_LINE` characters of a subject without its reply marks."""
    return _REPLY.sub("", subject[:_LINE], count=1)
