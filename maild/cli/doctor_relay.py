"""The probe of `maild doctor` for [relay]: everything up to the mail itself, which is not sent."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

import aiosmtplib

from maild.cli.doctor_certificate import judge_end
from maild.cli.doctor_running import STEP, within, without_secrets
from maild.cli.doctor_words import amount, fault
from maild.cli.finding import Finding
from maild.config import Config
from maild.config.values import is_loopback
from maild.daemon import smarthost
from maild.outbound.compose import MOST_ATTACHED
from maild.outbound.gate import clean

LARGEST = MOST_ATTACHED * 78 // 57 + 500_000
"""Octets of the largest notification: 57 octets of a file are a line of 78 (RFC 2045 section 6.8), and there is a text."""

_LONGEST_REPLY = 200


def probe_relay(config: Config) -> Iterator[Finding]:
    """Connect, shake hands, log in, name a sender and a recipient, and take it all back with RSET."""
    host = smarthost(config)
    try:
        found = within(STEP, lambda: socket.getaddrinfo(host.host, host.port, type=socket.SOCK_STREAM))
    except OSError as error:
        yield Finding("relay", "fail", f"{host.host} is not found: {fault(error)}; see relay.host")
        return
    if host.tls == "none" and not is_loopback(host.host):
        yield Finding("relay tls", "warn", 'relay.tls is "none": customers\' mail goes in plain text over the network')
    where = f"{host.host} ({found[0][4][0]}) port {host.port}"
    with asyncio.Runner() as runner:
        yield from _Talk(runner, config, where).findings()


class _Talk:
    def __init__(self, runner: asyncio.Runner, config: Config, where: str) -> None:
        self._run = runner.run
        self._config = config
        self._host = smarthost(config)
        self._where = where
        self._step = "nothing answers at"

    def findings(self) -> Iterator[Finding]:
        client = self._client()
        try:
            yield from self._let_in(client)
            self._step = "the talk broke off at"
            yield from self._envelope(client)
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                self._run(client.execute_command(b"QUIT"))
        except aiosmtplib.SMTPResponseException as error:
            words = self._quoted(f"{error.code} {error.message}")
            yield Finding("relay", "fail", f"{self._step} {self._where}: {words}")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            yield Finding("relay", "fail", f"{self._step} {self._where}: {self._quoted(fault(error))}")
        finally:
            self._run(_hang_up(client))

    def _quoted(self, said: str) -> str:
        # Before it is cut short, for half a secret is one too.
        return clean(without_secrets(said, self._config), _LONGEST_REPLY)

    def _client(self) -> aiosmtplib.SMTP:
        implicit = self._host.tls == "implicit"
        return aiosmtplib.SMTP(
            hostname=self._host.host,
            port=self._host.port,
            local_hostname=self._host.helo,
            timeout=STEP,
            use_tls=implicit,
            start_tls=False,
            tls_context=ssl.create_default_context() if implicit else None,
        )

    def _let_in(self, client: aiosmtplib.SMTP) -> Iterator[Finding]:
        greeting = self._run(client.connect())
        self._step = "EHLO is refused at"
        self._run(client.ehlo())
        if self._host.tls == "starttls":
            self._step = "STARTTLS fails, and nothing goes in plain text instead, at"
            self._run(client.starttls(tls_context=ssl.create_default_context()))
            self._run(client.ehlo())
        shaken = client.get_transport_info("ssl_object")
        tls = shaken.version() if shaken else "in plain text"
        if self._host.username:
            self._step = f"the login of {self._host.username} is refused at"
            self._run(client.login(self._host.username, self._host.password))
        who = f"logged in as {self._host.username}" if self._host.username else "without a login"
        yield Finding("relay", "ok", f"{self._where}, {tls}, {who}: {self._quoted(greeting.message)}")
        if shaken:
            ends = ssl.cert_time_to_seconds(str(shaken.getpeercert()["notAfter"]))
            yield from judge_end("relay certificate", ends, time.time())

    def _envelope(self, client: aiosmtplib.SMTP) -> Iterator[Finding]:
        yield judge_size(client.esmtp_extensions.get("size"))
        steps = [("sender", self._config.desk.address, client.mail)]
        steps += [("recipient", agent.address, client.rcpt) for agent in self._config.agents[:1]]
        for what, address, say in steps:
            try:
                code, said = self._run(say(address))
            except aiosmtplib.SMTPResponseException as error:
                code, said = error.code, error.message
            yield judge_reply(what, address, code, self._quoted(said))
            if code >= 400:
                break
        self._run(client.rset())


async def _hang_up(client: aiosmtplib.SMTP) -> None:
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    # The loop ends after this, and needs a turn to let the socket go.
    await asyncio.sleep(0)


def judge_size(announced: str | None) -> Finding:
    """Judge what SIZE says (RFC 1870 section 3): "" and 0 name no limit, None is a server without it."""
    if not (announced or "").strip().isdecimal() or not int(announced or 0):
        return Finding("relay size", "ok", "it names no limit")
    limit = int(announced or 0)
    if limit < LARGEST:
        words = (
            f"it takes {amount(limit)}, and a notification with large files has up to {amount(LARGEST)}: raise it there"
        )
        return Finding("relay size", "warn", words)
    return Finding("relay size", "ok", f"it takes {amount(limit)}")


def judge_reply(what: str, address: str, code: int, said: str) -> Finding:
    """Judge the reply to MAIL or RCPT (RFC 5321 section 4.2.1); `what` is sender or recipient."""
    name, told = f"relay {what}", f"{address}: {code} {said}".rstrip()
    if code < 400:
        return Finding(name, "ok", told)
    if code < 500:
        return Finding(name, "warn", f"it asks to come back later, as maild does by itself: {told}")
    if code == 530:
        return Finding(name, "fail", f"it wants a login, or TLS first; see relay.username and relay.tls: {told}")
    return Finding(name, "fail", f"it refuses the {what}: {told}")
