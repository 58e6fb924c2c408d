"""What a value of the configuration may look like: each kind with its check, and words for what is wrong."""

import ipaddress
import re
from datetime import date
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator

from maild.config.duration import seconds, slot
from maild.sla.ladder import NOTIFY, percent_of

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\Z")
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):([0-9]{1,5})\Z")
_HOST_AND_PORT = re.compile(r"(\[.*\]|[^:]*):[0-9]*\Z")
_FIELD_NAME = re.compile(r"[!-9;-~]+\Z")
LAST_PORT = 65_535
_LONGEST_SOCKET = 100
_HOP = re.compile(r"(?:[a-z0-9_-]+|\.[a-z0-9_-]+(?=\.))(?:\.[a-z0-9_-]+)*\Z")
_NUMBERS = re.compile(r"[0-9./-]+\Z")
"""A name of numbers alone is an address that was mistyped: no top-level domain is one (RFC 3696 section 2)."""

_AUTHSERV_ID = re.compile(r"[^\x00-\x20\x7f=;]+\Z")
_WIDEST = {4: 8, 6: 16}
_OWN = tuple(map(ipaddress.IPv6Network, ("fc00::/7", "fe80::/10")))
"""Wide, but nobody is in them who is not near (RFC 4193, RFC 4291 section 2.5.6)."""


def _address(value: object) -> object:
    if isinstance(value, str) and not _ADDRESS.match(value):
        raise ValueError(f"{value!r} is no mail address")
    return value.lower() if isinstance(value, str) else value


def _zone(value: object) -> object:
    if isinstance(value, str):
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no IANA time zone, such as Europe/Berlin") from error
    return value


def matching(pattern: re.Pattern[str], words: str) -> BeforeValidator:
    """Give the check that a text matches; `words` say what it is no such thing of."""

    def check(value: object) -> object:
        if isinstance(value, str) and not pattern.match(value):
            raise ValueError(f"{value!r} is no {words}")
        return value

    return BeforeValidator(check)


def _network(value: object) -> object:
    if isinstance(value, str):
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError as error:
            raise ValueError(f"{value!r} is no network, such as 192.0.2.0/24") from error
    return value


def narrow(words: str) -> AfterValidator:
    """Give the check that a network is not a good part of the internet; `words` say what it would mean."""

    def check(value: str) -> str:
        if not is_network(value):
            return value
        network = ipaddress.ip_network(value, strict=False)
        own = isinstance(network, ipaddress.IPv6Network) and any(network.subnet_of(one) for one in _OWN)
        if network.prefixlen < _WIDEST[network.version] and not own:
            raise ValueError(f"{value!r}: {words}")
        return value

    return AfterValidator(check)


def host_alone(port: str) -> BeforeValidator:
    """Give the check that no port stands beside a host, for that has the key `port`; IPv6 has no brackets here."""

    def check(value: object) -> object:
        found = _HOST_AND_PORT.match(value) if isinstance(value, str) else None
        if found:
            raise ValueError(f"{value!r} has a port in it: write {found[1].strip('[]')!r}, and use {port}")
        if isinstance(value, str) and value.startswith("["):
            raise ValueError(f"{value!r}: write it without brackets")
        return value

    return BeforeValidator(check)


def file_mode(value: object) -> object:
    """Check that permissions are no number: 660 and 0o660 are two of them in TOML, and nobody can say which was meant."""
    if isinstance(value, int):
        raise ValueError('write it in quotes, in octal: "0660"')  # noqa: TRY004 - pydantic passes a TypeError on
    return value


def field_name(value: object) -> object:
    """Check the name of a header field (RFC 5322 section 2.2)."""
    if isinstance(value, str) and not _FIELD_NAME.match(value):
        name = value.partition(":")[0].strip()
        name = name if _FIELD_NAME.match(name) else "X-Spam-Flag"
        raise ValueError(f"{value!r} is no field name: write {name}, without colon and value")
    return value


def is_network(value: str) -> bool:
    """Say whether a hop is given as an address or a network, and not by name."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def names(value: object) -> object:
    """Take one authserv-id (RFC 8601 section 2.5), or a list of them, which are then parted by a blank; "" is none."""
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return " ".join(_authserv_id(one) for one in value)
    return _authserv_id(value) if isinstance(value, str) and value else value


def _authserv_id(name: str) -> str:
    if len(name.split()) > 1:
        several = ", ".join(f'"{one}"' for one in name.split())
        raise ValueError(f"{name!r} has a blank in it: write several names as a list: [{several}]")
    if "@" in name:
        raise ValueError(f"{name!r} is a mail address: write the name that stands first in Authentication-Results")
    if "*" in name:
        raise ValueError(f"{name!r}: there are no patterns; write each name in full, several as a list")
    if not _AUTHSERV_ID.match(name):
        raise ValueError(
            f"{name!r} is no name, or list of names: write it as in Authentication-Results: mx.example.com"
        )
    return name


def our_hop(value: object) -> object:
    """Check a hop of ours: a name as its Received fields give it, .example.com for all below that, or a network."""
    if not isinstance(value, str):
        return value
    if is_network(value):
        network, host = ipaddress.ip_network(value, strict=False), value.partition("/")[0]
        if ipaddress.ip_address(host) != network.network_address:
            raise ValueError(f"{value!r} is one host and a network: write {str(network)!r}, or {host!r} for it alone")
    elif _NUMBERS.match(value):
        raise ValueError(f"{value!r} is no address and no network: write such as 192.0.2.5 or 192.0.2.0/28")
    elif not _HOP.match(value):
        raise ValueError(f"{value!r} is no hop: write its name in lower case, such as mx.example.com, or a network")
    return value


def lasting(value: int) -> int:
    """Check that a duration is one."""
    if value < 1:
        raise ValueError("is too short: write at least 1s")
    return value


def listen(value: object) -> object:
    """Check host:port; "" does not listen."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'write it in quotes, with its host: "127.0.0.1:{value}"')  # noqa: TRY004 - pydantic passes a TypeError on
    if isinstance(value, str) and value:
        found = _LISTEN.match(value)
        if found is None or int(found[1]) > LAST_PORT:
            raise ValueError(f"{value!r} is no host:port, such as 127.0.0.1:8025 or [::1]:25")
    return value


