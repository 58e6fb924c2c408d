"""What the connections of one SMTP server share: who is in, and whether one more may come."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from maild.ingest.smtp_limits import SenderWindow, SmtpLimits, neighbourhood
from maild.mail import Envelope

GOODBYE = "421 4.3.2 shutting down, please come back"


class Peer(Protocol):
    """A connection, as far as the server ends it."""

    def leave_after_mail(self, words: str) -> None:
        """End with these last words, after the reply if a mail is on its way in."""

    def hang_up(self, words: str) -> None:
        """End with these last words."""

    def cut(self) -> None:
        """End without a word."""


@dataclass(slots=True)
class Reception:
    """What the connections of one server share: the parameters of `SmtpServer`, and who is in."""

    hostname: str
    is_ours: Callable[[str], bool]
    trusted: Callable[[str], bool]
    accept: Callable[[Envelope, bytes], Awaitable[None]]
    now: Callable[[], datetime]
    limits: SmtpLimits
    senders: SenderWindow
    connections: set[Peer] = field(default_factory=set)
    dialogues: set[asyncio.Task[None]] = field(default_factory=set)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    per_address: Counter[str] = field(default_factory=Counter)
    octets: int = 0
    stopping: bool = False

    def refusal(self, peer: str) -> str:
        """Give the reply that turns a new connection away; empty if it may come in."""
        if self.stopping:
            return GOODBYE
        if len(self.connections) >= self.limits.connections:
            return "421 4.7.0 too many connections"
        crowd = self.per_address[neighbourhood(peer)]
        if crowd >= self.limits.per_address and not self.exempt(peer):
            return "421 4.7.0 too many connections from your address"
        return ""

    def exempt(self, peer: str) -> bool:
        """Say whether that peer is spared the limits a sender or an address has."""
        return self.limits.trusted_exempt and self.trusted(peer)

    def come(self, connection: Peer, address: str, dialogue: asyncio.Task[None]) -> None:
        """Count a connection in."""
        self.connections.add(connection)
        self.dialogues.add(dialogue)
        self.per_address[neighbourhood(address)] += 1
        self.empty.clear()

    def go(self, connection: Peer, address: str) -> None:
        """Count it out."""
        self.connections.discard(connection)
        self.per_address[neighbourhood(address)] -= 1
        self.per_address += Counter()
        if not self.connections:
            self.empty.set()
