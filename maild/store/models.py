"""The ledger's tables as Tortoise models, for reading with `.values()`. The schema itself is the reviewed SQL.

No foreign keys here: queries join by hand, and the engine keeps the keys. Nobody outside the store sees a model.
"""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from maild.store.instant import InstantField
from maild.store.words import key, writable

WIDE = 1000
"""CharField wants a width; the columns are text without one."""


class _Words(fields.TextField):
    """Text that looks for what the door wrote: `writable`."""

    def to_db_value(self, value: Any, instance: Any) -> Any:  # noqa: ARG002 - the signature is tortoise's
        """Convert on the way to the engine, in filters too."""
        return writable(value) if isinstance(value, str) else value


class _Key(fields.TextField):
    """A key that looks for what was written as `key`."""

    def to_db_value(self, value: Any, instance: Any) -> Any:  # noqa: ARG002 - the signature is tortoise's
        """Convert on the way to the engine, in filters too."""
        return key(value) if isinstance(value, str) else value


class _KeyColumn(fields.CharField[Any]):
    """Likewise, where it is the table's own key."""

    def to_db_value(self, value: Any, instance: Any) -> Any:  # noqa: ARG002 - the signature is tortoise's
        """Convert on the way to the engine, in filters too."""
        return key(value) if isinstance(value, str) else value


class Octets(Model):
    """Mail as it came or leaves, once for each digest."""

    digest = fields.CharField(WIDE, primary_key=True)
    zstd = fields.BinaryField()
    size = fields.BigIntField()


class Received(Model):
    """Octets for one recipient."""

    id = fields.BigIntField(primary_key=True)
    digest = _Words()
    mail_from = _Words()
    rcpt = _Words()
    rcpt_key = _Key()
    via = _Words()
    peer = _Words()
    received_at = InstantField()
    state = _Words()
    attempts = fields.IntField()
    retry_at = InstantField(null=True)
    taken_by = _Words(null=True)
    taken_until = InstantField(null=True)
    fault = _Words()
    done_at = InstantField(null=True)
    because = _Words()
    no_spam = fields.BooleanField()


class Party(Model):
    """An address we have met."""

    address = _KeyColumn(WIDE, primary_key=True)
    name = _Words()
    first_seen = InstantField()
    last_seen = InstantField()
    failed_at = InstantField(null=True)


class Ticket(Model):
    """`maild.ticket.Ticket`."""

    number = fields.BigIntField(primary_key=True)
    mailbox = _Words()
    subject = _Words()
    state = _Words()
    severity = _Words()
    severity_because = _Words()
    requester_name = _Words()
    requester_address = _Words()
    participants = _Words()
    assignee = _Words(null=True)
    opened_at = InstantField()
    opened_by = _Words()
    root_id = _Words()
    policy = _Words()
    resolved_at = InstantField(null=True)
    closed_at = InstantField(null=True)
    first_response_at = InstantField(null=True)
    first_response_evidence = _Words()
    revision = fields.BigIntField()
    merged_into = fields.BigIntField(null=True)


class Link(Model):
    """Two tickets that belong together, the lower number first."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    other = fields.BigIntField()


class Participant(Model):
    """Who may join a ticket."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    address = _Key()


class Message(Model):
    """`maild.ticket.Message`."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    message_id = _Key()
    at = InstantField()
    sender_name = _Words()
    sender_address = _Words()
    sender_key = _Key()
    kind = _Words()
    verified = _Words()
    placed_because = _Words()
    subject = _Words()
    text = _Words()
    digest = _Words(null=True)
    body_digest = _Words()
    base_subject = _Key()
    thread_index = _Words()


class MessageRecipient(Model):
    """Our addresses a message was delivered to, in the order of delivery."""

    id = fields.BigIntField(primary_key=True)
    message = fields.BigIntField()
    rcpt = _Words()

    class Meta:
        """Where it lives."""

        table = "message_recipient"


class Reference(Model):
    """A Message-ID and the ticket it speaks for."""

    id = fields.BigIntField(primary_key=True)
    msgid = _Key()
    ticket = fields.BigIntField()
    kind = _Words()


class Clock(Model):
    """`maild.sla.clock.Clock`."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    metric = _Words()
    cycle = fields.IntField()
    calendar_name = _Words()
    target_seconds = fields.BigIntField()
    limit_seconds = fields.BigIntField()
    started_at = InstantField()
    target_at = InstantField(null=True)
    limit_at = InstantField(null=True)
    state = _Words()
    stopped_at = InstantField(null=True)
    breached_at = InstantField(null=True)
    by_reclassification = fields.BooleanField()
    elapsed_seconds = fields.BigIntField(null=True)
    paused_seconds = fields.BigIntField()
    spans = _Words()
    next_at = InstantField(null=True)
    taken_by = _Words(null=True)
    taken_until = InstantField(null=True)


