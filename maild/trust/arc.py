"""The chain in which servers on a mail's way sealed what they had found out (ARC, RFC 8617): reading it.

That the chain holds is said by a hop of ours, or computed from the octets; here is who sealed last, and what he found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maild.trust.results import Result, a_label, arc_results
from maild.trust.signatures import tags

MOST = 50
"""Sets that a chain may have (section 4.2.1)."""

_INSTANCE = re.compile(r"\s*i\s*=\s*([0-9]{1,2})\s*;")
_FIELDS = ("arc-seal", "arc-message-signature", "arc-authentication-results")


@dataclass(frozen=True, slots=True)
class ArcSet:
    """What one server on the way sealed. `names` are those of its two keys, (selector, domain)."""

    instance: int
    sealer: str
    results: tuple[Result, ...]
    fault: str
    names: tuple[tuple[str, str], ...]


def chain(headers: Sequence[tuple[str, str]]) -> tuple[ArcSet, ...]:
    """Give the sets of a mail, the latest first; none where one is missing, doubled, or cannot be read."""
    found: dict[tuple[int, str], str] = {}
    for name, value in headers:
        kind = name.lower()
        if kind not in _FIELDS:
            continue
        instance = _instance(kind, value)
        if not 1 <= instance <= MOST or (instance, kind) in found:
            return ()
        found[instance, kind] = value
    last = max((instance for instance, _ in found), default=0)
    sets = [_set(number, [found.get((number, kind)) for kind in _FIELDS]) for number in range(last, 0, -1)]
    whole = [one for one in sets if one is not None]
    return tuple(whole) if len(whole) == len(sets) else ()


def _instance(kind: str, value: str) -> int:
    if kind == _FIELDS[2]:
        number = found[1] if (found := _INSTANCE.match(value)) else ""
    else:
        number = (tags(value) or {}).get("i", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) <= 2 else 0


def _set(instance: int, fields: Sequence[str | None]) -> ArcSet | None:
    seal, signature, found = fields
    if seal is None or signature is None or found is None:
        return None
    sealed, signed = tags(seal) or {}, tags(signature) or {}
    fault = ""
    if "from" not in signed.get("h", "").lower().split(":"):
        fault = "its signature does not cover the From"
    elif "l" in signed:
        fault = "its signature covers a part of the body alone"
    elif a_label(signed.get("d", "")) != a_label(sealed.get("d", "")):
        fault = "it is sealed by one domain and signed by another"
    names = tuple((one.get("s", "").lower(), a_label(one.get("d", ""))) for one in (sealed, signed))
    return ArcSet(instance, a_label(sealed.get("d", "")), arc_results(found), fault, names)
