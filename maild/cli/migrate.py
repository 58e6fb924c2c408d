"""`maild migrate`: the ledger is brought to this version while no daemon runs."""

import asyncio
from typing import Annotated

import typer

from maild.cli.ending import Exit, fail, say
from maild.cli.terms import ConfigOption, configuration
from maild.config import Config
from maild.store import Ledger, LedgerError, LedgerInUseError
from maild.store.copying import Migrated
from maild.store.faults import LedgerBusyError
from maild.store.ledger import shown


def migrate(
    no_copy: Annotated[
        bool, typer.Option("--no-copy", help="Keep no copy of the ledger first: you have made a backup yourself")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Bring the ledger to this version, after a copy; `maild serve` does it too."""
    loaded = configuration(config)
    try:
        loaded.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fail(Exit.CONFIG, f"desk.data_dir: {loaded.data_dir} cannot be made: {error.strerror}")
    where = f"the ledger {shown(loaded.database_url)}"
    try:
        done = asyncio.run(_migrate(loaded, no_copy=no_copy))
    except LedgerInUseError as error:
        fail(Exit.TRY_AGAIN, f"{error}: stop the daemon first")
    except LedgerBusyError as error:
        fail(Exit.TRY_AGAIN, f"{where} was not changed: {error}")
    except LedgerError as error:
        fail(Exit.UNAVAILABLE, f"{where} cannot be used: {error}")
    if done.before == done.after:
        say(f"{where} is of this version already: {done.after}")
    elif not done.before:
        say(f"{where} was made, of version {done.after}")
    else:
        say(f"{where} went from version {done.before} to {done.after}")
        say(f"as it was before: {done.copy or 'no copy was kept'}")


async def _migrate(config: Config, *, no_copy: bool) -> Migrated:
    copies = None if no_copy else config.data_dir
    ledger = await Ledger.open(config.database_url, exclusive=True, copies=copies)
    await ledger.close()
    return ledger.migrated
