"""winmail.dat and the rich text in it, octet by octet."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.ingest import rtf, tnef

START = struct.pack("<IH", 0x223E9F78, 1)
NEW_FILE = (2, 0x69002, b"\0" * 14)
MESSAGE = bytes.fromhex("0703020000000000c000000000000046")


def obj(level, name, data):
    return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def prop(kind, number, *values):
    octets = struct.pack("<HH", kind, number)
    if kind & 0x1000 or kind in (0x0D, 0x1E, 0x1F, 0x102):
        octets += struct.pack("<I", len(values))
    for value in values:
        octets += struct.pack("<I", len(value)) * ((kind & ~0x1000) in (0x0D, 0x1E, 0x1F, 0x102))
        octets += value + b"\0" * (-len(value) % 4)
    return octets


def named(kind, value, *, by):
    name = struct.pack("<II", 0, 7) if by is None else struct.pack("<II", 1, len(by)) + by + b"\0" * (-len(by) % 4)
    return struct.pack("<HH", kind, 0x8001) + b"G" * 16 + name + prop(kind, 0, value)[4:]


def props(*each):
    return struct.pack("<I", len(each)) + b"".join(each)


def file(*objects):
    return b"".join(obj(*one) for one in (NEW_FILE, *objects))


def mapi(*each):
    return (2, 0x69005, props(*each))


def read(*parts):
    return tnef.read(START + b"".join(parts))


@pytest.mark.parametrize(
    ("parts", "files"),
    [
        ([file((2, 0x18010, b"a.txt\0"), (2, 0x6800F, b"words"))], [("a.txt", "", b"words", "")]),
        ([file((2, 0x6800F, b"x"), mapi(prop(0x1E, 0x3704, b"SHORT~1.TXT\0")))], [("SHORT~1.TXT", "", b"x", "")]),
        ([file((2, 0x18010, b"S~1\0"), mapi(prop(0x1E, 0x3707, b"long name\0")))], [("long name", "", b"", "")]),
        (
            [file(mapi(prop(0x102, 0x3701, b"bytes\0\0"), prop(0x1F, 0x370E, "image/png\0".encode("utf-16-le"))))],
            [("", "image/png", b"bytes\0\0", "")],
        ),
        ([file(mapi(prop(0x0D, 0x3701, b"I" * 16 + b"ole")))], [("", "", b"ole", "")]),
        (
            [file(mapi(prop(0x1E, 0x3712, b"pic@acme\0"), prop(0x1E, 0x3001, b"shown\0")))],
            [("shown", "", b"", "pic@acme")],
        ),
        ([file(), file()], [("", "", b"", ""), ("", "", b"", "")]),
        ([obj(2, 0x6800F, b"of no file")], []),
        ([obj(1, 0x18004, b"subject\0")], []),
        ([file((2, 0x18013, b"a date"))], [("", "", b"", "")]),
        (
            [
                file(
                    mapi(
                        prop(0x02, 0x0001, b"\1\0"),
                        prop(0x1003, 0x0002, b"\1\0\0\0", b"\2\0\0\0"),
                        prop(0x101E, 0x0003, b"one\0", b"two\0"),
                        named(0x1E, b"x\0", by=None),
                        named(0x03, b"\1\0\0\0", by=b"K\0e\0y\0"),
                        prop(0x1E, 0x3707, b"behind all.txt\0"),
                    )
                )
            ],
            [("behind all.txt", "", b"", "")],
        ),
    ],
)
def test_files(parts, files):
    found = read(*parts)
    assert [(one.name, one.kind, one.content, one.content_id) for one in found.files] == files
    assert found.defects == []


@pytest.mark.parametrize(
    ("parts", "text", "markup"),
    [
        ([obj(1, 0x2800C, b"plain\r\nwords\0")], "plain\nwords", ""),
        ([obj(1, 0x69007, struct.pack("<II", 1251, 0)), obj(1, 0x2800C, "да".encode("cp1251"))], "да", ""),
        ([obj(1, 0x69007, b"\1"), obj(1, 0x2800C, b"\xe4")], "ä", ""),
        ([obj(1, 0x69007, struct.pack("<I", 99999)), obj(1, 0x2800C, b"\xe4")], "ä", ""),
        ([obj(1, 0x69003, props(prop(0x1F, 0x1000, "Größe\0".encode("utf-16-le"))))], "Größe", ""),
        (
            [
                obj(
                    1,
                    0x69003,
                    props(prop(0x03, 0x3FDE, struct.pack("<I", 65001)), prop(0x102, 0x1013, "<p>ä".encode())),
                )
            ],
            "",
            "<p>ä",
        ),
        (
            [
                obj(
                    1,
                    0x69003,
                    props(prop(0x1E, 0x1000, b"a\0"), prop(0x102, 0x1013, b"<p>a"), prop(0x102, 0x1009, b"?")),
                )
            ],
            "a",
            "<p>a",
        ),
        (
            [
                obj(
                    1,
                    0x69003,
                    props(prop(0x102, 0x1009, struct.pack("<IIII", 0, 99, 0x414C454D, 0) + b"{\\rtf1 words}")),
                )
            ],
            "words",
            "",
        ),
        ([obj(1, 0x69003, b"\1")], "", ""),
        ([obj(1, 0x69003, props(prop(0x1003, 0x3FDE)))], "", ""),
        ([obj(1, 0x69003, struct.pack("<I", 1000))], "", ""),
    ],
)
def test_the_letter(parts, text, markup):
    found = read(*parts)
    assert (found.text, found.markup, found.defects) == (text, markup, [])


SHORT = "winmail.dat ends before its time"


@pytest.mark.parametrize(
    ("octets", "defect"),
    [
        (b"", "winmail.dat that is no TNEF"),
        (b"\x89PNG", "winmail.dat that is no TNEF"),
        (START + obj(1, 0x2800C, b"words")[:-3], SHORT),
        (START + file(mapi(prop(0x55, 1, b"?"))), SHORT),
        (START + file((2, 0x69005, props(prop(0x1E, 0x3707, b"name"))[:-3])), SHORT),
        (START + file((2, 0x69005, struct.pack("<IHHI", 1, 0x1E, 1, 2**31))), SHORT),
        (START + file((2, 0x69005, struct.pack("<IHH", 1, 0x1E, 0x8001))), SHORT),
        (START + obj(1, 0x69003, props(prop(0x03, 0x3FDE, b"\1\0"))[:-2]), SHORT),
        (START + file() * 501, "files after the first 500 in winmail.dat left out"),
    ],
)
def test_what_cannot_be_read_is_told(octets, defect):
    found = tnef.read(octets)
    assert found.defects == [defect]


def test_what_was_found_before_the_end_stays():
    properties = props(prop(0x1E, 0x1000, b"the words\0"), prop(0x1E, 0x1013, b"<p>cut off"))[:-4]
    found = read(obj(1, 0x69003, properties))
    assert (found.text, found.markup, found.defects) == ("the words", "", [SHORT])


def nested(octets, name=b"", depth=1):
    for _ in range(depth):
        octets = START + file(mapi(prop(0x1E, 0x3001, name + b"\0"), prop(0x0D, 0x3701, MESSAGE + octets)))
    return octets


@pytest.mark.parametrize(
    ("octets", "files"),
    [
        (nested(START + obj(1, 0x2800C, b"inner\0"), b"Fwd"), [("Fwd.txt", b"inner")]),
        (nested(START + obj(1, 0x69003, props(prop(0x102, 0x1013, b"<p>x")))), [("mail.html", b"<p>x")]),
        (nested(START + file((2, 0x6800F, b"deep")), depth=3), [("", b"deep")]),
    ],
)
def test_a_mail_in_a_mail(octets, files):
    found = tnef.read(octets)
    assert [(one.name, one.content) for one in found.files] == files
    assert (found.text, found.defects) == ("", [])


def test_mails_nested_too_deep_are_kept_as_they_are():
    found = tnef.read(nested(START + obj(1, 0x2800C, b"inner\0"), depth=9))
    assert found.defects == ["mails nested deeper than 5 levels in winmail.dat kept as they are"]
    (kept,) = found.files
    assert (kept.name, kept.kind, kept.content[:6]) == ("mail.dat", "application/ms-tnef", START)


@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 255))
def test_any_octets_are_read(octets, at, value):
    whole = bytearray(nested(START + obj(1, 0x2800C, b"inner\0"), b"Fwd"))
    whole[at % len(whole)] = value
    tnef.read(bytes(whole))
    tnef.read(START + octets)
    rtf.read(octets)
    rtf.read(struct.pack("<IIII", 0, 9999, 0x75465A4C, 0) + octets)
    rtf.read(struct.pack("<IIII", 0, 9999, 0x414C454D, 0) + b"{\\rtf1\\fromhtml1 " + octets)


def packed(source, kind=0x414C454D):
    return struct.pack("<IIII", len(source) + 12, 2**20, kind, 0) + source


@pytest.mark.parametrize(
    ("octets", "source"),
    [
        (b"", b""),
        (packed(b"words", 0), b""),
        (packed(b"words"), b"words"),
        # The example of MS-OXRTFCP 4.1.
        (
            bytes.fromhex(
                "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320a f32068656c090020627705b06c647d0a800fa0"
            ),
            b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
        ),
        # A token that points before the beginning, and one that is cut off.
        (packed(b"\x01\xff\xf0", 0x75465A4C), b""),
        (packed(b"\x02a\x00", 0x75465A4C), b"a"),
        (packed(b"\x00ab", 0x75465A4C), b"ab"),
    ],
)
def test_compressed_rtf(octets, source):
    assert rtf.unpack(octets) == source


def test_the_size_that_rtf_states_is_its_end():
    assert rtf.unpack(struct.pack("<IIII", 99, 3, 0x75465A4C, 0) + b"\x00abcdefgh") == b"abc"


@pytest.mark.parametrize(
    ("source", "text", "markup"),
    [
        (rb"{\rtf1 one\par two\tab three\line\endash}", "one\ntwo\tthree\n–", ""),
        (rb"{\rtf1\ansicpg1251 \'e4\'e0}", "да", ""),
        (rb"{\rtf1\ansicpg99999 \'e4}", "ä", ""),
        (rb"{\rtf1 \u8364?40 \uc2\u246oe! \uc0\u228 b \u-10179\u-8704}", "€40 ö! äb \U0001f600", ""),
        (rb"{\rtf1 \u8364\'80!}", "€!", ""),
        (rb"{\rtf1 a\~b\_c\{\}\\\*}", "a\u00a0b-c{}\\", ""),
        (b"{\\rtf1 a\\\nb\r\nc}}", "a\nbc", ""),
        (
            rb"{\rtf1{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial;}{\f2\fcharset7 X;}}\f1 \'e4{\f0 \'e4}\f \'e0}",
            "дäа",
            "",
        ),
        (rb"{\rtf1{\*\generator Us;}{\pict 00ff\'00}{\stylesheet x}words\'00}", "words", ""),
        (
            rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Gr\'fc\'dfe\htmlrtf\'e4\par}\htmlrtf0{\*\htmltag72 </p>}{\*\mhtmltag <x>}}",
            "",
            "<p>Grüße</p>",
        ),
        (b"\\", "", ""),
    ],
)
def test_rich_text(source, text, markup):
    assert rtf.read(packed(source)) == (text, markup)
