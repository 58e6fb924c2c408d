"""What the driver of PostgreSQL raises, in the ledger's words."""

import pytest

from maild.store import ConflictError, LedgerError
from maild.store.faults import LedgerAwayError, LedgerBusyError

asyncpg = pytest.importorskip("asyncpg", reason="asyncpg is missing: pip install 'maild[postgres]'")


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (asyncpg.UniqueViolationError("twice"), ConflictError),
        (asyncpg.DeadlockDetectedError("two wait"), LedgerBusyError),
        (asyncpg.QueryCanceledError("too long"), LedgerBusyError),
        (asyncpg.AdminShutdownError("it is shut down"), LedgerAwayError),
        (
            asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
            LedgerAwayError,
        ),
        (ConnectionResetError(), LedgerAwayError),
        (TimeoutError(), LedgerAwayError),
        (asyncpg.InterfaceError("connection is closed"), LedgerAwayError),
        (asyncpg.UndefinedTableError("no such table"), LedgerError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_fault_has_its_name(fault, named):
    from maild.store.faults_postgres import naming_faults  # noqa: PLC0415 - where there is a driver

    with pytest.raises(LedgerError) as caught, naming_faults():
        raise fault
    assert type(caught.value) is named
    assert caught.value.__cause__ is fault
