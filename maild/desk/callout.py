"""Whom a level of a ladder tells, and how many are on call by turns. Until there are rotas, that is the team in its order."""

from collections.abc import Sequence
from datetime import datetime

from maild.desk.office import Agent, Office
from maild.sla.ladder import recipients
from maild.ticket import Ticket


def told(
    notify: Sequence[str],
    ticket: Ticket,
    office: Office,
    at: datetime,  # noqa: ARG001 - whose turn it is at an instant is a rota's word
    *,
    since: datetime | None = None,  # noqa: ARG001 - likewise
) -> tuple[Agent, ...]:
    """Give the agents whom the words of a level mean at `at`, each once. Those who follow do after who was on call at `since`."""
    team = tuple(agent.id for agent in office.team(office.mailbox(ticket.mailbox)))
    roles = {agent.id: agent.role for agent in office.agents}
    found = (office.agent(name) for name in recipients(notify, ticket.assignee, team, roles))
    return tuple(agent for agent in found if agent is not None)


def rota_size(ticket: Ticket, office: Office) -> int:
    """Give the number of people who are on call for a ticket by turns."""
    return len(office.team(office.mailbox(ticket.mailbox)))
