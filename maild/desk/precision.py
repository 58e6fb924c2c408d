"""How good the severity guess is, told by what people set otherwise: for each severity, and for each rule that spoke.

A guess counts once somebody has looked at the ticket: it was answered, resolved, closed or corrected. One that nobody
corrected counts as right. That is the best the ledger knows, and no more.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maild.desk.past import standing
from maild.sla.severity_rules import Rules
from maild.ticket import Event, Severity, State, Ticket

_REASON = re.compile(r"([+-][0-9]+) ([^\"]+?): \"")

Reason = tuple[int, str]
"""Points, and what the rule says."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A guess and what people made of it; `actor` is "" where nobody corrected it."""

    ticket: int
    guess: Severity
    reasons: tuple[Reason, ...]
    final: Severity
    actor: str


@dataclass(frozen=True, slots=True)
class Grade:
    """One severity as guessed: how often, and what those tickets were set to in the end."""

    guess: Severity
    counted: int
    finals: tuple[tuple[Severity, int], ...]

    @property
    def right(self) -> int:
        """How many nobody corrected."""
        return dict(self.finals)[self.guess]


@dataclass(frozen=True, slots=True)
class RuleGrade:
    """One rule: how many guesses it had a part in, and how many of those people set lower (`too_high`) or higher.

    A rule that gives points is wrong where the guess was too high, one that takes points where it was too low, one that
    gives none in either case. `name` is None for a rule that is no longer there.
    """

    name: str | None
    says: str
    points: int
    counted: int
    too_high: int
    too_low: int

    @property
    def right(self) -> int:
        """How many guesses it did not mislead."""
        wrong_high = self.too_high if self.points >= 0 else 0
        wrong_low = self.too_low if self.points <= 0 else 0
        return self.counted - wrong_high - wrong_low


def reasons_of(because: Iterable[str]) -> tuple[Reason, ...]:
    """Read the rules out of the reasons of a guess, each once."""
    found = [(int(one[1]), one[2]) for line in because for one in _REASON.finditer(line)]
    return tuple(dict.fromkeys(found))


def judged(ticket: Ticket, events: Sequence[Event]) -> Judged | None:
    """Give a ticket's guess and what became of it; None where nobody has looked at it, or nothing was guessed."""
    guess: Severity | None = None
    because: list[str] = []
    final, actor = ticket.severity, ""
    for event in standing(events):
        if event.what == "opened":
            guess = Severity(event.data["severity"])
            because = [str(line) for line in event.data.get("because", ())]
        elif event.what == "set_severity" and event.actor != "maild":
            final, actor = Severity(event.data["to"]), event.actor
        elif event.what == "set_severity" and not actor:
            guess, because = Severity(event.data["to"]), [*because, event.because]
    looked = actor or ticket.first_response_at or ticket.state in {State.RESOLVED, State.CLOSED}
    if guess is None or not because or not looked:
        return None
    return Judged(ticket.number, guess, reasons_of(because), final if actor else guess, actor)


def grades(found: Iterable[Judged]) -> tuple[Grade, ...]:
    """Count guesses by severity, the worst first."""
    all_ = tuple(found)
    grades_ = []
    for guess in Severity:
        mine = [one.final for one in all_ if one.guess is guess]
        grades_.append(Grade(guess, len(mine), tuple((severity, mine.count(severity)) for severity in Severity)))
    return tuple(grades_)


def rule_grades(found: Iterable[Judged], rules: Rules) -> tuple[RuleGrade, ...]:
    """Count guesses by rule: those that misled most often first."""
    names = {rule.says: rule.name for rule in rules.rules}
    by_rule: dict[str, list[Judged]] = {}
    points: dict[str, int] = {}
    for one in found:
        for given, says in one.reasons:
            by_rule.setdefault(says, []).append(one)
            points[says] = given
    graded = [
        RuleGrade(
            names.get(says),
            says,
            points[says],
            len(some),
            sum(one.final.rank > one.guess.rank for one in some),
            sum(one.final.rank < one.guess.rank for one in some),
        )
        for says, some in by_rule.items()
    ]
    return tuple(sorted(graded, key=lambda one: (one.right - one.counted, -one.counted, one.says)))
