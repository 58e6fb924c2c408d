"""One letter of every kind, filled in: what `maild check` writes with an operator's templates before anybody is served."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from maild.mail import Address, Attachment, InboundMail, Origin
from maild.outbound.digest_letter import DigestLetter, DigestLine, DigestReason, Settled
from maild.outbound.letters import (
    AckLetter,
    ClockLine,
    Desk,
    EscalationLetter,
    Heap,
    HeldLetter,
    Item,
    Letter,
    NoticeLetter,
    Recipient,
    RelayLetter,
    ReportLetter,
    Row,
    Section,
    Stretch,
    SummaryLetter,
    WordLetter,
)
from maild.ticket import Severity, State, Ticket

NOW = datetime(2026, 11, 23, 16, 50, tzinfo=UTC)
DESK = Desk(
    "Example Support",
    "csm@example.com",
    "CSM",
    "example.com",
    "Europe/Berlin",
    ("#resolve", "#assign", "#ack", "#send"),
)
AGENT = Recipient("Ann Example", "ann@example.com", "Europe/Berlin")
CUSTOMER = Address("Bob Customer", "bob@acme.example")
ROOT = "maild.1042.root@example.com"
_BOUNCE = "csm+caaaaaaaaaaaaaaaaaaaaaab@example.com"
_TOKEN = "csm+baaaaaaaaaaaaaaaaaaaaaab@example.com"  # noqa: S105 - an address's sub-address, and nobody's

TICKET = Ticket(
    number=1042,
    mailbox="csm@example.com",
    subject="Checkout down",
    state=State.NEW,
    severity=Severity.URGENT,
    severity_because=("'down' in the subject",),
    requester=CUSTOMER,
    participants=(CUSTOMER.key,),
    assignee="ann",
    opened_at=NOW - timedelta(minutes=34),
    opened_by="customer",
    root_id=ROOT,
)
_COUNTED = Stretch(NOW - timedelta(minutes=34), NOW - timedelta(minutes=4), "counted", 1800, "")
CLOCKS = (
    ClockLine("first_response", NOW - timedelta(minutes=19), NOW - timedelta(minutes=4), "breached", (_COUNTED,)),
    ClockLine("resolution", None, None, "paused"),
)


def mail(text: str = "Nobody can pay.\n", html: str | None = "<p>Nobody can pay.</p>") -> InboundMail:
    """Give a customer's mail with a picture shown and a file beside it."""
    picture, log = b"\x89PNG", b"line one\n"
    return InboundMail(
        message_id="m1@acme.example",
        in_reply_to=(),
        references=(),
        from_=(CUSTOMER,),
        from_fields=1,
        reply_to=(),
        to=(Address("", DESK.address),),
        cc=(),
        subject=TICKET.subject,
        date=NOW,
        text=text,
        html=html and f'{html}<img src="cid:shot@acme.example">',
        new_text=text,
        attachments=(
            Attachment("shot.png", "image/png", picture, sha256(picture).hexdigest(), True, "shot@acme.example"),  # noqa: FBT003 - inline
            Attachment("app.log", "text/plain", log, sha256(log).hexdigest(), False, ""),  # noqa: FBT003 - not inline
        ),
        headers=(),
        body_digest="",
        size=0,
        origin=Origin.PERSON,
        origin_because="nothing says otherwise",
        delivery=(),
        defects=(),
    )


