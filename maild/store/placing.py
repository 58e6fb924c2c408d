"""The evidence by which a mail finds its ticket."""

from collections.abc import Collection
from datetime import datetime

from maild.store import models
from maild.store.lines import PartyLine
from maild.store.shelf import chunks, reading
from maild.store.showing import Showing
from maild.store.words import key
from maild.ticket import Ticket


class Placing(Showing):
    """Look-ups by Message-ID, by address and by digest."""

    @reading
    async def tickets_of_ids(self, msgids: Collection[str]) -> dict[str, list[tuple[int, str]]]:
        """Give, for each known Message-ID, the (ticket, own | seen | named) it speaks for, own ones first."""
        found: dict[str, list[tuple[int, str]]] = {}
        for some in chunks(msgids):
            # own, seen, named is no order of the alphabet; it is that of trust.
            for row in await self._from(models.Reference).filter(msgid__in=some).order_by("id").values():
                found.setdefault(row["msgid"], []).append((row["ticket"], row["kind"]))
        for places in found.values():
            places.sort(key=lambda place: ("own", "seen", "named").index(place[1]))
        return {msgid: found[key(msgid)] for msgid in msgids if key(msgid) in found}

    @reading
    async def known_message(self, message_id: str, sender_key: str, body_digest: str) -> list[tuple[int, int]]:
        """Give (message, ticket) wherever this very message stands, the first first; a mail without Message-ID nowhere."""
        if not message_id:
            return []
        query = self._from(models.Message).filter(
            message_id=key(message_id), sender_key=key(sender_key), body_digest=body_digest
        )
        return [(row["id"], row["ticket"]) for row in await query.order_by("id").values("id", "ticket")]

    @reading
    async def same_id(self, message_id: str) -> list[tuple[int, int]]:
        """Give (message, ticket) of all messages with this Message-ID, whatever their body."""
        if not message_id:
            return []
        query = self._from(models.Message).filter(message_id=message_id).order_by("id")
        return [(row["id"], row["ticket"]) for row in await query.values("id", "ticket")]

    @reading
    async def party(self, address: str) -> PartyLine | None:
        """Give what we know of an address; None for a stranger."""
        rows = await self._from(models.Party).filter(address=address.lower()).values(*PartyLine.__slots__)
        return PartyLine(**rows[0]) if rows else None

    @reading
    async def tickets_of_participant(self, address: str, alive_since: datetime) -> list[Ticket]:
        """Give the tickets this address takes part in that had a message since then, the newest first."""
        joined = await self._from(models.Participant).filter(address=address.lower()).values("ticket")
        alive: set[int] = set()
        for some in chunks([row["ticket"] for row in joined]):
            query = self._from(models.Message).filter(ticket__in=some, at__gte=alive_since)
            alive.update(row["ticket"] for row in await query.distinct().values("ticket"))
        tickets = await self.tickets_by_number(alive)
        return [tickets[number] for number in sorted(alive, reverse=True)]
