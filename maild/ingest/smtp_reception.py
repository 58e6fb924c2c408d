"""What the connections of one listening side share: who is in, and whether one more may come."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from maild.ingest.smtp_limits import Budget, SenderWindow, SmtpLimits, neighbourhood
from maild.ingest.smtp_spool import Spool, room
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

    @property
    def quiet_since(self) -> float:
        """The instant of the loop since which nothing was heard; infinite where a mail, or the end, is under way."""


def nobody(peer: str) -> bool:  # noqa: ARG001 - it is no, whoever asks
    """Say no."""
    return False


@dataclass(slots=True, kw_only=True)
class Reception:
    """What the connections of one server share, and who is in.

    `is_ours` says whether an address is a mailbox, an alias or one of their sub-addresses; `trusted` whether a peer (an
    IP address, "" for a local socket) is a hop of our own; `proxies` whether it is a proxy, which must say whom it
    speaks for. `accept` must return after a durable commit, and raise otherwise: `Overloaded` and a full disk are
    answered 452 4.3.1, all else 451 4.3.0. `now` gives aware UTC. Mails too large for memory are spooled to `folder`.
    `budget` is that of all doors. `tls` gives the context of the moment, None where TLS is not offered; with
    `require_tls` a stranger gets nothing done without it.
    """

    hostname: str
    is_ours: Callable[[str], bool]
    trusted: Callable[[str], bool]
    accept: Callable[[Envelope, bytes | Spool], Awaitable[None]]
    now: Callable[[], datetime]
    folder: Path
    limits: SmtpLimits = SmtpLimits()  # noqa: RUF009 - frozen
    budget: Budget = field(default_factory=Budget)
    tls: Callable[[], ssl.SSLContext | None] = lambda: None
    require_tls: bool = False
    proxies: Callable[[str], bool] = nobody
    connections: set[Peer] = field(default_factory=set)
    dialogues: set[asyncio.Task[None]] = field(default_factory=set)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    per_address: Counter[str] = field(default_factory=Counter)
    stopping: bool = False
    senders: SenderWindow = field(init=False)

    def __post_init__(self) -> None:
        self.senders = SenderWindow(self.limits.sender_hourly)

    def refusal(self, now: float, peer: str = "") -> str:
        """Give the reply that turns any new connection away; empty if one more may come in. `now` is the loop's time.

        Where all places are taken, whoever was silent longest gives his away. For a hop of our own there is a tenth more:
        strangers who keep all the others busy must not shut it out.
        """
        if self.stopping:
            return GOODBYE
        places = self.limits.connections
        if len(self.connections) < places + (places // 10 if self.exempt(peer) else 0):
            return ""
        quietest = min(self.connections, key=lambda peer: peer.quiet_since)
        if quietest.quiet_since > now - self.limits.crowded:
            return "421 4.7.0 too many connections"
        quietest.hang_up("421 4.4.2 too quiet while others wait")
        return ""

    def refusal_of(self, peer: str) -> str:
        """Give the reply that turns one more connection of that peer away; empty if it may come in."""
        crowd = self.per_address[neighbourhood(peer)]
        if crowd >= self.limits.per_address and not self.exempt(peer):
            return "421 4.7.0 too many connections from your address"
        return ""

    def exempt(self, peer: str) -> bool:
        """Say whether that peer is spared the limits a sender or an address has."""
        return self.limits.trusted_exempt and self.trusted(peer)

    @property
    def is_full(self) -> bool:
        """Say whether there is no room for one more mail: in memory, or on the disk."""
        return self.budget.is_spent or room(self.folder) < self.limits.min_free

    def come(self, connection: Peer, dialogue: asyncio.Task[None]) -> None:
        """Take a connection in."""
        self.connections.add(connection)
        self.dialogues.add(dialogue)
        self.empty.clear()

    def count(self, address: str) -> None:
        """Count a connection as one of that address."""
        self.per_address[neighbourhood(address)] += 1

    def go(self, connection: Peer, address: str | None) -> None:
        """Let a connection go, and uncount it where it was counted."""
        self.connections.discard(connection)
        if address is not None:
            self.per_address[neighbourhood(address)] -= 1
            self.per_address += Counter()
        if not self.connections:
            self.empty.set()
