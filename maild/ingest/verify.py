"""Whether signatures hold, computed by dkimpy over the stored octets, with keys that were fetched before. No network.

Run it in a worker that can be killed: some octets cost its canonicalisation minutes. What must be true of a signature and
of its key, the caller has judged; here an RSA key below 1024 bits is refused, and what does not compute.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

FEWEST_BITS = 1024


def installed() -> bool:
    """Say whether the libraries are there: pip install 'maild[dkim]'."""
    return all(find_spec(name) is not None for name in ("dkim", "dns", "nacl"))


def signatures(octets: bytes, keyed: Sequence[tuple[int, str, str]]) -> tuple[str, ...]:
    """Verify DKIM signatures (RFC 6376 section 6.1): each its place among them, its domain, and the key as the DNS has it.

    Gives for each of them what is wrong, "" where it holds.
    """
    return tuple(_signature(octets, *one) for one in keyed)


def _signature(octets: bytes, index: int, domain: str, record: str) -> str:
    library = _library()

    def verified() -> str:
        seen = library.DKIM(octets, minkey=FEWEST_BITS)
        holds = seen.verify(index, _asker({"": record}))
        if holds and seen.domain.decode("ascii").lower() != domain:
            return "the signature that was read is another one"
        return "" if holds else "it does not hold"

    return _said(verified)


def chain(octets: bytes, instance: int, sealer: str, records: Mapping[str, str]) -> str:
    """Verify an ARC chain (RFC 8617 section 5.2) that is sealed last by `sealer`, as number `instance`.

    `records` are keys by their names in the DNS. Gives what is wrong, "" where the chain holds.
    """
    library = _library()

    def verified() -> str:
        state, sets, reason = library.ARC(octets, minkey=FEWEST_BITS).verify(_asker(records))
        if state != library.CV_Pass:
            return str(reason)
        same = (sets[0]["instance"], sets[0]["as-domain"].decode("ascii").lower()) == (instance, sealer)
        return "" if same else "the chain that was read is another one"

    return _said(verified)


def _library() -> Any:
    """Give dkimpy: an extra, and only workers need it."""
    return import_module("dkim")


def _asker(records: Mapping[str, str]) -> Callable[..., bytes | None]:
    """Give the question for a key as dkimpy asks it; a key without a name answers all questions."""

    def ask(name: bytes, timeout: float = 0) -> bytes | None:  # noqa: ARG001 - the library gives it
        found = records.get(name.decode("ascii", "replace").lower().rstrip("."), records.get(""))
        return found.encode("utf-8") if found else None

    return ask


def _said(verified: Callable[[], str]) -> str:
    try:
        return verified()
    except Exception as fault:  # noqa: BLE001 - octets are a stranger's, and the library raises what it likes
        return f"it cannot be verified: {type(fault).__name__}: {fault}"[:200]
