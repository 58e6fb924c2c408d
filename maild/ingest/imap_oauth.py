"""Access tokens of OAuth 2, from a refresh token or from the program's own secret (RFC 6749 sections 6 and 4.4).

It blocks, so it runs in the worker's thread.
"""

import hashlib
import http.client
import json
import os
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from maild.ingest.imap_account import Grant, ImapError
from maild.posting import post

EARLY = 120.0
"""Seconds before its end at which a token is renewed."""

SHORTEST = 60.0
TIMEOUT = 30.0
MOST_OCTETS = 256 * 1024


class Tokens:
    """The access token of one account; asked for when there is none, and again shortly before it ends."""

    def __init__(self, grant: Grant, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._grant = grant
        self._monotonic = monotonic
        self._token = ""
        self._until = 0.0

    def access(self) -> str:
        """Give a token that is good for a while. ImapError where the server gives none."""
        if not self._token or self._monotonic() >= self._until:
            self._renew()
        return self._token

    def spoil(self) -> None:
        """Forget the token: the mail server did not take it."""
        self._token = ""

    def _renew(self) -> None:
        given = ask(self._grant, _kept(self._grant))
        self._token = str(given["access_token"])
        seconds = given.get("expires_in", 3600)
        lasts = float(seconds) if str(seconds).replace(".", "", 1).isdigit() else 3600.0
        self._until = self._monotonic() + max(lasts - EARLY, min(lasts, SHORTEST) / 2)
        newer = given.get("refresh_token")
        if self._grant.refresh_token and isinstance(newer, str) and newer:
            _keep(self._grant, newer)


def form(grant: Grant, refresh_token: str) -> dict[str, str]:
    """Give the fields of the request."""
    fields = {"grant_type": "refresh_token" if grant.refresh_token else "client_credentials"}
    fields |= {"refresh_token": refresh_token, "client_id": grant.client_id}
    fields |= {"client_secret": grant.client_secret, "scope": grant.scope}
    return {name: value for name, value in fields.items() if value}


def ask(grant: Grant, refresh_token: str) -> dict[str, Any]:
    """Ask the token endpoint, over TLS that is verified. ImapError with the server's own words where it gives none."""
    host = urlsplit(grant.token_url).hostname or ""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    body = urlencode(form(grant, refresh_token)).encode("ascii")
    try:
        answer = post(grant.token_url, body, headers, seconds=TIMEOUT, most=MOST_OCTETS)
    except ssl.SSLCertVerificationError as error:
        raise ImapError(f"the certificate of {host} does not verify: {error.verify_message}", refused=True) from error
    except (OSError, http.client.HTTPException) as error:
        raise ImapError(f"no token from {host}: {type(error).__name__}: {error}") from error
    return _read(host, answer.status, answer.octets)


def _read(host: str, status: int, octets: bytes) -> dict[str, Any]:
    try:
        given = json.loads(octets)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ImapError(f"{host} answered {status} without JSON", refused=400 <= status < 500)
    if status != http.client.OK or not isinstance(given.get("access_token"), str) or not given["access_token"]:
        # RFC 6749 section 5.2: no secret stands in these two.
        words = " ".join(str(given[key])[:300] for key in ("error", "error_description") if key in given)
        raise ImapError(f"{host} gives no token ({status}): {words or 'without a reason'}", refused=status < 500)
    return given


def _kept(grant: Grant) -> str:
    """Give the latest refresh token: the kept one, where it comes of the configured one, else that."""
    try:
        kept = json.loads(grant.kept.read_text("utf-8"))
    except (OSError, ValueError):
        return grant.refresh_token
    if isinstance(kept, dict) and kept.get("of") == _mark(grant) and isinstance(kept.get("refresh_token"), str):
        return str(kept["refresh_token"])
    return grant.refresh_token


def _keep(grant: Grant, refresh_token: str) -> None:
    """Keep a refresh token that stands in for ours; readable by its owner only, and whole or not at all."""
    written = json.dumps({"of": _mark(grant), "refresh_token": refresh_token})
    beside = grant.kept.with_name(f"{grant.kept.name}.new")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(grant.kept)
    except OSError as error:
        raise ImapError(f"{grant.kept} cannot be written: {error.strerror}") from error


def _mark(grant: Grant) -> str:
    return hashlib.sha256(grant.refresh_token.encode()).hexdigest()
