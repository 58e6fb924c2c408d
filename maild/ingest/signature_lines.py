# ruff: noqa: RUF001 - mail is written in many scripts
"""What a single line of a signature looks like. Everything here looks at a line by itself, and at short ones only."""

import re

from maild.ingest import signature_words as words
from maild.ingest.quote_words import PARTICLES

_LONGEST = 160
_LINK = re.compile(r"\s*(?:[<(\[]\s*)?https?://[^\s>)\]]{1,200}[>)\]]?\s*$")
_LINKED = re.compile(r"<https?://[^<>\s]{1,300}>")
_GENERIC = re.compile(r"sent from my (?:(?:[A-Z0-9][\w&'+.-]*|i[A-Z]\w*)(?: |$)){1,5}$")
_ENDS_SENT = re.compile(r"(?:から送信|から送信されました|에서 보냄|에서 보냈습니다|küldve|gönderildi|傳送|发送|发出)$")
_SPLIT = re.compile(r"[\s/|\u00a0]+")
_ADDRESS = re.compile(r"[\w.+=~'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_WEB = re.compile(r"(?:https?://|\bwww\.)[^\s]{3,200}", re.IGNORECASE)
_DOMAIN = re.compile(r"^[\w-]{2,63}(?:\.[\w-]{2,63}){0,2}\.[^\W\d_]{2,20}/?$")
_PHONE = re.compile(
    r"(?<![\w.,-])(?:\+|00)\d[\d ()./\u2013-]{5,22}\d(?!\w)|(?<![\w.,-])\(?0\d{1,5}\)?[ /.\u2013-]{1,3}\d[\d /.\u2013-]{3,16}\d(?!\w)|"
    r"(?<![\w.,-])\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?!\w)|(?<![\w.,-])0\d{7,12}(?!\w)"
)
_DATE = re.compile(r"^\D{0,12}\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\D*$")
_LABEL = re.compile(r"^\W{0,4}([^\W\d_][\w '-]{0,20}?)\.?\s?[:\uff1a]")
_DIGITS = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*")
_NAME_WORD = re.compile(r"^[^\W\d_][\w.'\u2019-]*$")
_FOR = re.compile(r"^(?:i\.\s?[av]\.|ppa\.|p\.p\.)\s", re.IGNORECASE)
"""Who signs for somebody says so before his name."""

_BULLET = re.compile(r"^\s*(?:[-*\u2022\u25aa+>]|\d{1,2}[.)])\s")
_POSTSCRIPT = re.compile(
    r"^\s*(?:p\.?\s?){1,3}s\.?(?:[\s:.,-]|$)|^\s*(?:n\.?b\.?|p\.?d\.?)\s?[:.]|^\s*ps\b", re.IGNORECASE
)
_NOTICE = re.compile(
    r"^\W{0,4}(?:(?:this|the information (?:contained |transmitted )?in this) (?:e-?mail|message|communication|transmission)|confidential(?:ity)?(?: notice| note)?|disclaimer|"
    r"important(?: notice)?|privileged|diese[rs]? (?:e-?mail|nachricht|mail)|der inhalt dieser (?:e-?mail|nachricht)|vertraulich|hinweis|haftungsausschluss|"
    r"ce (?:message|courriel|courrier)|l'intégrité de ce message|avertissement|este (?:mensaje|correo|e-?mail)|aviso|la información contenida|esta mensagem|"
    r"as informações|questo messaggio|questa e-?mail|le informazioni|avviso|dit (?:e-?mail)?bericht|deze e-?mail|de informatie|treść tej wiadomości|niniejsza wiadomość|ta wiadomość|"
    r"detta (?:e-post)?meddelande|denne (?:e-?mail|e-post|meddelelse)|tämä (?:viesti|sähköposti)|tento e-mail|настоящее (?:сообщение|письмо)|это сообщение)",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"confiden|privileg|vertraulich|proprietary|riservat|vertrouwelijk|poufn|fortrolig|konfident|luottamuksel|důvěrn|dôvern|конфиденц|legally protected|rechtlich geschützt",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"intended|recipient|addressee|unauthori[sz]ed|in error|delete|bestimmt|adressat|empfänger|irrtümlich|destinat|supprimer|erreur|por error|elimin|"
    r"per errore|bestemd|geadresseerde|adresat|tiltenkt|mottakeren|avsedd|modtager|vastaanottaja|adresát|получател|адресат",
    re.IGNORECASE,
)
_PRINTED = re.compile(
    r"^\W{0,4}(?:virus-free\.? ?(?:www\.\S{3,40})?$|this e-?mail has been checked for viruses by|diese e-?mail wurde (?:von \w+ )?auf viren geprüft|"
    r"please consider the environment before printing|think (?:of the environment )?before (?:you )?print|bitte (?:denken sie an|prüfen sie|schonen sie) (?:die umwelt|der umwelt|unsere umwelt|ob diese)|"
    r"pensez à l['’]environnement avant|merci de penser à l['’]environnement|por favor,? piense en el medio ?ambiente|antes de imprimir|prima di stampare|"
    r"denk aan het milieu voordat|garanti sans virus|virenfrei|libre de virus)",
    re.IGNORECASE,
)


def is_device(line: str) -> bool:
    """Tell the line a phone or a mail program appends, as in "Sent from my iPhone".

    Each word must be a device, a name with a capital letter, or one of the small words beside them.
    """
    if len(line) > _LONGEST:
        return False
    bare = _LINK.sub("", _LINKED.sub(" ", line).strip(" \t\xa0*_[]()-\u2013\u2014.\u200b")).strip(
        " \t\xa0*_[]()-\u2013\u2014.\u200b<>"
    )
    bare = " ".join(bare.replace("\u2019", "'").split())
    folded = bare.casefold()
    lead = next((one for one in words.LEADS if folded.startswith(one)), "")
    if folded.startswith(("von meinem ", "von meiner ")) and folded.rsplit(" ", 1)[-1] in words.SENT_VERBS:
        lead = "von meinem"
    if not lead:
        return bool(_ENDS_SENT.search(folded)) and len(bare) < 60 and _is_program(bare)
    rest = bare if "outlook" in lead else bare[len(lead) :]
    if _is_program(rest):
        return True
    linked = bool(_LINK.search(line)) and folded.startswith("sent from ")
    generic = f"{folded[:13]}{bare[13:]}" if folded.startswith("sent from my") else f"sent from my {rest.strip()}"
    return (
        (linked or lead == "sent from my")
        and bool(_GENERIC.match(generic))
        and words.NO_DEVICE.isdisjoint(folded.split())
    )


def _is_program(text: str) -> bool:
    """Tell whether a text names a device or a mail program, and says nothing else."""
    found = False
    tokens = [token.strip(".,'\u200e\u200f") for token in _SPLIT.split(text)]
    if len(tokens) > 12:
        return False
    for token in filter(None, tokens):
        folded = token.casefold()
        caseless = token.lower() == token.upper()
        if folded in words.DEVICE_NAMES or any(
            stem in folded if caseless or not folded.isascii() else folded.startswith(stem) for stem in words.DEVICES
        ):
            found = True
        elif not (
            caseless
            or token[0].isupper()
            or folded in words.SMALL
            or folded in words.SENT_VERBS
            or folded in words.LEADS
        ):
            return found and folded.startswith(("lähet", "küld", "gönder"))
    return found


def is_mobile(line: str) -> bool:
    """Tell the words below a name that say how it was sent: via mobile."""
    return line.strip(" \t\xa0*_.-()").casefold() in words.MOBILE


def is_closing(line: str) -> bool:
    """Tell a closing formula, with or without a name behind a comma."""
    if len(line) > 80:
        return False
    folded = line.strip(" \t\xa0*_.!-\u2013").casefold()
    head, _, name = folded.partition(",")
    return head.strip() in words.CLOSINGS and (not name.strip() or is_name(line.partition(",")[2]))


def is_contact(line: str) -> bool:
    """Tell a line that gives an address, a telephone number or a page, and little else."""
    if len(line) > _LONGEST or is_postscript(line):
        return False
    found = (
        _ADDRESS.search(line)
        or _WEB.search(line)
        or _DOMAIN.match(line.strip())
        or (_PHONE.search(line) and not _DATE.match(line))
    )
    return bool(found) and _known_label(line) and not _speaks(line, most=9)


def _known_label(line: str) -> bool:
    label = _LABEL.match(line)
    if label is None or line.lstrip().casefold().startswith("http"):
        return True
    named = label[1].strip(" .-").casefold()
    return (
        named in words.CONTACT_LABELS
        or named.split()[0] in words.CONTACT_LABELS
        or (" " in named and is_name(label[1]))
    )


def is_signed(line: str) -> bool:
    """Tell a line that may stand in a signature: a name, a title, a company, a street; no speech."""
    bare = _FOR.sub("", line.strip())
    if len(bare) > 70 or _BULLET.match(bare) or bare.endswith(("?", "!", ":", ",", ";")) or is_postscript(bare):
        return False
    if not _known_label(bare):
        return False
    first = _WORD.search(bare)
    if (
        first is not None
        and first[0][0].islower()
        and first.start() == 0
        and len(bare.split()) > 1
        and bare.split()[0].strip(".:") not in words.CONTACT_LABELS
    ):
        return False
    return not _speaks(bare, most=8)


def _speaks(line: str, *, most: int) -> bool:
    found = [word.casefold() for word in _WORD.findall(_WEB.sub(" ", _ADDRESS.sub(" ", line)).replace("\u2019", "'"))]
    if len(found) > most or (line.rstrip().endswith(".") and sum(len(word) > 2 for word in found) > 4):
        return True
    return not words.SPEECH.isdisjoint(found)


def is_name(line: str) -> bool:
    """Tell a line that may be somebody's name: one to five words, each with a capital letter, or of a script without."""
    bare = _FOR.sub("", line.strip(" \t\xa0*_,-/|#"))
    found = bare.replace(",", " ").split()
    if not 0 < len(found) <= 5 or len(bare) > 50:
        return False
    if not words.SPEECH.isdisjoint(word.casefold().strip(".") for word in found):
        return False
    if bare.casefold().strip(" .!") in words.THANKS or found[0].casefold() in words.GREETINGS:
        return False
    return all(_NAME_WORD.match(word) and (not word[0].islower() or word in PARTICLES) for word in found)


def is_postscript(line: str) -> bool:
    """Tell P.S. and its like: what stands there was written, whatever stands above it."""
    return bool(_POSTSCRIPT.match(line[:40]))


def is_notice(paragraph: str) -> bool:
    """Tell a paragraph that no person wrote: a lawyer's, a virus scanner's, a printer's friend."""
    if _PRINTED.match(paragraph[:200]):
        return len(paragraph) < 400
    return 120 < len(paragraph) < 4000 and bool(
        _NOTICE.match(paragraph[:200]) and _SECRET.search(paragraph) and _MEANT.search(paragraph)
    )
