"""Who a sender is, and how we know: Authentication-Results of a trusted hop (RFC 8601) and our tokens.

From alone is never authority. The results count only where the hop that handed us the mail is trusted, only under
the configured authserv-id, and only above the first Received field: everything below was there before our hop.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from maild.mail import InboundMail
from maild.threading.place import Placement
from maild.threading.token import Purpose


class Standing(StrEnum):
    """How far a From may be believed."""

    AUTHENTICATED = "authenticated"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    WEAK = "weak"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed of the sender. `method` is dmarc, dkim or token, "" where nothing proved him."""

    standing: Standing
    method: str
    because: str

    @property
    def proven(self) -> bool:
        """Whether the From may be taken for the sender."""
        return self.standing in {Standing.AUTHENTICATED, Standing.TOKEN}


@dataclass(frozen=True, slots=True)
class Result:
    """One method of one Authentication-Results field, e.g. dkim=pass header.d=example.com."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        """Give a property's value in lower case, "" where it is absent."""
        return next((value for key, value in self.properties if key == name), "")


_PAIR = re.compile(r"([A-Za-z0-9_.\-]+)\s*=\s*([^\s;]+)")


def _statements(field: str) -> list[str]:
    """Split at semicolons, comments left out; what stands in quotes is a sender's to choose and can form no statement."""
    parts: list[list[str]] = [[]]
    depth, quoted = 0, False
    escaped = False
    for letter in field:
        if escaped:
            escaped = False
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif quoted:
            quoted = letter != '"'
            parts[-1].append("_" if letter in '";= \t()' and quoted else letter if quoted else "")
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif letter == '"':
            quoted = True
        elif letter == ";":
            parts.append([])
        else:
            parts[-1].append(letter)
    return ["".join(part) for part in parts]


def results(field: str, authserv_id: str) -> tuple[Result, ...]:
    """Read one Authentication-Results field; nothing unless it bears our authserv-id (RFC 8601 section 2.2)."""
    head, *statements = _statements(field)
    words = head.split()
    if not words or words[0].lower() != authserv_id.lower():
        return ()
    found = []
    for statement in statements:
        pairs = [(key.lower(), value.lower()) for key, value in _PAIR.findall(statement)]
        if pairs:
            (method, result), *properties = pairs
            found.append(Result(method, result, tuple(properties)))
    return tuple(found)


def trusted_results(headers: Iterable[tuple[str, str]], authserv_id: str) -> tuple[Result, ...]:
    """Give the results that our own hop wrote: those above the first Received field."""
    found: list[Result] = []
    for name, value in headers:
        if name.lower() == "received":
            break
        if name.lower() == "authentication-results":
            found += results(value, authserv_id)
    return tuple(found)


def aligned(domain: str, from_domain: str) -> bool:
    """Say whether a signing domain speaks for a From domain: the same, or a parent of at least two labels."""
    return domain == from_domain or ("." in domain and from_domain.endswith("." + domain))


def _by_dmarc(checks: Sequence[Result], domain: str) -> Trust | None:
    dmarc = [check for check in checks if check.method == "dmarc" and check.value("header.from") in {"", domain}]
    if any(check.result == "fail" for check in dmarc):
        return Trust(Standing.FAILED, "", f"dmarc=fail for {domain}")
    if any(check.result == "pass" and check.value("header.from") == domain for check in dmarc):
        return Trust(Standing.AUTHENTICATED, "dmarc", f"dmarc=pass for {domain}")
    return None


def _by_dkim(checks: Sequence[Result], domain: str) -> Trust | None:
    for check in checks:
        signer = check.value("header.d") or check.value("header.i").rpartition("@")[2]
        if check.method == "dkim" and check.result == "pass" and aligned(signer, domain):
            return Trust(Standing.AUTHENTICATED, "dkim", f"dkim=pass by {signer}, aligned with {domain}")
    return None


def _by_token(placement: Placement, key: str) -> Trust | None:
    if placement.bearer != key or placement.purpose not in {Purpose.AGENT, Purpose.CUSTOMER}:
        return None
    return Trust(Standing.TOKEN, "token", f"our token made for {key} came back from that address")


def _without_proof(checks: Sequence[Result], below: Sequence[Result]) -> Trust:
    if below and not checks:
        because = (
            "results under our authserv-id stand below the topmost Received, where anybody could have written them"
        )
        return Trust(Standing.UNKNOWN, "", because)
    if any(check.method == "spf" and check.result == "pass" for check in checks):
        return Trust(Standing.WEAK, "", "spf=pass alone, which says nothing of the From")
    return Trust(Standing.UNKNOWN, "", "nothing proves that the From is true")


def judge(mail: InboundMail, *, trusted_hop: bool, authserv_id: str, placement: Placement) -> Trust:
    """Say how far the From of a mail may be believed. `trusted_hop` speaks of the peer that handed it to us.

    A failed DMARC comes first: no token rescues it.
    """
    sender = mail.sender
    if sender is None:
        return Trust(Standing.UNKNOWN, "", "its sender is ambiguous: not exactly one From with one mailbox")
    believes = trusted_hop and bool(authserv_id)
    checks = trusted_results(mail.headers, authserv_id) if believes else ()
    anywhere = (results(value, authserv_id) for value in mail.header("Authentication-Results")) if believes else ()
    return (
        _by_dmarc(checks, sender.domain)
        or _by_dkim(checks, sender.domain)
        or _by_token(placement, sender.key)
        or _without_proof(checks, tuple(chain.from_iterable(anywhere)))
    )
