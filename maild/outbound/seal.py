"""From a draft to an `Outgoing`: the header every mail of ours has, the octets, the gate."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from maild.mail import Address, Outgoing
from maild.outbound import gate, wire
from maild.outbound.letters import Desk

AUTOMATIC = (("X-Auto-Response-Suppress", "All"),)


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail with all that was decided about it; `extra` are further fields, `hidden` and `texts` are the gate's.

    `cc` are further addresses for the header. `rcpt` is who of all these gets this very mail, None for `to`.
    """

    key: str
    kind: str
    ticket: int
    envelope_from: str
    sender: Address
    to: Address
    reply_to: str
    subject: str
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    body: wire.Part
    extra: tuple[tuple[str, str], ...] = ()
    hidden: Callable[[str], bool] | None = None
    texts: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    rcpt: Address | None = None


def chain(references: Iterable[str], root_id: str) -> tuple[str, ...]:
    """Give References: our root id, then the root and the last ten of a chain (RFC 5322 section 3.6.4).

    Ours stands first: a client that shortens the header keeps its first id and the last ones.
    """
    ids = tuple(msgid for msgid in gate.wire_ids(references) if msgid != root_id)
    return (root_id, *(ids if len(ids) <= 11 else (ids[0], *ids[-10:])))


def boundary(message_id: str, place: str) -> str:
    """Give a boundary's unique end, the same each time the same mail is written."""
    return f"{sha256(message_id.encode()).hexdigest()[:24]}.{place}"


def automatic(kind: str) -> tuple[tuple[str, str], ...]:
    """Give the fields of a mail that no person wrote (RFC 3834 section 5); `kind` is auto-replied or auto-generated."""
    return (("Auto-Submitted", kind), *AUTOMATIC)


def seal(draft: Draft, desk: Desk, now: datetime) -> Outgoing:
    """Write the draft down and let it pass the gate. Raises GateRefusal."""
    to = gate.wire_address(draft.to.address)
    cc = tuple(gate.wire_address(address) for address in draft.cc)
    rcpt = gate.wire_address(draft.rcpt.address) if draft.rcpt else to
    message_id = gate.wire_id(draft.message_id)
    fields = [
        wire.mailbox_field("From", draft.sender.name, draft.sender.address),
        wire.mailbox_field("To", draft.to.name, to),
        *((wire.addresses_field("Cc", cc),) if cc else ()),
        wire.mailbox_field("Reply-To", "", draft.reply_to),
        wire.text_field("Subject", draft.subject, 300),
        ("Date", format_datetime(now)),
        wire.ids_field("Message-ID", (message_id,)),
    ]
    if gate.wire_ids((draft.in_reply_to,)):
        fields.append(wire.ids_field("In-Reply-To", (draft.in_reply_to,)))
    fields.append(wire.ids_field("References", draft.references))
    fields.extend((*draft.extra, (gate.MARK_HEADER, gate.wire_address(desk.address))))
    whole = tuple(fields)
    octets = wire.message(whole, draft.body)
    names = wire.names(whole, draft.body)
    gate.check(octets, gate.Decided(names, rcpt, draft.envelope_from, draft.hidden, draft.texts, (to, *cc)))
    return Outgoing(draft.key, draft.kind, draft.ticket, draft.envelope_from, rcpt, message_id, octets, now)
