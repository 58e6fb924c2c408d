"""What a mail of ours is about, before it is written: one frozen value for each kind.

Common to all: `key` is the debt's unique name in the ledger; `message_id` and `root_id` are ours, without brackets;
`reply_to` is an address whose sub-address is a token of the *reader's*; `envelope_from` is the return path, whose
sub-address is a bounce token, empty for the null reverse-path. `inscription` is a line that ends the text, "" for none.
Instants are aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime

from maild.mail import Address, InboundMail
from maild.outbound.digest_letter import DigestLetter
from maild.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk as its mails name it. `reference` is the word in the tag, `time_zone` an IANA name.

    `commands` are the words (with their #) that it obeys in an agent's reply: its mails offer no others, since a word
    that is no command would go to the customer.
    """

    name: str
    address: str
    reference: str
    domain: str
    time_zone: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """One of the desk's own people. `time_zone` is an IANA name; "" means the desk's. `language` likewise."""

    name: str
    address: str
    time_zone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start, end) of a clock's life. `what` is counted, closed, holiday or break, or the state in which it rested."""

    start: datetime
    end: datetime
    what: str
    counted_seconds: int
    because: str


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One clock as a mail shows it: metric, target and limit (None while paused), state; all words of `sla`.

    `account` is what its limit follows from, the last stretches of it; `earlier` is how many came before them.
    """

    metric: str
    target_at: datetime | None
    limit_at: datetime | None
    state: str
    account: tuple[Stretch, ...] = ()
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class AckLetter:
    """The acknowledgement: our own words only. `echo_subject` only for an authenticated sender.

    `answer_by` is the first response's limit, None where nothing is promised. `time_zone` is the customer's, "" where it
    is unknown. `references` is the customer's chain, its last id the mail that is acknowledged.
    """

    key: str
    ticket: Ticket
    to: Address
    mailbox: str
    answer_by: datetime | None
    echo_subject: bool
    reply_to: str
    in_reply_to: str
    references: tuple[str, ...]
    message_id: str
    root_id: str
    language: str = ""
    time_zone: str = ""
    inscription: str = ""


@dataclass(frozen=True, slots=True)
class NoticeLetter:
    """Tells an agent of a customer's mail. `verified` is how the sender was authenticated, "" where he was not.

    `because` are the reasons of the severity, `notes` single lines that the desk wants to add. `opened` says that this
    mail opened the ticket. `forwarded_by` is which of us forwarded it, "" where its writer sent it himself. `warnings`
    are lines that stand above everything else.
    """

    key: str
    ticket: Ticket
    mail: InboundMail
    agent: Recipient
    agent_id: str
    reply_to: str
    envelope_from: str
    message_id: str
    root_id: str
    verified: str
    clocks: tuple[ClockLine, ...]
    because: tuple[str, ...]
    placed_because: str
    notes: tuple[str, ...] = ()
    opened: bool = False
    forwarded_by: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RelayLetter:
    """An agent's words to the customer. `text` and `html` are already cut; `mail` is the agent's mail.

    `agent` holds his name and the address that must not leave, `hidden` further addresses that must not, `secrets` the
    letters of tokens that must not (the agents' of this ticket), in whatever dress. `subject` is the customer's, "" for
    the ticket's. `references` is the customer's chain. `cc` are those who get a copy, in the header of every one;
    `copy_to` is whose copy this one is, None for the customer's own. All have one Message-ID and keys of their own.
    """

    key: str
    ticket: Ticket
    agent: Recipient
    mail: InboundMail
    text: str
    html: str | None
    mailbox: str
    to: Address
    message_id: str
    root_id: str
    in_reply_to: str
    references: tuple[str, ...]
    reply_to: str
    envelope_from: str
    subject: str = ""
    hidden: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    inscription: str = ""
    cc: tuple[str, ...] = ()
    copy_to: Address | None = None


@dataclass(frozen=True, slots=True)
class EscalationLetter:
    """A clock is late, or about to be. `level` is "target", "75%", "limit", "limit+100%" and so on.

    `limit_seconds` is the promise in open seconds. `owner` is "" for nobody. `next_at` and `next_who` say what happens
    next, None where this was the last mail. `customer` is his name or his organisation's. `last_text` may be long.
    `cycle` is the clock's, `reached_at` the level's instant (None: the limit's). `quiet_until` is the end of the reader's
    quiet hours, None where he may be told at once.
    """

    key: str
    ticket: Ticket
    agent: Recipient
    metric: str
    level: str
    target_at: datetime
    limit_at: datetime
    limit_seconds: int
    owner: str
    customer: str
    clocks: tuple[ClockLine, ...]
    last_from: str
    last_at: datetime | None
    last_text: str
    next_at: datetime | None
    next_who: tuple[str, ...]
    reply_to: str
    envelope_from: str
    message_id: str
    root_id: str
    notes: tuple[str, ...] = ()
    cycle: int = 1
    reached_at: datetime | None = None
    quiet_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldLetter:
    """Asks an agent: was this you? A mail in his name came that nothing vouches for.

    `ticket` is None where the mail belongs to none. A reply to it reaches nobody; `offer` is a line that may stand first in
    one, by which the agent takes up what the mail asked for, "" where there is none.
    """

    key: str
    ticket: Ticket | None
    agent: Recipient
    mail: InboundMail
    because: str
    reply_to: str
    envelope_from: str
    message_id: str
    root_id: str
    offer: str = ""


@dataclass(frozen=True, slots=True)
class WordLetter:
    """A word from the desk to one of its people: the transcript of a command, a reply that could not be delivered.

    `subject` stands behind the tag, `lines` are what we say, `quote` is somebody else's text ("" for none).
    """

    key: str
    ticket: Ticket | None
    agent: Recipient
    subject: str
    lines: tuple[str, ...]
    quote: str
    reply_to: str
    envelope_from: str
    message_id: str
    root_id: str
    in_reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a heap: a row's number, since when it lies there, whose it is, whom it was for, and what is wrong."""

    id: int
    at: datetime
    sender: str
    rcpt: str
    fault: str


@dataclass(frozen=True, slots=True)
class Heap:
    """What needs a person, of one kind: quarantined, spam, failed or unfetched.

    `new` counts what came since the last summary, `standing` all that lies there; `items` are the first of the new ones.
    """

    kind: str
    new: int
    standing: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class SummaryLetter:
    """Tells the operator what needs a person, once a period.

    `config` is the path of the configuration, for the commands to name; `until` is when counting ended.
    """

    key: str
    to: Address
    heaps: tuple[Heap, ...]
    config: str
    until: datetime
    message_id: str
    root_id: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a section. `bar` are the parts of its bar, each a tone (good or bad) and a count; () for none.

    `heat` are the counts in the first cells, to be shaded by their size; () for none.
    """

    label: str
    cells: tuple[str, ...]
    bar: tuple[tuple[str, int], ...] = ()
    heat: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a report: `columns` are those of the label and the cells, `nothing` is said where there is no row.

    `picture` is what a page draws of it besides bars: columns (one for each row's `heat`), week, or "".
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str
    nothing: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class ReportLetter:
    """The weekly report for one reader. `period` names the days that it is about; `text` is what of it is plain text."""

    key: str
    to: Address
    period: str
    sections: tuple[Section, ...]
    text: str
    message_id: str
    root_id: str


Letter = (
    AckLetter
    | NoticeLetter
    | RelayLetter
    | EscalationLetter
    | HeldLetter
    | WordLetter
    | SummaryLetter
    | ReportLetter
    | DigestLetter
)
