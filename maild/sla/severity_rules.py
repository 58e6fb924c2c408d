"""The rules of the severity guess: phrases with points, compiled from a mapping of the keywords file's shape.

A phrase is a row of words. `word*` stands for every word that starts so, `one|other` for either, `word?` for an
optional word, `<name>` for the words of that name, `..` for up to four words in between and `...` for up to eight (characters, in scripts without spaces);
neither leaps over a pause or the end of a sentence. `^` in front binds a phrase to the start of the subject.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any

from maild.sla.severity_text import tokens
from maild.ticket import Severity

_PREFIX = 3
_NAME = re.compile(r"<(\w+)>")
_GAPS = {"..": 4, "...": 8}


class Kind(StrEnum):
    """What a rule's hits do beside giving points.

    `plain`: counts unless it is denied or past. `urgency`: as plain, and its denial counts as a word for low.
    `lasting`: counts in the past tense too, for lost data stay lost, and no cap holds it. `weak`: as plain, but its cap
    takes nothing from a critical impact. `mild`: a word for low. `unhurried`: likewise, but a polite tone takes nothing
    from a critical impact. `resolved`: takes back what was said before it. `mask`: a look-alike, hides its words.
    """

    PLAIN = "plain"
    URGENCY = "urgency"
    LASTING = "lasting"
    WEAK = "weak"
    MILD = "mild"
    UNHURRIED = "unhurried"
    RESOLVED = "resolved"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason. `points` count once a mail; `at_most` caps the guess; `subject_only` is for tags.

    A rule that `needs` others counts only beside one of them: "all users" is no harm without a fault.
    """

    name: str
    says: str
    points: int
    kind: Kind
    at_most: Severity | None
    subject_only: bool
    needs: tuple[str, ...] = ()


_compiled = cache(re.compile)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase: matched against words that are joined and ended by single spaces."""

    rule: Rule
    source: str
    at_start: bool

    @property
    def pattern(self) -> re.Pattern[str]:
        """Its regular expression, compiled when a mail first has a word that it starts with.

        Most phrases meet no such word for days, and all two thousand cost a start of the daemon a second.
        """
        return _compiled(self.source)


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, indexed by the first word of their phrases, with the words that turn a phrase around.

    The points of a mail make it urgent, high or low from `urgent`, `high` and down from `low`. `tiers` are points
    that a customer's tier adds to a mail which reports a problem.
    """

    rules: tuple[Rule, ...]
    exact: Mapping[str, tuple[Phrase, ...]]
    prefixed: Mapping[str, tuple[Phrase, ...]]
    urgent: int
    high: int
    low: int
    tiers: Mapping[str, int]
    not_before: frozenset[str]
    not_after: frozenset[str]
    not_if: frozenset[str]
    joins: frozenset[str]
    past: frozenset[str]
    present: frozenset[str]

    def candidates(self, word: str) -> tuple[Phrase, ...]:
        """Give the phrases that may start with this word."""
        return self.exact.get(word, ()) + self.prefixed.get(word[:_PREFIX], ())


def parse_rules(data: Mapping[str, Any]) -> Rules:
    """Compile a mapping of the shape of keywords.toml. ValueError lists every fault, each with its key."""
    faults: list[str] = []
    exact: dict[str, list[Phrase]] = {}
    prefixed: dict[str, list[Phrase]] = {}
    known = {"points", "tiers", "words", "names", "rule", "test"}
    faults += [f"{key}: unknown key; known are {', '.join(sorted(known))}" for key in data if key not in known]
    points = _numbers(data, "points", faults)
    faults += [f"points.{key}: missing" for key in ("urgent", "high", "low") if key not in points]
    words = _table(data, "words", faults)
    sets = {name: _words(words, name, faults) for name in _WORD_LISTS}
    faults += [f"words.{key}: unknown key" for key in words if key not in _WORD_LISTS]
    names = {
        name: "|".join(_texts(choices, f"names.{name}", faults))
        for name, choices in _table(data, "names", faults).items()
    }
    # A gap that leapt over a "not" would turn its phrase around.
    gap = f"(?:(?!(?:{'|'.join(map(re.escape, sorted(sets['not_before'])))}) )[^ .,]+ )"
    rules = []
    for name, raw in _table(data, "rule", faults).items():
        where = f"rule.{name}"
        rule = _rule(name, raw, faults)
        if rule is None:
            continue
        rules.append(rule)
        for language, phrases in _table(raw, "phrases", faults, where).items():
            for phrase in _texts(phrases, f"{where}.phrases.{language}", faults):
                try:
                    compiled, firsts = _compile(rule, phrase, names, gap)
                except ValueError as error:
                    faults.append(f"{where}.phrases.{language}: {phrase!r}: {error}")
                    continue
                for first, is_prefix in firsts:
                    index = prefixed if is_prefix else exact
                    index.setdefault(first[:_PREFIX] if is_prefix else first, []).append(compiled)
    named = {rule.name for rule in rules}
    faults += [
        f"rule.{rule.name}.needs: there is no rule {need!r}"
        for rule in rules
        for need in rule.needs
        if need not in named
    ]
    tiers = _numbers(data, "tiers", faults)
    if faults:
        raise ValueError("\n".join(faults))
    return Rules(
        rules=tuple(rules),
        exact=MappingProxyType({word: tuple(found) for word, found in exact.items()}),
        prefixed=MappingProxyType({word: tuple(found) for word, found in prefixed.items()}),
        urgent=points["urgent"],
        high=points["high"],
        low=points["low"],
        tiers=MappingProxyType({tier.casefold(): value for tier, value in tiers.items()}),
        **sets,
    )


