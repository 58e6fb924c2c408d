"""asyncpg's faults in the ledger's words."""

import contextlib
from collections.abc import Iterator

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from maild.store.faults import ConflictError, LedgerAwayError, LedgerBusyError, LedgerError

BROKEN = (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""Whatever a connection may end with."""

AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""The engine chose this unit to give way: the same unit may be written again."""

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # The driver lost its place in a conversation that the server ended.
    asyncpg.InternalClientError,
    OSError,
)


@contextlib.contextmanager
def naming_faults() -> Iterator[None]:
    """Give the driver's faults the ledger's names."""
    try:
        yield
    except (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError) as error:
        raise ConflictError(str(error)) from error
    except (*AGAIN, asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as error:
        raise LedgerBusyError(f"another process holds a lock for too long: {error}") from error
    except _AWAY as error:
        # TimeoutError is an OSError: the server does not answer, or every connection is at work.
        raise LedgerAwayError(f"the database is out of reach: {str(error) or type(error).__name__}") from error
    except asyncpg.PostgresError as error:
        raise LedgerError(f"{error.sqlstate}: {error}") from error
    except asyncpg.InterfaceError as error:
        fault = LedgerError if isinstance(error, ValueError) else LedgerAwayError
        raise fault(f"{type(error).__name__}: {error}") from error
