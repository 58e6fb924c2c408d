"""What a value of the configuration may look like: each kind with its check, and words for what is wrong."""

import ipaddress
import re
from datetime import date
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator

from maild.config.duration import seconds
from maild.sla.ladder import NOTIFY, percent_of

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\Z")
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):([0-9]{1,5})\Z")
LAST_PORT = 65_535
_LONGEST_SOCKET = 100


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


def listen(value: object) -> object:
    """Check host:port; "" does not listen."""
    if isinstance(value, str) and value:
        found = _LISTEN.match(value)
        if found is None or int(found[1]) > LAST_PORT:
            raise ValueError(f"{value!r} is no host:port, such as 127.0.0.1:8025 or [::1]:25")
    return value


def lmtp_listen(value: object) -> object:
    """Check host:port or the path of a socket; "" does not listen."""
    if isinstance(value, str) and value.startswith("/"):
        if len(value.encode()) > _LONGEST_SOCKET or not value.isprintable():
            raise ValueError(f"{value!r} is no path for a socket: {_LONGEST_SOCKET} octets at most")
        return value
    try:
        return listen(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is neither an absolute path nor host:port") from error


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, so that what is said to it goes over no wire."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def token_url(value: object) -> object:
    """Check an https URL; http is for this machine only."""
    if isinstance(value, str) and value:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError(f"{value!r} is no https URL, such as https://oauth2.googleapis.com/token")
        if not parts.hostname:
            raise ValueError(f"{value!r} names no host")
    return value


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
        raise ValueError(f"{word!r} is nobody: known are {', '.join(NOTIFY)}")
    return word


MailAddress = Annotated[str, BeforeValidator(_address)]
MaybeAddress = Annotated[str, BeforeValidator(lambda value: value and _address(value))]
Zone = Annotated[str, BeforeValidator(_zone)]
Seconds = Annotated[int, BeforeValidator(seconds)]
Pair = Annotated[tuple[Seconds, Seconds], AfterValidator(target_first)]
Network = Annotated[str, BeforeValidator(_network)]
Line = Annotated[str, matching(re.compile(r"[^\x00-\x1f\x7f]*\Z"), "single line of text")]
