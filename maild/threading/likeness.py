"""Where a reply belongs that names no Message-ID we know: by Thread-Index, subject, quoted words and company.

Some 2 % of real replies carry no threading header at all. These rungs are climbed after those of `place`, each with its
own evidence, and only for what bears a reply prefix: a forwarded mail or a new one is a new ticket. Prefer a split,
which an agent can merge, to a merge, which cannot be unseen.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maild.mail import InboundMail
from maild.threading import subject as subjects
from maild.threading.place import Placement, Rung

ALIVE = timedelta(days=60)
"""How long after its last message a conversation may be joined by what is quoted from it."""

KNOWN_FOR = timedelta(days=90)
"""Within this time a subject must be one conversation's alone to say anything by itself."""

SAME_SENDER = timedelta(days=30)
SAME_COMPANY = timedelta(days=14)

PHRASE = 5
"""Words in a row that count as quoted when both have them."""

MOST_WORDS = 5000
MOST_PEOPLE = 10
FEW, FEW_OF = 3, 0.1
"""So many of the quoted phrases, and such a part of them, tell one conversation from others with the same subject."""
MANY, MANY_OF = 10, 0.5
"""So many, and such a part of them, place a reply whatever its subject is now."""

SHARE = 0.8

_QUOTED = re.compile(r"\s*(?:[A-Za-z]{0,4}>|[|:}])\s?")
_NO_WORD = re.compile(r"\W+")
_INDEX_OCTETS = 22


@dataclass(frozen=True, slots=True)
class Candidate:
    """A conversation that a reply may belong to: its latest words, and who wrote in it.

    `subjects` are base subjects, `indexes` as `thread_index` gives them, `writers` address keys; `last_at` is its last
    message, aware UTC.
    """

    ticket: int
    last_at: datetime
    subjects: frozenset[str]
    indexes: frozenset[str]
    writers: frozenset[str]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """What a mail may have in common with a conversation: base subject, `thread_index`, the keys of its people."""

    base_subject: str
    thread_index: str
    people: tuple[str, ...]


def traits_of(mail: InboundMail, reference: str, ours: Collection[str]) -> Traits | None:
    """Give what to look for; None where these rungs say nothing. `ours` are keys of people who write everywhere."""
    if mail.sender is None or not subjects.is_reply(mail.subject, reference):
        return None
    people = tuple(sorted(_company(mail) - {*ours}))[:MOST_PEOPLE]
    return Traits(subjects.base(mail.subject, reference), thread_index(mail), people)


def thread_index(mail: InboundMail) -> str:
    """Give what all mails of an Outlook conversation share, in hex: the first 22 octets of Thread-Index ([MS-OXOMSG] 2.2.1.3)."""
    for value in mail.header("Thread-Index"):
        try:
            octets = base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(octets) >= _INDEX_OCTETS:
            return octets[:_INDEX_OCTETS].hex()
    return ""


def place_by_likeness(
    mail: InboundMail, traits: Traits, candidates: Sequence[Candidate], now: datetime
) -> Placement | None:
    """Climb the rungs for a mail with its traits; None where none holds. `now` is when it was received."""
    base = traits.base_subject
    alive = [one for one in candidates if now - one.last_at <= ALIVE]
    for one in alive:
        if traits.thread_index and traits.thread_index in one.indexes and base in one.subjects:
            because = f"it bears the Thread-Index of ticket {one.ticket} and its subject"
            return Placement(one.ticket, Rung.THREAD_INDEX, because)
    return _by_quotes(mail, traits, alive) or _by_subject(mail, traits, candidates, now)


