"""Signatures: where what somebody prints below each of his letters begins.

Cut is only what has the form of one, at the very end: what follows "-- " (RFC 3676 section 4.3), the line of a phone, a
notice that the law or a virus scanner wrote, a closing formula with name and contact data, or such data alone below a
finished sentence. A formula and a name without contact data stay. Who leads up to his address wants it to be read.
"""

import re
from collections.abc import Sequence

from maild.ingest import quote_marks as marks
from maild.ingest import signature_words as words
from maild.ingest.signature_lines import (
    is_closing,
    is_contact,
    is_device,
    is_mobile,
    is_name,
    is_notice,
    is_postscript,
    is_signed,
)

__all__ = ["begins", "is_delimiter", "is_device", "is_postscript", "only_greets"]

_DELIMITER = re.compile(r"^(?:--|__|\u2014|\u2013 ?\u2013|\u2010\u2010)[ \t\xa0]*$")
_MOST_SIGNED = 12
_MOST_LETTER = 14
_MOST_BLOCK = 9
_MOST_BLANK = 40
_FINISHED = re.compile(r"[.!?\u2026\u3002\uff01\uff1f)][\"'\u201d\u00bb*_]{0,3}$")
_INVITES = re.compile(
    r"\b(?:contact|address|phone|telephone|number|call (?:me|us|him|her)|reach|details|below|following|here|e-?mail (?:me|us|to)|write to|send (?:it |them )?to|ship|deliver|"
    r"kontakt\w*|adresse|anschrift|telefon\w*|nummer|rufnummer|erreich\w*|unten|folgende\w*|hier|anrufen|lieferadresse|"
    r"coordonnées|téléphone|numéro|joindre|ci-dessous|suivante?s?|voici|dirección|teléfono|contacto|número|abajo|siguientes?|aquí|indirizzo|telefono|contatt\w+|seguent[ei]|sotto|ecco|"
    r"endereço|telefone|contato|seguintes?|abaixo|aqui|adres|telefoonnummer|contactgegevens|hieronder|volgende|poniżej|adresem?|numer|kontaktní|níže|nedan|nedenfor|alla oleva\w*)\b|"
    r"\b(?:адрес|телефон|контакт|ниже)\w*|連絡先|住所|電話番号|以下|下記|地址|联系|电话",
    re.IGNORECASE,
)
_ENOUGH = 8


def is_delimiter(line: str) -> bool:
    """Tell the line that parts a letter from its signature: "-- ", with or without its blank, and its like."""
    return len(line) < 20 and bool(_DELIMITER.match(line))


def begins(lines: Sequence[str]) -> int:
    """Give the index of the first line of the signature, the number of lines where there is none. Total; linear.

    Where nothing but a greeting would stand above it, nothing is one: the letter is too short to be shortened.
    """
    end = _end(lines, len(lines))
    cut = end
    for _ in range(4):
        at = _last(lines, cut)
        if at >= cut:
            break
        cut = _end(lines, at)
    return cut if cut < end and not only_greets(lines[:cut]) else len(lines)


def _end(lines: Sequence[str], end: int) -> int:
    while end and not lines[end - 1].strip():
        end -= 1
    return end


def _last(lines: Sequence[str], end: int) -> int:
    """Give where the last piece of a signature above `end` begins, `end` where there is none."""
    at = end
    for piece in (_device, _notice, _delimited, _closed, _block):
        at = piece(lines, end)
        if at < end and any(line.strip() for line in lines[:at]):
            return at
    return end


def _device(lines: Sequence[str], end: int) -> int:
    if not end:
        return end
    last = lines[end - 1]
    if is_mobile(last):
        return end - 2 if end > 2 and is_name(lines[end - 2]) and not lines[end - 3].strip() else end
    return end - 1 if is_device(last) else end


def _paragraph(lines: Sequence[str], end: int) -> int:
    """Give where the paragraph begins whose last line is `end` - 1."""
    while end and lines[end - 1].strip():
        end -= 1
    return end


def _notice(lines: Sequence[str], end: int) -> int:
    start = _paragraph(lines, end)
    if not start or end - start > 40 or not is_notice(" ".join(lines[start:end])):
        return end
    return start


