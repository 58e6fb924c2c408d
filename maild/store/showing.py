"""What people ask of the ledger: tickets, and all that happened to one."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from maild.sla.clock import Clock, ClockState
from maild.store import models
from maild.store.lines import EscalationLine, TicketLine
from maild.store.rows import clock_of, event_of, message_of, ticket_of
from maild.store.shelf import EVER, Shelf, chunks, reading
from maild.ticket import Event, Message, Severity, State, Ticket

NEVER = datetime.max.replace(tzinfo=UTC)


class Showing(Shelf):
    """Queries by ticket."""

    async def ticket(self, number: int) -> Ticket | None:
        """Give one ticket."""
        return (await self.tickets_by_number((number,))).get(number)

    @reading
    async def tickets_by_number(self, numbers: Collection[int]) -> dict[int, Ticket]:
        """Give those that exist."""
        found: dict[int, Ticket] = {}
        for some in chunks(numbers):
            rows = await self._from(models.Ticket).filter(number__in=some).values()
            found.update((row["number"], ticket_of(row)) for row in rows)
        return found

    @reading
    async def tickets(
        self, state: State | None = None, severity: Severity | None = None, *, due_only: bool = False
    ) -> list[TicketLine]:
        """List tickets, the most pressing first, then those with nothing due, the newest first.

        `due_only` leaves out those with nothing due.
        """
        due = await self._due()
        query = self._from(models.Ticket)
        if state is not None:
            query = query.filter(state=state.value)
        if severity is not None:
            query = query.filter(severity=severity.value)
        rows: list[dict[str, Any]] = []
        if due_only:
            for some in chunks(due):
                rows += await query.filter(number__in=some).values()
        else:
            rows = await query.values()
        lines = [TicketLine(ticket_of(row), *due.get(row["number"], (None, None))) for row in rows]
        return sorted(lines, key=lambda line: (line.due_at or NEVER, -line.ticket.number))

    @reading
    async def messages(self, number: int) -> list[Message]:
        """Give a ticket's messages in order of time."""
        rows = await self._from(models.Message).filter(ticket=number).order_by("at", "id").values()
        recipients: dict[int, list[str]] = {row["id"]: [] for row in rows}
        for some in chunks(recipients):
            told = self._from(models.MessageRecipient).filter(message__in=some).order_by("id")
            for row in await told.values("message", "rcpt"):
                recipients[row["message"]].append(row["rcpt"])
        return [message_of(row, recipients[row["id"]]) for row in rows]

    @reading
    async def events(self, number: int) -> list[Event]:
        """Give a ticket's history in order of time."""
        rows = await self._from(models.Event).filter(ticket=number).order_by("at", "id").values()
        return [event_of(row) for row in rows]

    @reading
    async def clocks(self, number: int) -> list[Clock]:
        """Give a ticket's clocks as they were recorded, in that order."""
        rows = await self._from(models.Clock).filter(ticket=number).order_by("id").values()
        return [clock_of(row) for row in rows]

    @reading
    async def escalations(self, number: int) -> list[EscalationLine]:
        """Give who was told what, in that order."""
        query = self._from(models.Escalation).filter(ticket=number).order_by("id")
        return [EscalationLine(**row) for row in await query.values(*EscalationLine.__slots__)]

    @reading
    async def _due(self) -> dict[int, tuple[datetime, str]]:
        unanswered = self._from(models.Clock).filter(stopped_at__isnull=True, target_at__gt=EVER)
        due: dict[int, tuple[datetime, str]] = {}
        for row in await unanswered.values("ticket", "metric", "state", "target_at", "limit_at"):
            late = row["state"] == ClockState.BREACHED.value and row["limit_at"] is not None
            mine = (row["limit_at"] if late else row["target_at"], row["metric"])
            due[row["ticket"]] = min(mine, due.get(row["ticket"], mine))
        return due
