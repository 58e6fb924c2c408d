"""Which escalations are mails of their own, and which wait for a digest; what a digest says, and to whom.

More than `MOST` for a person within `WINDOW` become one digest, and so does what fell into his quiet hours.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from maild.desk.decision import Decision
from maild.desk.office import Office
from maild.mail import Address
from maild.outbound.digest_letter import DigestItem, Mailed
from maild.outbound.headline import escalation_title
from maild.outbound.letters import EscalationLetter
from maild.ticket import Event

MOST = 5
"""Escalation mails that a person gets one by one within `WINDOW`."""

WINDOW = timedelta(seconds=60)
"""Also how long a digest waits at most for what is due at the same time, and how far apart two of them are."""

_Level = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class _Course:
    """What becomes of a person's letters in this unit: `send_at` None means mails of their own."""

    send_at: datetime | None
    because: str


def reader_of(letter: EscalationLetter, office: Office) -> str:
    """Give by which name its reader is counted: his id, his address where he is no agent."""
    agent = office.agent_of(Address("", letter.agent.address))
    return agent.id if agent else letter.agent.address.lower()


def mails_of(decision: Decision, office: Office) -> Counter[str]:
    """Count the escalation mails that a decision would owe at once, by reader: without what quiet hours hold back."""
    return Counter(reader_of(letter, office) for letter in _escalations(decision) if letter.quiet_until is None)


def sort_out(
    decisions: Sequence[Decision], mailed: Mapping[str, Mailed], ahead: Mapping[str, int], office: Office, now: datetime
) -> tuple[Decision, ...]:
    """Give the decisions of one unit with each escalation letter left as a mail, or put into `digested` in its place.

    `mailed` says how each reader stands, `ahead` how many more mails he would be owed for what is due now and judged later.
    """
    owed = sum((mails_of(decision, office) for decision in decisions), Counter[str]())
    courses = {
        reader: _course(mailed.get(reader, Mailed()), count, ahead.get(reader, 0), now)
        for reader, count in owed.items()
    }
    return tuple(_sorted_out(decision, courses, office, now) for decision in decisions)


def _course(mailed: Mailed, owed: int, ahead: int, now: datetime) -> _Course:
    together = owed + ahead
    if mailed.open_at is not None:
        # A clock that was set back must not hold it for as long as it was.
        return _Course(min(mailed.open_at, now + WINDOW), "one is being gathered")
    if mailed.digest_at is not None:
        return _Course(max(mailed.digest_at + WINDOW, now), f"one left at {_instant(mailed.digest_at)}")
    if together > MOST:
        return _Course(now, f"{together} at once, more than {MOST}")
    if mailed.mails + together > MOST:
        send_at = max((mailed.since or now) + WINDOW, now)
        return _Course(send_at, f"{mailed.mails + together} within a minute, more than {MOST}")
    return _Course(None, "")


def _sorted_out(decision: Decision, courses: Mapping[str, _Course], office: Office, now: datetime) -> Decision:
    items: list[DigestItem] = []
    letters = []
    for letter in decision.letters:
        item = _item(letter, courses, office, now) if isinstance(letter, EscalationLetter) else None
        if item is None:
            letters.append(letter)
        else:
            items.append(item)
    if not items:
        return decision
    words = _words(items)
    said = {event.because: words[clock] for event in decision.events if (clock := _clock_of(event)) in words}
    return replace(
        decision,
        letters=tuple(letters),
        digested=tuple(items),
        because=f"{decision.because}; {'; '.join(words.values())}",
        events=tuple(
            replace(event, because=f"{event.because}; {words[clock]}")
            if (clock := _clock_of(event)) in words
            else event
            for event in decision.events
        ),
        escalations=tuple(
            replace(one, because=f"{one.because}; {said[one.because]}") if one.because in said else one
            for one in decision.escalations
        ),
    )


def _item(letter: EscalationLetter, courses: Mapping[str, _Course], office: Office, now: datetime) -> DigestItem | None:
    reader = reader_of(letter, office)
    quiet = letter.quiet_until
    course = courses[reader] if quiet is None else _Course(quiet, "quiet hours")
    if course.send_at is None:
        return None
    return DigestItem(
        key=letter.key,
        agent=reader,
        address=letter.agent.address,
        ticket=letter.ticket.number,
        metric=letter.metric,
        cycle=letter.cycle,
        level=letter.level,
        severity=letter.ticket.severity,
        title=escalation_title(letter, office.desk.reference),
        limit_seconds=letter.limit_seconds,
        reached_at=letter.reached_at or letter.limit_at,
        due_at=letter.limit_at,
        at=now,
        send_at=course.send_at,
        quiet=quiet is not None,
        because=course.because,
    )


def _words(items: Sequence[DigestItem]) -> dict[_Level, str]:
    """Say of each level who is told of it in a digest, when and why."""
    found: dict[_Level, list[str]] = {}
    for item in items:
        when = f"at {_instant(item.send_at)}" if item.send_at > item.at else "at once"
        found.setdefault((item.metric, item.cycle, item.level), []).append(
            f"{item.agent} in a digest {when} ({item.because})"
        )
    return {level: ", ".join(words) for level, words in found.items()}


def _clock_of(event: Event) -> _Level:
    data = event.data
    return str(data.get("metric", "")), int(data.get("cycle", 0)), str(data.get("level", ""))


def _escalations(decision: Decision) -> list[EscalationLetter]:
    return [letter for letter in decision.letters if isinstance(letter, EscalationLetter)]


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