def _delimited(lines: Sequence[str], end: int) -> int:
    """Find "-- " above at most twelve lines. Without its blank, the lines below must look like a signature."""
    best = end
    below: list[str] = []
    for at in range(end - 1, max(-1, end - _MOST_SIGNED - _MOST_BLANK), -1):
        line = lines[at]
        if is_delimiter(line):
            exact = line.startswith("-- ")
            if exact or all(is_signed(one) or is_contact(one) for one in below):
                best = at
        elif line.strip():
            below.append(line)
            if len(below) > _MOST_SIGNED or line.lstrip().startswith(">") or is_postscript(line):
                break
    return best


def _closed(lines: Sequence[str], end: int) -> int:
    """Find a closing formula above a name and contact data, and nothing else."""
    seen = contacts = 0
    below = ""
    for at in range(end - 1, max(-1, end - _MOST_LETTER - _MOST_BLANK), -1):
        line = lines[at]
        if not line.strip():
            continue
        if is_closing(line):
            fits = contacts and (is_name(below) or is_contact(below) or "," in line.strip().rstrip(","))
            return at if fits and not _invited(lines, at) else end
        seen += 1
        if seen > _MOST_LETTER or not (is_contact(line) or is_signed(line)):
            return end
        contacts += is_contact(line)
        below = line
    return end


def _block(lines: Sequence[str], end: int) -> int:
    """Find contact data alone, below a finished sentence: one paragraph that opens with a name, or all below a rule."""
    start = _paragraph(lines, end)
    while start < end and (lines[start].strip(" ,.!*_").casefold() in words.THANKS):
        start += 1
    block = _undecorated(lines[start:end])
    if 2 <= len(block) <= _MOST_BLOCK and is_name(block[0]) and _is_data(block) and _is_below(lines, start):
        return start
    seen: list[str] = []
    for at in range(end - 1, max(-1, end - _MOST_LETTER - _MOST_BLANK), -1):
        line = lines[at]
        if marks.is_rule(line):
            return at if _is_data(seen) and _is_below(lines, at) else end
        if line.strip():
            seen.append(line)
            if len(seen) > _MOST_LETTER or not (is_contact(line) or is_signed(line)):
                return end
    return end


def _undecorated(block: Sequence[str]) -> Sequence[str]:
    """Take off what stands before every line: | or # or the like."""
    lines = [line.strip() for line in block]
    first, last = min(lines, default=""), max(lines, default="")
    alike = next((at for at, char in enumerate(first) if not last.startswith(char, at)), len(first))
    prefix = first[:alike].rstrip()
    if len(lines) < 2 or not prefix or prefix[0].isalnum() or prefix[-1].isalnum() or " " in prefix:
        return block
    return [line[len(prefix) :].strip() for line in lines]


def _is_data(block: Sequence[str]) -> bool:
    return sum(map(is_contact, block)) >= 2 and all(is_contact(line) or is_signed(line) for line in block)


def _is_below(lines: Sequence[str], at: int) -> bool:
    """Tell whether enough was said above, the last of it a finished sentence that does not lead up to what follows."""
    above = [line for line in lines[max(0, at - _MOST_BLANK) : at] if line.strip()]
    if not above or _invited(lines, at):
        return False
    if not _FINISHED.search(above[-1].rstrip()) and above[-1].strip(" ,.!*_").casefold() not in words.THANKS:
        return False
    return sum(len(line[:500].split()) for line in above) >= _ENOUGH


def _invited(lines: Sequence[str], at: int) -> bool:
    """Tell whether the paragraph above speaks of contact data, or ends with a colon."""
    above = [line for line in lines[max(0, at - _MOST_BLANK) : at] if line.strip()][-6:]
    return any(_INVITES.search(line[-500:]) for line in above[-3:]) or (
        bool(above) and above[-1].rstrip().endswith((":", "\uff1a"))
    )


def only_greets(lines: Sequence[str]) -> bool:
    """Tell whether nothing stands there but a greeting, or nothing at all."""
    written = [line for line in lines if line.strip()]
    if len(written) != 1:
        return not written
    said = written[0][:100].strip(" ,.!*_").casefold().split()
    return 0 < len(said) <= 3 and said[0].strip(",.!") in words.GREETINGS