_WORD_LISTS = ("not_before", "not_after", "not_if", "joins", "past", "present")
_RULE_KEYS = ("says", "points", "kind", "at_most", "subject_only", "needs", "phrases")


def _rule(name: str, raw: object, faults: list[str]) -> Rule | None:
    where = f"rule.{name}"
    if not isinstance(raw, Mapping):
        faults.append(f"{where}: must be a table")
        return None
    before = len(faults)
    faults += [f"{where}.{key}: unknown key" for key in raw if key not in _RULE_KEYS]
    says, points, kind, at_most = (
        raw.get("says", name),
        raw.get("points", 0),
        raw.get("kind", "plain"),
        raw.get("at_most"),
    )
    if not isinstance(says, str):
        faults.append(f"{where}.says: must be a text")
    if not isinstance(points, int) or isinstance(points, bool):
        faults.append(f"{where}.points: must be a whole number")
    if kind not in list(Kind):
        faults.append(f"{where}.kind: {kind!r} is none of {', '.join(Kind)}")
    if at_most is not None and at_most not in list(Severity):
        faults.append(f"{where}.at_most: {at_most!r} is none of {', '.join(Severity)}")
    if not isinstance(raw.get("subject_only", False), bool):
        faults.append(f"{where}.subject_only: must be true or false")
    needs = tuple(_texts(raw.get("needs", []), f"{where}.needs", faults))
    if len(faults) > before:
        return None
    cap = None if at_most is None else Severity(at_most)
    return Rule(name, says, points, Kind(kind), cap, raw.get("subject_only", False), needs)


def _table(data: Mapping[str, Any], key: str, faults: list[str], where: str = "") -> Mapping[str, Any]:
    value = data.get(key, {})
    if isinstance(value, Mapping):
        return value
    faults.append(f"{where}{'.' if where else ''}{key}: must be a table")
    return {}


def _numbers(data: Mapping[str, Any], key: str, faults: list[str]) -> dict[str, int]:
    found = {}
    for name, value in _table(data, key, faults).items():
        if isinstance(value, int) and not isinstance(value, bool):
            found[name] = value
        else:
            faults.append(f"{key}.{name}: must be a whole number")
    return found


def _texts(value: object, where: str, faults: list[str]) -> Iterable[str]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    faults.append(f"{where}: must be a list of texts")
    return ()


def _words(data: Mapping[str, Any], key: str, faults: list[str]) -> frozenset[str]:
    return frozenset(word for text in _texts(data.get(key, []), f"words.{key}", faults) for word in tokens(text))


def _compile(rule: Rule, phrase: str, names: Mapping[str, str], gap: str) -> tuple[Phrase, list[tuple[str, bool]]]:
    """Give the phrase and the words, whole or as beginnings, that it may start with. ValueError says what is wrong."""
    at_start = phrase.startswith("^")
    source = ""
    firsts: list[tuple[str, bool]] = []
    open_start = True
    last = ".."
    for part in phrase.removeprefix("^").split():
        last = part
        for name in _NAME.findall(part):
            if name not in names:
                raise ValueError(f"<{name}> stands in no [names]")
            part = part.replace(f"<{name}>", names[name])  # noqa: PLW2901 - the part with its names written out
        if part in _GAPS:
            if open_start:
                raise ValueError("may not start with a gap or optional words only")
            source += f"{gap}{{0,{_GAPS[part]}}}?"
            continue
        optional = part.endswith("?")
        choices = list(_choices(part.removesuffix("?")))
        source += f"(?:{'|'.join(pattern for pattern, _, _ in choices)}){'?' if optional else ''}"
        if open_start:
            firsts += [(first, is_prefix) for _, first, is_prefix in choices]
            open_start = optional
    if open_start or last in _GAPS:
        raise ValueError("needs a word at its start and one at its end")
    return Phrase(rule, source, at_start), firsts


@cache
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(tokens(text))


def _choices(part: str) -> Iterator[tuple[str, str, bool]]:
    for choice in part.split("|"):
        is_prefix = choice.endswith("*")
        words = _tokens(choice.removesuffix("*"))
        if not words or (is_prefix and len(words[-1]) < _PREFIX):
            raise ValueError(f"{choice!r} is no word, or shorter than {_PREFIX} letters before its *")
        tail = r"[^ ]* " if is_prefix else " "
        yield " ".join(re.escape(word) for word in words) + tail, words[0], is_prefix and len(words) == 1
