"""The envelope of a mail that lies in an IMAP folder, read from what its delivery wrote above it. Pure."""

from collections.abc import Callable
from datetime import datetime

from maild.ingest import caps, headers
from maild.mail import Envelope

_BY_DELIVERY = ("Delivered-To", "X-Original-To", "Envelope-To")
_BY_SENDER = ("To", "Cc")
MOST_ADDRESSES = 100
FIELD_OCTETS = 8 * 1024
"""What is read of one field. The parse that reads all of it is in a process that can be killed; this is in the daemon's."""


def envelope(octets: bytes, mailbox: str, bears_token: Callable[[str], bool], received_at: datetime) -> Envelope:
    """Give the envelope of a fetched mail. Total over any octets.

    The recipient is `mailbox`, the address that the folder feeds, unless one of the fields of delivery, or else To or
    Cc, names an address for which `bears_token` is true: one of ours with a token in its sub-address. The sender is the
    topmost Return-Path (RFC 5321 section 4.4). Without such a field it is the From, for nothing says that it was the
    null reverse-path.
    """
    fields = caps.split_head(octets).fields
    return Envelope(
        mail_from=_sender(fields),
        rcpt_to=(_recipient(fields, bears_token) or mailbox,),
        via="imap",
        peer="",
        received_at=received_at,
    )


def _values(fields: tuple[tuple[str, bytes], ...], name: str) -> list[str]:
    wanted = name.lower()
    return [headers.raw_text(value[:FIELD_OCTETS]) for key, value in fields if key.lower() == wanted]


def _recipient(fields: tuple[tuple[str, bytes], ...], bears_token: Callable[[str], bool]) -> str | None:
    for name in (*_BY_DELIVERY, *_BY_SENDER):
        found = [one.address for text in _values(fields, name) for one in headers.addresses(text)]
        for address in found[:MOST_ADDRESSES]:
            if bears_token(address):
                return address
    return None


def _sender(fields: tuple[tuple[str, bytes], ...]) -> str:
    paths = _values(fields, "Return-Path")
    for text in paths[:1] or _values(fields, "From")[:1]:
        found = headers.addresses(text)
        if found:
            return found[0].address
    return ""
