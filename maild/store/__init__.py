"""The ledger: all that maild knows, in one place, written through one door."""

from maild.store.evidence import Asked, History, Known
from maild.store.faults import ConflictError, LedgerError, LedgerInUseError
from maild.store.ledger import Ledger
from maild.store.record import Record

__all__ = ["Asked", "ConflictError", "History", "Known", "Ledger", "LedgerError", "LedgerInUseError", "Record"]
