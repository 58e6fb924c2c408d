"""The command line: one file a family of commands, joined here."""

import io
import sys

import typer

from maild import __version__
from maild.cli.alarm import app as alarm
from maild.cli.check import check, init
from maild.cli.deliver import deliver
from maild.cli.deliver import main as deliver_alone
from maild.cli.demo import demo
from maild.cli.doctor import doctor
from maild.cli.inspect import inspect
from maild.cli.joining import link, merge, split, undo
from maild.cli.keys import app as keys
from maild.cli.migrate import migrate
from maild.cli.quarantine import app as quarantine
from maild.cli.queues import outbox, received
from maild.cli.replay import replay
from maild.cli.report import report
from maild.cli.serve import serve
from maild.cli.severity import app as severity
from maild.cli.show import show, tickets
from maild.cli.simulate import simulate
from maild.cli.sla import app as sla
from maild.cli.spam import app as spam
from maild.cli.terms import Exit, say
from maild.cli.ticket import app as ticket
from maild.cli.why import why

app = typer.Typer(
    name="maild",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The help desk that lives in the mail server.",
)
for command in (init, check, doctor, migrate, serve, tickets, show, why, inspect, replay, demo, received, deliver):
    app.command()(command)
app.command()(report)
sla.command()(simulate)
for decision in (merge, split, link, undo):
    ticket.command()(decision)
app.add_typer(sla, name="sla")
app.add_typer(severity, name="severity")
app.add_typer(ticket, name="ticket")
app.add_typer(quarantine, name="quarantine")
app.add_typer(spam, name="spam")
app.add_typer(outbox, name="outbox")
app.add_typer(keys, name="keys")
app.add_typer(alarm, name="alarm")


def _version(asked: bool) -> None:
    if asked:
        say(f"maild {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit"
    ),
) -> None:
    """Receive mail, thread it into tickets, watch the promised times, and escalate by mail."""


_CODES = {1: Exit.OK, 2: Exit.USAGE}
"""What typer and rich end with, in our codes: a wrong call is 2; 1 means that the reader of our output went away."""


def main() -> None:
    """Run a command; a wrong call ends with 64 (EX_USAGE), and so does no command at all."""
    if sys.argv[1:2] == ["deliver"]:
        deliver_alone()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a mail's letters are not always the terminal's
    try:
        app()
    except SystemExit as end:
        sys.exit(_CODES.get(end.code, end.code) if isinstance(end.code, int) else end.code)
