"""Whether a customer is told that his mail arrived, and what he is told."""

from maild.desk.decision import Case, Clocks
from maild.desk.office import AckRule, Office
from maild.mail import Origin
from maild.outbound.letters import AckLetter
from maild.sla.policy import Metric
from maild.threading import references
from maild.threading.token import Purpose
from maild.ticket import Ticket
from maild.trust import Standing


def acknowledgement(case: Case, office: Office, ticket: Ticket, clocks: Clocks) -> tuple[AckLetter | None, str]:
    """Give the acknowledgement of the mail that opens a ticket, or None; and why."""
    sender = case.mail.sender
    allowed, because = _allowed(case, office.ack)
    if sender is not None and office.mailbox_of(sender.address) is not None:
        allowed, because = False, f"{sender.key} is an address of the desk itself"
    if not allowed or sender is None:
        return None, because
    key = f"ack:{ticket.number}"
    first = next((clock for clock, _ in clocks if clock.metric is Metric.FIRST_RESPONSE), None)
    letter = AckLetter(
        key=key,
        ticket=ticket,
        to=sender,
        mailbox=case.mailbox.address,
        answer_by=first.limit_at if first else None,
        echo_subject=case.trust.standing is Standing.AUTHENTICATED,
        reply_to=office.token_address(case.mailbox, ticket.number, sender.key, Purpose.CUSTOMER),
        in_reply_to=case.mail.message_id,
        references=references.chain(case.mail),
        message_id=office.message_id(ticket.number, key),
        root_id=ticket.root_id,
        language=case.mailbox.language,
        inscription=office.inscription(case.mailbox, ticket.number, sender.key),
    )
    return letter, because


def _allowed(case: Case, rule: AckRule) -> tuple[bool, str]:
    refusal = _never(case) or _budget(case.acks, rule)
    if refusal:
        return False, refusal
    if case.trust.standing is Standing.AUTHENTICATED:
        return True, case.trust.because
    if rule.to == "everyone":
        return True, "everyone is acknowledged here"
    if rule.to == "known" and case.known:
        return True, "we have written to the sender before and nothing came back"
    return False, f"the sender is not authenticated ({case.trust.because})" + (
        " and not known" if rule.to == "known" else ""
    )


def _never(case: Case) -> str:
    if case.mail.origin is not Origin.PERSON:
        return f"no person wrote it: {case.mail.origin_because}"
    if case.mail.sender is None:
        return "its sender is ambiguous"
    if not case.received.mail_from:
        return "it came from the null reverse-path"
    if case.trust.standing is Standing.FAILED:
        return case.trust.because
    return ""


def _budget(acks: tuple[int, int, int], rule: AckRule) -> str:
    hour, day, minute = acks
    if hour >= rule.per_address_hour:
        return f"{hour} acknowledgements went to that address within the hour"
    if day >= rule.per_address_day:
        return f"{day} acknowledgements went to that address within the day"
    if minute >= rule.per_minute:
        return f"{minute} acknowledgements were sent within the minute"
    return ""
