"""An agent's `#ack` in answer to a digest: he takes over what that names, or those of its tickets whose numbers he gives."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maild.desk.ack import Acknowledge
from maild.desk.command import Refused, on_command
from maild.desk.decision import Case, Decision
from maild.desk.office import Agent, Office

_NUMBER = re.compile(r"[0-9]{1,12}")
_NUMBERS = re.compile(r"[\s,;#0-9]*")
_IN_A_LINE = 30
_MOST_REFUSED = 10


@dataclass(frozen=True, slots=True)
class Taken:
    """What was decided on each ticket that he took over, and in words why he did not take others."""

    decisions: tuple[Decision, ...]
    refused: tuple[str, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The tickets that are his to look after now."""
        return tuple(one.ticket.number for one in self.decisions if one.ticket)


def chosen(value: str, reference: str) -> frozenset[int]:
    """Read the tickets that stand behind the command; none where a remark stands there, or nothing."""
    plain = re.sub(re.escape(reference), " ", value, flags=re.IGNORECASE)
    return frozenset(map(int, _NUMBER.findall(plain))) if _NUMBERS.fullmatch(plain) else frozenset()


def take_over(case: Case, office: Office, agent: Agent, value: str, now: datetime) -> Taken:
    """Let an agent take over the clocks that the digest named which he answers. `value` stands behind the command."""
    wanted = chosen(value, office.desk.reference)
    decisions, refused = [], []
    for one in case.listed:
        if wanted and one.ticket.number not in wanted:
            continue
        word = Acknowledge(agent.id, case.received.received_at, one.clocks)
        done = on_command(one.ticket, one.told, word, office, agent.id, now)
        if isinstance(done, Refused):
            refused.append(done.because)
        else:
            decisions.append(_by_a_digest(done))
    strange = sorted(wanted - {one.ticket.number for one in case.listed})
    refused += [f"the digest that you answered does not name ticket {number}" for number in strange]
    return Taken(tuple(decisions), tuple(refused))


def _by_a_digest(decision: Decision) -> Decision:
    events = tuple(replace(one, because=f"{one.because}; by an answer to a digest") for one in decision.events)
    return replace(decision, events=events)


def in_words(taken: Taken, reference: str) -> Iterator[str]:
    """Tell him what he took over, and what he did not."""
    numbers = taken.numbers
    if numbers:
        yield f"You took over {counted(numbers)}: nobody else is told of the clocks that the digest named."
        for some in _lines(numbers):
            yield f"{reference} {', '.join(f'#{number}' for number in some)}"
        yield "What you took over by mistake you give back with maild ticket undo N."
    for because in taken.refused[:_MOST_REFUSED]:
        yield f"Not taken over: {because}."
    if len(taken.refused) > _MOST_REFUSED:
        yield f"Nor were {len(taken.refused) - _MOST_REFUSED} more."


def counted(numbers: Sequence[int]) -> str:
    """Count tickets: 1 ticket, 12 tickets."""
    return f"{len(numbers)} ticket{'s' * (len(numbers) != 1)}"


def _lines(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + _IN_A_LINE] for start in range(0, len(numbers), _IN_A_LINE))
