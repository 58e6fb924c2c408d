"""What a message is: the values that pass from room to room.

`Envelope` is what the wire said (RFC 5321), `InboundMail` what the octets say (RFC 5322 and MIME), `Outgoing`
a finished message that is owed to one recipient. All are frozen; all instants are aware UTC datetimes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Origin(StrEnum):
    """Who speaks in a message (RFC 3834 section 2, RFC 3464)."""

    PERSON = "person"
    AUTOMATIC = "automatic"
    BULK = "bulk"
    BOUNCE = "bounce"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of RFC 5322 section 3.4: a display name (may be empty) and an addr-spec as it was written."""

    name: str
    address: str

    @property
    def key(self) -> str:
        """The form in which two addresses are compared: addr-spec, lower case."""
        return self.address.lower()

    @property
    def domain(self) -> str:
        """The domain, lower case; empty when there is no @."""
        return self.key.rpartition("@")[2] if "@" in self.address else ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """How octets reached us (RFC 5321 section 3.3).

    `mail_from` is empty for the null reverse-path. `via` is smtp, lmtp, imap, pipe or file. `peer` is the
    address of the client (empty for a local socket). `received_at` is the end of DATA, aware UTC.
    """

    mail_from: str
    rcpt_to: tuple[str, ...]
    via: str
    peer: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """One row of the ledger's `received`: octets for one recipient, waiting to be processed.

    `no_spam` says that somebody looked at it, whatever a filter thinks.
    """

    id: int
    digest: str
    mail_from: str
    rcpt: str
    via: str
    peer: str
    received_at: datetime
    attempts: int
    no_spam: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the readable text. `name` is safe to show, never a path. `content_id` has no brackets."""

    name: str
    content_type: str
    content: bytes
    sha256: str
    inline: bool
    content_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a delivery status notification says of one recipient (RFC 3464 section 2.3).

    `action` is failed, delayed, delivered, relayed or expanded; `original_message_id` has no brackets.
    """

    recipient: str
    action: str
    status: str
    diagnostic: str
    original_message_id: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What we found ourselves in the signatures of a mail (RFC 6376, RFC 8617).

    `signers` are the domains, as A-labels, whose DKIM signature holds; `arc` says that its ARC chain does. `because` says
    which it was, or why none counts, in words.
    """

    signers: tuple[str, ...]
    arc: bool
    because: str


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A parsed message. Message-IDs are canonical: without brackets, empty when absent.

    `from_` holds every mailbox of every From field: exactly one means a clear sender. `headers` are all fields in
    order, unfolded and decoded. `text` is the whole readable text, `new_text` what the writer wrote this time, `html`
    is sanitised or None. `body_digest` is a SHA-256 (hex) over the octets after the header block. `defects` are in words.
    `marks` are sentences for whoever reads the mail: that it is encrypted, that its signature was not checked.
    `checked` is None where we did not look at its signatures ourselves. `signature` is what was left out of `new_text`
    because it is printed below every letter; `text` has it in its place.
    """

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    from_: tuple[Address, ...]
    from_fields: int
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: datetime | None
    text: str
    html: str | None
    new_text: str
    attachments: tuple[Attachment, ...]
    headers: tuple[tuple[str, str], ...]
    body_digest: str
    size: int
    origin: Origin
    origin_because: str
    delivery: tuple[Delivery, ...]
    defects: tuple[str, ...]
    marks: tuple[str, ...] = ()
    checked: Checked | None = None
    signature: str = ""

    @property
    def sender(self) -> Address | None:
        """The one mailbox of the one From field, or None where the sender is ambiguous (RFC 5322 section 3.6.2)."""
        return self.from_[0] if self.from_fields == 1 and len(self.from_) == 1 else None

    def header(self, name: str) -> tuple[str, ...]:
        """Give the values of every field of that name, in order of appearance."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A finished message owed to one recipient: these very octets leave, at every attempt.

    `key` is unique in the ledger, so that a decision taken twice owes once. `kind` is ack, notification, relay,
    escalation, digest or held. `envelope_from` is empty for the null reverse-path. `message_id` has no brackets.
    """

    key: str
    kind: str
    ticket: int
    envelope_from: str
    rcpt: str
    message_id: str
    octets: bytes
    not_before: datetime
