"""The ledger's tables as Tortoise models, for reading with `.values()`. The schema itself is the reviewed SQL.

No foreign keys here: queries join by hand, and the engine keeps the keys. Nobody outside the store sees a model.
"""

from tortoise import fields
from tortoise.models import Model

from maild.store.instant import InstantField

WIDE = 1000
"""CharField wants a width; the columns are text without one."""


class Octets(Model):
    """Mail as it came or leaves, once for each digest."""

    digest = fields.CharField(WIDE, primary_key=True)
    zstd = fields.BinaryField()
    size = fields.BigIntField()


class Received(Model):
    """Octets for one recipient."""

    id = fields.BigIntField(primary_key=True)
    digest = fields.TextField()
    mail_from = fields.TextField()
    rcpt = fields.TextField()
    rcpt_key = fields.TextField()
    via = fields.TextField()
    peer = fields.TextField()
    received_at = InstantField()
    state = fields.TextField()
    attempts = fields.IntField()
    retry_at = InstantField(null=True)
    fault = fields.TextField()
    done_at = InstantField(null=True)
    because = fields.TextField()


class Party(Model):
    """An address we have met."""

    address = fields.CharField(WIDE, primary_key=True)
    name = fields.TextField()
    first_seen = InstantField()
    last_seen = InstantField()
    failed_at = InstantField(null=True)


class Ticket(Model):
    """`maild.ticket.Ticket`."""

    number = fields.BigIntField(primary_key=True)
    mailbox = fields.TextField()
    subject = fields.TextField()
    state = fields.TextField()
    severity = fields.TextField()
    severity_because = fields.TextField()
    requester_name = fields.TextField()
    requester_address = fields.TextField()
    participants = fields.TextField()
    assignee = fields.TextField(null=True)
    opened_at = InstantField()
    opened_by = fields.TextField()
    root_id = fields.TextField()
    policy = fields.TextField()
    resolved_at = InstantField(null=True)
    closed_at = InstantField(null=True)
    first_response_at = InstantField(null=True)
    first_response_evidence = fields.TextField()


class Participant(Model):
    """Who may join a ticket."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    address = fields.TextField()


class Message(Model):
    """`maild.ticket.Message`."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    message_id = fields.TextField()
    at = InstantField()
    sender_name = fields.TextField()
    sender_address = fields.TextField()
    sender_key = fields.TextField()
    kind = fields.TextField()
    verified = fields.TextField()
    placed_because = fields.TextField()
    subject = fields.TextField()
    text = fields.TextField()
    digest = fields.TextField(null=True)
    body_digest = fields.TextField()


class MessageRecipient(Model):
    """Our addresses a message was delivered to, in the order of delivery."""

    id = fields.BigIntField(primary_key=True)
    message = fields.BigIntField()
    rcpt = fields.TextField()

    class Meta:
        """Where it lives."""

        table = "message_recipient"


class Reference(Model):
    """A Message-ID and the ticket it speaks for."""

    id = fields.BigIntField(primary_key=True)
    msgid = fields.TextField()
    ticket = fields.BigIntField()
    kind = fields.TextField()


class Clock(Model):
    """`maild.sla.clock.Clock`."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    metric = fields.TextField()
    cycle = fields.IntField()
    calendar_name = fields.TextField()
    target_seconds = fields.BigIntField()
    limit_seconds = fields.BigIntField()
    started_at = InstantField()
    target_at = InstantField(null=True)
    limit_at = InstantField(null=True)
    state = fields.TextField()
    stopped_at = InstantField(null=True)
    breached_at = InstantField(null=True)
    by_reclassification = fields.BooleanField()
    elapsed_seconds = fields.BigIntField(null=True)
    paused_seconds = fields.BigIntField()
    spans = fields.TextField()
    next_at = InstantField(null=True)


class Escalation(Model):
    """One level of one clock that was told to someone."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    metric = fields.TextField()
    cycle = fields.IntField()
    level = fields.TextField()
    at = InstantField()
    because = fields.TextField()


class Outbox(Model):
    """Mail that is owed, and what became of it."""

    id = fields.BigIntField(primary_key=True)
    key = fields.TextField()
    kind = fields.TextField()
    ticket = fields.BigIntField(null=True)
    envelope_from = fields.TextField()
    rcpt = fields.TextField()
    message_id = fields.TextField()
    digest = fields.TextField()
    not_before = InstantField()
    attempts = fields.IntField()
    sent_at = InstantField(null=True)
    failed_at = InstantField(null=True)
    last_reply = fields.TextField()
    created_at = InstantField()


class Event(Model):
    """`maild.ticket.Event`; append only."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    at = InstantField()
    actor = fields.TextField()
    what = fields.TextField()
    because = fields.TextField()
    data = fields.TextField()


class Sequence(Model):
    """The next free number of a name."""

    name = fields.CharField(WIDE, primary_key=True)
    next = fields.BigIntField()


class Secret(Model):
    """Keys that tokens are made with."""

    id = fields.BigIntField(primary_key=True)
    purpose = fields.TextField()
    key = fields.BinaryField()
    created_at = InstantField()
    retired_at = InstantField(null=True)
