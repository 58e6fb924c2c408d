-- Escalations that wait to be told together.

CREATE TABLE digest_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    key TEXT NOT NULL UNIQUE,          -- of the mail that it stands for
    agent TEXT NOT NULL,               -- whom it tells, by id
    address TEXT NOT NULL,             -- his, when it was judged
    ticket INTEGER NOT NULL REFERENCES ticket (number),
    metric TEXT NOT NULL,
    cycle INTEGER NOT NULL,
    level TEXT NOT NULL,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    limit_seconds INTEGER NOT NULL,
    reached_at TEXT NOT NULL,          -- the level's instant
    due_at TEXT NOT NULL,              -- the limit's
    at TEXT NOT NULL,                  -- when it was judged
    send_at TEXT NOT NULL,             -- from when on its digest may leave
    quiet INTEGER NOT NULL CHECK (quiet IN (0, 1)),
    because TEXT NOT NULL
) STRICT;
CREATE INDEX digest_item_agent ON digest_item (agent, send_at, id);
CREATE INDEX digest_item_send_at ON digest_item (send_at);
CREATE INDEX digest_item_ticket ON digest_item (ticket);
