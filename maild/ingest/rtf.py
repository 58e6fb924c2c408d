"""The letter in Outlook's rich text: compressed (MS-OXRTFCP), and often HTML in disguise (MS-OXRTFEX). Linear in time."""

import re
from struct import Struct

from maild.ingest import caps, charset

_HEADER = Struct("<IIII")
_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_WINDOW = 4096
_FIRST = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbol"
    b"ArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_TOKEN = re.compile(
    r"\\([A-Za-z]{1,32})(-?\d{1,9})? ?|\\'([0-9A-Fa-f]{2})|\\([^A-Za-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\"
)
_SILENT = frozenset(
    [
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "object",
        "generator",
        "themedata",
        "header",
        "footer",
        "footnote",
        "mhtmltag",
        "listtable",
        "listoverridetable",
        "rsidtbl",
        "xmlnstbl",
        "latentstyles",
        "datastore",
        "colorschememapping",
        "filetbl",
        "revtbl",
        "bkmkstart",
        "bkmkend",
    ]
)
_WORDS = {
    "par": "\n",
    "line": "\n",
    "row": "\n",
    "page": "\n",
    "sect": "\n",
    "tab": "\t",
    "cell": "\t",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "ldblquote": "\u201c",
    "rdblquote": "\u201d",
    "bullet": "\u2022",
    "endash": "\u2013",
    "emdash": "\u2014",
}
_SIGNS = {"~": "\u00a0", "_": "-", "{": "{", "}": "}", "\\": "\\", "\n": "\n", "\r": "\n"}
_CHARSETS = {128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 177: 1255, 178: 1256, 186: 1257, 204: 1251}
_CHARSETS |= {222: 874, 238: 1250, 163: 1258}


def read(octets: bytes) -> tuple[str, str]:
    """Give the letter of compressed RTF: (text, "") or, where it is HTML in disguise, ("", markup). Never raises."""
    source = unpack(octets).decode("latin-1")
    words = _Words(markup="\\fromhtml" in source[:2000])
    words.read(source)
    # Letters beyond the first plane come as two halves, each a word of its own.
    letter = "".join(words.out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    letter = letter.replace("\x00", "").strip("\n")
    return ("", letter) if words.markup else (letter, "")


def unpack(octets: bytes) -> bytes:
    """Undo the compression, up to the octets that a text may have; what is damaged ends the text."""
    if len(octets) < _HEADER.size:
        return b""
    _, size, kind, _ = _HEADER.unpack_from(octets)
    if kind == _PLAIN:
        return octets[_HEADER.size : _HEADER.size + min(size, caps.TEXT_OCTETS)]
    if kind != _PACKED:
        return b""
    out, at, most = bytearray(_FIRST), _HEADER.size, len(_FIRST) + min(size, caps.TEXT_OCTETS)
    while at < len(octets) and len(out) < most:
        control, at = octets[at], at + 1
        for bit in range(8):
            if not control >> bit & 1:
                out += octets[at : at + 1]
                at += 1
                continue
            token, at = int.from_bytes(octets[at : at + 2], "big"), at + 2
            back = (len(out) - (token >> 4)) % _WINDOW
            begin = len(out) - back
            if not back or begin < 0 or at > len(octets):
                return bytes(out[len(_FIRST) :])
            length = (token & 15) + 2
            out += (bytes(out[begin : begin + length]) * length)[:length]
    return bytes(out[len(_FIRST) : most])


class _Words:
    """Reads RTF into text, or into the markup that it holds."""

    def __init__(self, *, markup: bool) -> None:
        self.markup = markup
        self.out: list[str] = []
        self.octets = bytearray()
        self.codepage = "cp1252"
        self.fonts: dict[int, str] = {}
        self.font = 0
        self.skipped = 0
        # Of the group that is being read: silent, hidden from HTML, letters that stand for one of Unicode, font.
        self.silent, self.hidden, self.replaced, self.shown = False, False, 1, ""
        self.table = False
        self.starred = False

    def read(self, source: str) -> None:
        groups: list[tuple[bool, bool, int, str, bool]] = []
        for token in _TOKEN.finditer(source):
            word, number, code, sign, brace, text = token.groups()
            if code is not None:
                self._octet(int(code, 16))
                continue
            self._flush()
            if brace == "{":
                groups.append((self.silent, self.hidden, self.replaced, self.shown, self.table))
            elif brace == "}" and groups:
                self.silent, self.hidden, self.replaced, self.shown, self.table = groups.pop()
            elif word is not None:
                self._word(word.lower(), int(number) if number else None)
            elif sign == "*":
                self.starred = True
                continue
            elif sign is not None:
                self._say(_SIGNS.get(sign, ""))
            elif text is not None:
                self._say(text[self.skipped :])
                self.skipped = max(0, self.skipped - len(text))
            self.starred = False
        self._flush()

    def _octet(self, code: int) -> None:
        if self.skipped:
            self.skipped -= 1
        elif not (self.silent or self.hidden):
            self.octets.append(code)

    def _flush(self) -> None:
        if self.octets:
            self.out.append(charset.decode(bytes(self.octets), self.shown or self.codepage)[0])
            self.octets.clear()

    def _say(self, text: str) -> None:
        if not (self.silent or self.hidden):
            self.out.append(text)

    def _word(self, word: str, number: int | None) -> None:
        if word in _SILENT or (self.starred and word != "htmltag"):
            self.silent, self.table = True, word == "fonttbl" or self.table
        elif word == "htmlrtf":
            self.hidden = self.markup and number != 0
        elif word == "ansicpg" and number:
            self.codepage = charset.codec(f"cp{number}") or self.codepage
        elif word == "uc":
            self.replaced = min(number or 0, 10)
        elif word == "u" and number is not None:
            self._say(chr(number % 65536))
            self.skipped = self.replaced
        elif word == "f" and number is not None:
            self.font = number
            self.shown = "" if self.table else self.fonts.get(number, "")
        elif word == "fcharset" and self.table and number in _CHARSETS:
            self.fonts[self.font] = f"cp{_CHARSETS[number]}"
        else:
            self._say(_WORDS.get(word, ""))
