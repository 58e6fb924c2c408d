"""The rotas of a file: every fault of every section, each with its key."""

import difflib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from maild.config.duty import RotaSection, turn_start
from maild.config.ics import Occurrence, file_beside, instant_of, occurrences
from maild.config.model import AgentSection
from maild.config.shape import Shape
from maild.sla.rota import Rota, Shift, Shifts, Turns

_MAILTO = "mailto:"
_THINGS = frozenset({"ROOM", "RESOURCE"})
"""What a calendar program invites besides people (RFC 5545 section 3.2.3)."""


def rotas(shape: Shape, path: Path, faults: list[str]) -> tuple[Rota, ...]:
    """Give the rotas of the file at `path`; what is wrong is added to `faults`."""
    found: list[Rota] = []
    names: set[str] = set()
    for number, section in zip(shape.numbers.get("rota", ()), shape.file.rota, strict=True):
        key = f"rota[{number}]"
        if section.name in names:
            faults.append(f"{key}.name: the name {section.name!r} is given twice, choose another one")
        names.add(section.name)
        wrong = list(_either(section, key, shape))
        faults += wrong
        if wrong:
            continue
        duties = _from_file(section.file, key, shape, path, faults) if section.file else _turns(section, shape)
        if duties is not None:
            found.append(Rota(section.name, duties))
    return tuple(found)


def _either(section: RotaSection, key: str, shape: Shape) -> Iterator[str]:
    """Find a section that says neither how turns go round nor names a file, or both; and agents who are none."""
    broken = {place[2] for place in shape.broken if place[:2] == ("rota", int(key[5:-1])) and len(place) > 2}
    turns = section.model_fields_set & {"agents", "start", "every"}
    if section.file and turns:
        yield f"{key}: give either file, or agents, start and every: file stands beside {', '.join(sorted(turns))}"
        return
    if not section.file and "file" not in broken:
        if not turns and not broken:
            yield f'{key}: says whose turn it is nowhere: give agents and start, such as "2026-01-05 09:00", or file'
            return
        if not section.agents and "agents" not in broken:
            yield f"{key}.agents: is missing: write who takes turns, one after the other"
        if not section.start and "start" not in broken:
            yield f'{key}.start: is missing: write when the first turn begins, such as "2026-01-05 09:00"'
    for name in section.agents:
        if shape.agents is not None and name not in shape.agents:
            nearest = difflib.get_close_matches(name, shape.agents, 1, 0.5)
            hint = (
                f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(sorted(shape.agents)) or 'none'}"
            )
            yield f"{key}.agents: there is no agent {name!r}, {hint}"


def _turns(section: RotaSection, shape: Shape) -> Turns | None:
    if not section.agents or not section.start:
        return None
    return Turns(section.agents, turn_start(section.start), section.every, shape.file.desk.time_zone)


def _from_file(name: str, key: str, shape: Shape, path: Path, faults: list[str]) -> Shifts | None:
    # Of somebody whose section is broken nobody can say that there is no such agent.
    whole = all(place[0] != "agent" for place in shape.broken)
    zone = ZoneInfo(shape.file.desk.time_zone)
    found, wrong = file_beside(path, name, partial(duties_of, agents=shape.file.agent, zone=zone, whole=whole))
    faults += (f"{key}.file: {words}" for words in wrong)
    return found


def duties_of(
    octets: bytes, *, agents: tuple[AgentSection, ...], zone: ZoneInfo, whole: bool = True
) -> tuple[Shifts, list[str]]:
    """Read the duties of a file in iCalendar, and a line for each event that cannot be read, or names nobody.

    Each event is a duty of the agent whom its ATTENDEE names, or, where it has none, its SUMMARY: by address, id or name,
    in any case. Of several attendees the first has duty, and the others follow him. What names no zone is on the wall of
    `zone`, whole dates go from midnight to midnight. Where `agents` are not the `whole` of them, a name that is none of
    theirs is passed over. ValueError where the file as a whole is no calendar.
    """
    known = _known(agents)
    happens, faults = occurrences(octets)
    found: list[tuple[int, Shift]] = []
    for one in happens:
        start, end = instant_of(one.start, zone), instant_of(one.end, zone)
        for word in _named(one):
            ids = known.get(word.casefold(), ())
            if len(ids) == 1:
                found.append((one.number, Shift(start, end, ids[0])))
            elif whole or not word:
                faults.append(f"{one.label}: {_nobody(word, ids, known)}")
    found.sort(key=lambda pair: (pair[1].start, pair[0]))
    if not happens and not faults:
        faults.append("holds no event of 2020 to 2040, so nobody would ever be on duty")
    return Shifts(tuple(shift for _, shift in found)), list(dict.fromkeys(faults))


def _known(agents: tuple[AgentSection, ...]) -> Mapping[str, tuple[str, ...]]:
    """Give the ids of agents by what they may be called; an address or an id comes before a name."""
    found: dict[str, tuple[str, ...]] = {}
    for agent in agents:
        name = agent.name.casefold()
        found[name] = (*found.get(name, ()), agent.id)
    for agent in agents:
        found[agent.id.casefold()] = (agent.id,)
        found[agent.address.casefold()] = (agent.id,)
    return {name: ids for name, ids in found.items() if name}


def _named(one: Occurrence) -> list[str]:
    """Give the people whom an event names, each once."""
    attendees = one.event.get("ATTENDEE", [])
    people = [
        _address(attendee)
        for attendee in (attendees if isinstance(attendees, list) else [attendees])
        if str(attendee.params.get("CUTYPE", "")).upper() not in _THINGS
    ]
    return list(dict.fromkeys(people)) or [one.summary]


def _address(attendee: Any) -> str:
    text = str(attendee).strip()
    return text[len(_MAILTO) :] if text[: len(_MAILTO)].lower() == _MAILTO else text


def _nobody(word: str, ids: tuple[str, ...], known: Mapping[str, tuple[str, ...]]) -> str:
    if not word:
        return "it names nobody: give it an ATTENDEE, or an agent's name as its SUMMARY"
    if ids:
        return f"{word!r} is the name of {' and '.join(ids)}: write an id or an address"
    nearest = difflib.get_close_matches(word.casefold(), known, 1, 0.5)
    hint = f", did you mean {nearest[0]!r}?" if nearest else ": an agent's address, id or name is wanted"
    return f"{word!r} is no agent{hint}"
