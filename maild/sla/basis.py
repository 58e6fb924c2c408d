"""What all deadlines follow from, as one digest: where it has changed, they are counted again (R16)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from maild.sla.hours import Calendar
from maild.sla.ladder import Rung
from maild.sla.policy import Metric, Policy, Promise
from maild.sla.spelling import zone
from maild.sla.wall import first_second, offsets

YEARS = (2020, 2041)
"""The years, the last one not among them, in which a change of a zone's clock counts."""


def basis(
    policies: Mapping[str, Policy],
    ladders: Mapping[Metric, tuple[Rung, ...]],
    rest: tuple[Calendar, int],
    on_call: Sequence[tuple[str, int]] = (),
    ack_stops: str = "all",
    agents: Sequence[str] = (),
) -> str:
    """Give the digest (SHA-256, hex) of promises, ladders, calendars, their zones, and how long a ticket may rest.

    `rest` is the calendar in whose open days resolved tickets wait, and how many. `on_call` is how many take turns for
    each mailbox, `ack_stops` what an acknowledgement silences, `agents` whose holds. The time zone data counts by what it says of these zones,
    so that an update of other zones is none.
    """
    promised = {
        name: {str(severity): _promise(promise) for severity, promise in policy.promises.items()}
        for name, policy in policies.items()
    }
    used = {promise.calendar for policy in policies.values() for promise in policy.promises.values()} | {rest[0]}
    stated = {
        "policies": promised,
        "ladders": {
            str(metric): [[rung.at, rung.notify, rung.daily, rung.next_after] for rung in ladders[metric]]
            for metric in ladders
        },
        "on_call": on_call,
        "ack_stops": ack_stops,
        "agents": sorted(agents),
        "rest": [_calendar(rest[0]), rest[1]],
        "zones": {name: _clock_changes(name) for name in sorted({calendar.tz for calendar in used})},
    }
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def _promise(promise: Promise) -> list[Any]:
    limits = [promise.first_response, promise.resolution, promise.next_response, promise.pending_limit]
    return [promise.calendar_name, _calendar(promise.calendar), *limits]


def _calendar(calendar: Calendar) -> list[Any]:
    parts = [calendar.weekly, sorted(calendar.holidays), calendar.breaks, calendar.shifts]
    return [calendar.tz, calendar.always, *parts]


def _clock_changes(name: str) -> Sequence[tuple[int, int, int]]:
    first, last = YEARS
    return tuple(offsets(zone(name), first_second(first), first_second(last)))
