"""The documentation says what the code does: commands, keys, defaults, links, names of modules and of tests."""

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

import maild
from maild.cli.app import joined
from maild.cli.inspect import as_dict
from maild.config import load
from maild.config.duty import RotaSection
from maild.config.lines import ImapSection
from maild.config.model import (
    AgentSection,
    CustomerSection,
    DeskSection,
    EscalationSection,
    File,
    MailboxSection,
)
from maild.desk.alarm import What
from maild.ingest.parse import parse
from maild.sla.policy import SECONDS
from maild.ticket import Severity

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
SAMPLE = files("maild.config").joinpath("sample.toml").read_text("utf-8")

HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \| .+ \|$", re.MULTILINE)
NAMES = {"calendar": ["NAME"], "sla": ["SEVERITY"], "policy": ["NAME", "SEVERITY"]}
"""What stands in the documentation for the names that an operator chooses."""

LEAST: dict[type[BaseModel], dict[str, Any]] = {
    DeskSection: {"address": "a@b.example"},
    MailboxSection: {"address": "a@b.example"},
    AgentSection: {"id": "a", "address": "a@b.example"},
    CustomerSection: {"domain": "b.example"},
    ImapSection: {"mailbox": "a@b.example", "host": "b.example"},
    RotaSection: {"name": "a"},
    EscalationSection: {"clock": "resolution", "at": "limit", "notify": ["lead"]},
}
"""What a section cannot do without."""

EXAMPLES = {"desk", "agent", "customer", "calendar.NAME", "policy.NAME.SEVERITY", "escalation"}
"""Sections of the sample whose values are examples; those of all others are the defaults."""


