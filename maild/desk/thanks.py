"""Whether a mail says thank you and nothing else: such a one does not reopen what was resolved.

Every word must be known to say no more than that; a name may stand behind a greeting, and a signature below. Whatever is
in doubt is no mere thanks: then the ticket opens again, as by any mail.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence

from maild.desk.thanks_words import (
    AGAIN,
    APPROVES,
    BETWEEN,
    CLOSINGS,
    DONE,
    FILLERS,
    GREETINGS,
    NEVER,
    SENT_FROM,
    THANKS,
)
from maild.mail import InboundMail
from maild.outbound.markup import plain
from maild.threading import subject as subjects

MOST_LETTERS = 600
MOST_PICTURE = 32 * 1024
"""Octets of a picture inside a mail that may be the logo of its signature."""

MOST_HTML = 512 * 1024
"""Characters of HTML that are compared with the text; where there are more, it may be more than thanks."""

MOST_OTHER_WORDS = 2
"""Words that the HTML may have besides: programs write some of their own."""

MOST_SIGNED = 8
MOST_NAMES = 4
MOST_CAPITALS = 4
"""A word in capitals that is longer is a shout rather than a name."""

_CJK = "\u3040-\u30ff\u3400-\u9fff"
_ENDS = re.compile(r"[,.!\u00a1:;\u2026~()\u2013\u2014\u3001\u3002|]+|(?<!\w)-+(?!\w)")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_NAME = re.compile(r"[^\W\d_][\w'.-]*\Z")
_CONTACT = re.compile(r"\+?[\d(][\d ()/.+-]*\Z|\S+[@.]\S+\Z|[|/&\u00b7\u2022-]+\Z")
_HAPPY = re.compile(r"(?<!\w)[:;=8][-o^']?[)dp3*](?!\w)|\^_*\^|<3", re.IGNORECASE)
_TITLE = re.compile(r"\b(Mrs?|Ms|Dr|Prof|Hr|Fr|Sra?|Mme)\.", re.IGNORECASE)
_LINK = re.compile(r"<https?://\S*>")
_TONES = "\U0001f3fb-\U0001f3ff"
_ASKS = re.compile(r"[?\u00bf\u061f\u037e\U0001f44e]")
_REFUSES = re.compile(r"n't\b", re.IGNORECASE)


def _listed(*lists: str) -> frozenset[str]:
    return frozenset(one.strip() for words in lists for one in words.split("|")) - {""}


def _folded(words: str) -> str:
    """Make the cases of letters alike, the Turkish i's too, as patterns do that ignore case."""
    return words.casefold().replace("i\u0307", "i").replace("\u0131", "i")


def _phrases(*lists: str) -> re.Pattern[str]:
    longest_first = sorted(_listed(*lists), key=len, reverse=True)
    # A script without spaces has no ends of words.
    known = [re.escape(one) + ("" if re.match(f"[{_CJK}]", one) else r"(?!\w)") for one in longest_first]
    return re.compile("|".join(known), re.IGNORECASE)


_THANKS, _GREETINGS = _phrases(THANKS, AGAIN), _phrases(GREETINGS)
_CLOSINGS, _SENT_FROM = _phrases(CLOSINGS), _phrases(SENT_FROM)
# No pattern: compiling these thousand took each start of a command longer than looking them up takes all mails of a day.
_SAYS = frozenset(map(_folded, _listed(THANKS, AGAIN, FILLERS, DONE, CLOSINGS, GREETINGS)))
_LONGEST = max(map(len, _SAYS))
_LEAVES_NOTHING = re.compile(rf"(?<!\w)(?:{_phrases(AGAIN, DONE).pattern})", re.IGNORECASE)
_APPROVES = re.compile(rf"[{APPROVES}][{APPROVES}\s!.\ufe0f{_TONES}]*\Z")
_NEVER = frozenset(one.strip() for one in NEVER.split("|"))
_NEVER_WITHIN = _phrases("|".join(one for one in _NEVER if re.match(f"[{_CJK}]", one)))


def only_thanks(mail: InboundMail, subject: str, names: Collection[str] = ()) -> bool:
    """Say whether a mail only thanks. `subject` is its ticket's, `names` are those of people whom it may address."""
    if not all(file.inline and _is_logo(file.content_type, len(file.content)) for file in mail.attachments):
        return False
    base = subjects.base(mail.subject)
    if base and subjects.base(subject) not in base and not says_thanks(base):
        return False
    writers = (words for address in mail.from_ for words in (address.name, address.key.partition("@")[0]))
    return says_thanks(mail.new_text, (*names, *writers)) and not _says_more_in_html(mail)


