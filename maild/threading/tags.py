"""Foreign ticket tags: what a customer's own ticket system puts into subjects, and must find again in our replies.

Without its tag it opens a new ticket for each of our answers. Known are a number in brackets ([ACME-123],
[Ticket#2026112310000123], {#HD-7781}, (Case 00012345), [#INC0012345], [example.com #4711]), ##4711##, a bare number of
ServiceNow, and the references of Salesforce (ref:_00D..:ref, thread::..::). All are ASCII without controls, as long as
`MOST_LETTERS` together, so that they can stand in a header.
"""

import re
from collections.abc import Iterable
from itertools import islice

from maild.threading.subject import without_tag

MOST = 3
"""How many foreign tags a subject of ours carries: those of the customer, his supplier, and one to spare."""

MOST_LETTERS = 120
"""How long they may be together, with a space before each."""

LONGEST = 200
"""How long a subject is, with them: the gate cuts what is longer, at its end, where they stand."""

_MOST_READ = 1000
_MOST_SUBJECTS = 20

_NOUN = (
    "case|ticket|request|incident|issue|task|ref|reference|vorgang|anfrage|fall|vorfall|demande|dossier|caso|"
    "solicitud|richiesta|zaak|zgloszenie"
)
_NUMBER = r"(?:[ .-]?(?:id|nr|no|number|nummer)\.?)?"
_INNER = "|".join(
    (
        r"#?[A-Z][A-Z0-9]{1,9}-[0-9]{1,12}",
        rf"(?i:(?:{_NOUN}){_NUMBER}[ :.-]{{1,2}}[0-9]{{2,20}})",
        rf"[A-Za-z][A-Za-z0-9_.-]{{0,29}}(?i:{_NUMBER}) ?:? ?#:? ?[0-9]{{1,20}}",
        r"#[0-9]{1,20}",
        r"#?[A-Z]{2,8}[0-9]{5,20}",
    )
)
_REFERENCE = r"ref:[!_][A-Za-z0-9_.!]{8,60}:ref|thread::[A-Za-z0-9_-]{8,60}::"
_TAG = re.compile(
    "|".join(
        (
            rf"\[ ?(?:{_INNER}|{_REFERENCE}) ?\]",
            rf"\( ?(?:{_INNER}) ?\)",
            rf"\{{ ?(?:{_INNER}) ?\}}",
            rf"(?:{_REFERENCE})",
            r"(?<!#)##[0-9]{1,20}##(?!#)",
            r"(?<![A-Za-z0-9_-])(?:INC|REQ|RITM|SCTASK|CHG|PRB|CS)[0-9]{7,10}(?![A-Za-z0-9_-])",
        )
    ),
    re.ASCII,
)
_DIGITS = re.compile("[0-9]+")


def foreign(subject: str, reference: str) -> tuple[str, ...]:
    """Give the foreign tags of a subject, in order, as they are written. `reference` is the word in our own."""
    text = without_tag(subject[:_MOST_READ], reference)
    return tuple(tag for tag in _TAG.findall(text) if not _ours(tag, reference))


def untagged(subject: str, reference: str) -> str:
    """Give a subject without any tag, ours or foreign; white space is folded. Idempotent.

    Only the first 1,000 letters are read: each round takes out what the one before has laid bare.
    """
    text, before = without_tag(subject[:_MOST_READ], reference), ""
    while text != before:
        before = text
        text = " ".join(_TAG.sub(lambda found: _kept_or_gone(found[0], reference), text).split())
    return text


def latest(subject: str, newer: Iterable[str], reference: str) -> tuple[str, ...]:
    """Give the foreign tags that count: of each system its latest, the newest system first, `MOST` at most.

    `newer` are the subjects that came after `subject`, the newest first.
    """
    kept: dict[str, None] = {}
    systems: set[str] = set()
    room = MOST_LETTERS
    for one in (*islice(newer, _MOST_SUBJECTS), subject):
        here = foreign(one, reference)
        for tag in here:
            fits = len(kept) < MOST and len(tag) < room
            if fits and tag not in kept and _system(tag) not in systems:
                kept[tag] = None
                room -= len(tag) + 1
        systems |= {_system(tag) for tag in here}
    return tuple(kept)


def carried(subject: str, newer: Iterable[str], reference: str) -> str:
    """Give the subject for what we send to a customer: the ticket's, with his latest foreign tags, each once.

    Where it has just these it stays as it is; else they stand behind it. Idempotent, `LONGEST` letters at most once
    anything had to be changed.
    """
    tags = latest(subject, newer, reference)
    if sorted(foreign(subject, reference)) == sorted(tags) and (not tags or len(subject) <= LONGEST):
        return subject
    tail = " ".join(tags)
    title = untagged(subject, reference)
    if len(title) + len(tail) >= LONGEST:
        title = untagged(title[: LONGEST - len(tail) - 2], reference) + "\N{HORIZONTAL ELLIPSIS}"
    return f"{title} {tail}".strip()


def _ours(tag: str, reference: str) -> bool:
    return re.fullmatch(rf".\s?{re.escape(reference)} ?#[0-9]{{1,10}}\s?.", tag, re.IGNORECASE) is not None


def _kept_or_gone(tag: str, reference: str) -> str:
    return tag if _ours(tag, reference) else " "


def _system(tag: str) -> str:
    """Say of which system a tag is: all of it but its number."""
    if "ref:" in tag or "thread::" in tag:
        return tag.strip("[ ").partition(":")[0]
    return " ".join(_DIGITS.sub("", tag).lower().split())
