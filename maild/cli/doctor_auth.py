"""The probe of `maild doctor` for [auth]: can anybody be authenticated at all, and by whose word."""

from collections.abc import Iterator

from maild.cli.check_auth import checks_dkim, odd_auth, unauthenticated
from maild.cli.finding import Finding
from maild.config import Config


def probe_auth(config: Config) -> Iterator[Finding]:
    """Say whose word on senders counts."""
    words = unauthenticated(config)
    if words:
        yield Finding("auth", "warn", words)
    else:
        yield Finding("auth", "ok", "; ".join(_in_force(config)))
    for odd in odd_auth(config):
        yield Finding("auth", "warn", odd)


def _in_force(config: Config) -> Iterator[str]:
    auth = config.auth
    names = [*auth.authserv_ids, *(["fields without a name"] if auth.unnamed else [])]
    if names:
        where = f", past {len(auth.hops)} {'hop' if len(auth.hops) == 1 else 'hops'} of ours" if auth.hops else ""
        below = f", and {auth.below} below the last one's Received" if auth.below else ""
        yield f"the word of {' and '.join(names)} counts, from the hops in smtp.trusted{where}{below}"
    if auth.arc_sealers:
        yield f"ARC seals of {' and '.join(auth.arc_sealers)} count"
    if checks_dkim(config):
        yield f"{'where they say nothing, ' if names else ''}maild checks DKIM signatures itself"
    elif auth.dkim == "off":
        yield "maild checks no DKIM signature itself (auth.dkim)"
    else:
        yield "maild checks no DKIM signature itself: pip install 'maild[dkim]'"
