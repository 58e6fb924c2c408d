-- Which clocks a digest named: whoever answers it speaks of those.

CREATE TABLE digest_told (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    message_id TEXT NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket (number),
    metric TEXT NOT NULL,
    cycle INTEGER NOT NULL,
    UNIQUE (message_id, ticket, metric, cycle)
) STRICT;
CREATE INDEX digest_told_ticket ON digest_told (ticket);
