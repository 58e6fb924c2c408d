"""From an account to a connection that is logged in. Blocks, so it runs in the worker's thread."""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from imapclient import IMAPClient, SocketTimeout  # type: ignore[import-untyped]  # it ships no types
from imapclient.exceptions import (  # type: ignore[import-untyped]  # likewise
    CapabilityError,
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
)

from maild.ingest.imap_account import Account, ImapError
from maild.ingest.imap_oauth import Tokens

CONNECT = 15.0
READ = 60.0
"""Seconds of silence after which a server counts as gone. After failed logins Dovecot takes 8 s for a correct one."""

ANSWER = 32 * 1024 * 1024
"""Octets of the longest answer to one command, mail aside: somebody flags a hundred thousand messages at once."""

_FOR_A_WHILE = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]")
"""Codes of RFC 5530 that say nothing against our password."""

# Its DEBUG holds whole dialogues.
logging.getLogger("imapclient").setLevel(logging.WARNING)


def tls_context(account: Account) -> ssl.SSLContext:
    """Give the context: the certificate and the name in it are verified. ImapError where the authority cannot be read."""
    try:
        return ssl.create_default_context(cafile=None if account.ca_file is None else str(account.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ImapError(f"tls_ca_file: {account.ca_file} is no readable certificate: {error}", refused=True) from error


@contextmanager
def naming_faults() -> Iterator[None]:
    """Give what the library and the system raise our name, with words."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise ImapError(f"its certificate does not verify: {error.verify_message}", refused=True) from error
    except ssl.SSLError as error:
        raise ImapError(f"no TLS: {error.reason or error}", refused=True) from error
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError):  # the library calls a lost connection a refusal, too
            raise ImapError(f"the connection ended: {_plain(error)}") from error
        words = _plain(error)
        passes = any(code in words for code in _FOR_A_WHILE)
        raise ImapError(f"the login was refused: {words}", refused=not passes) from error
    except CapabilityError as error:
        raise ImapError(f"it cannot do what is needed: {error}", refused=True) from error
    except IMAPClientAbortError as error:
        raise ImapError(f"the connection ended: {_plain(error)}") from error
    except IMAPClientError as error:
        raise ImapError(f"it refused: {_plain(error)}", alive=True) from error
    except (OSError, ValueError) as error:  # ValueError: a file that was closed, or a dialogue that makes no sense
        raise ImapError(f"{type(error).__name__}: {error}") from error


def _plain(error: Exception) -> str:
    words = str(error)
    return (words[2:-1] if words.startswith(("b'", 'b"')) else words)[:500]


def connect(account: Account) -> IMAPClient:
    """Connect, with TLS where it is asked for; there is no way back to plain text. ImapError."""
    with naming_faults():
        context = tls_context(account)
        implicit = account.tls == "implicit"
        client = IMAPClient(
            account.host,
            account.port,
            ssl=implicit,
            ssl_context=context if implicit else None,
            timeout=SocketTimeout(CONNECT, READ),
        )
        try:
            client.normalise_times = False
            allow(client)
            if account.tls == "starttls":
                client.starttls(context)
        except BaseException:
            shut(client)
            raise
        return client


def allow(client: IMAPClient, octets: int = 0) -> None:
    """Let the server say so many octets from now on, and `ANSWER` besides; what goes beyond that is an ImapError.

    It is raised before a literal is read, for whatever length the server says of it the library would make room for.
    """
    imap = client._imap  # noqa: SLF001 - `read` and `readline` are imaplib's own places for this
    left = most = ANSWER + octets

    def spend(spent: int) -> None:
        nonlocal left
        left -= spent
        if left < 0:
            raise ImapError(f"its answer is longer than {most} octets")

    def read(size: int) -> bytes:
        spend(size)
        return bytes(type(imap).read(imap, size))

    def readline() -> bytes:
        line = bytes(type(imap).readline(imap))
        spend(len(line))
        return line

    imap.read, imap.readline = read, readline


def log_in(client: IMAPClient, account: Account, tokens: Tokens | None) -> None:
    """Log in. A token that is refused is renewed once. ImapError."""
    if tokens is None:
        with naming_faults():
            _by_password(client, account)
        return
    token = tokens.access()
    try:
        with naming_faults():
            _by_token(client, account, token)
    except ImapError as error:
        if not error.refused:
            raise
        tokens.spoil()
        token = tokens.access()
        with naming_faults():
            _by_token(client, account, token)


def _by_password(client: IMAPClient, account: Account) -> None:
    if account.username.isascii() and account.password.isascii():
        client.login(account.username, account.password)
    else:  # LOGIN knows ASCII alone
        client.plain_login(account.username, account.password)


def _by_token(client: IMAPClient, account: Account, token: str) -> None:
    mechanism = "XOAUTH2" if account.auth == "xoauth2" else "OAUTHBEARER"
    client.sasl_login(mechanism, initial_then_end(account, token))


def initial_then_end(account: Account, token: str) -> Callable[[bytes], bytes]:
    """Give the client's side of XOAUTH2, or of OAUTHBEARER (RFC 7628 section 3): the token, and to an error its end."""
    if account.auth == "xoauth2":
        first, end = f"user={account.username}\x01auth=Bearer {token}\x01\x01", b""
    else:
        name = account.username.replace("=", "=3D").replace(",", "=2C")
        first = f"n,a={name},\x01host={account.host}\x01port={account.port}\x01auth=Bearer {token}\x01\x01"
        end = b"\x01"
    said = [end, first.encode()]

    def respond(challenge: bytes) -> bytes:  # noqa: ARG001 - the token is said to the empty one, the end to any other
        return said.pop() if len(said) > 1 else end

    return respond


def shut(client: IMAPClient) -> None:
    """Close the connection without a word."""
    with suppress(IMAPClientError, OSError, ValueError):
        client.shutdown()


@contextmanager
def logged_in(account: Account, tokens: Tokens | None) -> Iterator[IMAPClient]:
    """Hold a connection that is logged in for the length of the block, and close it. ImapError."""
    client = connect(account)
    try:
        log_in(client, account, tokens)
        yield client
    finally:
        shut(client)