def _says_more_in_html(mail: InboundMail) -> bool:
    """Say whether the HTML has words that the text lacks: readers show the one or the other, and we read the text."""
    if not mail.html:
        return False
    if len(mail.html) > MOST_HTML:
        return True
    shown = {*_words(_LINK.sub(" ", plain(mail.html)))}
    return len(shown - {*_words(mail.text)}) > MOST_OTHER_WORDS


def _is_logo(content_type: str, octets: int) -> bool:
    return content_type.lower().startswith("image/") and octets <= MOST_PICTURE


def says_thanks(text: str, names: Collection[str] = ()) -> bool:
    """Say whether a text thanks and says nothing else, in the languages of `thanks_words`."""
    if len(text) > MOST_LETTERS or _ASKS.search(text):
        return False
    folded = _plain(text)
    if _objects(folded):
        return False
    known = frozenset(word for name in names for word in _words(_plain(name)))
    lines = [line for line in map(str.strip, folded.splitlines()) if line]
    thanked = any(_APPROVES.match(line.strip()) for line in text.strip().splitlines()[:1])
    if not lines:
        return thanked
    for number, line in enumerate(lines):
        if thanked and _is_signature(lines[number:], known):
            return True
        if not all(_says_nothing_else(part, known) for part in _ENDS.split(line)):
            return False
        thanked = thanked or _THANKS.search(line) is not None
    return thanked


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\ufe0f", "")
    folded = re.sub(f"[{_TONES}]", "", folded)
    smiling = _HAPPY.sub(" ", folded)
    return _TITLE.sub(r"\1", "".join(" " if unicodedata.category(char) == "So" else char for char in smiling))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _objects(folded: str) -> bool:
    left = _LEAVES_NOTHING.sub(" ", folded)
    if _ASKS.search(left) or _REFUSES.search(left) or _NEVER_WITHIN.search(left):
        return True
    return not _NEVER.isdisjoint(_words(left))


def _said(part: str, at: int) -> int:
    """Give where the longest known phrase ends that begins here; 0 where none does."""
    for end in range(min(len(part), at + _LONGEST), at, -1):
        ends = end == len(part) or not re.match(r"\w", part[end]) or re.match(f"[{_CJK}]", part[at])
        if ends and _folded(part[at:end]) in _SAYS:
            return end
    return 0


def _says_nothing_else(part: str, known: frozenset[str]) -> bool:
    """Read a part of a sentence phrase by phrase, the longest first."""
    at, addressed = 0, False
    while at < len(part):
        if part[at].isspace():
            at += 1
        elif end := _said(part, at):
            addressed = _GREETINGS.match(part, at) is not None
            at = end
        elif (word := _WORD.match(part, at)) and word[0].lower() in known:
            at = word.end()
        else:
            return addressed and _are_names(part[at:])
    return True


def _are_names(text: str) -> bool:
    """Say whether this may be whom a greeting is for: few words, each with a capital letter."""
    words = text.split()
    return len(words) < MOST_NAMES and all(map(_is_name, words))


def _is_name(word: str) -> bool:
    bare = word.strip(",.:;()")
    return bool(_NAME.match(bare)) and bare[0].isupper() and not (bare.isupper() and len(bare) > MOST_CAPITALS)


def _is_signature(lines: Sequence[str], known: frozenset[str]) -> bool:
    """Say whether nothing but a farewell, names, titles and addresses stands in these lines.

    It begins with a farewell or with the writer's name: two words with capitals could be anything.
    """
    farewell = _CLOSINGS.match(lines[0])
    begins = farewell or _SENT_FROM.match(lines[0]) or known.intersection(_words(lines[0]))
    if len(lines) > MOST_SIGNED or not begins:
        return False
    first = lines[0][farewell.end() :] if farewell else lines[0]
    return all(_SENT_FROM.match(line) or _is_signed(line, known) for line in (first, *lines[1:]))


def _is_signed(line: str, known: frozenset[str]) -> bool:
    words = line.strip(" ,.!-_*=\u2013\u2014").split()
    return all(
        word.lower() in BETWEEN or word.lower().strip(",.") in known or _CONTACT.match(word) or _is_name(word)
        for word in words
    )
