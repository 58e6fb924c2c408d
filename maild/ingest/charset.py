"""Letters out of octets: charset labels as browsers read them (WHATWG Encoding, section 4.2), and no letter lost.

Mail says iso-8859-1 and means windows-1252; it says gb2312 and means gb18030. Where a declared charset does not fit,
the octets are read as UTF-8 and then as windows-1252, which fits anything: nothing is guessed from statistics.
"""

import codecs
import re
from collections.abc import Mapping
from types import MappingProxyType

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "unicode-1-1-utf-8": "utf-8",
        "utf8": "utf-8",
        "utf-8": "utf-8",
        "unicode": "utf-16",
        "utf-16": "utf-16",
        "utf-16le": "utf-16-le",
        "utf-16be": "utf-16-be",
        "utf-7": "utf-7",
        "unicode-1-1-utf-7": "utf-7",
        "x-utf-7": "utf-7",
        "us-ascii": "cp1252",
        "ascii": "cp1252",
        "ansi_x3.4-1968": "cp1252",
        "iso-8859-1": "cp1252",
        "iso8859-1": "cp1252",
        "iso88591": "cp1252",
        "iso_8859-1": "cp1252",
        "latin1": "cp1252",
        "latin-1": "cp1252",
        "l1": "cp1252",
        "windows-1252": "cp1252",
        "cp1252": "cp1252",
        "x-cp1252": "cp1252",
        "ansi": "cp1252",
        "iso-8859-9": "cp1254",
        "latin5": "cp1254",
        "iso-8859-11": "cp874",
        "tis-620": "cp874",
        "windows-874": "cp874",
        "iso-8859-8-i": "iso-8859-8",
        "iso-8859-8-e": "iso-8859-8",
        "logical": "iso-8859-8",
        "visual": "iso-8859-8",
        "koi8": "koi8-r",
        "koi": "koi8-r",
        "koi8-ru": "koi8-u",
        "x-mac-roman": "mac-roman",
        "macintosh": "mac-roman",
        "x-mac-cyrillic": "mac-cyrillic",
        "gb2312": "gb18030",
        "gb_2312-80": "gb18030",
        "gbk": "gb18030",
        "x-gbk": "gb18030",
        "cp936": "gb18030",
        "ms936": "gb18030",
        "chinese": "gb18030",
        "hz-gb-2312": "hz",
        "big5": "cp950",
        "big5-hkscs": "big5hkscs",
        "x-x-big5": "cp950",
        "ks_c_5601-1987": "cp949",
        "ks_c_5601-1989": "cp949",
        "ksc5601": "cp949",
        "ksc_5601": "cp949",
        "korean": "cp949",
        "euc-kr": "cp949",
        "windows-949": "cp949",
        "shift_jis": "cp932",
        "shift-jis": "cp932",
        "sjis": "cp932",
        "x-sjis": "cp932",
        "ms_kanji": "cp932",
        "windows-31j": "cp932",
        "x-euc-jp": "euc-jp",
        "iso-2022-jp": "iso-2022-jp-ext",
        "cp50220": "iso-2022-jp-ext",
        "cp-850": "cp850",
    }
)

# Codecs of Python that are no charsets, or that cost more than they give.
_REFUSED = re.compile(r"base64|hex|zlib|bz2|rot|quopri|uu|idna|punycode|escape|mbcs|oem|undefined|x-unknown|unknown")


def codec(label: str) -> str | None:
    """Give Python's codec for a charset label, or None for a label that names no charset."""
    label = label.strip().strip("\"'").strip().lower()[:40]
    if (known := LABELS.get(label)) is not None:
        return known
    if not label.isascii() or not label or _REFUSED.search(label):
        return None
    if re.fullmatch(r"(?:cp|ms|win(?:dows)?)[-_]?\d{3,4}", label):
        label = "cp" + re.sub(r"\D", "", label)
    try:
        return codecs.lookup(label).name
    except (LookupError, ValueError):
        return None


def _as_cp1252(octets: bytes) -> str:
    """Read windows-1252 as browsers do: its five holes are the C1 controls of the same number."""
    return octets.decode("latin-1").translate(_WESTERN)


def _whole(text: str) -> str:
    """Replace lone surrogates: UTF-7 (RFC 2152) can spell them, and nothing that holds one can be written down again."""
    return text if text.isascii() else _LONE.sub("\N{REPLACEMENT CHARACTER}", text)


_LONE = re.compile("[\ud800-\udfff]")
_HOLES = frozenset(b"\x81\x8d\x8f\x90\x9d")
_WESTERN = {code: bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in _HOLES}
_FAULTS = 20_000
"""More octets that do not fit than these, and it was another charset altogether; mending each one takes its time."""


def _mend(fault: UnicodeError) -> tuple[str, int]:
    """Read the octets that do not fit as windows-1252, so that no letter turns into a question mark."""
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    return _as_cp1252(fault.object[fault.start : fault.end]), fault.end


codecs.register_error("maild-mend", _mend)


def decode(octets: bytes, label: str = "") -> tuple[str, str]:
    """Give the text of octets whose charset is declared as `label` ("" for none), and a defect in words or ""."""
    name = codec(label) if label else None
    if octets.isascii() and name in (None, "cp1252", "utf-8") and b"\x1b" not in octets:
        return octets.decode("ascii"), ""
    if name is None:
        defect = f"unknown charset {label[:40]!r}" if label and "unknown" not in label.lower() else ""
        text, undeclared = _undeclared(octets)
        return text, defect or undeclared
    if name == "cp1252":
        return _western(octets, label)
    for candidate in (name, *(("iso-2022-jp-2",) if name.startswith(("iso2022", "iso-2022")) else ())):
        try:
            return _whole(octets.decode(candidate)), ""
        except (UnicodeError, ValueError):
            continue
    defect = f"octets do not fit their charset {label[:40]}"
    try:
        return octets.decode("utf-8"), defect
    except UnicodeDecodeError:
        pass
    few = octets.decode(name, "replace").count("\N{REPLACEMENT CHARACTER}") <= _FAULTS
    return (_whole(octets.decode(name, "maild-mend")) if few else _as_cp1252(octets)), defect


def _western(octets: bytes, label: str) -> tuple[str, str]:
    """Read what is declared as one of the western charsets; plain ASCII declared over real UTF-8 is seen in practice."""
    if "ascii" in label.lower() or "ansi_x3" in label.lower():
        text, defect = _undeclared(octets)
        return text, defect and "8-bit octets declared as US-ASCII"
    try:
        as_utf8 = octets.decode("utf-8")
    except UnicodeDecodeError:
        return _as_cp1252(octets), ""
    # Seen in practice: UTF-8 under an old label. A valid multi-octet sequence is no accident in windows-1252 prose.
    return as_utf8, f"UTF-8 declared as {label[:40]}"


def _undeclared(octets: bytes) -> tuple[str, str]:
    """Read octets without a usable label: UTF-8, else windows-1252."""
    try:
        return octets.decode("utf-8"), ""
    except UnicodeDecodeError:
        return _as_cp1252(octets), "8-bit octets without a charset, read as windows-1252"
