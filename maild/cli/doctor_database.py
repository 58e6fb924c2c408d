"""The probe of `maild doctor` for [database]: the ledger is read, never made, migrated or locked."""

from collections.abc import Iterator

from maild.cli.doctor_sqlite import look_at_file
from maild.cli.finding import Finding
from maild.clock import utc_now
from maild.config import Config
from maild.store import LedgerError
from maild.store.ledger import POSTGRES, path_of


def probe_database(config: Config) -> Iterator[Finding]:
    """Look at the ledger, on either engine."""
    try:
        if config.database_url.startswith(POSTGRES):
            # Here, because the driver is an extra.
            from maild.cli.doctor_postgres import look_at_server  # noqa: PLC0415 - likewise

            yield from look_at_server(config, utc_now())
        else:
            yield from look_at_file(path_of(config.database_url), utc_now())
    except ModuleNotFoundError as error:
        words = f"PostgreSQL needs the module {error.name}: pip install 'maild[postgres]'"
        yield Finding("database", "fail", words)
    except PermissionError as error:
        yield Finding("database", "fail", f"{error.filename}: we may not look at it: run this as the daemon's user")
    except LedgerError as error:
        yield Finding("database", "fail", str(error))
