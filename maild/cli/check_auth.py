"""What is odd with [auth]: keys that change nothing, samples left as they were, and networks of half the world."""

import ipaddress
import re
from collections.abc import Iterator

from maild.config import Config
from maild.config.values import is_network
from maild.ingest import verify

_EXAMPLE = re.compile(r"(?:\A|.*\.)example\.(?:com|net|org)\Z")
_WIDEST = 22
"""Bits of an IPv4 network that one company's mail servers may fill."""

_SENDS = {
    "Microsoft": ("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"),
    "Google": ("209.85.128.0/17", "74.125.0.0/16", "2a00:1450::/32", "2607:f8b0::/32"),
}
"""Networks from which the mail of all their customers comes, as their SPF records name them."""


def unauthenticated(config: Config) -> str:
    """Say what it means that nobody's word on senders counts; "" where somebody's does."""
    if config.auth.authserv_id or config.auth.unnamed or checks_dkim(config):
        return ""
    why = "auth.dkim is off" if config.auth.dkim == "off" else "pip install 'maild[dkim]' was not done"
    return (
        f"auth.authserv_id is empty and {why}, so no sender is ever authenticated: an agent's mail counts only as a reply"
        " to a notification" + ("" if config.ack.to == "everyone" else ", and only known senders are acknowledged")
    )


def checks_dkim(config: Config) -> bool:
    """Say whether maild checks DKIM signatures itself."""
    return config.auth.dkim == "auto" and verify.installed()


def looks_itself(config: Config) -> Iterator[str]:
    """Say that maild checks DKIM itself, and where; nothing where it does not."""
    if checks_dkim(config):
        where = ", where your servers say nothing of them" if config.auth.authserv_id or config.auth.unnamed else ""
        yield f"maild will check DKIM signatures itself{where}"


def odd_auth(config: Config) -> Iterator[str]:
    """Give a line for each thing in [auth] that may be, and is hardly meant."""
    auth = config.auth
    named = auth.authserv_id or auth.unnamed
    idle = [key for key in ("hops", "below") if getattr(auth, key) and not named]
    if idle:
        want = "changes" if len(idle) == 1 else "change"
        yield f"auth.{' and auth.'.join(idle)} {want} nothing while auth.authserv_id is empty"
    if auth.unnamed and not auth.hops:
        yield "auth.unnamed without auth.hops: Microsoft 365 writes below its own Received fields, where none is believed"
    if auth.arc_sealers and not (named or checks_dkim(config)):
        yield "auth.arc_sealers changes nothing while nobody checks a chain"
    samples = [
        *(f"auth.authserv_id {name}" for name in auth.authserv_ids if _EXAMPLE.match(name.lower())),
        *(f"auth.hops {name}" for name in auth.hops if _EXAMPLE.match(name)),
    ]
    if samples:
        yield f"these names are examples: write those of your own mail servers instead: {', '.join(samples)}"
    for number, hop in enumerate(auth.hops, 1):
        if is_network(hop) and (words := _of_many(hop)):
            yield f"auth.hops[{number}]: {hop} {words}"


def _of_many(hop: str) -> str:
    network = ipaddress.ip_network(hop)
    for whose, theirs in _SENDS.items():
        if any(network.version == one.version and network.overlaps(one) for one in map(ipaddress.ip_network, theirs)):
            return (
                f"is where {whose} sends from, for all its customers: any of them could say who a sender is; name the"
                " networks within that docs/security.md tells of"
            )
    if network.version == 4 and network.prefixlen < _WIDEST and network.is_global:
        return (
            "is a wide public network: whoever sends from there could say who a sender is; name your own servers alone"
        )
    return ""
