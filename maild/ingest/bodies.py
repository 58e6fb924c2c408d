"""The readable body: which parts are the letter, and which only came with it."""

import re
from dataclasses import dataclass

from maild.ingest import attachments, caps, charset, flowed, headers, html, mime, sealed, tnef
from maild.mail import Attachment

_READABLE = frozenset(
    {
        "text/plain",
        "text/html",
        "text/enriched",
        "text/richtext",
        "text/markdown",
        "text/x-markdown",
        "text/x-web-markdown",
    }
)
_ENRICHED = re.compile(r"<(?:param>[^<]*</param|/?[a-z][a-z-]*)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Body:
    """The letter as text and as raw markup ("" where it has none), whether the text was made from markup, the rest.

    `marks` are sentences for whoever reads the mail.
    """

    text: str
    markup: str
    from_markup: bool
    attachments: tuple[Attachment, ...]
    marks: tuple[str, ...]
    defects: tuple[str, ...]


@dataclass(slots=True)
class _Piece:
    part: mime.Part
    text: str
    is_html: bool


def _is_letter(part: mime.Part, *, seen: bool) -> bool:
    """Tell whether a leaf is to be read in place rather than opened (RFC 2183 section 2)."""
    if part.kind.main not in _READABLE or part.disposition.main == "attachment":
        return False
    named = bool(attachments.given_name(part))
    if not named:
        return True
    return not seen and part.kind.main in ("text/plain", "text/html") and part.disposition.main in ("", "inline")


def _letters(part: mime.Part, octets: bytes, defects: list[str], files: list[Attachment]) -> str:
    if part.kind.main != "text/html":
        while (found := mime.uu(octets)) is not None and len(files) < caps.PARTS:
            files.append(attachments.plain(found[0], "application/octet-stream", found[1]))
            octets = octets[: found[2]] + octets[found[3] :]
    label = part.kind.parameters.get("charset", "")
    if not label and part.kind.main == "text/html":
        label = _meta(octets)
    text, defect = charset.decode(octets, label)
    if defect:
        defects.append(defect)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").removeprefix("\ufeff")
    if part.kind.main == "text/plain" and _value(part, "format") == "flowed" and _value(part, "delsp") == "yes":
        text = flowed.unfold(text)
    if part.kind.main in ("text/enriched", "text/richtext"):
        text = _ENRICHED.sub("", text.replace("<<", "\x01")).replace("\x01", "<")
    return text


def _begin(octets: bytes, room: int) -> bytes:
    """Cut octets without cutting a letter of UTF-8 in two, which would make another charset of the whole."""
    end = min(room, len(octets))
    while room < len(octets) and end > room - 4 and octets[end] & 0xC0 == 0x80:
        end -= 1
    return octets[:end]


def _value(part: mime.Part, parameter: str) -> str:
    return part.kind.parameters.get(parameter, "").strip().lower()


def _meta(octets: bytes) -> str:
    found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", octets[:4096], re.IGNORECASE)
    return found.group(1).decode("ascii") if found and not found.group(1).lower().startswith(b"utf-16") else ""


def _alternative(part: mime.Part) -> mime.Part | None:
    """Give the nearest multipart/alternative above a part."""
    above = part.parent
    while above is not None and above.kind.main != "multipart/alternative":
        above = above.parent
    return above


def read(tree: mime.Tree) -> Body:
    """Choose the letter among the leaves and gather everything else as attachments. Nothing is dropped."""
    defects = list(tree.defects)
    pieces: list[_Piece] = []
    files: list[Attachment] = []
    marks: list[str] = []
    room = caps.TEXT_OCTETS
    for number, part in enumerate(tree.leaves, 1):
        if room and _is_letter(part, seen=bool(pieces)):
            octets, defect = mime.content(part)
            if defect:
                defects.append(defect)
            # A rest of nothing but white space is no loss.
            if len(octets) > room and octets[room:].strip():
                files.append(attachments.attachment(part, number, octets))
                defects.append(f"text of {len(octets)} octets cut at {room}, and attached as a whole: {files[-1].name}")
            octets, room = _begin(octets, room), max(0, room - len(octets))
            pieces.append(_Piece(part, _letters(part, octets, defects, files), part.kind.main == "text/html"))
            continue
        if _is_empty_signature(part):
            defects.append("a PGP signature that holds none")
            continue
        octets, defect = (
            (part.body, "") if part.kind.main.startswith("message/") and not _encoded(part) else mime.content(part)
        )
        if defect:
            defects.append(f"attachment {number}: {defect}")
        files.append(attachments.attachment(part, number, octets))
        if _is_winmail(part, files[-1].name, octets):
            marks.append(_unpack(part, octets, pieces, files, defects))
    text, markup, from_markup = _assemble(pieces)
    marks = [*sealed.marks(tree, text), *marks]
    return Body(text, markup, from_markup, tuple(files), tuple(dict.fromkeys(marks)), tuple(dict.fromkeys(defects)))


def _is_winmail(part: mime.Part, name: str, octets: bytes) -> bool:
    declared = part.kind.main in ("application/ms-tnef", "application/vnd.ms-tnef")
    return declared or (name.lower() == "winmail.dat" and octets.startswith(tnef.SIGNATURE))


def _unpack(part: mime.Part, octets: bytes, pieces: list[_Piece], files: list[Attachment], defects: list[str]) -> str:
    """Take a winmail.dat apart; its letter counts where the mail has no other. Give the mark in words."""
    found, before = tnef.read(octets), len(files) - 1
    defects += found.defects
    if not any(piece.text.strip() for piece in pieces) and (found.markup or found.text):
        pieces.append(_Piece(part, found.markup or found.text, bool(found.markup)))
    files += [attachments.plain(one.name, one.kind, one.content, one.content_id) for one in found.files]
    if not (found.files or found.markup or found.text):
        return f"Outlook packed this mail into {files[before].name}, and nothing could be taken out of it"
    count = "1 file was" if len(found.files) == 1 else f"{len(found.files)} files were"
    return f"Outlook packed this mail into {files[before].name}: {count} taken out of it"


def _is_empty_signature(part: mime.Part) -> bool:
    """Tell a signature part (RFC 3156 section 5) that has neither a name nor an armoured signature: it vouches for nothing."""
    nameless = part.kind.main == "application/pgp-signature" and not attachments.given_name(part)
    return nameless and b"-----BEGIN PGP" not in mime.content(part)[0]


def _encoded(part: mime.Part) -> bool:
    """Tell whether a message part is encoded, which RFC 2046 5.2.1 forbids and some mailers do."""
    return part.raw("Content-Transfer-Encoding").strip().lower() in ("base64", "quoted-printable")


def _assemble(pieces: list[_Piece]) -> tuple[str, str, bool]:
    with_plain = {id(_alternative(p.part)) for p in pieces if not p.is_html and p.text.strip() and _alternative(p.part)}
    with_html = {id(_alternative(p.part)) for p in pieces if p.is_html and p.text.strip() and _alternative(p.part)}
    texts: list[str] = []
    markups: list[str] = []
    rendered = False
    written = False
    for piece in pieces:
        above = _alternative(piece.part)
        if piece.is_html:
            markups.append(piece.text)
            if above is None or id(above) not in with_plain:
                texts.append(html.to_text(piece.text))
                rendered = True
        else:
            texts.append(piece.text)
            written = written or bool(piece.text.strip())
            if (above is None or id(above) not in with_html) and piece.text.strip():
                markups.append(html.from_text(piece.text))
    text = "\n\n".join(t.strip("\n") for t in texts if t.strip())
    has_html = any(p.is_html and p.text.strip() for p in pieces)
    return text, "\n".join(markups) if has_html else "", rendered and not written


def lines_of(fields: tuple[tuple[str, bytes], ...], declared: str) -> tuple[tuple[str, str], ...]:
    """Give all fields in order, unfolded and decoded, each safe on one line."""
    return tuple((name, _line(name, headers.raw_text(raw, declared))) for name, raw in fields)


def _line(name: str, text: str) -> str:
    return headers.clean(text if name.lower() in _UNCODED else headers.decode_words(text))


_UNCODED = frozenset(
    {
        "received",
        "return-path",
        "received-spf",
        "authentication-results",
        "arc-authentication-results",
        "arc-message-signature",
        "arc-seal",
        "dkim-signature",
    }
)
"""What servers write of a client's words: an encoded word there would become the server's own (RFC 2047 section 5)."""
