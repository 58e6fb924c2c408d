"""`maild deliver`: a mail server hands one mail over through a pipe. Whatever is in doubt is tried again by it.

The server reads two things: the exit code, and what stands on stderr, which Postfix returns to the sender and logs. It
begins with an enhanced status code (RFC 3463), which Postfix believes more than the exit code. A process is started for
each mail, so nothing is imported here that it does not need.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer

from maild.cli.ending import Exit, fail
from maild.cli.giver import GIVER
from maild.cli.terms import ConfigOption
from maild.config import Config, ConfigError, find, load
from maild.ingest.accept import is_full
from maild.ingest.pipe import Piped, piped, sender_of, wire_lines
from maild.ingest.smtp_spool import room
from maild.mail import Envelope
from maild.store import Ledger, LedgerError
from maild.store.ledger import is_made, shown
from maild.store.wake import poke
from maild.threading.token import detail_of

CHUNK = 1024 * 1024


def deliver(
    rcpt: Annotated[
        list[str] | None,
        typer.Option("-r", "--rcpt", help="The recipient; more than once for several. Default: what the mail says"),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("-f", "--from", help='The reverse-path; "" is the null one. Default: what the mail says'),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Take one mail from stdin for a mail server, durably; 75 on any doubt, so that it comes again."""
    try:
        _deliver(config, rcpt or [], sender)
    except (ConfigError, LedgerError, OSError) as error:
        _later(("4.3.1" if is_full(error) else "4.3.0"), str(error))
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the mail server keeps the mail
        _later("4.3.0", f"{type(error).__name__}: {error}")


def _deliver(given: Path | None, rcpts: list[str], sender: str | None) -> None:
    config = load(find(given, os.environ), secrets=False)
    mail = piped(_read(sys.stdin.buffer, config.smtp.max_message_bytes))
    env = Envelope(
        mail_from=sender_of(sender) if sender is not None else mail.sender or "",
        rcpt_to=_recipients(config, rcpts, mail),
        via="pipe",
        peer="",
        received_at=datetime.now(UTC),
    )
    if not is_made(config.database_url):
        raise LedgerError(f"there is no ledger at {shown(config.database_url)} yet: `maild serve` makes it")
    if room(config.data_dir) < config.smtp.min_free_bytes:
        _later("4.3.1", f"less than smtp.min_free_bytes is free on the disk of {config.data_dir}")
    asyncio.run(_store(config, env, mail.octets))
    poke(config.data_dir / "wake")


def _read(source: BinaryIO, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := source.read(CHUNK):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            _too_big(most)
    raw = b"".join(pieces)
    if not raw.strip():
        _later("4.3.0", "there was no mail on stdin")
    if len(wire_lines(raw)) > most:
        _too_big(most)
    return raw


def _recipients(config: Config, rcpts: list[str], mail: Piped) -> tuple[str, ...]:
    """Give the recipients that were said; else the first one of ours that the delivery wrote down, else the only mailbox."""
    if not rcpts:
        named = next((address for address in mail.named if _is_ours(config, address)), "")
        if not named and len(config.mailboxes) > 1:
            _later("4.3.5", "there are several mailboxes, and nothing says which one it is for: name it with --rcpt")
        return (named or config.mailboxes[0].address,)
    found: dict[str, str] = {}
    for rcpt in (one.strip().removeprefix("<").removesuffix(">") for one in rcpts):
        found.setdefault(rcpt.lower(), rcpt)
    unknown = [rcpt for rcpt in found.values() if not (_is_ours(config, rcpt) and _is_plain(rcpt))]
    if unknown:
        _end(Exit.NO_USER, "5.1.1", f"no such mailbox here: {', '.join(unknown)}")
    return tuple(found.values())


def _is_plain(address: str) -> bool:
    return address.isprintable() and " " not in address


def _is_ours(config: Config, address: str) -> bool:
    return any(
        detail_of(address, own, mailbox.subaddress) is not None
        for mailbox in config.mailboxes
        for own in (mailbox.address, *mailbox.aliases)
    )


async def _store(config: Config, env: Envelope, octets: bytes) -> None:
    ledger = await Ledger.open(config.database_url, migrate=False)
    try:
        if os.getppid() != GIVER or GIVER == 1:
            # The pipe's end is no end then: a server that was killed has not written all of it.
            _later("4.3.0", "whoever piped the mail is gone, so it may not be whole")
        await ledger.accept([(env, octets)])
    finally:
        await ledger.close()


def _too_big(most: int) -> NoReturn:
    _end(Exit.UNAVAILABLE, "5.3.4", f"the mail is larger than {most} octets")


def _later(status: str, words: str) -> NoReturn:
    _end(Exit.TRY_AGAIN, status, words)


def _end(code: Exit, status: str, words: str) -> NoReturn:
    shown_words = "".join(letter if letter.isprintable() else " " for letter in words)
    fail(code, f"{status} {shown_words}")


def main() -> NoReturn:
    """Run the command by itself. A wrong call ends with 75, too: the mail waits until somebody mends the call."""
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    command.command("deliver")(deliver)
    code: str | int | None = 0
    try:
        command(sys.argv[2:], prog_name="maild deliver")
    except SystemExit as end:
        code = end.code
    sys.exit(code if code in {None, *Exit} else Exit.TRY_AGAIN)