def prose(path: Path) -> str:
    """Give a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return prose(ROOT / "docs" / name)


def commands_page() -> str:
    return page("cli.md") + page("cli-tickets.md") + page("cli-queues.md")


# Commands


def commands(command: Any, name: str = "maild") -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {word}")


COMMANDS = dict(commands(get_command(joined())))


def section(text: str, title: str) -> str:
    """Give what stands under a heading, up to the next one of any level."""
    headings = list(HEADING.finditer(text))
    for number, heading in enumerate(headings):
        if heading[2].strip("` ") == title:
            end = headings[number + 1].start() if number + 1 < len(headings) else len(text)
            return text[heading.end() : end]
    raise AssertionError(f"there is no heading {title!r}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_heading_and_every_option_its_word(name):
    words = section(commands_page(), name)
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            names = [*parameter.opts, *parameter.secondary_opts]
        else:
            names = [parameter.metavar or parameter.name.upper()]
        for spelling in names:
            if spelling != "--help":
                assert re.search(rf"(?<![\w-]){re.escape(spelling.strip('[]{}.'))}(?![\w-])", words), (
                    f"{name}: {spelling}"
                )


def test_no_command_is_described_that_does_not_exist():
    described = {
        heading[2].strip("` ") for heading in HEADING.finditer(commands_page()) if heading[2].startswith("`maild")
    }
    assert described == set(COMMANDS)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_are_named_exist(path):
    for found in re.findall(r"`maild ((?:[a-z]+ ?)+)", prose(path)):
        words = found.split()
        longest = f"maild {words[0]}"
        assert longest in COMMANDS, f"{path.name}: maild {found}"
        if getattr(COMMANDS[longest], "commands", None) and len(words) > 1:
            assert f"{longest} {words[1]}" in COMMANDS, f"{path.name}: maild {found}"


# Configuration


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models(inner)


SECTIONS = {
    ".".join([name, *NAMES.get(name, [])]): next(models(field.annotation)) for name, field in File.model_fields.items()
}
KEYS = {f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields}


def general(name: str) -> str:
    """Give calendar.NAME for calendar.business, and a section without names as it is."""
    first = name.partition(".")[0]
    return ".".join([first, *NAMES.get(first, [])])


def sample_keys() -> set[str]:
    found, where = set(), ""
    for line in SAMPLE.splitlines():
        if heading := re.match(r"#?\[+([\w.]+)\]+", line):
            where = general(heading[1])
        elif key := re.match(r"#?(\w+) = ", line):
            found.add(f"{where}.{key[1]}")
    return found


def is_default(name: str, key: str, value: object) -> bool:
    model = SECTIONS[name]
    least = LEAST.get(model, {})
    written = getattr(model.model_validate({**least, key: value}), key)
    return bool(written == getattr(model.model_validate(least), key))


def test_the_sample_holds_every_key_and_no_other():
    # A policy's keys are those of [sla.*]: an example of some is enough.
    assert sample_keys() <= KEYS
    assert {key for key in KEYS if not key.startswith("policy.")} <= sample_keys()


def test_the_sample_loads_and_promises_the_standard(tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text(SAMPLE, "utf-8")
    config = load(path, {})
    for severity in Severity:
        promise = config.policy.promise(severity)
        assert (promise.first_response, promise.resolution) == SECONDS[severity]
        assert promise.calendar_name == ("always" if severity is Severity.URGENT else "weekdays")


def test_what_the_sample_sets_is_the_default():
    for name, value in tomllib.loads(SAMPLE).items():
        for keys in value if isinstance(value, list) else [value]:
            for key, given in keys.items():
                if name not in EXAMPLES | set(NAMES) and f"{name}.{key}" not in ("mailbox.address", "mailbox.team"):
                    assert is_default(name, key, given), f"{name}.{key}"


def test_every_key_has_its_row_and_every_row_its_key():
    rows = ROW.findall(page("configuration.md"))
    assert sorted(name for name, _ in rows) == sorted(KEYS)


@pytest.mark.parametrize(("name", "default"), ROW.findall(page("configuration.md")))
def test_the_default_of_a_row(name, default):
    where, _, key = name.rpartition(".")
    field = SECTIONS[where].model_fields[key]
    assert (default == "required") == field.is_required()
    if re.fullmatch(r"`[^`]+`", default):
        value = tomllib.loads(f"value = {default.strip('`')}")["value"]
        assert is_default(where, key, value)
    elif not field.is_required():
        # Words stand where the default is worked out from something else.
        assert not field.get_default(call_default_factory=True)


def test_every_section_has_its_heading():
    headings = {heading[2].strip("`[] ") for heading in HEADING.finditer(page("configuration.md"))}
    assert set(SECTIONS) <= headings


# What the pages name


def slug(heading: str) -> str:
    plain = re.sub(r"[^\w\- ]", "", heading.lower())
    return plain.replace(" ", "-")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?:|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        if anchor:
            assert anchor in {slug(heading[2]) for heading in HEADING.finditer(prose(there))}, target


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(path):
    for name in re.findall(r"`((?:maild|tests|templates|docs)/[\w./-]*)`", path.read_text("utf-8")):
        assert (ROOT / name).exists(), name


def test_every_room_is_in_the_architecture():
    text = page("architecture.md")
    rooms = [path.parent for path in (ROOT / "maild").glob("*/__init__.py")]
    assert rooms
    for room in rooms:
        assert f"maild/{room.name}/" in text, room.name


def test_tests_that_are_named_exist():
    written = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^\s*(?:async )?def (test_\w+)\(", written, re.MULTILINE))
    for path in DOCS:
        for name in re.findall(r"`(test_\w+)`", path.read_text("utf-8")):
            assert name in defined, f"{path.name}: {name}"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_knows_the_machine_it_was_written_on(path):
    assert not re.search(r"(?<![\w.])/(?:work|home|root|Users)/", path.read_text("utf-8"))


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_is_long(path):
    assert len(path.read_text("utf-8").splitlines()) <= 320


def test_the_changelog_speaks_of_this_version():
    assert f"## [{maild.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_what_inspect_prints_is_named():
    words = section(page("cli.md"), "maild inspect")
    for key in (*as_dict(parse(b"Return-Path: <>\nFrom: MAILER-DAEMON@a.example\n\n")), "path", "index", "seconds"):
        assert f"`{key}`" in words, key


def test_log_events_that_are_named_exist_and_those_that_exist_are_named():
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "maild").rglob("*.py"))
    logged = set(re.findall(r"log\.(?:info|warning|error|exception)\(\s*\"(\w+\.\w+)\"", source))
    table = section(page("operations.md"), "Logs")
    named = set(
        re.findall(r"`([a-z_]+\.[a-z_]+)`", "\n".join(row.split("|")[1] for row in table.splitlines() if "|" in row))
    )
    logged |= {f"alarm.{what}" for what in get_args(What)} - {"alarm.test"}
    logged |= {f"{name}.failed" for name in re.findall(r"super\(\).__init__\(\"(\w+)\"", source)}
    assert logged <= named, logged - named
    for event in named - logged:
        assert f'"{event}"' in source, event
