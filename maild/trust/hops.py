"""Which part of a header was written on our side: the run of fields above the first hop that we do not trust.

A header is written from below upwards: each server puts a Received field on top (RFC 5321 section 4.4), and what it found
out about the sender beside it. So the walk begins at the top, where the peer that handed us the mail wrote, and a Received
field is believed only while everything above it was. It is passed over where our own hop says that it had the mail from
another hop of ours: *by* is one of ours, and the address that it saw (never the name that the client gave) lies in one of
our networks. The first that is not passed over is the *border*: there the mail came in, and below it a stranger wrote.

Assumed of the hops: each writes its Received field, and what it says there of the client's address is true. Fields below
the border's own Received count only where the configuration says how many the border writes there (`Authority.below`); it
must write them for every mail, or take out forged ones (RFC 8601 section 5).
"""

import ipaddress
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from maild.trust.results import Result, results

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PIECE = re.compile(r"[()]|[^\s()]+")
_LITERAL = re.compile(r"(?<![0-9a-z_.:-])[0-9a-f:.]++(?![0-9a-z_-])")
_TAG = re.compile(r"ipv6:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose word on senders counts.

    `ids` are authserv-ids in lower case; `unnamed` says that a field without any counts. `hosts` are names of our hops, in
    lower case, ".example.com" for all below it; `networks` where they are. `below` is how many fields the border writes
    below its own Received. `arc_sealers` are domains, in lower case, whose ARC seals are believed. `dkim` says that we may
    check signatures ourselves.
    """

    ids: tuple[str, ...] = ()
    unnamed: bool = False
    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    below: int = 0
    arc_sealers: tuple[str, ...] = ()
    dkim: bool = False

    @property
    def speaks(self) -> bool:
        """Whether anybody's Authentication-Results count."""
        return bool(self.ids) or self.unnamed

    def is_ours(self, host: str) -> bool:
        """Say whether a name after *by* is that of a hop of ours."""
        name = host.lower().rstrip(".")
        return name in self.ids or any(name.endswith(one) if one.startswith(".") else name == one for one in self.hosts)

    def is_near(self, address: IpAddress) -> bool:
        """Say whether an address lies in a network of our hops."""
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.networks if network.version == address.version)


@dataclass(frozen=True, slots=True)
class Run:
    """What our own hops found, and the fields that came in with the mail: all below the border's Received.

    `forged` says that fields under our name stand where anybody could have written them.
    """

    results: tuple[Result, ...]
    came: tuple[tuple[str, str], ...]
    forged: bool


def run_of(headers: Sequence[tuple[str, str]], authority: Authority) -> Run:
    """Walk a header from the top, as far as it was written on our side. Without a Received field all of it counts."""
    names = [name.lower() for name, _ in headers]
    stops = [number for number, name in enumerate(names) if name == "received"]
    border = next((number for number in stops if not _passed(headers[number][1], authority)), len(names))
    found = [number for number, name in enumerate(names) if name == "authentication-results"]
    next_stop = next((number for number in stops if number > border), len(names))
    below = [number for number in found if border < number < next_stop]
    by_us = border < len(names) and _written_by_us(headers[border][1], authority)
    below = below[: authority.below] if by_us else []
    above = [number for number in found if number < border]
    strange = [number for number in found if number > border and number not in below]
    came_at = below[-1] + 1 if below else border + 1 if border < len(names) else 0
    return Run(
        results=_results([headers[number][1] for number in (*above, *below)], authority),
        came=tuple(headers[came_at:]),
        forged=bool(_results([headers[number][1] for number in strange], authority)),
    )


def _results(fields: Sequence[str], authority: Authority) -> tuple[Result, ...]:
    return tuple(one for field in fields for one in results(field, authority.ids, unnamed=authority.unnamed))


@dataclass(frozen=True, slots=True)
class _Trace:
    """What a Received field says: the words and the comments between *from* and *by*, and the words after *by* and *with*."""

    sender: tuple[str, ...]
    comments: tuple[str, ...]
    receiver: str
    protocol: str

    @property
    def seen(self) -> tuple[IpAddress, ...]:
        """Every address between *from* and *by*; none where the server's own view, in brackets, holds none.

        Exim alone puts what it saw before the brackets and the client's name into them: from [192.0.2.1] (helo=name).
        """
        within = [one for comment in self.comments for one in _addresses(comment)]
        bare = [one for word in self.sender for one in _addresses(word)]
        by_exim = any("helo=" in comment for comment in self.comments)
        return (*within, *bare) if within or by_exim else ()


def _trace(field: str) -> _Trace | None:
    """Read a Received field; None where a client's own words may have bent it out of its shape.

    A client chooses the name after *from*. Whatever it writes there, it cannot take away the words that follow: so a
    second *by* or semicolon, a bracket that does not close, a quote or a backslash make it no field of ours.
    """
    if '"' in field or "\\" in field or field.count(";") != 1:
        return None
    words: list[str] = []
    comments: list[tuple[int, str]] = []
    depth = 0
    for piece in _PIECE.findall(field.lower().partition(";")[0]):
        if piece == "(":
            depth += 1
        elif piece == ")" and depth:
            depth -= 1
        elif piece == ")":
            return None
        elif depth:
            comments.append((len(words), piece))
        else:
            words.append(piece)
    if depth or words.count("by") != 1 or words[0] not in {"from", "by"} or words.count("from") > (words[0] == "from"):
        return None
    by = words.index("by")
    after = words[by + 1 :]
    return _Trace(
        sender=tuple(words[1:by]),
        comments=tuple(piece for at, piece in comments if at <= by),
        receiver=next(iter(after), ""),
        protocol=after[after.index("with") + 1] if "with" in after[:-1] else "",
    )


def _addresses(text: str) -> list[IpAddress]:
    found = []
    for literal in _LITERAL.findall(_TAG.sub(" ", text)):
        with suppress(ValueError):  # a word, or a port
            found.append(ipaddress.ip_address(literal.strip(".:") if literal.count(":") < 2 else literal))
    return found


def _written_by_us(field: str, authority: Authority) -> bool:
    trace = _trace(field)
    return trace is not None and _ours(trace.receiver, authority)


def _ours(receiver: str, authority: Authority) -> bool:
    return authority.is_ours(receiver) or any(map(authority.is_near, _addresses(receiver)))


def _passed(field: str, authority: Authority) -> bool:
    """Say whether a hop of ours says that it had the mail from another hop of ours, or from itself."""
    trace = _trace(field)
    if trace is None or not _ours(trace.receiver, authority):
        return False
    if not trace.sender:  # Seen in practice: Google hands over inside, by 2002:a05:... with SMTP
        return not authority.is_ours(trace.receiver)
    if trace.seen:
        return all(map(authority.is_near, trace.seen))
    # LMTP over a Unix socket has no address to tell of, and is spoken to nobody outside.
    return trace.protocol.startswith("lmtp") and not trace.comments and authority.is_ours(trace.sender[0])
