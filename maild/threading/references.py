"""The Message-IDs that a mail names, in the order in which they count as evidence."""

from maild.mail import InboundMail

MOST_REFERENCES = 100
"""How many References are read: the root and the last ones (RFC 5322 sets no limit, real chains stay below)."""


def named(mail: InboundMail) -> tuple[str, ...]:
    """Give In-Reply-To first, then References from right to left, each id once (RFC 5322 section 3.6.4)."""
    chain = mail.references
    if len(chain) > MOST_REFERENCES:
        chain = (chain[0], *chain[-(MOST_REFERENCES - 1) :])
    ids = (*mail.in_reply_to[:MOST_REFERENCES], *reversed(chain))
    return tuple(dict.fromkeys(msgid for msgid in ids if msgid != mail.message_id))


def chain(mail: InboundMail) -> tuple[str, ...]:
    """Give what a reply to this mail puts into References: root and last ten, the mail itself at the end."""
    ids = tuple(dict.fromkeys((*(mail.references or mail.in_reply_to[:1]), mail.message_id)))
    ids = tuple(msgid for msgid in ids if msgid)
    return ids if len(ids) <= 11 else (ids[0], *ids[-10:])
