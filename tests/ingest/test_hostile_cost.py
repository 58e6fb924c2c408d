"""Hand-made mail that is made to cost: what each takes of a real worker, processor and memory."""

import asyncio
import os
import resource
import struct
import zlib

import pytest

from maild.ingest.workers import Limits, Parsers

CPU_SECONDS = 10.0
MEMORY = 2**30
MIB = 2**20
HEAD = b"From: Mallory <mallory@odd.example>\r\nTo: csm@desk.example\r\nMIME-Version: 1.0\r\n"


def mail(fields, body=b"hello\r\n"):
    return HEAD + fields + b"Subject: odd\r\n\r\n" + body


def nested(depth):
    head = b"Content-Type: multipart/mixed; boundary=b0\r\n"
    parts = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(depth))
    return mail(head, parts + b"--b%d\r\n\r\nhello\r\n" % depth)


def parts(part, count):
    return mail(b"Content-Type: multipart/mixed; boundary=b\r\n", (b"--b\r\n" + part + b"\r\n") * count)


def html(body):
    return mail(b"Content-Type: text/html; charset=utf-8\r\n", body)


def folded(name, words, a_line=50):
    lines = [b" ".join(words[at : at + a_line]) for at in range(0, len(words), a_line)]
    return name + b": " + b"\r\n ".join(lines) + b"\r\n"