def _by_quotes(mail: InboundMail, traits: Traits, alive: Sequence[Candidate]) -> Placement | None:
    base = traits.base_subject
    quoted = _phrases(_quoted_lines(mail))
    if not quoted:
        return None
    shared = _shared(quoted, alive)
    same = [one for one in alive if base and base in one.subjects]
    few = 1 if len(same) == 1 else max(FEW, FEW_OF * len(quoted))
    same = [one for one in same if shared[one.ticket] >= few]
    if same:
        one = max(same, key=lambda one: (shared[one.ticket], one.last_at))
        because = f"a reply with the subject of ticket {one.ticket} that quotes {shared[one.ticket]} of its phrases"
        return Placement(one.ticket, Rung.SUBJECT_AND_QUOTE, because)
    enough = max(MANY, MANY_OF * len(quoted), SHARE * sum(shared.values()))
    for one in alive:
        known = one.writers.intersection(traits.people) and any(_alike(base, other) for other in one.subjects)
        if known and shared[one.ticket] >= enough:
            because = (
                f"a reply that quotes {shared[one.ticket]} phrases of ticket {one.ticket}, among people who wrote there"
            )
            return Placement(one.ticket, Rung.QUOTES, because)
    return None


def _shared(quoted: set[tuple[str, ...]], alive: Sequence[Candidate]) -> dict[int, int]:
    """Count, for each conversation, the quoted phrases that are found in it alone: all the others are anybody's."""
    found = {one.ticket: quoted & _phrases(_lines(one.texts)) for one in alive}
    places = Counter(phrase for phrases in found.values() for phrase in phrases)
    return {ticket: sum(places[phrase] == 1 for phrase in phrases) for ticket, phrases in found.items()}


def _by_subject(mail: InboundMail, traits: Traits, candidates: Sequence[Candidate], now: datetime) -> Placement | None:
    base = traits.base_subject
    if not says_something(base):
        return None
    same = [one for one in candidates if base in one.subjects and now - one.last_at <= KNOWN_FOR]
    if len(same) != 1:
        return None
    (one,) = same
    sender = mail.sender.key if mail.sender else ""
    if sender in one.writers and now - one.last_at <= SAME_SENDER and not (mail.references or mail.in_reply_to):
        because = (
            f"a reply without references, with the subject of ticket {one.ticket} alone, by {sender} who wrote there"
        )
        return Placement(one.ticket, Rung.SUBJECT_AND_SENDER, because)
    if one.writers.intersection(traits.people) and now - one.last_at <= SAME_COMPANY:
        because = f"a reply with the subject of ticket {one.ticket} alone, to somebody who wrote there"
        return Placement(one.ticket, Rung.SUBJECT_AND_COMPANY, because)
    return None


def _alike(edited: str, original: str) -> bool:
    """Say whether a subject may have come from another by editing: half the words of the shorter one are in both."""
    ours, theirs = set(_NO_WORD.split(edited)) - {""}, set(_NO_WORD.split(original)) - {""}
    return len(ours & theirs) * 2 > min(len(ours), len(theirs))


def says_something(base: str) -> bool:
    """Say whether a base subject has at least two words and eight letters."""
    return len(base.split()) > 1 and sum(letter.isalpha() for letter in base) > 7


def _company(mail: InboundMail) -> set[str]:
    return {address.key for address in (*mail.from_, *mail.to, *mail.cc)}


def _quoted_lines(mail: InboundMail) -> list[str]:
    """Give the lines that bear a quote's mark; where there is none, those left out of the new text but its signature."""
    lines = mail.text.splitlines()
    new = {*mail.new_text.splitlines(), *mail.signature.splitlines()}
    return [line for line in lines if _QUOTED.match(line)] or [line for line in lines if line not in new]


def _lines(texts: Iterable[str]) -> Iterable[str]:
    return (line for text in texts for line in text.splitlines())


def _phrases(lines: Iterable[str]) -> set[tuple[str, ...]]:
    words: list[str] = []
    for line in lines:
        while found := _QUOTED.match(line):
            line = line[found.end() :]  # noqa: PLW2901 - quote marks stand one behind the other
        words += (word for word in _NO_WORD.split(line.lower()) if word)
        if len(words) >= MOST_WORDS:
            break
    return set(zip(*(words[at:] for at in range(PHRASE)), strict=False))
