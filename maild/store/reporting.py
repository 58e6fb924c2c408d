"""What reports are made of: tickets of a stretch of time with their clocks and their histories."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime

from maild.sla.clock import Clock
from maild.store import models
from maild.store.rows import clock_of, event_of, ticket_of
from maild.store.shelf import CHUNK, Shelf, chunks, reading
from maild.ticket import Event, Ticket

REPORT = "report"
"""The kind of mail that a weekly report is."""

Told = tuple[Ticket, tuple[Clock, ...]]
Life = tuple[Ticket, tuple[Clock, ...], list[Event]]


class Reporting(Shelf):
    """Queries over a stretch of time [since, until)."""

    @reading
    async def happened(self, since: datetime, until: datetime) -> list[Told]:
        """Give, by number, the tickets that were opened in that time, or had a clock that stopped or was breached in it."""
        clocks = self._from(models.Clock)
        queries = (
            clocks.filter(stopped_at__gte=since, stopped_at__lt=until),
            clocks.filter(breached_at__gte=since, breached_at__lt=until),
        )
        opened = self._from(models.Ticket).filter(opened_at__gte=since, opened_at__lt=until)
        numbers = {row["number"] for row in await opened.values("number")}
        for query in queries:
            numbers.update([row["ticket"] for row in await query.values("ticket")])
        return await self._lives(numbers)

    async def lives(self, since: datetime, until: datetime) -> AsyncIterator[list[Life]]:
        """Give, by number, the tickets that were opened in that time, with their clocks and events.

        They come some at a time: nobody needs to hold all of a large ledger.
        """
        after = 0
        while told := await self._opened(since, until, after):
            after = told[-1][0].number
            events = await self.histories_of([ticket.number for ticket, _ in told])
            yield [(ticket, clocks, events[ticket.number]) for ticket, clocks in told]

    @reading
    async def regraded(self, since: datetime, until: datetime) -> list[int]:
        """Give the numbers of the tickets whose severity was set in that time, by whomever."""
        query = self._from(models.Event).filter(what="set_severity", at__gte=since, at__lt=until)
        return sorted({row["ticket"] for row in await query.values("ticket")})

    @reading
    async def histories_of(self, numbers: Collection[int]) -> dict[int, list[Event]]:
        """Give the events of tickets, each ticket's in order of time."""
        found: dict[int, list[Event]] = {number: [] for number in numbers}
        for some in chunks(numbers):
            for row in await self._from(models.Event).filter(ticket__in=some).order_by("at", "id").values():
                found[row["ticket"]].append(event_of(row))
        return found

    @reading
    async def last_report(self) -> datetime | None:
        """Give the instant as of which the last weekly report was written; None where there was none."""
        newest = self._from(models.Outbox).filter(kind=REPORT).order_by("-created_at").limit(1)
        rows = await newest.values("created_at")
        return rows[0]["created_at"] if rows else None

    @reading
    async def _opened(self, since: datetime, until: datetime, after: int) -> list[Told]:
        query = self._from(models.Ticket).filter(opened_at__gte=since, opened_at__lt=until, number__gt=after)
        return await self._lives(
            [row["number"] for row in await query.order_by("number").limit(CHUNK).values("number")]
        )

    async def _lives(self, numbers: Collection[int]) -> list[Told]:
        tickets: list[Ticket] = []
        clocks: dict[int, list[Clock]] = {}
        for some in chunks(sorted(numbers)):
            tickets += [
                ticket_of(row)
                for row in await self._from(models.Ticket).filter(number__in=some).order_by("number").values()
            ]
            for row in await self._from(models.Clock).filter(ticket__in=some).order_by("id").values():
                clocks.setdefault(row["ticket"], []).append(clock_of(row))
        return [(ticket, tuple(clocks.get(ticket.number, ()))) for ticket in tickets]
