"""The ledger: all that maild knows, in one place, written through one door."""

from maild.store.faults import ConflictError, LedgerError, LedgerInUseError
from maild.store.ledger import Ledger
from maild.store.record import Record

__all__ = ["ConflictError", "Ledger", "LedgerError", "LedgerInUseError", "Record"]
