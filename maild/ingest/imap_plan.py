"""What a look at an IMAP folder leads to: which UIDs are fetched, in which batches, when it is tried again. Pure.

State is the pair of UIDVALIDITY and UID (RFC 9051 section 2.3.1.1) in the ledger, never a flag on the server.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from maild.mail import Envelope

BATCH_OCTETS = 8 * 1024 * 1024
BATCH_MAILS = 100
"""What is in memory at one moment: a batch on its way from the server into the ledger."""

OLD = "lay there before the first look"
TOO_LARGE = "too large"
NOT_GIVEN = "not given"
"""How the fault of a UID begins that was not fetched."""

NIGHT = time(3)
"""When the server's UIDs are compared with the ledger's, in the desk's time zone."""

DOUBT = timedelta(days=1)
"""How far the server's clock may differ from ours before a new mail could be taken for an old one."""

_AWAY = (1, 2, 5, 10, 30, 60, 120, 300)
_REFUSED = (60, 120, 300, 600, 900)


@dataclass(frozen=True, slots=True)
class Held:
    """The ledger's row of a folder that this daemon holds.

    `looked_at` is the instant as of which all of it was seen last, None before the first look is complete.
    """

    id: int
    uidvalidity: int
    last_uid: int
    looked_at: datetime | None
    reconciled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as the server lists it. `size` counts octets and may be wrong, `internal_at` is its INTERNALDATE."""

    uid: int
    size: int
    internal_at: datetime


@dataclass(frozen=True, slots=True)
class Noted:
    """A UID for the ledger: fetched, with envelope and octets, or not, for the reason in `fault`."""

    uid: int
    env: Envelope | None = None
    octets: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a comparison of the server with the ledger found, in UIDs.

    `unknown` were on the server alone and are fetched now, `gone` in the ledger alone: somebody took them away.
    `not_fetched` are on the server and could not be had: too large, or refused.
    """

    name: str
    at: datetime
    on_server: int
    in_ledger: int
    unknown: tuple[int, ...]
    gone: tuple[int, ...]
    not_fetched: tuple[tuple[int, str], ...]

    @property
    def differs(self) -> bool:
        """Whether there is anything that somebody should know."""
        return bool(self.unknown or self.gone or self.not_fetched)


def fresh(found: Iterable[int], last_uid: int) -> list[int]:
    """Give the UIDs above `last_uid`, ascending: a search for n:* gives the last message even where it is older."""
    return sorted({uid for uid in found if uid > last_uid})


def unknown(on_server: Iterable[int], known: Mapping[int, str], *, again: bool = False) -> list[int]:
    """Give the UIDs to be fetched, ascending. `known` are those of the ledger, each with its fault.

    What the server refused is tried again at every look, for that may pass. With `again` so is what was too large: the
    limit may be another one by now.
    """
    faults = (NOT_GIVEN, TOO_LARGE) if again else (NOT_GIVEN,)
    return sorted({uid for uid in on_server if uid not in known or known[uid].startswith(faults)})


def compared(
    name: str, at: datetime, on_server: Collection[int], known: Mapping[int, str], last_uid: int
) -> Reconciled:
    """Compare the server's UIDs with those of the ledger that were not moved away, each with its fault.

    What is above `last_uid` is new, and nobody missed it.
    """
    there = set(on_server)
    return Reconciled(
        name=name,
        at=at,
        on_server=len(there),
        in_ledger=len(known),
        unknown=tuple(sorted(uid for uid in there - set(known) if uid <= last_uid)),
        gone=tuple(sorted(set(known) - there)),
        not_fetched=tuple(
            sorted(
                (uid, fault)
                for uid, fault in known.items()
                if uid in there and fault.startswith((NOT_GIVEN, TOO_LARGE))
            )
        ),
    )


def oldest(since: str, zone: ZoneInfo, *, first_seen: datetime | None, looked_at: datetime | None) -> datetime | None:
    """Say from when on mail is fetched that the ledger does not know; None for all of it.

    `since` is now, all, or a date in `zone`. `first_seen` is when the first UID of the folder was noted. With `now` it is
    asked only where UIDVALIDITY is a new one: mail older than our first look is not the desk's.
    """
    if since == "all":
        return None
    if since != "now":
        return datetime.combine(date.fromisoformat(since), time(), zone)
    first = first_seen or looked_at
    return None if first is None else first - DOUBT


