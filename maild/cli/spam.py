"""`maild spam`: mail that a trusted hop called so, by hand."""

import typer

from maild.cli.aside import All, Because, MaybeIds, NewFile, Pile
from maild.cli.rows import MOST_ROWS, Id, Limit
from maild.cli.terms import ConfigOption, JsonOption

PILE = Pile("spam", "is not on the list of spam")

app = typer.Typer(no_args_is_help=True, help="Mail that a trusted hop called spam: kept, without ticket or answer.")


@app.command("list")
def list_(limit: Limit = MOST_ROWS, json: JsonOption = False, config: ConfigOption = None) -> None:
    """List what was called spam, the newest first."""
    PILE.listing(limit, json, config)


@app.command()
def show(number: Id, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show one: its envelope, the verdict, and its first octets, unparsed."""
    PILE.show(number, json, config)


@app.command()
def export(number: Id, file: NewFile = None, config: ConfigOption = None) -> None:
    """Write the octets of one, as they came in."""
    PILE.export(number, file, config)


@app.command()
def release(numbers: MaybeIds = None, every: All = False, config: ConfigOption = None) -> None:
    """Say that it is none: it is decided on like any mail. A ticket that it opens counts from when the mail came in."""
    PILE.again(numbers, every, config)


@app.command()
def drop(numbers: MaybeIds = None, every: All = False, because: Because = "", config: ConfigOption = None) -> None:
    """Give it up. Its octets stay in the ledger."""
    PILE.drop(numbers, every, because, config)
