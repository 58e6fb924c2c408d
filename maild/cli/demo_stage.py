"""The stage of `maild demo`: a clock that can be moved on, a mail server that keeps what it gets, and a way to send."""

import asyncio
import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

PATIENCE = 10.0
"""Seconds that anything may take before the demo says what did not happen."""


class StageClock:
    """Runs as fast as any clock, from an instant of our choice, and can be moved on."""

    def __init__(self, start: datetime) -> None:
        self._offset = start - datetime.now(UTC)

    def now(self) -> datetime:
        """Give the time of the stage, aware UTC."""
        return datetime.now(UTC) + self._offset

    def move(self, by: timedelta) -> None:
        """Move on."""
        self._offset += by


class Sink:
    """A mail server on 127.0.0.1 that accepts everything and keeps it."""

    def __init__(self, keep: Path) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self._keep = keep
        self._came = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; give the port."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(self, hostname="sink"), "127.0.0.1", 0
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's own names
        """Keep a mail for each of its recipients."""
        octets = envelope.original_content or b""
        mail = message_from_bytes(octets, policy=policy.default)
        assert isinstance(mail, EmailMessage)  # noqa: S101 - what this policy makes
        for rcpt in envelope.rcpt_tos:
            self.mails.append((rcpt, mail))
        (self._keep / f"{len(self.mails):03d}.eml").write_bytes(octets)
        self._came.set()
        return "250 2.0.0 kept"

    async def wait(self, what: str, wanted: Callable[[str, EmailMessage], bool]) -> EmailMessage:
        """Wait for a mail. Raises TimeoutError with `what` did not come."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self._came.clear()
                    found = next((mail for rcpt, mail in self.mails if wanted(rcpt, mail)), None)
                    if found is not None:
                        return found
                    await self._came.wait()
        except TimeoutError as error:
            raise TimeoutError(f"{what} did not come within {PATIENCE:.0f} s") from error


async def send(port: int, sender: str, rcpt: str, mail: EmailMessage) -> None:
    """Send a mail over SMTP, as any client does."""

    def work() -> Any:
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
            return client.send_message(mail, sender, [rcpt])

    await asyncio.to_thread(work)


def written(sender: str, to: str, subject: str, text: str, at: datetime) -> EmailMessage:
    """Write a mail as a person does. Our own hop says that its From is true."""
    mail = EmailMessage()
    mail["Authentication-Results"] = f"mx.demo.example; dmarc=pass header.from={sender.rpartition('@')[2].rstrip('>')}"
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = at
    mail["Message-ID"] = f"<{abs(hash((sender, subject, at))):x}@client.example>"
    mail.set_content(text)
    return mail


def body(mail: EmailMessage) -> str:
    """Give a mail's plain text."""
    part = mail.get_body(("plain",))
    return part.get_content().rstrip() if isinstance(part, EmailMessage) else ""
