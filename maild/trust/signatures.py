"""Which DKIM signatures are worth a look of our own, and which keys (RFC 6376): stricter than the RFC, and bounded.

A signature must be by exactly the domain of the From, cover From, Subject and the whole body, and be in force; and what may
stand once must stand once, or somebody could put another one on top (section 8.15). Whether it holds is for others to
compute: that takes the DNS and the octets.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from maild.trust.results import a_label

ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
MOST = 3
"""Signatures of the sender's own domain that are looked at: each costs a question to the DNS and the body's digest."""

MOST_SETS = 10
"""Hops of an ARC chain that are looked at."""

ONCE = (
    "from",
    "subject",
    "date",
    "to",
    "cc",
    "reply-to",
    "sender",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)
"""Fields that a mail has at most one of (RFC 5322 section 3.6, RFC 2045)."""

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\Z")
_LONGEST_NAME = 253
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature field: its place among them, from 0 at the top, its domain and selector in lower case."""

    index: int
    domain: str
    selector: str
    algorithm: str

    @property
    def name(self) -> str:
        """Where its key stands in the DNS (section 3.6.2.1)."""
        return key_name(self.selector, self.domain)

    def __str__(self) -> str:
        return f"{self.algorithm}, d={self.domain}, s={self.selector}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The signatures that are worth a look, and in words why the others are not."""

    worth: tuple[Signature, ...]
    refused: tuple[str, ...]


def key_name(selector: str, domain: str) -> str:
    """Give the name of a key in the DNS, without a dot at its end; "" where there can be none."""
    name = f"{selector}._domainkey.{domain}"
    return name if _NAME.match(name) and len(name) <= _LONGEST_NAME else ""


def tags(field: str) -> dict[str, str] | None:
    """Read a list of tags, blanks in values left out (section 3.2); None where it is none or names a tag twice."""
    found: dict[str, str] = {}
    for part in field.strip().removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not name or name in found:
            return None
        found[name] = _SPACE.sub("", value)
    return found


def choose(headers: Iterable[tuple[str, str]], from_domain: str, now: int) -> Choice:
    """Choose among the DKIM-Signature fields of a mail. `now` are seconds since 1970."""
    headers = tuple(headers)
    worth: list[Signature] = []
    refused: list[str] = []
    count = Counter(name.lower() for name, _ in headers)
    doubled = next((name for name in ONCE if count[name] > 1), "")
    fields = [value for name, value in headers if name.lower() == "dkim-signature"]
    for index, field in enumerate(fields):
        given = tags(field) or {}
        domain = a_label(given.get("d", ""))
        if not domain or domain != a_label(from_domain):
            continue
        signature = Signature(index, domain, given.get("s", "").lower(), given.get("a", "").lower())
        fault = _fault(signature, given, now)
        if not fault and doubled:
            fault = f"leaves open which {doubled} field is the sender's: there are {count[doubled]}"
        elif not fault and len(worth) == MOST:
            fault = "is one too many"
        if fault:
            refused.append(f"the signature by {domain} {fault}")
        else:
            worth.append(signature)
    if fields and not worth and not refused:
        refused.append(f"none of its signatures is by {from_domain} itself")
    return Choice(tuple(worth), tuple(refused))


def _fault(signature: Signature, given: dict[str, str], now: int) -> str:
    signed = given.get("h", "").lower().split(":")
    identity = a_label(given.get("i", "@" + signature.domain).rpartition("@")[2])
    refusals = (
        (given.get("v") != "1", "has another version than 1"),
        (
            signature.algorithm not in ALGORITHMS,
            f"is made by {signature.algorithm or 'nothing'}, which proves nothing today",
        ),
        ("l" in given, "covers a part of the body alone (l=)"),
        (not {"from", "subject"} <= set(signed), "does not cover both From and Subject"),
        (not _in_force(given, now), "is not in force (t=, x=)"),
        (given.get("q", "dns/txt") != "dns/txt", "has its key elsewhere than in the DNS"),
        (identity != signature.domain, "speaks for another domain (i=)"),
        (not signature.name, "has no name that the DNS could know"),
    )
    return next((words for is_so, words in refusals if is_so), "")


def _in_force(given: dict[str, str], now: int) -> bool:
    begin, end = given.get("t", "0"), given.get("x", str(now))
    if not all(one.isascii() and one.isdigit() and len(one) <= 12 for one in (begin, end)):
        return False
    return int(begin) <= now + AHEAD and int(begin) <= int(end) and int(end) >= now


AHEAD = 3600
"""Seconds that a signer's clock may be ahead of ours."""


def key_fault(record: str, signature: Signature) -> str:
    """Say what is wrong with a key as the DNS has it (section 3.6.1); "" for nothing that can be seen without using it."""
    given = tags(record)
    if given is None:
        return "its key cannot be read"
    kind = given.get("k", "rsa").lower()
    hashes = given.get("h", "sha256").lower().split(":")
    services = given.get("s", "*").lower().split(":")
    refusals = (
        (given.get("v", "DKIM1") != "DKIM1", "its key is of another version"),
        (not given.get("p"), "its key was revoked"),
        (not signature.algorithm.startswith(kind + "-"), f"its key is for {kind}"),
        ("sha256" not in hashes, "its key is not for SHA-256"),
        (not {"*", "email"} & set(services), "its key is not for mail"),
        ("y" in given.get("t", "").lower().split(":"), "its domain only tries DKIM out (t=y)"),
    )
    return next((words for is_so, words in refusals if is_so), "")
