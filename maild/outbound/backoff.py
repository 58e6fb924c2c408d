"""When a mail that could not be sent is tried again, and when no more."""

from datetime import datetime, timedelta

_STEPS = (1, 2, 5, 10, 20, 30)
_HOUR = timedelta(hours=1)

LIFETIME = timedelta(hours=48)
"""How long a mail is tried (RFC 5321 section 4.5.4.1 says days; a help desk's answer is stale before)."""


def delay(attempts: int, draw: float) -> timedelta:
    """Give the wait after a failure when `attempts` failed before it: 1, 2, 5, 10, 20, 30 minutes, then an hour.

    `draw` from [0, 1) spreads the hours by a tenth to either side.
    """
    if attempts < len(_STEPS):
        return timedelta(minutes=_STEPS[max(attempts, 0)])
    return _HOUR * (0.9 + 0.2 * draw)


def outage_delay(lasting: timedelta) -> timedelta:
    """Give the wait while the smarthost itself is away, which has lasted so long: 1, 2, then every 5 minutes.

    By time and not by failures: each mail that comes due meanwhile is one more failure, and a smarthost that was away for
    half a minute must not hold an escalation back for five.
    """
    if lasting < timedelta(minutes=1):
        return timedelta(minutes=1)
    return timedelta(minutes=2 if lasting < timedelta(minutes=3) else 5)


def exhausted(attempts: int, created_at: datetime, now: datetime) -> bool:
    """Say whether a mail is given up: 48 hours old, and tried at every short step.

    The second keeps a mail that waited two days for a smarthost from being lost to one greylisting.
    """
    return now - created_at >= LIFETIME and attempts + 1 >= len(_STEPS)