def received_at(internal_at: datetime, *, floor: datetime, now: datetime) -> datetime:
    """Say when the desk received a mail: its INTERNALDATE, not after now, and not before `floor`.

    `floor` is the last look in which the mail was not there: what is dragged into the folder keeps its old date, and it
    did not come before that look.
    """
    return min(now, max(internal_at, floor))


def too_large(size: int, most: int) -> str:
    """Give the fault of a mail above `most` octets; "" for all others."""
    return f"{TOO_LARGE}: {size} octets, and smtp.max_message_bytes is {most}" if size > most else ""


def larger_than_said(most: int) -> str:
    """Give the fault of a mail above `most` octets that the server had listed with fewer."""
    return f"{TOO_LARGE}: larger than the server said, and smtp.max_message_bytes is {most}"


def batches(listed: Sequence[Listed], octets: int, mails: int = BATCH_MAILS) -> Iterator[list[Listed]]:
    """Cut into batches of at most `mails` and `octets`; a mail above that is a batch of its own."""
    batch: list[Listed] = []
    size = 0
    for one in listed:
        if batch and (len(batch) == mails or size + one.size > octets):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def batch_octets(failures: int) -> int:
    """Give the size of a batch after so many sessions that broke: where connections never last, each mail is progress."""
    return BATCH_OCTETS >> (2 * failures)


def windows(count: int, width: int) -> Iterator[str]:
    """Cut the sequence numbers 1 to `count` into sets: one line of SEARCH has at most a million octets in imaplib."""
    for start in range(1, count + 1, width):
        yield f"{start}:{min(start + width - 1, count)}"


def moves(settled: Iterable[tuple[int, str]], done_folder: str, quarantine_folder: str) -> dict[str, list[int]]:
    """Say which UIDs go into which folder. `settled` are (UID, state of a received row); one row may speak for aside."""
    aside: set[int] = set()
    done: set[int] = set()
    for uid, state in settled:
        (aside if state in {"quarantined", "spam"} else done).add(uid)
    wanted = ((quarantine_folder, aside), (done_folder, done - aside))
    found: dict[str, list[int]] = {}
    for folder, uids in wanted:
        if folder and uids:
            found[folder] = sorted({*found.get(folder, ()), *uids})
    return found


def backoff(failures: int, draw: float, *, refused: bool) -> float:
    """Give the seconds to wait when `failures` came one after another, the latest included.

    A server that is away is tried again after 1, 2, 5, 10, 30 seconds, then 1, 2, 5 minutes. One that refuses us is
    left in peace for 1, 2, 5, 10, 15 minutes: it may count our attempts. `draw` from [0, 1) spreads them by a fifth.
    """
    steps = _REFUSED if refused else _AWAY
    return steps[min(max(failures, 1), len(steps)) - 1] * (0.8 + 0.4 * draw)


def reconcile_due(reconciled_at: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Say whether the night's comparison is still owed: 03:00 local time has passed since the last one."""
    return reconciled_at is None or reconciled_at < last_night(now, zone)


def last_night(now: datetime, zone: ZoneInfo) -> datetime:
    """Give the latest 03:00 in `zone` that is not after `now`; where it does not exist, the instant it stands for."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), NIGHT, zone).astimezone(now.tzinfo)
    yesterday = datetime.combine(local.date() - timedelta(days=1), NIGHT, zone).astimezone(now.tzinfo)
    return today if today <= now else yesterday


def next_night(now: datetime, zone: ZoneInfo) -> datetime:
    """Give the first 03:00 in `zone` after `now`."""
    local = now.astimezone(zone)
    nights = (datetime.combine(local.date() + timedelta(days=days), NIGHT, zone) for days in range(3))
    return next(at for night in nights if (at := night.astimezone(now.tzinfo)) > now)
