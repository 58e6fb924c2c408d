# ruff: noqa: RUF001 - mail is written in many scripts
"""How mail programs introduce what somebody else wrote: announcements, header blocks and rules, in many tongues.

Attribution lines ("On such a day Ann wrote:") have a room of their own, `attribution`.
"""

import re
from collections.abc import Sequence

from maild.ingest import quote_words
from maild.ingest.forwarded_words import Label, announces, label_of

_RULE = re.compile(r"^\s*(?:_{5,}|-{5,}|={4,}|\*{5,}|[\u2500\u2014]{5,}|-{2,} -{2,}(?: -{2,}){0,40})\s*$")
_DASHES = "-_=*~\u2013\u2014\u2500"
_FRINGE = f" \t\xa0\u3000>|:\uff1a{_DASHES}\u200b\u200e\u200f"
_LONGEST = 300

_NOTES = re.compile(r"^\S[^\n]{1,80} ---\s?\d{1,4}[./-]\d{1,2}[./-]\d{1,4}[ T]\d{1,2}:\d{2}[^\n]{0,20}---")
"""Lotus Notes: Ann Example ---05.01.2026 10:00:00---first words of the mail."""

_MESSAGE_OF = re.compile(r"^\s*(?:Message du|Nachricht vom|Message of|Mensaje del|Messaggio del)\s?:?\s*\d")
_LABELS_TOO = {
    "message du": Label.DATE,
    "posted at": Label.DATE,
    "στάλθηκε": Label.DATE,
    "נשלח": Label.DATE,
    "trimis": Label.DATE,
    "data e trimiterii": Label.DATE,
    "timp": Label.DATE,
    "дата і час": Label.DATE,
    "gönderim": Label.DATE,
    "czas": Label.DATE,
    "من": Label.FROM,
    "إلى": Label.TO,
    "التاريخ": Label.DATE,
    "تاريخ الإرسال": Label.DATE,
    "الموضوع": Label.SUBJECT,
    "thema": Label.SUBJECT,
    "tema": Label.SUBJECT,
    "ämnesrad": Label.SUBJECT,
}
_SENT = re.compile(
    r"^[ \t\xa0>|*_]{0,9}(?:sent|gesendet|envoyé|enviad[oa]|inviat[oa]|verzonden|wysłan[oe]|odesláno|odoslané|skickat|sendt|lähetetty|отправлено|надіслано|"
    r"gönderil\w*|送信日時|发送时间|發送時間|寄件日期|보낸 날짜|elküldve|στάλθηκε|נשלח|trimis)[^:\n\uff1a]{0,8}[:\uff1a]",
    re.IGNORECASE,
)
"""What only mails say of their date. A journey has a date, too."""

_HEAD = " \t\xa0>|*_\u200b\u200e\u200f\u202a\u202b\u202c"
_MOST_HEADS = 14
_MOST_CONTINUED = 4


def announced(line: str) -> str:
    """Say what a line announces: "forwarded", "original" (which replies have too), or "" where it announces nothing.

    An original is announced between dashes, or in words that only a mail program writes.
    """
    if len(line) > _LONGEST:
        return ""
    core = " ".join(line.strip(_FRINGE).casefold().replace("\u2019", "'").split())
    if not core or len(core) > 160:
        return ""
    bare = line.strip(" \t\xa0>|:\uff1a")
    dashed = len(bare) > 3 and all(char in _DASHES for char in bare[:3])
    found = announces(line) or ("forwarded" if core in quote_words.FORWARDED else "")
    if found == "forwarded":
        return found
    if dashed and (found or core in quote_words.ORIGINAL):
        return "original"
    return "original" if core in quote_words.PREVIOUS or _NOTES.match(line) else ""


def is_original(line: str) -> bool:
    """Tell a line that announces an original or forwarded message."""
    return bool(announced(line))


def is_rule(line: str) -> bool:
    """Tell a line drawn across."""
    return len(line) < _LONGEST and bool(_RULE.match(line))


def is_message_of(line: str) -> bool:
    """Tell the line some webmailers put above a header block: "Message du : 12/12/2016"."""
    return len(line) < 200 and bool(_MESSAGE_OF.match(line))


def head_of(line: str) -> Label | None:
    """Tell of what kind a line of a quoted header block is; None where it is none."""
    start = line[:60].lstrip(_HEAD)
    colon = min((at for at in (start.find(":"), start.find("\uff1a")) if at > 0), default=0)
    if not colon:
        return None
    if (read := label_of(start)) is not None:
        return read[0]
    return _LABELS_TOO.get(start[:colon].strip(_HEAD).casefold())


def says_sent(line: str) -> bool:
    """Tell the line of a header block that says when a mail was sent, in words that are said of mails only."""
    return bool(_SENT.match(line[:80]))


def header_block(lines: Sequence[str], at: int) -> int:
    """Give how many lines from `at` on form a quoted header block (From, Sent, To, Subject), 0 where none does.

    Three kinds of lines, one of them From, and a subject, an address or Sent among them: "From: Berlin, To: Rome,
    Date: 5 May" is a journey.
    """
    first = head_of(lines[at])
    if first not in {Label.FROM, Label.DATE, Label.TO}:
        return 0
    kinds: list[Label] = []
    used = continued = 0
    for offset, line in enumerate(lines[at : at + _MOST_HEADS]):
        kind = head_of(line)
        if kind is Label.FROM and kind in kinds:
            break
        if kind is not None:
            kinds.append(kind)
            used = offset + 1
            continued = 0
        elif not line.strip(_HEAD):
            if offset > used:
                break
        elif "@" not in line and ";" not in line and not line[:1].isspace():
            break
        else:
            continued += 1
            if continued > _MOST_CONTINUED:
                break
    block = lines[at : at + used]
    named = any("@" in line or says_sent(line) for line in block)
    known = {*kinds} - {Label.OTHER}
    if Label.FROM not in known or not (named or Label.SUBJECT in known):
        return 0
    dated = Label.DATE in known and named and any(any(char.isdigit() for char in line) for line in block)
    return used if len(known) >= 3 or (len(known) == 2 and dated) else 0
