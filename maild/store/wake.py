"""A nudge from the command line to the daemon beside it: an empty datagram on a socket in data_dir."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path


class Wake:
    """Listens for nudges and passes them on. A nudge that is lost costs only time: the loops also wake by the clock."""

    def __init__(self, path: Path, sock: socket.socket) -> None:
        self._path = path
        self._sock = sock

    @classmethod
    def listen(cls, path: Path, heard: Callable[[], None]) -> "Wake":
        """Call `heard` at every nudge to `path`; call it in the loop. A socket left behind by a crash is replaced."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sock.settimeout(0)
            path.unlink(missing_ok=True)
            sock.bind(str(path))
            path.chmod(0o600)
            asyncio.get_running_loop().add_reader(sock.fileno(), _heard, sock, heard)
        except BaseException:
            sock.close()
            raise
        return cls(path, sock)

    def close(self) -> None:
        """Stop listening. Calling it again does nothing."""
        if self._sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._sock.close()
            self._path.unlink(missing_ok=True)


def poke(path: Path) -> bool:
    """Nudge the daemon that listens at `path`; False where none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0)
        try:
            sock.sendto(b"", str(path))
        except BlockingIOError:
            return True  # It has not read the last ones yet, so it will wake.
        except OSError:
            return False
    return True


def _heard(sock: socket.socket, heard: Callable[[], None]) -> None:
    try:
        while True:
            sock.recv(1)
    except BlockingIOError:
        heard()
