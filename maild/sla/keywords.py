"""The shipped keywords of the severity guess. The one place in this room that reads a file: its own data."""

import tomllib
from functools import cache
from importlib.resources import files

from maild.sla.severity_rules import Rules, parse_rules


@cache
def default_rules() -> Rules:
    """Give the rules that ship with maild (keywords.toml beside this module), compiled once a process."""
    return parse_rules(tomllib.loads(files("maild.sla").joinpath("keywords.toml").read_text(encoding="utf-8")))
