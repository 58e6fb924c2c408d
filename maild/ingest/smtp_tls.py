"""The certificate under which TLS is offered, read anew when its files change (RFC 3207, RFC 8996)."""

import ssl
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

Stamp = tuple[tuple[int, int, int] | None, ...]


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make a context of two PEM files; the certificate's holds its chain. OSError where they do not make one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    # Nobody is there to be asked for a passphrase.
    context.load_cert_chain(certificate, key, password=lambda: "")
    return context


class Certificate:
    """Gives the context of the moment. OSError at the beginning where the files do not make one.

    A new pair of files counts from the next STARTTLS. One that does not fit together (one of the two is not renewed
    yet) is logged, and the last good one stays in use.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._stamp = self._look()
        self._context = server_context(certificate, key)

    def context(self) -> ssl.SSLContext:
        """Give the context to shake hands with now."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._context = server_context(*self._files)
            except OSError as error:
                log.error("smtp.certificate_refused", file=str(self._files[0]), because=str(error))  # noqa: TRY400 - the reason is in the words
            else:
                log.info("smtp.certificate_renewed", file=str(self._files[0]))
        return self._context

    def _look(self) -> Stamp:
        return tuple(map(_stamp, self._files))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
