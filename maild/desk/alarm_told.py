"""What is said of an alarm, as JSON for programs with a line for a pager; and how an alarm is kept over a restart."""

from datetime import UTC, datetime, timedelta
from typing import Any

from maild.desk.alarm import LONGEST_WORDS, Alarm, Away, Ear, Kind, What, lasting
from maild.outbound.delayed import Stuck, Waiting
from maild.outbound.gate import clean
from maild.sla.wall import rfc3339


def report(
    what: What, alarm: Alarm, seen: Waiting | Away | None, desk: tuple[str, str], host: str, now: datetime
) -> dict[str, Any]:
    """Give the JSON object that is said. `desk` is its name and its address; nothing of any mail's content is in it."""
    waiting = seen if isinstance(seen, Waiting) else None
    oldest = waiting and (waiting.oldest or waiting.refused)
    since = alarm.since or now
    return {
        "what": what,
        "at": rfc3339(now),
        "since": rfc3339(since),
        "desk": desk[1],
        "host": host,
        "waiting": waiting and waiting.count,
        "escalations": waiting and waiting.escalations,
        "oldest": _told(oldest) if oldest else None,
        "last_reply": clean(waiting.last_reply, LONGEST_WORDS) if waiting else "",
        "because": alarm.because,
        "text": clean(f"{desk[0]}: {_sentence(what, alarm, waiting, now - since)} ({host})", 2 * LONGEST_WORDS),
    }


def _sentence(what: What, alarm: Alarm, waiting: Waiting | None, lasts: timedelta) -> str:
    if what == "test":
        return "this is a test of the alarm, nothing is wrong"
    if what == "over":
        return f"the alarm is over after {lasting(lasts)}: mail leaves again"
    if what == "ledger_away" or waiting is None:
        return f"no mail can leave: {alarm.because}"
    counted = f"{waiting.count} waiting, {waiting.escalations} of escalation"
    reply = f"; the smarthost: {clean(waiting.last_reply, LONGEST_WORDS)}" if waiting.last_reply else ""
    still = "still " if what == "still_stuck" else ""
    return f"mail {still}cannot leave: {alarm.because}; {counted}{reply}"


def _told(mail: Stuck) -> dict[str, Any]:
    return {
        "id": mail.id,
        "kind": mail.kind,
        "ticket": mail.ticket or None,
        "since": rfc3339(mail.since),
        "attempts": mail.attempts,
    }


def kept(alarm: Alarm) -> dict[str, Any]:
    """Give the alarm as JSON keeps it over a restart."""
    return {
        "since": alarm.since and rfc3339(alarm.since),
        "kind": alarm.kind,
        "because": alarm.because,
        "over": alarm.over and rfc3339(alarm.over),
        "ears": [
            {
                "name": ear.name,
                "heard": ear.heard and rfc3339(ear.heard),
                "tried": ear.tried and rfc3339(ear.tried),
                "failures": ear.failures,
            }
            for ear in alarm.ears
        ],
    }


def recalled(given: object) -> Alarm:
    """Read what `kept` gave. ValueError where it is no such thing."""
    try:
        return _recalled(given)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"this is no alarm: {type(error).__name__}: {error}") from error


def _recalled(given: Any) -> Alarm:
    ears = tuple(
        Ear(str(one["name"]), _read(one["heard"]), _read(one["tried"]), max(int(one["failures"]), 0))
        for one in given["ears"]
    )
    kind: Kind = "ledger_away" if given["kind"] == "ledger_away" else "stuck"
    return Alarm(_read(given["since"]), kind, str(given["because"]), _read(given["over"]), ears)


def _read(given: Any) -> datetime | None:
    return None if given is None else datetime.fromisoformat(given).astimezone(UTC)
