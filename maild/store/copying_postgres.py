"""The copy of a ledger on PostgreSQL: `pg_dump` as a child process, told by its environment where the ledger is."""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from maild.store.copying import kept, no_copy

COMMAND = ("pg_dump", "--format=custom", "--no-password")

_SETTINGS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "database": "PGDATABASE",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "krbsrvname": "PGKRBSRVNAME",
    "gsslib": "PGGSSLIB",
}
_LONGEST_FAULT = 500


def surroundings(url: str) -> dict[str, str]:
    """Give libpq's variables for a URL, read as asyncpg reads it: what stands before the `?` counts first.

    A parameter that libpq has no variable for is a setting of the server's, and does not matter to a copy.
    """
    return dict(_named(url))


async def keep_dump(url: str, copies: Path, first: int) -> Path:
    """Keep a copy of the database that `url` names, and give its path; LedgerSchemaError where none can be made."""
    copy = copies / f"ledger.before-{first:04}.dump"
    with kept(copy) as part, part.open("wb") as out:
        try:
            dump = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **surroundings(url)},
            )
        except OSError as error:
            raise no_copy(f"{COMMAND[0]}, which comes with PostgreSQL's client: {error.strerror}") from error
        try:
            _, told = await dump.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                dump.kill()
            await dump.wait()
            raise
        if dump.returncode:
            said = " ".join(told.decode(errors="replace").split())[:_LONGEST_FAULT]
            raise no_copy(said or f"{COMMAND[0]} ended with {dump.returncode}")
    return copy


def _named(url: str) -> Iterator[tuple[str, str]]:
    # In the order of rising weight, as a dictionary keeps the last.
    parts = urlsplit(url)
    first, at, rest = parts.netloc.partition("@")
    (user, _, password), hosts = first.partition(":") if at else ("", "", ""), rest if at else first
    for name, value in parse_qsl(parts.query):
        if name == "host":
            yield from _hosts(value)
        elif name in _SETTINGS and not (name == "port" and hosts):
            yield _SETTINGS[name], value
    if parts.path.strip("/"):
        yield "PGDATABASE", unquote(parts.path[1:])
    if hosts:
        yield from _hosts(hosts)
    if user:
        yield "PGUSER", unquote(user)
    if password:
        yield "PGPASSWORD", unquote(password)


def _hosts(listed: str) -> Iterator[tuple[str, str]]:
    found = [re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|(/.*|[^:]*)(?::(\d+))?", one) for one in listed.split(",")]
    hosts = [(unquote(one[1] or one[3]), one[2] or one[4] or "") for one in found if one]
    yield "PGHOST", ",".join(host for host, _ in hosts)
    if any(port for _, port in hosts):
        yield "PGPORT", ",".join(port for _, port in hosts)
