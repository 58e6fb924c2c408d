"""The loop of the alarm: it looks whether owed mail leaves, and tells people by another way than mail where none does.

It works where the ledger is away, and no failure of a way to people ends it. What it said is kept in a file in
`desk.data_dir`, and not in the ledger: it must be known when that cannot be read, or written.
"""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from maild.desk.alarm import SILENT, Alarm, Away, Rule, Word, begun, said, step
from maild.desk.alarm_told import kept, recalled, report
from maild.outbound.delayed import Waiting
from maild.pager import Outcome, host_of, post_to, run
from maild.rounds import Rounds

log = structlog.get_logger("maild.alarm")

LOOK_SECONDS = 30.0
"""Seconds after which it looks at the latest: what has waited for too long is known by looking alone."""

AT_ONCE = 0.2
"""Seconds after which it looks again where something was said, or is about to be."""

READ_SECONDS = 20.0
"""Seconds that the ledger may take to answer; it counts as away after that."""

PATIENCE = 120.0
"""Seconds that looking and telling may take before the loop counts as hanging: a program, or a server, has 30."""

LOG = "log"
"""The way that is always there, and always takes what is said."""


class Asked(Protocol):
    """What is asked of the ledger."""

    async def delayed(self, now: datetime) -> Waiting:
        """Give the mail that could have left and has not."""


@dataclass(frozen=True, slots=True)
class Siren:
    """How people are told: when, by which program (empty: none) and URL ("": none), and in whose name."""

    rule: Rule
    command: tuple[str, ...]
    url: str = field(repr=False)
    name: str
    address: str
    host: str

    @property
    def ears(self) -> tuple[str, ...]:
        """The ways to people that there are."""
        return (LOG, *(["command"] if self.command else []), *(["url"] if self.url else []))


class Alarms(Rounds):
    """Watches over the outbox. `file` is where it keeps what it said; `wake` makes it look."""

    def __init__(self, ledger: Asked, siren: Siren, file: Path, now: Callable[[], datetime]) -> None:
        super().__init__("alarm", PATIENCE)
        self._ledger = ledger
        self._siren = siren
        self._file = file
        self._now = now
        self._settled = now()
        self._away: Away | None = None
        self._alarm = _recall(file)

    @property
    def note(self) -> str:
        """What the status line says of it; "" while it is silent."""
        alarm = self._alarm
        if not alarm.sounds or alarm.since is None:
            return ""
        return f"ALARM since {alarm.since:%Y-%m-%d %H:%M}Z: {alarm.because}"

    def refit(self, siren: Siren) -> None:
        """Tell people in this way from now on."""
        self._siren = siren
        self.wake.set()

    async def step(self) -> float:
        """Look, and say what is to be said; give the seconds after which to look again."""
        siren = self._siren
        seen = await self._look()
        now = self._now()
        found = step(self._alarm, seen, siren.rule, siren.ears, now, settled=self._settled)
        before, self._alarm = self._alarm, found.alarm
        if found.words:
            await asyncio.to_thread(_keep, self._file, begun(self._alarm, found.words, now))
            outcomes = await asyncio.gather(*(self._say(siren, word, seen) for word in found.words))
            for word, outcome in zip(found.words, outcomes, strict=True):
                self._alarm = said(self._alarm, word.ear, self._now(), taken=outcome.taken)
        if found.words or self._alarm != before:
            await asyncio.to_thread(_keep, self._file, self._alarm)
        longest = min(LOOK_SECONDS, siren.rule.after.total_seconds() / 4)
        if found.words:
            return AT_ONCE
        pause = longest if found.next_at is None else min((found.next_at - now).total_seconds(), longest)
        return max(pause, AT_ONCE)

    async def _look(self) -> Waiting | Away:
        try:
            async with asyncio.timeout(READ_SECONDS):
                seen = await self._ledger.delayed(self._now())
        except Exception as error:  # noqa: BLE001 - whatever it is that keeps us from reading is what people must hear of
            words = str(error) or f"no answer within {READ_SECONDS:.0f} s"
            self._away = Away(self._away.since if self._away else self._now(), f"{type(error).__name__}: {words}")
            return self._away
        if self._away is not None:
            # What has waited meanwhile has a while to leave.
            self._away, self._settled = None, self._now()
        return seen

    async def _say(self, siren: Siren, word: Word, seen: Waiting | Away) -> Outcome:
        told = report(word.what, self._alarm, seen, (siren.name, siren.address), siren.host, self._now())
        if word.ear == LOG:
            (log.info if word.what == "over" else log.error)(f"alarm.{word.what}", **told)
            return Outcome(taken=True, words="")
        outcome = await tell(siren, word.ear, told)
        (log.info if outcome.taken else log.warning)(
            "alarm.told" if outcome.taken else "alarm.not_told", way=word.ear, what=word.what, words=outcome.words
        )
        return outcome


async def tell(siren: Siren, ear: str, told: dict[str, object]) -> Outcome:
    """Say an object by one way, "command" or "url", and give what came back."""
    body = json.dumps(told).encode() + b"\n"
    return await (run(siren.command, body) if ear == "command" else post_to(siren.url, body))


def shown(siren: Siren, ear: str) -> str:
    """Name a way for people to read: the program, or the host of the URL, which is a secret."""
    return siren.command[0] if ear == "command" else host_of(siren.url)


def _recall(file: Path) -> Alarm:
    try:
        return recalled(json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return SILENT
    except (OSError, ValueError, RecursionError) as error:
        log.warning("alarm.forgotten", file=str(file), fault=f"{type(error).__name__}: {error}")
        return SILENT


def _keep(file: Path, alarm: Alarm) -> None:
    """Keep what was said, whole or not at all; where that fails, a restart may say it a second time."""
    beside = file.with_name(f"{file.name}.new")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump(kept(alarm), out)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as error:
        log.warning("alarm.not_kept", file=str(file), fault=f"{type(error).__name__}: {error}")
