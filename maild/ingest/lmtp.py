"""Local delivery (RFC 2033): SMTP as a mail server speaks it to us, with a reply for each recipient."""
# ruff: noqa: N802 - aiosmtpd finds the methods of commands by names in capitals

import contextlib
import errno
import socket
from pathlib import Path

from maild.ingest.smtp_session import Connection

BACKLOG = 128


class LmtpConnection(Connection):
    """A client of LMTP.

    The recipients of a mail are stored in one unit, so all replies to it are alike; but there is one for each RCPT that
    was accepted, repeated ones too, in their order (section 4.2), whatever becomes of the mail.
    """

    via = "lmtp"

    async def smtp_LHLO(self, hostname: str) -> None:
        """Section 4.1: what EHLO is to SMTP."""
        await self._greet(hostname, extended=True)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: ARG002 - refused whoever it is
        """Section 4.1: refused with 500."""
        await self.push("500 5.5.1 this is LMTP: say LHLO")

    async def smtp_EHLO(self, hostname: str) -> None:
        """Section 4.1: refused with 500."""
        await self.smtp_HELO(hostname)

    async def check_helo_needed(self, helo: str = "LHLO") -> bool:
        """Refuse what comes before the greeting."""
        return await super().check_helo_needed(helo)

    async def _answer(self, reply: str, recipients: tuple[str, ...]) -> None:
        await self._send("\r\n".join([reply] * len(recipients)))


def unix_listener(path: Path, mode: int) -> socket.socket:
    """Listen at `path` with these permissions; a socket that a dead daemon left behind is replaced.

    OSError where another one listens there (EADDRINUSE), where something else than a socket lies there (EEXIST), or
    where it cannot be made.
    """
    if path.exists() and not path.is_socket():
        raise OSError(errno.EEXIST, "there is a file, which is no socket", str(path))
    with contextlib.suppress(ConnectionRefusedError, FileNotFoundError), _unix() as probe:
        probe.connect(str(path))
        raise OSError(errno.EADDRINUSE, "another daemon listens there", str(path))
    # Bound beside it and moved there: at no instant does it stand there with other permissions.
    beside = path.with_name(f".{path.name}.new")
    sock = _unix()
    try:
        beside.unlink(missing_ok=True)
        sock.bind(str(beside))
        beside.chmod(mode)
        sock.listen(BACKLOG)
        beside.replace(path)
    except BaseException:
        sock.close()
        beside.unlink(missing_ok=True)
        raise
    return sock


def _unix() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
