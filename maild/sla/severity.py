"""The severity guess: points for what a customer wrote, each with its reason (rules: keywords.toml).

Pure and linear. Only the subject and the new text count; the order of the steps is: hits, look-alikes, denials and
the past, points, explicit tiers and headers, caps.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from maild.mail import Origin
from maild.sla.severity_rules import Kind, Phrase, Rule, Rules, parse_rules
from maild.sla.severity_text import PAUSE, STOP, bare_subject, new_words, tokens
from maild.ticket import Severity

__all__ = ["Guess", "Rules", "guess", "parse_rules"]

_CLOSED_UP = re.compile("(?<=[\u3040-\u9fff]) (?=[\u3040-\u9fff])")
_NOT_REACH = 3
_PAST_REACH = 6


@dataclass(frozen=True, slots=True)
class Guess:
    """A severity and the reasons for it, in words, weightiest last."""

    severity: Severity
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    rule: Rule
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Text:
    words: list[str]
    subject_end: int

    def quote(self, hit: _Hit) -> str:
        quoted = " ".join(word for word in self.words[hit.start : hit.end] if word not in {STOP, PAUSE})
        return _CLOSED_UP.sub("", quoted)


def guess(
    subject: str,
    new_text: str,
    headers: Iterable[tuple[str, str]],
    origin: Origin,
    rules: Rules,
    *,
    auto_submitted: str = "",
    tier: str = "",
) -> Guess:
    """Guess how bad a mail is.

    `new_text` may be a whole body: quotes, forwarded parts and signatures are cut again. `auto_submitted` is the value
    of that field (RFC 3834 section 5); where it is empty it is looked for in `headers`. `tier` is the customer's.
    """
    fields = [(name.lower(), value.strip().lower()) for name, value in headers]
    subject_words = _from_first_word(tokens(bare_subject(subject)))
    words = [*subject_words, STOP, *tokens(new_words(new_text)), STOP]
    text = _Text(words, len(subject_words))
    because: list[str] = []
    points, at_most = _score(text, rules, because)
    if points > 0 and (extra := rules.tiers.get(tier.casefold(), 0)):
        points += extra
        because.append(f"{extra:+d} the customer's tier is {tier}")
    severity = _of_points(points, rules)
    because.append(f"{points:+d} points: {severity}" if because else "nothing says otherwise: normal")
    if at_most is not None and severity.rank < at_most[0].rank:
        severity = at_most[0]
        because.append(f"at most {severity}: {at_most[1]}")
    severity = _by_headers(severity, points, fields, because)
    return Guess(_capped(severity, fields, origin, auto_submitted, because), tuple(because))


def _from_first_word(words: list[str]) -> list[str]:
    while words and words[0] in {STOP, PAUSE}:
        del words[0]
    return words


def _of_points(points: int, rules: Rules) -> Severity:
    if points >= rules.urgent:
        return Severity.URGENT
    if points >= rules.high:
        return Severity.HIGH
    return Severity.LOW if points <= rules.low else Severity.NORMAL


def _score(text: _Text, rules: Rules, because: list[str]) -> tuple[int, tuple[Severity, str] | None]:
    """Add up the points; the second value is the severity that may not be passed, and why."""
    counted: dict[str, _Hit] = {}
    noted: set[str] = set()
    denied = False
    hits = _unmasked(_hits(text, rules))
    resolved = [hit for hit in hits if hit.rule.kind is Kind.RESOLVED and not _denied(text.words, hit, rules)]
    ends = _Ends(resolved, [hit.end for hit in resolved], _breaks(text.words, rules))
    for hit in hits:
        rule = hit.rule
        if rule.kind is Kind.RESOLVED or rule.name in counted:
            continue
        if rule.points > 0 and _denied(text.words, hit, rules):
            if rule.kind is Kind.URGENCY and not denied:
                denied = True
                because.append(f'-1 said not to be: "{text.quote(hit)}"')
        elif rule.points > 0 and (why := _over(text, hit, ends, rules)):
            if rule.name not in noted:
                because.append(f'not counted, {why}: "{text.quote(hit)}"')
            noted.add(rule.name)
        else:
            counted[rule.name] = hit
    together = [
        hit for hit in counted.values() if not hit.rule.needs or any(name in counted for name in hit.rule.needs)
    ]
    return _sum(text, together, -1 if denied else 0, rules, because)


def _sum(
    text: _Text, hits: list[_Hit], points: int, rules: Rules, because: list[str]
) -> tuple[int, tuple[Severity, str] | None]:
    critical = any(hit.rule.points >= rules.urgent - 1 for hit in hits)
    lasting = any(hit.rule.kind is Kind.LASTING for hit in hits)
    caps: list[tuple[Severity, str]] = []
    for hit in hits:
        rule = hit.rule
        if critical and rule.kind is Kind.UNHURRIED:
            because.append(f'not counted, a tone beside a critical impact: "{text.quote(hit)}"')
            continue
        points += rule.points
        because.append(f'{rule.points:+d} {rule.says}: "{text.quote(hit)}"')
        if rule.at_most is not None and not lasting and not (critical and rule.kind is Kind.WEAK):
            caps.append((rule.at_most, rule.says))
    return points, max(caps, key=lambda cap: cap[0].rank, default=None)


def _hits(text: _Text, rules: Rules) -> list[_Hit]:
    starts = []
    position = 0
    for word in text.words:
        starts.append(position)
        position += len(word) + 1
    joined = " ".join(text.words) + " "
    found: list[_Hit] = []
    known: dict[str, tuple[Phrase, ...]] = {}
    for index, word in enumerate(text.words):
        candidates = known.get(word)
        if candidates is None:
            candidates = known[word] = rules.candidates(word)
        for phrase in candidates:
            if (phrase.at_start and index) or (phrase.rule.subject_only and index >= text.subject_end):
                continue
            match = phrase.pattern.match(joined, starts[index])
            if match:
                found.append(_Hit(phrase.rule, index, bisect_left(starts, match.end())))
    return found


def _unmasked(hits: list[_Hit]) -> list[_Hit]:
    """Drop the hits that share a word with a look-alike."""
    hidden = {index for hit in hits if hit.rule.kind is Kind.MASK for index in range(hit.start, hit.end)}
    return [hit for hit in hits if hit.rule.kind is not Kind.MASK and hidden.isdisjoint(range(hit.start, hit.end))]


def _denied(words: list[str], hit: _Hit, rules: Rules) -> bool:
    """Say whether a negation shortly before the hit, or (urgent is it *not*) right after it, turns it around."""
    for index in range(hit.start - 1, max(-1, hit.start - 1 - _NOT_REACH), -1):
        word = words[index]
        if word in rules.joins or word in {STOP, PAUSE}:
            break
        if word in rules.not_before:
            return not any(between in rules.not_if for between in words[index + 1 : hit.start])
    if hit.rule.kind is not Kind.URGENCY:
        return False
    for word in words[hit.end : hit.end + _NOT_REACH]:
        if word in rules.not_before:
            return True
        if word not in rules.not_after:
            return False
    return False


@dataclass(frozen=True, slots=True)
class _Ends:
    """What says that something is over: the hits in order, where each ends, and the words across which none reaches."""

    hits: list[_Hit]
    ends: list[int]
    breaks: list[int]


def _breaks(words: list[str], rules: Rules) -> list[int]:
    return [index for index, word in enumerate(words) if word == STOP or word in rules.present]


def _over(text: _Text, hit: _Hit, over: _Ends, rules: Rules) -> str:
    """Give the reason why a hit is over: said to be resolved afterwards, or told in the past tense; else nothing.

    By search and not by scanning: a mail of nothing but such words must not cost their square.
    """
    before = bisect_left(over.breaks, hit.start)
    last_break = over.breaks[before - 1] if before else -1
    at = bisect_right(over.ends, last_break)
    if at < len(over.hits):
        where = "comes after it" if over.hits[at].start > hit.start else "stands before it"
        return f'"{text.quote(over.hits[at])}" {where}'
    if hit.rule.kind is Kind.LASTING:
        return ""
    for index in range(hit.start - 1, max(-1, hit.start - 1 - _PAST_REACH), -1):
        word = text.words[index]
        if word in rules.present or word in {STOP, PAUSE}:
            return ""
        if word in rules.past:
            return f'past tense ("{word}")'
    return ""


_HIGH_VALUES = {
    "x-priority": ("1", "2", "high"),
    "importance": ("high",),
    "priority": ("urgent", "high"),
    "x-msmail-priority": ("high", "urgent"),
}
_LOW_VALUES = {
    "x-priority": ("4", "5", "low"),
    "importance": ("low",),
    "priority": ("non-urgent", "low"),
    "x-msmail-priority": ("low",),
}


def _by_headers(severity: Severity, points: int, fields: list[tuple[str, str]], because: list[str]) -> Severity:
    """Move a normal mail by one step, up or down; a sender cannot make himself urgent by a header (RFC 2156, 5.3.6)."""
    up = [name for name, value in fields if value.startswith(_HIGH_VALUES.get(name, ("\0",)))]
    down = [name for name, value in fields if value.startswith(_LOW_VALUES.get(name, ("\0",)))]
    if severity is not Severity.NORMAL or bool(up) == bool(down):
        return severity
    if up:
        because.append(f"{', '.join(up)} raises normal to high")
        return Severity.HIGH
    if points > 0:
        return severity
    because.append(f"{', '.join(down)} lowers normal to low")
    return Severity.LOW


def _capped(
    severity: Severity, fields: list[tuple[str, str]], origin: Origin, auto_submitted: str, because: list[str]
) -> Severity:
    if origin is Origin.BULK:
        because.append("bulk mail is low")
        return Severity.LOW
    said = auto_submitted.strip().lower() or next((value for name, value in fields if name == "auto-submitted"), "")
    if said.startswith("auto-replied"):
        because.append("an automatic reply is low")
        return Severity.LOW
    return severity
