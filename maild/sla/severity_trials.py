"""Trials of the keyword rules: mails that a keywords file brings along, each with the severity it is to be given.

```toml
[[test]]
subject = "Line 3 stands still"
text    = "Nothing has left the hall since nine."
expect  = "urgent"
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maild.mail import Origin
from maild.sla.severity import guess
from maild.sla.severity_rules import Rules
from maild.ticket import Severity

_KEYS = ("subject", "text", "expect")


@dataclass(frozen=True, slots=True)
class Trial:
    """One mail of a person and what it must be guessed to be. `number` counts from 1, in the order of the file."""

    number: int
    subject: str
    text: str
    expect: Severity


def parse_trials(data: Mapping[str, Any]) -> tuple[Trial, ...]:
    """Read the `[[test]]` sections of a mapping of the shape of keywords.toml. ValueError lists every fault with its key."""
    raw = data.get("test", [])
    if not isinstance(raw, list) or not all(isinstance(one, Mapping) for one in raw):
        raise ValueError("test: must be sections: write [[test]] above each one's subject, text and expect")
    faults: list[str] = []
    found = tuple(_trial(number, one, faults) for number, one in enumerate(raw, 1))
    if faults:
        raise ValueError("\n".join(faults))
    return found


def _trial(number: int, raw: Mapping[str, Any], faults: list[str]) -> Trial:
    where = f"test[{number}]"
    faults += [f"{where}.{key}: unknown key; known are {', '.join(_KEYS)}" for key in raw if key not in _KEYS]
    subject, text, expect = (raw.get(key, "") for key in _KEYS)
    faults += [
        f"{where}.{key}: must be a text"
        for key, value in zip(_KEYS, (subject, text), strict=False)
        if not isinstance(value, str)
    ]
    if not (subject or text):
        faults.append(f"{where}: has neither subject nor text, so there is nothing to guess from")
    if expect not in list(Severity):
        faults.append(f"{where}.expect: {expect!r} is none of {', '.join(Severity)}")
        expect = Severity.NORMAL
    return Trial(number, subject, text, Severity(expect))


def failed_trials(trials: tuple[Trial, ...], rules: Rules) -> list[str]:
    """Say of each trial that is guessed otherwise what it was to be, what it became, and why; nothing where all hold."""
    lines = []
    for trial in trials:
        found = guess(trial.subject, trial.text, (), Origin.PERSON, rules)
        if found.severity is not trial.expect:
            name = trial.subject or trial.text.strip().partition("\n")[0]
            lines.append(
                f"test[{trial.number}] {name[:60]!r}: expected {trial.expect}, guessed {found.severity}:"
                f" {'; '.join(found.because)}"
            )
    return lines
