# ruff: noqa: RUF001 - mail is written in many scripts
"""Attribution lines: "On such a day Ann wrote:", as mail programs write them in many tongues.

People write such lines, too. So it matters how much of one is there: a program names an address or the minute.
"""

import re

from maild.ingest.quote_words import PEOPLE

_WROTE = (
    r"wrote|writes|said|schrieb|geschrieben|[aà] [ée]crit|[ée]crit|escribi[óo]|ha escrito|ha scritto|scritto|escreveu|schreef|geschreven|"
    r"napisał(?:\(-?a\)|/a|a)?|pisze|napsala?|napsal\(-?a\)|nap[íi]sala?|nap[íi]sal\(-?a\)|píše|(?:ezt )?írta|a scris|skrev(?: følgende)?|kirjoitti(?: seuraavasti)?|"
    r"написала?|написал\(-?а\)|пишет|написав(?:\(-?ла\)|ла)?|написа|пише|(?:şunu |şunları )?yazdı|έγραψε|je napisa[ol]|napisa[ol] je|написао је|"
    r"כתבה?|כתב/ה|כתב\(ה\)|كتبت?|كتب/كتبت|đã viết|viết|menulis|さんは書きました|さんが書きました|は書きました|のメッセージ|のメール|写道|寫道|写到|"
    r"님이 작성|작성|이\(가\) 쓴 글|쓴 글"
)
_MIDDLE = (
    r"wrote|schrieb|skrev|schreef|kirjoitti|a écrit|escribió|escreveu|napisał(?:\(-?a\)|a)?|napsala?|napsal\(-?a\)|napísala?|napísal\(-?a\)|"
    r"написала?|пишет|пише|كتبت?|كتب/كتبت|تمت كتابة ما يلي بواسطة|yazdı|írta"
)
_WHEN = (
    r"On|Am|Le|El|Il|Em|Op|W dniu|Dnia|Den|Dne|Dňa|På|Pe|La|În|In|В|У|Στις|Vào|Pada|No dia|A|Ma|At|Il giorno|Wiadomość napisana|"
    r"בתאריך|ב-|في|在|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|mi[ée]|jeu|jue|ven|vie|sam|s[áa]b|dim|dom|gio|seg|ter|qua|qui|sex|"
    r"ma|wo|za|zo|vr|pon|wt|śr|czw|pt|sob|niedz|po|út|ut|st|čt|št|pá|pi|ne|ned|h|k|sze|cs|v|lu|mă|joi|vi|sâ|du|"
    r"mån|tis|ons|tor|fre|lör|sön|man|tir|lør|søn|ti|ke|to|pe|la|su|пн|вт|ср|чт|пт|сб|вс|нд|pzt|sal|çar|per|cum|cmt|paz|δευ|τρι|τετ|πεμ|παρ|σαβ|κυρ)"
    r"[\w]{0,8}\.?,?"
)
_STARTS = re.compile(rf"^(?:{_WHEN})(?:[\s,]|(?<=-)|(?<=在)|(?<=في))", re.IGNORECASE)
_STARTS_DATE = re.compile(r"^\d{1,4}\s?[-./年년]|^\d{1,2}:\d{2}|^\d{1,2}\.? \w")
_DATEISH = re.compile(
    r"\d{1,4}[./-]\d{1,2}|\b\d{1,2}:\d{2}|\b(?:19|20)\d{2}\b|\d\s?[年月년월]|\d{1,2}\.?,? \w{3,}|\w{3,}\.? \d{1,2}\b"
)
_TIMED = re.compile(
    r"(?<!\d)\d{1,2}[:٫]\d{2}(?!\d)|\b(?:klo|kl\.?|kello|um|om|ore|godz\.|kl\. ) ?\d{1,2}\.\d{2}(?!\d)|\d[時时시點点]"
)
_ADDRESS = re.compile(r"[\w.+=~'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_ENDS = re.compile(
    rf"(?:^|[\s>\"')\]}}»”＞、,_*]|(?<=\S)(?=[写寫さ님작쓴이のは]))(?:{_WROTE})\s*(?:\([^()\n]{{0,60}}\))?,?\s*(?:-{{2,}})?\s*[:：]?\s*$",
    re.IGNORECASE,
)
_NAME_FIRST = re.compile(
    r"^(?:[^\W\d_a-z][^\W\d_]{0,30}[ ,]{1,2}){1,4}(?:kirjoitti|skrev|schrieb am|wrote on|a écrit le)\s"
)
_VERB = re.compile(rf"(?:^|(?<=[\s>)\"',]))(?:{_WROTE}|{_MIDDLE}|schrieb am|napisana przez)(?=[\s:])", re.IGNORECASE)
_FAR = 120
_DATE_FIRST = re.compile(
    r"^(?:[^\d\n]{1,24})?(?:\d{4}\s?[-/.年년]\s?\d{1,2}\s?[-/.月월]\s?\d{1,2}|\d{1,2}[:.]\d{2}(?:\s?[AP]M)?,? |"
    r"\d{1,2}[-/. ]{1,2}\w{1,9}[׳']?\.?[-/. ,]{1,2}\d{2,4})|^\w{2,12}, ?\d{1,2}"
)
_ADDRESS_LAST = re.compile(r"[<(][^<>()\s]{1,100}@[^<>()\s]{1,100}[>)]\)?\s?(?:\w{1,12})?[:：]$")
_BRACKETED = re.compile(r"<[^<>\s]{1,100}@[^<>\s]{1,100}>\s\w{3,12}$")
_CLOSES = re.compile(r"(?:[:：]|\w\s?-{2,})$")
_MARKS = str.maketrans("", "", "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_ARTICLES = frozenset({"le", "les", "une", "il", "lo", "das", "die"})
_LONGEST = 400
_MOST_LINES = 5
_QUOTE = re.compile(r"^[>|\s]{1,20}")
_SPEECH_ENDS = re.compile(r"[^\W\d_]{4,}[.!?]$|[!?]$")

NONE, WEAK, STRONG = 0, 1, 2


def _bare(text: str) -> str:
    text = _QUOTE.sub("", text.translate(_MARKS).replace("\xa0", " "))
    return (
        text.strip("*_- \t\u2013\u2014") if not text.rstrip(" *_").endswith("--") else text.strip("*_ \t").lstrip("- ")
    )


def weight(text: str) -> int:
    """Say how surely one line, or several joined by a blank, introduces a quote: `NONE`, `WEAK` or `STRONG`.

    What a person may have written himself is weak: then a quote must follow that is marked.
    """
    text = _bare(text) if len(text) <= _LONGEST else ""
    if len(text) < 7:
        return NONE
    if not _CLOSES.search(text):
        whole = _BRACKETED.search(text) and _ENDS.search(text) and _STARTS.match(text) and _TIMED.search(text)
        return STRONG if whole else NONE
    ends = bool(_ENDS.search(text))
    if not (ends or _has_verb_within(text) or (_DATE_FIRST.match(text) and _ADDRESS_LAST.search(text[-240:]))):
        return NONE
    addressed, dated = bool(_ADDRESS.search(text)), bool(_DATEISH.search(text))
    if addressed and dated:
        return STRONG
    starts = bool(_STARTS.match(text) or _STARTS_DATE.match(text))
    named = bool(_NAME_FIRST.match(text))
    people = any(
        word.strip(",:.").casefold() in PEOPLE or word in _ARTICLES for word in text.split()[0 if named else 2 :]
    )
    if (starts or named) and dated and _TIMED.search(text) and not people:
        return STRONG
    return WEAK if ends or dated else NONE


def _has_verb_within(text: str) -> bool:
    """Tell whether a verb stands beside a date: behind it with a name to follow, or before it."""
    for found in _VERB.finditer(text):
        if (
            any(char.isdigit() for char in text[max(0, found.start() - _FAR) : found.start()])
            and 1 < len(text) - found.end() < 150
        ):
            return True
        if any(char.isdigit() for char in text[found.end() : found.end() + _FAR]):
            return True
    return False


def is_attribution(text: str) -> bool:
    """Tell whether a text may introduce a quote, surely or not."""
    return weight(text) > NONE


def closes(line: str) -> bool:
    """Tell whether a line can be the last one of an attribution; cheap, for it is asked of every line."""
    line = line.rstrip(" \t\r\xa0*_\u200e\u200f\u202c")
    return line.endswith((":", "：", "--")) or (">" in line[-20:] and bool(_BRACKETED.search(line[-260:])))


def before(lines: list[str], last: int) -> tuple[int, int]:
    """Give where the attribution begins that ends with the line `last`, and its weight; (last, NONE) where there is none.

    Programs wrap long ones. No sentence ends within one, and no line is quoted deeper than the first.
    """
    if len(lines[last]) > _LONGEST:
        return last, NONE
    alone = weight(lines[last])
    if alone == STRONG and _opens(lines[last]):
        return last, alone
    best = (last, alone)
    marked = _is_marked(lines[last])
    joined = lines[last].strip()
    for start in range(last - 1, max(-1, last - _MOST_LINES), -1):
        line = lines[start]
        size = len(joined) + len(line)
        if not line.strip() or size > _LONGEST or _SPEECH_ENDS.search(line.rstrip()) or closes(line):
            break
        if _is_marked(line) != marked and joined not in {">:", "> :"}:
            break
        joined = f"{line.strip()} {_QUOTE.sub('', joined)}"
        found = weight(joined) if _opens(line) else NONE
        if found > best[1] or found == STRONG:
            best = (start, found)
    return best


def _is_marked(line: str) -> bool:
    return line.lstrip(" \t")[:1] in (">", "|")


def _opens(line: str) -> bool:
    """Tell whether a line can be the first of an attribution: it opens with a date word, a date or an address."""
    line = _bare(line)
    if _STARTS.match(line + " "):
        return any(char.isdigit() for char in line)
    return bool(_STARTS_DATE.match(line)) or ("@" in line and ("<" in line or "(" in line))
