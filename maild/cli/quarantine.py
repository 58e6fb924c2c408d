"""`maild quarantine`: mail that broke us, by hand."""

import typer

from maild.cli.aside import All, Because, MaybeIds, NewFile, Pile
from maild.cli.rows import MOST_ROWS, Id, Limit
from maild.cli.terms import ConfigOption, JsonOption

PILE = Pile("quarantined", "is not quarantined")

app = typer.Typer(no_args_is_help=True, help="Mail that broke us: kept with its fault, never bounced.")


@app.command("list")
def list_(limit: Limit = MOST_ROWS, json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the quarantined mails, the newest first."""
    PILE.listing(limit, json, config)


@app.command()
def show(number: Id, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show one quarantined mail: its envelope, its fault, and its first octets, unparsed."""
    PILE.show(number, json, config)


@app.command()
def export(number: Id, file: NewFile = None, config: ConfigOption = None) -> None:
    """Write the octets of one quarantined mail, as they came in."""
    PILE.export(number, file, config)


@app.command()
def retry(numbers: MaybeIds = None, every: All = False, config: ConfigOption = None) -> None:
    """Let quarantined mails wait again, as if new. A ticket that one opens counts from when the mail came in."""
    PILE.again(numbers, every, config)


@app.command()
def drop(numbers: MaybeIds = None, every: All = False, because: Because = "", config: ConfigOption = None) -> None:
    """Give quarantined mails up. Their octets stay in the ledger."""
    PILE.drop(numbers, every, because, config)
