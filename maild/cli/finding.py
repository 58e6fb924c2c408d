"""What a probe of `maild doctor` found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it stands, and in words what was seen or what to do."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    words: str
