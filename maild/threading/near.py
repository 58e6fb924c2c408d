"""What a mail has in common with a ticket that it does not join: said to the agents, and to nobody else.

Weak signals only: they link, they never place. At most one, the strongest; of equal ones the newest.
"""

from collections.abc import Sequence
from datetime import datetime

from maild.mail import InboundMail
from maild.threading import references, subject, token
from maild.threading.likeness import ALIVE, Candidate, Traits, says_something
from maild.threading.place import Evidence, Near

MOST_ALIKE = 3
"""A subject that more conversations have is anybody's."""


def near(
    mail: InboundMail,
    evidence: Evidence,
    reference: str,
    alike: tuple[Traits, Sequence[Candidate]] | None,
    now: datetime,
) -> Near | None:
    """Give the ticket that a mail nearly joined. `alike` is what was asked of the ledger for a mail with a reply prefix."""
    return (
        _by_token(evidence)
        or _by_tag(mail, evidence, reference)
        or _by_reused_id(mail, evidence)
        or _by_shared_id(mail, evidence)
        or (_by_likeness(mail, *alike, now) if alike else None)
    )


def _by_token(evidence: Evidence) -> Near | None:
    claimed = token.read(evidence.detail)
    if claimed is None or claimed.ticket not in evidence.tickets:
        return None
    return Near(claimed.ticket, "its recipient address names that ticket, by a token that proves nothing (any more)")


def _by_tag(mail: InboundMail, evidence: Evidence, reference: str) -> Near | None:
    who = f"{mail.sender.key} takes no part in it" if mail.sender else "its sender is ambiguous"
    known = (number for number in subject.tags(mail.subject, reference) if number in evidence.tickets)
    return next((Near(number, f"its subject carries the tag of that ticket, but {who}") for number in known), None)


def _by_reused_id(mail: InboundMail, evidence: Evidence) -> Near | None:
    tickets = {number for number, kind in evidence.ids.get(mail.message_id, ()) if kind == "seen"}
    return Near(max(tickets), "a mail with the same Message-ID and another text is in that ticket") if tickets else None


def _by_shared_id(mail: InboundMail, evidence: Evidence) -> Near | None:
    for kinds in ({"own", "seen"}, {"named"}):
        for msgid in references.named(mail):
            tickets = {number for number, kind in evidence.ids.get(msgid, ()) if kind in kinds}
            if tickets:
                return Near(
                    max(tickets), f"it names <{msgid}>, which stands in several tickets: that one is the newest"
                )
    return None


def _by_likeness(mail: InboundMail, traits: Traits, candidates: Sequence[Candidate], now: datetime) -> Near | None:
    alive = sorted((one for one in candidates if now - one.last_at <= ALIVE), key=_age, reverse=True)
    indexed = [one for one in alive if traits.thread_index and traits.thread_index in one.indexes]
    if indexed:
        return Near(indexed[0].ticket, "it bears the Thread-Index of that ticket, with another subject")
    base = traits.base_subject
    same = [one for one in alive if says_something(base) and base in one.subjects]
    sender = mail.sender.key if mail.sender else ""
    own = [one for one in same if sender in one.writers]
    if own:
        return Near(own[0].ticket, f"{sender} wrote there with the same subject, but it names mail that we do not know")
    if 0 < len(same) <= MOST_ALIKE:
        return Near(same[0].ticket, "a reply with the same subject, but nothing else ties it to that ticket")
    return None


def _age(one: Candidate) -> tuple[datetime, int]:
    return one.last_at, one.ticket
