"""The probe of `maild doctor` for [auth]: can anybody be authenticated at all."""

from collections.abc import Iterator

from maild.cli.check import unauthenticated
from maild.cli.finding import Finding
from maild.config import Config


def probe_auth(config: Config) -> Iterator[Finding]:
    """Say whose word on senders counts."""
    words = unauthenticated(config)
    if words:
        yield Finding("auth", "warn", words)
    else:
        yield Finding("auth", "ok", f"the word of {config.auth.authserv_id} counts, from the hops in smtp.trusted")
