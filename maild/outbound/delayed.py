"""Owed mail that could have left and has not, as the ledger finds it and the alarm judges it."""

from dataclasses import dataclass
from datetime import datetime

ESCALATIONS = ("escalation", "digest")
"""Kinds of mail that people must read at once: they may wait for half as long."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """One owed mail: its row, kind and ticket (0: none), since when it is owed, how often it was refused."""

    id: int
    kind: str
    ticket: int
    since: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Mail that is due and has not left.

    `count` of them, `escalations` among them, and the `oldest`; `oldest_escalation` of those; `first` is the oldest that
    no later mail overtook, and `moved` when the latest mail left that did leave: a mail that others overtake is held up
    by itself, and the way out is open. `refused` is an escalation that failed for good and that no later mail overtook: its
    people heard nothing, and perhaps nobody can. `last_reply` is what the smarthost said of them, "" for nothing.
    """

    count: int = 0
    escalations: int = 0
    oldest: Stuck | None = None
    oldest_escalation: Stuck | None = None
    first: Stuck | None = None
    moved: datetime | None = None
    last_reply: str = ""
    refused: Stuck | None = None
