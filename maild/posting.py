"""One POST over HTTP, as a client that must not be led astray: no other host than the one named, and no plain text.

The standard library is enough for it: one request, no redirects, no pool, no proxy of the environment (ADR 14).
"""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its status, and the beginning of the body."""

    status: int
    octets: bytes


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, most: int, tls: ssl.SSLContext | None = None
) -> Answer:
    """POST `body` to `url`, and give the answer with at most `most` octets. A redirect is an answer, and not followed.

    https is verified against `tls` (default: the system's authorities); http is for this machine only, which the
    configuration sees to. It blocks for at most `seconds` once it is connected, and as long to connect to each address.
    OSError (ssl.SSLCertVerificationError among them) or http.client.HTTPException where there is no answer.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = tls or ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=seconds)
    try:
        connection.connect()
        with _ending(connection.sock, seconds):
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            return Answer(response.status, response.read(most))
    finally:
        connection.close()


@contextlib.contextmanager
def _ending(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Hang up after `seconds`: the timeout of a socket is for one octet, and a server may send one at a time."""

    def hang_up() -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
