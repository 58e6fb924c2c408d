"""What an agent's reply to an escalation mail says besides its words: that he has taken the ticket over.

Which of our mails he answers is told by the ids he names. Ours are always the same for the same mail, so that those of
the escalations need no list: they are made again, for every level that was told, every agent and every key.
"""

from dataclasses import replace
from datetime import datetime

from maild.desk.ack import Acknowledge, acknowledged
from maild.desk.decision import Case, Decision, clocks_of, folded
from maild.desk.escalate import escalation_key
from maild.desk.office import Agent, Office
from maild.desk.past import UNDONE
from maild.desk.reply import doubt_of
from maild.ingest.automatic import speaks_of_absence
from maild.mail import Origin
from maild.threading import token
from maild.threading.token import Purpose
from maild.ticket import Ticket


def answered_clocks(case: Case, office: Office, ticket: Ticket) -> frozenset[tuple[str, int]]:
    """Give the clocks (metric, cycle) of whose escalation mails a mail answers one: by In-Reply-To, or by its last reference."""
    named = {*case.mail.in_reply_to, *case.mail.references[-1:]}
    ours = {one for one in named if token.read_own_id(one, office.keys) == ticket.number}
    if not ours:
        return frozenset()
    undone = sum(event.what == UNDONE for event in case.told.events)
    return frozenset(
        (metric, cycle)
        for metric, cycle, level in case.told.sent
        for agent in office.agents
        for times in range(undone + 1)
        for debt in (escalation_key(ticket.number, f"{metric}:{cycle}:{level}", agent.id, times),)
        for key in office.keys
        if token.own_id(key, ticket.number, token.nonce(debt), office.desk.domain) in ours
    )


def answering(case: Case, office: Office, now: datetime, agent: Agent, decision: Decision) -> Decision:
    """Let a reply to an escalation mail acknowledge the clock of which that tells, too, whatever else it does.

    No machine's does (RFC 3834 section 2), nor one that nothing proves, nor one to an address that wants no answer. Where
    the reply itself ended what ran, or he has acknowledged it before, nothing is added.
    """
    ticket, old = decision.ticket, case.ticket
    if ticket is None or old is None or ticket.number != old.number or not _is_his_word(case, office):
        return decision
    spoken_of = answered_clocks(case, office, ticket)
    if not spoken_of:
        return decision
    told = case.told.and_then(*decision.events)
    word = Acknowledge(agent.id, case.received.received_at, spoken_of)
    done = acknowledged(ticket, told.events, folded(office, ticket, told, now), word, office, now)
    if isinstance(done, str):
        return decision
    after, event = done
    # It is no command, so there is nothing for an undo: `before` is left out.
    data = {"clocks": event.data["clocks"], "message": case.received.id}
    event = replace(event, because=f"{event.because}; by a reply to an escalation mail", data=data)
    return replace(
        decision,
        because=f"{decision.because}; {event.because}",
        ticket=after,
        clocks=clocks_of(office, after, told.and_then(event), now),
        events=(*decision.events, event),
    )


def _is_his_word(case: Case, office: Office) -> bool:
    person = case.mail.origin is Origin.PERSON and not speaks_of_absence(case.mail.subject)
    wanted = case.placement.purpose not in {Purpose.BOUNCE, Purpose.RELEASE}
    return person and wanted and not doubt_of(case, office)
