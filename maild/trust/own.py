"""Whether a mail is one of ours that came back (RFC 3834 section 4).

Anybody can write our loop mark or one of our Message-IDs into his mail, and a customer's program may copy them out of ours.
Neither alone makes his words ours: what is ours also says that we wrote it, or came through a list that says who it is.
"""

from collections.abc import Collection

from maild.mail import InboundMail, Origin
from maild.outbound.gate import MARK_HEADER


def own_because(mail: InboundMail, *, sent: bool, desk: str, ours: Collection[str]) -> str:
    """Say by what a mail is known for one of ours; "" where it is none.

    `sent` says that the ledger has its Message-ID as one that we sent, `desk` is the address in our mark, `ours` are the
    addresses that we write from; all in lower case. Where it says a stranger wrote it, the Message-ID counts only together
    with the mark, or from a list: it may have put its own address into the From.
    """
    marked = desk in (mark.strip().lower() for mark in mail.header(MARK_HEADER))
    from_us = bool(mail.from_) and all(one.key in ours for one in mail.from_)
    passed_on = marked or mail.origin is Origin.BULK
    if sent and (from_us or passed_on):
        return f"<{mail.message_id}> is a Message-ID that we sent"
    if marked and from_us:
        return f"it bears our own {MARK_HEADER} and our address in the From"
    return ""
