"""The command line: one file a family of commands, joined here."""

import io
import sys
from copy import copy
from importlib import import_module
from typing import Any

import typer

from maild import __version__
from maild.cli.ending import Exit, say

COMMANDS = {
    "init": "check:init",
    "check": "check:check",
    "doctor": "doctor:doctor",
    "migrate": "migrate:migrate",
    "serve": "serve:serve",
    "tickets": "show:tickets",
    "show": "show:show",
    "why": "why:why",
    "inspect": "inspect:inspect",
    "replay": "replay:replay",
    "demo": "demo:demo",
    "received": "queues:received",
    "deliver": "deliver:deliver",
    "report": "report:report",
}
"""Where each command is: a module of this package, and a function."""

FAMILIES = {
    "sla": ("sla:app", "simulate:simulate"),
    "severity": ("severity:app",),
    "ticket": ("ticket:app", "joining:merge", "joining:split", "joining:link", "joining:undo"),
    "quarantine": ("quarantine:app",),
    "spam": ("spam:app",),
    "outbox": ("queues:outbox",),
    "keys": ("keys:app",),
    "alarm": ("alarm:app",),
}
"""Where each family of commands is: its app, and commands of other modules that belong to it."""


def joined(command: str = "", beneath: str = "") -> typer.Typer:
    """Join the commands. One that is called by its name comes alone: importing the others takes longer than it."""
    app = typer.Typer(
        name="maild",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="The help desk that lives in the mail server.",
    )
    app.callback()(_root)
    known = {*COMMANDS, *FAMILIES}
    wanted = {command} if command in {*known, "--version"} else known
    for name, place in COMMANDS.items():
        if name in wanted:
            app.command(name)(_found(place))
    for name in FAMILIES:
        if name in wanted:
            app.add_typer(_family(name, beneath), name=name)
    return app


def _family(name: str, beneath: str) -> typer.Typer:
    first, *others = FAMILIES[name]
    family: typer.Typer = copy(_found(first))
    own = {command.name or command.callback.__name__ for command in family.registered_commands if command.callback}
    family.registered_commands = [*family.registered_commands]
    for other in others if beneath not in own else ():
        family.command()(_found(other))
    return family


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"maild.cli.{module}"), name)


def _version(asked: bool) -> None:
    if asked:
        say(f"maild {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit"
    ),
) -> None:
    """Receive mail, thread it into tickets, watch the promised times, and escalate by mail."""


_CODES = {1: Exit.OK, 2: Exit.USAGE}
"""What typer and rich end with, in our codes: a wrong call is 2; 1 means that the reader of our output went away."""


def main() -> None:
    """Run a command; a wrong call ends with 64 (EX_USAGE), and so does no command at all."""
    asked = sys.argv[1:3]
    if asked[:1] == ["deliver"]:
        _found("deliver:main")()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a mail's letters are not always the terminal's
    try:
        joined(*asked)()
    except SystemExit as end:
        sys.exit(_CODES.get(end.code, end.code) if isinstance(end.code, int) else end.code)
