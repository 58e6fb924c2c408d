-- The ledger. Instants are text in UTC, 32 characters wide, so that they compare as time; booleans are 0 and 1.
-- For PostgreSQL: BLOB is bytea, an instant timestamptz, AUTOINCREMENT an identity column; nothing else differs.

CREATE TABLE octets (
    digest TEXT PRIMARY KEY NOT NULL,  -- SHA-256 of the octets, hex
    zstd BLOB NOT NULL,
    size INTEGER NOT NULL              -- before compression
) STRICT;

CREATE TABLE received (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    digest TEXT NOT NULL REFERENCES octets (digest),
    mail_from TEXT NOT NULL,
    rcpt TEXT NOT NULL,
    rcpt_key TEXT NOT NULL,            -- lower case: what duplicates are compared by
    via TEXT NOT NULL,
    peer TEXT NOT NULL,
    received_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'quarantined', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at TEXT,
    taken_by TEXT,                     -- the daemon that works on it, until then or its end
    taken_until TEXT,
    fault TEXT NOT NULL DEFAULT '',
    done_at TEXT,
    because TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX received_seen ON received (rcpt_key, digest, received_at);
CREATE INDEX received_state ON received (state, id);

CREATE TABLE party (
    address TEXT PRIMARY KEY NOT NULL, -- addr-spec, lower case
    name TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    failed_at TEXT
) STRICT;

CREATE TABLE ticket (
    number INTEGER PRIMARY KEY NOT NULL,
    mailbox TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    severity_because TEXT NOT NULL,    -- JSON list
    requester_name TEXT NOT NULL,
    requester_address TEXT NOT NULL,
    participants TEXT NOT NULL,        -- JSON list, as in table participant
    assignee TEXT,
    opened_at TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    root_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    resolved_at TEXT,
    closed_at TEXT,
    first_response_at TEXT,
    first_response_evidence TEXT NOT NULL,
    revision INTEGER NOT NULL          -- how often it was written: whoever read an older one decides again
) STRICT;
CREATE INDEX ticket_state ON ticket (state, number);

CREATE TABLE participant (
    id INTEGER PRIMARY KEY NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket (number) ON DELETE CASCADE,
    address TEXT NOT NULL,
    UNIQUE (ticket, address)
) STRICT;
CREATE INDEX participant_address ON participant (address, ticket);

CREATE TABLE message (
    id INTEGER PRIMARY KEY NOT NULL,   -- that of the received row which brought it
    ticket INTEGER NOT NULL REFERENCES ticket (number),
    message_id TEXT NOT NULL,
    at TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    sender_address TEXT NOT NULL,
    sender_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    verified TEXT NOT NULL,
    placed_because TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT REFERENCES octets (digest),
    body_digest TEXT NOT NULL
) STRICT;
CREATE INDEX message_ticket ON message (ticket, at, id);
CREATE UNIQUE INDEX message_once ON message (message_id, sender_key, body_digest, ticket) WHERE message_id <> '';

CREATE TABLE message_recipient (
    id INTEGER PRIMARY KEY NOT NULL,
    message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    rcpt TEXT NOT NULL,
    UNIQUE (message, rcpt)
) STRICT;

CREATE TABLE reference (
    id INTEGER PRIMARY KEY NOT NULL,
    msgid TEXT NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket (number),
    kind TEXT NOT NULL CHECK (kind IN ('own', 'seen', 'named')),
    UNIQUE (msgid, ticket, kind)
) STRICT;
CREATE INDEX reference_ticket ON reference (ticket);
CREATE UNIQUE INDEX reference_own ON reference (msgid) WHERE kind = 'own';

CREATE TABLE clock (
    id INTEGER PRIMARY KEY NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket (number),
    metric TEXT NOT NULL,
    cycle INTEGER NOT NULL,
    calendar_name TEXT NOT NULL,
    target_seconds INTEGER NOT NULL,
    limit_seconds INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    target_at TEXT,
    limit_at TEXT,
    state TEXT NOT NULL,
    stopped_at TEXT,
    breached_at TEXT,
    by_reclassification INTEGER NOT NULL CHECK (by_reclassification IN (0, 1)),
    elapsed_seconds INTEGER,
    paused_seconds INTEGER NOT NULL,
    spans TEXT NOT NULL,               -- JSON list of [start, end or null]
    next_at TEXT,                      -- when the watch loop must look
    taken_by TEXT,                     -- the daemon that judges it, until then or its end
    taken_until TEXT,
    UNIQUE (ticket, metric, cycle)
) STRICT;
CREATE INDEX clock_next ON clock (next_at, ticket) WHERE next_at IS NOT NULL;
CREATE INDEX clock_due ON clock (ticket) WHERE stopped_at IS NULL AND target_at IS NOT NULL;

CREATE TABLE escalation (
    id INTEGER PRIMARY KEY NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket (number),
    metric TEXT NOT NULL,
    cycle INTEGER NOT NULL,
    level TEXT NOT NULL,
    at TEXT NOT NULL,
    because TEXT NOT NULL,
    UNIQUE (ticket, metric, cycle, level)
) STRICT;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    ticket INTEGER REFERENCES ticket (number),
    envelope_from TEXT NOT NULL,
    rcpt TEXT NOT NULL,
    message_id TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES octets (digest),
    not_before TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_at TEXT,
    failed_at TEXT,
    last_reply TEXT NOT NULL DEFAULT '',
    taken_by TEXT,                     -- the daemon that sends it
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_unsent ON outbox (not_before, id) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_taken ON outbox (taken_by) WHERE taken_by IS NOT NULL;
CREATE INDEX outbox_ticket ON outbox (ticket, id);
CREATE INDEX outbox_kind ON outbox (kind, created_at);
CREATE INDEX outbox_acks ON outbox (created_at) WHERE kind = 'ack';

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket (number),
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    because TEXT NOT NULL,
    data TEXT NOT NULL                 -- JSON object
) STRICT;
CREATE INDEX event_ticket ON event (ticket, at, id);

CREATE TABLE sequence (
    name TEXT PRIMARY KEY NOT NULL,
    next INTEGER NOT NULL
) STRICT;

CREATE TABLE secret (
    id INTEGER PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    key BLOB NOT NULL,
    created_at TEXT NOT NULL,
    retired_at TEXT
) STRICT;
CREATE INDEX secret_purpose ON secret (purpose, id);
