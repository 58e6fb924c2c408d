"""Durations and clock spans as people write them."""

import re
from datetime import time

from maild.outbound.wording import span as span_words
from maild.sla.spelling import time_of_day

_DURATION = re.compile(r"([0-9]{1,9})\s*([smhd])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([0-9]{1,2}:[0-9]{2})\s*-\s*([0-9]{1,2}:[0-9]{2})\Z")
_LONGEST_NIGHT = 16 * 3600
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLOT = re.compile(rf"({'|'.join(_DAYS)}) ([01][0-9]|2[0-3]):([0-5][0-9])\Z")


def seconds(text: object) -> int:
    """Read 90s, 15m, 4h or 2d as seconds. Raises ValueError with what to write instead."""
    found = _DURATION.match(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no duration: write a whole number with s, m, h or d, such as 90s, 15m, 4h, 2d")
    return int(found[1]) * _SECONDS[found[2]]


def span(text: object) -> list[str]:
    """Read "09:00-17:00" as a pair of wall times; an end that is not after its start lies on the next day.

    Raises ValueError, for times that do not exist and for a night of more than 16 hours too: that is two times swapped.
    """
    found = _SPAN.match(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no span: write HH:MM-HH:MM, such as 09:00-17:00")
    start, end = found[1].zfill(5), found[2].zfill(5)
    lasts = time_of_day(end, closing=True) - time_of_day(start, closing=False)
    if lasts <= 0 and lasts + 86400 > _LONGEST_NIGHT:
        raise ValueError(
            f"{text!r} ends before it starts, and over midnight it would last {span_words(lasts + 86400)}:"
            f" write {end}-{start}, or a span for each of the two days"
            if lasts
            else f"{text!r} ends when it starts: for a whole day write 00:00-24:00"
        )
    return [start, end]


def days(text: str) -> tuple[str, ...]:
    """Read mon, mon-fri or "mon, wed" as days of the week. Raises ValueError."""
    found: list[str] = []
    for part in text.replace(" ", "").lower().split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in _DAYS or last not in _DAYS:
            raise ValueError(f"{text!r} names no days: write mon, mon-fri or mon,wed,fri")
        start, end = _DAYS.index(first), _DAYS.index(last)
        found += [_DAYS[index % 7] for index in range(start, (end if end >= start else end + 7) + 1)]
    return tuple(dict.fromkeys(found))


def slot(text: str) -> tuple[int, time]:
    """Read `mon 08:00` as a day of the week, 0 for Monday, and a local time. Raises ValueError for anything else."""
    found = _SLOT.match(text.strip().lower())
    if found is None:
        raise ValueError(
            f'{text!r} is no day and time: write one of {", ".join(_DAYS)} and a time of two digits each, such as "mon 08:00"'
        )
    return _DAYS.index(found[1]), time(int(found[2]), int(found[3]))
