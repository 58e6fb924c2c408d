"""One folder of one IMAP server, as it is configured, and what can go wrong with it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo


class ImapError(Exception):
    """What was asked of a server came to nothing.

    `refused` says that trying again soon would help nobody: login, certificate, configuration. `alive` says that it was
    one command that was refused, and the connection is as good as before.
    """

    def __init__(self, words: str, *, refused: bool = False, alive: bool = False) -> None:
        super().__init__(words)
        self.refused = refused
        self.alive = alive


@dataclass(frozen=True, slots=True)
class Grant:
    """How access tokens are had (RFC 6749 sections 4.4 and 6).

    Without `refresh_token` the program has an access of its own. `kept` is the file in which a refresh token is kept
    that the server gave instead of ours.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str
    kept: Path


@dataclass(frozen=True, slots=True)
class Account:
    """Where mail is fetched, as whom, and for which mailbox.

    `ca_file` is None for the system's authorities. `poll` is in seconds, `most_octets` the size of the largest mail.
    """

    mailbox: str
    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    ca_file: Path | None
    username: str
    auth: Literal["password", "xoauth2", "oauthbearer"]
    password: str = field(repr=False)
    grant: Grant | None
    folder: str
    since: str
    idle: bool
    poll: float
    done_folder: str
    quarantine_folder: str
    most_octets: int
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """What the ledger knows it by: user@host/folder."""
        return f"{self.username}@{self.host}/{self.folder}"

    @property
    def moves(self) -> bool:
        """Whether mail is ever moved."""
        return bool(self.done_folder or self.quarantine_folder)
