"""The end of a certificate: read (RFC 5280 section 4.1) and judged."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

from maild.cli.finding import Finding

SOON = 14 * 86_400
"""Seconds before its end at which a certificate is worth a word."""

_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


def judge_end(name: str, ends: float, now: float) -> Iterator[Finding]:
    """Say how long a certificate still holds; both in seconds since 1970."""
    day = f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} UTC"
    if ends <= now:
        yield Finding(name, "fail", f"it ended at {day}: renew it")
    elif ends < now + SOON:
        yield Finding(name, "warn", f"it ends at {day}: renew it")
    else:
        yield Finding(name, "ok", f"it holds until {day}, {int(ends - now) // 86_400} days")


def ends_at(pem: str) -> datetime:
    """Give the end of the first certificate in PEM, that of the server itself; ValueError where there is none."""
    begin = pem.find(ssl.PEM_HEADER)
    end = pem.find(ssl.PEM_FOOTER, begin)
    if begin < 0 or end < 0:
        raise ValueError("there is no certificate in PEM")
    return _not_after(ssl.PEM_cert_to_DER_cert(pem[begin : end + len(ssl.PEM_FOOTER)]))


def _not_after(der: bytes) -> datetime:
    _, at, _ = _head(der, 0, _SEQUENCE)
    _, at, _ = _head(der, at, _SEQUENCE)
    tag, _, behind = _head(der, at)
    skipped = 3  # serial number, algorithm, issuer
    at = behind if tag == _VERSION else at
    for _ in range(skipped):
        at = _head(der, at)[2]
    _, at, _ = _head(der, at, _SEQUENCE)
    _, _, at = _head(der, at)
    tag, begin, end = _head(der, at)
    if tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise ValueError("the certificate names no end")
    text = der[begin:end].decode("ascii")
    # Two digits below 50 are of this century (RFC 5280 section 4.1.2.5.1).
    if tag == _UTC_TIME:
        text = f"{'20' if text < '50' else '19'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _head(der: bytes, at: int, wanted: int | None = None) -> tuple[int, int, int]:
    """Read what stands before a value: its tag, where it begins, where it ends."""
    if at + 2 > len(der) or (wanted is not None and der[at] != wanted):
        raise ValueError("the certificate is damaged")
    size, begin = der[at + 1], at + 2
    if size >= 0x80:
        begin += size & 0x7F
        size = int.from_bytes(der[at + 2 : begin], "big")
    return der[at], begin, begin + size
