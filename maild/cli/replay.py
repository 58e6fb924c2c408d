"""`maild replay`: a mailbox through the whole pipeline, as it would have been. Nothing is sent, no ledger in use is touched."""

import asyncio
import contextlib
import gc
import logging
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.table import printable
from maild.cli.terms import JsonOption, configuration, instant, one_line
from maild.config import Config, load
from maild.ingest.files import Filed, messages
from maild.ingest.workers import Parsers
from maild.replay import Outcome, Replay
from maild.store import Ledger

PLAIN = """[desk]
address = "desk@replay.invalid"
data_dir = "."
[[mailbox]]
address = "desk@replay.invalid"
[[agent]]
id = "agent"
address = "agent@replay.invalid"
"""
"""The desk without a configuration: built-in promises, everybody's mail."""

MEMORY_IS_SEARCHED = (20_000, 20, 20)
"""After how many new objects for cycles that nobody holds (`gc.set_threshold`)."""

CONCERNS = ("ticket", "severity", "origin", "admitted", "would_send")
"""What two configurations may make of a mail differently."""


class Admit(StrEnum):
    """Who may join a conversation."""

    PARTICIPANTS = "participants"
    EVERYONE = "everyone"


def replay(
    path: Annotated[Path, typer.Argument(help="A folder of .eml files, a maildir or an mbox")],
    config: Annotated[Path | None, typer.Option("-c", "--config", help="The desk. Default: the built-in one")] = None,
    against: Annotated[Path | None, typer.Option(help="A second configuration: tell only what it changes")] = None,
    admit: Annotated[Admit | None, typer.Option(help="Who may join, whatever the mailboxes say")] = None,
    json: JsonOption = False,
) -> None:
    """Run a mailbox in order of receipt through the whole pipeline, in a throw-away ledger; send nothing."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="maild-replay-") as folder:
        plain = Path(folder) / "maild.toml"
        plain.write_text(PLAIN, "utf-8")
        first = configuration(config) if config else load(plain, {})
        word = admit.value if admit else ""
        try:
            if against is None:
                asyncio.run(_replayed(path, first, word, Path(folder), json))
            else:
                asyncio.run(_compared(path, (first, configuration(against)), word, Path(folder), json))
        except OSError as error:
            fail(Exit.NO_INPUT, f"{error.filename or path}: {error.strerror}")


async def _replayed(path: Path, config: Config, admit: str, folder: Path, json: bool) -> None:
    begun = time.monotonic()
    count: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    async with _stage(config, admit, folder / "replay.db") as (stage, ledger):
        async for outcome in stage.outcomes(_numbered(path)):
            count.update(_counted(outcome))
            kinds.update(kind for kind, _ in outcome.would_send)
            say(one_line(shown(outcome)) if json else _line(outcome))
        await stage.finish()
        breaches = await ledger.breaches()
    seconds = time.monotonic() - begun
    summary: dict[str, Any] = {
        **{name: count[name] for name in ("messages", "tickets", "duplicates", "not_admitted", "spam", "faults")},
        "would_send": {**kinds, **({"escalation": stage.escalations} if stage.escalations else {})},
        "breaches": breaches,
        "seconds": round(seconds, 3),
        "per_second": round(count["messages"] / seconds, 1),
    }
    if json:
        say(one_line({"summary": summary}))
        return
    say()
    for name, value in summary.items():
        words = ", ".join(f"{each} {number}" for each, number in value.items()) if isinstance(value, dict) else value
        say(f"{name.replace('_', ' '):<14}{words}")


async def _compared(path: Path, configs: tuple[Config, Config], admit: str, folder: Path, json: bool) -> None:
    """Print the mails of which the two make something else. Tickets go by the mail that opened them, not by number."""
    first, second = [
        [made async for made in _made(path, config, admit, folder / f"replay{number}.db")]
        for number, config in enumerate(configs)
    ]
    changed = 0
    for before, after in zip(first, second, strict=True):
        differs = {name: [before[name], after[name]] for name in CONCERNS if before[name] != after[name]}
        if differs:
            changed += 1
            where = {name: before[name] for name in ("index", "path", "message_id", "subject")}
            words = "; ".join(f"{name}: {_said(one)} -> {_said(other)}" for name, (one, other) in differs.items())
            said = f"{where['index']:>6}  {where['subject'][:60]}  {words}"
            say(one_line({**where, "differs": differs}) if json else printable(said))
    summary = {"messages": len(first), "changed": changed}
    say(one_line({"summary": summary}) if json else f"{changed} of {len(first)} mails would fare differently")


def _said(value: Any) -> str:
    """Say a value of one of the `CONCERNS` to a person."""
    if isinstance(value, list):
        return ", ".join(f"{one['kind']} to {one['to']}" for one in value) or "nothing"
    return {True: "yes", False: "no", None: "none"}.get(value, str(value)) if not isinstance(value, str) else value


async def _made(path: Path, config: Config, admit: str, ledger: Path) -> AsyncIterator[dict[str, Any]]:
    openers: dict[int | None, int | None] = {None: None}
    async with _stage(config, admit, ledger) as (stage, _):
        async for outcome in stage.outcomes(_numbered(path)):
            openers.setdefault(outcome.ticket, outcome.filed.index)
            yield shown(outcome) | {"ticket": openers[outcome.ticket], "subject": outcome.subject}


@contextlib.asynccontextmanager
async def _stage(config: Config, admit: str, file: Path) -> AsyncIterator[tuple[Replay, Ledger]]:
    parsers = Parsers()
    ledger = await Ledger.open(f"sqlite://{file}", durable=False)
    try:
        stage = await Replay.prepared(config, ledger, parsers.parse, datetime.now(UTC), admit)
        # What is there now stays until the end, and nothing that a mail leaves behind is a cycle: looking for some costs.
        gc.freeze()
        gc.set_threshold(*MEMORY_IS_SEARCHED)
        yield stage, ledger
    finally:
        await ledger.close()
        await parsers.close()


def _numbered(path: Path) -> Iterator[Filed]:
    """Give the mails with their number in the order of receipt. Nothing at all was never received."""
    for number, filed in enumerate(filed for filed in messages(path) if filed.octets):
        yield Filed(filed.path, number, filed.octets, filed.from_line)


def shown(outcome: Outcome) -> dict[str, Any]:
    """Give the object of the contract for one message."""
    return {
        "index": outcome.filed.index,
        "path": str(outcome.filed.path),
        "message_id": outcome.message_id,
        "at": instant(outcome.at),
        "ticket": outcome.ticket,
        "duplicate": outcome.duplicate,
        "opened": outcome.opened,
        "admitted": outcome.admitted,
        "spam": outcome.spam,
        "because": outcome.because,
        "placed_because": outcome.placed_because,
        "origin": outcome.origin,
        "severity": outcome.severity,
        "severity_because": list(outcome.severity_because),
        "would_send": [{"kind": kind, "to": to} for kind, to in outcome.would_send],
        "fault": outcome.fault,
    }


def _counted(outcome: Outcome) -> Iterator[str]:
    yield "messages"
    yield from (["tickets"] if outcome.opened else [])
    yield from (["duplicates"] if outcome.duplicate else [])
    yield from ([] if outcome.admitted else ["not_admitted"])
    yield from (["spam"] if outcome.spam else [])
    yield from (["faults"] if outcome.fault else [])


def _line(outcome: Outcome) -> str:
    ticket = f"#{outcome.ticket}" if outcome.ticket else "-"
    what = "opened" if outcome.opened else "again" if outcome.duplicate else "joined" if outcome.ticket else "kept"
    because = outcome.fault or outcome.placed_because or outcome.because
    return printable(
        f"{outcome.at:%Y-%m-%d %H:%M}  {ticket:<8}{what:<8}{outcome.severity:<8}{outcome.subject[:50]:<52}{because}"
    )
