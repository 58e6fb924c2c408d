"""The probes of `maild doctor` for [[imap]]: can we get in, and what is there."""

import socket
import ssl
import time
from collections.abc import Iterator
from functools import partial

from imapclient import IMAPClient  # type: ignore[import-untyped]  # it ships no types
from imapclient.exceptions import LoginError  # type: ignore[import-untyped]  # likewise

from maild.cli.doctor_certificate import judge_end
from maild.cli.doctor_running import beside
from maild.cli.finding import Finding
from maild.config import Config
from maild.config.imap import accounts
from maild.ingest.imap_account import Account, ImapError
from maild.ingest.imap_login import logged_in, naming_faults
from maild.ingest.imap_oauth import Tokens
from maild.ingest.imap_session import Session

MOST_NAMED = 10

_NO_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")

_SECRETS = {True: "imap.password_file", False: "imap.refresh_token_file, or imap.client_secret_file"}

SECONDS = 25.0
"""For all accounts together; after failed logins a server may take 8 s for a correct one."""


def probe_imap(config: Config, seconds: float = SECONDS) -> Iterator[Finding]:
    """Log in to each account, and look at its folder without changing anything; one that hangs holds up no other."""
    named = [(f"imap {account.name}", partial(_looked_at, account)) for account in accounts(config)]
    yield from beside(named, config, seconds)


def _looked_at(account: Account, _: Config) -> Iterator[Finding]:
    try:
        yield from _account(account)
    except ImapError as error:
        yield Finding(f"imap {account.name}", "fail", advised(account, error))


def advised(account: Account, error: ImapError) -> str:
    """Say what went wrong, and what of [[imap]] is to be looked at."""
    words, cause, place = str(error), error.__cause__, f"{account.host} port {account.port}"
    match cause:
        case LoginError() if error.refused:
            return f"{words}: see imap.username and {_SECRETS[account.auth == 'password']}"
        case ssl.SSLCertVerificationError():
            return f"{words}: see imap.host, and imap.tls_ca_file where its authority is one of your own"
        case ssl.SSLError() if cause.reason in _NO_TLS:
            other = 'write imap.tls = "starttls", or use its port for TLS, 993'
            return f"{place} speaks no TLS: {other}" if account.tls == "implicit" else f"{place}: {words}"
        case socket.gaierror():
            return f"unknown host: imap.host = {account.host!r} ({cause.strerror})"
        case ConnectionRefusedError():
            return f"nobody listens at {place} (Connection refused): see imap.host and imap.port"
    return f"{place}: {words}" if isinstance(cause, OSError) else words


def _account(account: Account) -> Iterator[Finding]:
    name = f"imap {account.name}"
    with logged_in(account, Tokens(account.grant) if account.grant else None) as client:
        how = "with a password" if account.auth == "password" else f"by {account.auth}"
        yield Finding(name, "ok", f"logged in {how}, {_tls(client)}")
        yield from _certificate(name, client)
        session = Session(client, account.folder, readonly=True)
        session.select()
        yield Finding(
            f"{name} folder", "ok", f"{session.count} messages, UIDVALIDITY {session.uidvalidity}, {_can(session)}"
        )
        if account.idle and not session.can_idle:
            yield Finding(name, "warn", f"no IDLE: new mail is looked for every {account.poll:.0f} s")
        yield from _folders(name, account, client, session)
        yield from _large(name, account, session)


def _tls(client: IMAPClient) -> str:
    sock = client.socket()
    return f"{sock.version()}" if isinstance(sock, ssl.SSLSocket) else "in plain text"


def _certificate(name: str, client: IMAPClient) -> Iterator[Finding]:
    sock = client.socket()
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    ends = str(shown.get("notAfter", "")) if shown else ""
    if ends:
        yield from judge_end(f"{name} certificate", ssl.cert_time_to_seconds(ends), time.time())


def _can(session: Session) -> str:
    words = [word for word, can in (("IDLE", session.can_idle), ("MOVE", session.can_move)) if can]
    return f"can {' and '.join(words)}" if words else "can neither IDLE nor MOVE"


def _folders(name: str, account: Account, client: IMAPClient, session: Session) -> Iterator[Finding]:
    if account.moves and not session.can_move:
        yield Finding(name, "fail", "neither MOVE nor UIDPLUS: nothing can be moved; clear done_folder and the like")
        return
    for key in ("done_folder", "quarantine_folder"):
        folder = getattr(account, key)
        if folder:
            with naming_faults():
                there = client.folder_exists(folder)
            words = "is there" if there else "is not there yet: it will be made"
            yield Finding(f"{name} {key}", "ok", f"{folder} {words}")


def _large(name: str, account: Account, session: Session) -> Iterator[Finding]:
    uids = session.larger(account.most_octets)
    if uids:
        named = ", ".join(map(str, uids[:MOST_NAMED])) + (", ..." if len(uids) > MOST_NAMED else "")
        words = f"{len(uids)} larger than smtp.max_message_bytes ({account.most_octets}) are not fetched: UID {named}"
        yield Finding(f"{name} size", "warn", words)
