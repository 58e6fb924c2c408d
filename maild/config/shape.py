"""The shape of the file: which keys there are, and what each may hold.

What is broken is taken out and the rest is checked again, so that one run finds every fault. What was taken out is
remembered, so that nothing is called missing which is there and only broken.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from maild.config.model import File

PLACEHOLDER = "desk@placeholder.invalid"
"""Stands in for a desk's address that is missing or broken."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A file as far as it can be read, with a line for each fault.

    `numbers` gives, for each list of sections, the number (from 1) in the file of each entry that is left. `agents`,
    `calendars` and `policies` are the names that the file gives, those of broken sections too; `agents` is None where
    some agent has no id, so that nobody can say who is missing. `mailboxes_whole` says that no mailbox was taken out. `broken` are the places of the
    faults, counted from 1: ("customer", 2, "domain").
    """

    file: File
    faults: tuple[str, ...]
    numbers: Mapping[str, tuple[int, ...]]
    agents: frozenset[str] | None
    calendars: frozenset[str]
    policies: frozenset[str]
    mailboxes_whole: bool
    broken: frozenset[tuple[Any, ...]]


def shape(raw: dict[str, Any]) -> Shape:
    """Check the shape of what TOML gave; `raw` is changed."""
    before = {key: list(value) for key, value in raw.items() if isinstance(value, list)}
    agents, calendars, policies = _agents(raw), _names(raw, "calendar"), _names(raw, "policy")
    faults: list[str] = []
    told: set[tuple[Any, ...]] = set()
    broken: set[tuple[Any, ...]] = set()
    while True:
        numbers = {key: _left(entries, raw.get(key)) for key, entries in before.items()}
        try:
            file = File.model_validate(raw)
        except ValidationError as error:
            found = [(_place(item["loc"], numbers), item) for item in error.errors()]
            # A list counts its sound entries: the broken ones are told, and only they.
            inner = {place[:-1] for place, _ in found}
            found = [(place, item) for place, item in found if item["type"] != "too_short" or place not in inner]
            faults += [f"{_key(place)}: {_words(item)}" for place, item in found if not _follows(place, item, told)]
            told.update(place[:2] for place, _ in found)
            broken.update(place for place, _ in found)
            _take_out_all(raw, [item for _, item in found])
        else:
            whole = len(file.mailbox) == len(before.get("mailbox", [])) and isinstance(raw.get("mailbox", []), list)
            return Shape(file, tuple(faults), numbers, agents, calendars, policies, whole, frozenset(broken))


def _left(entries: list[Any], now: object) -> tuple[int, ...]:
    kept = {id(entry) for entry in now} if isinstance(now, list) else set()
    return tuple(number for number, entry in enumerate(entries, 1) if id(entry) in kept)


def _agents(raw: Mapping[str, Any]) -> frozenset[str] | None:
    sections = raw.get("agent", [])
    if not isinstance(sections, list):
        return None
    ids = [section.get("id") if isinstance(section, dict) else None for section in sections]
    return frozenset(map(str, ids)) if None not in ids else None


def _names(raw: Mapping[str, Any], key: str) -> frozenset[str]:
    sections = raw.get(key)
    return frozenset(sections) if isinstance(sections, dict) else frozenset()


def _take_out_all(raw: dict[str, Any], items: list[Any]) -> None:
    places = {
        tuple(item["loc"][:-1] or item["loc"]) if item["type"] == "missing" else tuple(item["loc"]) for item in items
    }

    def order(place: tuple[Any, ...]) -> list[tuple[bool, str]]:
        return [(isinstance(step, int), str(step).zfill(6)) for step in place]

    # From the back, so that an index still points at what it meant.
    for place in sorted(places, key=order, reverse=True):
        _take_out(raw, place)


def _take_out(raw: dict[str, Any], place: tuple[Any, ...]) -> None:
    if place[0] == "desk" and (len(place) == 1 or place[1] == "address"):
        desk = raw.get("desk")
        raw["desk"] = {**(desk if isinstance(desk, dict) else {}), "address": PLACEHOLDER}
        return
    holder: Any = raw
    for step in place[:-1]:
        holder = holder[step]
    del holder[place[-1]]


def _place(loc: tuple[Any, ...], numbers: Mapping[str, tuple[int, ...]]) -> tuple[Any, ...]:
    """Give a place with the number that a section has in the file, and those of its entries, counted from 1."""
    place = [step + 1 if isinstance(step, int) else step for step in loc]
    if len(loc) > 1 and isinstance(loc[1], int):
        place[1] = numbers[loc[0]][loc[1]]
    return tuple(place)


def _key(place: tuple[Any, ...]) -> str:
    return ".".join(f"[{step}]" if isinstance(step, int) else str(step) for step in place).replace(".[", "[")


def _follows(place: tuple[Any, ...], item: Any, told: set[tuple[Any, ...]]) -> bool:
    """Say whether a fault only comes of what was taken out of its section: a key or the last of a list is gone."""
    return place[:2] in told and (item["type"] in {"missing", "too_short"} or len(place) == 2)


def _words(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        known = _known(item["loc"][:-1])
        nearest = difflib.get_close_matches(str(item["loc"][-1]), known, 1, 0.5)
        return f"unknown key, did you mean {nearest[0]}?" if nearest else f"unknown key; known are {', '.join(known)}"
    if item["type"] == "missing":
        return "is missing and has no default: write it"
    if item["type"] == "too_short":
        return "is empty: write at least one"
    if item["type"] in {"model_type", "dict_type", "tuple_type", "string_type"}:
        return _of_another_kind(item["type"], item["loc"], item["input"])
    if item["type"] in _PLAIN or item["type"] == "literal_error":
        return _out_of_bounds(item)
    message = item["msg"].removeprefix("Value error, ")
    return f"{message[:1].lower() + message[1:]}"


_PLAIN = {
    "int_type": "is a whole number: write it without quotes, as in 7",
    "bool_type": "is true or false: write one of the two, without quotes",
    "greater_than_equal": "is too small: write at least {ge}",
    "less_than_equal": "is too large: write at most {le}",
    "string_too_short": "is empty: write a name",
}
"""Our words for what pydantic finds, by its type; in braces what its context gives."""


def _out_of_bounds(item: Any) -> str:
    value, context = item["input"], item.get("ctx", {})
    if item["type"] != "literal_error":
        return _PLAIN[item["type"]].format(**context)
    known = context["expected"].replace("'", '"')
    if not isinstance(value, str):
        return f"is a text: write {known}"
    nearest = difflib.get_close_matches(value.lower(), re.findall('"([^"]+)"', known), 1, 0.6)
    hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
    return f"{value!r} is not known: write {known}{hint}"


def _of_another_kind(wanted: str, loc: tuple[Any, ...], value: Any) -> str:
    if wanted in {"model_type", "dict_type"}:
        there_once = len(loc) == 1 and isinstance(value, list)
        return f"is there once: write [{loc[0]}]" if there_once else "is a section of keys, not a single value"
    if wanted == "tuple_type":
        if len(loc) == 1 and isinstance(value, dict):
            return f"may be repeated: write [[{loc[0]}]]"
        if len(loc) > 1 and isinstance(value, str):
            return f'is a list: write it in [ ]: ["{value}"]'
        return "is a list: write it in [ ], or repeat the section in [[ ]]"
    if isinstance(value, (list, dict)):
        return "is a text: write one, in quotes"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'is a text: write it in quotes: "{text}"'


def _known(place: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] | None = File
    for part in place:
        if isinstance(part, str) and model is not None and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), None)
    return list(model.model_fields) if model else []


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
