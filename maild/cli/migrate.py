"""`maild migrate`: the ledger is brought to this version while no daemon runs."""

import asyncio

from maild.cli.terms import ConfigOption, Exit, configuration, fail, say
from maild.config import Config
from maild.store import Ledger, LedgerError, LedgerInUseError
from maild.store.ledger import shown


def migrate(config: ConfigOption = None) -> None:
    """Bring the ledger to this version; `maild serve` does it too."""
    loaded = configuration(config)
    try:
        loaded.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        asyncio.run(_migrate(loaded))
    except OSError as error:
        fail(Exit.CONFIG, f"desk.data_dir: {loaded.data_dir} cannot be made: {error.strerror}")
    except LedgerInUseError as error:
        fail(Exit.TRY_AGAIN, f"{error}: stop the daemon first")
    except LedgerError as error:
        fail(Exit.UNAVAILABLE, f"the ledger {shown(loaded.database_url)} cannot be used: {error}")
    say(f"the ledger {shown(loaded.database_url)} is of this version")


async def _migrate(config: Config) -> None:
    ledger = await Ledger.open(config.database_url, exclusive=True)
    await ledger.close()
