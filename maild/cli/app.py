"""The command line: one file a family of commands, joined here."""

import sys

import click
import typer

from maild import __version__
from maild.cli.check import check, init
from maild.cli.demo import demo
from maild.cli.inspect import inspect
from maild.cli.serve import serve
from maild.cli.show import show, tickets
from maild.cli.sla import app as sla
from maild.cli.terms import Exit, say
from maild.cli.why import why

app = typer.Typer(
    name="maild",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The help desk that lives in the mail server.",
)
for command in (init, check, serve, tickets, show, why, inspect, demo):
    app.command()(command)
app.add_typer(sla, name="sla")


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


def main() -> None:
    """Run a command; a wrong call ends with 64 (EX_USAGE)."""
    try:
        code = app(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(Exit.USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.DATA)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`maild tickets | head`): nobody is left to tell.
        sys.stderr.close()
        sys.exit(Exit.OK)
    sys.exit(code if isinstance(code, int) else 0)