class Escalation(Model):
    """One level of one clock that was told to someone."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    metric = _Words()
    cycle = fields.IntField()
    level = _Words()
    at = InstantField()
    because = _Words()


class Outbox(Model):
    """Mail that is owed, and what became of it."""

    id = fields.BigIntField(primary_key=True)
    key = _Key()
    kind = _Words()
    ticket = fields.BigIntField(null=True)
    envelope_from = _Words()
    rcpt = _Words()
    message_id = _Words()
    digest = _Words()
    not_before = InstantField()
    attempts = fields.IntField()
    sent_at = InstantField(null=True)
    failed_at = InstantField(null=True)
    last_reply = _Words()
    taken_by = _Words(null=True)
    created_at = InstantField()


class Event(Model):
    """`maild.ticket.Event`; append only."""

    id = fields.BigIntField(primary_key=True)
    ticket = fields.BigIntField()
    at = InstantField()
    actor = _Words()
    what = _Words()
    because = _Words()
    data = _Words()


class Sequence(Model):
    """The next free number of a name."""

    name = fields.CharField(WIDE, primary_key=True)
    next = fields.BigIntField()


class Setting(Model):
    """What the ledger was last worked out by."""

    name = fields.CharField(WIDE, primary_key=True)
    value = _Words()


class Secret(Model):
    """Keys that tokens are made with."""

    id = fields.BigIntField(primary_key=True)
    purpose = _Words()
    key = fields.BinaryField()
    created_at = InstantField()
    retired_at = InstantField(null=True)


class Mailbox(Model):
    """An IMAP folder that we fetch from."""

    id = fields.BigIntField(primary_key=True)
    name = _Key()
    uidvalidity = fields.BigIntField()
    last_uid = fields.BigIntField()
    looked_at = InstantField(null=True)
    reconciled_at = InstantField(null=True)
    taken_by = _Words(null=True)
    taken_until = InstantField(null=True)


class MailboxUid(Model):
    """A message of such a folder, fetched or not."""

    id = fields.BigIntField(primary_key=True)
    mailbox = fields.BigIntField()
    uidvalidity = fields.BigIntField()
    uid = fields.BigIntField()
    digest = _Words(null=True)
    fault = _Words()
    fetched_at = InstantField()
    moved_at = InstantField(null=True)

    class Meta:
        """Where it lives."""

        table = "mailbox_uid"


class DigestItem(Model):
    """An escalation that waits to be told together with others."""

    id = fields.BigIntField(primary_key=True)
    key = _Words()
    agent = _Words()
    address = _Words()
    ticket = fields.BigIntField()
    metric = _Words()
    cycle = fields.IntField()
    level = _Words()
    severity = _Words()
    title = _Words()
    limit_seconds = fields.BigIntField()
    reached_at = InstantField()
    due_at = InstantField()
    at = InstantField()
    send_at = InstantField()
    quiet = fields.BooleanField()
    because = _Words()

    class Meta:
        """Where it lives."""

        table = "digest_item"


class DigestTold(Model):
    """A clock that a digest named."""

    id = fields.BigIntField(primary_key=True)
    message_id = _Words()
    ticket = fields.BigIntField()
    metric = _Words()
    cycle = fields.IntField()

    class Meta:
        """Where it lives."""

        table = "digest_told"
