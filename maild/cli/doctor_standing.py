"""What `maild doctor` makes of a ledger, whichever engine holds it: its version, and what lies in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maild.cli.finding import Finding
from maild.outbound.wording import span
from maild.store.instant import utc_text

LATE = timedelta(minutes=15)
"""Mail that waits longer waits for something."""

SKEW = timedelta(seconds=60)
"""How far ahead of us another machine's clock may be."""

QUESTION = """SELECT
    (SELECT count(*) FROM received WHERE state = 'waiting'),
    (SELECT min(received_at) FROM received WHERE state = 'waiting'),
    (SELECT count(*) FROM received WHERE state = 'quarantined'),
    (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL),
    (SELECT min(created_at) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL),
    (SELECT max(received_at) FROM (SELECT received_at FROM received ORDER BY id DESC LIMIT 1000) AS newest)"""
"""One row, the fields of `Standing`. The clock may have been set back since: the newest is one of the last thousand."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What lies in a ledger: mails that wait, are quarantined, are owed, and when the newest came in."""

    waiting: int = 0
    waiting_since: datetime | None = None
    quarantined: int = 0
    owed: int = 0
    owed_since: datetime | None = None
    newest: datetime | None = None

    @classmethod
    def of(cls, row: Sequence[object]) -> "Standing":
        """Make it of the row that `QUESTION` gives; instants may be text of the ledger's form."""
        return cls(*(datetime.fromisoformat(one) if isinstance(one, str) else one for one in row))  # type: ignore[arg-type]  # the columns are those of QUESTION


def judge_version(have: int, want: int) -> Finding:
    """Judge the ledger's version against that of this maild."""
    if have > want:
        words = f"it has version {have}, this maild knows {want}: it was written by a later maild; install that one"
        return Finding("database version", "fail", words)
    if have == 0:
        return Finding("database version", "warn", "it is empty: `maild serve` makes its tables")
    if have < want:
        words = f"it has version {have}, this maild needs {want}: `maild serve` or `maild migrate` brings it there"
        return Finding("database version", "warn", words)
    return Finding("database version", "ok", f"it has version {have}, that of this maild")


def judge_standing(standing: Standing, now: datetime) -> Iterator[Finding]:
    """Judge what lies there; `now` is an aware instant."""
    yield _late("mail in", standing.waiting, standing.waiting_since, now, "waiting", "is `maild serve` running?")
    yield _late("mail out", standing.owed, standing.owed_since, now, "owed", "see `maild outbox list`")
    if standing.quarantined:
        words = f"{standing.quarantined} quarantined: see `maild quarantine list`"
        yield Finding("quarantine", "warn", words)
    else:
        yield Finding("quarantine", "ok", "empty")
    if standing.newest is None:
        return
    ahead = standing.newest - now
    if ahead > SKEW:
        words = (
            f"the newest mail came in at {utc_text(standing.newest)}, {span(ahead.total_seconds())} from now: the clock was"
            " wrong then, or is now, and so are the due times of its ticket"
        )
        yield Finding("clock of the ledger", "fail", words)
    else:
        words = f"the newest mail came in {span(max(0.0, -ahead.total_seconds()))} ago"
        yield Finding("clock of the ledger", "ok", words)


def _late(name: str, count: int, since: datetime | None, now: datetime, what: str, advice: str) -> Finding:
    if since is None:
        return Finding(name, "ok", f"none {what}")
    words = f"{count} {what}, the oldest for {span(max(0.0, (now - since).total_seconds()))}"
    return Finding(name, "warn", f"{words}: {advice}") if now - since > LATE else Finding(name, "ok", words)
