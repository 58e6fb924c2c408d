-- Ways in beside SMTP: IMAP folders and what was fetched from them; mail that a trusted hop called spam.

CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,         -- user@host/folder
    uidvalidity INTEGER NOT NULL DEFAULT 0,
    last_uid INTEGER NOT NULL DEFAULT 0,
    looked_at TEXT,                    -- the end of the last look at all of it
    reconciled_at TEXT,                -- when the server's UIDs were last compared with ours
    taken_by TEXT,                     -- the daemon that fetches from it, until then or its end
    taken_until TEXT
) STRICT;

CREATE TABLE mailbox_uid (
    id INTEGER PRIMARY KEY NOT NULL,
    mailbox INTEGER NOT NULL REFERENCES mailbox (id),
    uidvalidity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    digest TEXT REFERENCES octets (digest), -- null where it was not fetched, for the reason in fault
    fault TEXT NOT NULL DEFAULT '',
    fetched_at TEXT NOT NULL,
    moved_at TEXT,                     -- when it was put into another folder
    UNIQUE (mailbox, uidvalidity, uid)
) STRICT;
CREATE INDEX mailbox_uid_digest ON mailbox_uid (digest);

CREATE TABLE received_0002 (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    digest TEXT NOT NULL REFERENCES octets (digest),
    mail_from TEXT NOT NULL,
    rcpt TEXT NOT NULL,
    rcpt_key TEXT NOT NULL,            -- lower case: what duplicates are compared by
    via TEXT NOT NULL,
    peer TEXT NOT NULL,
    received_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'quarantined', 'dropped', 'spam')),
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at TEXT,
    taken_by TEXT,                     -- the daemon that works on it, until then or its end
    taken_until TEXT,
    fault TEXT NOT NULL DEFAULT '',
    done_at TEXT,
    because TEXT NOT NULL DEFAULT '',
    no_spam INTEGER NOT NULL DEFAULT 0 CHECK (no_spam IN (0, 1)) -- somebody said so, whatever the verdict
) STRICT;
INSERT INTO received_0002 (id, digest, mail_from, rcpt, rcpt_key, via, peer, received_at, state, attempts, retry_at,
    taken_by, taken_until, fault, done_at, because)
SELECT id, digest, mail_from, rcpt, rcpt_key, via, peer, received_at, state, attempts, retry_at,
    taken_by, taken_until, fault, done_at, because FROM received;
-- Numbers are never given twice, even where the last row is gone: a message bears the number of what brought it.
DELETE FROM sqlite_sequence WHERE name = 'received_0002';
INSERT INTO sqlite_sequence SELECT 'received_0002', seq FROM sqlite_sequence WHERE name = 'received';
DROP TABLE received;
ALTER TABLE received_0002 RENAME TO received;
CREATE INDEX received_seen ON received (rcpt_key, digest, received_at);
CREATE INDEX received_state ON received (state, id);

CREATE INDEX outbox_rcpt ON outbox (kind, lower(rcpt), created_at);