def letters(language: str = "") -> tuple[Letter, ...]:
    """Give one letter of every kind in a language, twice where a template has two ways to go."""
    agent = replace(AGENT, language=language)
    ack = AckLetter(
        key="ack",
        ticket=TICKET,
        to=CUSTOMER,
        mailbox=DESK.address,
        answer_by=NOW,
        echo_subject=False,
        reply_to=_TOKEN,
        in_reply_to="m1@acme.example",
        references=("m1@acme.example",),
        message_id="maild.1042.ack@example.com",
        root_id=ROOT,
        language=language,
    )
    notice = NoticeLetter(
        key="notice",
        ticket=TICKET,
        mail=mail(),
        agent=agent,
        agent_id="ann",
        reply_to=_TOKEN,
        envelope_from=_BOUNCE,
        message_id="maild.1042.notice@example.com",
        root_id=ROOT,
        verified="dmarc",
        clocks=CLOCKS,
        because=TICKET.severity_because,
        placed_because="nothing known was named: a new ticket",
        notes=("filed without an acknowledgement",),
    )
    relay = RelayLetter(
        key="relay",
        ticket=TICKET,
        agent=agent,
        mail=mail("We are on it.\n"),
        text="We are on it.\n",
        html=mail("", "<p>We are on it.</p>").html,
        mailbox=DESK.address,
        to=CUSTOMER,
        message_id="maild.1042.relay@example.com",
        root_id=ROOT,
        in_reply_to="m1@acme.example",
        references=("m1@acme.example",),
        reply_to=_TOKEN,
        envelope_from=_BOUNCE,
    )
    escalation = EscalationLetter(
        key="escalation",
        ticket=TICKET,
        agent=agent,
        metric="first_response",
        level="limit",
        target_at=NOW - timedelta(minutes=19),
        limit_at=NOW - timedelta(minutes=4),
        limit_seconds=1800,
        owner="",
        customer="Acme",
        clocks=CLOCKS,
        last_from="Bob Customer",
        last_at=NOW,
        last_text="Nobody can pay.\n" * 30,
        next_at=NOW,
        next_who=("Mia Manager",),
        reply_to=_TOKEN,
        envelope_from=_BOUNCE,
        message_id="maild.1042.escalation@example.com",
        root_id=ROOT,
        notes=("maild was down",),
    )
    held = HeldLetter(
        key="held",
        ticket=TICKET,
        agent=agent,
        mail=mail(),
        because="no DKIM signature of example.com, no token",
        reply_to=_TOKEN,
        envelope_from=_BOUNCE,
        message_id="maild.1042.held@example.com",
        root_id=ROOT,
    )
    word = WordLetter(
        key="word",
        ticket=TICKET,
        agent=agent,
        subject="done",
        lines=("#resolve: done",),
        quote="#resolve",
        reply_to=_TOKEN,
        envelope_from=_BOUNCE,
        message_id="maild.1042.word@example.com",
        root_id=ROOT,
    )
    item = Item(17, NOW - timedelta(minutes=34), CUSTOMER.address, DESK.address, "ValueError: it broke")
    summary = SummaryLetter(
        key="summary",
        to=Address("", "postmaster@example.com"),
        heaps=tuple(
            Heap(kind, 12, 20, (item, replace(item, id=18, sender=""))) for kind in ("quarantined", "spam", "failed")
        ),
        config="/etc/maild/maild.toml",
        until=NOW,
        message_id="maild.0.summary@example.com",
        root_id="maild.0.root@example.com",
    )
    line = DigestLine(
        1042, "first_response", 1, "limit", Severity.URGENT, "Acme: Checkout down", 1800, NOW - timedelta(minutes=4)
    )
    settled = (Settled("answered", NOW, "Bob Example"), Settled("its clock has ended"))
    digest = DigestLetter(
        key="digest",
        to=Address(AGENT.name, AGENT.address),
        time_zone=AGENT.time_zone,
        language=language,
        lines=(
            *(replace(line, ticket=1042 + number) for number in range(120)),
            *(replace(line, ticket=1200, settled=one) for one in settled),
        ),
        reason=DigestReason(NOW, NOW, 121, NOW - timedelta(hours=1), 2, 1, NOW, "cara"),
        reply_to=DESK.address,
        message_id="maild.0.digest@example.com",
        root_id="maild.0.root@example.com",
    )
    tallied = Row("urgent", ("3", "1", "3 of 4"), (("good", 3), ("bad", 1)))
    weekly = ReportLetter(
        key="report",
        to=Address("Mia Manager", "mia@example.com"),
        period="2026-11-16 to 2026-11-22 (Europe/Berlin)",
        sections=(
            Section("By severity", ("promise", "met", "missed", "in time"), (tallied,), "4 in all.", "Nothing."),
            Section("By hour", ("day", "00-12", "12-24"), (Row("Mon", ("0", "4"), (), (0, 4)),), "", "Nothing."),
            Section("By customer", ("customer", "tickets"), (), "", "No customer wrote."),
        ),
        text="By severity\n  urgent  3  1  3 of 4",
        message_id="maild.0.report@example.com",
        root_id="maild.0.root@example.com",
    )
    return (
        ack,
        replace(ack, answer_by=None, echo_subject=True),
        notice,
        replace(notice, forwarded_by="Bob Example", verified=""),
        replace(notice, mail=mail(html=None), verified="", clocks=(), because=(), placed_because="", notes=()),
        relay,
        escalation,
        replace(escalation, limit_at=NOW + timedelta(minutes=4), next_at=None, last_text="", owner="Ann Example"),
        replace(escalation, target_at=NOW + timedelta(1), limit_at=NOW + timedelta(1), notes=(), last_text="One line."),
        held,
        replace(held, ticket=None, mail=mail("line\n" * 30)),
        replace(held, offer="#requester carol@example.com"),
        word,
        replace(word, ticket=None, quote=""),
        summary,
        replace(summary, heaps=(Heap("unfetched", 1, 1, (item,)),)),
        weekly,
        digest,
        replace(
            digest,
            lines=(replace(line, due_at=NOW + timedelta(1)), replace(line, ticket=1043, settled=settled[0])),
            reason=DigestReason(NOW, NOW, 0, None, 0, 0, None, ""),
        ),
        replace(digest, lines=tuple(replace(line, settled=one) for one in settled)),
    )
