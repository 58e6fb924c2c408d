"""The probe of `maild doctor` for [alarm]: whether its ways are there, without sounding it."""

import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from maild.cli.doctor_certificate import judge_end
from maild.cli.doctor_running import STEP, within
from maild.cli.doctor_words import fault
from maild.cli.finding import Finding
from maild.config import Config

_TEST = "`maild alarm test` sounds it"


def probe_alarm(config: Config) -> Iterator[Finding]:
    """Look at the program and at the host of the URL. Nothing is run or posted."""
    if config.alarm.command:
        yield judge_program(Path(config.alarm.command[0]))
    if config.alarm_url:
        yield from _host(config.alarm_url)
    if not config.alarm.command and not config.alarm_url:
        words = "the log and the status line alone tell where no mail can leave: see alarm.command and alarm.url_file"
        yield Finding("alarm", "ok", words)


def judge_program(program: Path) -> Finding:
    """Judge a program by its file."""
    try:
        there = program.is_file()
    except OSError as error:
        return Finding("alarm.command", "fail", f"{program}: {error.strerror}")
    if not there:
        return Finding("alarm.command", "fail", f"there is no {program}, or its folder is shut to us")
    if not os.access(program, os.X_OK):
        return Finding("alarm.command", "fail", f"{program} may not be run by us: chmod +x, or another owner")
    return Finding("alarm.command", "ok", f"{program} may be run by us; {_TEST}")


def _host(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    where = f"{host} port {port}"
    try:
        ends = within(2 * STEP, lambda: _ends(host, port, secure=secure))
    except OSError as error:
        yield Finding("alarm.url_file", "fail", f"{where}: {fault(error)}")
        return
    tls = "its certificate verifies" if ends else "in plain text, on this machine"
    yield Finding("alarm.url_file", "ok", f"{where} answers, {tls}; {_TEST}")
    if ends:
        yield from judge_end("alarm certificate", ends, time.time())


def _ends(host: str, port: int, *, secure: bool) -> float:
    """Connect, and give the end of the certificate in seconds since the epoch; 0 without one."""
    with socket.create_connection((host, port), timeout=STEP) as plain:
        if not secure:
            return 0
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as shaken:
            return ssl.cert_time_to_seconds(str((shaken.getpeercert() or {})["notAfter"]))
