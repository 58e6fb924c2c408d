"""Our own look at the signatures of a mail, where no trusted hop judged them: keys from the DNS, sums in a worker.

It comes between reading a mail and deciding on it, and outside of any transaction. What it finds is a value beside the mail
(`Checked`); what that is worth is judged in `maild/trust/`. It finds that a signature holds or that nothing is known, and
never that somebody failed. Where the DNS does not answer the mail is put off, `TRIES` times in all; then it is decided on as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import structlog

from maild.mail import Checked, InboundMail, Received
from maild.resolver import UnansweredError
from maild.trust import Authority, believed_chain, trusted_run, wants_look
from maild.trust.arc import ArcSet
from maild.trust.signatures import MOST_SETS, Signature, choose, key_fault, key_name

log = structlog.get_logger("maild.proof")

TRIES = 3
PAUSES = (timedelta(seconds=30), timedelta(minutes=2))
"""For how long a mail is put off after each try."""

PATIENCE = 8.0
"""Seconds that all questions to the DNS may take for one mail."""

Text = Callable[[str], Awaitable[str | None]]
"""Gives a text record of the DNS, None for none; raises UnansweredError."""


class LaterError(Exception):
    """A mail cannot be decided on yet, and is to be taken again `after` a while. No fault of the mail."""

    def __init__(self, words: str, after: timedelta) -> None:
        super().__init__(words)
        self.after = after


class Sums(Protocol):
    """Who computes whether signatures hold: what `maild/ingest/verify.py` says, in a process that can be killed."""

    async def signatures(self, octets: bytes, keyed: Sequence[tuple[int, str, str]]) -> tuple[str, ...]:
        """Give for each signature what is wrong."""

    async def chain(self, octets: bytes, instance: int, sealer: str, records: Mapping[str, str]) -> str:
        """Give what is wrong with an ARC chain."""


@dataclass(frozen=True, slots=True)
class _Found:
    signers: tuple[str, ...] = ()
    arc: bool = False
    words: tuple[str, ...] = ()
    unanswered: str = ""


class Prover:
    """Looks at the signatures of mails. `text` asks the DNS, `sums` computes."""

    def __init__(self, text: Text, sums: Sums) -> None:
        self._text = text
        self._sums = sums

    async def look(
        self, received: Received, octets: bytes, mail: InboundMail, authority: Authority, *, trusted_hop: bool
    ) -> InboundMail:
        """Give the mail with what we found beside it. Raises LaterError where the DNS does not answer, for a while."""
        if not authority.dkim or mail.sender is None:
            return mail
        run = trusted_run(mail, trusted_hop=trusted_hop, authority=authority)
        found = _Found()
        if wants_look(run):
            found = await self._signatures(received, octets, mail, mail.sender.domain)
        judged = any(
            check.method == "arc" or (check.method, check.result) == ("dmarc", "pass") for check in run.results
        )
        sets = () if judged or found.signers else believed_chain(run, authority)
        if sets:
            found = _both(found, await self._chain(octets, sets))
        if found.unanswered and not (found.signers or found.arc):
            if received.attempts < TRIES:
                raise LaterError(found.unanswered, PAUSES[min(received.attempts, len(PAUSES)) - 1])
            words = f"{found.unanswered}, {TRIES} times"
            found = replace(found, words=(*found.words, words))
            log.warning("proof.unanswered", received=received.id, because=words)
        if not (found.signers or found.arc or found.words):
            return mail
        return replace(mail, checked=Checked(found.signers, found.arc, "; ".join(found.words)))

    async def _signatures(self, received: Received, octets: bytes, mail: InboundMail, domain: str) -> _Found:
        choice = choose(mail.headers, domain, int(received.received_at.timestamp()))
        keys, unanswered = await self._keys([signature.name for signature in choice.worth])
        keyed: list[tuple[Signature, str]] = []
        words = list(choice.refused)
        for signature in choice.worth:
            if signature.name not in keys:
                continue
            record = keys[signature.name]
            fault = "its key is not in the DNS" if record is None else key_fault(record, signature)
            if fault or record is None:
                words.append(f"the signature ({signature}) does not count: {fault}")
            else:
                keyed.append((signature, record))
        if not keyed:
            return _Found(words=tuple(words), unanswered=unanswered)
        asked = [(signature.index, signature.domain, record) for signature, record in keyed]
        faults = await self._sums.signatures(octets, asked)
        held = [signature for (signature, _), fault in zip(keyed, faults, strict=True) if not fault]
        if held:
            return _Found(
                tuple(one.domain for one in held), words=tuple(f"the signature ({one}) holds" for one in held)
            )
        words += [
            f"the signature ({signature}) does not count: {fault}"
            for (signature, _), fault in zip(keyed, faults, strict=True)
        ]
        return _Found(words=tuple(words), unanswered=unanswered)

    async def _chain(self, octets: bytes, sets: Sequence[ArcSet]) -> _Found:
        last = sets[0]
        if len(sets) > MOST_SETS:
            return _Found(words=(f"its ARC chain has more than {MOST_SETS} sets",))
        names = {key_name(*one): None for each in sets for one in each.names}
        keys, unanswered = await self._keys([name for name in names if name])
        if unanswered:
            return _Found(unanswered=unanswered)
        records = {name: record for name, record in keys.items() if record}
        fault = await self._sums.chain(octets, last.instance, last.sealer, records)
        if fault:
            return _Found(words=(f"the ARC chain that {last.sealer} sealed does not count: {fault}",))
        return _Found(arc=True, words=(f"the ARC chain that {last.sealer} sealed holds",))

    async def _keys(self, names: Sequence[str]) -> tuple[dict[str, str | None], str]:
        """Ask for keys; give those that the DNS said something of, and in words what it did not answer."""
        keys: dict[str, str | None] = {}
        unanswered = ""
        try:
            async with asyncio.timeout(PATIENCE):
                for name in dict.fromkeys(names):
                    try:
                        keys[name] = await self._text(name)
                    except UnansweredError as fault:
                        unanswered = str(fault)
        except TimeoutError:
            unanswered = f"the DNS did not answer within {PATIENCE:.0f} seconds"
        return keys, unanswered


def _both(one: _Found, other: _Found) -> _Found:
    return _Found(
        one.signers + other.signers,
        one.arc or other.arc,
        one.words + other.words,
        one.unanswered or other.unanswered,
    )
