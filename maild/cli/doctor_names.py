"""The probe of `maild doctor` for DNS: the name by which we greet. The relay's is looked up on the way to it."""

import ipaddress
import socket
from collections.abc import Iterator, Sequence

from maild.cli.doctor_running import STEP, within
from maild.cli.doctor_words import fault
from maild.cli.finding import Finding
from maild.config import Config


def probe_names(config: Config) -> Iterator[Finding]:
    """Look up our own name, addresses of either family."""
    name = config.smtp.hostname or config.domain
    try:
        found = within(STEP, lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except OSError as error:
        yield judge_name(name, (), fault(error))
    else:
        yield judge_name(name, [str(each[4][0]) for each in found], "")


def judge_name(name: str, addresses: Sequence[str], why: str) -> Finding:
    """Judge what was found for the name we say in EHLO (RFC 5321 section 4.1.4); `why` nothing was."""
    if not addresses:
        words = (
            f"{name} has no address ({why}): set smtp.hostname to this machine's name, or others may refuse our EHLO"
        )
        return Finding("smtp.hostname", "warn", words)
    if all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses):
        words = f"{name} is this machine to itself only ({', '.join(addresses)}): see what others find in DNS"
        return Finding("smtp.hostname", "ok", words)
    return Finding("smtp.hostname", "ok", f"{name} is {', '.join(addresses)}")
