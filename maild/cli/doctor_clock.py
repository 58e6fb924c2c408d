"""The probe of `maild doctor` for time: the system's clock, and the rules of the time zones."""

import ctypes
import importlib.metadata
import re
import struct
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from maild.cli.finding import Finding
from maild.clock import utc_now
from maild.config import Config

BORN = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this there was no maild, so a clock that says so is wrong."""

_UNSYNCHRONISED = 16_000_000
"""Microseconds of error at which the kernel calls its clock unsynchronised; `timedatectl` goes by the same number."""

_MOST_YEARS = 2
_TIMEX = "@I4l"
"""How Linux's struct timex begins: modes, offset, freq, maxerror, esterror (adjtimex(2))."""


def probe_clock(config: Config) -> Iterator[Finding]:
    """Look at the clock and the zones."""
    yield judge_clock(utc_now(), _most_error())
    zones = {config.desk.time_zone, *(agent.time_zone for agent in config.agents if agent.time_zone)}
    zones |= {calendar.tz for calendar in config.calendars.values()}
    faults = []
    for zone in sorted(zones):
        try:
            zoneinfo.ZoneInfo.no_cache(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            faults.append(f"{zone} ({error})")
    if faults:
        yield Finding("time zones", "fail", f"not to be loaded: {', '.join(faults)}; install tzdata")
    else:
        yield judge_rules(sorted(zones), _release(config.desk.time_zone), utc_now().year)


def judge_clock(now: datetime, error: int | None) -> Finding:
    """Judge the clock; `error` is the kernel's bound for it in microseconds, None where it does not say."""
    if now < BORN:
        return Finding("clock", "fail", f"it says {now:%Y-%m-%d %H:%M} UTC: set it, all due times go by it")
    if error is None:
        return Finding("clock", "ok", f"it says {now:%Y-%m-%d %H:%M} UTC; whether it is synchronised is not told here")
    if error >= _UNSYNCHRONISED:
        words = f"it says {now:%Y-%m-%d %H:%M} UTC, and nothing synchronises it: run chrony or systemd-timesyncd"
        return Finding("clock", "warn", words)
    return Finding("clock", "ok", f"it is synchronised, to {error / 1e6:.3f} s at worst")


def judge_rules(zones: list[str], release: str, year: int) -> Finding:
    """Judge the rules by their release, such as 2026a; "" where it is not told."""
    found = re.match(r"\d{4}", release)
    words = f"{', '.join(zones)}; rules of {release or 'a release that is not told'}"
    if found and int(found[0]) < year - _MOST_YEARS:
        return Finding("time zones", "warn", f"{words}: update tzdata, countries change their summer time")
    return Finding("time zones", "ok", words)


def _most_error() -> int | None:
    room = ctypes.create_string_buffer(1024)
    try:
        told = ctypes.CDLL(None).adjtimex(room)
    except (OSError, AttributeError):
        return None
    # No modes are set, so this only asks; a container may refuse even that.
    return None if told < 0 else int(struct.unpack_from(_TIMEX, room)[3])


def _release(zone: str) -> str:
    """Give the release of the rules that `zone` is loaded from: the system's where it has any, else the package's."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / zone).is_file():
            return _release_of(folder)
    try:
        package = importlib.metadata.version("tzdata")
    except importlib.metadata.PackageNotFoundError:
        return ""
    year, _, number = package.partition(".")
    return f"{year}{chr(ord('a') + int(number) - 1)}" if number.isdecimal() and 0 < int(number) < 27 else package


def _release_of(folder: Path) -> str:
    for name in ("tzdata.zi", "+VERSION"):
        try:
            first = (folder / name).read_text("utf-8", "replace").partition("\n")[0]
        except OSError:
            continue
        return first.removeprefix("# version").strip()
    return ""