def lmtp_listen(value: object) -> object:
    """Check host:port or the path of a socket; "" does not listen."""
    if isinstance(value, str) and value.startswith("unix:"):
        raise ValueError(f"write it without unix: {value.removeprefix('unix:')!r}")
    if isinstance(value, str) and value.startswith("/"):
        if len(value.encode()) > _LONGEST_SOCKET or not value.isprintable():
            raise ValueError(f"{value!r} is no path for a socket: {_LONGEST_SOCKET} octets at most")
        return value
    try:
        return listen(value)
    except ValueError as error:
        if not isinstance(value, str):
            raise
        raise ValueError(f"{value!r} is neither an absolute path nor host:port") from error


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, so that what is said to it goes over no wire."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # 127.0.0.1.example.com is a name, of whoever has that domain.
        return False


def token_url(value: object) -> object:
    """Check an https URL; http is for this machine only."""
    if isinstance(value, str) and value:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError(f"{value!r} is no https URL, such as https://oauth2.googleapis.com/token")
        if not parts.hostname:
            raise ValueError(f"{value!r} names no host")
    return value


def program(words: tuple[str, ...]) -> tuple[str, ...]:
    """Check a program and its arguments: it is run without a shell, so it is named by its whole path."""
    if words and not words[0].startswith("/"):
        raise ValueError(f"{words[0]!r} is no absolute path: write the program's whole path, /usr/local/bin/page")
    return words


def secret_url(url: str) -> str:
    """Say what is wrong with a URL that is a secret, without a word of it; "" for nothing. http is for this machine only."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "holds no URL: write one into it, https://hooks.example.com/..., and nothing else"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "holds more than one URL: write the URL alone into it, in ASCII and without blanks"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host or "")):
        return "holds no https URL: write https://, or http:// for this machine"
    if not host:
        return "names no host: write https:// and the host"
    if parts.username is not None or parts.password is not None:
        return "holds a user before an @, who is not sent: use a command that can log in"
    return ""


def since_when(value: object) -> object:
    """Check now, all, or a date."""
    if isinstance(value, str) and value not in {"now", "all"}:
        try:
            date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(
                f"{value!r}: write now, all, or the date of the first mail to fetch, 2026-01-31"
            ) from error
    return value


def target_first(pair: tuple[int, int]) -> tuple[int, int]:
    """Check a target and its limit."""
    if not 0 < pair[0] <= pair[1]:
        raise ValueError("write [target, limit]: the target is not above the limit, and both are above 0")
    return pair


def step(at: str) -> str:
    """Check a rung of a ladder: target, 75%, limit+100%."""
    percent_of(at)
    return at


def told(word: str) -> str:
    """Check a word for who is told."""
    if word not in NOTIFY:
        raise ValueError(f"{word!r} is nobody: known are {', '.join(NOTIFY)}; single people are told by a rota")
    return word


MailAddress = Annotated[str, BeforeValidator(_address)]
MaybeAddress = Annotated[str, BeforeValidator(lambda value: value and _address(value))]
Zone = Annotated[str, BeforeValidator(_zone)]
Seconds = Annotated[int, BeforeValidator(seconds)]
Lasting = Annotated[Seconds, AfterValidator(lasting)]
Pair = Annotated[tuple[Seconds, Seconds], AfterValidator(target_first)]
Network = Annotated[str, BeforeValidator(_network)]
FileMode = Annotated[
    str, BeforeValidator(file_mode), matching(re.compile(r"0[0-7]{3}\Z"), "mode of a file, such as 0660")
]
ImapHost = Annotated[
    str,
    host_alone("imap.port"),
    matching(re.compile(r"[^\s/@\x00-\x1f\x7f]+\Z"), "host, such as imap.example.com"),
]
FieldName = Annotated[str, BeforeValidator(field_name)]
Believed = Annotated[Network, narrow("whoever connects from here is believed: name only your own mail servers")]
OurHop = Annotated[
    str,
    BeforeValidator(our_hop),
    narrow("what is received from here is believed to be checked: name only the networks of your own mail servers"),
]
Names = Annotated[str, BeforeValidator(names)]
Proxy = Annotated[
    Network,
    narrow("whoever connects from here can claim any address, also one in smtp.trusted: name only your proxies"),
]
Line = Annotated[str, matching(re.compile(r"[^\x00-\x1f\x7f]*\Z"), "single line of text")]


def weekly(value: object) -> object:
    """Check a day of the week with a time, such as "mon 08:00"; "" for none."""
    if isinstance(value, str) and value:
        slot(value)
    return value


def reader(value: str) -> str:
    """Check somebody who reads: an address where there is an @, else a word for `cross_faults` to know."""
    return str(_address(value)) if "@" in value else value
