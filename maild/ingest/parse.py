"""Octets in, `InboundMail` out: total over any bytes, and pure.

Raw octets stay the truth: limits first (`caps`), then our own cut into fields and parts, which keeps repeats and order.
"""

import hashlib
from collections.abc import Collection

from maild.ingest import attachments, bodies, caps, dsn, headers, html, mime, quote, senders
from maild.ingest.automatic import Facts, origin
from maild.mail import Address, InboundMail, Origin


def parse(octets: bytes, *, return_path: str | None = None, own_ids: Collection[str] = ()) -> InboundMail:
    """Read a message. Never raises: what cannot be read becomes a defect, and the original is attached.

    `return_path` is the envelope's reverse-path ("" is the null one); None takes the Return-Path field, for a file has
    no envelope. `own_ids` are Message-IDs known to be ours: such a message has the origin `own`.
    """
    head = caps.split_head(octets)
    try:
        return _read(octets, head, return_path, own_ids)
    except Exception as fault:  # noqa: BLE001 - the edge: no mail may be lost for a fault of ours
        return _unread(octets, head, f"could not be parsed: {type(fault).__name__}")


def unread(octets: bytes, defect: str) -> InboundMail:
    """Give what a ticket needs of a mail that cannot be parsed: its first fields, and the original attached."""
    return _unread(octets, caps.split_head(octets), defect)


def _first(head: caps.Head, name: str) -> str:
    wanted = name.lower()
    return next((headers.raw_text(value) for key, value in head.fields if key.lower() == wanted), "")


def _addresses(head: caps.Head, name: str, declared: str = "") -> tuple[Address, ...]:
    wanted = name.lower()
    return tuple(
        one
        for key, value in head.fields
        if key.lower() == wanted
        for one in headers.addresses(headers.raw_text(value, declared))
    )


def _senders(head: caps.Head, declared: str) -> tuple[Address, ...]:
    fields = (value for key, value in head.fields if key.lower() == "from")
    return tuple(one for value in fields for one in senders.senders(headers.raw_text(value, declared)))


def _all(head: caps.Head, name: str) -> str:
    wanted = name.lower()
    return " ".join(headers.raw_text(value) for key, value in head.fields if key.lower() == wanted)


def _read(octets: bytes, head: caps.Head, return_path: str | None, own_ids: Collection[str]) -> InboundMail:
    rest = octets[head.body_at :]
    tree = mime.tree(head.fields, rest)
    declared = next(
        (leaf.kind.parameters["charset"] for leaf in tree.leaves if leaf.kind.parameters.get("charset")), ""
    )
    body = bodies.read(tree)
    defects = list(dict.fromkeys((*head.defects, *body.defects)))
    from_ = _senders(head, declared)
    decoded = bodies.lines_of(head.fields, declared)
    subject = next((value for key, value in decoded if key.lower() == "subject"), "")
    froms = sum(1 for key, _ in head.fields if key.lower() == "from")
    if froms != 1 or len(from_) != 1:
        defects.append(f"ambiguous sender: {froms} From fields with {len(from_)} mailboxes")
    markup = html.sanitise(body.markup) if body.markup else None
    if return_path is None and any(key.lower() == "return-path" for key, _ in head.fields):
        return_path = _first(head, "Return-Path")
    message_id = headers.message_id(_first(head, "Message-ID"))
    facts = Facts(
        decoded,
        from_,
        return_path,
        subject,
        tree.root.kind.main,
        tree.root.kind.parameters.get("report-type", "").lower(),
        [leaf.kind.main for leaf in tree.leaves],
        lambda: sum(map(len, dsn.detect(octets))),
    )
    who, because = origin(facts)
    if message_id and message_id in own_ids:
        who, because = Origin.OWN, "its Message-ID is one of ours"
    in_reply_to = headers.message_ids(_all(head, "In-Reply-To"))
    references = headers.message_ids(_all(head, "References"))
    bearing = quote.bearing(subject, (*in_reply_to, *references))
    if body.from_markup and body.markup:
        written = quote.read_html(body.markup, bearing)
    else:
        written = quote.read(body.text, bearing)
    return InboundMail(
        message_id=message_id,
        in_reply_to=in_reply_to,
        references=references,
        from_=from_,
        from_fields=froms,
        reply_to=_addresses(head, "Reply-To", declared),
        to=_addresses(head, "To", declared),
        cc=_addresses(head, "Cc", declared),
        subject=subject,
        date=headers.date(_first(head, "Date")),
        text=body.text,
        html=markup,
        new_text=written.new,
        attachments=body.attachments,
        headers=decoded,
        body_digest=hashlib.sha256(rest).hexdigest(),
        size=len(octets),
        origin=who,
        origin_because=because,
        delivery=dsn.deliveries(tree, octets, body.text) if who is Origin.BOUNCE else (),
        defects=tuple(defects),
        marks=(*body.marks, *_losses(defects)),
        signature=written.signature,
    )


def _losses(defects: Collection[str]) -> tuple[str, ...]:
    """Give the defects that hide words of the mail, as its reader must be told of them."""
    return tuple(
        f"not all of this mail is shown: {one}" for one in defects if one.endswith("left out") or " cut at " in one
    )


def _unread(octets: bytes, head: caps.Head, defect: str) -> InboundMail:
    """Build what a ticket needs from raw fields alone, with the original attached."""
    fields = tuple((name, headers.clean(headers.raw_text(value))) for name, value in head.fields)
    original = attachments.plain("original.eml", "message/rfc822", octets)
    first = {name.lower(): value for name, value in reversed(fields)}
    sender = first.get("from", "").rpartition("<")[2].partition(">")[0].strip()
    return InboundMail(
        message_id=headers.bare_id(first.get("message-id", "")),
        in_reply_to=(),
        references=(),
        from_=(Address("", sender),) if "@" in sender else (),
        from_fields=sum(1 for name, _ in fields if name.lower() == "from"),
        reply_to=(),
        to=(),
        cc=(),
        subject=first.get("subject", ""),
        date=None,
        text="",
        html=None,
        new_text="",
        attachments=(original,),
        headers=fields,
        body_digest=hashlib.sha256(octets[head.body_at :]).hexdigest(),
        size=len(octets),
        origin=Origin.AUTOMATIC,
        origin_because="it could not be read, so it gets no automatic answer",
        delivery=(),
        defects=(*head.defects, defect),
        marks=(f"this mail could not be read, and is attached as it came: {original.name}",),
    )
