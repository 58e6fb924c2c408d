"""The doors by which mail servers bring mail: SMTP and LMTP, on what the configuration says."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from maild.config.model import Config
from maild.config.office import member
from maild.ingest.accept import Acceptor
from maild.ingest.lmtp import LmtpConnection
from maild.ingest.smtp import Reception, SmtpLimits, SmtpServer
from maild.ingest.smtp_limits import Budget
from maild.ingest.smtp_tls import Certificate
from maild.intake import Intake
from maild.store import Ledger
from maild.store.faults import LedgerAwayError, LedgerBusyError, LedgerClosedError


@dataclass(frozen=True, slots=True)
class Passed:
    """Sockets that listen already; they stand for what the configuration says to listen on."""

    smtp: Sequence[socket.socket] = ()
    lmtp: Sequence[socket.socket] = ()


@dataclass(frozen=True, slots=True)
class Doors:
    """Both doors; that of LMTP may be closed for good."""

    smtp: SmtpServer
    lmtp: SmtpServer

    @property
    def listeners(self) -> tuple[str, ...]:
        """Where they listen: smtp=127.0.0.1:25, lmtp=/run/maild/lmtp.sock."""
        named = (("smtp", self.smtp), ("lmtp", self.lmtp))
        return tuple(f"{name}={place}" for name, server in named for place in server.listeners)

    async def start(self) -> None:
        """Listen. OSError where one of them cannot."""
        await self.smtp.start()
        try:
            await self.lmtp.start()
        except OSError:
            await self.smtp.stop(0)
            raise

    async def stop(self, grace: float) -> None:
        """Stop both at once; mails on their way in have `grace` seconds."""
        await asyncio.gather(self.smtp.stop(grace), self.lmtp.stop(grace))


def accepting(config: Config, ledger: Ledger, intake: Intake) -> Acceptor:
    """Build what all ways in lead to. A ledger that is locked, or away, is waited for once by all that wait together."""

    def of_all(error: Exception) -> bool:
        return isinstance(error, LedgerBusyError | LedgerAwayError | LedgerClosedError)

    return Acceptor(ledger.accept, intake.nudge, in_flight=config.smtp.max_bytes_in_flight, of_all=of_all)


def doors(config: Config, acceptor: Acceptor, intake: Intake, now: Callable[[], datetime], passed: Passed) -> Doors:
    """Build the doors. Whose mail they take and whom they trust is asked of the intake, so a reload reaches them."""
    smtp, lmtp = config.smtp, config.lmtp
    budget = Budget(smtp.max_bytes_in_flight)
    limits = SmtpLimits(
        message=smtp.max_message_bytes,
        recipients=smtp.max_recipients,
        per_address=smtp.max_connections_per_address,
        connections=smtp.max_connections,
        session=smtp.session_timeout,
        data_idle=smtp.data_timeout,
        sender_hourly=smtp.per_sender_hour,
        min_free=smtp.min_free_bytes,
    )
    certificate = Certificate(*config.smtp_tls) if config.smtp_tls else None
    proxies = member(smtp.proxy_from)

    def reception(*, stranger: bool) -> Reception:
        return Reception(
            hostname=smtp.hostname or config.domain,
            is_ours=lambda address: intake.shop.office.mailbox_of(address) is not None,
            trusted=lambda peer: intake.shop.trusts(peer),  # noqa: PLW0108 - a reload brings another shop
            accept=acceptor.accept,
            now=now,
            folder=config.data_dir,
            limits=limits,
            budget=budget,
            tls=certificate.context if certificate and stranger else lambda: None,
            require_tls=smtp.require_tls and stranger,
            proxies=proxies if stranger else lambda _: False,
        )

    return Doors(
        SmtpServer(reception(stranger=True), _places(smtp.listen, passed.smtp), sockets=passed.smtp),
        SmtpServer(
            reception(stranger=False),
            _places(lmtp.listen, passed.lmtp),
            speaks=LmtpConnection,
            sockets=passed.lmtp,
            mode=int(lmtp.mode, 8),
        ),
    )


def _places(listen: str, passed: Sequence[socket.socket]) -> list[tuple[str, int] | Path]:
    if passed or not listen:
        return []
    if listen.startswith("/"):
        return [Path(listen)]
    host, _, port = listen.rpartition(":")
    return [(host.strip("[]"), int(port))]
