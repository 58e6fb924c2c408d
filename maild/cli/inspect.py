"""`maild inspect`: what maild makes of messages in files, without a database."""

import json as jsonlib
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from maild.ingest.files import Filed, messages
from maild.ingest.parse import parse
from maild.ingest.route import route
from maild.mail import Address, InboundMail, Origin
from maild.sla.keywords import default_rules
from maild.sla.severity import guess
from maild.sla.wall import rfc3339

_TAG = re.compile(r"\[[A-Z][A-Z0-9]{1,9} #\d{1,12}\]")
_TOKEN = re.compile(r"[\w.-]{1,40}\+[a-z2-7]{16,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}", re.IGNORECASE)
NOINPUT = 66


def describe(filed: Filed) -> dict[str, Any]:
    """Give the object of the contract for one message, with the seconds it took."""
    begun = time.perf_counter()
    found = as_dict(parse(filed.octets))
    return {"path": str(filed.path), "index": filed.index, **found, "seconds": round(time.perf_counter() - begun, 6)}


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "address": address.address}


def tokens(mail: InboundMail) -> list[str]:
    """Give the ticket tags of the subject and the signed addresses among the recipients, each once."""
    addressed = [address.address for address in (*mail.to, *mail.cc)]
    addressed += [value for name in ("Delivered-To", "X-Original-To", "Envelope-To") for value in mail.header(name)]
    return list(
        dict.fromkeys([*_TAG.findall(mail.subject), *(one for text in addressed for one in _TOKEN.findall(text))])
    )


def as_dict(mail: InboundMail) -> dict[str, Any]:
    """Give a message under the keys of the contract, without path, index and seconds."""
    how_bad = guess(mail.subject, mail.new_text, mail.headers, mail.origin, default_rules())
    found: dict[str, Any] = {
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "from": _address(mail.from_[0]) if mail.from_ else None,
        "reply_to": [_address(one) for one in mail.reply_to],
        "to": [_address(one) for one in mail.to],
        "cc": [_address(one) for one in mail.cc],
        "subject": mail.subject,
        "date": rfc3339(mail.date) if mail.date else None,
        "text": mail.text,
        "html": mail.html,
        "new_text": mail.new_text,
        "signature": mail.signature,
        "attachments": [
            {
                "name": one.name,
                "content_type": one.content_type,
                "size": len(one.content),
                "sha256": one.sha256,
                "inline": one.inline,
                "content_id": one.content_id,
            }
            for one in mail.attachments
        ],
        "origin": mail.origin.value,
        "origin_because": mail.origin_because,
        "severity": how_bad.severity.value,
        "severity_because": list(how_bad.because),
        "tokens": tokens(mail),
        "marks": list(mail.marks),
        "defects": list(mail.defects),
        "route": [
            {
                "from": hop.sender,
                "by": hop.receiver,
                "with": hop.protocol,
                "at": rfc3339(hop.at) if hop.at else None,
                "delay_seconds": hop.delay,
            }
            for hop in route(mail)
        ],
    }
    if mail.origin is Origin.BOUNCE:
        found["delivery"] = [
            {
                "recipient": one.recipient,
                "action": one.action,
                "status": one.status,
                "diagnostic": one.diagnostic,
                "original_message_id": one.original_message_id,
            }
            for one in mail.delivery
        ]
    return found


def _show(console: Console, found: dict[str, Any]) -> None:
    """Print one message for a person: what it is, and what was written."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    sender = found["from"]
    rows = {
        "file": f"{found['path']} ({found['index']})",
        "from": f"{sender['name']} <{sender['address']}>".strip() if sender else "nobody",
        "subject": found["subject"],
        "date": found["date"] or "",
        "message-id": found["message_id"],
        "origin": f"{found['origin']}: {found['origin_because']}",
        "severity": f"{found['severity']}: {'; '.join(found['severity_because'])}",
        "tokens": ", ".join(found["tokens"]),
        "attachments": ", ".join(f"{one['name']} ({one['size']} octets)" for one in found["attachments"]),
        "delivery": "; ".join(
            f"{one['recipient']} {one['action']} {one['diagnostic']}".strip() for one in found.get("delivery", [])
        ),
        "defects": "; ".join(found["defects"]),
    }
    for name, shown in rows.items():
        if shown:
            grid.add_row(name, Text(shown))
    console.print(grid)
    console.print()
    console.print(Text(found["new_text"]))
    console.rule()


def inspect(
    paths: Annotated[list[Path], typer.Argument(help="Files, mboxes, maildirs or folders of .eml files.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a message, one a line.")] = False,
) -> None:
    """Say what maild makes of messages, without a database."""
    # It logs the traceback of each of its detectors that a mail breaks; the mail is read all the same.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    console = Console()
    missing: list[Path] = []
    for path in paths:
        for filed in _readable(path, missing):
            found = describe(filed)
            if json:
                # ASCII with escapes: safe under any locale, and lone surrogates cannot break the line.
                typer.echo(jsonlib.dumps(found))
            else:
                _show(console, found)
    if missing:
        raise typer.Exit(NOINPUT)


def _readable(path: Path, missing: list[Path]) -> Iterator[Filed]:
    """Give the messages of a path; where it cannot be read, say so on stderr and note it in `missing`."""
    try:
        yield from messages(path)
    except OSError as fault:
        missing.append(path)
        typer.echo(f"maild inspect: {path}: {fault.strerror}", err=True)