def tnef_object(level, name, data):
    return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def tnef_bomb():
    """Compressed RTF whose every token repeats 17 octets, in as many objects as fit, and embedded in itself."""
    packed = b"\xff" + b"\x00\x0f" * 8
    contents = packed * (8 * MIB // len(packed))
    rtf = struct.pack("<IIII", len(contents) + 12, 2**31, 0x75465A4C, zlib.crc32(contents)) + contents
    prop = struct.pack("<IHHII", 1, 0x0102, 0x1009, 1, len(rtf)) + rtf + b"\x00" * (-len(rtf) % 4)
    small = tnef_object(2, 0x69002, b"\x00" * 14) + tnef_object(2, 0x6800F, b"")
    octets = struct.pack("<IH", 0x223E9F78, 1) + tnef_object(1, 0x69003, prop) + small * 200_000
    return mail(b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: binary\r\n", octets)


def rich_text():
    """Rich text of groups and words, not compressed."""
    source = b"{\\rtf1" + b"{\\u1?\\'e4" * 400_000
    rtf = struct.pack("<IIII", 0, len(source), 0x414C454D, 0) + source
    prop = struct.pack("<IHHII", 1, 0x0102, 0x1009, 1, len(rtf)) + rtf + b"\x00" * (-len(rtf) % 4)
    return mail(
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: binary\r\n",
        struct.pack("<IH", 0x223E9F78, 1) + tnef_object(1, 0x69003, prop),
    )


def tnef_nest():
    """A message in a message in a message, as TNEF spells it."""
    octets = b""
    for _ in range(2000):
        value = b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46" + octets
        prop = struct.pack("<IHHII", 1, 0x000D, 0x3701, 1, len(value)) + value + b"\x00" * (-len(value) % 4)
        octets = (
            struct.pack("<IH", 0x223E9F78, 1) + tnef_object(2, 0x69002, b"\x00" * 14) + tnef_object(2, 0x69005, prop)
        )
    return mail(b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: binary\r\n", octets)


def der_nest():
    """Constructed octet strings of BER in one another, without an end."""
    octets = bytes.fromhex("308006092a864886f70d010702a0803080020101310030800609" + "2a864886f70d010701a080")
    return mail(b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n", octets + b"\x24\x80" * 5_000_000)


HOSTILE = {
    "100,000 semicolons": lambda: mail(b"Content-Type: text/plain" + b";" * 100_000 + b"\r\n"),
    "100,000 parameters": lambda: mail(
        folded(b"Content-Type", [b"text/plain;"] + [b"a%d=b;" % n for n in range(100_000)])
    ),
    "20,000 encoded words": lambda: mail(folded(b"Subject", [b"=?utf-8?q?=C3=A9?="] * 20_000)),
    "100,000 encoded words": lambda: mail(folded(b"Subject", [b"=?utf-8?q?=C3=A9?="] * 100_000)),
    "encoded words that never end": lambda: mail(b"".join(b"X-%d: " % n + b"=?" * 30_000 + b"\r\n" for n in range(4))),
    "encoded words in the sender": lambda: mail(folded(b"Sender", [b"=?utf-7?b?KysrKw==?= <a@b>,"] * 2_000)),
    "1,000 nested parts": lambda: nested(1_000),
    "100,000 nested parts": lambda: nested(100_000),
    "1,000 nested mails": lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"hello",
    "10 MB of empty lines": lambda: mail(b"", b"\r\n" * 5_000_000),
    "32 MB of empty lines": lambda: mail(b"", b"\r\n" * 16_000_000),
    "32 MB of empty lines before the header": lambda: b"\r\n" * 16_000_000 + mail(b""),
    "32 MB of blanks": lambda: mail(b"", b" \n" * 16_000_000),
    "100,000 header fields": lambda: mail(b"X-Field: value\r\n" * 100_000),
    "1,000,000 lines that are no fields": lambda: mail(b"no field\r\n" * 1_000_000),
    "one header line of 25 MB": lambda: mail(b"X-Long: " + b"x" * 25 * MIB + b"\r\n"),
    "a header without an end": lambda: HEAD + b"X-Long: x\r\n y\r\n" * 1_500_000,
    "1,000,000 recipients": lambda: mail(folded(b"To", [b"a@b.example,"] * 1_000_000)),
    "1,000,000 From fields": lambda: mail(b"From: a@b\r\n" * 1_000_000),
    "100,000 references": lambda: mail(folded(b"References", [b"<id.%d@odd.example>" % n for n in range(100_000)])),
    "brackets that never close": lambda: mail(folded(b"References", [b"<"] * 60_000) + folded(b"To", [b"(<"] * 30_000)),
    "100,000 RFC 2231 continuations": lambda: mail(
        folded(b"Content-Type", [b"text/plain;"] + [b"name*%d*=x%%41;" % n for n in range(100_000)])
    ),
    "500,000 parts": lambda: mail(b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n\r\nx\r\n" * 500_000),
    "500,000 parts in digests": lambda: mail(
        b"Content-Type: multipart/digest; boundary=b\r\n", b"--b\r\nSubject: s\r\n\r\nx\r\n" * 500_000
    ),
    "the same boundary everywhere": lambda: mail(
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 200_000,
    ),
    "25 MB of base64, a letter a line": lambda: mail(
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n", b"Q\r\n" * (25 * MIB // 3)
    ),
    "25 MB of padding": lambda: mail(
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n", b"=Q" * (25 * MIB // 2)
    ),
    "25 MB of quoted-printable": lambda: mail(
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n", b"=\r\n" * (25 * MIB // 3)
    ),
    "HTML nested 1,000,000 deep": lambda: html(b"<div>" * 1_000_000 + b"deep"),
    "HTML tables nested 300,000 deep": lambda: html(b"<table><tr><td>" * 300_000 + b"deep"),
    "HTML of formatting elements": lambda: html(b"<b><i><p><font color=red>" * 40_000 + b"deep"),
    "25 MB of <": lambda: html(b"<" * 25 * MIB),
    "10 MB of &#": lambda: html(b"&#" * (5 * MIB)),
    "4 MB of signs": lambda: html("\u00ae".encode() * 2 * MIB),
    "HTML attributes without an end": lambda: html(b"<p " + b"a=b " * 6 * MIB),
    "100,000 attributes": lambda: html(b"<p " + b" ".join(b"a%d=b" % n for n in range(100_000)) + b">x"),
    "100,000 comments": lambda: html(b"<!-- x -->" * 100_000 + b"<!--" * 100_000),
    "scripts without an end": lambda: html(b"<script>" * 500_000 + b"<style" * 500_000),
    "200,000 levels of quoting": lambda: mail(b"", b">" * 200_000 + b" deep\r\n" + b"> " * 200_000 + b"deep\r\n"),
    "quoting that grows": lambda: mail(b"", b"".join(b">" * n + b" x\r\n" for n in range(3_000))),
    "1,000,000 quoted lines": lambda: mail(b"", b"> x\r\n" * 800_000),
    "attributions": lambda: mail(b"", b"On Mon, 5 Jan 2026 at 10:00, a wrote:\r\n" * 100_000),
    "signatures": lambda: mail(b"", b"-- \r\n" * 800_000),
    "header blocks in the text": lambda: mail(b"", b"From: a\r\nSent: b\r\nTo: c\r\nSubject: d\r\n\r\n" * 100_000),
    "uuencoded beginnings": lambda: mail(b"", b"begin 644 x\r\n" * 1_000_000),
    "100,000 uuencoded files": lambda: mail(b"", b"begin 644 x\r\n#86)C\r\n`\r\nend\r\n" * 100_000),
    "PGP beginnings": lambda: mail(b"", b"-----BEGIN PGP MESSAGE-----\r\n" * 150_000),
    "UTF-7": lambda: mail(b"Content-Type: text/plain; charset=utf-7\r\n", b"+" * 4 * MIB),
    "ISO-2022 escapes": lambda: mail(b"Content-Type: text/plain; charset=iso-2022-jp\r\n", b"\x1b$B\x1b(B" * 600_000),
    "octets that fit no charset": lambda: mail(b"Content-Type: text/plain; charset=euc-jp\r\n", b"\xff\x80" * 2 * MIB),
    "six texts that fit no charset": lambda: parts(
        b"Content-Type: text/plain; charset=euc-jp\r\n\r\n" + b"\xff\x80" * 2 * MIB, 6
    ),
    "six texts of references": lambda: parts(b"Content-Type: text/html\r\n\r\n" + b"&a" * 2 * MIB, 6),
    "380 parts with long fields": lambda: parts(
        b'Content-Type: text/plain; name="'
        + b"x" * 60_000
        + b'"\r\nContent-Transfer-Encoding: '
        + b"(" * 6_000
        + b"\r\nContent-ID: <"
        + b"a " * 500
        + b">\r\n\r\nx",
        380,
    ),
    "a bounce from nobody": lambda: (
        b"Return-Path: <>\r\nSubject: Undeliverable\r\nFrom: " + b"@" * 60_000 + b"\r\n\r\nhello\r\n"
    ),
    "a bounce from nobody, folded": lambda: (
        b"Return-Path: <>\r\nSubject: Undeliverable\r\n" + folded(b"From", [b"<@"] * 20_000) + b"\r\nhello\r\n"
    ),
    "a report on nobody": lambda: mail(
        b"Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: " + b"@" * 60_000 + b"\r\n--b--\r\n",
    ),
    "a bounce of nothing": lambda: mail(
        b"Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + b"Final-Recipient: rfc822; a@b\r\n\r\n" * 500_000,
    ),
    "a bounce in words": lambda: mail(
        b"Return-Path: <>\r\nX-Failed-Recipients: " + b"a@b, " * 12_000 + b"\r\n", b"<a@b.example>:\r\n" * 1_000_000
    ),
    "a TNEF bomb": tnef_bomb,
    "400,000 groups of rich text": rich_text,
    "2,000 mails nested in TNEF": tnef_nest,
    "octet strings without an end": der_nest,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_it_costs_a_worker(name, capsys):
    octets = HOSTILE[name]()
    workers = Parsers(1, Limits(wall_seconds=100))  # a busy machine is no fault of the mail

    async def ask(function, *arguments):
        future = workers._pool.schedule(function, args=arguments)
        return await asyncio.wrap_future(future)

    try:
        await workers.warm()
        who, before = await ask(os.getpid), await ask(resource.getrusage, resource.RUSAGE_SELF)
        read = await workers.parse(octets, "mallory@odd.example")
        after = await ask(resource.getrusage, resource.RUSAGE_SELF)
        assert await ask(os.getpid) == who, read.defects
    finally:
        await workers.close()
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with capsys.disabled():
        print(f"\n  {name}: {len(octets):,} octets, {seconds:.2f} s, {after.ru_maxrss >> 10} MiB", end="")  # noqa: T201 - the figures are for people
    assert seconds <= CPU_SECONDS
    assert after.ru_maxrss * 1024 <= MEMORY
    assert not any("could not be parsed" in one for one in read.defects)
