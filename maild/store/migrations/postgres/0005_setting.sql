-- What the ledger was last worked out by, so that it is worked out again where that has changed.

CREATE TABLE setting (
    name TEXT PRIMARY KEY NOT NULL,    -- basis: a digest of promises, calendars and time zones
    value TEXT NOT NULL
);
