"""What a service tells systemd (sd_notify(3)): datagrams of lines, here as text, and the one function that sends them."""

import socket
from collections.abc import Mapping, Sequence

WATCHDOG = "WATCHDOG=1"
"""Every loop turns."""

FIRST_SOCKET = 3
"""Sockets that systemd opened for us begin at this file descriptor (sd_listen_fds(3))."""

_MICROSECONDS = 1_000_000


def status(listeners: Sequence[str], waiting: int, owed: int, note: str = "") -> str:
    """Give the line that `systemctl status` shows.

    `listeners` are such as smtp=127.0.0.1:25; `waiting` counts mails that came in and are not decided on, `owed` mails
    that are to leave; `note` is added where there is something to say.
    """
    words = f"listening on {' '.join(listeners) or 'nothing'}; {waiting} waiting, {owed} owed"
    return f"STATUS={' '.join(f'{words}; {note}'.split())}" if note else f"STATUS={words}"


def ready(status_line: str) -> str:
    """Say that the start, or a reload, is over."""
    return f"READY=1\n{status_line}"


def reloading(monotonic_ns: int) -> str:
    """Say that a reload begins, at these nanoseconds of CLOCK_MONOTONIC; `ready` must follow."""
    return f"RELOADING=1\nMONOTONIC_USEC={monotonic_ns // 1000}\nSTATUS=reading the configuration again"


def stopping() -> str:
    """Say that the end begins. It feeds the watchdog a last time: mails on their way have a while."""
    return f"STOPPING=1\n{WATCHDOG}\nSTATUS=finishing the mails on their way"


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """Give after how many seconds without a word process `pid` is killed; None where nobody watches it."""
    usec = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", str(pid))
    if not usec.isascii() or not usec.isdigit() or int(usec) == 0 or meant != str(pid):
        return None
    return int(usec) / _MICROSECONDS


def passed_sockets(environment: Mapping[str, str], pid: int) -> range:
    """Give the file descriptors of the sockets that systemd listens on for process `pid`; empty where there are none."""
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") != str(pid) or not count.isascii() or not count.isdigit():
        return range(0)
    return range(FIRST_SOCKET, FIRST_SOCKET + int(count))


def names_of_sockets(environment: Mapping[str, str]) -> list[str]:
    """Give what the units call those sockets (FileDescriptorName=), in their order; empty where nobody says."""
    return [name for name in environment.get("LISTEN_FDNAMES", "").split(":") if name]


def tell(text: str, environment: Mapping[str, str]) -> None:
    """Send `text` to $NOTIFY_SOCKET; does nothing where nobody asked for it. OSError where nobody listens there."""
    path = environment.get("NOTIFY_SOCKET", "")
    if path[:1] not in {"/", "@"}:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.settimeout(1)
        sock.connect("\0" + path[1:] if path.startswith("@") else path)
        sock.sendall(text.encode())
