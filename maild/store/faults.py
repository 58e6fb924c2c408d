"""What can go wrong at the ledger. An edge answers 451 to any of these: the sender tries again."""


class LedgerError(Exception):
    """The ledger could not do what was asked; nothing of the unit was written."""


class ConflictError(LedgerError):
    """Someone else decided first: an expected row was not there, or a key was already taken."""


class LedgerInUseError(LedgerError):
    """Another daemon holds this ledger."""


class LedgerBusyError(LedgerError):
    """Another process kept the write lock longer than we wait."""


class LedgerAwayError(LedgerError):
    """The database server is out of reach, or went away before it said that the unit is written."""


class LedgerClosedError(LedgerError):
    """The ledger was closed."""


class LedgerSchemaError(LedgerError):
    """The file is no ledger of this version; the message says what to do."""
